"""Where old spellings enter. This module is empty: `cornu.compat.install` fills it when an old spelling is first met.

The core knows today's spelling only, and asks here about everything that does not fit it. The package root names the
module that fills; if that has been deleted, nothing is translated.
"""

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from cornu.core.errors import did_you_mean

Function = TypeVar("Function", bound=Callable[..., Any])

#: Question -> ``module:name`` of the function that answers it, or the function once it was asked.
_answers: dict[str, Any] = {}


def fill(answers: Mapping[str, str]) -> None:
    """Take the functions that know old spellings, each as ``module:name``; a module is imported when it is asked."""
    _answers.update(answers)


@functools.cache
def _filled() -> bool:
    """Import the module that fills this one; return whether there is one."""
    package = sys.modules[__name__.partition(".")[0]]
    try:
        importlib.import_module(package.OLD_SPELLINGS)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{package.OLD_SPELLINGS}.".startswith(f"{error.name}."):
            raise
        return False
    return True


def _answer_to(question: str) -> Callable[..., Any] | None:
    """Return the function that answers a question, or None if there are no old spellings."""
    if not _filled():
        return None
    found = _answers[question]
    if isinstance(found, str):
        module, _, name = found.partition(":")
        found = _answers[question] = getattr(importlib.import_module(module), name)
    return found


def translate_constructor(cls: type, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Return the arguments of a constructor call in today's spelling."""
    answer = _answer_to("constructor")
    return answer(cls, args, kwargs) if answer else (args, kwargs)


def old_attribute(instance: object, name: str) -> Any:
    """Return what an old attribute or method `name` of `instance` means today, or raise AttributeError."""
    answer = _answer_to("attribute")
    if answer is None:
        raise AttributeError(f"{type(instance).__name__!r} object has no attribute {name!r}.")
    return answer(instance, name)


def old_keywords(
    where: str, name_first: str | None = None, called: str | None = None
) -> Callable[[Function], Function]:
    """Decorate a method or function: its old keywords (a table of `compat`, by the name `where`) are accepted too.

    So is the order of Keras 2 that begins with the name: `name_first` says in which row of a table it is. Messages
    call the function `called`, or `where`.
    """

    def decorate(method: Function) -> Function:
        parameters = inspect.signature(method).parameters
        takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
        known = [name for name in parameters if name != "self"]
        todays = frozenset(parameters)

        @functools.wraps(method)
        def accepting(*args: Any, **kwargs: Any) -> Any:
            if kwargs and not todays.issuperset(kwargs):
                answer = _answer_to("keywords")
                kwargs = answer(where, kwargs, args[0] if args else None) if answer else kwargs
                if not takes_any:
                    _refuse_unknown(called or where, known, kwargs)
            if name_first and len(args) > 1 and isinstance(args[1], str) and (order := _answer_to("order")):
                return method(args[0], **order(name_first, args[1:], kwargs))
            return method(*args, **kwargs)

        return accepting  # type: ignore[return-value]

    return decorate


def _refuse_unknown(where: str, known: list[str], kwargs: dict[str, Any]) -> None:
    unknown = [name for name in kwargs if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0], known)
        raise TypeError(f"{where} has no argument {unknown[0]!r}.{hint}\nIt takes: {', '.join(known)}.")


def names_of(module: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a public module: `compat`, where it is there, finds Keras's other names."""

    def find(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        answer = _answer_to("name")
        if answer is None:
            hint = did_you_mean(name, dir(sys.modules[module]))
            raise AttributeError(f"module {module!r} has no attribute {name!r}.{hint}", name=name)
        return answer(module, name)

    return find


def absent_module(module: str) -> str:
    """Return what to use instead of a module that Keras has and Cornu has not, or ""."""
    answer = _answer_to("absent module")
    return answer(module) if answer else ""


def absent_class(name: str) -> str:
    """Return what to use instead of a layer, metric, ... that Keras has and Cornu has not, or ""."""
    answer = _answer_to("absent class")
    return answer(name) if answer else ""


def registered_class(name: str) -> Any:
    """Return a class that packages beside Keras registered, such as ``Addons>Lookahead``, or None."""
    answer = _answer_to("registered class")
    return answer(name) if answer else None


def old_names(module: str) -> list[str]:
    """Return the other names that `names_of` finds for a public module."""
    answer = _answer_to("names")
    return answer(module) if answer else []


def current_name(module: str, name: Any) -> Any:
    """Return today's name of a loss, metric, ... (`module` is that of its table), or `name` where it has no other."""
    answer = _answer_to("identifier")
    return answer(module, name) if answer else name


def current_layer_name(name: str) -> str:
    """Return today's name of a layer of a known architecture, or `name` if it has no other."""
    answer = _answer_to("layer name")
    return answer(name) if answer else name


def translate_layer(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a layer's entry of a model config in today's spelling."""
    answer = _answer_to("layer config")
    if answer is None or _is_custom(entry.get("registered_name")):
        return entry
    name, config = answer(entry["class_name"], entry["config"])
    return entry | {"class_name": name, "config": config}


def _is_custom(registered: Any) -> bool:
    """Return whether a class was registered in a package, and that one is not Keras's."""
    return (
        isinstance(registered, str) and ">" in registered and not registered.lower().startswith(("keras", "tf_keras"))
    )


def translate_optimizer(cls: type, config: Any) -> Any:
    """Return the config of one of the library's optimizers in today's spelling."""
    answer = _answer_to("optimizer config")
    return answer(cls, config) if answer else config


def old_operation(entry: dict[str, Any]) -> Callable[..., Any] | None:
    """Return the function that an entry of a graph's layers stands for, or None for a layer."""
    answer = _answer_to("operation")
    return answer(entry) if answer else None


def translate_model(entry: Any, writer: str) -> Any:
    """Return a whole model's config with other names where a name means something else than in the Keras `writer`."""
    answer = _answer_to("model config")
    return answer(entry, writer) if answer else entry
