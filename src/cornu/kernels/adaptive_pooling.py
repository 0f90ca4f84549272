"""Pooling into a fixed number of windows, which cover the space evenly and may overlap by one element."""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array

from cornu.core.graph import op
from cornu.kernels.geometry import per_dimension

MOST_PLACES = 1 << 26  # entries of the table of windows of an axis


@op
def adaptive_average_pool(x: Array, output_size: int | Sequence[int], data_format: str = "channels_last") -> Array:
    """Return the means of `output_size` windows along each spatial dimension.

    Args:
        x: ``(batch, *space, channels)``, or ``(batch, channels, *space)`` for ``"channels_first"``.
        output_size: One integer, or one per spatial dimension. Window `i` of `n` over a size `s` covers
            ``floor(i * s / n)`` to ``ceil((i + 1) * s / n)``.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Returns:
        ``(batch, *output_size, channels)``, or channels second.

    >>> adaptive_average_pool(jnp.arange(5.0).reshape(1, 5, 1), 3).ravel().tolist()
    [0.5, 2.0, 3.5]
    """

    def means(values: Array, inside: Array, axis: int) -> Array:
        return jnp.mean(values, axis, where=inside)

    return _along_space(x, output_size, data_format, means)


@op
def adaptive_max_pool(x: Array, output_size: int | Sequence[int], data_format: str = "channels_last") -> Array:
    """Return the maxima of `output_size` windows along each spatial dimension; arguments as in `adaptive_average_pool`.

    >>> adaptive_max_pool(jnp.arange(5.0).reshape(1, 5, 1), 3).ravel().tolist()
    [1.0, 3.0, 4.0]
    """

    def maxima(values: Array, inside: Array, axis: int) -> Array:
        whole = jnp.issubdtype(values.dtype, jnp.integer)
        lowest = jnp.iinfo(values.dtype).min if whole else -jnp.inf
        return jnp.max(values, axis, where=inside, initial=lowest)

    return _along_space(x, output_size, data_format, maxima)


def _along_space(
    x: Array, output_size: int | Sequence[int], data_format: str, reduce: Callable[[Array, Array, int], Array]
) -> Array:
    """Pool one spatial dimension after another; the order does not matter, as each window is a product of intervals."""
    first = 1 if data_format == "channels_last" else 2
    for axis, size in enumerate(per_dimension(output_size, x.ndim - 2, "output_size"), first):
        places, inside = _windows(x.shape[axis], size)
        values = jnp.take(x, places, axis)  # (..., windows, places, ...)
        fits = jnp.reshape(inside, inside.shape + (1,) * (x.ndim - axis - 1))
        x = reduce(values, fits, axis + 1)
    return x


def _windows(length: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of each window, one row each, and which of them are inside it: both ``(windows, longest)``."""
    if length + 2 * count > MOST_PLACES:
        raise ValueError(
            f"Adaptive pooling of {length:,} elements into {count:,} windows is more than the limit of {MOST_PLACES:,} "
            "together: use a smaller output_size."
        )
    number = np.arange(count)
    starts, ends = number * length // count, -(-(number + 1) * length // count)
    places = starts[:, None] + np.arange((ends - starts).max())
    return np.minimum(places, length - 1), places < ends[:, None]
