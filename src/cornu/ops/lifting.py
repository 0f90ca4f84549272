"""How a JAX function becomes a Keras operation: it accepts lists, variables and symbolic tensors as well."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.graph import op
from cornu.core.variable import Variable

# Keras's names of leading array arguments, which JAX takes by position only.
_ARRAY_NAMES = ("x", "x1", "x2", "xs", "a", "b", "y", "inputs")


def array(value: Any) -> Any:
    """Return a list, variable or another library's array as an array; numbers and arrays are returned unchanged."""
    if isinstance(value, Variable):
        return value.value
    if isinstance(value, (list, tuple)):
        return jnp.asarray([array(item) for item in value] if any(map(_is_array, value)) else np.asarray(value))
    if isinstance(value, (jax.Array, np.ndarray, np.generic, int, float, complex, bool)) or value is None:
        return value
    return np.asarray(value) if hasattr(value, "__array__") else value


def _is_array(value: Any) -> bool:
    return isinstance(value, (jax.Array, Variable, list, tuple))


def lifted(function: Callable[..., Any], arrays: int = 1) -> Callable[..., Any]:
    """Return `function` for anything array-like in its first `arrays` arguments, including symbolic tensors."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        named = [kwargs.pop(name) for name in _ARRAY_NAMES if len(args) < arrays and name in kwargs]
        args = (*args, *named)
        return function(*(array(arg) for arg in args[:arrays]), *args[arrays:], **kwargs)

    return op(call)


def lifted_sequence(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` for a list of anything array-like in its first argument."""

    @functools.wraps(function)
    def call(xs: Any, *args: Any, **kwargs: Any) -> Any:
        return function([array(x) for x in xs] if isinstance(xs, (list, tuple)) else array(xs), *args, **kwargs)

    return op(call)


def unary(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of one array and options for anything array-like."""
    return lifted(function, 1)


def binary(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of two arrays and options for anything array-like."""
    return lifted(function, 2)


def arrays_first(count: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a function to accept anything array-like in its first `count` arguments."""
    return functools.partial(lifted, arrays=count)
