"""Colors of images: RGB to gray, and to hue, saturation and value and back."""

from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.dtype_policies import is_float
from cornu.core.public import offer
from cornu.ops.image.layout import channel_axis, check_floats, check_images
from cornu.ops.lifting import arrays_first

_IMPORTED = frozenset(globals())
_GRAY = (0.2989, 0.5870, 0.1140)  # how bright red, green and blue look


def _channels(images: Any, data_format: str | None) -> tuple[list[jax.Array], int]:
    """Return the three channels of images, and their axis; ValueError for another number of them."""
    axis = channel_axis(data_format)
    if images.shape[axis] != 3:
        raise ValueError(f"`images` must have 3 channels, on axis {axis}; got the shape {tuple(images.shape)}.")
    return [jax.lax.index_in_dim(images, i, axis, keepdims=False) for i in range(3)], axis


@arrays_first(1)
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> jax.Array:
    """Return the brightness of RGB images, with one channel. Images with one channel are returned as they are.

    Args:
        images: ``(height, width, channels)`` or with a batch axis first; channels before height for
            ``"channels_first"``. 1 or 3 channels.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Raises:
        ValueError: The number of axes or channels is another.

    Follows https://keras.io/api/ops/image/

    >>> rgb_to_grayscale(jnp.ones((4, 4, 3))).shape
    (4, 4, 1)
    """
    check_images(images)
    images = jnp.asarray(images)
    if images.shape[channel_axis(data_format)] == 1:
        return images
    channels, axis = _channels(images, data_format)
    dtype = images.dtype if is_float(images.dtype) else "float32"
    weighted = [one.astype(dtype) * jnp.asarray(weight, dtype) for one, weight in zip(channels, _GRAY, strict=True)]
    return jnp.expand_dims(sum(weighted), axis).astype(images.dtype)


@arrays_first(1)
def rgb_to_hsv(images: Any, data_format: str | None = None) -> jax.Array:
    """Return RGB images as hue, saturation and value, each from 0 to 1 if red, green and blue are.

    Args:
        images: Floats, ``(height, width, 3)`` or with a batch axis first; channels before height for
            ``"channels_first"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Raises:
        ValueError: The images are integers, or have another number of axes or channels.

    Follows https://keras.io/api/ops/image/ and https://en.wikipedia.org/wiki/HSL_and_HSV

    >>> print(rgb_to_hsv([[[0.0, 0.5, 0.5]]]))  # cyan is opposite to red
    [[[0.5 1.  0.5]]]
    """
    check_images(images)
    check_floats(images)
    images = jnp.asarray(images)
    images = jnp.where(jnp.abs(images) < jnp.finfo(images.dtype).eps, 0, images)
    (red, green, blue), axis = _channels(images, data_format)
    value = jnp.maximum(jnp.maximum(red, green), blue)
    spread = value - jnp.minimum(jnp.minimum(red, green), blue)
    has_color = spread > 0
    sixth = 1 / (6 * jnp.where(has_color, spread, 1))  # of the circle, from one pure color to the next mixed one
    hue = jnp.where(
        value == red,
        sixth * (green - blue),
        jnp.where(value == green, sixth * (blue - red) + 2 / 6, sixth * (red - green) + 4 / 6),
    )
    hue = jnp.where(has_color, hue, 0)
    saturation = jnp.where(value > 0, spread / jnp.where(value > 0, value, 1), 0)
    return jnp.stack([jnp.where(hue < 0, hue + 1, hue), saturation, value], axis).astype(images.dtype)


@arrays_first(1)
def hsv_to_rgb(images: Any, data_format: str | None = None) -> jax.Array:
    """Return images of hue, saturation and value as RGB: the inverse of `rgb_to_hsv`.

    Args:
        images: Floats, ``(height, width, 3)`` or with a batch axis first; channels before height for
            ``"channels_first"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Raises:
        ValueError: The images are integers, or have another number of axes or channels.

    Follows https://keras.io/api/ops/image/

    >>> hsv_to_rgb([[[0.0, 1.0, 0.5]]]).tolist()
    [[[0.5, 0.0, 0.0]]]
    """
    check_images(images)
    check_floats(images)
    (hue, saturation, value), axis = _channels(jnp.asarray(images), data_format)
    sixths = hue % 1 * 6
    pure = (jnp.abs(sixths - 3) - 1, 2 - jnp.abs(sixths - 2), 2 - jnp.abs(sixths - 4))
    return jnp.stack([value * (1 - saturation + saturation * jnp.clip(one, 0, 1)) for one in pure], axis)


offer(globals(), _IMPORTED)
