"""Windows over space: the `Geometry` that every convolution reduces to, and arguments of windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jax import Array, lax

from cornu.core.budget import MOST_VALUES
from cornu.core.settings import DATA_FORMATS

CHANNELS_LAST = "channels_last"

Numbers = int | Sequence[int]


class Geometry(NamedTuple):
    """How a kernel moves over the space of an array; one entry per spatial dimension."""

    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    input_dilation: tuple[int, ...]
    kernel_dilation: tuple[int, ...]
    groups: int = 1


def native(x: Array, kernel: Array, geometry: Geometry, channels_last: bool = True) -> Array:
    """Return the convolution as XLA lowers it. `kernel` is ``(*window, channels / groups, filters)``."""
    letters = "DHW"[-(x.ndim - 2) :]
    layout = f"N{letters}C" if channels_last else f"NC{letters}"
    if not is_known(geometry.padding):
        x, geometry = _padded(x, geometry, channels_last)
    return lax.conv_general_dilated(
        x,
        kernel,
        window_strides=geometry.strides,
        padding=geometry.padding,
        lhs_dilation=geometry.input_dilation,
        rhs_dilation=geometry.kernel_dilation,
        dimension_numbers=(layout, f"{letters}IO", layout),
        feature_group_count=geometry.groups,
    )


def output_space(space: Sequence[int], window: Sequence[int], geometry: Geometry) -> tuple[int, ...]:
    """Return the size of a convolution's outputs in each dimension; at least 0.

    >>> output_space((28, 28), (3, 3), Geometry((1, 2), ((0, 0), (1, 1)), (1, 1), (1, 1)))
    (26, 14)
    """
    sizes = []
    for axis, size in enumerate(space):
        padded = (size - 1) * geometry.input_dilation[axis] + 1 + sum(geometry.padding[axis])
        extent = (window[axis] - 1) * geometry.kernel_dilation[axis] + 1
        sizes.append(max(0, (padded - extent) // geometry.strides[axis] + 1))
    return tuple(sizes)


def mirrored(geometry: Geometry, window: tuple[int, ...], space: tuple[int, ...], result: tuple[int, ...]) -> Geometry:
    """Return the geometry from `result` back to `space`: strides and input dilation swap places."""
    padding = []
    for axis, (before, _) in enumerate(geometry.padding):
        reach = (window[axis] - 1) * geometry.kernel_dilation[axis]
        wanted = (space[axis] - 1) * geometry.input_dilation[axis]
        given = (result[axis] - 1) * geometry.strides[axis]
        padding.append((reach - before, wanted - given + before))
    return Geometry(geometry.input_dilation, tuple(padding), geometry.strides, geometry.kernel_dilation)


def is_known(padding: Sequence[tuple[int, int]]) -> bool:
    """Return whether all sizes of a padding are integers; they are not while a model with open sizes is exported."""
    return all(isinstance(size, (int, np.integer)) for pair in padding for size in pair)


def _padded(x: Array, geometry: Geometry, channels_last: bool) -> tuple[Array, Geometry]:
    """Pad first: the convolution itself accepts integers only."""
    space = [(low, high, 0) for low, high in geometry.padding]
    config = [(0, 0, 0), *space, (0, 0, 0)] if channels_last else [(0, 0, 0), (0, 0, 0), *space]
    return lax.pad(x, np.zeros((), x.dtype), config), geometry._replace(padding=((0, 0),) * len(space))


def check_padded(space: Sequence[int], geometry: Geometry) -> None:
    """Raise ValueError for windows over more padded space than any memory holds: XLA could end the process."""
    if not is_known([*geometry.padding, *((size, size) for size in space)]):
        return
    padded = [
        (size - 1) * step + 1 + before + after
        for size, step, (before, after) in zip(space, geometry.input_dilation, geometry.padding, strict=True)
    ]
    if math.prod(padded) > MOST_VALUES:
        raise ValueError(
            f"The windows of a convolution would slide over a padded space of {tuple(padded)}, which is too large. Use "
            "smaller strides, dilation or padding."
        )


def same_padding(space: Sequence[int], window: Sequence[int], strides: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return what ``padding="same"`` adds before and after each dimension.

    For a size that is unknown while a model is exported, the formula leaves out JAX's maximum with 0, which has no
    effect for windows that are at least as large as the stride.

    >>> same_padding((6,), (3,), (2,))
    ((0, 1),)
    """
    if is_known([(size, size) for size in space]) or any(
        step > size for step, size in zip(strides, window, strict=True)
    ):
        pads = lax.padtype_to_pads(space, window, strides, "SAME")  # of numpy's integers before JAX 0.10: they overflow
        return tuple((int(low), int(high)) if is_known([(low, high)]) else (low, high) for low, high in pads)
    totals = [
        (-(-size // step) - 1) * step + extent - size for size, extent, step in zip(space, window, strides, strict=True)
    ]
    return tuple((total // 2, total - total // 2) for total in totals)


def per_dimension(value: Numbers, rank: int, name: str) -> tuple[int, ...]:
    """Return one integer for each of `rank` spatial dimensions; ValueError for any other number of them."""
    numbers = (int(value),) * rank if isinstance(value, (int, np.integer)) else tuple(value)
    if len(numbers) != rank:
        raise ValueError(f"{name}={value!r}: expected one integer, or {rank}, one per spatial dimension.")
    return numbers


def check_format(data_format: str) -> None:
    """Raise ValueError if `data_format` is not a known order of axes."""
    if data_format not in DATA_FORMATS:
        raise ValueError(f"data_format={data_format!r}: expected 'channels_last' or 'channels_first'.")
