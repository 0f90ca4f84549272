"""Layers that add zeros around space or crop its edges."""

from typing import Any, Unpack

import jax.numpy as jnp
from jax import Array

from cornu.core import registry
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.core.settings import standardize_data_format
from cornu.layers.window_arguments import per_dimension, sides, space_axes


class _ZeroPadding(Layer):
    """Zeros around space."""

    rank: int
    keeps_rows_apart = True

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        one = self.rank == 1
        self.padding = (
            per_dimension(self, "padding", padding, 2, 0) if one else sides(self, "padding", padding, self.rank)
        )
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Array) -> Array:
        widths = [(0, 0)] * inputs.ndim
        pairs: Any = [self.padding] if self.rank == 1 else self.padding
        for axis, pair in zip(space_axes(self.data_format, self.rank), pairs, strict=True):
            widths[axis] = pair
        return jnp.pad(inputs, widths)


@registry.LAYERS.add()
class ZeroPadding1D(_ZeroPadding):
    """Pad sequences with zeros.

    Args:
        padding: An integer, or a pair ``(before, after)``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, time, channels)``, outputs ``(batch, new_time, channels)``.

    Raises:
        ValueError: `padding` is not of one of these forms.

    Follows https://keras.io/api/layers/reshaping_layers/zero_padding1d/

    >>> ZeroPadding1D((2, 0))(jnp.ones((1, 3, 4))).shape
    (1, 5, 4)
    """

    rank = 1


@registry.LAYERS.add()
class ZeroPadding2D(_ZeroPadding):
    """Pad images with zeros.

    Args:
        padding: An integer, a pair ``(rows, columns)``, or ``((top, bottom), (left, right))``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, rows, columns, channels)``, outputs ``(batch, new_rows, new_columns, channels)``.

    Raises:
        ValueError: `padding` is not of one of these forms.

    Follows https://keras.io/api/layers/reshaping_layers/zero_padding2d/

    >>> ZeroPadding2D(((1, 0), (2, 2)))(jnp.ones((1, 3, 4, 1))).shape
    (1, 4, 8, 1)
    """

    rank = 2


@registry.LAYERS.add()
class ZeroPadding3D(_ZeroPadding):
    """Pad volumes with zeros.

    Args:
        padding: An integer, three integers, or three pairs ``(before, after)``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, depth, rows, columns, channels)``, outputs the same with new spatial sizes.

    Raises:
        ValueError: `padding` is not of one of these forms.

    Follows https://keras.io/api/layers/reshaping_layers/zero_padding3d/

    >>> ZeroPadding3D(1)(jnp.ones((1, 2, 2, 2, 3))).shape
    (1, 4, 4, 4, 3)
    """

    rank = 3


class _Cropping(Layer):
    """Space with its edges cropped."""

    rank: int
    data_format = "channels_last"

    def _crop(self, inputs: Array, pairs: tuple[tuple[int, int], ...]) -> Array:
        index = [slice(None)] * inputs.ndim
        for axis, (before, after) in zip(space_axes(self.data_format, self.rank), pairs, strict=True):
            if before + after >= inputs.shape[axis]:
                raise ValueError(
                    f"Layer {self.name!r} ({type(self).__name__}) cannot crop {before} + {after} from axis {axis}, "
                    "which "
                    f"has size {inputs.shape[axis]}: nothing would be left. Use a smaller `cropping`."
                )
            index[axis] = slice(before, inputs.shape[axis] - after)
        return inputs[tuple(index)]


@registry.LAYERS.add()
class Cropping1D(_Cropping):
    """Crop the edges of sequences.

    Args:
        cropping: An integer, or a pair ``(before, after)``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, time, channels)``, outputs ``(batch, new_time, channels)``.

    Raises:
        ValueError: `cropping` is not of one of these forms, or would leave nothing.

    Follows https://keras.io/api/layers/reshaping_layers/cropping1d/

    >>> Cropping1D((1, 2))(jnp.ones((1, 8, 4))).shape
    (1, 5, 4)
    """

    rank = 1
    keeps_rows_apart = True

    def __init__(self, cropping: Any = (1, 1), **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.cropping = per_dimension(self, "cropping", cropping, 2, least=0)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Array) -> Array:
        before, after = self.cropping
        return self._crop(inputs, ((before, after),))


class _SpatialCropping(_Cropping):
    keeps_rows_apart = True

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.cropping = sides(self, "cropping", cropping, self.rank)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Array) -> Array:
        return self._crop(inputs, self.cropping)


@registry.LAYERS.add()
class Cropping2D(_SpatialCropping):
    """Crop the edges of images.

    Args:
        cropping: An integer, a pair ``(rows, columns)``, or ``((top, bottom), (left, right))``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, rows, columns, channels)``, outputs ``(batch, new_rows, new_columns, channels)``.

    Raises:
        ValueError: `cropping` is not of one of these forms, or would leave nothing.

    Follows https://keras.io/api/layers/reshaping_layers/cropping2d/

    >>> Cropping2D(((2, 2), (4, 4)))(jnp.ones((1, 28, 28, 3))).shape
    (1, 24, 20, 3)
    """

    rank = 2

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Unpack[LayerOptions]
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


@registry.LAYERS.add()
class Cropping3D(_SpatialCropping):
    """Crop the edges of volumes.

    Args:
        cropping: An integer, three integers, or three pairs ``(before, after)``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, depth, rows, columns, channels)``, outputs the same with new spatial sizes.

    Raises:
        ValueError: `cropping` is not of one of these forms, or would leave nothing.

    Follows https://keras.io/api/layers/reshaping_layers/cropping3d/

    >>> Cropping3D(1)(jnp.ones((1, 4, 4, 4, 3))).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3

    def __init__(
        self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Unpack[LayerOptions]
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


__all__ = [
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]
