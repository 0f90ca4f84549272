"""Images brought to one size: resized, or cropped in the middle or at random."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu.core import registry
from cornu.core.errors import unknown
from cornu.kernels.random_bits import uniform
from cornu.layers.argument_checks import check_integer
from cornu.layers.image_preprocessing.base import BoxOptions, ImagePreprocessingLayer, images_of
from cornu.ops.bounding_boxes import over_corners
from cornu.ops.image.layout import space_axes
from cornu.ops.image.sizes import INTERPOLATIONS, fitting, resize


class SizedLayer(ImagePreprocessingLayer):
    """Base of the layers whose outputs have one height and width.

    Args:
        height, width: Of the outputs.
        **kwargs: `bounding_box_format`, `data_format`, and arguments of `Layer`.
    """

    def __init__(self, height: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height = check_integer(self, "height", height)
        self.width = check_integer(self, "width", width)

    @property
    def _size(self) -> tuple[int, int]:
        return self.height, self.width

    def _fitted(self, images: jax.Array) -> jax.Array:
        """Return the largest part in the middle with the new proportions, resized."""
        return resize(images, self._size, crop_to_aspect_ratio=True, data_format=self.data_format)

    def _cut(self, images: jax.Array, starts: Sequence[Any], lengths: Sequence[int]) -> jax.Array:
        for axis, start, length in zip(space_axes(self.data_format), starts, lengths, strict=True):
            images = jax.lax.dynamic_slice_in_dim(images, start, length, axis=axis % images.ndim)
        return images

    def _boxes_of_part(self, boxes: Any, space: Sequence[int], starts: Sequence[Any], lengths: Sequence[int]) -> Any:
        """Return bounding boxes after a part of images of `space` was cut out and resized to the new size."""
        (top, left), (height, width) = starts, lengths

        def moved(corners: jax.Array) -> jax.Array:
            return over_corners(
                corners,
                lambda x: (jnp.clip(x, left, left + width) - left) * (self.width / width),
                lambda y: (jnp.clip(y, top, top + height) - top) * (self.height / height),
            )

        return self._on_corners(boxes, space, self._size, moved)


@registry.LAYERS.add()
class Resizing(SizedLayer):
    """Resize images.

    Args:
        height, width: Of the outputs.
        interpolation: ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        crop_to_aspect_ratio: Whether to cut off margins first, so that nothing is stretched.
        pad_to_aspect_ratio: Whether to add margins first, so that nothing is stretched.
        fill_mode: ``"constant"``.
        fill_value: What margins are filled with.
        antialias: Whether to filter before downsampling.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the new size and the same dtype.

    Raises:
        ValueError: A size is not a positive integer, or an option is not one of these.

    Follows https://keras.io/api/layers/preprocessing_layers/image_preprocessing/resizing/

    >>> import numpy as np
    >>> Resizing(2, 3)(np.ones((1, 8, 8, 3), "uint8")).shape
    (1, 2, 3, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(height, width, data_format=data_format, **kwargs)
        name = interpolation.lower() if isinstance(interpolation, str) else interpolation
        if name not in INTERPOLATIONS:
            raise unknown("interpolation", interpolation, INTERPOLATIONS)
        if fill_mode != "constant":
            raise ValueError(f'Resizing: `fill_mode` must be "constant"; got {fill_mode!r}.')
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError("Resizing: pass only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`.")
        self.interpolation, self.antialias = name, bool(antialias)
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = crop_to_aspect_ratio, pad_to_aspect_ratio
        self.fill_mode, self.fill_value = fill_mode, fill_value

    def _resized(self, images: Any, interpolation: str) -> jax.Array:
        return resize(
            images, self._size, interpolation, self.antialias, self.crop_to_aspect_ratio, self.pad_to_aspect_ratio,
            self.fill_mode, self.fill_value, self.data_format,
        )  # fmt: skip

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        return self._space(images_of(data).shape)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> jax.Array:
        images = jnp.asarray(images)
        floats = jnp.issubdtype(images.dtype, jnp.floating)
        return self._resized(images.astype(self.compute_dtype) if floats else images, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return self._resized(jnp.asarray(segmentation_masks), "nearest")

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        boxes = bounding_boxes["boxes"]
        is_filling = jnp.all(boxes == -1, -1) | jnp.all(boxes == 0, -1)
        scales, shifts = self._scales_and_shifts(transformation)

        def moved(corners: jax.Array) -> jax.Array:
            return over_corners(corners, lambda x: x * scales[1] + shifts[1], lambda y: y * scales[0] + shifts[0])

        changed = self._on_corners(bounding_boxes, transformation, self._size, moved)
        return {**changed, "boxes": jnp.where(is_filling[..., None], 0, changed["boxes"])}

    def _scales_and_shifts(self, space: Sequence[int]) -> tuple[Sequence[float], Sequence[float]]:
        """Return by what positions along height and width are multiplied, and what is added then, as in Keras."""
        scales = [new / old for new, old in zip(self._size, space, strict=True)]
        if self.pad_to_aspect_ratio:
            scales = [min(scales)] * 2
        elif self.crop_to_aspect_ratio:
            scales = [max(scales)] * 2
        differences = [round(new - old * scale, 4) for new, old, scale in zip(self._size, space, scales, strict=True)]
        return scales, [one // 2 if one > 0 else -(-one // 2) for one in differences]


@registry.LAYERS.add()
class CenterCrop(SizedLayer):
    """Cut out the middle of images. From smaller images, the largest part with these proportions is cut and resized.

    Args:
        height, width: Of the outputs.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the new size.

    Raises:
        ValueError: A size is not a positive integer.

    Follows https://keras.io/api/layers/preprocessing_layers/image_preprocessing/center_crop/

    >>> import numpy as np
    >>> CenterCrop(1, 2)(np.arange(16.0).reshape(1, 4, 4, 1)).ravel().tolist()
    [5.0, 6.0]
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Unpack[BoxOptions]) -> None:
        super().__init__(height, width, data_format=data_format, **kwargs)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        return {"input_shape": images_of(data).shape}

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> jax.Array:
        images = jnp.asarray(images).astype(self.compute_dtype)
        starts = self._starts(self._space(images.shape))
        return self._fitted(images) if starts is None else self._cut(images, starts, self._size)

    def _starts(self, space: Sequence[int]) -> list[int] | None:
        """Return where the part starts, or None if the images are too small."""
        differences = [old - new for old, new in zip(space, self._size, strict=True)]
        return None if min(differences) < 0 else [one // 2 for one in differences]

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return self.transform_images(segmentation_masks, transformation, training=training)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        space = self._space(transformation["input_shape"])
        starts = self._starts(space)
        if starts is not None:
            return self._boxes_of_part(bounding_boxes, space, starts, self._size)
        return self._boxes_of_part(bounding_boxes, space, *zip(*fitting(space, self._size), strict=True))


@registry.LAYERS.add()
class RandomCrop(SizedLayer):
    """In training, cut out a random part of images, the same for a batch; otherwise, the middle with these proportions.

    Args:
        height, width: Of the outputs. If images are not larger, they are resized.
        seed: Integer that makes the random numbers reproducible.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the new size.

    Raises:
        ValueError: A size is not a positive integer.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_crop/

    >>> import numpy as np
    >>> RandomCrop(2, 3, seed=1)(np.ones((1, 8, 8, 3))).shape
    (1, 2, 3, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(height, width, data_format=data_format, **kwargs)
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        shape = images_of(data).shape
        space = self._space(shape)
        starts: tuple[Any, ...] = tuple(start for start, _ in fitting(space, self._size))
        if training and all(old > new for old, new in zip(space, self._size, strict=True)):
            numbers = uniform(self._key(seed), (2,))
            starts = tuple((numbers[i] * (space[i] - self._size[i] + 1)).astype("int32") for i in range(2))
        return {"crop_start": starts, "input_shape": shape}

    def _part(self, space: Sequence[int], transformation: Any, training: bool) -> tuple[Sequence[Any], Sequence[int]]:
        """Return where the part of images starts, and its height and width."""
        if not training:
            part = fitting(space, self._size)
            return [start for start, _ in part], [length for _, length in part]
        starts = transformation["crop_start"]
        lengths = [  # a random part fits; what is in the middle of small images may not
            wanted if isinstance(start, jax.core.Tracer) else min(wanted, whole - int(start))
            for start, wanted, whole in zip(starts, self._size, space, strict=True)
        ]
        return starts, lengths

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> jax.Array:
        images = jnp.asarray(images).astype(self.compute_dtype)
        starts, lengths = self._part(self._space(images.shape), transformation, training)
        part = self._cut(images, starts, lengths)
        return part if tuple(lengths) == self._size else resize(part, self._size, data_format=self.data_format)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return self.transform_images(segmentation_masks, transformation, training=training)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        space = self._space(transformation["input_shape"])
        return self._boxes_of_part(bounding_boxes, space, *self._part(space, transformation, training))


__all__ = ["CenterCrop", "RandomCrop", "Resizing"]
