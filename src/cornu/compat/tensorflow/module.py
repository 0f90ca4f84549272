"""``tf.Module``: an object that finds the variables and modules in its attributes."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

from cornu.compat.tensorflow.name_scopes import NameScope, prefix
from cornu.core.layer import Layer
from cornu.core.names import to_snake_case
from cornu.core.variable import Variable


class Module:
    """An object with variables in its attributes, also in lists, dictionaries and other modules.

    Args:
        name: Name of the module; by default that of its class.

    Follows https://www.tensorflow.org/api_docs/python/tf/Module

    >>> class Line(Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.slope, self.offset = Variable(2.0), Variable(1.0, trainable=False)
    >>> len(Line().variables), len(Line().trainable_variables), Line().name
    (2, 1, 'line')
    """

    #: Gives an attribute what a checkpoint has for it, if one was restored before.
    _deferred: Callable[[str, Any], None] | None = None

    def __init__(self, name: str | None = None) -> None:
        self._name = name
        self._scope = f"{prefix()}{self.name}/"

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if self._deferred is not None and not name.startswith("_"):
            self._deferred(name, value)

    @property
    def name(self) -> str:
        """The name."""
        return vars(self).get("_name") or to_snake_case(type(self).__name__)

    @property
    def name_scope(self) -> Any:
        """A context: variables made inside have names that begin with that of the module."""
        return NameScope(vars(self).get("_scope") or f"{self.name}/")

    @classmethod
    def with_name_scope(cls, method: Any) -> Any:
        """Return a method that runs in the `name_scope` of its module."""

        @functools.wraps(method)
        def scoped(self: Any, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return scoped

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All variables, by the names of the attributes in alphabetical order."""
        return tuple({id(one): one for one in _found(self) if isinstance(one, Variable)}.values())

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """The variables that are trainable."""
        return tuple(one for one in self.variables if one.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """The variables that are not trainable."""
        return tuple(one for one in self.variables if not one.trainable)

    @property
    def submodules(self) -> tuple[Any, ...]:
        """The modules and layers inside, at any depth."""
        inner = (one for one in _found(self) if isinstance(one, (Module, Layer)) and one is not self)
        return tuple({id(one): one for one in inner}.values())


def _found(one: Any, seen: set[int] | None = None) -> Iterator[Any]:
    """Yield variables, modules and layers inside something: first a module's own, then those of its modules."""
    seen = set() if seen is None else seen
    if id(one) in seen:
        return
    seen.add(id(one))
    if isinstance(one, Variable):
        yield one
    elif isinstance(one, Layer):
        yield one
        yield from one.variables
    elif isinstance(one, Module):
        yield one
        held = [value for name, value in sorted(vars(one).items()) if name not in ("_name", "_scope")]
        for value in sorted(held, key=lambda value: not isinstance(value, Variable)):
            yield from _found(value, seen)
    elif isinstance(one, dict):
        for key in sorted(one, key=str):
            yield from _found(one[key], seen)
    elif isinstance(one, (list, tuple)):
        for value in one:
            yield from _found(value, seen)
