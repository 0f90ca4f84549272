"""Convolutions on CPU, with gradients that stay fast there.

XLA's own convolution by a kernel runs on all cores and needs no help, forward and for the gradient by the input (which
is such a convolution too). Its gradient by the kernel is the trouble: a convolution with images for channels, 50 to 200
times slower inside a compiled loop. Here that gradient is a sum of matrix products over small groups of images whose
patches stay in cache. docs/design/010-convolution-on-cpu.md has the measurements.
"""

from __future__ import annotations

import itertools
import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax

from cornu.ops.geometry import Geometry, native

CACHE_BYTES = 3 << 19
"""What the patches of one group of images may take: half to four times this measured the same, more was slower."""

WINOGRAD_CHANNELS = 8
"""With fewer input channels the transforms of Winograd's form cost more than the products that it saves."""

# Winograd's minimal filtering F(4, 3): four outputs of a filter with three taps from six products, not twelve
# (Lavin and Gray, arXiv:1509.09308). Rows: what is multiplied; columns: inputs, taps, outputs.
INPUTS = ((4, 0, -5, 0, 1, 0), (0, -4, -4, 1, 1, 0), (0, 4, -4, -1, 1, 0))
INPUTS += ((0, -2, -1, 2, 1, 0), (0, 2, -1, -2, 1, 0), (0, 4, 0, -5, 0, 1))
TAPS = ((1 / 4, 0, 0), (-1 / 6, -1 / 6, -1 / 6), (-1 / 6, 1 / 6, -1 / 6))
TAPS += ((1 / 24, 1 / 12, 1 / 6), (1 / 24, -1 / 12, 1 / 6), (0, 0, 1))
OUTPUTS = ((1, 0, 0, 0), (1, 1, 1, 1), (1, -1, 1, -1), (1, 2, 4, 8), (1, -2, 4, -8), (0, 0, 0, 1))


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolve(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Convolve the channels-last `x` with `kernel`; gradients of any order in reverse mode are fast on CPU."""
    return native(x, kernel, geometry)


def _forward(x: Array, kernel: Array, geometry: Geometry) -> tuple[Array, tuple[Array, Array]]:
    return native(x, kernel, geometry), (x, kernel)


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


def _gradient_by_kernel(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> Array:
    """The sum over all positions of (patch of x) x (upstream gradient there): `(*window, channels, filters)`."""
    if max(geometry.input_dilation) > 1 and max(geometry.strides) == 1:  # patches of the larger side, without its zeros
        back = _mirrored(geometry, window, x.shape[1:-1], upstream.shape[1:-1])
        return _turned(_gradient_by_kernel(upstream, x, window, back))
    edges = zip(geometry.padding, geometry.input_dilation, strict=True)
    edges = ((0, 0, 0), *((low, high, step - 1) for (low, high), step in edges), (0, 0, 0))
    x = lax.pad(x, jnp.zeros((), x.dtype), edges)
    if _suits_winograd(x, window, geometry):
        x, upstream = _in_whole_tiles(x, upstream)
        product, width = _winograd_product, 1.5 * window[1]
    else:
        product, width = partial(_patch_product, window=window, geometry=geometry), math.prod(window)
    per_image = upstream[0, ..., 0].size * width * x.shape[-1] * x.dtype.itemsize
    groups = _groups((x, upstream), max(1, int(CACHE_BYTES / per_image)))
    start = jnp.zeros((*window, x.shape[-1], upstream.shape[-1]), _accumulator(x))
    return lax.scan(lambda total, group: (total + product(*group), None), start, groups)[0]


def _suits_winograd(x: Array, window: tuple[int, ...], geometry: Geometry) -> bool:
    plain = set(geometry.strides) | set(geometry.kernel_dilation) == {1}
    precise = x.dtype.itemsize >= 4
    return plain and precise and len(window) == 2 and window[0] == 3 and x.shape[-1] >= WINOGRAD_CHANNELS


def _groups(arrays: tuple[Array, ...], rows: int) -> tuple[Array, ...]:
    """Cut the arrays into groups of at most `rows` rows: `(groups, rows, ...)`.

    A number that divides the rows is best. Where none is near (37 rows), rows of zeros fill the last group.
    """
    total = arrays[0].shape[0]
    least = max(1, -(-total // rows))
    count = next((n for n in range(least, 2 * least) if total % n == 0), least)
    rows = -(-total // count)
    missing = count * rows - total
    full = [jnp.pad(each, ((0, missing),) + ((0, 0),) * (each.ndim - 1)) if missing else each for each in arrays]
    return tuple(jnp.reshape(each, (count, rows, *each.shape[1:])) for each in full)


def _patch_product(x: Array, upstream: Array, window: tuple[int, ...], geometry: Geometry) -> Array:
    """Patches of `x` times `upstream` for one group of images whose padding is done."""
    steps = zip(window, geometry.kernel_dilation, strict=True)
    taps = itertools.product(*(range(0, size * step, step) for size, step in steps))
    space = upstream.shape[1:-1]
    patches = jnp.concatenate([_window_at(x, tap, space, geometry.strides) for tap in taps], axis=-1)
    return _columns_by_columns(patches, upstream).reshape(*window, x.shape[-1], upstream.shape[-1])


def _window_at(x: Array, start: tuple[int, ...], space: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    cuts = (slice(at, at + (n - 1) * step + 1, step) for at, n, step in zip(start, space, strides, strict=True))
    return x[(slice(None), *cuts)]


def _columns_by_columns(left: Array, right: Array) -> Array:
    """`left.T @ right` after all dimensions but the last became one."""
    left, right = (jnp.reshape(each, (-1, each.shape[-1])) for each in (left, right))
    return lax.dot_general(left, right, (((0,), (0,)), ((), ())), preferred_element_type=_accumulator(left))


def _accumulator(x: Array) -> jnp.dtype:
    return jnp.promote_types(x.dtype, jnp.float32)


def _in_whole_tiles(x: Array, upstream: Array) -> tuple[Array, Array]:
    """Rows of zeros, such that the upstream gradient has a multiple of four rows of pixels."""
    missing = -upstream.shape[1] % 4
    edges = ((0, 0), (0, missing), (0, 0), (0, 0))
    return (jnp.pad(x, edges), jnp.pad(upstream, edges)) if missing else (x, upstream)


def _winograd_product(x: Array, upstream: Array) -> Array:
    """The gradient of a 3 x k kernel in Winograd's form along the rows: half of the products of `_patch_product`."""
    height, width = upstream.shape[1:3]
    taps = x.shape[2] - width + 1
    rows = [x[:, at : at + height - 3 : 4] for at in range(6)]  # six of (images, tiles, columns, channels)
    spread = [_combined(weights, rows) for weights in INPUTS]
    patches = jnp.stack([jnp.concatenate([v[:, :, j : j + width] for j in range(taps)], -1) for v in spread])
    sums = jnp.stack([_combined(weights, [upstream[:, at::4] for at in range(4)]) for weights in OUTPUTS])
    patches, sums = (jnp.reshape(each, (6, -1, each.shape[-1])) for each in (patches, sums))
    products = lax.dot_general(patches, sums, (((1,), (1,)), ((0,), (0,))))  # (6, taps * channels, filters)
    by_row = [_combined(weights, products) for weights in zip(*TAPS, strict=True)]
    return jnp.stack(by_row).reshape(3, taps, x.shape[-1], upstream.shape[-1])


def _combined(weights: tuple[float, ...], arrays: list[Array] | Array) -> Array:
    return sum(weight * array for weight, array in zip(weights, arrays, strict=True) if weight)
