"""What a public module offers: its names for ``import *``, for ``dir()``, and so for the Tab key.

The names are set at run time, not written as ``__all__ = ...``: type checkers then go by the source itself, in which
names that a file defines, or imports with ``*`` or ``as``, are public.
"""

from collections.abc import Callable, Collection
from types import GenericAlias, ModuleType
from typing import Any

#: Modules whose functions and classes a public module uses and does not offer.
_TOOLS = ("typing", "collections.abc", __name__)


def offer(
    namespace: dict[str, Any],
    imported: Collection[str] = (),
    modules: Collection[str] = (),
    more: Callable[[], Collection[str]] = frozenset,
) -> None:
    """Set ``__dir__`` of a public module, and ``__all__`` if the module has none.

    Called at the end of the module. Without a list of its own, a module offers the functions and classes that have no
    underscore.

    Args:
        namespace: the module's ``globals()``.
        imported: names that it only uses: ``frozenset(globals())`` after its imports.
        modules: names of modules that it offers.
        more: a function that returns names which only ``dir()`` shows.

    >>> module = {"Any": Any, "relu": abs, "op": abs, "_helper": abs, "LIMIT": 3}
    >>> offer(module, imported={"op"})
    >>> module["__all__"], module["__dir__"]()
    (['relu'], ['relu'])
    """
    if "__all__" not in namespace:
        own = [name for name, value in namespace.items() if name not in imported and _is_offered(name, value)]
        namespace["__all__"] = sorted({*own, *modules})
    namespace["__dir__"] = lambda: sorted({*namespace["__all__"], *more()})


def _is_offered(name: str, value: Any) -> bool:
    is_tool = isinstance(value, (GenericAlias, ModuleType)) or getattr(value, "__module__", None) in _TOOLS
    return not name.startswith("_") and callable(value) and not is_tool
