"""Activation layers, with and without weights."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu import activations
from cornu.core import registry
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.layers.argument_checks import known_size, number_in
from cornu.layers.weight_options import keep_options, make_weight


@registry.LAYERS.add()
class Activation(Layer):
    """Apply an activation function.

    Args:
        activation: Name (``"relu"``) or function of one tensor.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs of any shape; outputs have the same shape.

    Follows https://keras.io/api/layers/core_layers/activation/

    >>> import numpy as np
    >>> Activation("relu")(np.array([[-1.0, 2.0]])).tolist()
    [[0.0, 2.0]]
    """

    supports_masking = True
    keeps_rows_apart = keeps_steps_apart = True

    def __init__(self, activation: Any, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: jax.Array) -> jax.Array:
        return inputs if self.activation is None else self.activation(inputs)


@registry.LAYERS.add()
class ReLU(Layer):
    """Apply ``max(x, 0)``, optionally with a slope for negative values, an upper bound and a threshold.

    Args:
        max_value: Upper bound of the outputs, at least 0; None sets no bound.
        negative_slope: Slope below `threshold`, at least 0.
        threshold: Values from here up pass unchanged, at least 0.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: One of the arguments is negative or not a number.

    Follows https://keras.io/api/layers/activation_layers/relu/

    >>> import numpy as np
    >>> ReLU(max_value=1.0, negative_slope=0.5)(np.array([[-1.0, 0.5, 2.0]])).tolist()
    [[-0.5, 0.5, 1.0]]
    """

    supports_masking = True
    keeps_rows_apart = keeps_steps_apart = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = max_value if max_value is None else number_in(self, "max_value", max_value, 0)
        self.negative_slope = number_in(self, "negative_slope", negative_slope, 0)
        self.threshold = number_in(self, "threshold", threshold, 0)

    def call(self, inputs: jax.Array) -> jax.Array:
        return activations.relu(
            inputs, negative_slope=self.negative_slope, max_value=self.max_value, threshold=self.threshold
        )


@registry.LAYERS.add()
class LeakyReLU(Layer):
    """Return ``x`` if it is positive, else ``negative_slope * x``.

    Args:
        negative_slope: Slope for negative inputs, at least 0.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: `negative_slope` is negative or not a number.

    Follows https://keras.io/api/layers/activation_layers/leaky_relu/

    >>> import numpy as np
    >>> LeakyReLU(0.5)(np.array([[-1.0, 2.0]])).tolist()
    [[-0.5, 2.0]]
    """

    supports_masking = True
    keeps_rows_apart = keeps_steps_apart = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.negative_slope = number_in(self, "negative_slope", negative_slope, 0)

    def call(self, inputs: jax.Array) -> jax.Array:
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)


@registry.LAYERS.add()
class PReLU(Layer):
    """Return ``x`` if it is positive, else ``alpha * x`` with a learned `alpha` per element of a sample.

    Args:
        alpha_initializer: Initial values of `alpha`.
        alpha_regularizer: Penalty on `alpha`, added to the loss.
        alpha_constraint: Projection of `alpha` after each update.
        shared_axes: Axes, counted from 1 (axis 0 is the batch), along which one value of `alpha` is shared: ``[1, 2]``
            gives images one value per channel.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs and outputs ``(batch, ...)``; `alpha` has the input shape without the batch, 1 along `shared_axes`.

    Follows https://keras.io/api/layers/activation_layers/prelu/ and He et al. 2015, https://arxiv.org/abs/1502.01852

    >>> import numpy as np
    >>> PReLU(alpha_initializer="ones")(np.array([[-1.0, 2.0]])).tolist()
    [[-1.0, 2.0]]
    """

    supports_masking = True
    keeps_rows_apart = True
    alpha_initializer: Any
    alpha_regularizer: Any
    alpha_constraint: Any

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        keep_options(self, "alpha", alpha_initializer, alpha_regularizer, alpha_constraint)
        self.shared_axes = (
            shared_axes if shared_axes is None or isinstance(shared_axes, (list, tuple)) else [shared_axes]
        )

    def build(self, input_shape: tuple) -> None:
        given: Any = self.shared_axes or ()
        shared = {axis % len(input_shape) for axis in given}
        axes = range(1, len(input_shape))
        sizes: dict[int, Any] = {axis: known_size(self, input_shape, axis) for axis in axes if axis not in shared}
        self.alpha = make_weight(self, "alpha", tuple(sizes.get(axis, 1) for axis in axes))
        self.input_spec = InputSpec(ndim=len(input_shape), axes=sizes)

    def call(self, inputs: jax.Array) -> jax.Array:
        return jax.nn.relu(inputs) - self.alpha * jax.nn.relu(-inputs)


@registry.LAYERS.add()
class ELU(Layer):
    """Return ``x`` if it is positive, else ``alpha * (exp(x) - 1)``.

    Args:
        alpha: The outputs approach ``-alpha`` for large negative inputs.
        **kwargs: Arguments of `Layer`.

    Follows https://keras.io/api/layers/activation_layers/elu/ and Clevert et al. 2015, https://arxiv.org/abs/1511.07289

    >>> import numpy as np
    >>> ELU()(np.array([[-1.0, 2.0]])).round(2).tolist()
    [[-0.6299999952316284, 2.0]]
    """

    supports_masking = True
    keeps_rows_apart = keeps_steps_apart = True

    def __init__(self, alpha: float = 1.0, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: jax.Array) -> jax.Array:
        return activations.elu(inputs, alpha=self.alpha)


@registry.LAYERS.add()
class Softmax(Layer):
    """Scale exponentials to sum to 1 along `axis`.

    Args:
        axis: An axis, or several.
        **kwargs: Arguments of `Layer`.

    Call arguments:
        mask: Optional, broadcasts to the shape of the inputs. Outputs are 0 where it is False (or at most 0.5).

    Raises:
        ValueError: The mask does not broadcast to the shape of the inputs.

    Follows https://keras.io/api/layers/activation_layers/softmax/

    >>> import numpy as np
    >>> Softmax()(np.array([[1.0, 1.0]])).tolist()
    [[0.5, 0.5]]
    """

    supports_masking = True
    keeps_rows_apart = keeps_steps_apart = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: jax.Array, mask: Any = None) -> jax.Array:
        axis = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        if mask is None:
            return jax.nn.softmax(inputs, axis=axis)
        mask = _spreadable(jnp.asarray(mask), inputs.shape)
        outputs = jax.nn.softmax(jnp.where(mask, inputs, _very_negative(inputs.dtype)), axis=axis)
        return jnp.where(mask, outputs, jnp.zeros((), outputs.dtype))


def _very_negative(dtype: Any) -> jax.Array:
    """Return a number of `dtype` whose exponential is 0 next to that of any other."""
    return jnp.asarray(-3e4 if dtype == jnp.float16 else -1e9, dtype)


def _spreadable(mask: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Return the mask as booleans; ValueError if it does not broadcast to `shape`."""
    pairs = zip(reversed(mask.shape), reversed(shape), strict=False)
    if mask.ndim > len(shape) or any(size not in (1, whole) for size, whole in pairs):
        raise ValueError(f"Softmax: a mask of shape {mask.shape} does not broadcast to inputs of shape {shape}.")
    return mask if mask.dtype == bool else mask > 0.5


__all__ = [
    "ELU",
    "Activation",
    "LeakyReLU",
    "PReLU",
    "ReLU",
    "Softmax",
]
