"""Windows over space: what every convolution comes down to (a `Geometry`), and arguments of windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jax import Array, lax

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
    """The convolution as XLA itself lowers it; `kernel` is `(*window, channels / groups, filters)`."""
    letters = "DHW"[-(x.ndim - 2) :]
    layout = f"N{letters}C" if channels_last else f"NC{letters}"
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


def per_dimension(value: Numbers, rank: int, name: str) -> tuple[int, ...]:
    """Return one number for each of `rank` spatial dimensions; ValueError where there are fewer or more."""
    numbers = (int(value),) * rank if isinstance(value, (int, np.integer)) else tuple(value)
    if len(numbers) != rank:
        raise ValueError(f"{name}={value!r}: expected one number, or {rank}, one for each spatial dimension.")
    return numbers


def check_format(data_format: str) -> None:
    """Raise ValueError where `data_format` is no order of axes."""
    if data_format not in DATA_FORMATS:
        raise ValueError(f"data_format={data_format!r}: expected 'channels_last' or 'channels_first'.")
