"""Convolutions on CPU, with gradients that stay fast there.

XLA's own convolution runs on all cores, near the rate of a matrix product; what beats it are Winograd's form (many
channels) and a plain sum (few entries per window), also in the gradient by the input, which is such a convolution too.
XLA's gradient by the kernel is a convolution with images for channels, 50 to 200 times slower inside a compiled loop.
Here it is a sum of matrix products over small groups of images whose patches stay in cache.
docs/design/010-convolution-on-cpu.md has the measurements.
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
from cornu.kernels.compiler import written_down
from cornu.kernels.geometry import Geometry, native

CACHE_BYTES = 3 << 19
"""What the patches of one group of images may take: half to four times this measured the same, more was slower."""

FEW_CHANNELS = 4
"""Patches of fewer channels than this lie entry by entry: copies of whole image rows, not of single pixels."""

FEW_ENTRIES = 27
"""Windows with at most this many entries (over all channels), and more than one place, are summed entry by entry."""


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolve(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Convolve the channels-last `x` with `kernel`; gradients of any order in reverse mode are fast on CPU."""
    return _product(x, kernel, geometry)


def _forward(x: Array, kernel: Array, geometry: Geometry) -> tuple[Array, tuple[Array, Array]]:
    return convolve(x, kernel, geometry), (x, kernel)


@partial(jax.jit, static_argnums=2, inline=True)
def _product(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """By one of three forms: Winograd's where it is faster; for windows with few entries a sum; else XLA's own."""
    if max(geometry.input_dilation) > 1 or x.dtype.itemsize < 4:
        return native(x, kernel, geometry)
    if winograd.suits_convolution(x, kernel, geometry):
        return winograd.convolved(x, kernel, geometry)
    if math.prod(kernel.shape[:-1]) > FEW_ENTRIES or math.prod(kernel.shape[:-2]) == 1:
        return native(x, kernel, geometry)
    return _sum_over_window(x, kernel, geometry)


def _sum_over_window(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """A sum of (entry of the window) x (its weights for all filters), in one loop over the outputs."""
    *window, channels, _ = kernel.shape
    x = lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), *((low, high, 0) for low, high in geometry.padding), (0, 0, 0)))
    reach = [(size - 1) * step for size, step in zip(window, geometry.kernel_dilation, strict=True)]
    counts = zip(x.shape[1:-1], reach, geometry.strides, strict=True)
    space = tuple((size - extent - 1) // step + 1 for size, extent, step in counts)
    total = None
    for tap in itertools.product(*map(range, window)):
        start = tuple(at * step for at, step in zip(tap, geometry.kernel_dilation, strict=True))
        cut = _window_at(x, start, space, geometry.strides)
        for channel in range(channels):
            term = cut[..., channel : channel + 1] * kernel[(*tap, channel)]
            total = term if total is None else total + term
    return written_down(total)[0]


def _backward(geometry: Geometry, kept: tuple[Array, Array], upstream: Array) -> tuple[Array, Array]:
    x, kernel = kept
    by_kernel = _gradient_by_kernel(x, upstream, kernel.shape[:-2], geometry).astype(kernel.dtype)
    return _gradient_by_input(upstream, kernel, x.shape[1:-1], geometry), by_kernel


convolve.defvjp(_forward, _backward)


def _gradient_by_input(upstream: Array, kernel: Array, space: tuple[int, ...], geometry: Geometry) -> Array:
    """A convolution of the upstream gradient with the turned kernel."""
    window = kernel.shape[:-2]
    return convolve(upstream, _turned(kernel), _mirrored(geometry, window, space, upstream.shape[1:-1]))


def _turned(kernel: Array) -> Array:
    """The kernel backwards in space, with channels and filters exchanged."""
    return jnp.swapaxes(jnp.flip(kernel, range(kernel.ndim - 2)), -1, -2)


def _mirrored(geometry: Geometry, window: tuple[int, ...], space: tuple[int, ...], result: tuple[int, ...]) -> Geometry:
    """The geometry that leads back from `result` to `space`: strides and dilation of the input change places."""
    padding = []
    for axis, (before, _) in enumerate(geometry.padding):
        reach = (window[axis] - 1) * geometry.kernel_dilation[axis]
        wanted = (space[axis] - 1) * geometry.input_dilation[axis]
        given = (result[axis] - 1) * geometry.strides[axis]
        padding.append((reach - before, wanted - given + before))
    return Geometry(geometry.input_dilation, tuple(padding), geometry.strides, geometry.kernel_dilation)


@partial(jax.jit, static_argnums=(2, 3), inline=True)
def _gradient_by_kernel(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> Array:
    """The sum over all positions of (patch of x) x (upstream gradient there): `(*window, channels, filters)`."""
    if max(geometry.input_dilation) > 1 and max(geometry.strides) == 1:  # patches of the larger side, without its zeros
        back = _mirrored(geometry, window, x.shape[1:-1], upstream.shape[1:-1])
        return _turned(_gradient_by_kernel(upstream, x, window, back))
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
    """Patches of `x` times `upstream` for one group of images whose padding is done."""
    steps = zip(window, geometry.kernel_dilation, strict=True)
    taps = itertools.product(*(range(0, size * step, step) for size, step in steps))
    cuts = [_window_at(x, tap, upstream.shape[1:-1], geometry.strides) for tap in taps]
    flat = upstream.reshape(-1, upstream.shape[-1])
    if x.shape[-1] < FEW_CHANNELS:
        patches = jnp.moveaxis(jnp.stack(cuts), -1, 1).reshape(len(cuts) * x.shape[-1], -1)
    else:
        patches = jnp.concatenate(cuts, axis=-1).reshape(-1, len(cuts) * x.shape[-1]).T
    product = jnp.matmul(patches, flat, preferred_element_type=_accumulator(x))
    return product.reshape(*window, x.shape[-1], upstream.shape[-1])


def _window_at(x: Array, start: tuple[int, ...], space: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    cuts = (slice(at, at + (n - 1) * step + 1, step) for at, n, step in zip(start, space, strides, strict=True))
    return x[(slice(None), *cuts)]


def _accumulator(x: Array) -> jnp.dtype:
    return jnp.promote_types(x.dtype, jnp.float32)
