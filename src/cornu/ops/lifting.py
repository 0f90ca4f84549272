"""How a JAX function becomes a Keras operation: it accepts lists, variables and symbolic tensors as well."""

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.graph import op
from cornu.core.jax_internals import check_device
from cornu.core.text import holds_text, text_array
from cornu.core.variable import Variable

# Keras's names of array arguments, which JAX calls differently or takes by position only.
_ARRAY_NAMES = (("x", "x1", "xs", "a", "inputs"), ("x2", "y", "b"))


def array(value: Any) -> Any:
    """Return a list, variable or another library's array as an array; numbers and arrays are returned unchanged."""
    if isinstance(value, Variable):
        return value.value
    if isinstance(value, (list, tuple)):
        if holds_text(value):
            return text_array(value)
        return jnp.asarray([array(item) for item in value] if any(map(_is_array, value)) else np.asarray(value))
    if isinstance(value, (jax.Array, np.ndarray, np.generic, int, float, complex, bool)) or value is None:
        return value
    return np.asarray(value) if hasattr(value, "__array__") else value


def indices(value: Any) -> jax.Array:
    """Return indices as an array of integers: floats, as data often is, are cut to integers; True is 1."""
    value = jnp.asarray(value)
    return value if jnp.issubdtype(value.dtype, jnp.integer) else value.astype("int32")


def _is_array(value: Any) -> bool:
    return isinstance(value, (jax.Array, Variable, list, tuple))


def lifted(function: Callable[..., Any], arrays: int = 1, parameters: str = "") -> Callable[..., Any]:
    """Return `function` for anything array-like in its first `arrays` arguments, including symbolic tensors.

    Args:
        function: A function of arrays and options.
        arrays: How many of its first arguments are arrays.
        parameters: The names of Keras's parameters, in order, if they differ from those of `function`:
            ``"x axis keepdims"``, with ``keras_name:name`` for an option that has another name. Options may then be
            passed by position, and axes as a list.
    """
    names = [name.partition(":") for name in parameters.split()]
    known = [(*own, keras, *common) for own, keras, common in _array_names(function, arrays, names)]
    options = [new or old for old, _, new in names[arrays:]]
    renamed = {old: new for old, _, new in names[arrays:] if new}

    def on_arrays(*args: Any, **kwargs: Any) -> Any:
        check_device()
        if kwargs:
            if len(args) < arrays:
                args = (*args, *_named(known[len(args) :], kwargs))
            for old in renamed.keys() & kwargs.keys():
                kwargs[renamed[old]] = kwargs.pop(old)
        if options:
            kwargs.update(zip(options, args[arrays:], strict=False))
            args = args[:arrays] if len(args) <= arrays + len(options) else args
            if type(kwargs.get("axis")) is list:
                kwargs["axis"] = tuple(kwargs["axis"])
        return function(*map(array, args[:arrays]), *args[arrays:], **kwargs)

    return op(functools.wraps(function)(on_arrays))


def _array_names(function: Callable, arrays: int, names: list) -> Iterator[tuple[list[str], str, tuple[str, ...]]]:
    """Yield for each array argument the names that it has: the function's own, Keras's, and the usual ones."""
    own = [name for name, one in inspect.signature(function).parameters.items() if one.kind in _BY_POSITION]
    for i in range(arrays):
        yield own[i : i + 1], names[i][0] if names else "", _ARRAY_NAMES[i] if i < len(_ARRAY_NAMES) else ()


_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _named(known: Sequence[Sequence[str]], kwargs: dict[str, Any]) -> Iterator[Any]:
    """Take the array arguments that were passed by name out of `kwargs`, in order."""
    for names in known:
        name = next((name for name in names if name in kwargs), None)
        if name is None:
            return
        yield kwargs.pop(name)


def unknown_size(name: str, argument: str = "") -> ValueError:
    """Return the error for a result whose size depends on values that are not known yet."""
    return ValueError(
        f"{name}: the size of the result depends on values, which are not known inside a model or a compiled step.\n"
        + (f"Pass {argument}=, which fixes the size." if argument else "Call it on arrays, outside of the model.")
    )


def sized_by_values(function: Callable[..., Any], argument: str = "") -> Callable[..., Any]:
    """Return `function` with a clear error where its result has no known size; `argument` would fix the size."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except jax.errors.ConcretizationTypeError:
            raise unknown_size(function.__name__, argument) from None

    return call


def lifted_sequence(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` for a list of anything array-like in its first argument, which Keras calls `xs` or `x`."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        (xs, *rest) = args or _named([("xs", "x", "arrays", "tup")], kwargs)
        return function([array(x) for x in xs] if isinstance(xs, (list, tuple)) else array(xs), *rest, **kwargs)

    return op(call)


def unary(function: Callable[..., Any], parameters: str = "") -> Callable[..., Any]:
    """Return a function of one array and options for anything array-like."""
    return lifted(function, 1, parameters)


def binary(function: Callable[..., Any], parameters: str = "") -> Callable[..., Any]:
    """Return a function of two arrays and options for anything array-like."""
    return lifted(function, 2, parameters)


def arrays_first(count: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a function to accept anything array-like in its first `count` arguments."""
    return functools.partial(lifted, arrays=count)
