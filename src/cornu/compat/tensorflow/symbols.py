"""Functions of TensorFlow on symbolic tensors: between the layers of a model they are operations that files know."""

import functools
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from cornu.compat.tensorflow.operations import FUNCTIONS
from cornu.compat.tensorflow.rows import OLD_KEYWORDS
from cornu.core import registry
from cornu.core.graph import holds_symbolic


def with_old_keywords(function: Any) -> Any:
    """Return a function that also takes the keywords of TensorFlow 1 for its arguments; others unchanged."""
    if not isinstance(function, FunctionType) or not function.__module__.startswith(__package__):
        return function
    return _with_old_keywords(function)


@functools.cache
def _with_old_keywords(function: Callable) -> Callable:
    parameters = inspect.signature(function).parameters
    known = {old: new for old, new in OLD_KEYWORDS.items() if old not in parameters and new in parameters}
    if not known or any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not known.keys().isdisjoint(kwargs):
            kwargs = {known.get(key, key): value for key, value in kwargs.items()}
        return function(*args, **kwargs)

    if (original := registry.original(function)) is not function:
        registry.stand_in(call, original)
    return call


def on_symbols(place: str, name: str, function: Any) -> Any:
    """Return a function that makes an operation of a model's tensors, if `operations.py` has it; else as it is."""
    of_symbols = FUNCTIONS.get(f"{place}.{name}".removeprefix("tensorflow."))
    if of_symbols is None or not isinstance(function, FunctionType):
        return function
    return _either(function, of_symbols)


@functools.cache
def _either(of_arrays: Callable, of_symbols: Callable) -> Callable:
    @functools.wraps(of_arrays)
    def either(*args: Any, **kwargs: Any) -> Any:
        if not holds_symbolic(args, kwargs):
            return of_arrays(*args, **kwargs)
        kwargs.pop("name", None)
        try:
            return of_symbols(*args, **kwargs)
        except TypeError:  # an argument that the operation does not have
            return of_arrays(*args, **kwargs)

    if (known := registry.original(of_arrays)) is not of_arrays:
        registry.stand_in(either, known)
    return either
