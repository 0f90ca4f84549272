"""The basic layers: dense, lambda, identity and masking layers, and the base class of wrappers."""

import inspect
from collections.abc import Callable
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu import activations
from cornu.core import registry
from cornu.core.errors import foreign
from cornu.core.graph import GraphNeededError
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.core.layer_options import Identifier, LayerOptions, OtherLayerOptions
from cornu.core.variable import plain
from cornu.kernels.matmul import dense_product
from cornu.layers.argument_checks import check_integer, known_size
from cornu.layers.weight_options import keep_options, make_weight


@registry.LAYERS.add()
class Dense(Layer):
    """Apply a fully connected layer: ``activation(inputs @ kernel + bias)``.

    Args:
        units: Size of the last axis of the outputs, a positive integer.
        activation: Name or function; None applies none.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel ``(features, units)``.
        bias_initializer: Initial values of the bias ``(units,)``.
        kernel_regularizer: Penalty on the kernel, added to the loss. Likewise `bias_regularizer`.
        activity_regularizer: Penalty on the outputs, added to the loss.
        kernel_constraint: Projection of the kernel after each update. Likewise `bias_constraint`.
        **kwargs: Arguments of `Layer`: `name`, `trainable`, `dtype`, `input_shape`, ...

    Shapes:
        Inputs ``(batch, ..., features)``, outputs ``(batch, ..., units)``.

    Raises:
        ValueError: `units` is not a positive integer, or the size of the last input axis is unknown.

    Follows https://keras.io/api/layers/core_layers/dense/

    >>> import numpy as np
    >>> Dense(3, kernel_initializer="ones")(np.ones((1, 2))).tolist()
    [[2.0, 2.0, 2.0]]
    """

    supports_masking = True
    keeps_rows_apart = keeps_steps_apart = True
    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any

    def __init__(
        self,
        units: int,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Unpack[OtherLayerOptions],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = check_integer(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        keep_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: tuple) -> None:
        features = known_size(self, input_shape)
        self.kernel = make_weight(self, "kernel", (features, self.units))
        self.bias = make_weight(self, "bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: jax.Array) -> jax.Array:
        outputs = dense_product(inputs, plain(self.kernel))  # (batch, ..., features) -> (batch, ..., units)
        if self.bias is not None:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)


@registry.LAYERS.add()
class Identity(Layer):
    """Return the inputs unchanged: a tensor, or a list or dictionary of tensors of any shape.

    Args:
        **kwargs: Arguments of `Layer`.

    Follows https://keras.io/api/layers/core_layers/identity/

    >>> import numpy as np
    >>> Identity()(np.array([[1.0, 2.0]])).tolist()
    [[1.0, 2.0]]
    """

    supports_masking = True
    keeps_rows_apart = keeps_steps_apart = True

    def call(self, inputs: Any) -> Any:
        return inputs


@registry.LAYERS.add()
class Lambda(Layer):
    """Apply a custom function to the inputs.

    Args:
        function: Takes the inputs, `arguments` as keywords, and ``mask`` or ``training`` if it has parameters of these
            names. Functions of ``keras.ops`` and ``keras.backend`` work inside it.
        output_shape: Kept for the config only; the shape is found by tracing.
        mask: Mask of the outputs, or a function ``(inputs, mask)`` that returns it.
        arguments: Dictionary of keyword arguments for `function`.
        **kwargs: Arguments of `Layer`.

    Returns:
        What `function` returns. A saved config holds the function's name, never its code.

    Raises:
        TypeError: `function` is not callable.

    Follows https://keras.io/api/layers/core_layers/lambda/

    >>> import numpy as np
    >>> Lambda(lambda x, power: x**power, arguments={"power": 2})(np.array([[3.0]])).tolist()
    [[9.0]]
    """

    def __init__(
        self,
        function: Callable,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"Lambda takes a function of the inputs; got {function!r} ({type(function).__name__}).")
        self.function = function
        self.mask = mask
        self.arguments = dict(arguments or {})
        self.supports_masking = mask is not None
        self._passed = _parameter_names(function) & {"mask", "training"}

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        known = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{name: known[name] for name in self._passed})

    def _call_symbolic(self, args: tuple, kwargs: dict) -> Any:
        try:
            return super()._call_symbolic(args, kwargs)
        except GraphNeededError:  # K.gradients is called inside: run the function on the graph, as in Keras 2
            outputs = self.call(*args, **kwargs)
            return outputs[0] if isinstance(outputs, list) and len(outputs) == 1 else outputs

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the outputs: `mask` itself, or its result if it is a function."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask


def _parameter_names(function: Callable) -> set[str]:
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some functions written in C have no signature
        return set()


@registry.LAYERS.add()
class Masking(Layer):
    """Mask the time steps whose features all equal `mask_value`.

    Masked steps are set to zero, and later layers skip them.

    Args:
        mask_value: The value that marks padding.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs and outputs ``(batch, time, features)``, mask ``(batch, time)``.

    Follows https://keras.io/api/layers/core_layers/masking/

    >>> import numpy as np
    >>> Masking(-1.0)(np.array([[[-1.0, -1.0], [2.0, -1.0]]])).tolist()
    [[[0.0, 0.0], [2.0, -1.0]]]
    """

    supports_masking = True
    keeps_rows_apart = keeps_steps_apart = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def compute_mask(self, inputs: jax.Array, previous_mask: Any = None) -> jax.Array:
        """Return the mask ``(batch, time)``, True for steps that are not padding."""
        return jnp.any(inputs != self.mask_value, axis=-1)

    def call(self, inputs: jax.Array) -> jax.Array:
        counts = self.compute_mask(inputs)  # (batch, time)
        return jnp.where(counts[..., None], inputs, jnp.zeros((), inputs.dtype))


@registry.LAYERS.add()
class Wrapper(Layer):
    """Hold another layer and change how it is called: the base of `TimeDistributed` and of custom wrappers.

    Args:
        layer: The wrapped layer.
        **kwargs: Arguments of `Layer`.

    Raises:
        TypeError: `layer` is not a layer.

    Follows https://keras.io/api/layers/core_layers/ (``Wrapper``)

    >>> import numpy as np
    >>> class Doubled(Wrapper):
    ...     def call(self, inputs):
    ...         return 2 * self.layer(inputs)
    >>> Doubled(Identity())(np.ones((1, 2))).tolist()
    [[2.0, 2.0]]
    """

    def __init__(self, layer: Layer, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise TypeError(
                f"{type(self).__name__} wraps a layer, such as {type(self).__name__}(Dense(8)); got {layer!r} "
                f"({type(layer).__name__}).{foreign(layer)}"
            )
        self.layer = layer

    def build(self, input_shape: Any) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True


__all__ = [
    "Dense",
    "Identity",
    "Lambda",
    "Masking",
    "Wrapper",
]
