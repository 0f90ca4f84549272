"""Images distorted at random: seen from another place, or as if printed on cloth."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu.core import registry
from cornu.core.errors import unknown
from cornu.kernels.random_bits import uniform
from cornu.kernels.resampling import FILL_MODES, INTERPOLATIONS
from cornu.layers.argument_checks import number_in
from cornu.layers.image_preprocessing.base import (
    BoxOptions,
    ImagePreprocessingLayer,
    batch_size,
    between,
    happens,
    images_of,
    per_image,
)
from cornu.layers.image_preprocessing.ranges import factor_range, pixel_range
from cornu.ops.image.warps import distorted, projected, projections


@registry.LAYERS.add()
class RandomPerspective(ImagePreprocessingLayer):
    """In training, move the corners of images at random, as if they were seen from other places.

    Args:
        factor: The probability that an image changes, or the range it is drawn from; one number is from 0 to it.
        scale: How far the corners move at most, from 0 to 1: twice the fraction of the size.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_value: The value outside of the image.
        seed: Integer that makes the random numbers reproducible.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `factor` or `scale` is not from 0 to 1, or `interpolation` is not one of these.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_perspective/

    >>> import numpy as np
    >>> RandomPerspective(scale=0.3, seed=1)(np.ones((2, 4, 5, 3))).shape
    (2, 4, 5, 3)
    """

    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, 0, 1)
        self.scale = number_in(self, "scale", scale, 0, 1)
        if interpolation not in INTERPOLATIONS:
            raise unknown("interpolation", interpolation, INTERPOLATIONS)
        self.interpolation, self.fill_value = interpolation, fill_value
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape = images_of(data).shape
        height, width = self._space(shape)
        numbers = self._unit_numbers(seed, data, 10)
        right, bottom = width - 1.0, height - 1.0
        corners = jnp.asarray([[0, 0], [right, 0], [0, bottom], [right, bottom]], "float32")
        start = jnp.broadcast_to(corners, (numbers.shape[1], 4, 2))
        moved = between(numbers[2:].T.reshape(-1, 4, 2), -self.scale / 2, self.scale / 2)
        return {
            "apply_perspective": happens(numbers[:2], self.factor),
            "start_points": start,
            "end_points": start + start * moved,
            "input_shape": shape,
        }

    def _moved(self, images: jax.Array, transformation: Any, interpolation: str) -> jax.Array:
        points = (jnp.asarray(transformation[name], "float32") for name in ("start_points", "end_points"))
        moved = projected(images, projections(*points), interpolation, "constant", self.fill_value, self.data_format)
        return jnp.where(per_image(transformation["apply_perspective"]), moved, images)

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        return self._moved(images, transformation, self.interpolation)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return (
            self._moved(jnp.asarray(segmentation_masks), transformation, "nearest") if training else segmentation_masks
        )

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        space = self._space(transformation["input_shape"])
        points = [jnp.asarray(transformation[name], "float32") for name in ("end_points", "start_points")]
        a0, a1, a2, b0, b1, b2, c0, c1 = jnp.moveaxis(projections(*points), -1, 0)[..., None, None]
        applied = transformation["apply_perspective"].reshape(-1, 1, 1)

        def moved(boxes: jax.Array) -> jax.Array:
            x = boxes[..., jnp.array([0, 2, 0, 2])]  # the corners: (batch, boxes, 4)
            y = boxes[..., jnp.array([1, 1, 3, 3])]
            scale = c0 * x + c1 * y + 1
            x, y = (a0 * x + a1 * y + a2) / scale, (b0 * x + b1 * y + b2) / scale
            around = jnp.stack([x.min(-1), y.min(-1), x.max(-1), y.max(-1)], -1)
            return jnp.where(applied, around, boxes)

        return self._on_corners(bounding_boxes, space, space, moved)


@registry.LAYERS.add()
class RandomElasticTransform(ImagePreprocessingLayer):
    """In training, distort images by smooth random displacements.

    Args:
        factor: The probability that an image changes, or the range it is drawn from; one number is from 0 to it.
        scale: The range of the strength, from 0 to 1: at 1, displacements have a standard deviation of a tenth of the
            larger side before they are smoothed over a twentieth of the smaller one. One number is from 0 to it.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_mode, fill_value: What is outside of the image, see `keras.ops.image.affine_transform`.
        value_range: The least and the greatest value of a pixel.
        seed: Integer that makes the random numbers reproducible.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes. Bounding boxes
        are not known after a distortion: a dictionary with them is a ValueError.

    Raises:
        ValueError: `factor` or `scale` is not from 0 to 1, or an option is not one of these.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_elastic_transform/

    >>> import numpy as np
    >>> RandomElasticTransform(seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        scale: float | Sequence[float] = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, 0, 1)
        self.scale = factor_range(self, "scale", scale, 0, 1)
        if interpolation not in INTERPOLATIONS:
            raise unknown("interpolation", interpolation, INTERPOLATIONS)
        if fill_mode not in FILL_MODES:
            raise unknown("fill_mode", fill_mode, FILL_MODES)
        self.interpolation, self.fill_mode, self.fill_value = interpolation, fill_mode, fill_value
        self.value_range = pixel_range(self, value_range)
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training or self.scale[1] == 0 or self.factor[1] == 0:
            return None
        key = self._key(seed)
        rows = batch_size(data)
        numbers = uniform(key, (2 * rows + 1,))
        return {
            "apply_transform": happens(numbers[1:].reshape(2, rows), self.factor),
            "distortion_factor": between(numbers[0], *self.scale),
            "seed": jax.random.fold_in(key, 1),  # of the displacements: the same for images and masks
        }

    def _moved(self, images: jax.Array, transformation: Any, interpolation: str) -> jax.Array:
        if transformation is None:
            return images
        height, width = self._space(images.shape)
        strength = transformation["distortion_factor"]
        alpha, sigma = max(height, width) * 0.1 * strength, min(height, width) * 0.05 * strength
        size = int(6 * min(height, width) * 0.05 * self.scale[1]) | 1  # of the largest window
        moved = distorted(
            images, transformation["seed"], alpha, sigma, size, interpolation, self.fill_mode, self.fill_value,
            self.data_format,
        )  # fmt: skip
        images = jnp.where(per_image(transformation["apply_transform"]), moved, images)
        return jnp.clip(images, *self.value_range)

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        return self._moved(images, transformation, self.interpolation)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return (
            self._moved(jnp.asarray(segmentation_masks), transformation, "nearest") if training else segmentation_masks
        )

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        raise ValueError("RandomElasticTransform: where bounding boxes are after a distortion is not known.")


__all__ = ["RandomElasticTransform", "RandomPerspective"]
