"""Convolution and its gradient with respect to the kernel, as calls of the native library.

Both are linear in each of their arrays, and `convolution_cpu` knows their derivatives.
"""

from __future__ import annotations

import math

import numpy as np
from jax import Array

from cornu.kernels import winograd
from cornu.kernels.geometry import Geometry, output_space
from cornu.kernels.native import calls

LEAST_PRODUCTS = 1 << 21
"""Multiplications below which the call is not worth a compiler's start: about a tenth of a millisecond."""

LEAST_ENTRIES = 28
"""In windows with fewer entries (over all channels), the convolution is as fast as the plain sum."""

LEAST_FILTERS = 8
"""With fewer filters most of a vector is empty."""

MOST_CHANNELS = 256
"""From here on, in channels and filters, XLA's convolutions in Winograd's form are faster than a direct one."""

MOST_SUMS = 1 << 20
"""Numbers in a kernel whose gradient fits in the second cache."""

LEAST_CHANNELS: dict[tuple[int, ...], int] = {(3, 3): 16, (5, 5): 32}
"""By windows of Winograd's form: with fewer channels, its transforms take longer than the products that they save."""

TILE = 6
"""Inputs of a tile of Winograd's form along an axis; with a window of 3 it has 4 outputs, with one of 5 it has 2."""

LEAST_TILES, MOST_WEIGHTS = 56, 1 << 16
"""Tiles, and channels times filters, between which transforming the kernel is worth it."""

COVERED, COVERED_BY_GRADIENT = 2.0, 1.6
"""How many times the outputs the tiles of Winograd's form may cover."""


def suits_convolution(x: Array, kernel: Array, geometry: Geometry) -> bool:
    """Return whether `convolved` is faster than XLA's forms, and available."""
    is_product = math.prod(kernel.shape[:-2]) == max(geometry.strides) == 1
    space = output_space(x.shape[1:-1], kernel.shape[:-2], geometry)
    entries = math.prod(kernel.shape[:-1])
    if entries < LEAST_ENTRIES or is_product or not _suits(x, kernel, math.prod(space) * entries):
        return False
    is_wide = min(kernel.shape[-2:]) >= MOST_CHANNELS and winograd.suits_convolution(x, kernel, geometry)
    return not is_wide or _saves_products(kernel.shape, (x.shape[0], *space), geometry, COVERED)


def suits_gradient(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> bool:
    """Return whether `gradient_by_kernel` is faster than XLA's forms, and available."""
    if max(geometry.input_dilation) > 1 or math.prod(window) * x.shape[-1] * upstream.shape[-1] > MOST_SUMS:
        return False
    return _suits(x, upstream, math.prod(upstream.shape[1:-1]) * math.prod(window) * x.shape[-1])


def convolved(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Convolve `x` ``(images, *space, channels)`` with `kernel`, in one or two dimensions."""
    space = output_space(x.shape[1:-1], kernel.shape[:-2], geometry)
    shape = (x.shape[0], *space, kernel.shape[-1])
    name = "convolution_winograd" if _saves_products(kernel.shape, shape[:-1], geometry, COVERED) else "convolution"
    sizes = _sizes(x, space, kernel.shape[-1], kernel.shape[:-2], geometry)
    return calls.called(name, shape, x, kernel, shape=sizes)


def gradient_by_kernel(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> Array:
    """Return the gradient with respect to the kernel, ``(*window, channels, filters)``."""
    shape = (*window, x.shape[-1], upstream.shape[-1])
    sizes = _sizes(x, upstream.shape[1:-1], upstream.shape[-1], window, geometry)
    in_tiles = _saves_products(shape, upstream.shape[:-1], geometry, COVERED_BY_GRADIENT)
    name = "convolution_winograd_kernel_gradient" if in_tiles else "convolution_kernel_gradient"
    return calls.called(name, shape, x, upstream, shape=sizes)


def _saves_products(kernel: tuple[int, ...], outputs: tuple[int, ...], geometry: Geometry, covered: float) -> bool:
    """Return whether Winograd's form, with a third of the products or less and transforms around them, is faster.

    `kernel` is the kernel's shape, `outputs` ``(images, *space)``.
    """
    window, channels, filters = kernel[:-2], *kernel[-2:]
    least = LEAST_CHANNELS.get(window)
    if least is None or {*geometry.strides, *geometry.input_dilation} != {1}:
        return False
    step, dilation = TILE + 1 - window[0], geometry.kernel_dilation
    along = (by * math.ceil(math.ceil(size / by) / step) for size, by in zip(outputs[1:], dilation, strict=True))
    tiles = outputs[0] * math.prod(along)
    fits = channels >= least and channels * filters <= MOST_WEIGHTS and tiles >= LEAST_TILES
    return fits and step**2 * tiles <= covered * math.prod(outputs)


def _suits(x: Array, other: Array, products: int) -> bool:
    """Return whether the library takes such arrays, with `products` for each filter and image."""
    enough = x.shape[0] * products * other.shape[-1] >= LEAST_PRODUCTS and other.shape[-1] >= LEAST_FILTERS
    return enough and x.ndim in (3, 4) and calls.takes(x, other)


def _sizes(x: Array, space: tuple[int, ...], filters: int, window: tuple[int, ...], geometry: Geometry) -> np.ndarray:
    """Return the numbers of the source's `Shape`; one dimension is the second of two."""
    before = tuple(low for low, _ in geometry.padding)
    pairs = (
        (window, 1),
        (geometry.strides, 1),
        (before, 0),
        (geometry.input_dilation, 1),
        (geometry.kernel_dilation, 1),
    )
    rest = [number for numbers, missing in pairs for number in _two(numbers, missing)]
    sizes = (x.shape[0], *_two(x.shape[1:-1], 1), x.shape[-1], *_two(space, 1), filters, *rest)
    return np.array(sizes, np.int64)


def _two(numbers: tuple[int, ...], missing: int) -> tuple[int, ...]:
    return (missing,) * (2 - len(numbers)) + tuple(numbers)
