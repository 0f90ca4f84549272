"""Maximum and average pooling, with Keras's semantics.

On CPU, windows are split into strided slices: XLA's own windowed maximum, and above all its gradient, cost ten times as
much there (docs/design/010-convolution-on-cpu.md).
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from cornu.kernels.compiler import as_one_program, materialized, takes_cpu_forms
from cornu.kernels.geometry import CHANNELS_LAST, Numbers, check_format, is_known, per_dimension, same_padding

MOST_WORK = 1 << 34  # entries in the windows of one row
LARGEST_WINDOW = 32
"""Larger windows use XLA's form: split into slices, each entry is an operation to compile."""


class Windows(NamedTuple):
    """Extent, strides and padding of windows, one entry per axis of the array: 1, 1, (0, 0) for batch and channels."""

    extent: tuple[int, ...]
    steps: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]


@as_one_program("pool_size", "strides", "padding", "data_format", rows={"x": 0})
def max_pool(
    x: Array,
    pool_size: Numbers,
    strides: Numbers | None = None,
    padding: str = "valid",
    data_format: str = CHANNELS_LAST,
) -> Array:
    """Return the maximum of each window. Its gradient goes to the first largest entry, in row-major order.

    Args:
        x: ``(batch, *space, channels)``, or ``(batch, channels, *space)`` for ``"channels_first"``.
        pool_size, strides: An integer, or one per spatial dimension; `strides` are `pool_size` by default.
        padding: ``"valid"`` drops windows that do not fit; ``"same"`` pads with minus infinity.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Returns:
        ``(batch, *new_space, channels)``, or channels second.

    >>> import jax.numpy as jnp
    >>> max_pool(jnp.arange(4.0).reshape(1, 4, 1), 2).tolist()
    [[[1.0], [3.0]]]
    """
    windows = _windows(x, pool_size, strides, padding, data_format)
    if _taken_apart(x, windows):
        return _max_of_slices(x, windows)
    return lax.reduce_window(x, _lowest(x.dtype), lax.max, *windows)


@as_one_program("pool_size", "strides", "padding", "data_format", rows={"x": 0})
def average_pool(
    x: Array,
    pool_size: Numbers,
    strides: Numbers | None = None,
    padding: str = "valid",
    data_format: str = CHANNELS_LAST,
) -> Array:
    """Return the mean of each window. With ``"same"``, padding does not count. Arguments as in `max_pool`.

    >>> import jax.numpy as jnp
    >>> average_pool(jnp.arange(3.0).reshape(1, 3, 1), 2, padding="same").tolist()
    [[[0.5], [2.0]]]
    """
    windows = _windows(x, pool_size, strides, padding, data_format)
    sums = _sum_of_slices(x, windows) if _taken_apart(x, windows) else _window_sums(x, windows)
    if not any(map(any, windows.padding)):
        return sums / math.prod(windows.extent)
    ones = jnp.ones([n if extent > 1 else 1 for n, extent in zip(x.shape, windows.extent, strict=True)], x.dtype)
    return sums / _window_sums(ones, windows)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _max_of_slices(x: Array, windows: Windows) -> Array:
    slices = _slices(x, windows, _lowest(x.dtype))
    largest = next(slices)
    for each in slices:
        largest = jnp.maximum(largest, each)
    return largest


def _max_forward(x: Array, windows: Windows) -> tuple[Array, tuple[Array, Array]]:
    """Return the maxima, and the index of each in its window, one byte per window."""
    slices = _slices(x, windows, _lowest(x.dtype))
    largest = next(slices)
    place = jnp.zeros(largest.shape, jnp.uint8)
    for number, each in enumerate(slices, start=1):
        stays = largest >= each
        largest, place = jnp.where(stays, largest, each), jnp.where(stays, place, jnp.uint8(number))
    largest, place = materialized(largest, place)
    return largest, (place, jnp.zeros((0, *x.shape[1:])))


def _max_backward(windows: Windows, kept: tuple[Array, Array], upstream: Array) -> tuple[Array]:
    place, like = kept
    upstream, place = materialized(upstream, place)
    return (_spread(upstream, place, (upstream.shape[0], *like.shape[1:]), windows),)


_max_of_slices.defvjp(_max_forward, _max_backward)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _sum_of_slices(x: Array, windows: Windows) -> Array:
    return functools.reduce(jnp.add, _slices(x, windows, np.zeros((), x.dtype)))


def _sum_forward(x: Array, windows: Windows) -> tuple[Array, Array]:
    return _sum_of_slices(x, windows), jnp.zeros((0, *x.shape[1:]))


def _sum_backward(windows: Windows, like: Array, upstream: Array) -> tuple[Array]:
    return (_spread(upstream, None, (upstream.shape[0], *like.shape[1:]), windows),)


_sum_of_slices.defvjp(_sum_forward, _sum_backward)


def _slices(x: Array, windows: Windows, filler: np.ndarray) -> Iterator[Array]:
    """Yield, for each place in a window in row-major order, the array of the entries at that place in all windows."""
    x = lax.pad(x, filler, [(low, high, 0) for low, high in windows.padding])
    counts = [(n - extent) // step + 1 for n, extent, step in zip(x.shape, *windows[:2], strict=True)]
    for start in itertools.product(*map(range, windows.extent)):
        steps = zip(start, counts, windows.steps, strict=True)
        yield x[tuple(slice(at, at + (count - 1) * step + 1, step) for at, count, step in steps)]


def _spread(upstream: Array, place: Array | None, shape: tuple[int, ...], windows: Windows) -> Array:
    """Give each window's gradient to its entry number `place`, or to all its entries; sum where windows overlap."""
    if windows.extent == windows.steps:
        return _spread_apart(upstream, place, shape, windows)
    zero = jnp.zeros((), upstream.dtype)
    total = jnp.zeros(shape, upstream.dtype)
    for number, start in enumerate(itertools.product(*map(range, windows.extent))):
        edges = []
        for at, (low, _), step, count, size in zip(start, windows.padding, windows.steps, upstream.shape, shape):  # noqa: B905
            edges.append((at - low, size + low - at - (count - 1) * step - 1, step - 1))
        total += lax.pad(upstream if place is None else jnp.where(place == number, upstream, zero), zero, edges)
    return materialized(total)[0]  # fused into a sum, such as a bias's gradient, all of this costs ten times as much


def _spread_apart(upstream: Array, place: Array | None, shape: tuple[int, ...], windows: Windows) -> Array:
    """The same for windows that do not overlap: split each dimension into (windows, entries), then merge it again."""
    split = [extent > 1 for extent in windows.extent]
    alone = [n for count, apart in zip(upstream.shape, split, strict=True) for n in ((count, 1) if apart else (count,))]
    pairs = zip(upstream.shape, windows.extent, split, strict=True)
    paired = [n for count, extent, apart in pairs for n in ((count, extent) if apart else (count,))]
    full = jnp.broadcast_to(upstream.reshape(alone), paired)
    if place is not None:
        numbers = np.arange(math.prod(windows.extent), dtype=np.uint8)
        ones = zip(windows.extent, split, strict=True)
        numbers = numbers.reshape([n for extent, apart in ones for n in ((1, extent) if apart else (1,))])
        full = jnp.where(place.reshape(alone) == numbers, full, jnp.zeros((), upstream.dtype))
    joined = [count * extent for count, extent in zip(upstream.shape, windows.extent, strict=True)]
    ends = zip(windows.padding, shape, joined, strict=True)
    edges = [(-low, size + low - covered, 0) for (low, _), size, covered in ends]
    return lax.pad(full.reshape(joined), jnp.zeros((), upstream.dtype), edges)


def _window_sums(x: Array, windows: Windows) -> Array:
    return lax.reduce_window(x, np.zeros((), x.dtype), lax.add, *windows)


def _taken_apart(x: Array, windows: Windows) -> bool:
    small = math.prod(windows.extent) <= LARGEST_WINDOW
    return small and takes_cpu_forms() and jnp.issubdtype(x.dtype, jnp.floating)


def _lowest(dtype: np.dtype) -> np.ndarray:
    """Return where a maximum starts. It is concrete: with a traced start value XLA has no gradient."""
    return np.asarray(-jnp.inf if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo(dtype).min, dtype)


def _windows(x: Array, pool_size: Numbers, strides: Numbers | None, padding: str, data_format: str) -> Windows:
    if padding not in ("valid", "same"):
        raise ValueError(f"padding={padding!r}: pooling accepts 'valid' or 'same'.")
    check_format(data_format)
    extent = per_dimension(pool_size, x.ndim - 2, "pool_size")
    steps = extent if strides is None else per_dimension(strides, x.ndim - 2, "strides")
    around = ((1,), (1,)) if data_format == CHANNELS_LAST else ((1, 1), ())
    extent, steps = (around[0] + each + around[1] for each in (extent, steps))
    zeros = same_padding(x.shape, extent, steps) if padding == "same" else ((0, 0),) * x.ndim
    if is_known([*zeros, *((size, size) for size in x.shape)]):
        _check_work(x.shape[1:], extent[1:], steps[1:], zeros[1:])
    return Windows(extent, steps, zeros)


def _check_work(shape: Sequence[int], extent: Sequence[int], steps: Sequence[int], zeros: Sequence) -> None:
    """Raise ValueError if the windows of one row together have too many entries to compute."""
    ends = zip(shape, extent, steps, zeros, strict=True)
    work = math.prod(extent) * math.prod(max((n + sum(pads) - size) // step + 1, 0) for n, size, step, pads in ends)
    if work > MOST_WORK:
        raise ValueError(
            f"Pooling windows of {extent} with strides {steps} over {tuple(shape)} would have {work:,} entries per "
            f"row, more than the limit of {MOST_WORK:,}. Use a smaller pool_size or larger strides."
        )
