"""One table per concept (layers, losses, ...): names to classes and functions. Each concept fills its own.

A table knows its home, the module whose import fills it, and imports it when a name is first missing. So a config can
be read in a fresh process, and a program loads only the concepts that it uses. These strings, and the one by which
`core.spellings` is filled, are the only way in which a module reaches one above it: `tests/test_structure.py` counts
every import, also those inside functions.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from cornu.core import spellings
from cornu.core.errors import unknown
from cornu.core.names import to_snake_case

Thing = TypeVar("Thing", bound=Callable[..., Any])

tables: "dict[str, Table]" = {}

#: The package of classes and functions that are registered without one.
DEFAULT_PACKAGE = "Custom"


class Table:
    """The names of one concept, for example every loss.

    Args:
        concept: what one of the things is, for error messages: ``"loss"``.
        module: where Keras's configs say that they live: ``"keras.losses"``.
        home: the module of Cornu whose import fills the table: ``"cornu.losses"``.
    """

    def __init__(self, concept: str, module: str, home: str) -> None:
        self.concept, self.module, self.home = concept, module, home
        self.things: dict[str, Any] = {}
        self._is_full = False
        tables[module] = self

    def fill(self) -> None:
        """Import the table's home, once."""
        if not self._is_full:
            importlib.import_module(self.home)
            self._is_full = True

    def get(self, name: Any) -> Any:
        """Return what today's `name` stands for, or None."""
        if name not in self.things:
            self.fill()
        return self.things.get(name)

    def add(self, *aliases: str) -> Callable[[Thing], Thing]:
        """Decorate a class or function: it is found by its name, its name in snake case, and `aliases`."""

        def decorate(thing: Thing) -> Thing:
            for name in (thing.__name__, to_snake_case(thing.__name__), *aliases):
                self.things[name] = thing
            return thing

        return decorate

    def add_all(self, things: Iterable[Any]) -> None:
        """Add several classes or functions under their own names."""
        for thing in things:
            self.add()(thing)

    def __contains__(self, name: object) -> bool:
        return self.get(name) is not None or spellings.current_name(self.module, name) in self.things

    def __iter__(self) -> Iterator[str]:
        self.fill()
        return iter(self.things)

    def find(self, name: str) -> Any:
        """Return the thing named `name` (a custom one first); ValueError with the nearest name if there is none."""
        custom = custom_object(name)
        if custom is not None:
            return custom
        known = self.get(name)
        if known is None:
            known = self.get(spellings.current_name(self.module, name))
        if known is None:
            known = custom_object(f"{DEFAULT_PACKAGE}>{name}")
        if known is None:
            raise unknown(self.concept, name, self.things)
        return known


ACTIVATIONS = Table("activation", "keras.activations", "cornu.activations")
INITIALIZERS = Table("initializer", "keras.initializers", "cornu.initializers")
REGULARIZERS = Table("regularizer", "keras.regularizers", "cornu.regularizers")
CONSTRAINTS = Table("constraint", "keras.constraints", "cornu.constraints")
LOSSES = Table("loss", "keras.losses", "cornu.losses")
METRICS = Table("metric", "keras.metrics", "cornu.metrics")
SCHEDULES = Table("learning rate schedule", "keras.optimizers.schedules", "cornu.optimizers.schedules")
OPTIMIZERS = Table("optimizer", "keras.optimizers", "cornu.optimizers")
LAYERS = Table("layer", "keras.layers", "cornu.layers")
MODELS = Table("model", "keras.models", "cornu.models")
CORE = Table("object", "keras", "cornu.core.dtype_policies")


_originals: dict[Any, Any] = {}


def stand_in(thing: Any, original: Any) -> None:
    """Let `thing`, an old spelling of a function, be taken for `original` in layers and configs."""
    _originals[thing] = original


def original(thing: Any) -> Any:
    """Return what `thing` stands for, or `thing` itself."""
    try:
        return _originals.get(thing, thing)
    except TypeError:  # a config
        return thing


def table_of(thing: Any) -> Table | None:
    """Return the table that a class or function belongs to, or None for custom ones."""
    thing = original(thing)
    name = getattr(thing, "__name__", "")
    return next((table for table in tables.values() if table.things.get(name) is thing), None)


_custom: dict[str, Any] = {}
_custom_scopes: list[dict[str, Any]] = []
_registered_names: dict[Any, str] = {}


def custom_object(name: str) -> Any:
    """Return what a user registered under `name` (innermost scope first), or None.

    A name with a package, such as ``Custom>Scale``, is also looked up without it.
    """
    spellings = (name, name.rpartition(">")[2]) if isinstance(name, str) and ">" in name else (name,)
    for spelling in spellings:
        for custom in (*reversed(_custom_scopes), _custom):
            if spelling in custom:
                return custom[spelling]
    return None


def registered_name(thing: Any) -> str | None:
    """Return the name (``package>name``) under which a user registered a class or function, or None."""
    try:
        return _registered_names.get(thing)
    except TypeError:
        return None


def get_custom_objects() -> dict[str, Any]:
    """Return the global dictionary of custom objects, which may be changed."""
    return _custom


class CustomObjectScope:
    """Make names known inside a ``with`` block.

    Follows https://keras.io/api/models/model_saving_apis/serialization_utils/

    >>> with CustomObjectScope({"mine": len}):
    ...     custom_object("mine")
    <built-in function len>
    """

    def __init__(self, *custom_objects: dict[str, Any]) -> None:
        self.custom_objects = {name: thing for some in custom_objects for name, thing in (some or {}).items()}

    def __enter__(self) -> "CustomObjectScope":
        _custom_scopes.append(self.custom_objects)
        return self

    def __exit__(self, *_: object) -> None:
        _custom_scopes.remove(self.custom_objects)


custom_object_scope = CustomObjectScope


def register_keras_serializable(package: str = DEFAULT_PACKAGE, name: str | None = None) -> Callable[[Thing], Thing]:
    """Decorate a class or function, so that configs find it by the name ``package>name``.

    >>> @register_keras_serializable("mine")
    ... class Thing: pass
    >>> get_registered_name(Thing)
    'mine>Thing'"""

    def decorate(thing: Thing) -> Thing:
        full_name = f"{package}>{name or thing.__name__}"
        _custom[full_name] = thing
        _registered_names[thing] = full_name
        return thing

    return decorate


def get_registered_name(obj: Any) -> str:
    """Return the name under which a class or function was registered, or its own name."""
    return registered_name(obj) or obj.__name__


def get_registered_object(name: str, custom_objects: dict | None = None, module_objects: dict | None = None) -> Any:
    """Return what is registered under `name`, also looking in the dictionaries passed; None if there is nothing."""
    for things in (custom_objects or {}, module_objects or {}):
        if name in things:
            return things[name]
    return custom_object(name)
