"""Translates old keywords: `core.spellings` calls this for calls that do not fit today's arguments."""

import functools
import inspect
import warnings
from typing import Any

from cornu.compat import keywords
from cornu.core import registry
from cornu.core.ownership import is_library

#: Every constructor call checks this set first: a keyword that is not in it is current.
_OLD = frozenset(
    (*keywords.RENAMED, *keywords.HARMLESS, *(part for parts in keywords.PARTS for part in parts), "distribution")
)
_IN_PAIRS = frozenset(("subsample", "atrous_rate"))


def translate_constructor(cls: type, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Return the arguments of a constructor call in today's spelling.

    A keyword that the class itself has is never touched, nor is a class with a custom ``__init__``. Raises ValueError
    for an old argument that is not supported, and TypeError for one that is passed in both spellings.
    """
    own = _own_names(cls)
    if own is None:
        return args, kwargs
    if args and cls.__name__ in keywords.OLD_ORDERS:
        args, kwargs = _reordered(keywords.OLD_ORDERS[cls.__name__], args, kwargs)
    if len(args) > 1 and cls.__name__ in keywords.INITIALIZER_SECOND and _is_initializer(args[1]):
        args, kwargs = (), dict(zip(keywords.INITIALIZER_SECOND[cls.__name__], args, strict=False)) | kwargs
    if len(args) > 2 and cls.__name__ in keywords.KERNEL_NUMBERS:
        args = _with_kernel(cls.__name__, args, kwargs)
    if _OLD.isdisjoint(kwargs):
        return args, kwargs
    return _with_parts(cls.__name__, own, args, _renamed(cls.__name__, own, kwargs))


def _is_initializer(value: Any) -> bool:
    """Return whether a value names an initializer rather than an activation: ``Dense(3, 'normal')`` of Keras 1."""
    if not isinstance(value, str) or value in registry.ACTIVATIONS.things:
        return False
    return value in registry.INITIALIZERS.things


@functools.cache
def _own_names(cls: type) -> frozenset[str] | None:
    """Return the argument names of a class's ``__init__``, or None if it is a custom one."""
    owner = next((base for base in cls.__mro__ if "__init__" in vars(base)), object)
    if not is_library(owner):
        return None
    names = frozenset(inspect.signature(cls.__init__).parameters)  # type: ignore[misc]
    return names | {"inputs", "outputs"} if any(base.__name__ == "Model" for base in cls.__mro__) else names


def _renamed(name: str, own: frozenset[str], kwargs: dict) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in kwargs.items():
        new = key if key in own else _current(key, own)
        if _is_harmless(key, value, own):
            continue
        if key not in own and new == key and key in keywords.REFUSED:
            raise ValueError(f"{name}({key}={value!r}) is not supported: {keywords.REFUSED[key]}.")
        if new in result or (new != key and new in kwargs):
            raise TypeError(f"{name} got both {key!r} and {new!r}, the old and the new name of one argument.")
        result |= _scaled(name, value) if key == "scale" and key not in own else {new: _value(name, key, new, value)}
    return result


def _current(key: str, own: frozenset[str]) -> str:
    if key == "input_dtype":
        return "dtype"
    return next((new for new in keywords.RENAMED.get(key, ()) if new in own), key)


def _is_harmless(key: str, value: Any, own: frozenset[str]) -> bool:
    """Return whether a keyword has no effect: None for an optimizer's epsilon, or an old argument's default."""
    known = keywords.HARMLESS.get(key)
    if known is None or (key in own and key not in ("epsilon", "reduction")):
        return False
    return any(type(value) is type(one) and value == one for one in known) or (isinstance(value, list) and value == [])


def _value(name: str, key: str, new: str, value: Any) -> Any:
    """Return an argument's value in today's spelling."""
    if key == "dim_ordering":
        return keywords.DATA_FORMATS.get(value, value)
    if key == "forget_bias_init":
        return (value if isinstance(value, str) else type(value).__name__).lower() in ("one", "ones")
    if key == "distribution" and name == "VarianceScaling" and value == "normal":
        return "truncated_normal"
    if key == "border_mode" and value == "full":
        raise ValueError(
            f"{name}(border_mode='full') is not supported: put ZeroPadding before it, with padding='valid'."
        )
    if key in _IN_PAIRS and isinstance(value, list):
        return tuple(value)
    if new.endswith("_initializer") and inspect.isfunction(value):
        return _old_initializer(value)
    return value


def _scaled(name: str, scale: float) -> dict[str, Any]:
    return {"minval": -scale, "maxval": scale} if name == "RandomUniform" else {"stddev": scale}


def _old_initializer(function: Any) -> Any:
    """Let a Keras 1 initializer, ``lambda shape, name=None: ...``, be called like today's initializers."""
    names = inspect.signature(function).parameters
    if "dtype" in names or not names or any(p.kind is p.VAR_KEYWORD for p in names.values()):
        return function

    @functools.wraps(function)
    def initialize(shape: tuple, dtype: Any = None) -> Any:
        return function(shape, **({"name": None} if "name" in names else {}))

    return initialize


def _with_parts(name: str, own: frozenset[str], args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Join ``nb_row`` and ``nb_col`` to ``kernel_size``, as in ``Conv2D(32, 3, 3, border_mode='same')``."""
    for parts, whole in keywords.PARTS.items():
        if whole not in own or not any(part in kwargs for part in parts):
            continue
        positions = [part for part in parts if part not in kwargs]
        sizes = dict(zip(positions, args[1:], strict=False)) | {part: kwargs[part] for part in parts if part in kwargs}
        if len(sizes) != len(parts):
            raise TypeError(f"{name} needs all of {', '.join(parts)}, or kernel_size=({', '.join(parts)}).")
        rest = {key: value for key, value in kwargs.items() if key not in parts}
        return args[:1], rest | {whole: tuple(sizes[part] for part in parts)}
    return args, kwargs


def _with_kernel(name: str, args: tuple, kwargs: dict) -> tuple:
    """Read ``Conv2D(32, 3, 3, border_mode='same')`` as Keras 1 did; warn about ``Conv2D(32, 3, 3)``."""
    count = keywords.KERNEL_NUMBERS[name]
    sizes = args[1 : 1 + count]
    if len(sizes) < count or not all(type(size) is int for size in sizes):
        return args
    if not keywords.ONLY_KERAS_1.isdisjoint(kwargs):
        return (args[0], sizes, *args[1 + count :])
    if sizes[0] == sizes[1] > 1:
        warnings.warn(
            f"{name}({args[0]}, {sizes[0]}, {sizes[1]}) has a {sizes[0]}x{sizes[0]} kernel and strides={sizes[1]}, "
            f"as in Keras 3 and tf.keras.\nFor strides of 1, as in Keras 1, write {name}({args[0]}, {sizes}).",
            UserWarning,
            stacklevel=4,
        )
    return args


def _reordered(order: keywords.OldOrder, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Name the positional arguments of an optimizer if they are in the order of Keras 1 and 2."""
    if len(args) <= order.position or not _is_old_order(args[order.position], order):
        return args, kwargs
    named = dict(zip(order.names, args, strict=False))
    return (), {name: value for name, value in named.items() if value is not None} | kwargs


def _is_old_order(value: Any, order: keywords.OldOrder) -> bool:
    if value is None:
        return True
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= order.largest


def translate_keywords(where: str, kwargs: dict[str, Any], owner: Any = None) -> dict[str, Any]:
    """Return the keywords of a method call in today's spelling.

    `where` names the method (``"fit"``, ``"compile"``, ...), `owner` is the object that has it. Arguments that only
    configured the backend are dropped; unsupported ones raise ValueError or warn.

    >>> translate_keywords("fit", {"nb_epoch": 2, "max_q_size": 5})
    {'epochs': 2}
    """
    renamed, unneeded = keywords.METHODS.get(where, {}), keywords.UNNEEDED.get(where, frozenset())
    impossible, only = keywords.IMPOSSIBLE.get(where, {}), keywords.ONLY.get(where, {})
    result: dict[str, Any] = {}
    for key, value in kwargs.items():
        if key in unneeded:
            continue
        if key in keywords.SHOW_ACCURACY and where in keywords.SHOW_ACCURACY[key]:
            if value:
                _show_accuracy(owner)
            continue
        if key in only:
            if value != only[key][0]:
                raise ValueError(f"{where}({key}={value!r}) is not supported: {only[key][1]}.")
            continue
        if key in impossible:
            if value is not None and value is not False:
                raise ValueError(f"{where}({key}=...) is not supported: {impossible[key]}.")
            continue
        if key == "dim_ordering":
            value = keywords.DATA_FORMATS.get(value, value)
        new = renamed.get(key, key)
        if new in result or (new != key and new in kwargs):
            raise TypeError(f"{where}() got both {key!r} and {new!r}, the old and the new name of one argument.")
        result[new] = keywords.DATA_FORMATS.get(value, value) if key == "dim_ordering" else value
    return result


def name_first(where: str, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a method call that begin with a name, as in Keras 2, as keywords.

    >>> name_first("Layer.add_weight", ("w", (2,)), {"initializer": "ones"})
    {'name': 'w', 'shape': (2,), 'initializer': 'ones'}
    """
    names = keywords.NAME_FIRST[where]
    if len(args) > len(names):
        raise TypeError(f"{where} takes {len(names)} arguments by position if the first is a name; got {len(args)}.")
    named = dict(zip(names, args, strict=False))
    twice = sorted(named.keys() & kwargs.keys())
    if twice:
        raise TypeError(f"{where} was given {twice[0]!r} twice, by position and by keyword.")
    return named | kwargs


def _show_accuracy(model: Any) -> None:
    """Let a model compiled without metrics report its accuracy, as ``fit(show_accuracy=True)`` did in Keras 0."""
    objective = getattr(model, "objective", None)
    if objective is not None and not objective.given_metrics and not objective.given_weighted_metrics:
        model.objective = type(objective)(objective.loss, objective.loss_weights, ["accuracy"], None)
        model._programs.forget("compile changed")


__all__ = ["name_first", "translate_constructor", "translate_keywords"]
