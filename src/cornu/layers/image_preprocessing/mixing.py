"""Rectangles erased from images, and images of a batch mixed with each other."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu.core import registry
from cornu.kernels.random_bits import normal, uniform
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
from cornu.layers.image_preprocessing.tones import BYTES, Factor
from cornu.ops.image.layout import channel_axis, space_axes


def _edges(numbers: jax.Array, length: int, fraction: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return where spans of a fraction of a side start and end, placed by numbers from 0 to 1."""
    size = fraction * length
    start = numbers * (length - size)
    return start, start + size


def _rectangles(shape: Sequence[int], data_format: str, down: Any, across: Any) -> jax.Array:
    """Return booleans of the shape of a batch of images: which pixels are between two edges down and two across."""
    inside: Any = True
    for axis, (start, end) in zip(space_axes(data_format), (down, across), strict=True):
        places = jnp.arange(shape[axis], dtype="float32").reshape([-1 if i == axis % 4 else 1 for i in range(4)])
        inside = inside & (places >= per_image(start)) & (places < per_image(end))
    return jnp.broadcast_to(inside, shape)


@registry.LAYERS.add()
class RandomErasing(ImagePreprocessingLayer):
    """In training, replace a random rectangle of each image by noise or a color.

    Args:
        factor: The probability that an image changes, or the range it is drawn from; one number is from 0 to it.
        scale: The range of the squared fraction of each side that the rectangle has, from 0 to 1.
        fill_value: A number, one for each of three channels, or None for noise.
        value_range: The least and the greatest value of a pixel.
        seed: Integer that makes the random numbers reproducible.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `factor` or `scale` is not from 0 to 1, or `fill_value` is not one of these.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_erasing/ and Zhong et al. 2017,
    https://arxiv.org/abs/1708.04896

    >>> import numpy as np
    >>> RandomErasing(fill_value=7)(np.ones((1, 8, 8, 3))).shape
    (1, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Factor = 1.0,
        scale: Factor = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Sequence[float] = BYTES,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, 0, 1)
        self.scale = factor_range(self, "scale", scale, 0, 1)
        colors = fill_value if isinstance(fill_value, (tuple, list)) else [0 if fill_value is None else fill_value]
        if len(colors) not in (1, 3) or not all(isinstance(one, (int, float)) for one in colors):
            raise ValueError(
                f"RandomErasing: `fill_value` must be a number, three numbers or None; got {fill_value!r}."
            )
        self.fill_value = fill_value
        self.value_range = pixel_range(self, value_range)
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape = (batch_size(data), *images_of(data).shape[-3:])
        height, width = self._space(shape)
        key = self._key(seed)
        numbers = uniform(key, (6, shape[0]))
        fraction = jnp.sqrt(between(numbers[:2], *self.scale))
        across, down = _edges(numbers[2], width, fraction[0]), _edges(numbers[3], height, fraction[1])
        return {
            "apply_erasing": happens(numbers[4:], self.factor),
            "batch_masks": _rectangles(shape, self.data_format, down, across),
            "fill_value": self._filling(jax.random.fold_in(key, 1), shape),
        }

    def _filling(self, key: jax.Array, shape: Sequence[int]) -> jax.Array:
        if self.fill_value is None:
            filling = normal(key, shape) * self.value_range[1]
        else:
            colors = jnp.asarray(self.fill_value, "float32").reshape(-1)
            sizes = [1, 1, 1, 1]
            sizes[channel_axis(self.data_format)] = colors.shape[0]
            filling = jnp.broadcast_to(colors.reshape(sizes), shape)
        return jnp.clip(filling, *self.value_range)

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        erased = per_image(transformation["apply_erasing"]) & transformation["batch_masks"]
        return jnp.where(erased, transformation["fill_value"].astype(images.dtype), images)


def _mixed(values: Any, weight: jax.Array, order: jax.Array) -> jax.Array:
    """Return the rows of an array mixed with others of them."""
    values = jnp.asarray(values)
    weight = weight.reshape(-1, *[1] * (values.ndim - 1))
    return weight * values + (1 - weight) * values[order]


@registry.LAYERS.add()
class CutMix(ImagePreprocessingLayer):
    """In training, replace a rectangle of each image by that of another of the batch, and mix the labels likewise.

    Args:
        factor: The range of the parameter of the beta distribution that sizes are drawn from; one number is from 0 to
            it.
        seed: Integer that makes the random numbers reproducible.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes. Labels are
        one-hot, ``(batch, classes)``. Bounding boxes cannot be mixed: a dictionary with them is a ValueError.

    Raises:
        ValueError: `factor` is not from 0 to 1.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/cut_mix/ and Yun et al. 2019,
    https://arxiv.org/abs/1905.04899

    >>> import numpy as np
    >>> data = {"images": np.ones((2, 4, 4, 3)), "labels": np.eye(2)}
    >>> CutMix(seed=1)(data)["labels"].sum(1).tolist()
    [1.0, 1.0]
    """

    keeps_rows_apart = False

    def __init__(
        self,
        factor: Factor = 1.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, 0, 1)
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        images = images_of(data)
        if not training or images.ndim == 3:
            return None
        key = self._key(seed)
        rows, (height, width) = images.shape[0], self._space(images.shape)
        numbers = uniform(key, (2 * rows + 1,))
        alpha = between(numbers[0], *self.factor) + 1e-6
        side = jnp.sqrt(1 - jax.random.beta(jax.random.fold_in(key, 1), alpha, alpha, (rows,)))
        across, down = _edges(numbers[1 : rows + 1], width, side), _edges(numbers[rows + 1 :], height, side)
        area = (across[1] - across[0]) * (down[1] - down[0])
        return {
            "permutation_order": jax.random.permutation(jax.random.fold_in(key, 2), rows),
            "batch_masks": _rectangles(images.shape, self.data_format, down, across),
            "mix_weight": per_image(1 - area / (width * height)),
        }

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        if transformation is None:
            return images
        return jnp.where(transformation["batch_masks"], images[transformation["permutation_order"]], images)

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        if not training or transformation is None:
            return labels
        return _mixed(labels, transformation["mix_weight"], transformation["permutation_order"])

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        raise ValueError("CutMix: bounding boxes of parts of images cannot be mixed.")

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        if training and transformation is not None:
            inside = transformation["batch_masks"]
            inside = jnp.take(inside, jnp.array([0]), channel_axis(self.data_format))  # masks have their own channels
            transformation = {**transformation, "batch_masks": inside}
        return self.transform_images(segmentation_masks, transformation, training)


@registry.LAYERS.add()
class MixUp(ImagePreprocessingLayer):
    """In training, mix each image with another of the batch, and the labels likewise.

    Args:
        alpha: Parameter of the beta distribution that weights are drawn from, above 0.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        seed: Integer that makes the random numbers reproducible.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes. Labels are
        one-hot, ``(batch, classes)``. Of bounding boxes there are twice as many: those of both images.

    Raises:
        ValueError: `alpha` is not a positive number.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/mix_up/ and Zhang et al. 2017,
    https://arxiv.org/abs/1710.09412

    >>> import numpy as np
    >>> data = {"images": np.ones((2, 4, 4, 3)), "labels": np.eye(2)}
    >>> MixUp(seed=1)(data)["labels"].sum(1).tolist()
    [1.0, 1.0]
    """

    keeps_rows_apart = False

    def __init__(
        self,
        alpha: float = 0.2,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.alpha = number_in(self, "alpha", alpha, 0)
        if self.alpha == 0:
            raise ValueError("MixUp: `alpha` must be above 0; leave the layer out to mix nothing.")
        self._draws_from(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        key, rows = self._key(seed), batch_size(data)
        return {
            "mix_weight": jax.random.beta(jax.random.fold_in(key, 1), self.alpha, self.alpha, (rows,)),
            "permutation_order": jax.random.permutation(jax.random.fold_in(key, 2), rows),
        }

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        return _mixed(images, transformation["mix_weight"].astype(images.dtype), transformation["permutation_order"])

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        return _mixed(labels, transformation["mix_weight"], transformation["permutation_order"]) if training else labels

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return self.transform_labels(segmentation_masks, transformation, training)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        order = transformation["permutation_order"]
        return {
            name: jnp.concatenate([bounding_boxes[name], bounding_boxes[name][order]], 1)
            for name in ("boxes", "labels")
        }


__all__ = ["CutMix", "MixUp", "RandomErasing"]
