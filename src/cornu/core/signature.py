"""What the methods of a layer take: the names of ``call``'s arguments, and the shapes that ``build`` asks for."""

import functools
import inspect
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from cornu.core.errors import did_you_mean

Found = TypeVar("Found")
EMPTY = inspect.Parameter.empty
Result = TypeVar("Result")


def any_signature(method: Callable[..., Result]) -> Callable[..., Result]:
    """Decorate a method that other classes define with arguments of their own: type checkers then let them."""
    return method


def kept_by_class(function: Callable[[Any], Found]) -> Callable[[Any], Found]:
    """Decorate a function of a class: its result is cached as long as the class exists.

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
    """The arguments of a layer's ``call``, without ``self``."""

    names: tuple[str, ...]  # those that can be given by position
    by_keyword: tuple[str, ...]  # those that can be given by keyword
    required: tuple[str, ...]  # those that only the caller of the layer can supply
    leading: int  # how many of `names` come before ``training`` and the masks
    takes_any: bool  # has **kwargs
    takes_more: bool  # has *args
    takes_training: bool
    takes_mask: bool
    masks: tuple[tuple[str, str], ...]  # arguments with a mask argument: ("query", "query_mask")
    training_default: Any

    def bind(self, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call by name; those of ``*args`` have none."""
        return dict(zip(self.names, args, strict=False)) | kwargs

    def first(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Return the first argument, None if it is left out."""
        if args:
            return args[0]
        return kwargs.get(self.names[0]) if self.names else next(iter(kwargs.values()), None)

    def first_by_position(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Return the call with the first argument by position, where it was given by keyword."""
        if args or not self.names or self.names[0] not in kwargs:
            return args, kwargs
        kwargs = dict(kwargs)
        return (kwargs.pop(self.names[0]),), kwargs

    def apart(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Return the call with ``training`` and masks as keywords, where they were given by position."""
        if len(args) <= self.leading or self.takes_more:
            return args, kwargs
        return args[: self.leading], dict(zip(self.names[self.leading :], args[self.leading :], strict=False)) | kwargs

    def mismatch(self, args: tuple, kwargs: dict[str, Any]) -> str | None:
        """Return what is wrong with the arguments of a call, or None."""
        if len(args) > len(self.names) and not self.takes_more:
            return f"takes {len(self.names)} arguments by position; got {len(args)}"
        given = self.names[: len(args)]
        for name in kwargs:
            if name in given:
                return f"got the argument {name!r} twice, by position and by keyword"
            if name not in self.by_keyword and not self.takes_any and name != "training":
                return f"has no argument {name!r}{did_you_mean(name, self.by_keyword).rstrip('?')}"
        missing = [name for name in self.required if name not in given and name not in kwargs]
        return f"was called without {', '.join(map(repr, missing))}" if missing else None


@kept_by_class
def call_signature(cls: Any) -> CallSignature:
    """Return what the ``call`` method of a layer class takes."""
    parameters = list(inspect.signature(cls.call).parameters.values())[1:]
    by_name = {parameter.name: parameter for parameter in parameters}
    training = by_name.get("training")
    names = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    masks = tuple((name, f"{name}_mask") for name in by_name if _may_be_none(by_name.get(f"{name}_mask")))
    filled = {"training", "mask", *(mask for _, mask in masks)}
    return CallSignature(
        names=names,
        by_keyword=tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)),
        required=tuple(
            p.name
            for p in parameters
            if p.default is EMPTY and p.name not in filled and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ),
        leading=next((index for index, name in enumerate(names) if name in filled), len(names)),
        takes_any=any(p.kind is p.VAR_KEYWORD for p in parameters),
        takes_more=any(p.kind is p.VAR_POSITIONAL for p in parameters),
        takes_training=training is not None,
        takes_mask="mask" in by_name,
        masks=masks,
        training_default=None if training is None or training.default is EMPTY else training.default,
    )


def _may_be_none(parameter: inspect.Parameter | None) -> bool:
    return parameter is not None and (parameter.default is None or parameter.default is EMPTY)


def call_text(cls: Any) -> str:
    """Return the arguments of a layer class's ``call`` as they are written, without annotations.

    >>> from cornu.layers import Dropout
    >>> call_text(Dropout)
    '(inputs, training=False)'
    """
    parameters = list(inspect.signature(cls.call).parameters.values())[1:]
    return str(inspect.Signature([parameter.replace(annotation=EMPTY) for parameter in parameters]))


class ShapeParameters(NamedTuple):
    """The arguments of ``build`` or ``compute_output_shape``, without ``self``."""

    names: tuple[str, ...]
    required: tuple[str, ...]
    takes_more: bool  # has *args
    takes_any: bool  # has **kwargs


def _shape_parameters(method: Any) -> ShapeParameters:
    parameters = list(inspect.signature(inspect.unwrap(method)).parameters.values())[1:]
    plain = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return ShapeParameters(
        names=tuple(p.name for p in plain),
        required=tuple(p.name for p in plain if p.default is EMPTY),
        takes_more=any(p.kind is p.VAR_POSITIONAL for p in parameters),
        takes_any=any(p.kind is p.VAR_KEYWORD for p in parameters),
    )


@kept_by_class
def build_parameters(cls: Any) -> ShapeParameters:
    """Return what the ``build`` method of a layer class takes."""
    return _shape_parameters(cls.build)


@kept_by_class
def output_shape_parameters(cls: Any) -> ShapeParameters:
    """Return what the ``compute_output_shape`` method of a layer class takes."""
    return _shape_parameters(cls.compute_output_shape)
