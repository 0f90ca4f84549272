"""Maximum and average over windows of space, with the meaning that Keras gives them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

CHANNELS_LAST = "channels_last"

Numbers = int | Sequence[int]


def max_pool(
    x: Array,
    pool_size: Numbers,
    strides: Numbers | None = None,
    padding: str = "valid",
    data_format: str = CHANNELS_LAST,
) -> Array:
    """The largest entry of each window. Its gradient goes to the first largest entry, in row-major order.

    Args:
        x: `(rows, *space, channels)`, or `(rows, channels, *space)` for `channels_first`.
        pool_size, strides: one number, or one per spatial dimension; strides default to `pool_size`.
        padding: `valid` drops windows that do not fit; `same` pads with minus infinity.

    >>> import jax.numpy as jnp
    >>> max_pool(jnp.arange(4.0).reshape(1, 4, 1), 2).tolist()
    [[[1.0], [3.0]]]
    """
    window, steps = _window(x, pool_size, strides, padding, data_format)
    return lax.reduce_window(x, _lowest(x.dtype), lax.max, window, steps, padding.upper())


def average_pool(
    x: Array,
    pool_size: Numbers,
    strides: Numbers | None = None,
    padding: str = "valid",
    data_format: str = CHANNELS_LAST,
) -> Array:
    """The mean of each window. With `same` padding, what was padded does not count.

    Args:
        x: `(rows, *space, channels)`, or `(rows, channels, *space)` for `channels_first`.
        pool_size, strides: one number, or one per spatial dimension; strides default to `pool_size`.

    >>> import jax.numpy as jnp
    >>> average_pool(jnp.arange(3.0).reshape(1, 3, 1), 2, padding="same").tolist()
    [[[0.5], [2.0]]]
    """
    window, steps = _window(x, pool_size, strides, padding, data_format)
    zero = np.zeros((), x.dtype)
    sums = lax.reduce_window(x, zero, lax.add, window, steps, padding.upper())
    if padding == "valid":
        return sums / math.prod(window)
    ones = jnp.ones([size if extent > 1 else 1 for size, extent in zip(x.shape, window, strict=True)], x.dtype)
    return sums / lax.reduce_window(ones, zero, lax.add, window, steps, padding.upper())


def _lowest(dtype: np.dtype) -> np.ndarray:
    """Where a maximum starts. Concrete: with a traced start value XLA knows no gradient."""
    return np.asarray(-jnp.inf if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo(dtype).min, dtype)


def _window(x: Array, pool_size: Numbers, strides: Numbers | None, padding: str, data_format: str) -> tuple:
    """Window and strides over all dimensions of `x`, those of rows and channels being 1."""
    if padding not in ("valid", "same"):
        raise ValueError(f"padding={padding!r}: pooling takes 'valid' or 'same'.")
    if data_format not in (CHANNELS_LAST, "channels_first"):
        raise ValueError(f"data_format={data_format!r}: expected 'channels_last' or 'channels_first'.")
    window = _per_dimension(pool_size, x.ndim - 2, "pool_size")
    steps = window if strides is None else _per_dimension(strides, x.ndim - 2, "strides")
    if data_format == CHANNELS_LAST:
        return (1, *window, 1), (1, *steps, 1)
    return (1, 1, *window), (1, 1, *steps)


def _per_dimension(value: Numbers, rank: int, name: str) -> tuple[int, ...]:
    numbers = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(numbers) != rank:
        raise ValueError(f"{name}={value!r}: expected one number, or {rank}, one for each spatial dimension.")
    return numbers
