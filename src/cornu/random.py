"""Random arrays: `keras.random`. Follows https://keras.io/api/random/

`seed` is None (new numbers on each call), an integer (the same numbers on each call), or a `SeedGenerator`.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.dtype_policies import array_dtype
from cornu.core.graph import op
from cornu.core.public import offer
from cornu.core.randomness import random_key
from cornu.core.variable import Seed
from cornu.kernels import random_bits as draws
from cornu.ops.lifting import array, arrays_first

_IMPORTED = frozenset(globals())


class SeedGenerator(Seed):
    """A seed that advances with each use; as an attribute of a layer it is part of the model's state.

    Args:
        seed: an integer; None takes a new seed.
        name: name of the variable that holds the state.

    Follows https://keras.io/api/random/seed_generator/

    >>> seeds = SeedGenerator(1)
    >>> bool((normal((2,), seed=seeds) == normal((2,), seed=seeds)).all())
    False
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **_: Any) -> None:
        super().__init__(seed, name)

    def get_config(self) -> dict[str, Any]:
        """Return the initial seed."""
        return {"seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SeedGenerator":
        """Return a generator with the same initial seed."""
        return cls(**config)


jax.tree_util.register_pytree_node(
    SeedGenerator, lambda seed: ((seed._value,), None), lambda _, children: _rebuilt(children[0])
)


def _rebuilt(value: Any) -> SeedGenerator:
    seed = object.__new__(SeedGenerator)
    seed._value = value
    return seed


def normal(shape: Sequence[int], mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> jax.Array:
    """Return normally distributed numbers.

    Args:
        shape: shape of the result.
        mean: mean of the distribution.
        stddev: standard deviation.
        dtype: dtype of the result; None takes ``floatx()``.
        seed: None, an integer or a `SeedGenerator`.

    >>> normal((2, 3), seed=1).shape
    (2, 3)
    """
    dtype = array_dtype(dtype)
    return draws.normal(random_key(seed), shape, dtype) * jnp.asarray(stddev, dtype) + jnp.asarray(mean, dtype)


def uniform(
    shape: Sequence[int], minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> jax.Array:
    """Return uniformly distributed numbers; integers for an integer dtype.

    Args:
        shape: shape of the result.
        minval: lower bound, included.
        maxval: upper bound, excluded.
        dtype: dtype of the result; None takes ``floatx()``.
        seed: None, an integer or a `SeedGenerator`.

    >>> uniform((2, 3), seed=1).shape
    (2, 3)
    """
    dtype = array_dtype(dtype)
    if "int" in dtype:
        return jax.random.randint(random_key(seed), tuple(shape), int(minval), int(maxval), dtype)
    numbers = draws.uniform(random_key(seed), shape) * (maxval - minval) + minval
    return numbers.astype(dtype)


def randint(shape: Sequence[int], minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> jax.Array:
    """Return uniformly distributed integers.

    Args:
        shape: shape of the result.
        minval: lower bound, included.
        maxval: upper bound, excluded.
        dtype: integer dtype of the result.
        seed: None, an integer or a `SeedGenerator`.

    >>> print(randint((3,), 5, 6, seed=1))
    [5 5 5]
    """
    return jax.random.randint(random_key(seed), tuple(shape), minval, maxval, array_dtype(dtype))


def truncated_normal(
    shape: Sequence[int], mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> jax.Array:
    """Return normally distributed numbers within two standard deviations of the mean.

    Args:
        shape: shape of the result.
        mean: mean of the distribution.
        stddev: standard deviation before truncation.
        dtype: dtype of the result; None takes ``floatx()``.
        seed: None, an integer or a `SeedGenerator`.

    >>> bool((abs(truncated_normal((1000,), seed=1)) <= 2).all())
    True
    """
    dtype = array_dtype(dtype)
    return jax.random.truncated_normal(random_key(seed), -2.0, 2.0, tuple(shape), dtype) * stddev + mean


@arrays_first(1)
def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> jax.Array:
    """Return class indices sampled from unnormalized log-probabilities.

    Args:
        logits: ``(batch, classes)``.
        num_samples: number of samples per row.
        dtype: integer dtype of the result.
        seed: None, an integer or a `SeedGenerator`.

    Returns:
        ``(batch, num_samples)``.

    >>> print(categorical([[0.0, -1e9]], 3, seed=1))
    [[0 0 0]]
    """
    shape = (num_samples, *logits.shape[:-1])
    drawn = jax.random.categorical(random_key(seed), logits, shape=shape)  # (num_samples, batch)
    return jnp.moveaxis(drawn, 0, -1).astype(array_dtype(dtype))  # (batch, num_samples)


@arrays_first(1)
def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> jax.Array:
    """Set a fraction of the elements to zero and scale the rest by ``1 / (1 - rate)``.

    Args:
        inputs: any shape.
        rate: the fraction, from 0 to 1.
        noise_shape: shape of the mask, which is broadcast to `inputs`; None takes the shape of `inputs`.
        seed: None, an integer or a `SeedGenerator`.

    >>> dropout([[1.0, 1.0]], 0.5, seed=1).shape
    (1, 2)
    """
    return draws.dropout(jnp.asarray(inputs), random_key(seed), rate, noise_shape)


@arrays_first(1)
def shuffle(x: Any, axis: int = 0, seed: Any = None) -> jax.Array:
    """Return the entries along an axis in random order.

    Args:
        x: any shape.
        axis: the axis to shuffle.
        seed: None, an integer or a `SeedGenerator`.

    >>> sorted(shuffle([3, 1, 2], seed=1).tolist())
    [1, 2, 3]
    """
    return jax.random.permutation(random_key(seed), x, axis)


@op
def gamma(shape: Sequence[int], alpha: Any, dtype: Any = None, seed: Any = None) -> jax.Array:
    """Return numbers drawn from gamma distributions of scale 1.

    Args:
        shape: shape of the result.
        alpha: shape parameter, above 0, broadcast to `shape`.
        dtype: dtype of the result; None takes ``floatx()``.
        seed: None, an integer or a `SeedGenerator`.

    >>> bool((gamma((3,), 2.0, seed=1) > 0).all())
    True
    """
    return jax.random.gamma(random_key(seed), array(alpha), tuple(shape), array_dtype(dtype))


@op
def beta(shape: Sequence[int], alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> jax.Array:
    """Return numbers drawn from beta distributions.

    Args:
        shape: shape of the result.
        alpha, beta: shape parameters, above 0, broadcast to `shape`.
        dtype: dtype of the result; None takes ``floatx()``.
        seed: None, an integer or a `SeedGenerator`.

    >>> beta((3,), 2.0, 1.0, seed=1).shape
    (3,)
    """
    return jax.random.beta(random_key(seed), array(alpha), array(beta), tuple(shape), array_dtype(dtype))


@op
def binomial(shape: Sequence[int], counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> jax.Array:
    """Return the number of successes in independent trials.

    Args:
        shape: shape of the result.
        counts: number of trials, broadcast to `shape`.
        probabilities: probability of success, from 0 to 1, broadcast to `shape`.
        dtype: dtype of the result; None takes ``floatx()``.
        seed: None, an integer or a `SeedGenerator`.

    >>> print(binomial((2,), 5, 1.0, seed=1))
    [5. 5.]
    """
    dtype = array_dtype(dtype)
    return jax.random.binomial(random_key(seed), array(counts), array(probabilities), tuple(shape)).astype(dtype)


offer(globals(), _IMPORTED)
