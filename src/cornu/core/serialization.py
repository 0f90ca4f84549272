"""The config is the constructor call: recorded by a metaclass, written and read as Keras's JSON dictionaries."""

import abc
import copy
import functools
import inspect
import types
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from cornu.core import config_validation, era, registry, spellings
from cornu.core.errors import did_you_mean, foreign
from cornu.core.ownership import is_library
from cornu.core.scope import scope
from cornu.core.signature import kept_by_class

#: Packages under which Keras registered its own classes.
KERAS_PACKAGES = ("keras", "keras_core", "tf_keras")
Instance = TypeVar("Instance")
LAMBDA = "<lambda>"  # the name of every function without one
SLICE = ("start", "stop", "step")
PLAIN = (type(None), bool, int, float, str, tuple, list)
#: Arguments that may be set to another function, or to None, at any time.
FUNCTIONS = ("activation", "recurrent_activation")
#: Arguments of today that had other values before: `epsilon=None`, `reduction="auto"`, `distribution="normal"`.
OTHER_VALUES = frozenset(("epsilon", "reduction", "distribution"))


class Recorded(abc.ABCMeta):
    """Metaclass that keeps the arguments of the constructor call in ``_arguments``, defaults applied.

    `_keywords` of a class are those that its constructor takes as ``**kwargs``. Classes may also derive from `abc.ABC`.
    """

    __instancecheck__ = type.__instancecheck__  # ABCMeta's looks for registered classes, which takes longer
    __subclasscheck__ = type.__subclasscheck__

    _keywords: tuple[str, ...] = ()

    def __call__(cls: type[Instance], *args: Any, **kwargs: Any) -> Instance:
        if len(args) > 1 or not _unambiguous_keywords(cls).issuperset(kwargs):
            args, kwargs = spellings.translate_constructor(cls, args, kwargs)
        if era.current() != era.TODAY:
            args, kwargs = _of_era(cls, args, kwargs)
        try:
            instance: Any = super().__call__(*args, **kwargs)  # type: ignore[misc]
        except TypeError as error:
            named = _constructor_error(cls, kwargs, error)
            if named is error:
                raise
            raise named from error
        if isinstance(instance, cls) and type(instance) is cls:
            instance._arguments = _bind(cls, args, kwargs)  # type: ignore[attr-defined]
        return instance

    @property
    def __signature__(cls) -> inspect.Signature:
        """The constructor's arguments, as ``help`` and editors show them."""
        signature = _signature(cls)
        return signature.replace(parameters=list(signature.parameters.values())[1:])


@kept_by_class
def _signature(cls: type) -> inspect.Signature:
    return inspect.signature(cls.__init__)  # type: ignore[misc]


@kept_by_class
def _unambiguous_keywords(cls: Recorded) -> frozenset[str]:
    """Return the keywords that mean the same in every Keras, or are Cornu's alone: nobody is asked about them."""
    names = set(cls._keywords)
    for base in cls.__mro__:
        if "__init__" in vars(base):
            parameters = inspect.signature(base.__init__).parameters.values()  # type: ignore[misc]
            names.update(parameter.name for parameter in parameters)
            if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
                break
    return frozenset(names) - OTHER_VALUES


def _of_era(cls: type, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """Return the arguments of a constructor call with the era's defaults for what was left out, and its meanings."""
    owner = next((base for base in cls.__mro__ if "__init__" in vars(base)), cls)
    if not is_library(owner):
        return args, kwargs
    positional = list(_signature(cls).parameters)[1 : 1 + len(args)]
    defaults = era.DEFAULTS[era.current()].get(owner.__name__, {})
    kwargs = {name: value for name, value in defaults.items() if name not in positional} | kwargs
    return tuple(map(meant, args)), {name: value if name == "name" else meant(value) for name, value in kwargs.items()}


def meant(name: Any) -> Any:
    """Return the name of what the program's era means by a name, unless the program registered that name."""
    return name if not isinstance(name, str) or registry.custom_object(name) else era.meant(name)


def _bind(cls: type, args: tuple, kwargs: dict) -> dict[str, Any]:
    """Return argument names and values of a constructor call, without ``*args`` and with ``**kwargs`` merged in."""
    bound = _signature(cls).bind(None, *args, **kwargs)
    bound.apply_defaults()
    arguments: dict[str, Any] = {}
    for name, parameter in list(_signature(cls).parameters.items())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            arguments.update(bound.arguments[name])
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            arguments[name] = bound.arguments[name]
    return arguments


def _constructor_error(cls: type, kwargs: dict, error: TypeError) -> TypeError:
    """Name the unknown keyword and the nearest known one; return other TypeErrors unchanged."""
    known = [name for name in _signature(cls).parameters if name not in ("self", "args", "kwargs")]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in _signature(cls).parameters.values())
    strange = [] if takes_any else [name for name in kwargs if name not in known]
    if not strange:
        return error
    hint = did_you_mean(strange[0], known)
    return TypeError(f"{cls.__name__} has no argument {strange[0]!r}.{hint}\nIt takes: {', '.join(known)}.")


def default_config(instance: Any) -> dict[str, Any]:
    """Return the constructor's arguments, updated with the attributes of the same names that are plain values."""
    return {name: _current(instance, name, value) for name, value in instance._arguments.items()}


def _current(instance: Any, name: str, value: Any) -> Any:
    if name not in vars(instance):
        return value
    now = vars(instance)[name]
    if name in FUNCTIONS:
        return now
    plain_value = isinstance(value, PLAIN) or getattr(value, "shape", None) == ()  # a number of numpy's
    same_kind = isinstance(now, PLAIN) and plain_value and not (value is not None and now is None)
    ours = registry.table_of(type(now)) is not None and hasattr(now, "get_config")
    return now if same_kind or (ours and not hasattr(now, "call")) else value


def serialize(thing: Any) -> Any:
    """Return `thing` as plain data in Keras 3's form: numbers, strings, lists, and dictionaries for objects.

    A custom function becomes its name, never its code. Raises TypeError for objects without such a form.
    """
    if thing is None or isinstance(thing, (bool, int, float, str)):
        return thing
    if isinstance(thing, np.generic):
        return thing.item()
    if isinstance(thing, (list, tuple)):
        return (
            type(thing)([serialize(item) for item in thing])
            if type(thing) in (list, tuple)
            else list(map(serialize, thing))
        )
    if isinstance(thing, dict):
        return thing if isinstance(thing, Described) else {key: serialize(value) for key, value in thing.items()}
    if isinstance(thing, slice):
        return {"class_name": "__slice__", "config": {key: serialize(getattr(thing, key)) for key in SLICE}}
    if thing is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if hasattr(thing, "get_config") and not isinstance(thing, type):
        return serialize_object(thing)
    if isinstance(thing, (type, types.FunctionType, types.BuiltinFunctionType, functools.partial)) or callable(thing):
        return _serialize_function(thing)
    if hasattr(thing, "__array__") and not hasattr(thing, "assign"):  # no variable
        array = np.asarray(thing)
        return {"class_name": "__numpy__", "config": {"value": array.tolist(), "dtype": str(array.dtype)}}
    if hasattr(thing, "name") and hasattr(thing, "itemsize"):
        return str(thing)
    raise TypeError(f"A config cannot hold {thing!r} ({type(thing).__name__}). Give the class a get_config() method.")


class Described(dict):
    """A config of an object or function that also knows it: in this process, nothing in it needs to be registered."""

    def __init__(self, config: dict[str, Any], thing: Any) -> None:
        super().__init__(config)
        self.thing = thing

    def __deepcopy__(self, memo: dict) -> "Described":
        return Described(copy.deepcopy(dict(self), memo), self.thing)

    def __reduce__(self) -> tuple:
        return dict, (dict(self),)


def described(thing: Any) -> Any:
    """Return a value of a config as plain data, fit for JSON, from which this process makes an equal value.

    What has no such form stays as it is.
    """
    if isinstance(thing, (list, tuple)) and type(thing) in (list, tuple):
        return type(thing)(map(described, thing))
    if isinstance(thing, dict):
        return thing if isinstance(thing, Described) else {key: described(value) for key, value in thing.items()}
    try:
        plain = serialize(thing)
    except (TypeError, NotImplementedError):
        return thing
    return Described(plain, thing) if isinstance(plain, dict) and not hasattr(thing, "__array__") else plain


def serialize_object(thing: Any, with_compile_config: bool = True) -> dict[str, Any]:
    """Return the dictionary of an object that has ``get_config``: module, class name, config, registered name."""
    cls = type(thing)
    table = registry.table_of(cls)
    result = {
        "module": getattr(cls, "keras_module", None) or (table.module if table else _module_of(cls)),
        "class_name": vars(cls).get("keras_name", cls.__name__),  # a class is exported under another name
        "config": serialize(thing.get_config()),
        "registered_name": None if table or hasattr(cls, "keras_module") else _name_of_custom(cls, cls.__name__),
    }
    if id(thing) in scope.shared_ids:
        result["shared_object_id"] = scope.shared_ids[id(thing)]
    if hasattr(thing, "get_build_config") and getattr(thing, "built", False):
        build_config = thing.get_build_config()
        if build_config:
            result["build_config"] = serialize(build_config)
    if with_compile_config and hasattr(thing, "get_compile_config") and getattr(thing, "compiled", False):
        compile_config = thing.get_compile_config()
        if compile_config:
            result["compile_config"] = serialize(compile_config)
    return result


def _module_of(cls: type) -> str:
    return "keras" if is_library(cls) else cls.__module__


def _serialize_function(function: Any) -> Any:
    name = getattr(function, "__name__", type(function).__name__)
    if registry.table_of(function):
        return name
    if is_library(function) and getattr(function, "config_name", None):  # an old name of a function in a table
        return function.config_name
    return {
        "module": getattr(function, "__module__", None),
        "class_name": "function",
        "config": name,
        "registered_name": _name_of_custom(function, name),
    }


def _name_of_custom(thing: Any, name: str) -> str:
    """Return the name of a custom class or function in configs; in a pickle's config no two share a name."""
    name = registry.registered_name(thing) or name
    if scope.custom is not None:
        while scope.custom.setdefault(name, thing) is not thing:
            name += "'"
    return name


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None, table: registry.Table | None = None) -> Any:
    """Return the object that a config describes.

    Classes come from the library's tables and `custom_objects`, never from importing a name in the config.

    Args:
        config: The result of `serialize`, or a config of Keras 3.
        custom_objects: Custom classes and functions by name.
        table: Where to look up a config that is only a name.

    Raises:
        ValueError: The config is malformed, or names an unknown class.
    """
    with registry.CustomObjectScope(custom_objects or {}), config_validation.reading(config):
        return _deserialize(config, table)


def _deserialize(config: Any, table: registry.Table | None = None) -> Any:
    if isinstance(config, (list, tuple)):
        return type(config)(_deserialize(item) for item in config)
    if isinstance(config, str) and table is not None:
        return table.find(config)
    if not isinstance(config, dict):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: _deserialize(value) for key, value in config.items()}
    return _deserialize_object(config, table)


def _deserialize_object(config: dict[str, Any], table: registry.Table | None) -> Any:
    thing = getattr(config, "thing", None)  # of a config that `described` made
    if registry.LAYERS in (table, registry.tables.get(config.get("module") or "")):
        config = spellings.translate_layer(config)
    class_name, inner = config["class_name"], config["config"]
    if class_name == "__tuple__":
        return tuple(_deserialize(item) for item in inner["value"])
    if class_name in ("__numpy__", "__tensor__"):
        return _array(inner)
    if class_name == "__slice__":
        return slice(*(_deserialize(inner.get(key)) for key in SLICE))
    if class_name == "__ellipsis__":
        return Ellipsis
    if class_name == "__lambda__":
        raise ValueError(
            "This config holds the byte code of a Python lambda. Cornu never runs code from a file:\n"
            "define the function in your program, name it in the layer, and pass it in custom_objects."
        )
    if class_name == "function":
        return thing or find_thing(inner, config.get("registered_name"), None, table)
    shared, number = scope.shared, config.get("shared_object_id")
    if shared is not None and isinstance(number, int) and number in shared:
        return shared[number]
    known = None if thing is None else type(thing)
    cls = known or find_thing(class_name, config.get("registered_name"), config.get("module"), table)
    if not isinstance(cls, type) or not hasattr(cls, "from_config"):
        raise ValueError(f"The config names a class {class_name!r}, but {cls!r} is not a class with from_config.")
    if registry.table_of(cls) is registry.OPTIMIZERS:
        inner = spellings.translate_optimizer(cls, inner)
    config_validation.check_arguments(cls, inner)
    instance = cls.from_config(dict(inner))
    keep_left_out(instance, thing)
    if config.get("build_config") and hasattr(instance, "build_from_config") and not instance.built:
        instance.build_from_config(config["build_config"])
    if config.get("compile_config") and hasattr(instance, "compile_from_config"):
        instance.compile_from_config(config["compile_config"])
    if shared is not None and isinstance(number, int) and hasattr(instance, "_inbound_nodes"):
        shared[number] = instance
    return instance


def keep_left_out(copy: Any, original: Any) -> Any:
    """Return a copy that leaves to a weights file the arguments which its original leaves to it (`_left_out`)."""
    left_out = getattr(original, "_left_out", None)
    if left_out is not None:
        copy._left_out = left_out
    return copy


def _array(config: dict[str, Any]) -> np.ndarray:
    """Return an array that a config holds as a list of numbers with their dtype."""
    dtype = np.dtype(str(config["dtype"]))
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise ValueError(f"The config holds an array of dtype {str(config['dtype'])[:80]!r}, which is not a number.")
    return np.asarray(config["value"], dtype=dtype)


def find_thing(name: str, registered: str | None, module: str | None, table: registry.Table | None) -> Any:
    """Return the class or function that a config names: custom ones first, then by module, then by name."""
    for candidate in filter(None, (registered, name)):
        custom = registry.custom_object(candidate)
        if custom is not None:
            return custom
    if name == LAMBDA:
        raise ValueError(
            "The config names a lambda, a function without a name, and a file holds no functions.\n"
            f"Pass it in custom_objects={{{LAMBDA!r}: ...}}, or build the model and call load_weights()."
        )
    package, _, bare = (registered if registered and ">" in registered else name).rpartition(">")
    # TensorFlow 2.11 to 2.15 registered Keras's own optimizers like custom classes: "Custom>Adam".
    ours = package.lower() in KERAS_PACKAGES or (package == registry.DEFAULT_PACKAGE and bare in registry.OPTIMIZERS)
    if package and not ours:
        if (beside := spellings.registered_class(f"{package}>{bare}")) is not None:
            return beside
        state = "not registered" if registered and ">" in registered else "neither Cornu's nor registered"
        raise ValueError(
            f"The config names {f'{package}>{bare}'!r}, which is {state}:\n"
            f"pass custom_objects={{{bare!r}: ...}}, or decorate it with register_keras_serializable({package!r})."
        )
    for candidate_table in filter(None, (table, registry.tables.get(module or ""), *registry.tables.values())):
        if bare in candidate_table:
            return candidate_table.find(bare)
    custom = registry.custom_object(f"{registry.DEFAULT_PACKAGE}>{name}")
    if custom is not None:
        return custom
    known = [known for some in registry.tables.values() for known in some]
    if reason := spellings.absent_class(bare):
        raise ValueError(f"The config names {name!r}: {reason}\nOr pass custom_objects={{{name!r}: ...}}.")
    raise ValueError(
        f"The config names {name!r}, which is neither Cornu's nor registered.{did_you_mean(name, known)}\n"
        f"If it is custom, pass custom_objects={{{name!r}: ...}} or decorate it with register_keras_serializable()."
    )


def construct(cls: Callable[..., Any], config: dict[str, Any]) -> Any:
    """Call a constructor with a config's values, nested configs converted to objects (the usual ``from_config``)."""
    return cls(**{key: _deserialize(value) for key, value in config.items()})


def _name_of(thing: Any) -> str:
    return str(getattr(thing, "__name__", type(thing).__name__))


def get(identifier: Any, table: registry.Table) -> Any:
    """Return the object or function that `identifier` stands for in `table`.

    Args:
        identifier: None (returned), a name, a config, a class (called without arguments), or an object or function
            (returned).
        table: Where names are looked up.

    Raises:
        ValueError: The name is unknown.
        TypeError: `identifier` is none of these.
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        identifier = deserialize(identifier, table=table)
    elif isinstance(identifier, str):
        identifier = table.find(identifier)
    if isinstance(identifier, type):
        identifier = identifier()
    if said := foreign(identifier):
        raise TypeError(f"Expected Cornu's own {table.concept}; got {_name_of(identifier)}.{said}")
    if callable(identifier) or hasattr(identifier, "get_config"):
        return identifier
    article = "An" if table.concept[0] in "aeiou" else "A"
    raise TypeError(
        f"{article} {table.concept} must be a name, a config, an object or a function; got {identifier!r} "
        f"({type(identifier).__name__})."
    )
