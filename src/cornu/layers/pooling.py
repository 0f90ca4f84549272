"""Pooling layers: the maximum or mean of windows, of the whole space, or of as many windows as asked for."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax.numpy as jnp
from jax import Array

from cornu.core import registry
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.core.settings import standardize_data_format
from cornu.kernels.adaptive_pooling import adaptive_average_pool, adaptive_max_pool
from cornu.kernels.column_sums import means
from cornu.kernels.pooling import average_pool, max_pool
from cornu.layers.window_arguments import check_not_empty, padding_word, per_dimension, space_axes

Numbers = int | Sequence[int]


class _Pooling(Layer):
    """One value for each window, channel by channel."""

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
        advice = "The window is larger than the input: take padding='same', a smaller pool_size, or larger inputs."
        return check_not_empty(self, inputs, outputs, advice)


class _MaxPooling(_Pooling):
    pool = staticmethod(max_pool)


class _AveragePooling(_Pooling):
    pool = staticmethod(average_pool)


@registry.LAYERS.add()
class MaxPooling1D(_MaxPooling):
    """The maximum of each window of steps; arguments as in `MaxPooling2D`.

    Follows https://keras.io/api/layers/pooling_layers/max_pooling1d/
    """

    rank = 1


@registry.LAYERS.add()
class MaxPooling2D(_MaxPooling):
    """The maximum of each window of an image, channel by channel.

    `pool_size` is the window and `strides` how far it moves (None: by its own size). ``padding="valid"`` drops windows
    that do not fit, ``"same"`` keeps them. ValueError where no window fits.
    Follows https://keras.io/api/layers/pooling_layers/max_pooling2d/

    >>> MaxPooling2D()(jnp.ones((1, 28, 28, 3))).shape
    (1, 14, 14, 3)
    """

    rank = 2


@registry.LAYERS.add()
class MaxPooling3D(_MaxPooling):
    """The maximum of each window of a volume; arguments as in `MaxPooling2D`.

    Follows https://keras.io/api/layers/pooling_layers/max_pooling3d/
    """

    rank = 3


@registry.LAYERS.add()
class AveragePooling1D(_AveragePooling):
    """The mean of each window of steps; arguments as in `AveragePooling2D`.

    Follows https://keras.io/api/layers/pooling_layers/average_pooling1d/
    """

    rank = 1


@registry.LAYERS.add()
class AveragePooling2D(_AveragePooling):
    """The mean of each window of an image, channel by channel; what ``padding="same"`` adds does not count.

    `pool_size` is the window and `strides` how far it moves (None: by its own size).
    Follows https://keras.io/api/layers/pooling_layers/average_pooling2d/

    >>> AveragePooling2D(3, strides=1)(jnp.ones((1, 8, 8, 3))).shape
    (1, 6, 6, 3)
    """

    rank = 2


@registry.LAYERS.add()
class AveragePooling3D(_AveragePooling):
    """The mean of each window of a volume; arguments as in `AveragePooling2D`.

    Follows https://keras.io/api/layers/pooling_layers/average_pooling3d/
    """

    rank = 3


class _GlobalPooling(Layer):
    """One value for all of space, channel by channel."""

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

    def call(self, inputs: Array) -> Array:
        return jnp.max(inputs, self._space, keepdims=self.keepdims)


class _GlobalAveragePooling(_GlobalPooling):
    keeps_rows_apart = True

    def call(self, inputs: Array) -> Array:
        return means(inputs, self._space, self.keepdims)


@registry.LAYERS.add()
class GlobalMaxPooling1D(_GlobalMaxPooling):
    """The maximum of all steps; arguments as in `GlobalMaxPooling2D`.

    Follows https://keras.io/api/layers/pooling_layers/global_max_pooling1d/
    """

    rank = 1


@registry.LAYERS.add()
class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The maximum of each channel over all of an image; `keepdims` keeps its two axes, of size 1.

    Follows https://keras.io/api/layers/pooling_layers/global_max_pooling2d/

    >>> GlobalMaxPooling2D()(jnp.ones((1, 8, 8, 3))).shape
    (1, 3)
    """

    rank = 2


@registry.LAYERS.add()
class GlobalMaxPooling3D(_GlobalMaxPooling):
    """The maximum of each channel over all of a volume; arguments as in `GlobalMaxPooling2D`.

    Follows https://keras.io/api/layers/pooling_layers/global_max_pooling3d/
    """

    rank = 3


@registry.LAYERS.add()
class GlobalAveragePooling1D(_GlobalAveragePooling):
    """The mean of all steps; with a mask ``(batch, steps)``, of the steps where it is True.

    Follows https://keras.io/api/layers/pooling_layers/global_average_pooling1d/

    >>> GlobalAveragePooling1D(keepdims=True)(jnp.ones((2, 7, 4))).shape
    (2, 1, 4)
    """

    rank = 1
    supports_masking = True
    keeps_rows_apart = True

    def call(self, inputs: Array, mask: Array | None = None) -> Array:
        if mask is None:
            return super().call(inputs)
        shown = jnp.expand_dims(jnp.asarray(mask, bool), 2 if self.data_format == "channels_last" else 1)
        total = jnp.sum(jnp.where(shown, inputs, 0), self._space, keepdims=self.keepdims)
        return total / jnp.sum(shown.astype(inputs.dtype), self._space, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Return None: no steps are left to be masked."""
        return


@registry.LAYERS.add()
class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The mean of each channel over all of an image; `keepdims` keeps its two axes, of size 1.

    Follows https://keras.io/api/layers/pooling_layers/global_average_pooling2d/

    >>> GlobalAveragePooling2D()(jnp.ones((1, 8, 8, 3))).shape
    (1, 3)
    """

    rank = 2


@registry.LAYERS.add()
class GlobalAveragePooling3D(_GlobalAveragePooling):
    """The mean of each channel over all of a volume; arguments as in `GlobalAveragePooling2D`.

    Follows https://keras.io/api/layers/pooling_layers/global_average_pooling3d/
    """

    rank = 3


class _AdaptivePooling(Layer):
    """One value for each of `output_size` windows that cover space evenly, whatever its size."""

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
    """The maxima of `output_size` windows that cover all steps.

    Follows https://keras.io/api/layers/pooling_layers/adaptive_max_pooling1d/
    """

    rank = 1


@registry.LAYERS.add()
class AdaptiveMaxPooling2D(_AdaptiveMaxPooling):
    """The maxima of `output_size` windows that cover the image evenly, whatever its size.

    Follows https://keras.io/api/layers/pooling_layers/adaptive_max_pooling2d/

    >>> AdaptiveMaxPooling2D(4)(jnp.ones((1, 9, 13, 3))).shape
    (1, 4, 4, 3)
    """

    rank = 2


@registry.LAYERS.add()
class AdaptiveMaxPooling3D(_AdaptiveMaxPooling):
    """The maxima of `output_size` windows that cover the volume.

    Follows https://keras.io/api/layers/pooling_layers/adaptive_max_pooling3d/
    """

    rank = 3


@registry.LAYERS.add()
class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """The means of `output_size` windows that cover all steps.

    Follows https://keras.io/api/layers/pooling_layers/adaptive_average_pooling1d/
    """

    rank = 1


@registry.LAYERS.add()
class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """The means of `output_size` windows that cover the image evenly, whatever its size.

    Follows https://keras.io/api/layers/pooling_layers/adaptive_average_pooling2d/

    >>> AdaptiveAveragePooling2D((2, 3))(jnp.ones((1, 9, 13, 3))).shape
    (1, 2, 3, 3)
    """

    rank = 2


@registry.LAYERS.add()
class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """The means of `output_size` windows that cover the volume.

    Follows https://keras.io/api/layers/pooling_layers/adaptive_average_pooling3d/
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
