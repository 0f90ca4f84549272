"""Images made sharper or blurred at random."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu.core import registry
from cornu.kernels.random_bits import uniform
from cornu.layers.argument_checks import check_integer
from cornu.layers.image_preprocessing.base import (
    BoxOptions,
    ImagePreprocessingLayer,
    batch_size,
    between,
    happens,
    per_image,
)
from cornu.layers.image_preprocessing.ranges import factor_range, pixel_range
from cornu.layers.image_preprocessing.tones import BYTES, Factor
from cornu.ops.image.filters import gaussian_blur
from cornu.ops.image.layout import space_axes


@registry.LAYERS.add()
class RandomSharpness(ImagePreprocessingLayer):
    """In training, make each image sharper or smoother at random.

    Args:
        factor: The range of sharpness, from 0 (smoothed) over 0.5 (unchanged) to 1 (sharpest). One number is from 0 to
            it.
        value_range: The least and the greatest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        seed: Integer that makes the random numbers reproducible.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `factor` is not from 0 to 1, or `value_range` is not two numbers.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_sharpness/

    >>> import numpy as np
    >>> RandomSharpness(0.5, seed=1)(np.ones((2, 4, 5, 3))).shape
    (2, 4, 5, 3)
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
        (numbers,) = self._unit_numbers(seed, data, 1)
        return {"factor": between(numbers, *self.factor)}

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        sharpness = per_image(transformation["factor"] * 2).astype(images.dtype)
        changed = images + (1 - sharpness) * (_smoothed(images, space_axes(self.data_format)) - images)
        return jnp.clip(changed, *self.value_range)


def _smoothed(images: jax.Array, axes: Sequence[int]) -> jax.Array:
    """Return means of 3 x 3 pixels, in which the middle one counts five times. Outside of the images is zero."""
    total: Any = images
    for axis in axes:
        widths = [(0, 0)] * images.ndim
        widths[axis] = (1, 1)
        wider, length = jnp.pad(total, widths), images.shape[axis]
        total = sum(jax.lax.slice_in_dim(wider, i, i + length, axis=axis % images.ndim) for i in range(3))
    return (total + 4 * images) / 13


@registry.LAYERS.add()
class RandomGaussianBlur(ImagePreprocessingLayer):
    """In training, blur images by a Gaussian at random.

    Args:
        factor: The probability that an image changes, or the range it is drawn from; one number is from 0 to it.
        kernel_size: Width and height of the window in pixels, odd; one number for both.
        sigma: The range of standard deviations in pixels, from 0 to 1; one number is from 0 to it.
        value_range: The least and the greatest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        seed: Integer that makes the random numbers reproducible.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `factor` or `sigma` is not from 0 to 1, or `kernel_size` is not odd.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_gaussian_blur/

    >>> import numpy as np
    >>> RandomGaussianBlur(seed=1)(np.ones((2, 4, 5, 3))).shape
    (2, 4, 5, 3)
    """

    def __init__(
        self,
        factor: Factor = 1.0,
        kernel_size: int | Sequence[int] = 3,
        sigma: Factor = 1.0,
        value_range: Sequence[float] = BYTES,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, 0, 1)
        sizes = tuple(kernel_size) if isinstance(kernel_size, (tuple, list)) else (kernel_size, kernel_size)
        self.kernel_size = tuple(check_integer(self, "kernel_size", size) for size in sizes)
        if len(sizes) != 2 or any(size % 2 == 0 for size in self.kernel_size):
            raise ValueError(f"RandomGaussianBlur: `kernel_size` must be one odd number, or two; got {kernel_size!r}.")
        self.sigma = factor_range(self, "sigma", sigma, 0, 1)
        self.value_range = pixel_range(self, value_range)
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        rows = batch_size(data)
        numbers = uniform(self._key(seed), (2 * rows + 2,))
        return {
            "should_apply_blur": happens(numbers[2:].reshape(2, rows), self.factor),
            "blur_factor": between(numbers[:2], *self.sigma) + 1e-6,
        }

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        if transformation is None:
            return images
        blurred = gaussian_blur(images, self.kernel_size, transformation["blur_factor"], self.data_format)
        changed = jnp.where(per_image(transformation["should_apply_blur"]), blurred, images)
        return jnp.clip(changed, *self.value_range)


__all__ = ["RandomGaussianBlur", "RandomSharpness"]
