"""Convolutions on CPU, with gradients that are fast there.

XLA's own convolution runs on all cores, at nearly the speed of a matrix product. Two forms beat it: Winograd's (many
channels) and a plain sum (few entries per window), also for the gradient with respect to the input, which is such a
convolution too. XLA's gradient with respect to the kernel is a convolution with images as channels, 50 to 200 times
slower inside a compiled loop. Here it is a sum of matrix products over small groups of images whose patches fit in
cache. docs/design/010-convolution-on-cpu.md has the measurements.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax

from cornu.kernels import winograd
from cornu.kernels.compiler import materialized
from cornu.kernels.geometry import Geometry, mirrored, native, output_space

CACHE_BYTES = 3 << 19
"""Bytes for the patches of one group of images: half to four times as much measured the same, more was slower."""

FEW_CHANNELS = 4
"""Patches with fewer channels than this are stored entry by entry, which copies whole rows, not single pixels."""

FEW_ENTRIES = 27
"""Windows of more than one place with at most this many entries (over all channels) are summed entry by entry."""


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolve(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Convolve the channels-last `x` with `kernel`; reverse-mode gradients of any order are fast on CPU."""
    return _product(x, kernel, geometry)


def _forward(x: Array, kernel: Array, geometry: Geometry) -> tuple[Array, tuple[Array, Array]]:
    return convolve(x, kernel, geometry), (x, kernel)


@partial(jax.jit, static_argnums=2, inline=True)
def _product(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Convolve in the fastest of three forms: Winograd's, a sum for windows with few entries, or XLA's own."""
    if max(geometry.input_dilation) > 1 or x.dtype.itemsize < 4:
        return native(x, kernel, geometry)
    if winograd.suits_convolution(x, kernel, geometry):
        return winograd.convolved(x, kernel, geometry)
    if math.prod(kernel.shape[:-1]) > FEW_ENTRIES or math.prod(kernel.shape[:-2]) == 1:
        return native(x, kernel, geometry)
    return _sum_over_window(x, kernel, geometry)


def _sum_over_window(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Sum (window entry) x (its weights for all filters), in one loop over the outputs."""
    *window, channels, _ = kernel.shape
    space = output_space(x.shape[1:-1], window, geometry)
    x = lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), *((low, high, 0) for low, high in geometry.padding), (0, 0, 0)))
    total = None
    for tap in itertools.product(*map(range, window)):
        start = tuple(at * step for at, step in zip(tap, geometry.kernel_dilation, strict=True))
        cut = _window_at(x, start, space, geometry.strides)
        for channel in range(channels):
            term = cut[..., channel : channel + 1] * kernel[(*tap, channel)]
            total = term if total is None else total + term
    return materialized(total)[0]


def _backward(geometry: Geometry, kept: tuple[Array, Array], upstream: Array) -> tuple[Array, Array]:
    x, kernel = kept
    by_kernel = _gradient_by_kernel(x, upstream, kernel.shape[:-2], geometry).astype(kernel.dtype)
    return _gradient_by_input(upstream, kernel, x.shape[1:-1], geometry), by_kernel


convolve.defvjp(_forward, _backward)


def _gradient_by_input(upstream: Array, kernel: Array, space: tuple[int, ...], geometry: Geometry) -> Array:
    """Return the gradient with respect to the input: upstream convolved with the transposed kernel."""
    window = kernel.shape[:-2]
    return convolve(upstream, _flipped(kernel), mirrored(geometry, window, space, upstream.shape[1:-1]))


def _flipped(kernel: Array) -> Array:
    """Return the kernel flipped in space, with channels and filters swapped."""
    return jnp.swapaxes(jnp.flip(kernel, range(kernel.ndim - 2)), -1, -2)


@partial(jax.jit, static_argnums=(2, 3), inline=True)
def _gradient_by_kernel(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> Array:
    """Return the gradient with respect to the kernel: the sum of (patch of x) x upstream over all positions.

    Its shape is ``(*window, channels, filters)``.
    """
    if (
        max(geometry.input_dilation) > 1 and max(geometry.strides) == 1
    ):  # take patches of the larger side, without its zeros
        back = mirrored(geometry, window, x.shape[1:-1], upstream.shape[1:-1])
        return _flipped(_gradient_by_kernel(upstream, x, window, back))
    around = zip(geometry.padding, geometry.input_dilation, strict=True)
    edges = ((0, 0, 0), *((low, high, step - 1) for (low, high), step in around), (0, 0, 0))
    product: Callable[[Array, Array], Array] = partial(_patch_product, window=window, geometry=geometry)
    width: float = math.prod(window)
    if winograd.suits_gradient(x, window, geometry):
        product, width = winograd.gradient_by_kernel, 1.5 * window[1]
    per_image = upstream[0, ..., 0].size * width * x.shape[-1] * x.dtype.itemsize
    count, rows = winograd.groups(x.shape[0], max(1, int(CACHE_BYTES / per_image)))
    x, upstream = (winograd.with_rows(each, count * rows) for each in (x, upstream))

    def add(number: Array, total: Array) -> Array:
        inputs, above = (lax.dynamic_slice_in_dim(each, number * rows, rows) for each in (x, upstream))
        return total + product(lax.pad(inputs, jnp.zeros((), x.dtype), edges), above)

    return lax.fori_loop(0, count, add, jnp.zeros((*window, x.shape[-1], upstream.shape[-1]), _accumulator(x)))


def _patch_product(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> Array:
    """Return patches of `x` times `upstream`, for one group of images that is padded already."""
    steps = zip(window, geometry.kernel_dilation, strict=True)
    taps = itertools.product(*(range(0, size * step, step) for size, step in steps))
    cuts = [_window_at(x, tap, upstream.shape[1:-1], geometry.strides) for tap in taps]
    flat = upstream.reshape(-1, upstream.shape[-1])  # (positions, filters)
    if x.shape[-1] < FEW_CHANNELS:
        # (taps, images, *space, channels) -> (taps * channels, positions)
        patches = jnp.moveaxis(jnp.stack(cuts), -1, 1).reshape(len(cuts) * x.shape[-1], -1)
    else:
        # (images, *space, taps * channels) -> (taps * channels, positions)
        patches = jnp.concatenate(cuts, axis=-1).reshape(-1, len(cuts) * x.shape[-1]).T
    product = jnp.matmul(patches, flat, preferred_element_type=_accumulator(x))
    return product.reshape(*window, x.shape[-1], upstream.shape[-1])


def _window_at(x: Array, start: tuple[int, ...], space: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    cuts = (slice(at, at + (n - 1) * step + 1, step) for at, n, step in zip(start, space, strides, strict=True))
    return x[(slice(None), *cuts)]


def _accumulator(x: Array) -> jnp.dtype:
    return jnp.promote_types(x.dtype, jnp.float32)
