"""Brightness and contrast of images, changed at random or to a fixed range."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu.core import registry
from cornu.kernels.random_bits import uniform
from cornu.layers.image_preprocessing.base import (
    BoxOptions,
    ImageOptions,
    ImagePreprocessingLayer,
    batch_size,
    between,
    happens,
    per_image,
)
from cornu.layers.image_preprocessing.ranges import factor_range, pixel_range
from cornu.ops.image.layout import space_axes

Factor = float | Sequence[float]
BYTES = (0, 255)


def rescaled(images: jax.Array, old: Sequence[Any], new: Sequence[Any]) -> jax.Array:
    """Return images whose pixels go from one range to another."""
    if tuple(old) == tuple(new):
        return images
    return (images - old[0]) / (old[1] - old[0]) * (new[1] - new[0]) + new[0]


@registry.LAYERS.add()
class RandomBrightness(ImagePreprocessingLayer):
    """In training, make each image brighter or darker at random.

    Args:
        factor: The range of what is added, as fractions of `value_range`: -1 is black, 1 is white. One number is that
            far in both directions.
        value_range: The least and the greatest value of a pixel.
        seed: Integer that makes the random numbers reproducible.
        **kwargs: `data_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `factor` is not from -1 to 1, or `value_range` is not two numbers.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_brightness/

    >>> import numpy as np
    >>> RandomBrightness((0.2, 0.2))(np.zeros((1, 1, 1, 3))).tolist()
    [[[[51.0, 51.0, 51.0]]]]
    """

    def __init__(
        self,
        factor: Factor,
        value_range: Sequence[float] = BYTES,
        seed: int | None = None,
        **kwargs: Unpack[ImageOptions],
    ) -> None:
        super().__init__(**kwargs)
        self.factor = factor_range(self, "factor", factor, -1, 1)
        self.value_range = pixel_range(self, value_range)
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        added = between(self._unit_numbers(seed, data, 1), *self.factor)
        return {"rgb_delta": per_image(added * (self.value_range[1] - self.value_range[0]))}

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        return jnp.clip(images + transformation["rgb_delta"].astype(images.dtype), *self.value_range)


@registry.LAYERS.add()
class RandomContrast(ImagePreprocessingLayer):
    """In training, change the contrast of each image at random: how far pixels are from the mean of their channel.

    Args:
        factor: Two numbers: the contrast is multiplied by a number from ``1 - factor[0]`` to ``1 + factor[1]``. One
            number is ``(0, factor)``.
        value_range: The least and the greatest value of a pixel.
        seed: Integer that makes the random numbers reproducible.
        **kwargs: `data_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `factor` is not from 0 to 1, or `value_range` is not two numbers.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_contrast/

    >>> import numpy as np
    >>> RandomContrast(0.5, seed=1)(np.full((1, 2, 2, 3), 7.0)).max().item()
    7.0
    """

    def __init__(
        self,
        factor: Factor,
        value_range: Sequence[float] = BYTES,
        seed: int | None = None,
        **kwargs: Unpack[ImageOptions],
    ) -> None:
        super().__init__(**kwargs)
        self.factor = factor_range(self, "factor", factor, 0, 1)
        self.value_range = pixel_range(self, value_range)
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        numbers = self._unit_numbers(seed, data, 1)
        return {"contrast_factor": per_image(between(numbers, 1 - self.factor[0], 1 + self.factor[1]))}

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        mean = images.mean(space_axes(self.data_format), keepdims=True)
        changed = (images - mean) * transformation["contrast_factor"].astype(images.dtype) + mean
        return jnp.clip(changed, *self.value_range)


@registry.LAYERS.add()
class AutoContrast(ImagePreprocessingLayer):
    """Stretch the contrast of each channel of each image, so that its darkest pixel is black and its brightest white.

    Args:
        value_range: The least and the greatest value of a pixel.
        **kwargs: `data_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `value_range` is not two numbers.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/auto_contrast/

    >>> import numpy as np
    >>> AutoContrast()(np.array([[[[10.0], [20.0]]]])).ravel().tolist()
    [0.0, 255.0]
    """

    def __init__(self, value_range: Sequence[float] = BYTES, **kwargs: Unpack[ImageOptions]) -> None:
        super().__init__(**kwargs)
        self.value_range = pixel_range(self, value_range)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> jax.Array:
        return super().transform_images(images, transformation, training=True)

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        pixels = rescaled(images, self.value_range, BYTES)
        axes = space_axes(self.data_format)
        low, high = pixels.min(axes, keepdims=True), pixels.max(axes, keepdims=True)
        scale = 255 / jnp.where(high > low, high - low, 1)
        stretched = rescaled(jnp.clip(pixels * scale - low * scale, 0, 255), BYTES, self.value_range)
        return jnp.where(high > low, stretched, images)


@registry.LAYERS.add()
class Solarization(ImagePreprocessingLayer):
    """In training, invert the pixels of each image that are above a random threshold.

    Args:
        addition_factor: The range of what is added first, from 0 to 1; 1 is white. One number is from 0 to it.
        threshold_factor: The range of thresholds, from 0 to 1. One number is from 0 to it.
        value_range: The least and the greatest value of a pixel.
        seed: Integer that makes the random numbers reproducible.
        **kwargs: `data_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: A factor is not from 0 to 1, or `value_range` is not two numbers.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/solarization/

    >>> import numpy as np
    >>> Solarization()(np.array([[[[0.0], [255.0]]]])).ravel().tolist()
    [255.0, 0.0]
    """

    def __init__(
        self,
        addition_factor: Factor = 0.0,
        threshold_factor: Factor = 0.0,
        value_range: Sequence[float] = BYTES,
        seed: int | None = None,
        **kwargs: Unpack[ImageOptions],
    ) -> None:
        super().__init__(**kwargs)
        self.addition_factor = factor_range(self, "addition_factor", addition_factor, 0, 1, strict=True)
        self.threshold_factor = factor_range(self, "threshold_factor", threshold_factor, 0, 1, strict=True)
        self.value_range = pixel_range(self, value_range)
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        added, threshold = self._unit_numbers(seed, data, 2)
        return {
            "additions": per_image(between(added, self.addition_factor[0], self.addition_factor[1] * 255)),
            "thresholds": per_image(between(threshold, self.threshold_factor[0], self.threshold_factor[1] * 255)),
        }

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        pixels = rescaled(images, self.value_range, BYTES) + transformation["additions"].astype(images.dtype)
        pixels = jnp.clip(pixels, *BYTES)
        thresholds = transformation["thresholds"].astype(images.dtype)
        return rescaled(jnp.where(pixels < thresholds, pixels, 255 - pixels), BYTES, self.value_range)


@registry.LAYERS.add()
class RandomInvert(ImagePreprocessingLayer):
    """In training, invert images at random: white becomes black.

    Args:
        factor: The probability that an image changes, or the range it is drawn from; one number is from 0 to it.
        value_range: The least and the greatest value of a pixel.
        seed: Integer that makes the random numbers reproducible.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `factor` is not from 0 to 1, or `value_range` is not two numbers.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_invert/

    >>> import numpy as np
    >>> RandomInvert((1, 1))(np.array([[[[0.0], [250.0]]]])).ravel().tolist()
    [255.0, 5.0]
    """

    def __init__(
        self,
        factor: Factor = 1.0,
        value_range: Sequence[float] = BYTES,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, 0, 1)
        self.value_range = pixel_range(self, value_range)
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        return {"apply_inversion": happens(self._unit_numbers(seed, data, 2), self.factor)} if training else None

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        return jnp.where(per_image(transformation["apply_inversion"]), self.value_range[1] - images, images)


@registry.LAYERS.add()
class RandomPosterization(ImagePreprocessingLayer):
    """In training, keep only a random number of bits of the pixels of each image.

    Args:
        factor: The number of bits, from 1 to 8, or a pair: drawn from the first up to, without it, the second. One
            number is the pair ``(1, factor)``.
        value_range: The least and the greatest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        seed: Integer that makes the random numbers reproducible.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `factor` is not from 1 to 8, or `value_range` is not two numbers.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_posterization/

    >>> import numpy as np
    >>> RandomPosterization((1, 1))(np.array([[[[100.0], [200.0]]]])).ravel().tolist()
    [0.0, 128.0]
    """

    def __init__(
        self,
        factor: Factor,
        value_range: Sequence[float] = BYTES,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, 1, 8)
        self.value_range = pixel_range(self, value_range)
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        low, high = int(self.factor[0]), int(self.factor[1])
        numbers = uniform(self._key(seed), (batch_size(data),))
        bits = jnp.floor(between(numbers, low, max(high, low + 1))).astype("uint8")
        return {"shift_factor": 8 - bits}

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        shift = per_image(transformation["shift_factor"]).astype("uint8")
        pixels = rescaled(images, self.value_range, BYTES).astype("uint8")
        pixels = jax.lax.shift_left(
            jax.lax.shift_right_logical(*jnp.broadcast_arrays(pixels, shift)), shift + 0 * pixels
        )
        return rescaled(pixels.astype(images.dtype), BYTES, self.value_range)


__all__ = ["AutoContrast", "RandomBrightness", "RandomContrast", "RandomInvert", "RandomPosterization", "Solarization"]
