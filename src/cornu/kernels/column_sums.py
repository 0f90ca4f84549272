"""Means over several axes but not the last, and vectors broadcast over all other axes, in forms that are fast on CPU.

XLA's CPU sum over several axes takes far longer than one over the first of them, then one over the rest.
Milliseconds inside a compiled loop on two cores of Zen 3, jaxlib 0.10.2, including the squares that are summed:

| shape | over | at once | first axis, then the rest |
|---|---|---|---|
| 128 x 28 x 28 x 32 | 0, 1, 2 | 6.9 | 4.1 |
| 128 x 12 x 12 x 64 | 0, 1, 2 | 2.1 | 1.0 |
| 128 x 196 x 64 | 0, 1 | 1.7 | 0.4 |
| 128 x 14 x 14 x 64 | 1, 2 | 1.3 | 0.3 |

The gradient of each broadcast contains such a sum too. A barrier keeps XLA from merging the two sums.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array, lax

from cornu.kernels.compiler import takes_cpu_forms


def means(x: Array, axes: Sequence[int], keepdims: bool = False) -> Array:
    """Return the means of `x` over `axes`.

    Args:
        x: The array.
        axes: Axes counted from the front, in ascending order.
        keepdims: Whether to keep them, with size 1.

    >>> means(jnp.arange(8.0).reshape(2, 2, 2), (0, 1)).tolist()
    [3.0, 4.0]
    """
    axes, last = tuple(axes), x.ndim - 1
    exact = x.dtype in (jnp.float32, jnp.float64)  # shorter numbers would be rounded in between
    if takes_cpu_forms() and exact and len(axes) > 1 and last not in axes:
        x = lax.optimization_barrier(jnp.mean(x, axes[0], keepdims=True))
    return jnp.mean(x, axes, keepdims=keepdims)


def spread(vector: Array, shape: Sequence[int]) -> Array:
    """Return `vector` broadcast to `shape`, along its last axis. The sum in its gradient has two steps.

    >>> spread(jnp.array([1.0, 2.0]), (2, 1, 2)).tolist()
    [[[1.0, 2.0]], [[1.0, 2.0]]]
    """
    if takes_cpu_forms() and len(shape) > 2:
        return _spread(tuple(shape), vector)
    return jnp.broadcast_to(vector, shape)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _spread(shape: tuple[int, ...], vector: Array) -> Array:
    return jnp.broadcast_to(vector, shape)


@_spread.defjvp
def _spread_derivative(shape: tuple[int, ...], primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    """Broadcast twice, since the transpose of each broadcast is a separate sum."""
    (tangent,) = tangents
    one = lax.optimization_barrier(jnp.broadcast_to(tangent, shape[1:]))
    return _spread(shape, *primals), jnp.broadcast_to(one, shape)
