"""Hyperparameters of an optimizer that may change during training without recompiling."""

from typing import Any

import jax
import numpy as np

from cornu.core import settings
from cornu.core.variable import Variable


class Hyper:
    """A number of an optimizer that is kept in a variable, which the training program reads.

    Inside a trace it reads as the variable's value, elsewhere as a float.

    Args:
        complement: keep one minus the number in a second variable, computed before rounding: in float32,
            ``1 - 0.999`` has only four correct digits.
        slot: the slot that exists only while the number is not zero.
        epsilon: whether None means ``cornu.config.epsilon()``.
    """

    def __init__(self, complement: bool = False, slot: str | None = None, epsilon: bool = False) -> None:
        self.complement, self.slot, self.epsilon = complement, slot, epsilon

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, optimizer: Any, owner: type | None = None) -> Any:
        if optimizer is None:
            return self
        if self.name not in optimizer._numbers:
            raise AttributeError(f"{type(optimizer).__name__!r} object has no attribute {self.name!r} yet.")
        given = optimizer._numbers[self.name]
        if given is None:
            return None
        value = optimizer._hyper[self.name]._value
        return value if isinstance(value, jax.core.Tracer) else as_written(given, value)

    def __set__(self, optimizer: Any, value: Any) -> None:
        if value is None and self.epsilon:
            value = settings.epsilon()
        value = None if value is None else as_number(optimizer, self.name, value)
        self._check(optimizer, value)
        optimizer._numbers[self.name] = value
        if value is not None:
            _put(optimizer, self.name, value)
            if self.complement:
                _put(optimizer, f"one_minus_{self.name}", 1.0 - value)

    def _check(self, optimizer: Any, value: float | None) -> None:
        """Note when the update must be traced again; raise ValueError if the new value needs slots that are missing."""
        if not optimizer.built or bool(value) == bool(optimizer._numbers.get(self.name)):
            return
        if value and self.slot is not None and self.slot not in optimizer._slots:
            raise ValueError(
                f"{type(optimizer).__name__} was built with {self.name}=0 and has no {self.slot} slots: "
                f"{self.name}={value} cannot be set after building.\n"
                f"Make a new optimizer with {self.name}={value} and compile again."
            )
        optimizer._revision += 1


def as_number(optimizer: Any, name: str, value: Any) -> float:
    """Return `value` as a float; TypeError, with the argument's name, if it is not a number."""
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{type(optimizer).__name__} takes a number as {name}; got {value!r}.") from error


def as_written(given: float, value: Any) -> float:
    """Return the number as the user wrote it (0.1, not 0.10000000149), unless the variable has changed since."""
    value = np.asarray(value)
    return given if np.asarray(given, value.dtype) == value else float(value)


def _put(optimizer: Any, name: str, value: float) -> None:
    if name in optimizer._hyper:
        optimizer._hyper[name].assign(value)
    else:
        # 0.999 is 1 in bfloat16, and 1e-8 is 0 in float16: these numbers are always kept in float32 or more.
        dtype = "float64" if settings.floatx() == "float64" else "float32"
        optimizer._hyper[name] = Variable(value, dtype=dtype, trainable=False, autocast=False, name=name)
