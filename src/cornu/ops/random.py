"""Random masks and noise for layers: few random bits per element, drawn with keys of JAX's fast ``rbg`` kind."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

# Sixteen random bits per element: an element is dropped where its 16-bit number lies below the rate's share of them.
LEVELS = 2**16


def _dropped_levels(rate: float) -> int:
    return min(max(round(float(rate) * LEVELS), 0), LEVELS - 1)


def keep_probability(rate: float) -> float:
    """Return the probability with which `keep_mask` keeps an element: 1 - rate, to the nearest 1/65536.

    >>> keep_probability(0.5), round(keep_probability(0.2), 3)
    (0.5, 0.8)
    """
    return 1.0 - _dropped_levels(rate) / LEVELS


def keep_mask(key: jax.Array, rate: float, shape: Sequence[int]) -> jax.Array:
    """Return booleans of `shape`, independent of each other, False for a share `rate` of them (0 <= rate < 1)."""
    bits = jax.random.bits(key, tuple(shape), "uint16")
    return bits >= jnp.uint16(_dropped_levels(rate))


def dropout(
    inputs: jax.Array, key: jax.Array, rate: float, noise_shape: Sequence[int | None] | None = None
) -> jax.Array:
    """Set a share `rate` of the elements to zero and scale up the rest, so that the expected value stays.

    `noise_shape` (None: the inputs' size) says which axes share one decision: those of size 1. The scale is that of
    `keep_probability`, so the expectation is exact. Follows Srivastava et al. 2014,
    https://jmlr.org/papers/v15/srivastava14a.html
    """
    if rate <= 0:
        return inputs
    if rate >= 1:
        return jnp.zeros_like(inputs)
    keep = keep_mask(key, rate, full_noise_shape(inputs.shape, noise_shape))
    scale = jnp.asarray(1.0 / keep_probability(rate), inputs.dtype)
    return jnp.where(keep, inputs * scale, jnp.zeros((), inputs.dtype))


def full_noise_shape(shape: Sequence[int], noise_shape: Sequence[int | None] | None) -> tuple[int, ...]:
    """Return `noise_shape` with the inputs' sizes in place of None; ValueError where it does not fit."""
    if noise_shape is None:
        return tuple(shape)
    full = tuple(shape[i] if size is None and i < len(shape) else size for i, size in enumerate(noise_shape))
    if len(full) != len(shape) or any(size not in (1, whole) for size, whole in zip(full, shape, strict=True)):
        raise ValueError(
            f"Dropout: noise_shape={tuple(noise_shape)} does not fit inputs of shape {tuple(shape)}: it has as many "
            "axes, each of size 1 (one decision for the whole axis), None, or the inputs' own size."
        )
    return full
