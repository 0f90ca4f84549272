"""What every convolution comes down to: a `Geometry`, and XLA's own lowering of it."""

from __future__ import annotations

from typing import NamedTuple

from jax import Array, lax


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
