"""`keras.initializations` of Keras 1: functions ``(shape, name=None)`` that return a variable at once."""

from collections.abc import Callable
from typing import Any

from cornu import initializers
from cornu.core.errors import unknown
from cornu.core.variable import Variable


def _variable(initializer: Any, shape: Any, name: str | None) -> Variable:
    return Variable(initializer, shape=tuple(shape), name=name)


def uniform(shape: Any, scale: float = 0.05, name: str | None = None, dim_ordering: Any = None) -> Variable:
    """Return a variable of uniform random numbers from ``-scale`` to ``scale``."""
    return _variable(initializers.RandomUniform(-scale, scale), shape, name)


def normal(shape: Any, scale: float = 0.05, name: str | None = None, dim_ordering: Any = None) -> Variable:
    """Return a variable of normally distributed numbers."""
    return _variable(initializers.RandomNormal(stddev=scale), shape, name)


def orthogonal(shape: Any, scale: float = 1.1, name: str | None = None, dim_ordering: Any = None) -> Variable:
    """Return a variable that is an orthogonal matrix times `scale`."""
    return _variable(initializers.Orthogonal(scale), shape, name)


def identity(shape: Any, scale: float = 1, name: str | None = None, dim_ordering: Any = None) -> Variable:
    """Return a variable that is the identity matrix times `scale`."""
    return _variable(initializers.Identity(scale), shape, name)


def _old(cls: type) -> Callable[..., Variable]:
    def make(shape: Any, name: str | None = None, dim_ordering: Any = None) -> Variable:
        return _variable(cls(), shape, name)

    make.__doc__ = f"Return a variable with the values of `{cls.__name__}`."
    return make


lecun_uniform, glorot_normal, glorot_uniform = map(
    _old, (initializers.LecunUniform, initializers.GlorotNormal, initializers.GlorotUniform)
)
he_normal, he_uniform, zero, one = map(
    _old, (initializers.HeNormal, initializers.HeUniform, initializers.Zeros, initializers.Ones)
)

FUNCTIONS: dict[str, Callable[..., Variable]] = {
    "uniform": uniform,
    "normal": normal,
    "orthogonal": orthogonal,
    "identity": identity,
    "lecun_uniform": lecun_uniform,
    "glorot_normal": glorot_normal,
    "glorot_uniform": glorot_uniform,
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "zero": zero,
    "one": one,
}


def get(identifier: Any, **kwargs: Any) -> Callable[..., Any]:
    """Return the function with a name; a function is returned as it is. Raises ValueError for an unknown name.

    >>> get("one")((2, 2), name="W").numpy().tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    if callable(identifier):
        return identifier
    if identifier not in FUNCTIONS:
        raise unknown("initialization", identifier, FUNCTIONS)
    return FUNCTIONS[identifier]
