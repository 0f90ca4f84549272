"""Convolutions on CPU, with gradients that are fast there.

XLA's own convolution runs on all cores, at nearly the speed of a matrix product. Two forms beat it: Winograd's (many
channels) and a plain sum (few entries per window), also for the gradient with respect to the input, which is such a
convolution too. The gradient with respect to the kernel is a convolution with images as channels: fast after its
operands are transposed. docs/design/010-convolution-on-cpu.md has the measurements.
"""

from __future__ import annotations

import itertools
import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax

from cornu.kernels import winograd
from cornu.kernels.compiler import materialized
from cornu.kernels.geometry import Geometry, mirrored, native, output_space

CACHE_BYTES = 3 << 19
"""Bytes for the patches of one group of images: half to four times as much measured the same, more was slower."""

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
        return _xla_s_own(x, kernel, geometry)
    if winograd.suits_convolution(x, kernel, geometry):
        return winograd.convolved(x, kernel, geometry)
    if math.prod(kernel.shape[:-1]) > FEW_ENTRIES or math.prod(kernel.shape[:-2]) == 1:
        return _xla_s_own(x, kernel, geometry)
    return _sum_over_window(x, kernel, geometry)


def _xla_s_own(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Pad first if the window is larger than `x`: XLA would let them swap places, and that is a naive loop."""
    if math.prod(kernel.shape[:-2]) <= math.prod(x.shape[1:-1]):
        return native(x, kernel, geometry)
    around = zip(geometry.padding, geometry.input_dilation, strict=True)
    zeros = ((0, 0, 0), *((low, high, step - 1) for (low, high), step in around), (0, 0, 0))
    (x,) = materialized(lax.pad(x, jnp.zeros((), x.dtype), zeros))
    rank = len(geometry.strides)
    return native(x, kernel, geometry._replace(padding=((0, 0),) * rank, input_dilation=(1,) * rank))


def _sum_over_window(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Sum (window entry) x (its weights for all filters), in one loop over the outputs."""
    *window, channels, _ = kernel.shape
    space = output_space(x.shape[1:-1], window, geometry)
    x = _padded(x, geometry)
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


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _gradient_by_kernel(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> Array:
    """Return the gradient with respect to the kernel: the sum of (patch of x) x upstream over all positions.

    Its shape is ``(*window, channels, filters)``, its dtype at least float32.
    """
    return _kernel_sums(x, upstream, window, geometry)


def _gradient_by_kernel_backward(
    window: tuple[int, ...], geometry: Geometry, kept: tuple[Array, Array], upstream: Array
) -> tuple[Array, Array]:
    """Return the gradients of the gradient, which is linear in `x` and in its upstream: the other two passes."""
    x, above = kept
    kernel = upstream.astype(x.dtype)
    return _gradient_by_input(above, kernel, x.shape[1:-1], geometry), convolve(x, kernel, geometry)


_gradient_by_kernel.defvjp(
    lambda x, upstream, window, geometry: (_gradient_by_kernel(x, upstream, window, geometry), (x, upstream)),
    _gradient_by_kernel_backward,
)


@partial(jax.jit, static_argnums=(2, 3), inline=True)
def _kernel_sums(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> Array:
    """Return the gradient with respect to the kernel in the fastest of three forms."""
    if max(geometry.input_dilation) > 1:
        if max(geometry.strides) == 1:  # slide over the larger side, without the zeros in the other
            back = mirrored(geometry, window, x.shape[1:-1], upstream.shape[1:-1])
            return _flipped(_kernel_sums(upstream, x, window, back))
        zeros = ((0, 0, step - 1) for step in geometry.input_dilation)
        x = lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), *zeros, (0, 0, 0)))
    x, geometry = _trimmed(x, upstream.shape[1:-1], window, geometry)
    if math.prod(window) == 1:
        return _patch_product(_padded(x, geometry), upstream, window, geometry)
    if x.dtype.itemsize > 4:  # XLA's own convolution is a naive loop in float64
        return _sum_of_patch_products(x, upstream, window, geometry)
    return _with_images_as_channels(x, upstream, geometry)


def _with_images_as_channels(x: Array, upstream: Array, geometry: Geometry) -> Array:
    """Return one convolution of XLA's own: channels take the place of images, and upstream that of the kernel."""
    last = x.ndim - 1
    images = jnp.transpose(x, (last, *range(1, last), 0)).astype(_accumulator(x))  # (channels, *space, images)
    above = jnp.transpose(upstream, (*range(1, last), 0, last)).astype(images.dtype)  # (*space, images, filters)
    images, above = materialized(images, above)
    swapped = geometry._replace(strides=geometry.kernel_dilation, kernel_dilation=geometry.strides)
    return jnp.moveaxis(_xla_s_own(images, above, swapped), 0, -2)


def _sum_of_patch_products(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> Array:
    """Return the sum of products over groups of images whose patches fit in cache."""
    per_image = upstream[0, ..., 0].size * math.prod(window) * x.shape[-1] * x.dtype.itemsize
    count, rows = winograd.groups(x.shape[0], max(1, CACHE_BYTES // per_image))
    x, upstream = (winograd.with_rows(each, count * rows) for each in (x, upstream))

    def add(number: Array, total: Array) -> Array:
        inputs, above = (lax.dynamic_slice_in_dim(each, number * rows, rows) for each in (x, upstream))
        return total + _patch_product(_padded(inputs, geometry), above, window, geometry)

    return lax.fori_loop(0, count, add, jnp.zeros((*window, x.shape[-1], upstream.shape[-1]), _accumulator(x)))


def _patch_product(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> Array:
    """Return patches of `x` times `upstream`, both of all images; `x` is padded already."""
    steps = zip(window, geometry.kernel_dilation, strict=True)
    taps = itertools.product(*(range(0, size * step, step) for size, step in steps))
    cuts = [_window_at(x, tap, upstream.shape[1:-1], geometry.strides) for tap in taps]
    patches = jnp.concatenate(cuts, axis=-1).reshape(-1, len(cuts) * x.shape[-1])  # (positions, taps * channels)
    flat = upstream.reshape(-1, upstream.shape[-1])  # (positions, filters)
    product = lax.dot_general(patches, flat, (((0,), (0,)), ((), ())), preferred_element_type=_accumulator(x))
    return product.reshape(*window, x.shape[-1], upstream.shape[-1])


def _trimmed(
    x: Array, positions: tuple[int, ...], window: tuple[int, ...], geometry: Geometry
) -> tuple[Array, Geometry]:
    """Cut off what no window reaches, so that the padding is exact and nowhere negative; `x` has its zeros already."""
    cuts, padding = [], []
    for axis, (low, _) in enumerate(geometry.padding):
        reach = (positions[axis] - 1) * geometry.strides[axis] + (window[axis] - 1) * geometry.kernel_dilation[axis] + 1
        high = reach - low - x.shape[axis + 1]
        cuts.append((min(low, 0), min(high, 0), 0))
        padding.append((max(low, 0), max(high, 0)))
    x = lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), *cuts, (0, 0, 0)))
    return x, geometry._replace(padding=tuple(padding), input_dilation=(1,) * len(cuts))


def _padded(x: Array, geometry: Geometry) -> Array:
    around = ((low, high, 0) for low, high in geometry.padding)
    return lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), *around, (0, 0, 0)))


def _window_at(x: Array, start: tuple[int, ...], space: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    cuts = (slice(at, at + (n - 1) * step + 1, step) for at, n, step in zip(start, space, strides, strict=True))
    return x[(slice(None), *cuts)]


def _accumulator(x: Array) -> jnp.dtype:
    return jnp.promote_types(x.dtype, jnp.float32)
