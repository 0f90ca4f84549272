"""The module ``tf.random``: numbers of the kinds that TensorFlow draws, from JAX's generators.

A seed repeats them, but they are other numbers than TensorFlow's.
Follows https://www.tensorflow.org/api_docs/python/tf/random
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import tensor_function
from cornu.compat.tensorflow.dtypes import array_type
from cornu.compat.tensorflow.strings import text_tensor
from cornu.core import seeds
from cornu.core.randomness import random_key
from cornu.core.text import holds_text
from cornu.core.variable import Variable, plain


def sizes(shape: Any) -> tuple[int, ...]:
    """Return a shape as a tuple; a number is a vector's."""
    return (int(shape),) if np.ndim(shape) == 0 else tuple(int(size) for size in shape)


def _is_integer(dtype: str) -> bool:
    return "int" in dtype


# ---- by the key


def _normal(key: jax.Array, shape: Any, mean: Any, stddev: Any, dtype: Any) -> jax.Array:
    dtype = array_type(dtype)
    return jnp.asarray(mean, dtype) + jnp.asarray(stddev, dtype) * jax.random.normal(key, sizes(shape), dtype)


def _truncated(key: jax.Array, shape: Any, mean: Any, stddev: Any, dtype: Any) -> jax.Array:
    dtype = array_type(dtype)
    found = jax.random.truncated_normal(key, -2.0, 2.0, sizes(shape), dtype)
    return jnp.asarray(mean, dtype) + jnp.asarray(stddev, dtype) * found


def _uniform(key: jax.Array, shape: Any, minval: Any, maxval: Any, dtype: Any) -> jax.Array:
    dtype = array_type(dtype)
    if not _is_integer(dtype):
        return jax.random.uniform(key, sizes(shape), dtype, plain(minval), 1 if maxval is None else plain(maxval))
    if maxval is None:
        raise ValueError(f"Must specify maxval for the integer dtype {dtype}: tf.random.uniform(shape, 0, 10, dtype).")
    return jax.random.randint(key, sizes(shape), plain(minval), plain(maxval), dtype)


def _categorical(key: jax.Array, logits: Any, num_samples: Any, dtype: Any) -> jax.Array:
    logits = jnp.asarray(plain(logits))
    found = jax.random.categorical(key, logits[:, None, :], axis=-1, shape=(logits.shape[0], int(num_samples)))
    return found.astype(array_type(dtype))


def _gamma(key: jax.Array, shape: Any, alpha: Any, beta: Any, dtype: Any) -> jax.Array:
    dtype = array_type(dtype)
    alpha, beta = (jnp.asarray(plain(one), dtype) for one in (alpha, 1.0 if beta is None else beta))
    both = np.broadcast_shapes(alpha.shape, beta.shape)
    return jax.random.gamma(key, alpha, (*sizes(shape), *both), dtype) / beta


def _poisson(key: jax.Array, shape: Any, lam: Any, dtype: Any) -> jax.Array:
    rates = jnp.asarray(plain(lam), "float32")
    words = jax.random.bits(key, (2,), "uint32")  # JAX draws these numbers from its first kind of generator alone
    plain_key = jax.random.wrap_key_data(words, impl="threefry2x32")
    return jax.random.poisson(plain_key, rates, (*sizes(shape), *rates.shape)).astype(array_type(dtype))


def _binomial(key: jax.Array, shape: Any, counts: Any, probs: Any, dtype: Any) -> jax.Array:
    counts, probs = jnp.asarray(plain(counts), "float32"), jnp.asarray(plain(probs), "float32")
    return jax.random.binomial(key, counts, probs, sizes(shape)).astype(array_type(dtype))


# ---- from the stream of the program


def set_seed(seed: int) -> None:
    """Seed all random numbers from here on."""
    seeds.set_random_seed(int(seed))


set_random_seed = set_seed


def _next(seed: Any) -> jax.Array:
    return random_key(seed, moves_on=True)


@tensor_function
def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> jax.Array:
    """Return normally distributed numbers."""
    return _normal(_next(seed), shape, plain(mean), plain(stddev), dtype)


@tensor_function
def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> jax.Array:
    """Return normally distributed numbers within two standard deviations of the mean."""
    return _truncated(_next(seed), shape, plain(mean), plain(stddev), dtype)


@tensor_function
def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> jax.Array:
    """Return uniform random numbers from `minval` to below `maxval` (1 for floats). ValueError for integers without it.

    >>> uniform([3], 2, 3, "int32").tolist()
    [2, 2, 2]
    """
    return _uniform(_next(seed), shape, minval, maxval, dtype)


@tensor_function
def categorical(logits: Any, num_samples: Any, dtype: Any = "int64", seed: Any = None, name: Any = None) -> jax.Array:
    """Return class numbers drawn with the probabilities that `logits` say: ``(rows, num_samples)``."""
    return _categorical(_next(seed), logits, num_samples, dtype)


def multinomial(
    logits: Any, num_samples: Any, seed: Any = None, name: Any = None, output_dtype: Any = "int64"
) -> jax.Array:
    """Return what `categorical` returns."""
    return categorical(logits, num_samples, output_dtype, seed)


@tensor_function
def gamma(
    shape: Any, alpha: Any, beta: Any = None, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> jax.Array:
    """Return numbers of gamma distributions: ``shape + alpha.shape``."""
    return _gamma(_next(seed), shape, alpha, beta, dtype)


@tensor_function
def poisson(shape: Any, lam: Any, dtype: Any = "float32", seed: Any = None, name: Any = None) -> jax.Array:
    """Return numbers of Poisson distributions: ``shape + lam.shape``."""
    return _poisson(_next(seed), shape, lam, dtype)


def shuffle(value: Any, seed: Any = None, name: Any = None) -> Any:
    """Return the rows in random order."""
    if holds_text(value):
        texts = text_tensor(value)
        return texts[np.asarray(jax.random.permutation(_next(seed), len(texts)))]
    return jax.random.permutation(_next(seed), jnp.asarray(plain(value)))


# ---- from two numbers, the same for the same seed


def key_of(seed: Any) -> jax.Array:
    """Return the key for two numbers."""
    words = jnp.asarray(plain(seed)).astype("uint32").reshape(-1)
    return jax.random.wrap_key_data(jnp.tile(words, 2)[:4], impl="rbg")


def stateless_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None, alg: Any = None
) -> jax.Array:
    """Return normally distributed numbers, the same for the same two numbers `seed`."""
    return _normal(key_of(seed), shape, plain(mean), plain(stddev), dtype)


def stateless_truncated_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None, alg: Any = None
) -> jax.Array:
    """Return normally distributed numbers within two standard deviations, the same for the same `seed`."""
    return _truncated(key_of(seed), shape, plain(mean), plain(stddev), dtype)


def stateless_uniform(
    shape: Any, seed: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", name: Any = None,
    alg: Any = None,
) -> jax.Array:  # fmt: skip
    """Return uniform random numbers, the same for the same two numbers `seed`."""
    return _uniform(key_of(seed), shape, minval, maxval, dtype)


def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = "int64", name: Any = None
) -> jax.Array:
    """Return class numbers, the same for the same two numbers `seed`."""
    return _categorical(key_of(seed), logits, num_samples, dtype)


def stateless_binomial(
    shape: Any, seed: Any, counts: Any, probs: Any, output_dtype: Any = "int32", name: Any = None
) -> jax.Array:
    """Return how often of `counts` times something of a probability happens."""
    return _binomial(key_of(seed), shape, counts, probs, output_dtype)


def stateless_gamma(
    shape: Any, seed: Any, alpha: Any, beta: Any = None, dtype: Any = "float32", name: Any = None
) -> jax.Array:
    """Return numbers of gamma distributions of the whole `shape`."""
    alpha = jnp.broadcast_to(jnp.asarray(plain(alpha), array_type(dtype)), sizes(shape))
    return _gamma(key_of(seed), (), alpha, beta, dtype)


def stateless_poisson(shape: Any, seed: Any, lam: Any, dtype: Any = "int32", name: Any = None) -> jax.Array:
    """Return numbers of Poisson distributions of the whole `shape`."""
    return _poisson(key_of(seed), (), jnp.broadcast_to(jnp.asarray(plain(lam), "float32"), sizes(shape)), dtype)


def stateless_shuffle(value: Any, seed: Any, alg: Any = None, name: Any = None) -> jax.Array:
    """Return the rows in an order that `seed` says."""
    return jax.random.permutation(key_of(seed), jnp.asarray(plain(value)))


def stateless_split(seed: Any, num: int = 2, alg: Any = None) -> jax.Array:
    """Return `num` seeds of two numbers made from one."""
    return jax.random.bits(key_of(seed), (int(num), 2), "uint32").view("int32")


def stateless_fold_in(seed: Any, data: Any, alg: Any = None) -> jax.Array:
    """Return a seed of two numbers made from one and a number."""
    key = jax.random.fold_in(key_of(seed), jnp.asarray(plain(data)))
    return jax.random.bits(key, (2,), "uint32").view("int32")


class Generator:
    """Random numbers with a state of their own. Stand-in for ``tf.random.Generator``.

    >>> one, other = Generator.from_seed(1), Generator.from_seed(1)
    >>> bool((one.normal([3]) == other.normal([3])).all()), bool((one.normal([3]) == one.normal([3])).all())
    (True, False)
    """

    def __init__(self, copy_from: "Generator | None" = None, state: Any = None, alg: Any = None) -> None:
        given: Any = copy_from
        start = given.state.value if given is not None else jnp.asarray(plain(state)).astype("uint32")
        self.state = Variable(jnp.resize(start.reshape(-1), (3,)), trainable=False, name="StateVar")
        self.algorithm = 1

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> "Generator":
        """Return a generator for a number."""
        return cls(state=np.array([int(seed) & 0xFFFFFFFF, 0, int(seed) >> 32 & 0xFFFFFFFF], "uint32"))

    @classmethod
    def from_state(cls, state: Any, alg: Any = None) -> "Generator":
        """Return a generator in a state."""
        return cls(state=state)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> "Generator":
        """Return a generator with a new seed."""
        return cls.from_seed(seeds.fresh_seed())

    @classmethod
    def from_key_counter(cls, key: Any, counter: Any, alg: Any = None) -> "Generator":
        """Return a generator for a key and a counter of two numbers."""
        return cls(state=np.array([*np.ravel(counter), *np.ravel(key)], "uint32"))

    def reset(self, state: Any) -> None:
        """Go to a state."""
        self.state.assign(jnp.resize(jnp.asarray(plain(state)).astype("uint32").reshape(-1), (3,)))

    def reset_from_seed(self, seed: Any) -> None:
        """Go to the start for a number."""
        self.state.assign(Generator.from_seed(seed).state.value)

    @property
    def key(self) -> jax.Array:
        """The part of the state that stays."""
        return self.state.value[2]

    def skip(self, delta: int) -> jax.Array:
        """Go on by a number of draws; returns the state before."""
        before = self.state.value
        self.state.assign(before + jnp.array([0, delta, 0], "uint32"))
        return before

    def _next(self) -> jax.Array:
        words = self.skip(1)
        return jax.random.wrap_key_data(jnp.concatenate([words, words[:1]]), impl="rbg")

    def normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None
    ) -> jax.Array:
        """Return normally distributed numbers."""
        return _normal(self._next(), shape, plain(mean), plain(stddev), dtype)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None
    ) -> jax.Array:
        """Return normally distributed numbers within two standard deviations."""
        return _truncated(self._next(), shape, plain(mean), plain(stddev), dtype)

    def uniform(
        self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", name: Any = None
    ) -> jax.Array:
        """Return uniform random numbers."""
        return _uniform(self._next(), shape, minval, maxval, dtype)

    def uniform_full_int(self, shape: Any, dtype: Any = "uint64", name: Any = None) -> jax.Array:
        """Return integers of the whole range of a dtype."""
        wanted = array_type(dtype)
        return jax.random.bits(self._next(), sizes(shape), wanted.removeprefix("u").replace("int", "uint")).view(wanted)

    def binomial(self, shape: Any, counts: Any, probs: Any, dtype: Any = "int32", name: Any = None) -> jax.Array:
        """Return how often of `counts` times something of a probability happens."""
        return _binomial(self._next(), shape, counts, probs, dtype)

    def make_seeds(self, count: int = 1) -> jax.Array:
        """Return seeds for stateless functions: ``(2, count)``."""
        return jax.random.bits(self._next(), (2, int(count)), "uint32").view("int32")

    def split(self, count: int = 1) -> list["Generator"]:
        """Return new generators."""
        return [Generator(state=words) for words in jax.random.bits(self._next(), (int(count), 3), "uint32")]


_everybodys: list[Generator] = []


def get_global_generator() -> Generator:
    """Return the generator that programs share."""
    if not _everybodys:
        set_global_generator(Generator.from_non_deterministic_state())
    return _everybodys[0]


def set_global_generator(generator: Generator) -> None:
    """Set the generator that programs share."""
    _everybodys[:] = [generator]


class Algorithm:
    """The names of TensorFlow's algorithms; JAX has its own."""

    PHILOX, THREEFRY, AUTO_SELECT = 1, 2, 3
