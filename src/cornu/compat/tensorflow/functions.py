"""The array functions of the `tensorflow` stand-in.

They work on arrays, variables and symbolic tensors (in Lambda layers, losses, custom layers); those that `cornu.ops`
also has are made from the table in `rows.py`.
"""

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu import activations, ops
from cornu.compat.backend.calls import shape as backend_shape
from cornu.compat.backend.calls import tensor_function
from cornu.compat.backend.from_rows import functions_of
from cornu.compat.tensorflow import loops
from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.dtypes import TYPES, array_type
from cornu.compat.tensorflow.inputs import extend
from cornu.compat.tensorflow.math import complex  # noqa: F401
from cornu.compat.tensorflow.random import sizes
from cornu.compat.tensorflow.rows import OLD_KEYWORDS, ROWS
from cornu.compat.tensorflow.sizes import KnownSize, Sizes
from cornu.compat.tensorflow.strings import as_string  # noqa: F401
from cornu.core import graph, registry
from cornu.core.variable import plain
from cornu.data.dataset import EagerArray

globals().update(TYPES)
Tensor = jax.Array | graph.SymbolicTensor | EagerArray
TensorLike = Tensor | np.ndarray | int | float | list | tuple


# Functions that are functions of `cornu.ops` with other names.
globals().update(functions_of(ROWS, __name__, OLD_KEYWORDS))


@tensor_function
def reshape(tensor: Any, shape: Any, name: str | None = None) -> jax.Array:
    """Return the same values in another shape; -1 is the remaining size."""
    return jnp.reshape(jnp.asarray(tensor), tuple(int(size) for size in shape))


@tensor_function
def transpose(a: Any, perm: Any = None, conjugate: Any = False, name: str | None = None) -> jax.Array:
    """Return `a` with its axes in the order `perm`, or in reverse order."""
    a = jnp.asarray(a)
    return jnp.transpose(jnp.conj(a) if conjugate else a, perm)


def _options(**options: Any) -> dict[str, Any]:
    """Return the options that differ from their defaults: without any, an activation runs as one program."""
    return {key: value for key, (value, default) in options.items() if value is not None and value != default}


@tensor_function
def softmax(logits: Any, axis: Any = None, name: Any = None, dim: Any = None) -> jax.Array:
    """Return the softmax along an axis, the last by default."""
    axis = dim if axis is None else axis
    return activations.softmax(jnp.asarray(logits), **_options(axis=(axis, -1)))


@tensor_function
def log_softmax(logits: Any, axis: Any = None, name: Any = None, dim: Any = None) -> jax.Array:
    """Return the logarithm of the softmax along an axis, the last by default."""
    axis = dim if axis is None else axis
    return activations.log_softmax(jnp.asarray(logits), **_options(axis=(axis, -1)))


@tensor_function
def gelu(features: Any, approximate: Any = False, name: Any = None) -> jax.Array:
    """Return the Gaussian error linear unit."""
    return activations.gelu(jnp.asarray(features), **_options(approximate=(approximate, False)))


for _name in ("softmax", "log_softmax", "gelu"):  # as `activation=` of a layer
    registry.stand_in(globals()[_name], getattr(activations, _name))


@tensor_function
def tensordot(a: Any, b: Any, axes: Any, name: Any = None) -> jax.Array:
    """Return the sum of products over axes: a number of them, or a list for each array."""
    return jnp.tensordot(jnp.asarray(a), jnp.asarray(b), axes)


def einsum(equation: str, *inputs: Any, **_: Any) -> Any:
    """Return sums of products as an equation says."""
    return ops.einsum(equation, *inputs)


def saturate_cast(value: Any, dtype: Any, name: Any = None) -> Any:
    """Return a tensor of another dtype, with what does not fit at the nearest end of its range."""
    return ops.saturate_cast(value, array_type(dtype))


@tensor_function
def cast(x: Any, dtype: Any, name: str | None = None) -> jax.Array:
    """Return a tensor of another dtype."""
    array, kind = jnp.asarray(x), array_type(dtype)
    return (jnp.real(array) if jnp.iscomplexobj(array) and "complex" not in kind else array).astype(kind)


@tensor_function
def zeros_like(
    input: Any = None, dtype: Any = None, name: str | None = None, tensor: Any = None, optimize: Any = None
) -> jax.Array:
    """Return zeros of the shape of a tensor, and its dtype by default."""
    like = jnp.asarray(tensor if input is None else input)
    return jnp.zeros_like(like, None if dtype is None else array_type(dtype))


@tensor_function
def ones_like(
    input: Any = None, dtype: Any = None, name: str | None = None, tensor: Any = None, optimize: Any = None
) -> jax.Array:
    """Return ones of the shape of a tensor, and its dtype by default."""
    like = jnp.asarray(tensor if input is None else input)
    return jnp.ones_like(like, None if dtype is None else array_type(dtype))


@tensor_function
def tile(input: Any, multiples: Any, name: str | None = None) -> jax.Array:
    """Return the tensor repeated along each axis."""
    return jnp.tile(jnp.asarray(input), tuple(int(one) for one in on_host(multiples)))


@tensor_function
def repeat(input: Any, repeats: Any, axis: Any = None, name: str | None = None) -> jax.Array:
    """Return each entry along an axis (of the flat tensor by default) repeated so often, or as often as `repeats`."""
    counts = on_host(repeats)
    return jnp.repeat(
        jnp.asarray(input), counts, axis, total_repeat_length=None if counts.ndim == 0 else int(counts.sum())
    )


@tensor_function
def split(
    value: Any, num_or_size_splits: Any, axis: int = 0, num: int | None = None, name: str | None = None
) -> list[jax.Array]:
    """Return parts along an axis: a number of equal parts, or parts of the given sizes, one of which may be -1."""
    value, sizes = jnp.asarray(value), num_or_size_splits
    if np.ndim(sizes):
        sizes = [int(size) for size in sizes]
        rest = value.shape[axis] - sum(size for size in sizes if size >= 0)
        sizes = [rest if size < 0 else size for size in sizes]
        if sum(sizes) != value.shape[axis] or min(sizes) < 0:
            raise ValueError(f"split: sizes {num_or_size_splits} do not fit axis {axis} of shape {value.shape}.")
        return jnp.split(value, list(itertools.accumulate(sizes))[:-1], axis)
    return jnp.split(value, int(sizes), axis)


@tensor_function
def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: str | None = None
) -> jax.Array:
    """Return `tensor` with a pair (before, after) of values added on each axis; `mode` as numpy's, in any case."""
    pairs = [tuple(int(size) for size in pair) for pair in paddings]
    more = {"constant_values": constant_values} if mode.lower() == "constant" else {}
    return jnp.pad(jnp.asarray(tensor), pairs, mode.lower(), **more)


@tensor_function
def squared_difference(x: Any, y: Any, name: str | None = None) -> jax.Array:
    """Return ``(x - y) ** 2``."""
    return jnp.square(jnp.asarray(x) - jnp.asarray(y))


@tensor_function
def cumsum(x: Any, axis: int = 0, exclusive: Any = False, reverse: Any = False, name: str | None = None) -> jax.Array:
    """Return running sums; `exclusive` leaves each entry out of its own sum, `reverse` starts from the end."""
    return _running(jnp.cumsum, 0, x, axis, exclusive, reverse)


@tensor_function
def cumprod(x: Any, axis: int = 0, exclusive: Any = False, reverse: Any = False, name: str | None = None) -> jax.Array:
    """Return running products; `exclusive` leaves each entry out of its own product, `reverse` starts from the end."""
    return _running(jnp.cumprod, 1, x, axis, exclusive, reverse)


def _running(function: Callable, start: int, x: Any, axis: int, exclusive: Any, reverse: Any) -> jax.Array:
    x = jnp.flip(x, axis) if reverse else jnp.asarray(x)
    if exclusive:
        first: list[Any] = [slice(None)] * x.ndim
        first[axis] = 0
        x = jnp.roll(x, 1, axis).at[tuple(first)].set(start)
    result = function(x, axis)
    return jnp.flip(result, axis) if reverse else result


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> jax.Array:
    """Return an array; Python numbers with a point become float32."""
    array = jnp.asarray(value, dtype=None if dtype is None else array_type(dtype))
    if shape is None:
        return array
    return jnp.broadcast_to(array, tuple(shape)) if array.size == 1 else jnp.reshape(array, tuple(shape))


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Any:
    """Return an array; a symbolic tensor stays one."""
    return value if graph.is_symbolic(value) else constant(value, dtype)


@tensor_function
def zeros(shape: Any, dtype: Any = "float32", name: str | None = None) -> jax.Array:
    """Return an array of zeros."""
    return jnp.zeros(sizes(shape), array_type(dtype))


@tensor_function
def ones(shape: Any, dtype: Any = "float32", name: str | None = None) -> jax.Array:
    """Return an array of ones."""
    return jnp.ones(sizes(shape), array_type(dtype))


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None) -> Any:
    """Return the numbers from `start` (or 0) to `limit`, as ``numpy.arange`` does.

    With a limit that a compiled function computes, they are for a ``for`` loop alone.
    """
    low, high = plain((0, start) if limit is None else (start, limit))
    if any(isinstance(one, jax.core.Tracer) for one in (low, high, delta)):
        return loops.Range(low, high, delta)
    numbers = np.arange(low, high, plain(delta), dtype=None if dtype is None else array_type(dtype))
    return jnp.asarray(numbers, "float32" if numbers.dtype == "float64" else None)


def shape(input: Any, out_type: Any = None, name: str | None = None) -> tuple:
    """Return the sizes of the axes; one that a model's tensor does not know can be computed with, too."""
    return backend_shape(input) if graph.is_symbolic(input) else Sizes(np.shape(plain(input)))


def rank(input: Any, name: str | None = None) -> int:
    """Return the number of axes."""
    return KnownSize(len(input.shape) if hasattr(input, "shape") else np.ndim(input))


extend(globals())
