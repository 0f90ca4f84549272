"""Optimizers in copies and pickles: what is kept by the identity of weights goes by their positions meanwhile."""

from typing import Any


def state_of(optimizer: Any) -> dict[str, Any]:
    """Return an optimizer's attributes for a copy that belongs to no model yet."""
    positions = optimizer._positions
    slots = {name: {positions[key]: slot for key, slot in some.items()} for name, some in optimizer._slots.items()}
    ids, pattern = optimizer._excluded
    excluded = [positions[key] for key in ids if key in positions], pattern
    state = {name: value for name, value in vars(optimizer).items() if name not in ("_owner", "_positions")}
    return state | {"_slots": slots, "_excluded": excluded}


def set_state(optimizer: Any, state: dict[str, Any]) -> None:
    """Set the attributes that `state_of` returned."""
    vars(optimizer).update(state)
    for some in state["_slots"].values():
        for at, slot in some.items():
            slot.like = optimizer._trainable_variables[at]
    keys = [id(variable) for variable in optimizer._trainable_variables]
    optimizer._positions = {key: position for position, key in enumerate(keys)}
    optimizer._slots = {name: {keys[at]: slot for at, slot in some.items()} for name, some in state["_slots"].items()}
    excluded, pattern = state["_excluded"]
    optimizer._excluded = frozenset(keys[at] for at in excluded), pattern
