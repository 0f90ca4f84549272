"""Layers that preprocess data inside the model."""

from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import registry, settings
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions


@registry.LAYERS.add()
class Rescaling(Layer):
    """Compute ``inputs * scale + offset``, for example ``Rescaling(1 / 255)`` for 8-bit images.

    Args:
        scale: A number, or one per channel (channels are where ``cornu.config.image_data_format()`` puts them).
        offset: A number, or one per channel.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs of any shape and dtype; outputs are floats of the same shape.

    Follows https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/

    >>> import numpy as np
    >>> Rescaling(0.5, offset=-1)(np.array([[0, 4]], "uint8")).tolist()
    [[-1.0, 1.0]]
    """

    supports_masking = True
    keeps_rows_apart = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset

    def call(self, inputs: jax.Array) -> jax.Array:
        return jnp.asarray(inputs, self.compute_dtype) * self._per_channel(self.scale) + self._per_channel(self.offset)

    def _per_channel(self, value: Any) -> jax.Array:
        array = jnp.asarray(np.asarray(value, "float64"), self.compute_dtype)
        if array.ndim and settings.image_data_format() == "channels_first":
            return array.reshape(array.shape + (1,) * (3 - array.ndim))
        return array


__all__ = [
    "Rescaling",
]
