"""Cross-entropies and connectionist temporal classification on arrays, as `keras.ops` has them."""

from typing import Any

import jax
import jax.numpy as jnp

from cornu.core import settings
from cornu.ops.lifting import arrays_first


def clipped(probabilities: jax.Array) -> jax.Array:
    """Return probabilities kept ``epsilon()`` away from 0 and 1."""
    return jnp.clip(probabilities, settings.epsilon(), 1 - settings.epsilon())


def log_probabilities(output: jax.Array, from_logits: bool, axis: int = -1) -> jax.Array:
    """Return logarithms of class probabilities from logits, or from probabilities (made to sum to 1 first)."""
    if from_logits:
        return jax.nn.log_softmax(output, axis)
    return jnp.log(clipped(output / jnp.sum(output, axis, keepdims=True)))


def of_classes(values: jax.Array, classes: jax.Array) -> jax.Array:
    """Return for each row of the last axis of `values` that of the class with the given number; 0 for no class."""
    return jnp.sum(jnp.where(classes[..., None] == jnp.arange(values.shape[-1]), values, 0), -1)


def binary_log_likelihood(target: jax.Array, output: jax.Array, from_logits: bool) -> jax.Array:
    """Return the logarithm of the probability of each binary label."""
    if from_logits:
        return target * jax.nn.log_sigmoid(output) + (1 - target) * jax.nn.log_sigmoid(-output)
    output = clipped(output)
    return target * jnp.log(output) + (1 - target) * jnp.log(1 - output)


def float_array(output: Any) -> jax.Array:
    """Return `output` as an array of floats: whole numbers in ``floatx()``."""
    output = jnp.asarray(output)
    return output if jnp.issubdtype(output.dtype, jnp.floating) else output.astype(settings.floatx())


@arrays_first(2)
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> jax.Array:
    """Return the binary cross-entropy of each element; shapes are alike."""
    output = float_array(output)
    target = jnp.asarray(target, output.dtype)
    _check_shapes("binary_crossentropy", target.shape, output.shape)
    return -binary_log_likelihood(target, output, from_logits)


@arrays_first(2)
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> jax.Array:
    """Return the cross-entropy along `axis`; probabilities are scaled to the sum 1 first."""
    output = float_array(output)
    target = jnp.asarray(target, output.dtype)
    _check_shapes("categorical_crossentropy", target.shape, output.shape)
    return -jnp.sum(target * log_probabilities(output, from_logits, axis), axis=axis)


@arrays_first(2)
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> jax.Array:
    """Return the cross-entropy along `axis` for class numbers; a last axis of size 1 of the target is dropped."""
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
        raise ValueError(f"{name}: the target has shape {target}, which does not fit the output's: expected {output}.")


@arrays_first(4)
def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> jax.Array:
    """Return the CTC loss of each row: `target` (rows, labels), `output` (rows, steps, classes), lengths (rows,)."""
    import optax  # takes a quarter of a second: imported by the programs that use it

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
    merge_repeated: bool = True, mask_index: int = 0,
) -> tuple[jax.Array, jax.Array]:  # fmt: skip
    """Return labels (1, rows, steps), filled up with -1, and scores (rows, 1), by taking the best class of each step.

    Raises ValueError for ``strategy="beam_search"``, which is not built.
    """
    if strategy != "greedy":
        raise ValueError(f"ctc_decode: strategy={strategy!r} is not built; use strategy='greedy'.")
    best = jnp.argmax(inputs, axis=-1)
    running = jnp.arange(inputs.shape[1]) < jnp.reshape(sequence_lengths, (-1, 1))
    scores = -jnp.sum(jnp.where(running, jnp.max(inputs, axis=-1), 0), axis=-1, keepdims=True)
    kept = running & (best != mask_index % inputs.shape[-1])
    if merge_repeated:
        before = jnp.pad(best[:, :-1], ((0, 0), (1, 0)), constant_values=-1)
        kept &= best != before
    order = jnp.argsort(~kept, axis=1, stable=True)
    labels = jnp.take_along_axis(jnp.where(kept, best, -1), order, axis=1)
    return labels[None], scores


__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "ctc_decode",
    "ctc_loss",
    "sparse_categorical_crossentropy",
]
