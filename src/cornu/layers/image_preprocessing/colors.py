"""Colors of images, changed at random."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu.core import registry, settings
from cornu.layers.argument_checks import number_in
from cornu.layers.image_preprocessing.base import BoxOptions, ImagePreprocessingLayer, between, images_of, per_image
from cornu.layers.image_preprocessing.ranges import factor_range, pixel_range
from cornu.layers.image_preprocessing.tones import BYTES, Factor, RandomBrightness, RandomContrast, rescaled
from cornu.ops.image.colors import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from cornu.ops.image.layout import channel_axis


@registry.LAYERS.add()
class RandomHue(ImagePreprocessingLayer):
    """In training, move the hue of each RGB image around the circle of colors at random.

    Args:
        factor: The range of moves, from 0 to 1: 1 is half of the circle, in either direction. One number is from 0 to
            it.
        value_range: The least and the greatest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        seed: Integer that makes the random numbers reproducible.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images with 3 channels, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `factor` is not from 0 to 1, or `value_range` is not two numbers.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_hue/

    >>> import numpy as np
    >>> RandomHue((1, 1))(np.array([[[[255.0, 0.0, 0.0]]]])).ravel().round().tolist()  # red to cyan
    [0.0, 255.0, 255.0]
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
        self.factor = factor_range(self, "factor", factor, 0, 1)
        self.value_range = pixel_range(self, value_range)
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        sign, numbers = self._unit_numbers(seed, data, 2)
        return {"factor": jnp.where(sign > 0.5, -0.5, 0.5) * between(numbers, *self.factor)}

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        pixels = rgb_to_hsv(rescaled(images, self.value_range, (0, 1)), self.data_format)
        hue, saturation, value = jnp.split(pixels, 3, channel_axis(self.data_format))
        hue = hue + per_image(transformation["factor"]).astype(images.dtype)  # back on the circle below
        pixels = jnp.concatenate([hue, saturation, value], channel_axis(self.data_format))
        return rescaled(jnp.clip(hsv_to_rgb(pixels, self.data_format), 0, 1), (0, 1), self.value_range)


@registry.LAYERS.add()
class RandomSaturation(ImagePreprocessingLayer):
    """In training, make the colors of each RGB image paler or stronger at random.

    Args:
        factor: The range of changes, from 0 (gray) over 0.5 (none) to 1 (strongest). One number is from 0 to it.
        value_range: The least and the greatest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        seed: Integer that makes the random numbers reproducible.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images with 3 channels, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `factor` is not from 0 to 1, or `value_range` is not two numbers.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_saturation/

    >>> import numpy as np
    >>> RandomSaturation((0, 0))(np.array([[[[250.0, 0.0, 0.0]]]])).ravel().tolist()
    [250.0, 250.0, 250.0]
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
        self.factor = factor_range(self, "factor", factor, -1, 1)
        self.value_range = pixel_range(self, value_range)
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        (numbers,) = self._unit_numbers(seed, data, 1)
        factor = between(numbers, *self.factor)
        return {"factor": factor / (1 - factor + settings.epsilon())}

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        axis = channel_axis(self.data_format)
        hue, saturation, value = jnp.split(rgb_to_hsv(images, self.data_format), 3, axis)
        changed = saturation * per_image(transformation["factor"]).astype(images.dtype)
        pixels = jnp.concatenate([hue, jnp.clip(changed, *self.value_range), value], axis)
        return hsv_to_rgb(pixels, self.data_format)


@registry.LAYERS.add()
class RandomColorDegeneration(ImagePreprocessingLayer):
    """In training, mix each RGB image with its gray version at random.

    Args:
        factor: The range of the share of gray, from 0 to 1. One number is that far below and above 0.
        value_range: The least and the greatest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        seed: Integer that makes the random numbers reproducible.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images with 3 channels, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `factor` is not from -1 to 1, or `value_range` is not two numbers.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_color_degeneration/

    >>> import numpy as np
    >>> RandomColorDegeneration((1, 1))(np.array([[[[0.0, 100.0, 0.0]]]])).astype(int).ravel().tolist()
    [58, 58, 58]
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
        self.factor = factor_range(self, "factor", factor, -1, 1)
        self.value_range = pixel_range(self, value_range)
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        return {"factor": per_image(between(self._unit_numbers(seed, data, 1), *self.factor))}

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        gray = rgb_to_grayscale(images, self.data_format)
        mixed = images + transformation["factor"].astype(images.dtype) * (gray - images)
        return jnp.clip(mixed, *self.value_range)


@registry.LAYERS.add()
class RandomGrayscale(ImagePreprocessingLayer):
    """In training, make RGB images gray at random; they keep three channels.

    Args:
        factor: The probability that an image becomes gray.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        seed: Integer that makes the random numbers reproducible.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images with 3 channels, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes
        and dtype.

    Raises:
        ValueError: `factor` is not from 0 to 1.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_grayscale/

    >>> import numpy as np
    >>> RandomGrayscale(1.0)(np.array([[[[0.0, 100.0, 0.0]]]])).astype(int).ravel().tolist()
    [58, 58, 58]
    """

    def __init__(
        self,
        factor: float = 0.5,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = number_in(self, "factor", factor, 0, 1)
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        return per_image(self._unit_numbers(seed, data, 1) < self.factor)

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> jax.Array:
        images = jnp.asarray(images)
        if not training:
            return images
        applied = self.get_random_transformation(images) if transformation is None else transformation
        return jnp.where(applied, rgb_to_grayscale(images, self.data_format), images)


@registry.LAYERS.add()
class RandomColorJitter(ImagePreprocessingLayer):
    """In training, change brightness, contrast, saturation and hue of each image at random, in this order.

    Args:
        value_range: The least and the greatest value of a pixel.
        brightness_factor: See `RandomBrightness`; None leaves the brightness as it is, and so for the others.
        contrast_factor: See `RandomContrast`.
        saturation_factor: See `RandomSaturation`.
        hue_factor: See `RandomHue`.
        seed: Integer that makes the random numbers reproducible.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images with 3 channels, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: A factor or `value_range` is not what these layers take.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_color_jitter/

    >>> import numpy as np
    >>> RandomColorJitter(brightness_factor=0.1, hue_factor=0.2)(np.ones((2, 4, 5, 3))).shape
    (2, 4, 5, 3)
    """

    def __init__(
        self,
        value_range: Sequence[float] = BYTES,
        brightness_factor: Factor | None = None,
        contrast_factor: Factor | None = None,
        saturation_factor: Factor | None = None,
        hue_factor: Factor | None = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        options = {"data_format": data_format, "dtype": self.dtype_policy}

        def part(layer: Any, factor: Factor | None) -> Any:
            return None if factor is None else layer(factor, value_range, seed=seed, **options)

        self.random_brightness = part(RandomBrightness, brightness_factor)
        self.random_contrast = part(RandomContrast, contrast_factor)
        self.random_saturation = part(RandomSaturation, saturation_factor)
        self.random_hue = part(RandomHue, hue_factor)
        self._draws_from(seed)

    def _parts(self) -> list[tuple[str, Any]]:
        names = ("random_brightness", "random_contrast", "random_saturation", "random_hue")
        return [(name, layer) for name in names if (layer := getattr(self, name)) is not None]

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        key, images = self._key(seed), images_of(data)
        return {
            name: layer.get_random_transformation(images, seed=jax.random.fold_in(key, number))
            for number, (name, layer) in enumerate(self._parts())
        }

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        for name, layer in self._parts():
            images = layer.transform_images(images, transformation[name])
        return images


__all__ = ["RandomColorDegeneration", "RandomColorJitter", "RandomGrayscale", "RandomHue", "RandomSaturation"]
