"""What every config passes before anything is made from it, whichever way it came in: plain data, typed, bounded."""

import contextlib
import inspect
import math
import types
import typing
from collections.abc import Iterator, Sequence
from typing import Any

from cornu.core import registry
from cornu.core.budget import Budget
from cornu.core.errors import one_line, readable_errors
from cornu.core.scope import changed, scope
from cornu.core.signature import kept_by_class

MOST_DEPTH, MOST_ENTRIES, LONGEST_TEXT, LARGEST_NUMBER = 200, 2_000_000, 1 << 20, 1 << 64
LONGEST_NAME = 2**16  # Keras writes names of any length

#: Table of classes -> the largest integer in their configs, seeds apart: sizes of axes, numbers of thresholds.
LARGEST = {registry.LAYERS.module: (1 << 31) - 1, registry.METRICS.module: 1 << 20}

#: Arguments that are values of data: integers of any size.
VALUES = ("vocabulary", "mask_token", "oov_token", "mask_value", "salt")

#: Errors of code that was given something else than it expects: what they say is about the config.
STUMBLES = (
    *(LookupError, AttributeError, RecursionError, ArithmeticError, AssertionError, RuntimeError, MemoryError),
    NameError,  # JAX, of a string as an axis
)


@contextlib.contextmanager
def reading(config: Any, budget: Budget | None = None) -> Iterator[None]:
    """Check a config, and make objects from it inside a ``with`` block: its variables are counted in a budget.

    Only the outermost of nested blocks does anything. Raises ValueError for what no config holds, and instead of the
    errors of code that was given something else than it expects.
    """
    if scope.budget is not None:
        yield
        return
    with readable_errors(), changed(budget=budget or Budget(), shared={}):
        check_data(config)
        try:
            yield
        except STUMBLES as error:
            raise ValueError(f"The config cannot be read: {type(error).__name__}: {str(error)[:500]}.") from error


def check_data(config: Any) -> None:
    """Raise ValueError for a config that is too deep, too large, or holds numbers or texts that nothing needs."""
    waiting, entries = [(config, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        entries += 1
        if depth > MOST_DEPTH or entries > MOST_ENTRIES:
            raise ValueError(f"The config is nested more than {MOST_DEPTH} deep, or has over {MOST_ENTRIES:,} entries.")
        if isinstance(value, dict):
            for key, item in value.items():
                waiting += [(key, depth + 1), (item, depth + 1)]
        elif isinstance(value, (list, tuple)):
            waiting += [(item, depth + 1) for item in value]
        elif isinstance(value, str):
            _check_text(value)
        elif isinstance(value, int) and abs(value) > LARGEST_NUMBER:
            raise ValueError("The config holds an integer of more than 64 bits.")


def _check_text(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"The config holds a text of {len(text):,} characters; it begins with {text[:40]!r}.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"The config holds half a character (a surrogate): {text[:80]!r}.") from None


def check_arguments(cls: type, config: dict[str, Any]) -> None:
    """Raise ValueError if a config's value is not of the type that a library class's argument of that name has.

    Custom classes check their arguments themselves; only their name is checked here.
    """
    if not isinstance(config, dict):
        raise ValueError(f"The config of a {cls.__name__} is a dictionary; it is {_short(config)}.")
    check_name(cls, config.get("name"))
    table = registry.table_of(cls)
    if table is None:
        return
    if config.get("weights") is not None:
        raise ValueError(f"The config of {_called(cls, config)} holds weights; a model's weights are in its file.")
    hints, largest = _argument_types(cls), LARGEST.get(table.module)
    for key, value in config.items():
        kind = Any if key == "name" and value is None else hints.get(key, Any)
        is_value = "seed" in key or key in VALUES
        if not _fits(value, kind) or (largest and not is_value and _too_large(value, largest)):
            expected = getattr(kind, "__name__", None) if isinstance(kind, type) else str(kind)
            expected = "a plain value" if kind is Any else str(expected).replace("collections.abc.", "")
            raise ValueError(f"The config of {_called(cls, config)} has {key}={_short(value)}; expected is {expected}.")


def _called(cls: type, config: dict[str, Any]) -> str:
    return f"{cls.__name__} {_short(config['name'])}" if config.get("name") else cls.__name__


def _short(value: Any) -> str:
    return one_line(repr(value), 80)


def check_name(cls: type, name: Any) -> None:
    """Refuse names that a terminal would take for commands, and names of absurd length."""
    if name is not None and not (isinstance(name, str) and name.isprintable() and len(name) <= LONGEST_NAME):
        raise ValueError(f"A {cls.__name__} of the config is named {_short(name)}; a name is a line of plain text.")


@kept_by_class
def _argument_types(cls: type) -> dict[str, Any]:
    """Return the types of the arguments that a class and its bases name."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if "__init__" in vars(base) and inspect.isfunction(vars(base)["__init__"]):
            found |= typing.get_type_hints(vars(base)["__init__"])
    return found


def _too_large(value: Any, largest: int) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_too_large(item, largest) for item in value)
    return isinstance(value, int) and abs(value) > largest


def _fits(value: Any, kind: Any) -> bool:
    """Return whether plain data may stand for an argument of a type; objects are left to the class."""
    if kind is Any:
        return _is_finite(value)
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return any(_fits(value, one) for one in typing.get_args(kind))
    if value is None:
        return kind is types.NoneType
    if isinstance(value, dict):  # the config of an object, which is checked when it is made
        if value.get("class_name") in ("__tensor__", "__numpy__"):
            return kind not in (bool, int, float, str, types.NoneType)
        return kind not in (bool, int, float, str, types.NoneType) and typing.get_origin(kind) is not Sequence
    if isinstance(value, bool):
        return kind in (bool, float)
    if isinstance(value, int):
        return kind in (int, float) or (kind is bool and value in (0, 1))
    if isinstance(value, float):
        return kind is float or (kind is int and value.is_integer())
    if isinstance(value, str):
        return kind not in (bool, int, float, types.NoneType) and typing.get_origin(kind) is not Sequence
    if isinstance(value, (list, tuple)):
        inner = typing.get_args(kind)[0] if typing.get_origin(kind) is Sequence else None
        return inner is not None and all(_fits(item, inner) for item in value)
    return True


def _is_finite(value: Any) -> bool:
    """Return whether a value without a type of its own holds no NaN and no infinity; configs inside it come later."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
