"""TensorFlow's argument `name`, for functions of Cornu that do not have it."""

import functools
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from cornu.core import registry

_HOMES = ("cornu.ops", "cornu.activations", "cornu.compat.backend.functions")
_FIRST = ("features", "logits", "input", "tensor")  # TensorFlow's names of the first argument


def taking_name(module: str, thing: Any) -> Any:
    """Return a function of `module` so that it accepts TensorFlow's `name=`, which has no effect; others unchanged.

    >>> from cornu import activations
    >>> taking_name("cornu.activations", activations.relu)([-1.0, 2.0], name="steps").tolist()
    [0.0, 2.0]
    """
    is_home = any(module == home or module.startswith(home + ".") for home in _HOMES)
    return _taking_name(thing) if is_home and isinstance(thing, FunctionType) else thing


@functools.cache
def _taking_name(function: Callable) -> Callable:
    if "name" in inspect.signature(function).parameters:
        return function

    @functools.wraps(function)
    def call(*args: Any, name: str | None = None, **kwargs: Any) -> Any:
        if not args and (first := next((key for key in _FIRST if key in kwargs), None)):
            args = (kwargs.pop(first),)
        return function(*args, **kwargs)

    registry.stand_in(call, function)
    return call
