"""Random arrays: `keras.random`. Follows https://keras.io/api/random/

`seed` is None (other numbers in each call), a whole number (the same in each call), or a `SeedGenerator`.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.dtype_policies import standardize_dtype
from cornu.core.graph import op
from cornu.core.public import offer
from cornu.core.randomness import random_key
from cornu.core.variable import Seed
from cornu.kernels import random_bits as draws
from cornu.ops.lifting import array, arrays_first

_IMPORTED = frozenset(globals())


class SeedGenerator(Seed):
    """A seed that moves on with each use; kept as an attribute of a layer it is part of the model's state.

    >>> seeds = SeedGenerator(1)
    >>> bool((normal((2,), seed=seeds) == normal((2,), seed=seeds)).all())
    False
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **_: Any) -> None:
        super().__init__(seed, name)

    def get_config(self) -> dict[str, Any]:
        """Return the seed that it started from."""
        return {"seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SeedGenerator":
        """Make a generator that starts as the one with this config did."""
        return cls(**config)


jax.tree_util.register_pytree_node(
    SeedGenerator, lambda seed: ((seed._value,), None), lambda _, children: _rebuilt(children[0])
)


def _rebuilt(value: Any) -> SeedGenerator:
    seed = object.__new__(SeedGenerator)
    seed._value = value
    return seed


def normal(shape: Sequence[int], mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> jax.Array:
    """Return normally distributed numbers."""
    dtype = standardize_dtype(dtype)
    return draws.normal(random_key(seed), shape, dtype) * jnp.asarray(stddev, dtype) + jnp.asarray(mean, dtype)


def uniform(
    shape: Sequence[int], minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> jax.Array:
    """Return numbers spread evenly from `minval` up to, but without, `maxval`; whole numbers for a whole type."""
    dtype = standardize_dtype(dtype)
    if "int" in dtype:
        return jax.random.randint(random_key(seed), tuple(shape), int(minval), int(maxval), dtype)
    numbers = draws.uniform(random_key(seed), shape) * (maxval - minval) + minval
    return numbers.astype(dtype)


def randint(shape: Sequence[int], minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> jax.Array:
    """Return whole numbers from `minval` up to, but without, `maxval`."""
    return jax.random.randint(random_key(seed), tuple(shape), minval, maxval, standardize_dtype(dtype))


def truncated_normal(
    shape: Sequence[int], mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> jax.Array:
    """Return normally distributed numbers within two standard deviations of the mean."""
    dtype = standardize_dtype(dtype)
    return jax.random.truncated_normal(random_key(seed), -2.0, 2.0, tuple(shape), dtype) * stddev + mean


@arrays_first(1)
def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> jax.Array:
    """Return `num_samples` class numbers for each row, drawn by the unnormalized log-probabilities of the classes."""
    shape = (num_samples, *logits.shape[:-1])
    drawn = jax.random.categorical(random_key(seed), logits, shape=shape)
    return jnp.moveaxis(drawn, 0, -1).astype(standardize_dtype(dtype))


@arrays_first(1)
def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> jax.Array:
    """Set a share `rate` of the elements to zero and scale up the rest."""
    return draws.dropout(jnp.asarray(inputs), random_key(seed), rate, noise_shape)


@arrays_first(1)
def shuffle(x: Any, axis: int = 0, seed: Any = None) -> jax.Array:
    """Return the entries along an axis in random order."""
    return jax.random.permutation(random_key(seed), x, axis)


@op
def gamma(shape: Sequence[int], alpha: Any, dtype: Any = None, seed: Any = None) -> jax.Array:
    """Return numbers of the gamma distribution."""
    return jax.random.gamma(random_key(seed), array(alpha), tuple(shape), standardize_dtype(dtype))


@op
def beta(shape: Sequence[int], alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> jax.Array:
    """Return numbers of the beta distribution."""
    return jax.random.beta(random_key(seed), array(alpha), array(beta), tuple(shape), standardize_dtype(dtype))


@op
def binomial(shape: Sequence[int], counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> jax.Array:
    """Return how many of `counts` trials succeed."""
    dtype = standardize_dtype(dtype)
    return jax.random.binomial(random_key(seed), array(counts), array(probabilities), tuple(shape)).astype(dtype)


offer(globals(), _IMPORTED)
