"""Arguments of random layers: how far they go, and the range of the pixels."""

from typing import Any

from cornu.core.layer import Layer
from cornu.layers.argument_checks import number_of


def _number(value: Any) -> Any:
    value = number_of(value)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def factor_range(
    layer: Layer, argument: str, value: Any, low: float, high: float, strict: bool = False
) -> tuple[Any, Any]:
    """Return a factor as its range: a pair in order; of one number, from its negative (or the least, `low`) to it.

    Raises ValueError if it is not a number from `low` to `high`, or a pair of numbers of which, if `strict`, both are,
    else the range has some.
    """
    pair = isinstance(value, (tuple, list)) and len(value) == 2
    numbers = [_number(one) for one in value] if pair else [_number(value)]
    known = None not in numbers
    if not known or not (_overlaps if pair and not strict else _within)(numbers, low, high):
        raise ValueError(
            f"{type(layer).__name__}: `{argument}` must be a number from {low:g} to {high:g}, or a pair of such "
            f"numbers; got {value!r}."
        )
    if pair:
        return tuple(sorted(numbers))
    most = abs(numbers[0])
    return max(-most, low), most


def _within(numbers: list[Any], low: float, high: float) -> bool:
    return all(low <= one <= high for one in numbers)


def _overlaps(numbers: list[Any], low: float, high: float) -> bool:
    return numbers[0] <= high and numbers[1] >= low


def pixel_range(layer: Layer, value: Any) -> list[Any]:
    """Return the least and the greatest value of a pixel; ValueError if these are not two numbers."""
    numbers = [_number(one) for one in value] if isinstance(value, (tuple, list)) else []
    if len(numbers) != 2 or None in numbers:
        raise ValueError(f"{type(layer).__name__}: `value_range` must be two numbers, such as (0, 255); got {value!r}.")
    return sorted(numbers)
