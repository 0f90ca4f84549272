"""Layers against overfitting: dropout and its variants, noise, and activity penalties."""

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
from cornu.kernels.random_bits import dropout, full_noise_shape, is_number, keep_mask, normal
from cornu.layers.argument_checks import number_in


@registry.LAYERS.add()
class Dropout(Layer):
    """In training, set a random fraction of the elements to zero and scale the others by ``1 / (1 - rate)``.

    Args:
        rate: Fraction to drop, from 0 to 1.
        noise_shape: Shape of the mask: 1 for an axis whose elements share one decision, None for the size of the
            inputs. ``(None, 1, features)`` drops the same features in all time steps.
        seed: Integer that makes the sequence of masks reproducible; None takes a random one.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs of any shape; outputs have the same shape. Inference returns the inputs.

    Raises:
        ValueError: `rate` is not from 0 to 1, or `noise_shape` does not fit the inputs.

    Follows https://keras.io/api/layers/regularization_layers/dropout/ and Srivastava et al. 2014,
    https://jmlr.org/papers/v15/srivastava14a.html

    >>> import numpy as np
    >>> sorted(set(Dropout(0.5, seed=1)(np.ones((8, 8)), training=True).ravel().tolist()))
    [0.0, 2.0]
    """

    supports_masking = True
    keeps_rows_apart = keeps_steps_apart = True

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
        if not training or is_number(self.rate, 0):
            return inputs
        return dropout(inputs, self.seed_generator.next(), self.rate, self._shape_of_noise(inputs.shape))


def _noise_shape(noise_shape: Any) -> tuple | None:
    if noise_shape is None:
        return None
    sizes = tuple(noise_shape) if isinstance(noise_shape, (list, tuple)) else None
    if sizes is None or any(s is not None and (not isinstance(s, (int, np.integer)) or s < 1) for s in sizes):
        raise ValueError(
            "Dropout: noise_shape must be a tuple of positive sizes or None, such as (None, 1, 64); got "
            f"{noise_shape!r}."
        )
    return sizes


def _without_trainable(config: dict[str, Any]) -> dict[str, Any]:
    """Leave out ``trainable``, which has no effect here and which Keras's spatial dropouts do not accept."""
    return {name: value for name, value in config.items() if name != "trainable"}


@registry.LAYERS.add("spatial_dropout1d")
class SpatialDropout1D(Dropout):
    """Drop whole channels of sequences in training.

    Args:
        rate: Fraction of the channels to drop, from 0 to 1.
        seed: Integer that makes the sequence of masks reproducible.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs and outputs ``(batch, time, channels)``.

    Raises:
        ValueError: `rate` is not from 0 to 1.

    Follows https://keras.io/api/layers/regularization_layers/spatial_dropout1d/

    >>> import numpy as np
    >>> SpatialDropout1D(0.5)(np.ones((1, 4, 3))).shape
    (1, 4, 3)
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(rate, seed=seed, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def get_config(self) -> dict[str, Any]:
        return _without_trainable(super().get_config())

    def _shape_of_noise(self, shape: tuple[int, ...]) -> Sequence[int | None]:
        return shape[0], 1, shape[2]


class _SpatialDropout(Dropout):
    """Drops whole channels of inputs with `spatial_axes` spatial axes."""

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
    """Drop whole channels of images in training.

    Args:
        rate: Fraction of the channels to drop, from 0 to 1.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        seed: Integer that makes the sequence of masks reproducible.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs and outputs ``(batch, rows, columns, channels)``; channels come second for ``"channels_first"``.

    Raises:
        ValueError: `rate` is not from 0 to 1.

    Follows https://keras.io/api/layers/regularization_layers/spatial_dropout2d/

    >>> import numpy as np
    >>> SpatialDropout2D(0.5)(np.ones((1, 4, 4, 3))).shape
    (1, 4, 4, 3)
    """

    spatial_axes = 2


@registry.LAYERS.add("spatial_dropout3d")
class SpatialDropout3D(_SpatialDropout):
    """Drop whole channels of volumes in training. Arguments and errors as in `SpatialDropout2D`.

    Shapes:
        Inputs and outputs ``(batch, depth, rows, columns, channels)``; channels come second for ``"channels_first"``.

    Follows https://keras.io/api/layers/regularization_layers/spatial_dropout3d/

    >>> import numpy as np
    >>> SpatialDropout3D(0.5)(np.ones((1, 2, 4, 4, 3))).shape
    (1, 2, 4, 4, 3)
    """

    spatial_axes = 3


@registry.LAYERS.add()
class GaussianDropout(Layer):
    """In training, multiply by Gaussian noise of mean 1 and standard deviation ``sqrt(rate / (1 - rate))``.

    Args:
        rate: Drop rate from 0 to 1 of a `Dropout` with the same variance.
        seed: Integer that makes the noise reproducible.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs of any shape; outputs have the same shape. Inference returns the inputs.

    Raises:
        ValueError: `rate` is not from 0 to 1.

    Follows https://keras.io/api/layers/regularization_layers/gaussian_dropout/

    >>> import numpy as np
    >>> GaussianDropout(0.5)(np.array([[1.0, 2.0]])).tolist()
    [[1.0, 2.0]]
    """

    supports_masking = True
    keeps_rows_apart = keeps_steps_apart = True

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.rate = number_in(self, "rate", rate, 0, 1)
        self.seed = seed
        if rate > 0:
            self.seed_generator = Seed(seed)

    def call(self, inputs: jax.Array, training: bool = False) -> jax.Array:
        if not training or is_number(self.rate, 0):
            return inputs
        rate: Any = self.rate  # an array where it differs between replicas
        sqrt = jnp.sqrt if isinstance(rate, jax.Array) else np.sqrt
        deviation = sqrt(rate / (1 - rate)) if not is_number(rate, 1) else np.inf
        return inputs * (1 + deviation * normal(self.seed_generator.next(), inputs.shape, inputs.dtype))


@registry.LAYERS.add()
class GaussianNoise(Layer):
    """In training, add Gaussian noise of mean 0.

    Args:
        stddev: Standard deviation of the noise, at least 0.
        seed: Integer that makes the noise reproducible.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs of any shape; outputs have the same shape. Inference returns the inputs.

    Raises:
        ValueError: `stddev` is negative or not a number.

    Follows https://keras.io/api/layers/regularization_layers/gaussian_noise/

    >>> import numpy as np
    >>> GaussianNoise(0.1)(np.array([[1.0, 2.0]])).tolist()
    [[1.0, 2.0]]
    """

    supports_masking = True
    keeps_rows_apart = keeps_steps_apart = True

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


# The limit of SELU for large negative inputs: -scale * alpha (Klambauer et al. 2017).
SELU_FLOOR = -1.0507009873554805 * 1.6732632423543772


@registry.LAYERS.add()
class AlphaDropout(Layer):
    """Dropout for networks with SELU activations: in training, it preserves the mean and variance of its inputs.

    A random fraction of the elements is set to the lower bound of SELU, then all are scaled and shifted.

    Args:
        rate: Fraction to drop, from 0 to 1.
        noise_shape: Shape of the mask, as in `Dropout`.
        seed: Integer that makes the sequence of masks reproducible.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs of any shape; outputs have the same shape. Inference returns the inputs.

    Raises:
        ValueError: `rate` is not from 0 to 1, or `noise_shape` does not fit the inputs.

    Follows https://keras.io/api/layers/regularization_layers/alpha_dropout/ and Klambauer et al. 2017,
    https://arxiv.org/abs/1706.02515

    >>> import numpy as np
    >>> AlphaDropout(0.5)(np.array([[1.0, 2.0]])).tolist()
    [[1.0, 2.0]]
    """

    supports_masking = True
    keeps_rows_apart = keeps_steps_apart = True

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
        if not training or is_number(self.rate, 0):
            return inputs
        if is_number(self.rate, 1):
            return jnp.zeros_like(inputs)
        keep = keep_mask(self.seed_generator.next(), self.rate, full_noise_shape(inputs.shape, self.noise_shape))
        scale = ((1 - self.rate) * (1 + self.rate * SELU_FLOOR**2)) ** -0.5
        shift = -scale * SELU_FLOOR * self.rate
        return scale * jnp.where(keep, inputs, jnp.asarray(SELU_FLOOR, inputs.dtype)) + shift


@registry.LAYERS.add()
class ActivityRegularization(Layer):
    """Add ``l1 * sum(|inputs|) + l2 * sum(inputs**2)`` to the loss, and return the inputs unchanged.

    Args:
        l1: Factor of the sum of absolute values.
        l2: Factor of the sum of squares.
        **kwargs: Arguments of `Layer`.

    Follows https://keras.io/api/layers/regularization_layers/activity_regularization/

    >>> import numpy as np
    >>> layer = ActivityRegularization(l2=0.5)
    >>> layer(np.array([[1.0, 2.0]])).tolist()
    [[1.0, 2.0]]
    >>> [loss.item() for loss in layer.losses]
    [2.5]
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
