"""Where old spellings enter: `compat` translates names and arguments, and answers for missing attributes.

The core knows today's spelling only. When the package ``cornu.compat`` is there, it is asked; when it has been
deleted, nothing is translated.
"""

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from cornu.core.errors import did_you_mean

Function = TypeVar("Function", bound=Callable[..., Any])


@functools.cache
def _compat() -> Any:
    try:
        from cornu.compat import arguments
    except ImportError:
        return None
    return arguments


def translate_constructor(cls: type, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Return the arguments of a constructor call in today's spelling."""
    compat = _compat()
    return compat.translate_constructor(cls, args, kwargs) if compat else (args, kwargs)


def old_attribute(instance: object, name: str) -> Any:
    """Return what an old attribute or method `name` of `instance` means today, or raise AttributeError."""
    compat = _compat()
    if compat is None:
        raise AttributeError(f"{type(instance).__name__!r} object has no attribute {name!r}.")
    return compat.old_attribute(instance, name)


def old_keywords(where: str) -> Callable[[Function], Function]:
    """Decorate a method or function: its old keywords (a table of `compat`, by the name `where`) are accepted too."""

    def decorate(method: Function) -> Function:
        parameters = inspect.signature(method).parameters
        takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
        known = None if takes_any else [name for name in parameters if name != "self"]

        @functools.wraps(method)
        def accepting(*args: Any, **kwargs: Any) -> Any:
            compat = _compat()
            if compat is not None and kwargs:
                kwargs = compat.translate_keywords(where, kwargs, args[0] if args else None)
            _refuse_unknown(where, known, kwargs)
            return method(*args, **kwargs)

        return accepting  # type: ignore[return-value]

    return decorate


def _refuse_unknown(where: str, known: list[str] | None, kwargs: dict[str, Any]) -> None:
    unknown = [] if known is None else [name for name in kwargs if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0], known or ())
        raise TypeError(f"{where} has no argument {unknown[0]!r}.{hint}\nIt takes: {', '.join(known or ())}.")


def names_of(module: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a public module: `compat`, where it is there, finds Keras's other names."""

    def find(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        try:
            from cornu.compat import imports
        except ImportError:
            hint = did_you_mean(name, dir(sys.modules[module]))
            raise AttributeError(f"module {module!r} has no attribute {name!r}.{hint}") from None
        return imports.old_name(module, name)

    return find


def todays_name(module: str, name: Any) -> Any:
    """Return today's name of a loss, metric, ... (`module` is that of its table), or `name` where it has no other."""
    try:
        from cornu.compat import names
    except ImportError:
        return name
    return names.IDENTIFIERS.get(module, {}).get(name, name)


def translate_layer(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a layer's entry of a model config in today's spelling."""
    try:
        from cornu.compat import configs
    except ImportError:
        return entry
    name, config = configs.translate_layer_config(entry["class_name"], entry["config"])
    return entry | {"class_name": name, "config": config}


def translate_model(entry: Any, writer: str) -> Any:
    """Return a whole model's config with other names where a name means something else than in the Keras `writer`."""
    try:
        from cornu.compat import configs
    except ImportError:
        return entry
    return configs.translate_meanings(entry, writer)
