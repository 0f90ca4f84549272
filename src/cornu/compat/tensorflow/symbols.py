"""Functions of TensorFlow on symbolic tensors: between the layers of a model they are operations that files know."""

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

from cornu.compat.tensorflow.operations import FUNCTIONS
from cornu.core import registry
from cornu.core.graph import holds_symbolic


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
