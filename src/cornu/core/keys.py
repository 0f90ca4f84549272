"""Random keys for several replicas in one operation.

Under ``jax.vmap``, JAX's generator ``rbg`` draws the numbers of all keys from the first. With these keys each draws its
own, one after the other, and gets those of a program without ``vmap``.
"""

import functools
from typing import Any

import jax
from jax.custom_batching import sequential_vmap
from jax.extend import random


@functools.cache
def _each_for_itself() -> Any:
    """Return JAX's description of the generator."""
    rbg: Any = random.rbg_prng_impl

    def random_bits(key: jax.Array, bit_width: int, shape: tuple[int, ...]) -> jax.Array:
        return sequential_vmap(lambda key: rbg.random_bits(key, bit_width, shape))(key)

    return random.define_prng_impl(
        key_shape=rbg.key_shape,
        seed=rbg.seed,
        split=rbg.split,
        random_bits=random_bits,
        fold_in=rbg.fold_in,
        name="rbg_each",
        tag="rbge",
    )


def for_itself(key: jax.Array) -> jax.Array:
    """Return a key that draws what `key` draws, also under ``jax.vmap``.

    >>> key = jax.random.key(1, impl="rbg")
    >>> bool((jax.random.bits(for_itself(key), (3,)) == jax.random.bits(key, (3,))).all())
    True
    """
    return jax.random.wrap_key_data(jax.random.key_data(key), impl=_each_for_itself())
