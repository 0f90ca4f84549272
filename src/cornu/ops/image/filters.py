"""Filters of images: Gaussian blur, edges, structural similarity, and images cut into patches."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.dtype_policies import is_float
from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.kernels.compiler import as_one_program, materialized
from cornu.kernels.geometry import per_dimension, same_padding
from cornu.ops.core import saturate_cast
from cornu.ops.image.layout import check_images, is_last, with_channels_last
from cornu.ops.lifting import arrays_first

_IMPORTED = frozenset(globals())


def _gaussian(size: int, sigma: Any, taps: Any = None) -> jax.Array:
    """Return the values of a Gaussian at the middle of `size` pixels; only the inner `taps` of them if that is less."""
    distance = jnp.arange(size, dtype="float32") - (size - 1) / 2
    values = jnp.exp(-0.5 * (distance / sigma) ** 2)
    if taps is not None:
        values = jnp.where(jnp.abs(distance) < taps / 2, values, 0)
    return values / values.sum()


def _filtered(x: jax.Array, weights: Sequence[Any], axis: int, padded: bool = True) -> jax.Array:
    """Return the sums of neighbours along an axis, times weights: a correlation as shifted copies, which XLA fuses."""
    size, length = len(weights), x.shape[axis]
    if padded:
        widths = [(0, 0)] * x.ndim
        widths[axis] = ((size - 1) // 2, size // 2)
        x = jnp.pad(x, widths)
    else:
        length -= size - 1
    shifted = (jax.lax.slice_in_dim(x, i, i + length, axis=axis) for i in range(size))
    return sum(weight * one for weight, one in zip(weights, shifted, strict=True))


def _of_weights(weights: jax.Array) -> list[jax.Array]:
    return [weights[i] for i in range(weights.shape[0])]


def blurred(batch: jax.Array, size: Sequence[int], sigma: Sequence[Any], taps: Any = None) -> jax.Array:
    """Return floats ``(batch, height, width, channels)`` blurred by a Gaussian of `size` and `sigma` along x and y."""
    across = _filtered(batch, _of_weights(_gaussian(size[0], sigma[0], taps)), 2)
    (across,) = materialized(across)
    return _filtered(across, _of_weights(_gaussian(size[1], sigma[1], taps)), 1)


@arrays_first(1)
def gaussian_blur(
    images: Any, kernel_size: Sequence[int] = (3, 3), sigma: Sequence[float] = (1.0, 1.0),
    data_format: str | None = None,
) -> jax.Array:  # fmt: skip
    """Blur images by a Gaussian. Outside of the images is zero.

    Args:
        images: ``(height, width, channels)`` or with a batch axis first; channels before height for
            ``"channels_first"``. Integers are rounded.
        kernel_size: Width and height of the window, in pixels.
        sigma: Standard deviations along width and height, in pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Raises:
        ValueError: The number of axes is another.

    Follows https://keras.io/api/ops/image/

    >>> gaussian_blur(jnp.ones((4, 4, 3))).shape
    (4, 4, 3)
    """
    check_images(images)
    size = tuple(int(one) for one in kernel_size)
    return _blurred_images(images, size, tuple(sigma[i] for i in range(2)), data_format)


@as_one_program("size", "data_format")
def _blurred_images(images: Any, size: tuple[int, ...], sigma: tuple[Any, ...], data_format: str | None) -> jax.Array:
    result = with_channels_last(images, data_format, lambda batch: blurred(batch.astype("float32"), size, sigma))
    return saturate_cast(result if is_float(images.dtype) else jnp.round(result), images.dtype)


@arrays_first(1)
def sobel_edges(images: Any, data_format: str | None = None) -> jax.Array:
    """Return how steeply images change along height and width. Outside of the images is zero.

    Args:
        images: ``(batch, height, width, channels)``; channels before height for ``"channels_first"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Returns:
        The shape of `images` with an axis of 2 at the end: along height, along width.

    Raises:
        ValueError: The images do not have 4 axes.

    Follows https://keras.io/api/ops/image/ and https://en.wikipedia.org/wiki/Sobel_operator

    >>> sobel_edges(jnp.ones((1, 4, 5, 3))).shape
    (1, 4, 5, 3, 2)
    """
    check_images(images, (4,))
    return _edges(images, is_last(data_format))


@as_one_program("last")
def _edges(images: Any, last: bool) -> jax.Array:
    x = jnp.asarray(images)
    x = x if is_float(x.dtype) else x.astype("int32")
    height, width = (1, 2) if last else (2, 3)
    smooth, slope = (1, 2, 1), (-1, 0, 1)
    along = [_filtered(_filtered(x, smooth, other), slope, axis) for axis, other in ((height, width), (width, height))]
    return jnp.stack(along, -1).astype(images.dtype)


@arrays_first(2)
def ssim(
    image1: Any, image2: Any, max_val: float = 1.0, filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01,
    k2: float = 0.03, data_format: str | None = None,
) -> jax.Array:  # fmt: skip
    """Return the structural similarity of images: 1 for equal ones.

    Args:
        image1, image2: ``(height, width, channels)`` or with a batch axis first; channels before height for
            ``"channels_first"``.
        max_val: Largest possible value of a pixel, 255 for 8-bit images.
        filter_size, filter_sigma: Window and standard deviation of the Gaussian, in pixels.
        k1, k2: Constants that keep denominators away from zero.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Returns:
        One number for each image.

    Raises:
        ValueError: The shapes differ, or the images are smaller than the window.

    Follows https://keras.io/api/ops/image/ and Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861

    >>> image = jnp.linspace(0, 1, 16 * 16 * 3).reshape(16, 16, 3)
    >>> round(float(ssim(image, image)), 4)
    1.0
    """
    check_images(image1, name="image1")
    check_images(image2, name="image2")
    if image1.shape != image2.shape:
        raise ValueError(f"`image1` and `image2` must have one shape; got {image1.shape} and {image2.shape}.")
    return _similarity(image1, image2, max_val, filter_size, filter_sigma, k1, k2, is_last(data_format))


@as_one_program("size", "last")
def _similarity(
    image1: Any, image2: Any, max_val: float, size: int, sigma: float, k1: float, k2: float, last: bool
) -> jax.Array:
    light, contrast = similarity_parts(image1, image2, max_val, size, sigma, k1, k2, last)
    map_ = light[0] * contrast[0] / (light[1] * contrast[1])
    return map_.mean((-3, -2, -1)).astype(image1.dtype)


@as_one_program("size", "last")
def similarity_parts(
    image1: Any, image2: Any, max_val: float, size: int, sigma: float, k1: float, k2: float, last: bool
) -> tuple[tuple[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]:
    """Return the similarity of light, and that of contrast and structure, in each window: dividends and divisors."""
    dtype = image1.dtype
    x, y = (jnp.asarray(image).astype(dtype if is_float(dtype) else "float32") for image in (image1, image2))
    axes = (-3, -2) if last else (-2, -1)
    if min(x.shape[axis] for axis in axes) < size:
        raise ValueError(f"ssim: the images are smaller than filter_size={size}; got the shape {tuple(x.shape)}.")
    weights = _of_weights(_gaussian(size, sigma).astype(x.dtype))
    products = jnp.stack([x, y, x * x, y * y, x * y])
    for axis in axes:
        (products,) = materialized(_filtered(products, weights, axis, padded=False))
    mean_x, mean_y, square_x, square_y, product = products
    first, second = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    means = mean_x * mean_y
    squares = mean_x * mean_x + mean_y * mean_y
    light = 2 * means + first, squares + first
    return light, (2 * (product - means) + second, square_x + square_y - squares + second)


@arrays_first(1)
def extract_patches(
    images: Any, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: str | None = None,
) -> jax.Array:  # fmt: skip
    """Cut images, or volumes, into patches, each a row of values.

    Args:
        images: ``(height, width, channels)`` or with a batch axis first; channels before height for
            ``"channels_first"``. With three sizes: volumes, which have a depth before the height.
        size: Size of a patch: an integer, a pair, or three integers for volumes.
        strides: Steps from one patch to the next; None takes `size`, so that patches do not overlap.
        dilation_rate: Steps from one pixel of a patch to the next.
        padding: ``"valid"`` (whole patches only) or ``"same"`` (the border is padded with zeros).
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Returns:
        ``(batch, rows, columns, height * width * channels of a patch)``; that axis second for ``"channels_first"``.

    Raises:
        TypeError: `size` is neither an integer nor a tuple.
        ValueError: `size`, `padding` or the number of axes is not one of these.

    Follows https://keras.io/api/ops/image/

    >>> extract_patches(jnp.ones((1, 28, 28, 3)), 7).shape
    (1, 4, 4, 147)
    """
    if not isinstance(size, (int, tuple, list)):
        raise TypeError(f"`size` must be an integer or a tuple; got {size!r}.")
    if not isinstance(size, int) and len(size) not in (2, 3):
        raise ValueError(f"`size` must be an integer, a pair, or three integers for volumes; got {size!r}.")
    rank = 2 if isinstance(size, int) else len(size)
    return _patches(images, rank, size, strides, dilation_rate, padding, data_format)


@arrays_first(1)
def extract_patches_3d(
    volumes: Any, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: str | None = None,
) -> jax.Array:  # fmt: skip
    """Cut volumes into patches, each a row of values.

    Args:
        volumes: ``(depth, height, width, channels)`` or with a batch axis first; channels before depth for
            ``"channels_first"``.
        size, strides, dilation_rate, padding, data_format: See `extract_patches`; `size` is an integer or three.

    Returns:
        ``(batch, depths, rows, columns, values of a patch)``; that axis second for ``"channels_first"``.

    Raises:
        ValueError: `size`, `padding` or the number of axes is not one of these.

    Follows https://keras.io/api/ops/image/

    >>> extract_patches_3d(jnp.ones((1, 4, 4, 4, 3)), 2).shape
    (1, 2, 2, 2, 24)
    """
    return _patches(volumes, 3, size, strides, dilation_rate, padding, data_format)


def _patches(
    images: Any, rank: int, size: Any, strides: Any, dilation_rate: Any, padding: str, data_format: str | None
) -> jax.Array:
    x, last = jnp.asarray(images), is_last(data_format)
    if x.ndim not in (rank + 1, rank + 2):
        raise ValueError(
            f"extract_patches: {rank} sizes need inputs of {rank + 1} axes, or {rank + 2} with a batch; got the shape "
            f"{tuple(x.shape)}."
        )
    if padding.lower() not in ("valid", "same"):
        raise unknown("padding", padding, ("valid", "same"))
    window = per_dimension(size, rank, "size")
    steps = per_dimension(window if strides is None else strides, rank, "strides")
    apart = per_dimension(dilation_rate, rank, "dilation_rate")
    batched = x.ndim == rank + 2
    x = x if batched else x[None]
    x = x if last else jnp.moveaxis(x, 1, -1)
    patches = _cut(x, window, steps, apart, padding.lower() == "same")
    patches = patches if last else jnp.moveaxis(patches, -1, 1)
    return patches if batched else patches[0]


@as_one_program("window", "steps", "apart", "same")
def _cut(
    x: jax.Array, window: tuple[int, ...], steps: tuple[int, ...], apart: tuple[int, ...], same: bool
) -> jax.Array:
    """Return patches ``(batch, *counts, values)`` of ``(batch, *space, channels)``: axis by axis, apart and inside."""
    rank = len(window)
    reach = tuple((size - 1) * step + 1 for size, step in zip(window, apart, strict=True))
    if same:
        x = jnp.pad(x, ((0, 0), *same_padding(x.shape[1:-1], reach, steps), (0, 0)))
    for i in range(rank):
        axis = 1 + 2 * i  # the axes before are two each: which patch, and where in it
        count = (x.shape[axis] - reach[i]) // steps[i] + 1
        if steps[i] == window[i] == reach[i]:  # side by side: no value is in two patches
            x = jax.lax.slice_in_dim(x, 0, count * window[i], axis=axis)
            x = x.reshape(*x.shape[:axis], count, window[i], *x.shape[axis + 1 :])
        else:
            places = jnp.arange(count)[:, None] * steps[i] + jnp.arange(window[i]) * apart[i]
            x = jnp.take(x, places, axis, mode="clip")
    which, where = range(1, 2 * rank, 2), range(2, 2 * rank + 1, 2)
    x = x.transpose(0, *which, *where, 2 * rank + 1)
    return x.reshape(*x.shape[: rank + 1], -1)


offer(globals(), _IMPORTED | {"blurred"})
