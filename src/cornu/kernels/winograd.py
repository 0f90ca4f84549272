"""Winograd's minimal filtering F(4, 3) along the rows of images, which halves the products of a 3 x k window.

Four outputs of a filter with three taps need six products, not twelve (Lavin and Gray, arXiv:1509.09308). It is used
along one dimension only, which keeps errors near those of float32; see docs/design/010-convolution-on-cpu.md.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax

from cornu.kernels.geometry import Geometry, native

CHANNELS = 32
"""With fewer channels or filters the transforms cost more than they save."""

WASTE = 1.2
"""How many times the wanted rows the whole tiles may have."""

GROUP_BYTES = 3 << 19
LEAST_ROWS = 16
"""Bytes for the transforms of a group of images, and the least number of images in a group."""

# The transforms. Rows: the six products; columns: inputs, taps, outputs.
FIRST_INPUTS = ((4, 0, -5, 0, 1, 0), (0, -4, -4, 1, 1, 0), (0, 4, -4, -1, 1, 0))
INPUTS = (*FIRST_INPUTS, (0, -2, -1, 2, 1, 0), (0, 2, -1, -2, 1, 0), (0, 4, 0, -5, 0, 1))
FIRST_TAPS = ((1 / 4, 0, 0), (-1 / 6, -1 / 6, -1 / 6), (-1 / 6, 1 / 6, -1 / 6))
TAPS = (*FIRST_TAPS, (1 / 24, 1 / 12, 1 / 6), (1 / 24, -1 / 12, 1 / 6), (0, 0, 1))
OUTPUTS = ((1, 0, 0, 0), (1, 1, 1, 1), (1, -1, 1, -1), (1, 2, 4, 8), (1, -2, 4, -8), (0, 0, 0, 1))


def suits_convolution(x: Array, kernel: Array, geometry: Geometry) -> bool:
    """Return whether `convolved` is faster than XLA's convolution: enough channels, and few extra rows."""
    if not _plain(x, kernel.shape[:-2], geometry) or min(kernel.shape[-2:]) < CHANNELS:
        return False
    height = x.shape[1] + sum(geometry.padding[0]) - 2
    return height > 0 and _tiles(height) * 4 <= WASTE * height


def convolved(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Convolve `x` ``(images, height, width, channels)`` with a 3 x k kernel, in groups that fit in cache."""
    (low, high), sides = geometry.padding
    height = x.shape[1] + low + high - 2
    tiles = _tiles(height)
    edges = ((0, 0, 0), (low, high + 4 * tiles - height, 0), (*sides, 0), (0, 0, 0))
    kernels = [_combined(weights, kernel)[None] for weights in TAPS]

    def group(x: Array) -> Array:
        x = lax.pad(x, jnp.zeros((), x.dtype), edges)
        spread = (_combined(weights, _rows(x, tiles)) for weights in INPUTS)
        along = Geometry((1, 1), ((0, 0),) * 2, (1, 1), (1, 1))
        products = [native(*pair, along) for pair in zip(spread, kernels, strict=True)]
        outputs = jnp.stack([_combined(weights, products) for weights in zip(*OUTPUTS, strict=True)], axis=2)
        return outputs.reshape(x.shape[0], 4 * tiles, *outputs.shape[3:])[:, :height]

    width = x.shape[2] + sum(sides)
    per_image = 6 * tiles * width * sum(kernel.shape[-2:]) * x.dtype.itemsize
    count, size = groups(x.shape[0], max(LEAST_ROWS, GROUP_BYTES // per_image))
    if count == 1:
        return group(x)
    full = with_rows(x, count * size)
    shape = (count * size, height, width - kernel.shape[1] + 1, kernel.shape[-1])

    def put(number: Array, total: Array) -> Array:
        outputs = group(lax.dynamic_slice_in_dim(full, number * size, size))
        return lax.dynamic_update_slice_in_dim(total, outputs, number * size, 0)

    return lax.fori_loop(0, count, put, jnp.zeros(shape, x.dtype))[: x.shape[0]]


def groups(total: int, rows: int) -> tuple[int, int]:
    """Return how many groups of how many rows (at most `rows`) to split into, preferably a divisor of `total`."""
    least = max(1, -(-total // rows))
    count = next((n for n in range(least, 2 * least) if total % n == 0), least)
    return count, -(-total // count)


def with_rows(x: Array, rows: int) -> Array:
    """Pad with rows of zeros, for a last group that is not full."""
    missing = rows - x.shape[0]
    return jnp.pad(x, ((0, missing),) + ((0, 0),) * (x.ndim - 1)) if missing else x


def _plain(x: Array, window: tuple[int, ...], geometry: Geometry) -> bool:
    steps = set(geometry.strides) | set(geometry.kernel_dilation)
    return steps == {1} and x.dtype.itemsize >= 4 and len(window) == 2 and window[0] == 3


def _tiles(height: int) -> int:
    return -(-height // 4)


def _rows(x: Array, tiles: int) -> list[Array]:
    """Return six arrays ``(images, tiles, columns, channels)``: the rows that each tile of four outputs reads."""
    return [x[:, at : at + 4 * tiles - 3 : 4] for at in range(6)]


def _combined(weights: tuple[float, ...], arrays: list[Array] | Array) -> Array:
    return sum(weight * array for weight, array in zip(weights, arrays, strict=True) if weight)  # type: ignore[return-value]
