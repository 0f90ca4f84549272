"""What a layer's ``call`` takes: does it know ``training`` and ``mask``, and what are its arguments named?"""

import functools
import inspect
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

Found = TypeVar("Found")
Result = TypeVar("Result")


def freely_overridden(method: Callable[..., Result]) -> Callable[..., Result]:
    """Decorate a method that other classes define with arguments of their own: type checkers then let them."""
    return method


def kept_by_class(function: Callable[[Any], Found]) -> Callable[[Any], Found]:
    """Decorate a function of a class: its result is kept as long as the class lives.

    ``functools.cache`` would keep alive every class that a program defines, with all that its methods close over.
    """
    known: weakref.WeakKeyDictionary[Any, Found] = weakref.WeakKeyDictionary()

    @functools.wraps(function)
    def look_up(cls: Any) -> Found:
        found = known.get(cls)
        if found is None:
            found = known[cls] = function(cls)
        return found

    return look_up


class CallSignature(NamedTuple):
    """The part of a ``call`` signature that the layer's caller needs to know."""

    names: tuple[str, ...]
    takes_training: bool
    takes_mask: bool
    training_default: Any


@kept_by_class
def call_signature(cls: Any) -> CallSignature:
    """Return what the ``call`` method of a layer class takes."""
    parameters = list(inspect.signature(cls.call).parameters.values())[1:]
    by_name = {parameter.name: parameter for parameter in parameters}
    training = by_name.get("training")
    default = training.default if training is not None and training.default is not inspect.Parameter.empty else None
    names = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    return CallSignature(names, training is not None, "mask" in by_name, default)


@kept_by_class
def build_parameters(cls: Any) -> tuple[str, ...]:
    """Return the argument names of a layer class's ``build``."""
    method = inspect.unwrap(cls.build)
    parameters = list(inspect.signature(method).parameters.values())[1:]
    return tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
