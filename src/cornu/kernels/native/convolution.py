"""Convolution and its gradient with respect to the kernel, as calls of the native library.

Both are linear in each of their arrays, and `convolution_cpu` knows their derivatives.
"""

from __future__ import annotations

import ctypes
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cornu.kernels import winograd
from cornu.kernels.compiler import takes_native_calls
from cornu.kernels.geometry import Geometry, output_space
from cornu.kernels.native import library

LEAST_PRODUCTS = 1 << 21
"""Multiplications below which the call is not worth a compiler's start: about a tenth of a millisecond."""

LEAST_ENTRIES = 28
"""In windows with fewer entries (over all channels), the convolution is as fast as the plain sum."""

LEAST_FILTERS = 8
"""With fewer filters most of a vector is empty."""

MOST_CHANNELS = 256
"""From here on, in channels and filters, Winograd's form is faster."""

MOST_SUMS = 1 << 20
"""Numbers in a kernel whose gradient fits in the second cache."""


FUNCTIONS = ("convolution", "convolution_kernel_gradient")


def _register(loaded: ctypes.CDLL, name: str) -> None:
    for function in FUNCTIONS:
        capsule = jax.ffi.pycapsule(getattr(loaded, function))
        jax.ffi.register_ffi_target(_target(function, name), capsule, platform="cpu")


LIBRARY = library.Library("convolution", "the first large convolution", _register)


def target(function: str) -> str:
    """Return the name by which programs call one of `FUNCTIONS`.

    It contains the library's hash, so a compiled program in JAX's cache never meets another library: a process without
    this one traces another program.
    """
    return _target(function, library.hash_of(LIBRARY))


def _target(function: str, name: str) -> str:
    return f"cornu_{function}_{name}"


def suits_convolution(x: Array, kernel: Array, geometry: Geometry) -> bool:
    """Return whether `convolved` is faster than XLA's forms, and available."""
    is_product = math.prod(kernel.shape[:-2]) == max(geometry.strides) == 1
    is_wide = min(kernel.shape[-2:]) >= MOST_CHANNELS and winograd.suits_convolution(x, kernel, geometry)
    space = output_space(x.shape[1:-1], kernel.shape[:-2], geometry)
    entries = math.prod(kernel.shape[:-1])
    return entries >= LEAST_ENTRIES and not is_product and not is_wide and _suits(x, kernel, math.prod(space) * entries)


def suits_gradient(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> bool:
    """Return whether `gradient_by_kernel` is faster than XLA's forms, and available."""
    if max(geometry.input_dilation) > 1 or math.prod(window) * x.shape[-1] * upstream.shape[-1] > MOST_SUMS:
        return False
    return _suits(x, upstream, math.prod(upstream.shape[1:-1]) * math.prod(window) * x.shape[-1])


def convolved(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Convolve `x` ``(images, *space, channels)`` with `kernel`, in one or two dimensions."""
    space = output_space(x.shape[1:-1], kernel.shape[:-2], geometry)
    shape = (x.shape[0], *space, kernel.shape[-1])
    return _called("convolution", x, kernel, shape, _sizes(x, space, kernel.shape[-1], kernel.shape[:-2], geometry))


def gradient_by_kernel(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> Array:
    """Return the gradient with respect to the kernel, ``(*window, channels, filters)``."""
    shape = (*window, x.shape[-1], upstream.shape[-1])
    sizes = _sizes(x, upstream.shape[1:-1], upstream.shape[-1], window, geometry)
    return _called("convolution_kernel_gradient", x, upstream, shape, sizes)


def _suits(x: Array, other: Array, products: int) -> bool:
    """Return whether the library takes such arrays, with `products` for each filter and image."""
    enough = x.shape[0] * products * other.shape[-1] >= LEAST_PRODUCTS and other.shape[-1] >= LEAST_FILTERS
    exact = x.dtype == other.dtype == jnp.float32 and x.ndim in (3, 4)
    return enough and exact and takes_native_calls() and library.available(LIBRARY)


def _called(name: str, left: Array, right: Array, shape: tuple[int, ...], sizes: np.ndarray) -> Array:
    result = jax.ShapeDtypeStruct(shape, jnp.float32)
    return jax.ffi.ffi_call(target(name), result, vmap_method="sequential")(left, right, shape=sizes)


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
