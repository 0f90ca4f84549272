"""Training parts of the `tensorflow` stand-in: optimizers of version 1, losses from logits, strategies, counts."""

import contextlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from cornu import optimizers
from cornu.compat.backend.calls import tensor_function
from cornu.core.randomness import random_key


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
def softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> jax.Array:
    """Return the crossentropy of each row for class probabilities."""
    return -jnp.sum(jnp.asarray(labels) * jax.nn.log_softmax(jnp.asarray(logits)), axis=-1)


softmax_cross_entropy_with_logits_v2 = softmax_cross_entropy_with_logits


@tensor_function
def sigmoid_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> jax.Array:
    """Return the binary crossentropy of each entry."""
    labels, logits = jnp.asarray(labels), jnp.asarray(logits)
    return jnp.maximum(logits, 0) - logits * labels + jnp.log1p(jnp.exp(-jnp.abs(logits)))


def fill(dims: Any, value: Any, name: str | None = None) -> jax.Array:
    """Return an array of one value."""
    return jnp.full(tuple(dims), value)


def confusion_matrix(
    labels: Any, predictions: Any, num_classes: int | None = None, weights: Any = None, dtype: Any = "int32"
) -> jax.Array:
    """Return how often each label (row) was predicted as each class (column).

    >>> confusion_matrix([0, 1, 1], [0, 1, 0]).tolist()
    [[1, 0], [1, 1]]
    """
    labels, predictions = jnp.asarray(labels), jnp.asarray(predictions)
    size = num_classes or int(max(labels.max(), predictions.max())) + 1
    counts = jnp.zeros((size, size), str(dtype))
    return counts.at[labels, predictions].add(1 if weights is None else jnp.asarray(weights, str(dtype)))


class Strategy:
    """A distribution strategy: JAX chooses the devices; ``with strategy.scope():`` does nothing."""

    num_replicas_in_sync = 1

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def scope(self) -> contextlib.AbstractContextManager:
        """Return a context that does nothing."""
        return contextlib.nullcontext(self)


MirroredStrategy = OneDeviceStrategy = TPUStrategy = Strategy


def get_strategy() -> Strategy:
    """Return the strategy."""
    return Strategy()


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


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> jax.Array:
    """Return normally distributed numbers within two standard deviations of the mean."""
    key = random_key(seed, moves_on=True)
    return mean + stddev * jax.random.truncated_normal(key, -2.0, 2.0, tuple(shape), str(dtype))


def random_shuffle(value: Any, seed: Any = None, name: Any = None) -> jax.Array:
    """Return the rows in random order."""
    return jax.random.permutation(random_key(seed, moves_on=True), jnp.asarray(value))
