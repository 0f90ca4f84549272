"""How a function of `keras.backend` is called: on arrays, variables, symbolic tensors, and sizes not known yet."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import graph
from cornu.core.settings import floatx
from cornu.core.variable import Variable


class Size:
    """A size that is known only when the model runs: ``K.shape(x)[0]`` of a symbolic tensor.

    It supports arithmetic, and can be used wherever a function of K takes a shape or a number.
    """

    def __init__(self, tensors: tuple, compute: Callable[..., Any]) -> None:
        self.tensors, self.compute = tensors, compute

    def _combined(self, other: Any, function: Callable[[Any, Any], Any]) -> "Size":
        count, more = len(self.tensors), other.tensors if isinstance(other, Size) else ()

        def compute(*values: Any) -> Any:
            right = other.compute(*values[count:]) if isinstance(other, Size) else other
            return function(self.compute(*values[:count]), right)

        return Size((*self.tensors, *more), compute)

    def __add__(self, other: Any) -> "Size":
        return self._combined(other, lambda a, b: a + b)

    def __sub__(self, other: Any) -> "Size":
        return self._combined(other, lambda a, b: a - b)

    def __mul__(self, other: Any) -> "Size":
        return self._combined(other, lambda a, b: a * b)

    def __floordiv__(self, other: Any) -> "Size":
        return self._combined(other, lambda a, b: a // b)

    def __truediv__(self, other: Any) -> "Size":
        return self._combined(other, lambda a, b: a / b)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Any) -> "Size":
        return self._combined(other, lambda a, b: b - a)

    def __repr__(self) -> str:
        return f"<size known when the model runs, of {', '.join(tensor.name for tensor in self.tensors)}>"


def shape(x: Any) -> tuple:
    """Return the shape as a tuple; an unknown axis of a symbolic tensor is a `Size`, which supports arithmetic."""
    if not isinstance(x, graph.SymbolicTensor):
        return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)
    return tuple(
        Size((x,), lambda value, axis=axis: value.shape[axis]) if size is None else size
        for axis, size in enumerate(x.shape)
    )


def _mapped(structure: Any, function: Callable[[Any], Any]) -> Any:
    """Apply a function inside lists, tuples and dictionaries, keeping their kinds."""
    if type(structure) in (list, tuple):
        return type(structure)([_mapped(item, function) for item in structure])
    if isinstance(structure, tuple):
        return tuple(_mapped(item, function) for item in structure)
    if isinstance(structure, dict):
        return {key: _mapped(item, function) for key, item in structure.items()}
    return function(structure)


def _values(structure: Any) -> Any:
    return _mapped(structure, lambda leaf: leaf.value if isinstance(leaf, Variable) else leaf)


def sizes_in(structure: Any) -> list[Size]:
    """Return the sizes in a structure that are known only when the model runs."""
    found: list[Size] = []
    _mapped(structure, lambda leaf: found.append(leaf) if isinstance(leaf, Size) else None)
    return found


def tensor_function(function: Callable) -> Callable:
    """Decorate a function of K: variables are read, symbolic tensors add a node, sizes are computed later."""

    @functools.wraps(function)
    def on_values(*args: Any, **kwargs: Any) -> Any:
        return function(*_values(args), **_values(kwargs))

    def sized(tensors: list, args: tuple, kwargs: dict) -> Any:
        given = iter(tensors)
        known = lambda leaf: leaf.compute(*(next(given) for _ in leaf.tensors)) if isinstance(leaf, Size) else leaf  # noqa: E731
        return on_values(*_mapped(args, known), **_mapped(kwargs, known))

    sized.__name__ = function.__name__

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        sizes = sizes_in((args, kwargs))
        if sizes:
            tensors = [tensor for size in sizes for tensor in size.tensors]
            return graph.apply(sized, (tensors, args, kwargs), {})
        if graph.holds_symbolic(args, kwargs):
            return graph.apply(on_values, args, kwargs)
        return on_values(*args, **kwargs)

    return call


def value_of(x: Any) -> np.ndarray:
    """Return an array or variable as numpy; TypeError for a symbolic tensor."""
    if isinstance(x, graph.SymbolicTensor):
        raise TypeError(
            f"{x!r} has no value: it is a placeholder for a model's data.\n"
            "Make a function, K.function([model.input], [tensor]), and call it with data."
        )
    return np.array(x._value if isinstance(x, Variable) else x)


def is_concrete(x: Any) -> bool:
    """Return whether `x` is an array with values, not a tracer or a symbolic tensor."""
    return isinstance(x, jax.Array) and not isinstance(x, jax.core.Tracer)


def axes(axis: Any) -> Any:
    """Return a list of axes as a tuple."""
    return tuple(axis) if isinstance(axis, (list, tuple)) else axis


def floats(x: Any) -> jax.Array:
    """Return an array; booleans and integers as ``floatx()``."""
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(floatx())
