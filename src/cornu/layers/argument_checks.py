"""Argument checks that several layers share."""

from collections.abc import Sequence
from typing import Any

from cornu.core.layer import Layer


def check_integer(layer: Layer, argument: str, value: Any, least: int = 1) -> int:
    """Return `value` as an integer; ValueError if it is not an integer or is below `least`."""
    number = number_of(value)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise ValueError(f"{type(layer).__name__}: `{argument}` must be an integer of at least {least}; got {value!r}.")
    return number


def number_of(value: Any) -> Any:
    """Return a number in place of an array without axes, such as ``np.array(3)`` or ``np.max(labels)``."""
    return value.item() if getattr(value, "shape", None) == () and hasattr(value, "item") else value


def number_in(layer: Layer, argument: str, value: Any, low: float, high: float | None = None) -> Any:
    """Return `value`; ValueError if it is not a number from `low` to `high`."""
    value = number_of(value)
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not plain or not (low <= value and (high is None or value <= high)):
        span = f"of at least {low:g}" if high is None else f"from {low:g} to {high:g}"
        raise ValueError(f"{type(layer).__name__}: `{argument}` must be a number {span}; got {value!r}.")
    return value


def known_size(layer: Layer, input_shape: Sequence[int | None], axis: int = -1) -> int:
    """Return the size of an axis that the weights depend on; ValueError if it is unknown."""
    size = input_shape[axis]
    if size is None:
        where = "last axis" if axis == -1 else f"axis {axis}"
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) makes its weights from the size of the {where} of its "
            f"input, which is unknown: {tuple(input_shape)}.\nSet that size in Input(shape=...) or the layer before."
        )
    return int(size)
