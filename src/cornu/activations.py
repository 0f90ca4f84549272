"""Activation functions, found by name: ``Dense(10, activation="softmax")``.

Follows https://keras.io/api/layers/activations/
"""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax import Array

from cornu.core import registry, serialization, spellings
from cornu.core.graph import op
from cornu.core.public import offer
from cornu.kernels.compiler import as_one_program
from cornu.ops import nn

_IMPORTED = frozenset(globals())


def _activation(*aliases: str) -> Callable[[Callable], Callable]:
    """Decorate a function of an array: it also takes lists and symbolic tensors, and is registered by name."""

    def decorate(function: Callable) -> Callable:
        program = as_one_program()(function)

        @functools.wraps(function)
        def on_array(x: Any, *args: Any, **kwargs: Any) -> Array:
            usual = not args and not kwargs  # each other value would be compiled separately
            x = x if isinstance(x, Array) else jnp.asarray(x)
            return (program if usual else function)(x, *args, **kwargs)

        return registry.ACTIVATIONS.add(*aliases)(op(on_array))

    return decorate


@_activation()
def linear(x: Array) -> Array:
    """Return `x` unchanged.

    >>> print(linear([-1.0, 1.0]))
    [-1.  1.]
    """
    return x


@_activation()
def relu(x: Array, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Array:
    """Return the rectified linear unit ``max(x, 0)``, or its general form.

    Args:
        x: any shape.
        negative_slope: the result below `threshold` is ``negative_slope * (x - threshold)``.
        max_value: upper limit of the result; None for no limit.
        threshold: values above it are kept.

    Follows https://keras.io/api/layers/activations/#relu-function

    >>> print(relu([-2.0, 0.5, 9.0], negative_slope=0.1, max_value=6.0))
    [-0.2  0.5  6. ]
    """
    kept = jnp.where(x > threshold, x, 0) if threshold else jax.nn.relu(x)
    if max_value is not None:
        kept = jax.nn.relu6(x) if max_value == 6 and not threshold else jnp.clip(kept, 0, max_value)
    return kept - negative_slope * jax.nn.relu(threshold - x) if negative_slope else kept


@_activation()
def leaky_relu(x: Array, negative_slope: float = 0.2) -> Array:
    """Return `x` if it is positive, else ``negative_slope * x``.

    Args:
        x: any shape.
        negative_slope: slope for negative values.

    >>> print(leaky_relu([-2.0, 1.0], negative_slope=0.5))
    [-1.  1.]
    """
    return jax.nn.leaky_relu(x, negative_slope)


@_activation()
def relu6(x: Array) -> Array:
    """Return `x` clipped to the range from 0 to 6.

    >>> print(relu6([-1.0, 3.0, 9.0]))
    [0. 3. 6.]
    """
    return jax.nn.relu6(x)


@_activation()
def softmax(x: Array, axis: int | Sequence[int] = -1) -> Array:
    """Return probabilities: ``exp(x)`` divided by its sum over `axis`.

    Args:
        x: logits, any shape.
        axis: the axis or axes to normalize over.

    >>> print(softmax([0.0, 0.0]))
    [0.5 0.5]
    """
    return jax.nn.softmax(x, _axes(axis))


@_activation()
def log_softmax(x: Array, axis: int | Sequence[int] = -1) -> Array:
    """Return the logarithm of `softmax`, computed without overflow.

    Args:
        x: logits, any shape.
        axis: the axis or axes to normalize over.

    >>> print(log_softmax([0.0, 0.0]))
    [-0.693... -0.693...]
    """
    return jax.nn.log_softmax(x, _axes(axis))


def _axes(axis: int | Sequence[int]) -> int | tuple[int, ...]:
    return tuple(axis) if isinstance(axis, Sequence) else axis


@_activation()
def elu(x: Array, alpha: float = 1.0) -> Array:
    """Return `x` if it is positive, else ``alpha * (exp(x) - 1)`` (https://arxiv.org/abs/1511.07289).

    Args:
        x: any shape.
        alpha: the limit for large negative values is ``-alpha``.

    >>> print(elu([-100.0, 1.0], alpha=0.5))
    [-0.5  1. ]
    """
    return jax.nn.elu(x, alpha)


@_activation()
def selu(x: Array) -> Array:
    """Return a scaled `elu` with which layers keep mean 0 and variance 1 (https://arxiv.org/abs/1706.02515).

    >>> print(selu([-1.0, 1.0]))
    [-1.111...  1.050...]
    """
    return jax.nn.selu(x)


@_activation()
def celu(x: Array, alpha: float = 1.0) -> Array:
    """Return ``max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))`` (https://arxiv.org/abs/1704.07483).

    Args:
        x: any shape.
        alpha: the limit for large negative values is ``-alpha``.

    >>> print(celu([-100.0, 1.0]))
    [-1.  1.]
    """
    return jax.nn.celu(x, alpha)


@_activation()
def gelu(x: Array, approximate: bool = False) -> Array:
    """Return `x` times the standard normal distribution function of `x` (https://arxiv.org/abs/1606.08415).

    Args:
        x: any shape.
        approximate: use the approximation with tanh.

    >>> print(gelu([-1.0, 1.0]))
    [-0.158...  0.841...]
    """
    return jax.nn.gelu(x, approximate)


@_activation()
def glu(x: Array, axis: int = -1) -> Array:
    """Return the first half of `axis` times the sigmoid of its second half (https://arxiv.org/abs/1612.08083).

    Args:
        x: any shape.
        axis: the axis to split; its size must be even.

    Returns:
        An array with half the size along `axis`.

    Raises:
        ValueError: if the size is odd.

    >>> print(glu([3.0, 0.0]))
    [1.5]
    """
    if x.shape[axis] % 2:
        raise ValueError(f"glu splits axis {axis} in half, so its size must be even; x has shape {x.shape}.")
    return jax.nn.glu(x, axis)


@_activation()
def sigmoid(x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))``.

    >>> print(sigmoid([0.0, 100.0]))
    [0.5 1. ]
    """
    return jax.nn.sigmoid(x)


@_activation("hard_sigmoid_of_keras_3")
def hard_sigmoid(x: Array) -> Array:
    """Return ``relu6(x + 3) / 6``, a piecewise linear approximation of the sigmoid.

    >>> print(hard_sigmoid([-3.0, 0.0, 3.0]))
    [0.  0.5 1. ]
    """
    return jax.nn.hard_sigmoid(x)


@_activation()
def hard_sigmoid_of_keras_2(x: Array) -> Array:
    """Return ``0.2 * x + 0.5`` clipped to the range from 0 to 1: `hard_sigmoid` as Keras 1 and 2 defined it.

    >>> print(hard_sigmoid_of_keras_2([-3.0, 0.0, 3.0]))
    [0.  0.5 1. ]
    """
    return jnp.clip(0.2 * x + 0.5, 0, 1)


@_activation()
def log_sigmoid(x: Array) -> Array:
    """Return the logarithm of `sigmoid`, computed without overflow.

    >>> round(float(log_sigmoid([0.0])[0]), 4)
    -0.6931
    """
    return jax.nn.log_sigmoid(x)


@_activation()
def sparse_sigmoid(x: Array) -> Array:
    """Return 0 below -1, 1 above 1, and ``(x + 1) / 2`` between.

    >>> print(sparse_sigmoid([-2.0, 0.0, 2.0]))
    [0.  0.5 1. ]
    """
    return jax.nn.sparse_sigmoid(x)


@_activation("swish")
def silu(x: Array) -> Array:
    """Return ``x * sigmoid(x)``, also called swish (https://arxiv.org/abs/1710.05941).

    >>> print(silu([-1.0, 1.0]))
    [-0.268...  0.731...]
    """
    return jax.nn.silu(x)


@_activation("hard_swish")
def hard_silu(x: Array) -> Array:
    """Return ``x * hard_sigmoid(x)``, also called hard swish (https://arxiv.org/abs/1905.02244).

    >>> print(hard_silu([-3.0, 0.0, 3.0]))
    [-0.  0.  3.]
    """
    return jax.nn.hard_silu(x)


@_activation()
def tanh(x: Array) -> Array:
    """Return the hyperbolic tangent.

    >>> print(tanh([0.0, 100.0]))
    [0. 1.]
    """
    return jnp.tanh(x)


@_activation()
def hard_tanh(x: Array) -> Array:
    """Return `x` clipped to the range from -1 to 1.

    >>> print(hard_tanh([-2.0, 0.5, 2.0]))
    [-1.   0.5  1. ]
    """
    return jax.nn.hard_tanh(x)


@_activation()
def softplus(x: Array) -> Array:
    """Return ``log(exp(x) + 1)``.

    >>> round(float(softplus([0.0])[0]), 4)
    0.6931
    """
    return jax.nn.softplus(x)


@_activation()
def softsign(x: Array) -> Array:
    """Return ``x / (abs(x) + 1)``.

    >>> print(softsign([-1.0, 1.0]))
    [-0.5  0.5]
    """
    return jax.nn.soft_sign(x)


@_activation()
def sparse_plus(x: Array) -> Array:
    """Return 0 below -1, `x` above 1, and ``(x + 1)^2 / 4`` between.

    >>> print(sparse_plus([-2.0, 0.0, 2.0]))
    [0.   0.25 2.  ]
    """
    return jax.nn.sparse_plus(x)


@_activation()
def squareplus(x: Array, b: float = 4) -> Array:
    """Return ``(x + sqrt(x^2 + b)) / 2`` (https://arxiv.org/abs/2112.11687).

    Args:
        x: any shape.
        b: smoothness of the corner at 0.

    >>> print(squareplus([0.0, 1.5]))
    [1. 2.]
    """
    return jax.nn.squareplus(x, b)


@_activation()
def mish(x: Array) -> Array:
    """Return ``x * tanh(softplus(x))`` (https://arxiv.org/abs/1908.08681).

    >>> print(mish([0.0, 1.0]))
    [0. ... 0.865...]
    """
    return jax.nn.mish(x)


@_activation()
def exponential(x: Array) -> Array:
    """Return ``exp(x)``.

    >>> print(exponential([0.0, 1.0]))
    [1. ... 2.718...]
    """
    return jnp.exp(x)


hard_shrink, soft_shrink, tanh_shrink = nn.hard_shrink, nn.soft_shrink, nn.tanh_shrink
threshold, sparsemax = nn.threshold, nn.sparsemax
registry.ACTIVATIONS.add_all([hard_shrink, soft_shrink, tanh_shrink, threshold, sparsemax])
swish, hard_swish = silu, hard_silu


def get(identifier: Any) -> Callable:
    """Return the activation function for an identifier.

    Args:
        identifier: a name, a config or a callable; None gives `linear`.

    Raises:
        ValueError: if the name is unknown.

    >>> get("relu") is relu, get(None) is linear
    (True, True)
    """
    if identifier is None:
        return linear
    return serialization.get(registry.original(serialization.meant(identifier)), registry.ACTIVATIONS)


def serialize(activation: Any) -> Any:
    """Return the name of an activation of this library, or the config of another one.

    >>> serialize(relu)
    'relu'
    """
    return serialization.serialize(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the activation for a name or config.

    Args:
        config: a name or a config.
        custom_objects: names of custom functions.

    Raises:
        ValueError: if the name is unknown.

    >>> deserialize("relu") is relu
    True
    """
    return serialization.deserialize(serialization.meant(config), custom_objects, registry.ACTIVATIONS)


if not TYPE_CHECKING:  # type checkers would take every misspelt name for one of the module's
    __getattr__ = spellings.names_of(__name__)
offer(globals(), _IMPORTED)
