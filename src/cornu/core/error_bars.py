"""A mean over trainings that differ in their random numbers, with its deviation."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


class ErrorBar(float):
    """The mean of what several trainings found: a number like any other, that prints with its standard deviation.

    Arithmetic and rounding to digits apply to each of the values: ``100 * accuracy`` has its deviation too. Anything
    else that takes a number (``math``, ``int``, ``"%.2f" %``, JSON) sees the mean.

    Args:
        values: A number of each training.

    Attributes:
        values: These numbers, a tuple.
        deviation: Their standard deviation, estimated from the sample (divided by one less than their number).

    >>> accuracy = ErrorBar([0.97, 0.98, 0.99])
    >>> print(accuracy), print(f"{100 * accuracy:.1f} %"), float(accuracy)
    0.98 ± 0.01
    98.0 ± 1.0 %
    (None, None, 0.98)
    """

    values: tuple[float, ...]
    deviation: float

    def __new__(cls, values: Sequence[float]) -> "ErrorBar":
        numbers = np.asarray(values, "float64")
        with np.errstate(invalid="ignore"):
            made = super().__new__(cls, numbers.mean())
            made.deviation = float(numbers.std(ddof=1)) if len(numbers) > 1 else 0.0
        made.values = tuple(numbers.tolist())
        return made

    def __getnewargs__(self) -> tuple:
        return (self.values,)

    def __format__(self, spec: str) -> str:
        if spec:
            return f"{format(float(self), spec)} ± {format(self.deviation, spec)}"
        return _to_digits(float(self), self.deviation)

    def __repr__(self) -> str:
        return format(self)

    __str__ = __repr__

    def __round__(self, digits: int | None = None) -> Any:  # type: ignore[override]
        return round(float(self)) if digits is None else ErrorBar([round(value, digits) for value in self.values])


def _to_digits(mean: float, deviation: float) -> str:
    """Return a mean with as many digits as its deviation makes known: two of the deviation.

    >>> _to_digits(0.98347, 0.00132), _to_digits(31.4, 0.0)
    ('0.9835 ± 0.0013', '31.4')
    """
    if not np.isfinite(deviation) or deviation == 0.0:
        return repr(mean)
    digits = max(0, 1 - int(np.floor(np.log10(deviation))))
    both = f"{mean:.{digits}f}", f"{deviation:.{digits}f}"
    if digits and all(one.endswith("0") for one in both):
        both = both[0][:-1].removesuffix("."), both[1][:-1].removesuffix(".")
    return " ± ".join(both)


def _give_arithmetic() -> None:
    """Let arithmetic with numbers, and with what as many trainings found, apply to each value."""

    def binary(function: Callable, swapped: bool) -> Callable:
        def apply(self: ErrorBar, other: Any) -> Any:
            if isinstance(other, ErrorBar) and len(other.values) == len(self.values):
                others: Sequence[float] = other.values
            elif isinstance(other, (int, float, np.number)):
                others = [float(other)] * len(self.values)
            else:
                return NotImplemented
            pairs = zip(others, self.values, strict=True) if swapped else zip(self.values, others, strict=True)
            return ErrorBar([function(*pair) for pair in pairs])

        return apply

    for name in ("add", "sub", "mul", "truediv", "pow"):
        function = getattr(operator, name)
        setattr(ErrorBar, f"__{name}__", binary(function, False))
        setattr(ErrorBar, f"__r{name}__", binary(function, True))
    for name in ("neg", "abs"):
        function = getattr(operator, name)
        setattr(ErrorBar, f"__{name}__", lambda self, function=function: ErrorBar([function(v) for v in self.values]))


_give_arithmetic()


class MeanArray(np.ndarray):
    """The mean of arrays that several trainings found; `values` are these, ``(trainings, ...)``."""

    values: np.ndarray


def joined(values: Any) -> Any:
    """Return what several trainings found as one value: an `ErrorBar`, a `MeanArray`, or a number if all are equal.

    >>> joined([0.1, 0.1]), joined([1.0, 3.0]).deviation > 1
    (0.1, True)
    """
    array = np.asarray(values)
    if array.ndim > 1:
        mean = array.mean(0).view(MeanArray)
        mean.values = array
        return mean
    return float(array[0]) if bool((array == array[0]).all()) else ErrorBar(array.tolist())


def value_in(value: Any, training: int) -> Any:
    """Return what one of the trainings found, of a value that `joined` returned.

    >>> value_in(joined([1.0, 3.0]), 1), value_in(0.5, 1)
    (3.0, 0.5)
    """
    values = getattr(value, "values", None)
    return value if values is None or callable(values) else values[training]


def deviation_of(value: Any) -> float:
    """Return the standard deviation of a value that `joined` returned; 0 of a number.

    >>> deviation_of(0.5)
    0.0
    """
    return float(getattr(value, "deviation", 0.0))
