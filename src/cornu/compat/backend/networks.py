"""The functions of `keras.backend` for networks that `cornu.ops` does not have: losses, loops, branches."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import floats, tensor_function
from cornu.core import control, settings
from cornu.core.scope import scope
from cornu.core.variable import restored
from cornu.kernels.recurrent import Loop, over_time, time_first
from cornu.ops import crossentropy, nn

# ---- activations

stop_gradient_of_one = tensor_function(jax.lax.stop_gradient)


def stop_gradient(variables: Any) -> Any:
    """Return the same values, treated as constants for gradients; for a list, a list."""
    if isinstance(variables, (list, tuple)):
        return [stop_gradient_of_one(one) for one in variables]
    return stop_gradient_of_one(variables)


# ---- losses


@tensor_function
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> jax.Array:
    """Return the binary cross-entropy of each element."""
    target, output = jnp.broadcast_arrays(floats(target), floats(output))
    return crossentropy.binary_crossentropy(target, output, from_logits)


@tensor_function
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> jax.Array:
    """Return the cross-entropy of each row for class numbers."""
    output = jnp.asarray(output)
    expected = tuple(size for number, size in enumerate(output.shape) if number != axis % output.ndim)
    target = jnp.asarray(target).reshape(expected)
    return crossentropy.sparse_categorical_crossentropy(target, output, from_logits, axis)


@tensor_function
def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> jax.Array:
    """Return the CTC loss (rows, 1) of probabilities whose last class is the blank."""
    y_pred = floats(y_pred)
    logits = jnp.log(y_pred + settings.epsilon())
    lengths = jnp.ravel(jnp.asarray(label_length)), jnp.ravel(jnp.asarray(input_length))
    return crossentropy.ctc_loss(y_true, logits, *lengths, mask_index=y_pred.shape[-1] - 1)[:, None]


# ---- convolutions and poolings


@tensor_function
def conv2d_transpose(
    x: Any, kernel: Any, output_shape: Any = None, strides: Any = (1, 1), padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> jax.Array:  # fmt: skip
    """Spread each input over a window; the size of the output follows from strides and padding.

    Raises ValueError if `output_shape` differs from it.
    """
    result = nn.conv_transpose(x, kernel, strides, padding, None, data_format, dilation_rate)
    if output_shape is not None and tuple(map(int, output_shape))[1:] != result.shape[1:]:
        raise ValueError(f"conv2d_transpose returns shape {result.shape}; got output_shape={tuple(output_shape)}.")
    return result


conv3d_transpose = conv2d_transpose


@tensor_function
def pool2d(
    x: Any, pool_size: Any, strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None,
    pool_mode: str = "max",
) -> jax.Array:  # fmt: skip
    """Return the largest value (``max``) or the mean (``avg``) of each window."""
    if pool_mode not in ("max", "avg"):
        raise ValueError(f"pool_mode must be 'max' or 'avg'; got {pool_mode!r}.")
    return (nn.max_pool if pool_mode == "max" else nn.average_pool)(x, pool_size, strides, padding, data_format)


@tensor_function
def pool3d(
    x: Any, pool_size: Any, strides: Any = (1, 1, 1), padding: str = "valid", data_format: str | None = None,
    pool_mode: str = "max",
) -> jax.Array:  # fmt: skip
    """Return the largest value (``max``) or the mean (``avg``) of each window of volumes."""
    return pool2d(x, pool_size, strides, padding, data_format, pool_mode)


@tensor_function
def bias_add(x: Any, bias: Any, data_format: str | None = None) -> jax.Array:
    """Add a bias with one value per channel, or with the shape of a row of `x`."""
    x, bias = jnp.asarray(x), jnp.asarray(bias)
    if settings.standardize_data_format(data_format) == "channels_last" or x.ndim < 3:
        return x + bias
    return x + (bias.reshape(-1, *[1] * (x.ndim - 2)) if bias.ndim == 1 else jnp.moveaxis(bias, -1, 0))


def _local(x: Any, kernel: Any, window: Sequence[int], strides: Sequence[int], data_format: str | None) -> jax.Array:
    """Convolve with another kernel at each place; kernel: (places, window * channels, filters)."""
    last = settings.standardize_data_format(data_format) == "channels_last"
    x = jnp.asarray(x) if last else jnp.moveaxis(jnp.asarray(x), 1, -1)
    starts = [
        np.arange(0, size - length + 1, step) for size, length, step in zip(x.shape[1:-1], window, strides, strict=True)
    ]
    places = [start[:, None] + np.arange(length) for start, length in zip(starts, window, strict=True)]
    for axis, place in enumerate(places):
        x = jnp.take(x, place, axis=1 + 2 * axis)  # (rows, place, window, place, window, ..., channels)
    rank = len(window)
    order = (0, *range(1, 2 * rank, 2), *range(2, 2 * rank + 1, 2), 2 * rank + 1)
    patches = x.transpose(order).reshape(x.shape[0], kernel.shape[0], -1)
    result = jnp.einsum("bpi,pio->bpo", patches, kernel)
    result = result.reshape(x.shape[0], *map(len, starts), kernel.shape[-1])
    return result if last else jnp.moveaxis(result, -1, 1)


@tensor_function
def local_conv1d(x: Any, kernel: Any, kernel_size: Any, strides: Any, data_format: str | None = None) -> jax.Array:
    """Convolve steps with another kernel at each place: (places, window * channels, filters)."""
    return _local(x, kernel, tuple(kernel_size), tuple(strides), data_format)


@tensor_function
def local_conv2d(
    x: Any, kernel: Any, kernel_size: Any, strides: Any, output_shape: Any = None, data_format: str | None = None
) -> jax.Array:
    """Convolve images with another kernel at each place: (places, window * channels, filters)."""
    return _local(x, kernel, tuple(kernel_size), tuple(strides), data_format)


# ---- normalization


@tensor_function
def normalize_batch_in_training(
    x: Any, gamma: Any, beta: Any, reduction_axes: Sequence[int], epsilon: float = 1e-3
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return `x` normalized by its own mean and variance along `reduction_axes`, the mean, and the variance."""
    x, along = floats(x), tuple(reduction_axes)
    mean, var = jnp.mean(x, along, keepdims=True), jnp.var(x, along, keepdims=True)
    result = (x - mean) * jax.lax.rsqrt(var + epsilon)
    result = result if gamma is None else result * jnp.reshape(gamma, mean.shape)
    result = result if beta is None else result + jnp.reshape(beta, mean.shape)
    return result, jnp.squeeze(mean, along), jnp.squeeze(var, along)


# ---- branches


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Return one of two results (tensors, or functions that make them) by a condition: a scalar, or one per element."""
    if isinstance(condition, (bool, int, np.bool_)):
        chosen = then_expression if condition else else_expression
        return chosen() if callable(chosen) else chosen
    then_value = then_expression() if callable(then_expression) else then_expression
    else_value = else_expression() if callable(else_expression) else else_expression
    return _where(condition, then_value, else_value)


@tensor_function
def _where(condition: Any, then_value: Any, else_value: Any) -> jax.Array:
    condition = jnp.asarray(condition).astype(bool)
    missing = jnp.ndim(then_value) - condition.ndim
    return jnp.where(
        condition.reshape(condition.shape + (1,) * missing if missing > 0 else condition.shape), then_value, else_value
    )


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return `x` in training and `alt` otherwise (tensors, or functions that make them)."""
    in_a_call = False if scope.depth else None
    for known in (training, scope.training, scope.learning_phase, in_a_call):
        if isinstance(known, (bool, int, np.bool_)):
            chosen = x if known else alt
            return chosen() if callable(chosen) else chosen
    return _by_phase(x() if callable(x) else x, alt() if callable(alt) else alt)


@tensor_function
def _by_phase(x: Any, alt: Any) -> Any:
    return x if scope.training else alt


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return `x` outside training and `alt` in training."""
    return in_train_phase(alt, x, training)


# ---- loops


def map_fn(fn: Callable, elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """Return the results of `fn` for each entry of the first axis, stacked."""

    def run(values: Any) -> Any:
        return control.scan(lambda _, x: ((), fn(x)), (), jax.tree.map(jnp.asarray, values))[1]

    return tensor_function(run)(elems)


def foldl(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """Return ``fn(fn(fn(initializer, first), second), ...)`` over the first axis."""

    def fold(values: Any, start: Any) -> Any:
        values = jnp.asarray(values)
        start, rest = (values[0], values[1:]) if start is None else (jnp.asarray(start), values)
        return control.scan(lambda carry, x: (fn(carry, x), None), start, rest)[0]

    return tensor_function(fold)(elems, initializer)


def foldr(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """Return `foldl` over the entries in reverse order."""
    return foldl(fn, tensor_function(lambda values: jnp.flip(jnp.asarray(values), 0))(elems), initializer)


def rnn(
    step_function: Callable, inputs: Any, initial_states: Sequence[Any], go_backwards: bool = False, mask: Any = None,
    constants: Sequence[Any] | None = None, unroll: bool = False, input_length: int | None = None,
    time_major: bool = False, zero_output_for_mask: bool = False, return_all_outputs: bool = True,
) -> tuple[Any, Any, list]:  # fmt: skip
    """Run ``output, states = step_function(input, states + constants)`` over the steps of (rows, steps, ...).

    Where `mask` (rows, steps) is false, output and states are unchanged (output 0 with `zero_output_for_mask`).
    Returns the last output, all outputs (rows, steps, ...) and the last states.
    """
    settings_of_run = (go_backwards, time_major, zero_output_for_mask, unroll)

    def run(inputs: Any, states: list, mask: Any, constants: list) -> tuple[Any, Any, list]:
        return _run_steps(step_function, inputs, states, mask, constants, settings_of_run)

    last, outputs, states = tensor_function(run)(inputs, list(initial_states), mask, list(constants or []))
    return last, outputs if return_all_outputs else last[:, None], states


def _run_steps(
    step_function: Callable, inputs: Any, states: list, mask: Any, constants: list, run: tuple[bool, bool, bool, bool]
) -> tuple[Any, Any, list]:
    go_backwards, time_major, zero_output, unroll = run
    inputs, mask = jnp.asarray(inputs), None if mask is None else jnp.asarray(mask)
    if time_major:
        inputs, mask = time_first(inputs), None if mask is None else time_first(mask)
    if mask is not None:
        mask = mask.reshape(mask.shape[:2])
    states = [jnp.asarray(state) for state in states]

    def step(x: Any, states: list) -> tuple[Any, list]:
        output, new_states = step_function(x, [*states, *constants])
        return output, [jnp.asarray(new, old.dtype) for new, old in zip(new_states, states, strict=True)]

    with restored():
        output = jax.eval_shape(lambda x: step(x, states)[0], inputs[:, 0])
    empty = None if mask is None else jnp.zeros(output.shape, output.dtype)
    loop = Loop(go_backwards, bool(unroll), sequences=True, zero_masked=zero_output)
    outputs, states = over_time(step, inputs, states, mask, loop, empty, control.scan)
    return outputs[:, -1], time_first(outputs) if time_major else outputs, states
