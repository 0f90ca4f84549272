"""Layers that hinder overfitting: dropout and its relatives, noise, penalties on outputs."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from cornu import regularizers
from cornu.core import registry, settings
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions, OtherLayerOptions
from cornu.core.variable import Seed
from cornu.kernels.random_bits import dropout, full_noise_shape, keep_mask, normal
from cornu.layers.argument_checks import number_in


@registry.LAYERS.add()
class Dropout(Layer):
    """Set a random share `rate` of the elements to zero in training, and scale the others by ``1 / (1 - rate)``.

    `noise_shape` has size 1 where one decision holds for a whole axis, e.g. ``(None, 1, features)`` for the same
    features in all time steps. `seed` makes the sequence of masks repeatable. Raises ValueError where `rate` is not
    from 0 to 1. Follows https://keras.io/api/layers/regularization_layers/dropout/

    >>> import numpy as np
    >>> sorted(set(Dropout(0.5, seed=1)(np.ones((8, 8)), training=True).ravel().tolist()))
    [0.0, 2.0]
    """

    supports_masking = True
    keeps_rows_apart = True

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Unpack[LayerOptions]
    ) -> None:
        super().__init__(**kwargs)
        self.rate = number_in(self, "rate", rate, 0, 1)
        self.noise_shape = _noise_shape(noise_shape)
        self.seed = seed
        if rate > 0:
            self.seed_generator = Seed(seed)

    def _shape_of_noise(self, shape: tuple[int, ...]) -> Sequence[int | None] | None:
        return self.noise_shape

    def call(self, inputs: jax.Array, training: bool = False) -> jax.Array:
        if not training or self.rate == 0:
            return inputs
        return dropout(inputs, self.seed_generator.next(), self.rate, self._shape_of_noise(inputs.shape))


def _noise_shape(noise_shape: Any) -> tuple | None:
    if noise_shape is None:
        return None
    sizes = tuple(noise_shape) if isinstance(noise_shape, (list, tuple)) else None
    if sizes is None or any(s is not None and (not isinstance(s, (int, np.integer)) or s < 1) for s in sizes):
        raise ValueError(
            f"Dropout: noise_shape is a tuple of positive sizes or None, such as (None, 1, 64); it got {noise_shape!r}."
        )
    return sizes


def _without_trainable(config: dict[str, Any]) -> dict[str, Any]:
    """Leave out ``trainable``, which says nothing here and which Keras's spatial dropouts do not take."""
    return {name: value for name, value in config.items() if name != "trainable"}


@registry.LAYERS.add("spatial_dropout1d")
class SpatialDropout1D(Dropout):
    """Drop whole channels of sequences (batch, steps, channels).

    Follows https://keras.io/api/layers/regularization_layers/spatial_dropout1d/
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(rate, seed=seed, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def get_config(self) -> dict[str, Any]:
        return _without_trainable(super().get_config())

    def _shape_of_noise(self, shape: tuple[int, ...]) -> Sequence[int | None]:
        return shape[0], 1, shape[2]


class _SpatialDropout(Dropout):
    """Drops whole channels of inputs with some spatial axes."""

    spatial_axes: int

    def __init__(
        self, rate: float, data_format: str | None = None, seed: int | None = None, **kwargs: Unpack[LayerOptions]
    ) -> None:
        super().__init__(rate, seed=seed, **kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.spatial_axes + 2)

    def get_config(self) -> dict[str, Any]:
        return _without_trainable(super().get_config())

    def _shape_of_noise(self, shape: tuple[int, ...]) -> Sequence[int | None]:
        ones = (1,) * self.spatial_axes
        if self.data_format == "channels_first":
            return shape[0], shape[1], *ones
        return shape[0], *ones, shape[-1]


@registry.LAYERS.add("spatial_dropout2d")
class SpatialDropout2D(_SpatialDropout):
    """Drop whole channels of images (batch, height, width, channels), or channels first as `data_format` says.

    Follows https://keras.io/api/layers/regularization_layers/spatial_dropout2d/
    """

    spatial_axes = 2


@registry.LAYERS.add("spatial_dropout3d")
class SpatialDropout3D(_SpatialDropout):
    """Drop whole channels of volumes (batch, depth, height, width, channels), or channels first as `data_format` says.

    Follows https://keras.io/api/layers/regularization_layers/spatial_dropout3d/
    """

    spatial_axes = 3


@registry.LAYERS.add()
class GaussianDropout(Layer):
    """Multiply in training with normal noise of mean 1 and standard deviation ``sqrt(rate / (1 - rate))``.

    Follows https://keras.io/api/layers/regularization_layers/gaussian_dropout/
    """

    supports_masking = True
    keeps_rows_apart = True

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.rate = number_in(self, "rate", rate, 0, 1)
        self.seed = seed
        if rate > 0:
            self.seed_generator = Seed(seed)

    def call(self, inputs: jax.Array, training: bool = False) -> jax.Array:
        if not training or self.rate == 0:
            return inputs
        deviation = float(np.sqrt(np.divide(self.rate, 1 - self.rate)))
        return inputs * (1 + deviation * normal(self.seed_generator.next(), inputs.shape, inputs.dtype))


@registry.LAYERS.add()
class GaussianNoise(Layer):
    """Add normal noise of mean 0 and standard deviation `stddev` in training.

    Follows https://keras.io/api/layers/regularization_layers/gaussian_noise/
    """

    supports_masking = True
    keeps_rows_apart = True

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.stddev = number_in(self, "stddev", stddev, 0)
        self.seed = seed
        if stddev > 0:
            self.seed_generator = Seed(seed)

    def call(self, inputs: jax.Array, training: bool = False) -> jax.Array:
        if not training or self.stddev == 0:
            return inputs
        return inputs + self.stddev * normal(self.seed_generator.next(), inputs.shape, inputs.dtype)


# The value that SELU tends to for large negative inputs: minus its scale times its alpha (Klambauer et al. 2017).
SELU_FLOOR = -1.0507009873554805 * 1.6732632423543772


@registry.LAYERS.add()
class AlphaDropout(Layer):
    """Dropout for networks of SELU units: in training keeps mean and variance of its inputs.

    A share `rate` of the elements is set to SELU's floor, then all are scaled and shifted. `noise_shape` and `seed` are
    those of `Dropout`. Follows https://keras.io/api/layers/regularization_layers/alpha_dropout/ and Klambauer et al.
    2017, https://arxiv.org/abs/1706.02515
    """

    supports_masking = True
    keeps_rows_apart = True

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Unpack[LayerOptions]
    ) -> None:
        super().__init__(**kwargs)
        self.rate = number_in(self, "rate", rate, 0, 1)
        self.noise_shape = _noise_shape(noise_shape)
        self.seed = seed
        if rate > 0:
            self.seed_generator = Seed(seed)

    def call(self, inputs: jax.Array, training: bool = False) -> jax.Array:
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return jnp.zeros_like(inputs)
        keep = keep_mask(self.seed_generator.next(), self.rate, full_noise_shape(inputs.shape, self.noise_shape))
        scale = ((1 - self.rate) * (1 + self.rate * SELU_FLOOR**2)) ** -0.5
        shift = -scale * SELU_FLOOR * self.rate
        return scale * jnp.where(keep, inputs, jnp.asarray(SELU_FLOOR, inputs.dtype)) + shift


@registry.LAYERS.add()
class ActivityRegularization(Layer):
    """Add ``l1 * sum(|inputs|) + l2 * sum(inputs**2)`` to the loss; the inputs pass through unchanged.

    Follows https://keras.io/api/layers/regularization_layers/activity_regularization/
    """

    supports_masking = True
    keeps_rows_apart = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Unpack[OtherLayerOptions]) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1, self.l2 = l1, l2

    def call(self, inputs: Any) -> Any:
        return inputs


__all__ = [
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]
