"""Pooling layers: the maximum or mean of sliding windows, of the whole space, or of a fixed number of windows."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax.numpy as jnp
from jax import Array

from cornu.core import registry
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.core.scope import scope
from cornu.core.settings import standardize_data_format
from cornu.kernels.adaptive_pooling import adaptive_average_pool, adaptive_max_pool
from cornu.kernels.column_sums import means
from cornu.kernels.padded_steps import real_steps
from cornu.kernels.pooling import average_pool, max_pool
from cornu.layers.window_arguments import check_not_empty, padding_word, per_dimension, space_axes

Numbers = int | Sequence[int]


class _Pooling(Layer):
    """One value per window, channel by channel."""

    rank: int
    pool: Any
    keeps_rows_apart = True

    def __init__(
        self,
        pool_size: Numbers = 2,
        strides: Numbers | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = per_dimension(self, "pool_size", pool_size, self.rank)
        self.strides = self.pool_size if strides is None else per_dimension(self, "strides", strides, self.rank)
        self.padding = padding_word(self, padding)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Array) -> Array:
        outputs = self.pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)
        advice = "The window is larger than the input: use padding='same', a smaller pool_size, or larger inputs."
        return check_not_empty(self, inputs, outputs, advice)


class _MaxPooling(_Pooling):
    pool = staticmethod(max_pool)


class _AveragePooling(_Pooling):
    pool = staticmethod(average_pool)


@registry.LAYERS.add()
class MaxPooling1D(_MaxPooling):
    """Take the maximum of each window over time. Arguments and errors as in `MaxPooling2D`, with one dimension.

    Shapes:
        Inputs ``(batch, time, channels)``, outputs ``(batch, new_time, channels)``.

    Follows https://keras.io/api/layers/pooling_layers/max_pooling1d/

    >>> MaxPooling1D()(jnp.ones((1, 8, 3))).shape
    (1, 4, 3)
    """

    rank = 1


@registry.LAYERS.add()
class MaxPooling2D(_MaxPooling):
    """Take the maximum of each window of images, channel by channel.

    Args:
        pool_size: Size of the window, an integer or a pair ``(rows, columns)``.
        strides: How far the window moves; None moves it by its own size.
        padding: ``"valid"`` drops windows that do not fit, ``"same"`` pads the edges.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        name: Name of the layer.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, rows, columns, channels)``, outputs ``(batch, new_rows, new_columns, channels)``; channels
        come second for ``"channels_first"``.

    Raises:
        ValueError: An argument is malformed, or no window fits the inputs.

    Follows https://keras.io/api/layers/pooling_layers/max_pooling2d/

    >>> MaxPooling2D()(jnp.ones((1, 28, 28, 3))).shape
    (1, 14, 14, 3)
    """

    rank = 2


@registry.LAYERS.add()
class MaxPooling3D(_MaxPooling):
    """Take the maximum of each window of volumes. Arguments and errors as in `MaxPooling2D`, with three dimensions.

    Shapes:
        Inputs ``(batch, depth, rows, columns, channels)``, outputs the same with new spatial sizes.

    Follows https://keras.io/api/layers/pooling_layers/max_pooling3d/

    >>> MaxPooling3D()(jnp.ones((1, 4, 4, 4, 3))).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3


@registry.LAYERS.add()
class AveragePooling1D(_AveragePooling):
    """Average each window over time. Arguments and errors as in `AveragePooling2D`, with one dimension.

    Shapes:
        Inputs ``(batch, time, channels)``, outputs ``(batch, new_time, channels)``.

    Follows https://keras.io/api/layers/pooling_layers/average_pooling1d/

    >>> AveragePooling1D()(jnp.ones((1, 8, 3))).shape
    (1, 4, 3)
    """

    rank = 1


@registry.LAYERS.add()
class AveragePooling2D(_AveragePooling):
    """Average each window of images, channel by channel; padding does not count.

    Args:
        pool_size: Size of the window, an integer or a pair ``(rows, columns)``.
        strides: How far the window moves; None moves it by its own size.
        padding: ``"valid"`` drops windows that do not fit, ``"same"`` pads the edges.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        name: Name of the layer.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, rows, columns, channels)``, outputs ``(batch, new_rows, new_columns, channels)``; channels
        come second for ``"channels_first"``.

    Raises:
        ValueError: An argument is malformed, or no window fits the inputs.

    Follows https://keras.io/api/layers/pooling_layers/average_pooling2d/

    >>> AveragePooling2D()(jnp.ones((1, 28, 28, 3))).shape
    (1, 14, 14, 3)
    """

    rank = 2


@registry.LAYERS.add()
class AveragePooling3D(_AveragePooling):
    """Average each window of volumes. Arguments and errors as in `AveragePooling2D`, with three dimensions.

    Shapes:
        Inputs ``(batch, depth, rows, columns, channels)``, outputs the same with new spatial sizes.

    Follows https://keras.io/api/layers/pooling_layers/average_pooling3d/

    >>> AveragePooling3D()(jnp.ones((1, 4, 4, 4, 3))).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3


class _GlobalPooling(Layer):
    """One value for the whole space, channel by channel."""

    rank: int

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _space(self) -> tuple[int, ...]:
        return space_axes(self.data_format, self.rank)


class _GlobalMaxPooling(_GlobalPooling):
    keeps_rows_apart = True

    @property
    def leaves_steps_out(self) -> bool:
        """Whether time steps can be padded."""
        return self.rank == 1 and self.data_format == "channels_last"

    def call(self, inputs: Array) -> Array:
        if scope.length is not None:
            real = real_steps(None, scope.length, inputs.shape)[..., None]
            inputs = jnp.where(real, inputs, jnp.asarray(-jnp.inf, inputs.dtype))
        return jnp.max(inputs, self._space, keepdims=self.keepdims)


class _GlobalAveragePooling(_GlobalPooling):
    keeps_rows_apart = True

    def call(self, inputs: Array) -> Array:
        return means(inputs, self._space, self.keepdims)


@registry.LAYERS.add()
class GlobalMaxPooling1D(_GlobalMaxPooling):
    """Take the maximum over all time steps, channel by channel.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        keepdims: Whether to keep the spatial axes, with size 1.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, time, channels)``, outputs ``(batch, channels)``, or
        ``(batch, 1, channels)`` with `keepdims`.

    Follows https://keras.io/api/layers/pooling_layers/global_max_pooling1d/

    >>> GlobalMaxPooling1D()(jnp.ones((1, 8, 3))).shape
    (1, 3)
    """

    rank = 1


@registry.LAYERS.add()
class GlobalMaxPooling2D(_GlobalMaxPooling):
    """Take the maximum over all pixels of an image, channel by channel.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        keepdims: Whether to keep the spatial axes, with size 1.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, rows, columns, channels)``, outputs ``(batch, channels)``, or
        ``(batch, 1, 1, channels)`` with `keepdims`.

    Follows https://keras.io/api/layers/pooling_layers/global_max_pooling2d/

    >>> GlobalMaxPooling2D()(jnp.ones((1, 28, 28, 3))).shape
    (1, 3)
    """

    rank = 2


@registry.LAYERS.add()
class GlobalMaxPooling3D(_GlobalMaxPooling):
    """Take the maximum over all voxels of a volume, channel by channel.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        keepdims: Whether to keep the spatial axes, with size 1.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, depth, rows, columns, channels)``, outputs ``(batch, channels)``, or
        ``(batch, 1, 1, 1, channels)`` with `keepdims`.

    Follows https://keras.io/api/layers/pooling_layers/global_max_pooling3d/

    >>> GlobalMaxPooling3D()(jnp.ones((1, 4, 4, 4, 3))).shape
    (1, 3)
    """

    rank = 3


@registry.LAYERS.add()
class GlobalAveragePooling1D(_GlobalAveragePooling):
    """Average over all time steps, channel by channel.

    With a mask ``(batch, time)``, only unmasked steps count.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        keepdims: Whether to keep the spatial axes, with size 1.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, time, channels)``, outputs ``(batch, channels)``, or
        ``(batch, 1, channels)`` with `keepdims`.

    Follows https://keras.io/api/layers/pooling_layers/global_average_pooling1d/

    >>> GlobalAveragePooling1D()(jnp.ones((1, 8, 3))).shape
    (1, 3)
    """

    rank = 1
    supports_masking = True
    keeps_rows_apart = True

    @property
    def leaves_steps_out(self) -> bool:
        """Whether time steps can be padded."""
        return self.data_format == "channels_last"

    def call(self, inputs: Array, mask: Array | None = None) -> Array:
        if scope.length is not None:
            mask = real_steps(mask, scope.length, inputs.shape)
        if mask is None:
            return super().call(inputs)
        # (batch, time) -> (batch, time, 1) or (batch, 1, time)
        shown = jnp.expand_dims(jnp.asarray(mask, bool), 2 if self.data_format == "channels_last" else 1)
        total = jnp.sum(jnp.where(shown, inputs, 0), self._space, keepdims=self.keepdims)
        return total / jnp.sum(shown.astype(inputs.dtype), self._space, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Return None: there are no time steps left to mask."""
        return


@registry.LAYERS.add()
class GlobalAveragePooling2D(_GlobalAveragePooling):
    """Average over all pixels of an image, channel by channel.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        keepdims: Whether to keep the spatial axes, with size 1.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, rows, columns, channels)``, outputs ``(batch, channels)``, or
        ``(batch, 1, 1, channels)`` with `keepdims`.

    Follows https://keras.io/api/layers/pooling_layers/global_average_pooling2d/

    >>> GlobalAveragePooling2D()(jnp.ones((1, 28, 28, 3))).shape
    (1, 3)
    """

    rank = 2


@registry.LAYERS.add()
class GlobalAveragePooling3D(_GlobalAveragePooling):
    """Average over all voxels of a volume, channel by channel.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        keepdims: Whether to keep the spatial axes, with size 1.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, depth, rows, columns, channels)``, outputs ``(batch, channels)``, or
        ``(batch, 1, 1, 1, channels)`` with `keepdims`.

    Follows https://keras.io/api/layers/pooling_layers/global_average_pooling3d/

    >>> GlobalAveragePooling3D()(jnp.ones((1, 4, 4, 4, 3))).shape
    (1, 3)
    """

    rank = 3


class _AdaptivePooling(Layer):
    """One value for each of `output_size` windows that cover the whole space."""

    rank: int
    pool: Any
    keeps_rows_apart = True

    def __init__(self, output_size: Numbers, data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.output_size = per_dimension(self, "output_size", output_size, self.rank)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Array) -> Array:
        return self.pool(inputs, self.output_size, self.data_format)


class _AdaptiveMaxPooling(_AdaptivePooling):
    pool = staticmethod(adaptive_max_pool)


class _AdaptiveAveragePooling(_AdaptivePooling):
    pool = staticmethod(adaptive_average_pool)


@registry.LAYERS.add()
class AdaptiveMaxPooling1D(_AdaptiveMaxPooling):
    """Take the maxima of `output_size` windows that cover the whole sequence, whatever its size.

    Args:
        output_size: Number of windows per dimension, an integer.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, time, channels)``, outputs ``(batch, output_size, channels)``.

    Follows https://keras.io/api/layers/pooling_layers/adaptive_max_pooling1d/

    >>> AdaptiveMaxPooling1D(2)(jnp.ones((1, 7, 3))).shape
    (1, 2, 3)
    """

    rank = 1


@registry.LAYERS.add()
class AdaptiveMaxPooling2D(_AdaptiveMaxPooling):
    """Take the maxima of `output_size` windows that cover the whole image, whatever its size.

    Args:
        output_size: Number of windows per dimension, an integer or a pair ``(rows, columns)``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, rows, columns, channels)``, outputs ``(batch, *output_size, channels)``.

    Follows https://keras.io/api/layers/pooling_layers/adaptive_max_pooling2d/

    >>> AdaptiveMaxPooling2D((2, 3))(jnp.ones((1, 9, 13, 3))).shape
    (1, 2, 3, 3)
    """

    rank = 2


@registry.LAYERS.add()
class AdaptiveMaxPooling3D(_AdaptiveMaxPooling):
    """Take the maxima of `output_size` windows that cover the whole volume, whatever its size.

    Args:
        output_size: Number of windows per dimension, an integer or three.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, depth, rows, columns, channels)``, outputs ``(batch, *output_size, channels)``.

    Follows https://keras.io/api/layers/pooling_layers/adaptive_max_pooling3d/

    >>> AdaptiveMaxPooling3D(2)(jnp.ones((1, 5, 5, 5, 3))).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3


@registry.LAYERS.add()
class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """Average `output_size` windows that cover the whole sequence, whatever its size.

    Args:
        output_size: Number of windows per dimension, an integer.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, time, channels)``, outputs ``(batch, output_size, channels)``.

    Follows https://keras.io/api/layers/pooling_layers/adaptive_average_pooling1d/

    >>> AdaptiveAveragePooling1D(2)(jnp.ones((1, 7, 3))).shape
    (1, 2, 3)
    """

    rank = 1


@registry.LAYERS.add()
class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """Average `output_size` windows that cover the whole image, whatever its size.

    Args:
        output_size: Number of windows per dimension, an integer or a pair ``(rows, columns)``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, rows, columns, channels)``, outputs ``(batch, *output_size, channels)``.

    Follows https://keras.io/api/layers/pooling_layers/adaptive_average_pooling2d/

    >>> AdaptiveAveragePooling2D((2, 3))(jnp.ones((1, 9, 13, 3))).shape
    (1, 2, 3, 3)
    """

    rank = 2


@registry.LAYERS.add()
class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """Average `output_size` windows that cover the whole volume, whatever its size.

    Args:
        output_size: Number of windows per dimension, an integer or three.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, depth, rows, columns, channels)``, outputs ``(batch, *output_size, channels)``.

    Follows https://keras.io/api/layers/pooling_layers/adaptive_average_pooling3d/

    >>> AdaptiveAveragePooling3D(2)(jnp.ones((1, 5, 5, 5, 3))).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3


__all__ = [
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]
