"""Images turned, shifted, zoomed and sheared at random: one projection for each, see `ops.image.affine_transform`."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu.core import registry
from cornu.core.errors import unknown
from cornu.kernels.resampling import INTERPOLATIONS
from cornu.layers.image_preprocessing.base import BoxOptions, ImageOptions, ImagePreprocessingLayer, between, images_of
from cornu.layers.image_preprocessing.ranges import factor_range
from cornu.ops.bounding_boxes import affine_transform, clip_to_image_size, convert_format, over_corners
from cornu.ops.image.warps import projected

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
Factor = float | Sequence[float]


class AffineLayer(ImagePreprocessingLayer):
    """Base of the layers that move pixels by a projection; a layer says which, by ``_projections(transformation)``.

    Args:
        fill_mode, interpolation, fill_value, seed, data_format: See `RandomRotation`.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.
    """

    def __init__(
        self, fill_mode: str, interpolation: str, seed: int | None, fill_value: float, **kwargs: Unpack[ImageOptions]
    ) -> None:
        super().__init__(**kwargs)
        if fill_mode not in FILL_MODES:
            raise unknown("fill_mode", fill_mode, FILL_MODES)
        if interpolation not in INTERPOLATIONS:
            raise unknown("interpolation", interpolation, INTERPOLATIONS)
        self.fill_mode, self.interpolation, self.fill_value = fill_mode, interpolation, fill_value
        self._draws_from(seed)

    def _projections(self, transformation: Any, space: Sequence[int]) -> jax.Array:
        """Return ``(batch, 8)`` for images of height and width `space`."""
        raise NotImplementedError

    def _moved(self, images: jax.Array, transformation: Any, interpolation: str) -> jax.Array:
        transforms = self._projections(transformation, self._space(images.shape))
        return projected(images, transforms, interpolation, self.fill_mode, self.fill_value, self.data_format)

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        return self._moved(images, transformation, self.interpolation)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return (
            self._moved(jnp.asarray(segmentation_masks), transformation, "nearest") if training else segmentation_masks
        )


def _rows(*entries: Any) -> jax.Array:
    """Return projections ``(batch, 8)`` from the first six entries, numbers or ``(batch,)``."""
    size = next(entry.shape[0] for entry in entries if hasattr(entry, "shape") and entry.shape)
    columns = [jnp.broadcast_to(jnp.asarray(entry, "float32"), (size,)) for entry in (*entries, 0, 0)]
    return jnp.stack(columns, -1)


@registry.LAYERS.add()
class RandomRotation(AffineLayer):
    """In training, turn each image by a random angle around its center.

    Args:
        factor: The range of angles as fractions of a full turn, counterclockwise: ``(-0.1, 0.2)`` is from -36 to 72
            degrees. One number is that far in both directions.
        fill_mode: What is outside of the image: ``"reflect"`` (the image mirrored at its edge), ``"wrap"`` (the image
            again), ``"nearest"`` (the pixels of the edge) or ``"constant"`` (`fill_value`).
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: Integer that makes the random numbers reproducible.
        fill_value: The value outside, for ``"constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `factor` is not from -1 to 1, or an option is not one of these.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_rotation/

    >>> import numpy as np
    >>> RandomRotation(0.1, seed=1)(np.ones((2, 4, 5, 3))).shape
    (2, 4, 5, 3)
    """

    def __init__(
        self,
        factor: Factor,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, -1, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        (numbers,) = self._unit_numbers(seed, data, 1)
        angle = between(numbers, self.factor[0] * 360, self.factor[1] * 360)
        height, width = space = self._space(images_of(data).shape)
        return {
            "angle": angle,
            "rotation_matrix": _rotations(angle, space),
            "image_height": height,
            "image_width": width,
            "batch_size": angle.shape[0],
        }

    def _projections(self, transformation: Any, space: Sequence[int]) -> jax.Array:
        return jnp.asarray(transformation["rotation_matrix"]).reshape(-1, 8)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        height, width = space = transformation["image_height"], transformation["image_width"]
        angle = jnp.asarray(transformation["angle"])
        zero, one = jnp.zeros_like(angle), jnp.ones_like(angle)

        def turned(boxes: jax.Array) -> jax.Array:
            return affine_transform(boxes, angle, zero, zero, one, zero, zero, height, width)

        return self._on_corners(bounding_boxes, space, space, turned)


def _rotations(degrees: jax.Array, space: Sequence[int]) -> jax.Array:
    angle = jnp.deg2rad(degrees)
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    y, x = ((size - 1) / 2 for size in space)  # the center, which stays in place
    return _rows(cosine, -sine, x - x * cosine + y * sine, sine, cosine, y - x * sine - y * cosine)


@registry.LAYERS.add()
class RandomTranslation(AffineLayer):
    """In training, shift each image at random.

    Args:
        height_factor: The range of shifts downwards, as fractions of the height; one number is that far up and down.
        width_factor: The range of shifts to the right, as fractions of the width.
        fill_mode, interpolation, seed, fill_value, data_format: See `RandomRotation`.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: A factor is not from -1 to 1, or an option is not one of those.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_translation/

    >>> import numpy as np
    >>> RandomTranslation(0.1, (0, 0.2), seed=1)(np.ones((2, 4, 5, 3))).shape
    (2, 4, 5, 3)
    """

    def __init__(
        self,
        height_factor: Factor,
        width_factor: Factor,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format=data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height_range = factor_range(self, "height_factor", height_factor, -1, 1, strict=True)
        self._width_range = factor_range(self, "width_factor", width_factor, -1, 1, strict=True)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape = images_of(data).shape
        height, width = self._space(shape)
        down, right = self._unit_numbers(seed, data, 2)
        shifts = [between(right, *self._width_range) * width, between(down, *self._height_range) * height]
        return {"translations": jnp.stack(shifts, 1), "input_shape": shape}

    def _projections(self, transformation: Any, space: Sequence[int]) -> jax.Array:
        shifts = jnp.asarray(transformation["translations"])
        return _rows(1, 0, -shifts[:, 0], 0, 1, -shifts[:, 1])

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        space = self._space(transformation["input_shape"])
        right, down = (jnp.asarray(transformation["translations"])[:, i, None, None] for i in range(2))
        return self._on_corners(
            bounding_boxes, space, space, lambda boxes: over_corners(boxes, lambda x: x + right, lambda y: y + down)
        )


@registry.LAYERS.add()
class RandomZoom(AffineLayer):
    """In training, zoom into each image, or out of it, at random.

    Args:
        height_factor: The range of changes of the height that is seen, as fractions of it: ``(0.2, 0.3)`` zooms out by
            20 to 30%, ``(-0.3, -0.2)`` zooms in. One number is that far in both directions.
        width_factor: The same for the width; None keeps the proportions.
        fill_mode, interpolation, seed, fill_value, data_format: See `RandomRotation`.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: A factor is not above -1 and at most 1, or an option is not one of those.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_zoom/

    >>> import numpy as np
    >>> RandomZoom(0.1, seed=1)(np.ones((2, 4, 5, 3))).shape
    (2, 4, 5, 3)
    """

    def __init__(
        self,
        height_factor: Factor,
        width_factor: Factor | None = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format=data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height_range = self._range("height_factor", height_factor)
        self._width_range = None if width_factor is None else self._range("width_factor", width_factor)

    def _range(self, argument: str, factor: Factor) -> tuple[float, float]:
        low, high = factor_range(self, argument, factor, -1, 1, strict=True)
        if -1 in (factor if isinstance(factor, (tuple, list)) else [factor]):
            raise ValueError(f"RandomZoom: `{argument}` must be above -1, which leaves nothing to see; got {factor!r}.")
        return low, high

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        numbers = self._unit_numbers(seed, data, 2)
        height = 1 + between(numbers[0], *self._height_range)
        width = height if self._width_range is None else 1 + between(numbers[1], *self._width_range)
        return {"height_zoom": height[:, None], "width_zoom": width[:, None], "input_shape": images_of(data).shape}

    def _projections(self, transformation: Any, space: Sequence[int]) -> jax.Array:
        width, height = (jnp.asarray(transformation[f"{name}_zoom"])[:, 0] for name in ("width", "height"))
        return _rows(width, 0, (space[1] - 1) / 2 * (1 - width), 0, height, (space[0] - 1) / 2 * (1 - height))

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        height, width = space = self._space(transformation["input_shape"])
        transforms = self._projections(transformation, space)[:, :, None, None]  # (batch, 8, 1, 1)
        left, top = transforms[:, 2], transforms[:, 5]  # the part of the image that is seen
        right, bottom = transforms[:, 0] * width + left, transforms[:, 4] * height + top
        form = self.bounding_box_format or "xyxy"
        found = convert_format(bounding_boxes, form, "xyxy", height, width)
        found["boxes"] = over_corners(
            found["boxes"], lambda x: jnp.clip(x, left, right) - left, lambda y: jnp.clip(y, top, bottom) - top
        )
        found = convert_format(found, "xyxy", "rel_xyxy", bottom - top, right - left)
        found = clip_to_image_size(found, bounding_box_format="rel_xyxy")
        return convert_format(found, "rel_xyxy", form, height, width)


@registry.LAYERS.add()
class RandomShear(AffineLayer):
    """In training, shear each image at random, in one direction or the other.

    Args:
        x_factor: The range of how far rows move, in pixels for each pixel below the top; one number is that far in both
            directions.
        y_factor: The same for columns.
        interpolation, fill_mode, fill_value, data_format, seed: See `RandomRotation`.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: A factor is not from 0 to 1, or an option is not one of those.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_shear/

    >>> import numpy as np
    >>> RandomShear(0.2, seed=1)(np.ones((2, 4, 5, 3))).shape
    (2, 4, 5, 3)
    """

    def __init__(
        self,
        x_factor: Factor = 0.0,
        y_factor: Factor = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format=data_format, **kwargs)
        self.x_factor, self.y_factor = _one_number(x_factor), _one_number(y_factor)
        self._x_range = _shear_range(self, "x_factor", self.x_factor)
        self._y_range = _shear_range(self, "y_factor", self.y_factor)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        across, down, sign = self._unit_numbers(seed, data, 3)
        factors = jnp.stack([between(across, *self._x_range), between(down, *self._y_range)], 1)
        return {
            "shear_factor": jnp.where(sign > 0.5, -1, 1)[:, None] * factors,
            "input_shape": images_of(data).shape,
        }

    def _projections(self, transformation: Any, space: Sequence[int]) -> jax.Array:
        factors = jnp.asarray(transformation["shear_factor"])
        return _rows(1, factors[:, 0], 0, factors[:, 1], 1, 0)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        space = self._space(transformation["input_shape"])
        across, down = jnp.split(jnp.asarray(transformation["shear_factor"], "float32"), 2, -1)  # each (batch, 1)

        def sheared(boxes: jax.Array) -> jax.Array:
            left, top, right, bottom = jnp.moveaxis(boxes, -1, 0)  # each (batch, boxes)
            left, right = (
                x - across * jnp.where(across < 0, *ends) for x, ends in ((left, (top, bottom)), (right, (bottom, top)))
            )
            # The second direction goes by the new x, as in Keras.
            top = top - down * jnp.where(down > 0, right, left)
            bottom = bottom - down * jnp.where(down > 0, left, right)
            return jnp.stack([left, top, right, bottom], -1)

        return self._on_corners(bounding_boxes, space, space, sheared, relative=True)


def _shear_range(layer: RandomShear, argument: str, factor: Factor) -> tuple[float, float]:
    """Return the range of a factor; as in Keras one number is that far in both directions."""
    low, high = factor_range(layer, argument, factor, 0, 1, strict=True)
    return (low, high) if isinstance(factor, (tuple, list)) else (-high, high)


def _one_number(factor: Any) -> Any:
    """Return the number whose range a config of Keras has; any other factor unchanged."""
    is_range = isinstance(factor, (tuple, list)) and len(factor) == 2 and factor[0] == -factor[1]
    return factor[1] if is_range else factor


__all__ = ["RandomRotation", "RandomShear", "RandomTranslation", "RandomZoom"]
