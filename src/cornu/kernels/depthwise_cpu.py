"""Depthwise convolutions on CPU: sums of shifted products, each a loop that the compiler vectorizes over channels.

XLA's own convolution with one group per channel is a naive loop on CPU, a hundred times slower. Each pass here is
linear in two of input, kernel and upstream gradient, so the gradients of each pass are the other two, of any order.
docs/design/010-convolution-on-cpu.md has the measurements.
"""

from __future__ import annotations

import itertools
import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from cornu.core.jax_internals import SLICES_ARE_VECTORIZED
from cornu.kernels.compiler import materialized
from cornu.kernels.geometry import Geometry, mirrored, output_space
from cornu.kernels.winograd import groups, with_rows

UNROLLED = 49
"""Places of a window that are added in one loop; larger windows take several, which compile faster."""

UNROLLED_SUMS = 25
"""The same in the kernel's gradient, where each place takes a loop of its own."""

BLOCK_BYTES = 1 << 15
"""Bytes of the sums for one place of the window, in the kernel's gradient: twice as much measured the same."""

IMAGES = 4
"""Images whose products are added before they reach those sums: 2 to 8 measured the same, 1 was slower."""


def depthwise(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Convolve each channel of `x` with its own filters.

    Args:
        x: ``(batch, *space, channels)``.
        kernel: ``(*window, 1, channels * multiplier)``; the filters of a channel are adjacent.
        geometry: How the window moves.
    """
    multiplier = kernel.shape[-1] // x.shape[-1]
    if multiplier > 1:
        x = jnp.broadcast_to(x[..., None], (*x.shape, multiplier)).reshape(*x.shape[:-1], kernel.shape[-1])
    return convolve(x, kernel[..., 0, :], geometry)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolve(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Convolve each channel of `x` ``(batch, *space, channels)`` with its filter ``(*window, channels)``."""
    return _sum_over_window(x, kernel, geometry)


def _convolve_backward(geometry: Geometry, kept: tuple[Array, Array], upstream: Array) -> tuple[Array, Array]:
    x, kernel = kept
    by_input = _gradient_by_input(upstream, kernel, x.shape[1:-1], geometry)
    return by_input, _gradient_by_kernel(x, upstream, kernel.shape[:-1], geometry)


convolve.defvjp(lambda x, kernel, geometry: (convolve(x, kernel, geometry), (x, kernel)), _convolve_backward)


def _gradient_by_input(upstream: Array, kernel: Array, space: tuple[int, ...], geometry: Geometry) -> Array:
    """Return the gradient with respect to the input: upstream convolved with the flipped kernel."""
    window = kernel.shape[:-1]
    back = mirrored(geometry, window, space, upstream.shape[1:-1])
    return convolve(upstream, jnp.flip(kernel, range(len(window))), back)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _gradient_by_kernel(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> Array:
    """Return the gradient with respect to the kernel: (shifted x) x upstream, summed over images and space."""
    return _sum_over_space(x, upstream, window, geometry)


def _gradient_by_kernel_backward(
    window: tuple[int, ...], geometry: Geometry, kept: tuple[Array, Array], by_kernel: Array
) -> tuple[Array, Array]:
    x, upstream = kept
    return _gradient_by_input(upstream, by_kernel, x.shape[1:-1], geometry), convolve(x, by_kernel, geometry)


_gradient_by_kernel.defvjp(
    lambda x, upstream, window, geometry: (_gradient_by_kernel(x, upstream, window, geometry), (x, upstream)),
    _gradient_by_kernel_backward,
)


@partial(jax.jit, static_argnums=2, inline=True)
def _sum_over_window(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Sum (shifted x) x (its weights), in one loop over the outputs; x is padded once."""
    window = kernel.shape[:-1]
    space = output_space(x.shape[1:-1], window, geometry)
    (x,) = materialized(_padded(x, geometry))
    weights = kernel.reshape(-1, kernel.shape[-1]).astype(_accumulator(x))

    def add(starts: np.ndarray | Array, weights: Array, total: Array | None) -> Array:
        for number, start in enumerate(starts):
            term = _cut(x, start, space, geometry.strides).astype(weights.dtype) * weights[number]
            total = term if total is None else total + term
        assert total is not None
        return total

    starts = _starts(window, geometry)
    if len(starts) <= UNROLLED:
        return materialized(add(starts, weights, None).astype(x.dtype))[0]
    parts, weights = _in_parts(starts, UNROLLED // 2), _in_parts(weights, UNROLLED // 2)
    zeros = jnp.zeros((x.shape[0], *space, x.shape[-1]), weights.dtype)
    return lax.fori_loop(0, len(parts), lambda n, total: add(parts[n], weights[n], total), zeros).astype(x.dtype)


@partial(jax.jit, static_argnums=(2, 3), inline=True)
def _sum_over_space(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> Array:
    """Return the sums ``(*window, channels)`` of (shifted x) x upstream, over blocks of rows of a few images."""
    dtype = _accumulator(x)
    height, *rest = upstream.shape[1:]
    blocks, rows = groups(height, max(1, BLOCK_BYTES // (math.prod(rest) * dtype.itemsize)))
    count, images = groups(x.shape[0], IMAGES)
    x, upstream = (with_rows(each, count * images) for each in (x, upstream))
    missing = blocks * rows - height
    upstream = jnp.pad(upstream, ((0, 0), (0, missing)) + ((0, 0),) * len(rest))
    x = _padded(x, geometry, missing * geometry.strides[0])
    reach = (rows - 1) * geometry.strides[0] + (window[0] - 1) * geometry.kernel_dilation[0] + 1

    def sums(starts: np.ndarray | Array) -> Array:
        """Return ``(places, channels)``: the sums for some places of the window."""

        def add(number: Array, totals: list[Array]) -> list[Array]:
            image, row, others = number // blocks * images, number % blocks * rows, (0,) * len(rest)
            above = lax.dynamic_slice(upstream, (image, row, *others), (images, rows, *rest))
            below = lax.dynamic_slice(x, (image, row * geometry.strides[0], *others), (images, reach, *x.shape[2:]))
            if not SLICES_ARE_VECTORIZED:
                above, below = materialized(above, below)
            cuts = [_cut(below, start, above.shape[1:-1], geometry.strides) for start in starts]
            terms = [cut.astype(dtype) * above.astype(dtype) for cut in cuts]
            return [total + sum(term[i] for i in range(images)) for total, term in zip(totals, terms, strict=True)]

        zeros = [jnp.zeros((rows, *rest), dtype)] * len(starts)
        totals = jnp.stack(lax.fori_loop(0, count * blocks, add, zeros))
        return totals.reshape(len(starts), -1, rest[-1]).sum(1)

    starts = _starts(window, geometry)
    if len(starts) <= UNROLLED_SUMS:
        result = sums(starts)
    else:
        result = lax.map(sums, _in_parts(starts, UNROLLED_SUMS)).reshape(-1, rest[-1])[: len(starts)]
    return result.reshape(*window, rest[-1]).astype(x.dtype)


def _padded(x: Array, geometry: Geometry, more_rows: int = 0) -> Array:
    around = zip(geometry.padding, geometry.input_dilation, strict=True)
    (low, high, step), *others = [(low, high, step - 1) for (low, high), step in around]
    return lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), (low, high + more_rows, step), *others, (0, 0, 0)))


def _starts(window: tuple[int, ...], geometry: Geometry) -> np.ndarray:
    """Return where each place of the window starts, ``(places, dimensions)``."""
    steps = zip(window, geometry.kernel_dilation, strict=True)
    return np.array(list(itertools.product(*(range(0, size * step, step) for size, step in steps))), np.int32)


def _in_parts(places: np.ndarray | Array, most: int) -> Array:
    """Split the first axis into parts of at most this size; the last part ends with zeros."""
    parts, size = groups(len(places), most)
    return with_rows(jnp.asarray(places), parts * size).reshape(parts, size, -1)


def _cut(x: Array, start: np.ndarray | Array, space: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    """Return what one place of the window sees: ``(images, *space, channels)`` of the padded `x`."""
    reach = [(size - 1) * step + 1 for size, step in zip(space, strides, strict=True)]
    cut = lax.dynamic_slice(x, (0, *start, 0), (x.shape[0], *reach, x.shape[-1]))
    return cut[(slice(None), *(slice(None, None, step) for step in strides))]


def _accumulator(x: Array) -> jnp.dtype:
    return jnp.promote_types(x.dtype, jnp.float32)
