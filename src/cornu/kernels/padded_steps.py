"""Sequences ``(batch, time, ...)`` of which only the steps before a length, a traced number, are real."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array


def real_steps(mask: Array | None, length: Array, shape: Sequence[int]) -> Array:
    """Return a mask ``(batch, time)`` of the steps before `length` that `mask` has, for sequences of `shape`."""
    real = jnp.broadcast_to(jnp.arange(shape[1]) < length, shape[:2])
    return real if mask is None else mask & real


def reversed_steps(array: Array, length: Array | None) -> Array:
    """Return ``(batch, time, ...)`` with the order of steps reversed; of the first `length` if it is not None."""
    return without_first(jnp.flip(array, axis=1), length)


def without_first(array: Array, length: Array | None) -> Array:
    """Move the last `length` of the steps ``(batch, time, ...)`` to the beginning; None moves none."""
    return array if length is None else jnp.roll(array, length - array.shape[1], axis=1)
