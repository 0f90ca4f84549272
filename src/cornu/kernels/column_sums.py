"""Sums over several axes but not the last, and vectors broadcast over all other axes, in forms that are fast on CPU.

Large arrays in float32 take native sums if there is a C++ compiler (docs/design/016-native-kernels.md); what follows is
about the others.

Where XLA has a library for sums, the plain forms are as fast (docs/design/010). Where it has none, its sum over several
axes takes far longer than one over the first of them and, of what is left, a product with ones. Two sums are not
enough: XLA merges them, through a barrier too. Milliseconds of the processor inside a compiled loop, without the
library, 32 x 32 x 32 x 64 on AVX-512, including the products that are summed:

| over | jaxlib | at once | first axis, then the rest | first axis, then a product |
|---|---|---|---|---|
| 0, 1, 2 | 0.10.2 | 16.7 | 15.7 | 0.6 |
| 0, 1, 2 | 0.12.0 | 21.1 | 0.8 | 0.8 |
| 1, 2 | 0.10.2 | 15.4 | 13.8 | 0.7 |
| 1, 2 | 0.12.0 | 20.4 | 0.8 | 0.8 |

Other shapes gain less: 64 x 8 x 8 x 128 over 0, 1, 2 0.35 and 0.36 (0.10.2), 2 x 256 x 256 x 32 3.6 and 2.9. Of many
rows of numbers, an eighth is summed first: 16,384 x 256 over the rows 4.8 at once, 1.7 so. The gradient of each
broadcast contains such a sum too.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.custom_derivatives import SymbolicZero

from cornu.core.jax_internals import sums_by_library
from cornu.kernels.compiler import takes_cpu_forms
from cornu.kernels.linear_maps import linear_map
from cornu.kernels.native import channel_sums

MANY, PARTS = 512, 8  # rows of numbers from which they are summed in parts, and how many


def means(x: Array, axes: Sequence[int], keepdims: bool = False) -> Array:
    """Return the means of `x` over `axes`.

    Args:
        x: The array.
        axes: Axes counted from the front, in ascending order.
        keepdims: Whether to keep them, with size 1.

    >>> means(jnp.arange(8.0).reshape(2, 2, 2), (0, 1)).tolist()
    [3.0, 4.0]
    """
    axes = tuple(axes)
    exact = x.dtype in (jnp.float32, jnp.float64)  # shorter numbers would be rounded in between
    if not takes_cpu_forms() or sums_by_library() or not exact or x.size == 0:
        return jnp.mean(x, axes, keepdims=keepdims)
    if axes == (0,) and x.ndim == 2 and x.shape[0] >= MANY and x.shape[0] % PARTS == 0:
        sums = _sums(x.reshape(PARTS, -1, x.shape[1]), 0, 2)
    elif len(axes) > 1 and axes[-1] < x.ndim - 1 and axes == tuple(range(axes[0], axes[-1] + 1)):
        sums = _sums(x, axes[0], len(axes))
    else:
        return jnp.mean(x, axes, keepdims=keepdims)
    found = sums / math.prod(x.shape[axis] for axis in axes)
    return jnp.expand_dims(found, axes) if keepdims else found


def _sums(x: Array, first: int, count: int) -> Array:
    """Return the sums over `count` axes from `first` on."""
    kept, rest = x.shape[:first], x.shape[first + count :]
    partial = lax.optimization_barrier(jnp.sum(x, first))
    table = partial.reshape(math.prod(kept), -1, math.prod(rest))  # (kept, summed, rest)
    ones = jnp.ones((len(table), 1, table.shape[1]), x.dtype)
    return jnp.matmul(ones, table).reshape(kept + rest)


def spread(vector: Array, shape: Sequence[int]) -> Array:
    """Return `vector` broadcast to `shape`, along its last axis. The sum in its gradient has two steps.

    >>> spread(jnp.array([1.0, 2.0]), (2, 1, 2)).tolist()
    [[[1.0, 2.0]], [[1.0, 2.0]]]
    """
    if takes_cpu_forms() and not sums_by_library() and len(shape) > 2:
        return _spread(tuple(shape), vector)
    return jnp.broadcast_to(vector, shape)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _spread(shape: tuple[int, ...], vector: Array) -> Array:
    return jnp.broadcast_to(vector, shape)


@_spread.defjvp
def _spread_derivative(shape: tuple[int, ...], primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    """Broadcast by a product with ones, then along the first axis: the transposes are the sums of `_sums`, reversed."""
    (tangent,) = tangents
    one = jnp.matmul(jnp.ones((math.prod(shape[1:-1]), 1), tangent.dtype), tangent[None])
    return _spread(shape, *primals), jnp.broadcast_to(lax.optimization_barrier(one.reshape(shape[1:])), shape)


def channel_moments(x: Array) -> tuple[Array, Array]:
    """Return mean and variance over all axes but the last.

    >>> channel_moments(jnp.array([[1.0, 2.0], [3.0, 2.0]]))
    (Array([2., 2.], dtype=float32), Array([1., 0.], dtype=float32))
    """
    if takes_cpu_forms() and channel_sums.suits(x):
        return _native_moments(x)
    mean = means(x, range(x.ndim - 1))
    return mean, means(jnp.square(x - spread(mean, x.shape)), range(x.ndim - 1))


@jax.custom_jvp
def _native_moments(x: Array) -> tuple[Array, Array]:
    return channel_sums.moments(x)


@_native_moments.defjvp
def _native_moments_derivative(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Any, Any]:
    """In the gradients, sums become vectors that are spread: they read `x` once and sum nothing."""
    (x,), (by_x,) = primals, tangents
    mean, variance = _native_moments(x)
    count = x.size // x.shape[-1]
    by_mean, by_variance = _sums_with(x - mean, by_x)
    return (mean, variance), (by_mean / count, by_variance * (2 / count))


def _sums_with(b: Array, a: Array) -> list[Array]:
    """Return the sums of `a` and of ``a * b``, linear in `a`."""
    return linear_map(_products_of, _spread_products, (b,), a)


def _products_of(b: Array, a: Array) -> tuple[Array, Array]:
    return _sums_and_products(a, b)


def _spread_products(b: Array, by_sums: Array, by_products: Array) -> tuple[Array]:
    return (scaled(b, by_products, by_sums),)


def scaled(x: Array, factor: Array, shift: Array) -> Array:
    """Return ``x * factor + shift`` for vectors along the last axis, with gradients that are fast on CPU.

    >>> scaled(jnp.ones((1, 2)), jnp.array([1.0, 2.0]), jnp.array([0.0, 1.0])).tolist()
    [[1.0, 3.0]]
    """
    if takes_cpu_forms() and channel_sums.suits(x) and factor.dtype == shift.dtype == x.dtype:
        return _scaled(x, factor, shift)
    return x * spread(factor, x.shape) + spread(shift, x.shape)


@jax.custom_jvp
def _scaled(x: Array, factor: Array, shift: Array) -> Array:
    return x * factor + shift


@functools.partial(_scaled.defjvp, symbolic_zeros=True)
def _scaled_derivative(primals: tuple[Array, Array, Array], tangents: tuple[Any, Any, Any]) -> tuple[Array, Array]:
    x, factor, shift = primals
    found = None if isinstance(tangents[0], SymbolicZero) else tangents[0] * factor
    if found is None or not all(isinstance(each, SymbolicZero) for each in tangents[1:]):
        by_vectors = [jnp.zeros_like(factor) if isinstance(each, SymbolicZero) else each for each in tangents[1:]]
        (spread,) = linear_map(_scaled_in_list, _sums_of_scaled, (x,), *by_vectors)
        found = spread if found is None else found + spread
    return _scaled(x, factor, shift), found


def _scaled_in_list(x: Array, factor: Array, shift: Array) -> tuple[Array]:
    return (_scaled(x, factor, shift),)


def _sums_of_scaled(x: Array, upstream: Array) -> tuple[Array, Array]:
    by_shift, by_factor = _sums_and_products(upstream, x)
    return by_factor, by_shift


@jax.custom_jvp
def native_sums(x: Array) -> Array:
    """Return the sums over all axes but the last of an array that `channel_sums.suits`."""
    return channel_sums.sums(x)


@native_sums.defjvp
def _native_sums_derivative(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (by_x,) = primals, tangents
    return native_sums(x), jnp.sum(by_x, range(x.ndim - 1))  # its transpose sums nothing


@jax.custom_jvp
def _sums_and_products(a: Array, b: Array) -> tuple[Array, Array]:
    return channel_sums.sums_and_products(a, b)


@_sums_and_products.defjvp
def _sums_and_products_derivative(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Any, Any]:
    (a, b), (by_a, by_b) = primals, tangents
    sums, products = _sums_with(b, by_a)
    return _sums_and_products(a, b), (sums, products + _sums_with(a, by_b)[1])
