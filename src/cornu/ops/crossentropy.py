"""Cross-entropies and connectionist temporal classification (CTC), as `keras.ops` has them."""

from typing import Any

import jax
import jax.numpy as jnp

from cornu.core import settings
from cornu.ops.ctc_beams import best_paths, differ_from_the_last, only
from cornu.ops.lifting import arrays_first


def clipped(probabilities: jax.Array) -> jax.Array:
    """Clip probabilities to stay ``epsilon()`` away from 0 and 1."""
    return jnp.clip(probabilities, settings.epsilon(), 1 - settings.epsilon())


def log_probabilities(output: jax.Array, from_logits: bool, axis: int = -1) -> jax.Array:
    """Return log probabilities of classes, from logits or from probabilities (scaled to sum to 1 first)."""
    if from_logits:
        return jax.nn.log_softmax(output, axis)
    return jnp.log(clipped(output / jnp.sum(output, axis, keepdims=True)))


def of_classes(values: jax.Array, classes: jax.Array) -> jax.Array:
    """Return ``values[..., class]`` for each integer class; 0 for an integer that is not a class."""
    return jnp.sum(jnp.where(classes[..., None] == jnp.arange(values.shape[-1]), values, 0), -1)


def binary_log_likelihood(target: jax.Array, output: jax.Array, from_logits: bool) -> jax.Array:
    """Return the log probability of each binary label."""
    if from_logits:
        return target * jax.nn.log_sigmoid(output) + (1 - target) * jax.nn.log_sigmoid(-output)
    output = clipped(output)
    return target * jnp.log(output) + (1 - target) * jnp.log(1 - output)


def float_array(output: Any) -> jax.Array:
    """Return `output` as a float array; integers become ``floatx()``."""
    output = jnp.asarray(output)
    return output if jnp.issubdtype(output.dtype, jnp.floating) else output.astype(settings.floatx())


@arrays_first(2)
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> jax.Array:
    """Return the binary cross-entropy of each element.

    Args:
        target: Labels from 0 to 1.
        output: Probabilities or logits, of the same shape.
        from_logits: Whether `output` is logits.

    Returns:
        An array of the same shape.

    Raises:
        ValueError: The shapes differ.

    >>> print(binary_crossentropy([1.0], [0.5]).round(3))
    [0.693]
    """
    output = float_array(output)
    target = jnp.asarray(target, output.dtype)
    _check_shapes("binary_crossentropy", target.shape, output.shape)
    return -binary_log_likelihood(target, output, from_logits)


@arrays_first(2)
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> jax.Array:
    """Return the cross-entropy along `axis`, for one-hot targets.

    Args:
        target: Class probabilities ``(batch, ..., classes)``.
        output: Probabilities (scaled to sum to 1 first) or logits, of the same shape.
        from_logits: Whether `output` is logits.
        axis: Axis of the classes.

    Returns:
        An array without that axis: ``(batch, ...)``.

    Raises:
        ValueError: The shapes differ.

    >>> print(categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(3))
    [0.693]
    """
    output = float_array(output)
    target = jnp.asarray(target, output.dtype)
    _check_shapes("categorical_crossentropy", target.shape, output.shape)
    return -jnp.sum(target * log_probabilities(output, from_logits, axis), axis=axis)


@arrays_first(2)
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> jax.Array:
    """Return the cross-entropy along `axis`, for integer classes.

    Args:
        target: Integers ``(batch, ...)``; a last axis of size 1 is dropped.
        output: Probabilities (scaled to sum to 1 first) or logits ``(batch, ..., classes)``.
        from_logits: Whether `output` is logits.
        axis: Axis of the classes in `output`.

    Returns:
        An array ``(batch, ...)``.

    Raises:
        ValueError: The shapes do not fit.

    >>> print(sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(3))
    [0.693]
    """
    output = float_array(output)
    target = jnp.asarray(target, "int32")
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = target[..., 0]
    expected = list(output.shape)
    del expected[axis]
    _check_shapes("sparse_categorical_crossentropy", target.shape, tuple(expected))
    return -of_classes(log_probabilities(jnp.moveaxis(output, axis, -1), from_logits), target)


def _check_shapes(name: str, target: tuple, output: tuple) -> None:
    if target != output:
        raise ValueError(f"{name}: a target of shape {target} does not fit the output; expected {output}.")


@arrays_first(4)
def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> jax.Array:
    """Return the CTC loss of each sequence.

    Args:
        target: Integer labels ``(batch, max_labels)``.
        output: Logits ``(batch, time, classes)``.
        target_length: Number of labels of each sequence, ``(batch,)``.
        output_length: Number of time steps of each sequence, ``(batch,)``.
        mask_index: Class of the blank.

    Returns:
        An array ``(batch,)``.
    """
    import optax  # importing takes a quarter of a second: only for programs that use it

    steps = jnp.arange(output.shape[1]) >= jnp.reshape(output_length, (-1, 1))
    labels = jnp.arange(target.shape[1]) >= jnp.reshape(target_length, (-1, 1))
    return optax.ctc_loss(
        float_array(output),
        steps.astype("float32"),
        jnp.asarray(target, "int32"),
        labels.astype("float32"),
        blank_id=mask_index,
    )


@arrays_first(2)
def ctc_decode(
    inputs: Any, sequence_lengths: Any, strategy: str = "greedy", beam_width: int = 100, top_paths: int = 1,
    merge_repeated: bool = True, mask_index: int | None = 0,
) -> tuple[jax.Array, jax.Array]:  # fmt: skip
    """Return the labels of each sequence: the best class of each step, or the best sequences of a beam search.

    Args:
        inputs: Scores ``(batch, time, classes)``; for a beam search logits.
        sequence_lengths: Number of time steps of each sequence, ``(batch,)``.
        strategy: ``"greedy"`` or ``"beam_search"``.
        beam_width: How many label sequences a beam search keeps after each step.
        top_paths: How many of them it returns.
        merge_repeated: Whether repeated labels without a blank between them are one. Only for ``"greedy"``.
        mask_index: Class of the blank; None: the last one.

    Returns:
        Labels ``(top_paths, batch, time)``, filled up with -1, and scores ``(batch, top_paths)``: log-probabilities.
        For ``"greedy"``, `top_paths` is 1 and the scores are the negative sums of the best class's scores.

    Raises:
        ValueError: `strategy` is neither, or `top_paths` is not between 1 and `beam_width`.

    Follows https://keras.io/api/ops/nn/#ctcdecode-function

    >>> logits = jnp.log(jnp.array([[[0.5, 0.4, 0.1], [0.6, 0.3, 0.1]]]))
    >>> labels, scores = ctc_decode(logits, [2], "beam_search", top_paths=2)
    >>> labels.tolist(), (100 * jnp.exp(scores)).round().tolist()
    ([[[1, -1]], [[-1, -1]]], [[51.0, 30.0]])
    """
    blank = (inputs.shape[-1] - 1) if mask_index is None else mask_index % inputs.shape[-1]
    if strategy == "beam_search":
        if not 1 <= top_paths <= beam_width:
            raise ValueError(f"ctc_decode: top_paths={top_paths} must be between 1 and beam_width={beam_width}.")
        return best_paths(float_array(inputs), sequence_lengths, int(beam_width), int(top_paths), blank)
    if strategy != "greedy":
        raise ValueError(f"ctc_decode: strategy must be 'greedy' or 'beam_search'; got {strategy!r}.")
    best = jnp.argmax(inputs, axis=-1)  # (batch, time)
    running = jnp.arange(inputs.shape[1]) < jnp.reshape(sequence_lengths, (-1, 1))
    scores = -jnp.sum(jnp.where(running, jnp.max(inputs, axis=-1), 0), axis=-1, keepdims=True)
    kept = running & (best != blank)
    if merge_repeated:
        kept &= differ_from_the_last(best)
    labels = only(best, kept)  # (batch, time)
    return labels[None], scores


__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "ctc_decode",
    "ctc_loss",
    "sparse_categorical_crossentropy",
]
