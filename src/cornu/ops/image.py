"""The part of `keras.ops.image` that networks use: resizing, cropping, padding, patches, blocks of space and depth.

Follows https://keras.io/api/ops/image/
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core import settings
from cornu.core.dtype_policies import is_float
from cornu.core.public import offer
from cornu.ops.core import saturate_cast
from cornu.ops.lifting import arrays_first

_IMPORTED = frozenset(globals())


def _spatial(x: Any, data_format: str | None) -> tuple[int, int]:
    """Return the axes of height and width of one image or a batch."""
    first = x.ndim - 3
    return (
        (first, first + 1)
        if settings.standardize_data_format(data_format) == "channels_last"
        else (first + 1, first + 2)
    )


@arrays_first(1)
def resize(
    images: Any, size: tuple[int, int], interpolation: str = "bilinear", antialias: bool = False,
    data_format: str | None = None,
) -> jax.Array:  # fmt: skip
    """Resize images.

    Args:
        images: ``(height, width, channels)`` or with a batch axis first; channels before height for
            ``"channels_first"``.
        size: New height and width.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        antialias: Whether to filter before downsampling.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    >>> resize(jnp.ones((1, 4, 4, 3)), (8, 2)).shape
    (1, 8, 2, 3)
    """
    shape = list(images.shape)
    for axis, length in zip(_spatial(images, data_format), size, strict=True):
        shape[axis] = int(length)
    result = jax.image.resize(images, shape, method=interpolation, antialias=antialias)
    return saturate_cast(result if is_float(images.dtype) else jnp.round(result), images.dtype)


@arrays_first(1)
def enlarge(
    x: Any, factors: Sequence[int], data_format: str | None = None, interpolation: str = "nearest"
) -> jax.Array:
    """Return sequences, images or volumes upsampled by integer factors, one per spatial dimension.

    ``"nearest"`` repeats each value; other interpolations (see `resize`) are for images only, except that
    ``"bilinear_of_keras_2"`` is for all: it leaves each value in place and fills in what follows it.
    """
    first = 1 if settings.standardize_data_format(data_format) == "channels_last" else 2
    if interpolation == "nearest":
        for axis, factor in enumerate(factors, first):
            x = jnp.repeat(x, factor, axis)
        return x
    if interpolation == "bilinear_of_keras_2":
        for axis, factor in enumerate(factors, first):
            x = _filled_in(x, factor, axis)
        return x
    size = [x.shape[axis] * factor for axis, factor in enumerate(factors, first)]
    return resize(x, size, interpolation, data_format=data_format)


def _filled_in(x: jax.Array, factor: int, axis: int) -> jax.Array:
    """Return `x` with ``factor - 1`` values after each along `axis`, on the way to the next; the last is repeated."""
    following = jnp.concatenate([jax.lax.slice_in_dim(x, 1, None, axis=axis), jnp.take(x, jnp.array([-1]), axis)], axis)
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis] * factor
    way = jnp.reshape(jnp.tile(jnp.arange(factor) / factor, x.shape[axis]), shape).astype(x.dtype)
    return jnp.repeat(x, factor, axis) * (1 - way) + jnp.repeat(following, factor, axis) * way


@arrays_first(1)
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> jax.Array:
    """Return the brightness of RGB images, with one channel."""
    axis = -1 if settings.standardize_data_format(data_format) == "channels_last" else -3
    shape = [1] * images.ndim
    shape[axis] = 3
    weights = jnp.asarray([0.2989, 0.5870, 0.1140], "float32").reshape(shape)
    return jnp.sum(images * weights, axis=axis, keepdims=True).astype(images.dtype)


@arrays_first(1)
def crop_images(
    images: Any, top_cropping: int | None = None, left_cropping: int | None = None, bottom_cropping: int | None = None,
    right_cropping: int | None = None, target_height: int | None = None, target_width: int | None = None,
    data_format: str | None = None,
) -> jax.Array:  # fmt: skip
    """Crop the margins of images.

    Exactly two of `top_cropping`, `bottom_cropping` and `target_height` must be passed, likewise for the width.
    ValueError otherwise.
    """
    rows, columns = _spatial(images, data_format)
    top, height = _cropped(images.shape[rows], top_cropping, bottom_cropping, target_height, "height")
    left, width = _cropped(images.shape[columns], left_cropping, right_cropping, target_width, "width")
    images = jax.lax.slice_in_dim(images, top, top + height, axis=rows)
    return jax.lax.slice_in_dim(images, left, left + width, axis=columns)


def _cropped(whole: int, before: Any, after: Any, target: Any, name: str) -> tuple[int, int]:
    if [before, after, target].count(None) != 1:
        raise ValueError(f"crop_images: pass exactly two of cropping before, cropping after and target {name}.")
    if target is None:
        target = whole - before - after
    start = whole - after - target if before is None else before
    return start, target


@arrays_first(1)
def pad_images(
    images: Any, top_padding: int | None = None, left_padding: int | None = None, bottom_padding: int | None = None,
    right_padding: int | None = None, target_height: int | None = None, target_width: int | None = None,
    data_format: str | None = None,
) -> jax.Array:  # fmt: skip
    """Pad images with margins of zeros.

    Exactly two of `top_padding`, `bottom_padding` and `target_height` must be passed, likewise for the width.
    ValueError otherwise.
    """
    rows, columns = _spatial(images, data_format)
    padding = [(0, 0)] * images.ndim
    padding[rows] = _padded(images.shape[rows], top_padding, bottom_padding, target_height, "height")
    padding[columns] = _padded(images.shape[columns], left_padding, right_padding, target_width, "width")
    return jnp.pad(images, padding)


def _padded(whole: int, before: Any, after: Any, target: Any, name: str) -> tuple[int, int]:
    if [before, after, target].count(None) != 1:
        raise ValueError(f"pad_images: pass exactly two of padding before, padding after and target {name}.")
    before = target - whole - after if before is None else before
    return before, target - whole - before if after is None else after


@arrays_first(1)
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> jax.Array:
    """Rearrange channels into blocks of `block_size` x `block_size` pixels.

    ``(batch, height, width, channels)`` becomes ``(batch, height * n, width * n, channels / n**2)`` for block size n.
    """
    if data_format == "channels_first":  # the block is within each channel
        rows, channels, height, width = x.shape
        x = x.reshape(rows, channels // block_size**2, block_size, block_size, height, width).transpose(
            0, 1, 4, 2, 5, 3
        )
        # (rows, channels / block**2, height, block, width, block) -> (rows, ..., height * block, width * block)
        return x.reshape(rows, -1, height * block_size, width * block_size)
    rows, height, width, channels = x.shape
    x = x.reshape(rows, height, width, block_size, block_size, channels // block_size**2).transpose(0, 1, 3, 2, 4, 5)
    # (rows, height, block, width, block, channels / block**2) -> (rows, height * block, width * block, ...)
    return x.reshape(rows, height * block_size, width * block_size, -1)


@arrays_first(1)
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> jax.Array:
    """Rearrange blocks of `block_size` x `block_size` pixels into channels: the inverse of `depth_to_space`."""
    if data_format == "channels_first":
        rows, channels, height, width = x.shape
        # (rows, channels, height / block, block, width / block, block) -> (rows, channels * block**2, ...)
        x = x.reshape(rows, channels, height // block_size, block_size, width // block_size, block_size)
        return x.transpose(0, 1, 3, 5, 2, 4).reshape(rows, -1, height // block_size, width // block_size)
    rows, height, width, channels = x.shape
    # (rows, height / block, block, width / block, block, channels) -> (rows, ..., channels * block**2)
    x = x.reshape(rows, height // block_size, block_size, width // block_size, block_size, channels)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(rows, height // block_size, width // block_size, -1)


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


@arrays_first(1)
def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> jax.Array:
    """Return windows of images ``(batch, channels, height, width)``: ``(batch, channels * window, windows)``."""
    x = jnp.pad(jnp.asarray(x), ((0, 0), (0, 0), *((size, size) for size in _pair(padding))))
    window, steps, moves = _pair(kernel_size), _pair(dilation), _pair(stride)
    space = [
        max(0, (size - (places - 1) * step - 1) // move + 1)
        for size, places, step, move in zip(x.shape[2:], window, steps, moves, strict=True)
    ]
    patches = [
        x[:, :, top : top + space[0] * moves[0] : moves[0], left : left + space[1] * moves[1] : moves[1]][
            :, :, : space[0], : space[1]
        ]
        for top in range(0, window[0] * steps[0], steps[0])
        for left in range(0, window[1] * steps[1], steps[1])
    ]
    stacked = jnp.stack(patches, axis=2)  # (batch, channels, window, *space)
    return stacked.reshape(x.shape[0], x.shape[1] * len(patches), space[0] * space[1])


@arrays_first(1)
def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> jax.Array:
    """Sum columns of windows into images: the transpose of `unfold`."""
    channels = x.shape[1] // (_pair(kernel_size)[0] * _pair(kernel_size)[1])
    like = jax.ShapeDtypeStruct((x.shape[0], channels, *_pair(output_size)), x.dtype)
    transposed = jax.linear_transpose(lambda images: unfold(images, kernel_size, dilation, padding, stride), like)
    return transposed(jnp.asarray(x))[0]


offer(globals(), _IMPORTED | {"enlarge"})
