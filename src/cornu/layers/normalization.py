"""Normalization layers: shift and scale inputs by statistics of a batch, a row, or groups of channels."""

import math
from collections.abc import Sequence
from typing import Any, Unpack

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from cornu import initializers
from cornu.core import era, registry
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.core.variable import Variable
from cornu.kernels.compiler import as_one_program
from cornu.layers.argument_checks import check_integer, known_size, number_in
from cornu.layers.core import Wrapper
from cornu.layers.weight_options import keep_options, make_weight
from cornu.ops import normalization as ops

Axes = int | Sequence[int]


class _Normalization(Layer):
    """What normalization layers with a scale `gamma` and an offset `beta` share."""

    supports_masking = True
    beta_initializer: Any
    beta_regularizer: Any
    beta_constraint: Any
    gamma_initializer: Any
    gamma_regularizer: Any
    gamma_constraint: Any

    def __init__(self, axis: Any, epsilon: float, center: bool, scale: bool, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = number_in(self, "epsilon", epsilon, 0)
        self.center, self.scale = center, scale

    def _axes(self, input_shape: Sequence[int | None]) -> tuple[int, ...]:
        """Return the axes counted from the front; ValueError if the input lacks one."""
        try:
            return ops.axes_of(self.axis, len(input_shape))
        except ValueError:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) has axis={self.axis}, which an input of shape "
                f"{tuple(input_shape)} does not have."
            ) from None

    def _make_gamma_and_beta(self, shape: tuple[int, ...]) -> None:
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self._make("gamma", shape)
        if self.center:
            self.beta = self._make("beta", shape)

    def _make(self, name: str, shape: tuple[int, ...]) -> Variable:
        return make_weight(self, name, shape, autocast=False)


def _one_axis(layer: Layer, axis: Any) -> int:
    """Return an axis given as an integer, or as a list of one (in configs of Keras 2); TypeError for anything else."""
    one = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
    if isinstance(one, bool) or not isinstance(one, (int, np.integer)):
        raise TypeError(f"{type(layer).__name__}: `axis` must be one integer; got {axis!r}.")
    return int(one)


def _axis_or_axes(layer: Layer, axis: Any) -> int | list[int]:
    """Return an integer or a list of integers; TypeError for anything else."""
    if isinstance(axis, (list, tuple)) and axis:
        return [_one_axis(layer, one) for one in axis]
    return _one_axis(layer, axis)


@registry.LAYERS.add()
class BatchNormalization(_Normalization):
    """Normalize each channel over the batch, then multiply by `gamma` and add `beta`.

    Training uses the mean and variance of the batch and updates moving averages of them. Inference, and training with
    ``trainable=False``, uses the moving averages. A mask excludes its places from the statistics.

    Args:
        axis: Axis of the channels.
        momentum: Fraction of the moving averages that an update keeps, from 0 to 1.
        epsilon: Added to the variance.
        center, scale: Whether to add `beta`, and to multiply by `gamma`.
        beta_*, gamma_*, moving_mean_*, moving_variance_*: Initializers, regularizers and constraints.
        renorm: Whether to correct the batch's statistics towards moving ones (batch renormalization).
        renorm_clipping: Bounds of the correction, a dictionary with ``rmin``, ``rmax`` and ``dmax``.
        renorm_momentum: Fraction of the moving statistics of `renorm` that an update keeps.
        synchronized: Accepted; has no effect on one device.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: The input has no such axis, or an option is out of range.

    Follows https://keras.io/api/layers/normalization_layers/batch_normalization/, https://arxiv.org/abs/1502.03167 and
    https://arxiv.org/abs/1702.03275

    >>> BatchNormalization()(np.asarray([[1.0], [3.0]]), training=True).ravel().round(2).tolist()
    [-1.0, 1.0]
    """

    keeps_rows_apart = keeps_steps_apart = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(axis, epsilon, center, scale, **kwargs)
        keep_options(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        keep_options(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        self.axis = _one_axis(self, axis)
        self.momentum = number_in(self, "momentum", momentum, 0, 1)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm, self.renorm_momentum = renorm, number_in(self, "renorm_momentum", renorm_momentum, 0, 1)
        self.renorm_clipping = _checked_clipping(renorm_clipping)
        self.synchronized = synchronized

    def build(self, input_shape: Any) -> None:
        (axis,) = self._axes(input_shape)
        shape = (known_size(self, input_shape, axis),)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: shape[0]})
        self._make_gamma_and_beta(shape)
        self.moving_mean = self._statistic("moving_mean", shape, self.moving_mean_initializer)
        self.moving_variance = self._statistic("moving_variance", shape, self.moving_variance_initializer)
        self.updates_made = None
        if era.holds("moving averages start from the first batch"):
            self.updates_made = Variable(0, dtype="float32", trainable=False, autocast=False, name="updates_made")
            self.updates_made.is_weight = False
        if self.renorm:
            self.moving_stddev = self._statistic("moving_stddev", shape, self._initial_stddev)
            self.renorm_mean = self._statistic("renorm_mean", shape, self.moving_mean_initializer)
            self.renorm_stddev = self._statistic("renorm_stddev", shape, self._initial_stddev)

    def _statistic(self, name: str, shape: tuple[int, ...], initializer: Any) -> Variable:
        return self.add_weight(shape=shape, initializer=initializer, trainable=False, autocast=False, name=name)

    def _initial_stddev(self, shape: Any, dtype: Any = None) -> np.ndarray:
        return np.sqrt(self.moving_variance_initializer(shape, dtype=dtype))

    def call(self, inputs: Array, training: bool | None = None, mask: Array | None = None) -> Array:
        x = ops.at_least_float32(inputs)
        gamma: Any = self.gamma
        beta: Any = self.beta
        mean, variance = self.moving_mean.value, self.moving_variance.value
        if training and (self.trainable or era.holds("frozen batch normalization uses the batch")):
            mean, variance = self._batch_moments(x, mask)
            if self.renorm:
                gamma, beta = self._corrected(mean, variance)
            if self.trainable or era.holds("moving averages of frozen layers move"):
                self._keep_statistics(mean, variance, x.shape)
        outputs = ops.batch_normalization(x, mean, variance, self.axis, beta, gamma, self.epsilon)
        return outputs.astype(self.compute_dtype)

    def _keep_statistics(self, mean: Array, variance: Array, shape: tuple[int, ...]) -> None:
        """Update the moving averages by the statistics of a batch of inputs of `shape`."""
        if self.renorm:
            self._keep_renorm_statistics(mean, jnp.sqrt(variance + self.epsilon))
            return
        momentum = self._momentum_of_update()
        _move(self.moving_mean, mean, momentum)
        _move(self.moving_variance, self._kept_variance(variance, shape), momentum)

    def _momentum_of_update(self) -> Any:
        """Return `momentum`, or for Keras 2 what forgets the initial values: 0 first, then ever closer to it."""
        if self.updates_made is None or self.momentum == 1:
            return self.momentum
        earlier = jnp.power(self.momentum, self.updates_made.value)
        self.updates_made.assign_add(1.0)
        return self.momentum * (1 - earlier) / (1 - earlier * self.momentum)

    def _kept_variance(self, variance: Array, shape: tuple[int, ...]) -> Array:
        """Return the variance of a batch of inputs of `shape` as the moving average takes it."""
        count = math.prod(shape) // max(1, shape[self.axis])
        if count > 1 and len(shape) == 4 and era.holds("moving variance of images is unbiased"):
            variance = variance * (count / (count - 1))
        if count > 1 and era.holds("moving variance is unbiased"):
            variance = variance * (count / (count - (1 + self.epsilon)))
        return variance

    def _batch_moments(self, x: Array, mask: Array | None) -> tuple[Array, Array]:
        if mask is None:
            return ops.moments(x, [axis for axis in range(x.ndim) if axis != self.axis % x.ndim])
        if jnp.ndim(mask) != x.ndim - 1:
            raise ValueError(
                f"Layer {self.name!r} (BatchNormalization) takes a mask with all axes of its input but the last: "
                f"the input has shape {x.shape}, the mask {jnp.shape(mask)}."
            )
        return ops.masked_moments(x, mask, self.axis)

    def _corrected(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Return scale and offset that also correct the batch's statistics towards the moving ones."""
        stddev = jnp.maximum(self.renorm_stddev.value, self.epsilon**0.5)
        limits = self.renorm_clipping or {}
        ratio = jnp.clip(jnp.sqrt(variance + self.epsilon) / stddev, limits.get("rmin"), limits.get("rmax"))
        distance = (mean - self.renorm_mean.value) / stddev
        if limits.get("dmax") is not None:
            distance = jnp.clip(distance, -limits["dmax"], limits["dmax"])
        ratio, distance = lax.stop_gradient((ratio, distance))
        if self.gamma is not None:
            ratio, distance = ratio * self.gamma.value, distance * self.gamma.value
        return ratio, distance if self.beta is None else distance + self.beta.value

    def _keep_renorm_statistics(self, mean: Array, stddev: Array) -> None:
        _move(self.renorm_mean, mean, self.renorm_momentum)
        _move(self.renorm_stddev, stddev, self.renorm_momentum)
        _move(self.moving_mean, mean, self.momentum)
        _move(self.moving_stddev, stddev, self.momentum)
        self.moving_variance.assign(jnp.maximum(jnp.square(self.moving_stddev.value) - self.epsilon, 0))


def _move(average: Variable, value: Array, momentum: float) -> None:
    """Update a moving average with `value`, keeping the fraction `momentum` of it."""
    average.assign(_moved(average.value, value, momentum))


@as_one_program()
def _moved(average: Array, value: Array, momentum: float) -> Array:
    return average.astype(value.dtype) * momentum + value * (1 - momentum)


def _checked_clipping(clipping: dict[str, float] | None) -> dict[str, float] | None:
    limits = clipping or {}
    strange = sorted(set(limits) - {"rmin", "rmax", "dmax"})
    if strange:
        raise ValueError(f"`renorm_clipping` has the keys 'rmin', 'rmax' and 'dmax'; got {strange[0]!r}.")
    low, high, distance = (limits.get(name) for name in ("rmin", "rmax", "dmax"))
    if (low is not None and high is not None and high < low) or (distance is not None and distance < 0):
        raise ValueError(f"`renorm_clipping` needs rmin <= rmax and dmax >= 0; got {clipping!r}.")
    return clipping


@registry.LAYERS.add()
class LayerNormalization(_Normalization):
    """Normalize each sample over one or several axes, then multiply by `gamma` and add `beta`.

    Args:
        axis: An axis, or a list of them.
        epsilon: Added to the variance.
        center, scale: Whether to add `beta`, and to multiply by `gamma`.
        beta_*, gamma_*: Initializers, regularizers and constraints.
        rms_scaling: An old option: subtract no mean and add no `beta`. Use `RMSNormalization` instead.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs and outputs ``(batch, ...)``; `gamma` and `beta` have the sizes of `axis`.

    Raises:
        ValueError: The input has no such axis.

    Follows https://keras.io/api/layers/normalization_layers/layer_normalization/ and https://arxiv.org/abs/1607.06450

    >>> LayerNormalization()(np.asarray([[1.0, 3.0]])).round(2).tolist()
    [[-1.0, 1.0]]
    """

    keeps_rows_apart = keeps_steps_apart = True

    def __init__(
        self,
        axis: Axes = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        rms_scaling: bool = False,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(axis, epsilon, center, scale, **kwargs)
        keep_options(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        keep_options(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        self.axis, self.rms_scaling = _axis_or_axes(self, axis), rms_scaling
        self.autocast = False

    def build(self, input_shape: Any) -> None:
        shape = tuple(known_size(self, input_shape, axis) for axis in self._axes(input_shape))
        self.gamma = self._make("gamma", shape) if self.scale or self.rms_scaling else None
        self.beta = self._make("beta", shape) if self.center and not self.rms_scaling else None

    def call(self, inputs: Array) -> Array:
        outputs = ops.layer_normalization(inputs, self.gamma, self.beta, self.axis, self.epsilon, self.rms_scaling)
        return outputs.astype(self.compute_dtype)


@registry.LAYERS.add()
class GroupNormalization(_Normalization):
    """Normalize each sample over groups of channels, then multiply by `gamma` and add `beta` per channel.

    Args:
        groups: Number of groups that the channels are divided into; -1 makes each channel a group (instance
            normalization).
        axis: Axis of the channels.
        epsilon: Added to the variance.
        center, scale: Whether to add `beta`, and to multiply by `gamma`.
        beta_*, gamma_*: Initializers, regularizers and constraints.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs and outputs ``(batch, ..., channels)``; `gamma` and `beta` are ``(channels,)``.

    Raises:
        ValueError: `groups` does not divide the channels, or the input has no such axis.

    Follows https://keras.io/api/layers/normalization_layers/group_normalization/ and https://arxiv.org/abs/1803.08494

    >>> GroupNormalization(groups=2)(np.ones((1, 4, 4, 6))).shape
    (1, 4, 4, 6)
    """

    keeps_rows_apart = True

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(axis, epsilon, center, scale, **kwargs)
        keep_options(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        keep_options(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        self.groups = groups if groups == -1 else check_integer(self, "groups", groups)
        self.axis = _one_axis(self, axis)
        self.autocast = False

    def build(self, input_shape: Any) -> None:
        (axis,) = self._axes(input_shape)
        channels = known_size(self, input_shape, axis)
        if self.groups > channels or channels % self.groups:
            raise ValueError(
                f"Layer {self.name!r} (GroupNormalization) cannot divide the {channels} channels of an input of shape "
                f"{tuple(input_shape)} into groups={self.groups}. Use a divisor of {channels}, or -1."
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: channels})
        self._make_gamma_and_beta((channels,))

    def call(self, inputs: Array) -> Array:
        groups = inputs.shape[self.axis] if self.groups == -1 else self.groups
        outputs = ops.group_normalization(inputs, groups, self.gamma, self.beta, self.axis, self.epsilon)
        return outputs.astype(self.compute_dtype)


@registry.LAYERS.add()
class RMSNormalization(Layer):
    """Divide each sample by its root mean square over `axis`, then multiply by a learned `scale`.

    Args:
        axis: An axis, or a list of them.
        epsilon: Added to the mean square.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs and outputs ``(batch, ...)``; `scale` has the sizes of `axis`.

    Raises:
        ValueError: The input has no such axis.

    Follows https://keras.io/api/layers/normalization_layers/rms_normalization/ and https://arxiv.org/abs/1910.07467

    >>> print(RMSNormalization()(np.asarray([[3.0, 3.0]])).round(2))
    [[1. 1.]]
    """

    keeps_rows_apart = keeps_steps_apart = True

    def __init__(self, axis: Axes = -1, epsilon: float = 1e-6, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.axis = _axis_or_axes(self, axis)
        self.epsilon = number_in(self, "epsilon", epsilon, 0)

    def build(self, input_shape: Any) -> None:
        axes = ops.axes_of(self.axis, len(input_shape))
        shape = tuple(known_size(self, input_shape, axis) for axis in axes)
        self.scale = self.add_weight(shape=shape, initializer="ones", name="scale")

    def call(self, inputs: Array) -> Array:
        return ops.rms_normalization(inputs, self.scale, self.axis, self.epsilon)


@registry.LAYERS.add()
class UnitNormalization(Layer):
    """Divide each sample by its Euclidean norm over `axis`, which makes the norm 1; zeros stay zeros.

    Args:
        axis: An axis, or a list of them.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs of any shape; outputs have the same shape.

    Follows https://keras.io/api/layers/normalization_layers/unit_normalization/

    >>> print(UnitNormalization()(np.asarray([[3.0, 4.0]])).round(1))
    [[0.6 0.8]]
    """

    supports_masking = True
    keeps_rows_apart = keeps_steps_apart = True

    def __init__(self, axis: Axes = -1, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.axis = _axis_or_axes(self, axis)

    def call(self, inputs: Array) -> Array:
        return ops.normalize(inputs, self.axis, epsilon=1e-12)


@registry.LAYERS.add()
class SpectralNormalization(Wrapper):
    """Wrap a layer and divide its kernel (or embeddings) by its largest singular value in each training call.

    The singular value is estimated by power iteration, from a vector that is kept. As in Keras on JAX, the division
    applies to that call only: the optimizer updates the original kernel, and inference uses it unchanged. (Keras on
    TensorFlow keeps the divided kernel.)

    Args:
        layer: A layer with a kernel or embeddings.
        power_iterations: Number of power iterations per call, at least 1.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: The layer has neither a kernel nor embeddings.

    Follows https://keras.io/api/layers/normalization_layers/spectral_normalization/ and
    https://arxiv.org/abs/1802.05957

    >>> from cornu.layers import Dense
    >>> SpectralNormalization(Dense(2))(np.ones((1, 3), "float32"), training=True).shape
    (1, 2)
    """

    keeps_rows_apart = True

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = check_integer(self, "power_iterations", power_iterations)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        kernel = next((vars(self.layer)[name] for name in ("kernel", "embeddings") if name in vars(self.layer)), None)
        if kernel is None:
            raise ValueError(
                f"SpectralNormalization divides a layer's kernel or embeddings; {self.layer.name!r} "
                f"({type(self.layer).__name__}) has neither."
            )
        self.kernel = kernel
        start = initializers.TruncatedNormal(stddev=0.02)
        self.vector_u = self.add_weight(
            shape=(1, kernel.shape[-1]), initializer=start, trainable=False, name="vector_u", dtype=kernel.dtype
        )

    def call(self, inputs: Array, training: bool = False) -> Array:
        if training:
            kernel, vector = self.kernel.value, self.vector_u.value
            kernel, vector = lax.cond(jnp.all(kernel == 0), lambda k, v: (k, v), self._normalized, kernel, vector)
            self.vector_u.assign(vector)
            self.kernel.assign(kernel)
        return self.layer(inputs).astype(inputs.dtype)

    def _normalized(self, kernel: Array, right: Array) -> tuple[Array, Array]:
        """Return the kernel divided by its largest singular value, and the right singular vector ``(1, units)``."""
        matrix = jnp.reshape(kernel, (-1, kernel.shape[-1]))  # (inputs, units)
        left = right
        for _ in range(self.power_iterations):
            left = ops.normalize(right @ matrix.T, None)  # (1, inputs)
            right = ops.normalize(left @ matrix, None)  # (1, units)
        left, right = lax.stop_gradient((left, right))
        return jnp.reshape(kernel / (left @ matrix @ right.T), kernel.shape), right


__all__ = [
    "BatchNormalization",
    "GroupNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "SpectralNormalization",
    "UnitNormalization",
]
