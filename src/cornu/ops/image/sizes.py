"""Sizes of images: resizing, cropping, padding, windows, blocks of space and depth."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core import settings
from cornu.core.dtype_policies import is_float
from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.ops.core import saturate_cast
from cornu.ops.image.layout import check_images, space_axes
from cornu.ops.lifting import arrays_first

_IMPORTED = frozenset(globals())


INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


@arrays_first(1)
def resize(
    images: Any, size: Sequence[int], interpolation: str = "bilinear", antialias: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_mode: str = "constant",
    fill_value: float = 0.0, data_format: str | None = None,
) -> jax.Array:  # fmt: skip
    """Resize images.

    Args:
        images: ``(height, width, channels)`` or with a batch axis first; channels before height for
            ``"channels_first"``. Integers are rounded.
        size: New height and width.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        antialias: Whether to filter before downsampling.
        crop_to_aspect_ratio: Whether to cut off margins first, so that nothing is stretched.
        pad_to_aspect_ratio: Whether to add margins first, so that nothing is stretched.
        fill_mode: ``"constant"``.
        fill_value: What margins are filled with.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Raises:
        ValueError: A shape or an option is not one of these.

    Follows https://keras.io/api/ops/image/

    >>> resize(jnp.ones((1, 4, 4, 3)), (8, 2)).shape
    (1, 8, 2, 3)
    """
    check_images(images)
    size = _size(size)
    if interpolation not in INTERPOLATIONS:
        raise unknown("interpolation", interpolation, INTERPOLATIONS)
    if fill_mode != "constant":
        raise ValueError(f'resize: `fill_mode` must be "constant"; got {fill_mode!r}.')
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("resize: pass only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`.")
    axes, dtype, images = space_axes(data_format), images.dtype, jnp.asarray(images)
    if crop_to_aspect_ratio:
        images = _without_margins(images, axes, size)
    if pad_to_aspect_ratio:
        images = _with_margins(images, axes, size, fill_value)
    shape = list(images.shape)
    for axis, length in zip(axes, size, strict=True):
        shape[axis] = length
    result = jax.image.resize(images, shape, method=interpolation, antialias=antialias)
    return saturate_cast(result if is_float(dtype) else jnp.round(result), dtype)


def _size(size: Any) -> tuple[int, int]:
    numbers = tuple(int(length) for length in size) if isinstance(size, (tuple, list)) or hasattr(size, "shape") else ()
    if len(numbers) != 2 or min(numbers) < 1:
        raise ValueError(f"`size` must be two positive integers, height and width; got {size!r}.")
    return numbers


def fitting(space: Sequence[int], size: Sequence[int]) -> list[tuple[int, int]]:
    """Return where the largest part in the middle of `space` with the proportions of `size` starts, and its sizes.

    >>> fitting((100, 200), (10, 10))
    [(0, 100), (50, 100)]
    """
    (height, width), (new_height, new_width) = space, size
    lengths = (int(width * new_height / new_width), int(height * new_width / new_height))
    found = [max(min(whole, length), 1) for whole, length in zip(space, lengths, strict=True)]
    return [((whole - length) // 2, length) for whole, length in zip(space, found, strict=True)]


def _without_margins(images: jax.Array, axes: Sequence[int], size: Sequence[int]) -> jax.Array:
    for axis, (start, length) in zip(axes, fitting([images.shape[axis] for axis in axes], size), strict=True):
        images = jax.lax.slice_in_dim(images, start, start + length, axis=axis % images.ndim)
    return images


def _with_margins(images: jax.Array, axes: Sequence[int], size: Sequence[int], fill_value: float) -> jax.Array:
    """Return images with margins at two opposite sides, if the proportions differ by two pixels or more."""
    height, width = (images.shape[axis] for axis in axes)
    wanted = (int(width * size[0] / size[1]), int(height * size[1] / size[0]))
    for axis, whole, length in zip(axes, (height, width), wanted, strict=True):
        margin = (length - whole) // 2
        if margin > 0:
            widths = [(0, 0)] * images.ndim
            widths[axis] = (margin, margin)
            return jnp.pad(images, widths, constant_values=fill_value)
    return images


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
def crop_images(
    images: Any, top_cropping: int | None = None, left_cropping: int | None = None, bottom_cropping: int | None = None,
    right_cropping: int | None = None, target_height: int | None = None, target_width: int | None = None,
    data_format: str | None = None,
) -> jax.Array:  # fmt: skip
    """Crop the margins of images.

    Args:
        images: ``(height, width, channels)`` or with a batch axis first; channels before height for
            ``"channels_first"``.
        top_cropping, bottom_cropping, target_height: Margins and the new height; exactly two of the three.
        left_cropping, right_cropping, target_width: The same across; exactly two of the three.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Raises:
        ValueError: Another number of them is given, one is negative, or the images are too small.

    Follows https://keras.io/api/ops/image/

    >>> crop_images(jnp.ones((4, 5, 3)), top_cropping=1, left_cropping=0, target_height=2, target_width=3).shape
    (2, 3, 3)
    """
    check_images(images)
    rows, columns = (axis % images.ndim for axis in space_axes(data_format))
    top, _, height = _margins(images.shape[rows], top_cropping, bottom_cropping, target_height, "top bottom height", -1)
    left, _, width = _margins(
        images.shape[columns], left_cropping, right_cropping, target_width, "left right width", -1
    )
    images = jax.lax.slice_in_dim(images, top, top + height, axis=rows)
    return jax.lax.slice_in_dim(images, left, left + width, axis=columns)


def _margins(whole: int, before: Any, after: Any, target: Any, names: str, sign: int) -> tuple[int, int, int]:
    """Return both margins and the new size, of which two are given: `sign` is 1 to add margins, -1 to cut them off."""
    what = "padding" if sign > 0 else "cropping"
    first, last, size = names.split()
    text = f"{first}_{what}, {last}_{what} and target_{size}"
    if [before, after, target].count(None) != 1:
        raise ValueError(f"Pass exactly two of {text}; got {before}, {after} and {target}.")
    if target is None:
        target = whole + sign * (before + after)
    elif before is None:
        before = sign * (target - whole) - after
    else:
        after = sign * (target - whole) - before
    if min(before, after, target) < 0:
        raise ValueError(
            f"{text} must not be negative; for images of {size} {whole} they are {before}, {after} and {target}."
        )
    return before, after, target


@arrays_first(1)
def pad_images(
    images: Any, top_padding: int | None = None, left_padding: int | None = None, bottom_padding: int | None = None,
    right_padding: int | None = None, target_height: int | None = None, target_width: int | None = None,
    data_format: str | None = None,
) -> jax.Array:  # fmt: skip
    """Pad images with margins of zeros.

    Args:
        images: ``(height, width, channels)`` or with a batch axis first; channels before height for
            ``"channels_first"``.
        top_padding, bottom_padding, target_height: Margins and the new height; exactly two of the three.
        left_padding, right_padding, target_width: The same across; exactly two of the three.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Raises:
        ValueError: Another number of them is given, one is negative, or the images are too large.

    Follows https://keras.io/api/ops/image/

    >>> pad_images(jnp.ones((4, 5, 3)), top_padding=1, left_padding=0, target_height=6, target_width=5).shape
    (6, 5, 3)
    """
    check_images(images)
    rows, columns = space_axes(data_format)
    padding = [(0, 0)] * images.ndim
    padding[rows] = _margins(images.shape[rows], top_padding, bottom_padding, target_height, "top bottom height", 1)[:2]
    padding[columns] = _margins(
        images.shape[columns], left_padding, right_padding, target_width, "left right width", 1
    )[:2]
    return jnp.pad(images, padding)


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


offer(globals(), _IMPORTED | {"enlarge", "fitting"})
