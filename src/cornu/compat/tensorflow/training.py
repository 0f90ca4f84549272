"""Training parts of the `tensorflow` stand-in: optimizers of version 1, losses from logits."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from cornu import optimizers
from cornu.compat.backend.calls import tensor_function
from cornu.compat.tensorflow.inputs import extend
from cornu.core.variable import Variable, plain


def _optimizer(cls: type, **defaults: Any) -> Callable[..., Any]:
    """Return a function with the keywords of ``tf.train.*Optimizer``."""
    renamed = {"beta1": "beta_1", "beta2": "beta_2", "decay": "rho", "use_nesterov": "nesterov"}

    def make(learning_rate: Any = 0.001, *args: Any, **kwargs: Any) -> Any:
        kwargs = {renamed.get(key, key): value for key, value in kwargs.items() if key not in ("use_locking", "name")}
        return cls(learning_rate, *args, **(defaults | kwargs))

    return make


AdamOptimizer = _optimizer(optimizers.Adam, epsilon=1e-8)
GradientDescentOptimizer = _optimizer(optimizers.SGD)
MomentumOptimizer = _optimizer(optimizers.SGD)
RMSPropOptimizer = _optimizer(optimizers.RMSprop, epsilon=1e-10)
AdagradOptimizer = _optimizer(optimizers.Adagrad)
AdadeltaOptimizer = _optimizer(optimizers.Adadelta)


def get_or_create_global_step() -> int:
    """Return 0: the optimizer counts its steps itself."""
    return 0


@tensor_function
def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> jax.Array:
    """Return the crossentropy of each row for class numbers."""
    rows = jax.nn.log_softmax(jnp.asarray(logits))
    return -jnp.take_along_axis(rows, jnp.asarray(labels)[..., None].astype("int32"), axis=-1)[..., 0]


@tensor_function
def softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, axis: int = -1, name: str | None = None, dim: int | None = None
) -> jax.Array:
    """Return the crossentropy of each row for class probabilities along `axis`."""
    axis = axis if dim is None else dim
    return -jnp.sum(jnp.asarray(labels) * jax.nn.log_softmax(jnp.asarray(logits), axis), axis=axis)


softmax_cross_entropy_with_logits_v2 = softmax_cross_entropy_with_logits


@tensor_function
def sigmoid_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> jax.Array:
    """Return the binary crossentropy of each entry."""
    labels, logits = jnp.asarray(labels), jnp.asarray(logits)
    return jnp.maximum(logits, 0) - logits * labels + jnp.log1p(jnp.exp(-jnp.abs(logits)))


@tensor_function
def fill(dims: Any, value: Any, name: str | None = None) -> jax.Array:
    """Return an array of one value."""
    return jnp.full(tuple(int(size) for size in dims), value)


@tensor_function
def add_n(inputs: Any, name: str | None = None) -> jax.Array:
    """Return the sum of several arrays."""
    return sum(map(jnp.asarray, inputs[1:]), jnp.asarray(inputs[0]))


@tensor_function
def l2_loss(t: Any, name: str | None = None) -> jax.Array:
    """Return half the sum of squares."""
    return jnp.sum(jnp.square(jnp.asarray(t))) / 2


def global_norm(t_list: Any, name: str | None = None) -> jax.Array:
    """Return the length of all arrays of a list (gradients, None among them) taken as one vector."""
    squares = [jnp.sum(jnp.square(jnp.asarray(array))) for array in t_list if array is not None]
    return jnp.sqrt(jnp.sum(jnp.stack(squares))) if squares else jnp.zeros(())


def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], jax.Array]:
    """Return the arrays scaled down so that their global norm is at most `clip_norm`, and the norm before.

    >>> clipped, norm = clip_by_global_norm([jnp.array([3.0]), None, jnp.array([4.0])], 1.0)
    >>> clipped[2].tolist(), float(norm)
    ([0.800000011920929], 5.0)
    """
    norm = global_norm(t_list) if use_norm is None else jnp.asarray(use_norm)
    factor = clip_norm / jnp.maximum(norm, clip_norm)
    return [None if array is None else jnp.asarray(array) * factor for array in t_list], norm


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> jax.Array:
    """Return an array scaled down so that its length along `axes` (all by default) is at most `clip_norm`."""
    array = jnp.asarray(t)
    axes = tuple(axes) if isinstance(axes, (list, tuple)) else axes
    squares = jnp.sum(jnp.square(array), axis=axes, keepdims=True)
    norm = jnp.sqrt(jnp.where(squares > 0, squares, 1.0))  # the gradient of the root is infinite at 0
    return array * (clip_norm / jnp.maximum(norm, clip_norm))


class ExponentialMovingAverage:
    """Running averages of variables. Stand-in for ``tf.train.ExponentialMovingAverage``.

    >>> v, ema = Variable(1.0), ExponentialMovingAverage(0.9)
    >>> ema.apply([v]); _ = v.assign(2.0); ema.apply([v])
    >>> round(float(ema.average(v)), 4)
    1.1
    """

    def __init__(self, decay: float, num_updates: Any = None, zero_debias: bool = False, name: Any = None) -> None:
        self._decay, self._updates = decay, num_updates
        self._averages: dict[int, tuple[Variable, Variable]] = {}

    def apply(self, var_list: Any = None) -> None:
        """Move the averages of variables; the first time they are their values."""
        decay: Any = self._decay
        if self._updates is not None:
            count = jnp.asarray(plain(self._updates), "float32")
            decay = jnp.minimum(decay, (1 + count) / (10 + count))
        for variable in var_list or ():
            kept = self._averages.get(id(variable))
            if kept is None:
                self._averages[id(variable)] = variable, Variable(variable.value, trainable=False)
            else:
                kept[1].assign(kept[1].value * decay + variable.value * (1 - decay))

    def average(self, var: Any) -> Any:
        """Return the average of a variable, or None."""
        return self._averages.get(id(var), (None, None))[1]


extend(globals())
