"""What the functions of custom callbacks refer to outside the callback: lists they append to, counters."""

from collections.abc import Iterator
from types import CellType, CodeType, FunctionType
from typing import Any

import numpy as np

from cornu.checkpoints.plain_data import Packer, Unpacker, Watched
from cornu.core.ownership import custom_classes, is_library_module

MOST = 1 << 25  # bytes: larger arrays are data, which does not change
KINDS = (bool, int, float, str, list, dict, set, tuple, np.ndarray, np.generic, type(None))


class _Names:
    """Has the names of a module (or a function's closure) as its attributes."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.__dict__ = names


class ReferencedNames:
    """The global and closure names that a callback's functions use, saved if their values change."""

    def __init__(self, callback: Any) -> None:
        functions = list(functions_of(callback))
        self.cells = {f"{f.__qualname__} {name}": cell for f in functions for name, cell in _cells(f)}
        self.watched = {}
        for function in functions:
            names = function.__globals__
            used = {name for name in _names(function.__code__) if isinstance(names.get(name), KINDS)}
            module = names.get("__name__", "")
            if used and not is_library_module(module):
                key = f"{module} {function.__qualname__}"
                self.watched[key] = Watched(_Names(names), set(names) - used, MOST)
        self.enclosed = Watched(_Names(self._contents()), most=MOST)

    def _contents(self) -> dict[str, Any]:
        return {name: cell.cell_contents for name, cell in self.cells.items() if _is_kept(cell)}

    def changes(self, packer: Packer) -> dict[str, Any]:
        """Return the values that differ from those at the beginning, as plain data."""
        self.enclosed.owner = _Names(self._contents())
        found = {name: watched.changes(packer) for name, watched in self.watched.items()}
        return {"global": found, "enclosed": self.enclosed.changes(packer)}

    def restore(self, packed: dict[str, Any], unpacker: Unpacker) -> None:
        """Restore saved values; lists and dictionaries stay the same objects."""
        for name, values in packed["global"].items():
            if name in self.watched:
                owner, skip = self.watched[name].owner, self.watched[name].skip
                used = {name: value for name, value in values.items() if name in vars(owner) and name not in skip}
                unpacker.set_attributes(owner, used)
        contents = self._contents()
        unpacker.set_attributes(_Names(contents), packed["enclosed"])
        for name in packed["enclosed"]:
            if name in self.cells and name in contents:
                self.cells[name].cell_contents = contents[name]


def functions_of(callback: Any) -> Iterator[FunctionType]:
    """Yield the functions that a callback holds, and the custom methods of its class."""
    for owner in (callback, *custom_classes(type(callback))):
        for value in list(vars(owner).values()) if hasattr(owner, "__dict__") else []:
            if isinstance(value, FunctionType):
                yield value


def _names(code: CodeType) -> set[str]:
    inner = (one for one in code.co_consts if isinstance(one, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _cells(function: FunctionType) -> Iterator[tuple[str, CellType]]:
    return zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)


def _is_kept(cell: CellType) -> bool:
    try:
        return isinstance(cell.cell_contents, KINDS)
    except ValueError:  # empty
        return False
