"""Images mirrored at random."""

from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu.core import registry
from cornu.core.errors import unknown
from cornu.layers.image_preprocessing.base import BoxOptions, ImagePreprocessingLayer, images_of, per_image
from cornu.ops.image.layout import space_axes

MODES = ("horizontal", "vertical", "horizontal_and_vertical")


@registry.LAYERS.add()
class RandomFlip(ImagePreprocessingLayer):
    """In training, mirror each image with a probability of one half.

    Args:
        mode: ``"horizontal"`` (left and right change places), ``"vertical"``, or ``"horizontal_and_vertical"``, which
            does both to the same images.
        seed: Integer that makes the random numbers reproducible.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `mode` is not one of these.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_flip/

    >>> import numpy as np
    >>> RandomFlip("horizontal", seed=1)(np.ones((2, 4, 5, 3))).shape
    (2, 4, 5, 3)
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if mode not in MODES:
            raise unknown("mode of RandomFlip", mode, MODES)
        self.mode = mode
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        flips = per_image(self._unit_numbers(seed, data, 1) <= 0.5)
        return {"flips": flips, "input_shape": images_of(data).shape}

    def _flipped_axes(self) -> list[int]:
        vertical, horizontal = space_axes(self.data_format)
        return [axis for name, axis in (("horizontal", horizontal), ("vertical", vertical)) if name in self.mode]

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        return jnp.where(transformation["flips"], jnp.flip(images, self._flipped_axes()), images)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return self.transform_images(segmentation_masks, transformation, training=training)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        space = self._space(transformation["input_shape"])
        flips = transformation["flips"].reshape(-1, 1, 1)
        _, horizontal = space_axes(self.data_format)

        def mirrored(boxes: jax.Array) -> jax.Array:
            changed = boxes
            for axis in self._flipped_axes():
                first = 0 if axis == horizontal else 1  # x or y of the first corner; that of the second is 2 later
                low, high = 1 - changed[..., first + 2], 1 - changed[..., first]
                changed = changed.at[..., first].set(low).at[..., first + 2].set(high)
            return jnp.where(flips, changed, boxes)

        return self._on_corners(bounding_boxes, space, space, mirrored, relative=True)


__all__ = ["RandomFlip"]
