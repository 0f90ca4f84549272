"""Finding what a layer holds: its variables and sublayers are those that its attributes hold, in order."""

from collections.abc import Iterator
from typing import Any

from cornu.core.variable import Variable

# Attributes that refer to things which are not parts of the layer.
NOT_PARTS = frozenset(
    (
        *("_arguments", "_inbound_nodes", "_all_losses", "_initial_weights"),
        *("_compile_config", "compiled_flags", "history", "optimizer"),
    )
)


def parts(owner: Any, kinds: type | tuple[type, ...]) -> list[Any]:
    """Return the objects of some kinds that the attributes of `owner` hold, directly or in collections."""
    found: dict[int, Any] = {}
    for name, value in vars(owner).items():
        if name not in NOT_PARTS:
            for thing in _inside(value, kinds, set()):
                found.setdefault(id(thing), thing)
    return list(found.values())


def _inside(value: Any, kinds: type | tuple[type, ...], seen: set[int]) -> Iterator[Any]:
    if isinstance(value, kinds):
        yield value
    elif isinstance(value, (list, tuple, dict, set, frozenset)) and id(value) not in seen:
        seen.add(id(value))
        for item in value.values() if isinstance(value, dict) else value:
            if not isinstance(item, (int, float, str)):
                yield from _inside(item, kinds, seen)


def unique(variables: Any) -> list[Variable]:
    """Return the variables without repetition, in order."""
    return list({id(variable): variable for variable in variables}.values())
