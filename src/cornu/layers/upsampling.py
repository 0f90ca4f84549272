"""Layers that upsample space by integer factors."""

from collections.abc import Sequence
from typing import Unpack

from jax import Array

from cornu.core import era, registry
from cornu.core.errors import unknown
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.core.settings import standardize_data_format
from cornu.layers.argument_checks import check_integer
from cornu.layers.window_arguments import per_dimension
from cornu.ops.image import enlarge

Numbers = int | Sequence[int]

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
#: Name in programs and configs of one version -> what it means: Keras 2 put pixels at their corners, not their centers.
OF_VERSIONS = {"bilinear_of_keras_2": "bilinear_of_keras_2", "bilinear_of_keras_3": "bilinear"}


@registry.LAYERS.add()
class UpSampling1D(Layer):
    """Repeat each time step.

    Args:
        size: How often, a positive integer.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, time, features)``, outputs ``(batch, time * size, features)``.

    Raises:
        ValueError: `size` is not a positive integer.

    Follows https://keras.io/api/layers/reshaping_layers/up_sampling1d/

    >>> import numpy as np
    >>> UpSampling1D(3)(np.ones((2, 4, 5))).shape
    (2, 12, 5)
    """

    keeps_rows_apart = True

    def __init__(self, size: int = 2, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.size = check_integer(self, "size", size)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Array) -> Array:
        return enlarge(inputs, (self.size,), "channels_last")


@registry.LAYERS.add()
class UpSampling2D(Layer):
    """Upsample images by repeating or interpolating pixels.

    Args:
        size: Factor, an integer or a pair ``(rows, columns)``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, rows, columns, channels)``, outputs ``(batch, rows * size, columns * size, channels)``;
        channels come second for ``"channels_first"``.

    Raises:
        ValueError: `size` or `interpolation` is not one of these.

    Follows https://keras.io/api/layers/reshaping_layers/up_sampling2d/

    >>> import numpy as np
    >>> UpSampling2D((1, 2), interpolation="bilinear")(np.ones((1, 4, 4, 3))).shape
    (1, 4, 8, 3)
    """

    keeps_rows_apart = True

    def __init__(
        self,
        size: Numbers = 2,
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        self.size = per_dimension(self, "size", size, 2)
        self.data_format = standardize_data_format(data_format)
        self.interpolation = self._meant(interpolation)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Array) -> Array:
        return enlarge(inputs, self.size, self.data_format, self.interpolation)

    def _meant(self, interpolation: str) -> str:
        """Return the interpolation that a name stands for in the era of the program; ValueError for none."""
        name = interpolation.lower() if isinstance(interpolation, str) else interpolation
        if name in OF_VERSIONS:
            return OF_VERSIONS[name]
        if name not in INTERPOLATIONS:
            raise unknown("interpolation", interpolation, INTERPOLATIONS)
        return "bilinear_of_keras_2" if name == "bilinear" and era.holds("bilinear keeps corners") else name


@registry.LAYERS.add()
class UpSampling3D(Layer):
    """Upsample volumes by repeating each value along all three dimensions.

    Args:
        size: Factor, an integer or three.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, depth, rows, columns, channels)``; outputs the same, each spatial size times `size`.

    Raises:
        ValueError: `size` is not a positive integer or three of them.

    Follows https://keras.io/api/layers/reshaping_layers/up_sampling3d/

    >>> import numpy as np
    >>> UpSampling3D(2)(np.ones((1, 2, 2, 2, 3))).shape
    (1, 4, 4, 4, 3)
    """

    keeps_rows_apart = True

    def __init__(self, size: Numbers = 2, data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.size = per_dimension(self, "size", size, 3)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Array) -> Array:
        return enlarge(inputs, self.size, self.data_format)


__all__ = [
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
]
