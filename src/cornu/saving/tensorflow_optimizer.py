"""The optimizer's state in TensorFlow's checkpoints: in slots of the variables, or since tf.keras 2.11 in lists."""

from typing import Any

from cornu.core.variable import Variable
from cornu.optimizers import Optimizer
from cornu.saving.object_graph import Node
from cornu.saving.object_matching import Matching
from cornu.saving.tensor_bundle import StoredTensor
from cornu.saving.transfer import Transfer

#: Slot of the optimizers of tf.keras 2.0 to 2.10 (and ``legacy`` later) -> today's; of several, the one that is kept.
SLOTS = {
    "m": ("momentum",),
    "v": ("velocity", "norm"),
    "vhat": ("velocity_hat",),
    "rms": ("velocity",),
    "momentum": ("momentum",),
    "mg": ("average_gradient",),
    "accumulator": ("accumulator",),
    "accum_grad": ("accumulated_grad",),
    "accum_var": ("accumulated_delta_var",),
    "linear": ("linear",),
}

#: List of the optimizers of tf.keras 2.11 to 2.15, with one slot for each weight -> today's slot.
LISTS = {
    "momentums": ("momentum",),
    "_momentums": ("momentum",),
    "_velocities": ("velocity",),
    "_velocity_hats": ("velocity_hat",),
    "_average_gradients": ("average_gradient",),
    "_accumulators": ("accumulator",),
    "_accumulated_grads": ("accumulated_grad",),
    "_accumulated_delta_vars": ("accumulated_delta_var",),
    "_linears": ("linear",),
    "_m": ("momentum",),
    "_u": ("norm",),
    "_r": ("rows",),
    "_c": ("columns",),
    "_v": ("velocity",),
    "_model_variables_moving_average": ("average",),
}
COUNTS, RATES = ("iter", "_iterations"), ("learning_rate", "_learning_rate")
PRODUCT = "_u_product"  # of Nadam since 2.11


def is_optimizer(node: Node) -> bool:
    """Tell whether an object of a checkpoint is an optimizer."""
    return bool(node.slots) or any(name in node.children for name in COUNTS)


def read_optimizer(
    number: int, matching: Matching, tensors: dict[str, StoredTensor], optimizer: Optimizer, transfer: Transfer
) -> None:
    """Add the state of the optimizer that is the object `number`; one that does not fit is left out with a warning."""
    node = matching.nodes[number]
    found = _found_slots(node, matching, optimizer)
    if found and len(found) < len(_own_slots(optimizer)):
        transfer.leave_optimizer(optimizer.name, f"has {len(_own_slots(optimizer))} slots; the file has {len(found)}.")
        return
    numbers = [(variable, node.children[name]) for variable, name in _numbers(node, optimizer)]
    pairs = [(variable, matching.nodes[slot].key) for variable, slot in [*numbers, *found]]
    known = [(variable, tensors[key]) for variable, key in pairs if key in tensors]
    transfer.add_optimizer(optimizer.name, [variable for variable, _ in known], [tensor for _, tensor in known])


def _own_slots(optimizer: Optimizer) -> list[Variable]:
    return [slot for slots in optimizer._slots.values() for slot in slots.values()]


def _found_slots(node: Node, matching: Matching, optimizer: Optimizer) -> list[tuple[Variable, int]]:
    """Return the slots of an optimizer that a checkpoint has too, each with the number of its object."""
    found: dict[int, tuple[Variable, int]] = {}

    def add(kept: dict[int, Variable] | None, weight: Variable | None, number: int) -> None:
        slot = kept.get(id(weight)) if kept and weight is not None else None
        if slot is not None:
            found[id(slot)] = (slot, number)

    for slot in node.slots:
        add(_kept(optimizer, SLOTS.get(slot.name, ())), matching.found.get(slot.variable), slot.slot)
    for name, ours in LISTS.items():
        if name in node.children:
            slots = matching.nodes[node.children[name]].children
            for place, weight in enumerate(optimizer._trainable_variables):
                if str(place) in slots:
                    add(_kept(optimizer, ours), weight, slots[str(place)])
    return list(found.values())


def _kept(optimizer: Optimizer, names: tuple[str, ...]) -> dict[int, Variable] | None:
    return next((optimizer._slots[name] for name in names if optimizer._slots.get(name)), None)


def _numbers(node: Node, optimizer: Any) -> list[tuple[Variable, str]]:
    """Return the step count, the learning rate and Nadam's product, as far as both sides have them."""
    rate = optimizer._learning_rate
    ours = [(optimizer._iterations, COUNTS), (rate, RATES), (vars(optimizer).get("_product"), (PRODUCT,))]
    return [
        (variable, name)
        for variable, names in ours
        if isinstance(variable, Variable)
        for name in names
        if name in node.children
    ]
