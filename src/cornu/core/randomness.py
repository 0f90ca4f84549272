"""Random keys for calls that have no state of their own, such as ``K.random_normal(shape)`` in a Lambda layer.

Outside of a compiled step each call draws its seed from numpy's generator, as in Keras 2. Inside a step the key comes
from a seed that the step carries along with the model's variables, so that each step has different numbers. Each model
has such a seed of its own: no two programs hold the same array.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.scope import scope
from cornu.core.seeds import fresh_seed, seeds_drawn, sequence_of_call
from cornu.core.variable import Origin, Seed


def ambient_seed() -> Seed:
    """Return a seed that a compiled step carries (as ``scope.ambient``) for calls without a seed of their own.

    It follows the state of numpy's generator, without advancing it. Each model's steps have their own.
    """
    seed = Seed(0, name="ambient_seed")
    seed.assign(_words_of_generator())
    seed._origin = Origin.of(seed, _words_of_generator, seeds_drawn())
    return seed


def _words_of_generator() -> np.ndarray:
    state: Any = np.random.get_state()
    return np.random.SeedSequence([*map(int, state[1][:4]), int(state[2])]).generate_state(4, np.uint32)


def random_key(seed: Any = None, moves_on: bool = False) -> jax.Array:
    """Return a key: the next one of a `Seed`, that of an integer, a key unchanged, or a new one for None.

    An integer gives the same key each time, unless `moves_on`: then each call and each compiled step has another one.
    """
    if hasattr(seed, "next"):
        return seed.next()
    if isinstance(seed, jax.Array) and jnp.issubdtype(seed.dtype, jax.dtypes.prng_key):
        return seed
    ambient = scope.ambient
    stepping = ambient is not None and isinstance(ambient._value, jax.core.Tracer)
    if stepping and (seed is None or moves_on):
        key = ambient.next()
        return key if seed is None else jax.random.fold_in(key, int(seed))
    number = fresh_seed() if seed is None else int(np.asarray(seed).ravel()[0])
    is_next = moves_on and seed is not None
    words = sequence_of_call(number) if is_next else np.random.SeedSequence(abs(number))
    return jax.random.wrap_key_data(jax.numpy.asarray(words.generate_state(4, np.uint32)), impl="rbg")
