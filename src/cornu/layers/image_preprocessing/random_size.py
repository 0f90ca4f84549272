"""Images of random height or width, as in tf.keras 2."""

from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu.core import registry
from cornu.core.errors import unknown
from cornu.kernels.random_bits import uniform
from cornu.layers.image_preprocessing.base import ImageOptions, ImagePreprocessingLayer, between
from cornu.layers.image_preprocessing.ranges import factor_range
from cornu.layers.image_preprocessing.tones import Factor
from cornu.ops.image.layout import space_axes
from cornu.ops.image.sizes import INTERPOLATIONS, resize

_LONGEST = 10.0  # times as high as before


class RandomLengthLayer(ImagePreprocessingLayer):
    """Base of the layers that stretch one side of images at random.

    Args:
        factor: See `RandomHeight`; `side` is the number of the side, 0 for the height.
        interpolation, seed: See `RandomHeight`.
        **kwargs: `data_format`, and arguments of `Layer`.
    """

    side: int

    def __init__(
        self, factor: Factor, interpolation: str = "bilinear", seed: int | None = None, **kwargs: Unpack[ImageOptions]
    ) -> None:
        super().__init__(**kwargs)
        self.factor = factor
        self._range = factor_range(self, "factor", factor, -1, _LONGEST, strict=True)
        if interpolation not in INTERPOLATIONS:
            raise unknown("interpolation", interpolation, INTERPOLATIONS)
        self.interpolation = interpolation
        self._draws_from(seed)

    keeps_rows_apart = True

    def call(self, data: Any, training: bool = True) -> Any:
        if isinstance(data, jax.core.Tracer) or isinstance(self.generator._value, jax.core.Tracer):
            return super().call(data, training)
        images = jnp.asarray(data).astype(self.compute_dtype)
        if not training:
            return images
        size = [images.shape[axis] for axis in space_axes(self.data_format)]
        number = float(uniform(self.generator.next(), ()))
        size[self.side] = max(1, int(size[self.side] * (1 + between(number, *self._range))))  # type: ignore[arg-type]
        return resize(images, size, self.interpolation, data_format=self.data_format)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        return {"scale": 1 + between(uniform(self._key(seed), ()), *self._range)} if training else None

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        """Return images stretched around their middle, in a compiled step: its shapes cannot be random."""
        axis = space_axes(self.data_format)[self.side] % images.ndim
        scale, length = transformation["scale"], images.shape[axis]
        positions = (jnp.arange(length) - (length - 1) / 2) / scale + (length - 1) / 2
        low = jnp.clip(jnp.floor(positions), 0, length - 1)
        weight = jnp.clip(positions - low, 0, 1).reshape([-1 if i == axis else 1 for i in range(images.ndim)])
        row = low.astype("int32")
        after = jnp.minimum(row + 1, length - 1)
        return (1 - weight) * jnp.take(images, row, axis) + weight * jnp.take(images, after, axis)


@registry.LAYERS.add()
class RandomHeight(RandomLengthLayer):
    """In training, change the height of a batch of images at random.

    In a model's compiled steps, where shapes are fixed, the outputs keep the height: the content is stretched around
    the middle, and the pixels of the edge are repeated where nothing is left.

    Args:
        factor: The range of changes, as fractions of the height: ``(0.2, 0.3)`` is 20 to 30% more. One number is that
            far in both directions.
        interpolation: ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        seed: Integer that makes the random numbers reproducible.
        **kwargs: `data_format`, and arguments of `Layer`.

    Shapes:
        Images ``(batch, height, width, channels)``; outputs with another height.

    Raises:
        ValueError: `factor` is below -1, or `interpolation` is not one of these.

    Follows https://keras.io/2.16/api/layers/preprocessing_layers/image_augmentation/random_height/

    >>> import numpy as np
    >>> RandomHeight((0.5, 0.5))(np.ones((1, 4, 4, 3))).shape
    (1, 6, 4, 3)
    """

    side = 0


@registry.LAYERS.add()
class RandomWidth(RandomLengthLayer):
    """In training, change the width of a batch of images at random; see `RandomHeight`.

    Args:
        factor, interpolation, seed: See `RandomHeight`.
        **kwargs: `data_format`, and arguments of `Layer`.

    Shapes:
        Images ``(batch, height, width, channels)``; outputs with another width.

    Raises:
        ValueError: `factor` is below -1, or `interpolation` is not one of these.

    Follows https://keras.io/2.16/api/layers/preprocessing_layers/image_augmentation/random_width/

    >>> import numpy as np
    >>> RandomWidth((-0.5, -0.5))(np.ones((1, 4, 4, 3))).shape
    (1, 4, 2, 3)
    """

    side = 1


__all__ = ["RandomHeight", "RandomWidth"]
