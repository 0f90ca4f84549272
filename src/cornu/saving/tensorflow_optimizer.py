"""The optimizer's state in TensorFlow's checkpoints: in slots of the variables, or since tf.keras 2.11 in lists."""

from typing import Any

from cornu.core.variable import Variable
from cornu.optimizers import Optimizer
from cornu.saving.object_graph import COUNTS, Node
from cornu.saving.object_matching import Matching
from cornu.saving.optimizer_state import SLOT_NAMES
from cornu.saving.tensorflow_checkpoint import Checkpoint
from cornu.saving.transfer import Transfer

#: List of the optimizers of tf.keras 2.11 to 2.15, with one slot for each weight -> today's name of the slot.
LISTS = {
    "momentums": "momentum",
    "_momentums": "momentum",
    "_velocities": "velocity",
    "_velocity_hats": "velocity_hat",
    "_average_gradients": "average_gradient",
    "_accumulators": "accumulator",
    "_accumulated_grads": "accumulated_grad",
    "_accumulated_delta_vars": "accumulated_delta_var",
    "_linears": "linear",
    "_m": "momentum",
    "_u": "norm",
    "_r": "rows",
    "_c": "columns",
    "_v": "velocity",
    "_model_variables_moving_average": "average",
}
ALWAYS = "momentums"  # SGD has it with a momentum of zero, too
RATES = ("learning_rate", "_learning_rate")
PRODUCT = "_u_product"  # of Nadam since 2.11
SCALE = "loss_scale"  # of an optimizer that is wrapped for mixed precision


def is_optimizer(node: Node) -> bool:
    """Return whether an object of a checkpoint is an optimizer."""
    return bool(node.slots) or any(name in node.children for name in COUNTS)


def read_optimizer(
    number: int, matching: Matching, checkpoint: Checkpoint, optimizer: Optimizer, transfer: Transfer
) -> None:
    """Add the state of the optimizer that is the object `number`; one that does not fit is left out with a warning."""
    node = matching.nodes[number]
    outer, optimizer = optimizer, getattr(optimizer, "inner_optimizer", optimizer)
    found, own, theirs = _found_slots(node, matching, optimizer), _own_slots(optimizer), _slots_in(node, matching)
    if theirs and (len(found) < len(own) or not own):
        problem = (
            f"keeps {len(own)} variables for its weights; of the {theirs} in the file {len(found)} are among them."
        )
        transfer.leave_optimizer(optimizer.name, problem)
        return
    numbers = [(variable, node.children[name]) for variable, name in _numbers(node, optimizer)]
    if outer is not optimizer and SCALE in node.children:
        numbers += _scale(outer, matching.nodes[node.children[SCALE]])
    pairs = [(variable, checkpoint.tensor(place)) for variable, place in [*numbers, *found]]
    tensors = [tensor for _, tensor in pairs if tensor is not None]
    transfer.add_optimizer(optimizer.name, [variable for variable, _ in pairs], tensors)


def _own_slots(optimizer: Optimizer) -> list[Variable]:
    return [slot for slots in optimizer._slots.values() for slot in slots.values()]


def _slots_in(node: Node, matching: Matching) -> int:
    """Return how many slots an optimizer has in a checkpoint: none if it was saved before its first step."""
    lists = [number for name, number in node.children.items() if name in LISTS and name != ALWAYS]
    return len(node.slots) + sum(len(matching.nodes[number].children) for number in lists)


def _found_slots(node: Node, matching: Matching, optimizer: Optimizer) -> list[tuple[Variable, int]]:
    """Return the slots of an optimizer that a checkpoint has too, each with the number of its object."""
    found: dict[int, tuple[Variable, int]] = {}

    def add(name: str | None, weight: Variable | None, number: int) -> None:
        slot = optimizer._slots.get(name or "", {}).get(id(weight))
        if slot is not None:
            found[id(slot)] = (slot, number)

    names = next((SLOT_NAMES[base.__name__] for base in type(optimizer).__mro__ if base.__name__ in SLOT_NAMES), {})
    for slot in node.slots:
        add(names.get(slot.name), matching.found.get(slot.variable), slot.slot)
    for listed, name in LISTS.items():
        if listed in node.children:
            slots = matching.nodes[node.children[listed]].children
            numbers = [slots[place] for place in map(str, range(len(slots))) if place in slots]
            for weight, number in zip(_weights_of(numbers, matching, optimizer), numbers, strict=False):
                add(name, weight, number)
    return list(found.values())


def _weights_of(slots: list[int], matching: Matching, optimizer: Optimizer) -> list[Variable | None]:
    """Return the weights that slots in a list belong to: by names such as ``Adam/m/dense/kernel``, else by order.

    The order of trainable weights is not always the same: tf.keras sorts layers in dictionaries by their keys.
    """
    known: dict[str, Variable | None] = {}
    for number, variable in matching.found.items():
        name = matching.nodes[number].name
        known[name] = None if name in known else variable
    names = [matching.nodes[slot].name.split("/") for slot in slots]
    found = [known.get("/".join(parts[2:])) for parts in names]
    distinct = {id(weight) for weight in found if weight is not None}
    return found if len(distinct) == len(slots) else list(optimizer._trainable_variables)


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


def _scale(outer: Any, node: Node) -> list[tuple[Variable, int]]:
    """Return the scale of the loss, and the steps since it changed, each with the number of its object."""
    ours = {"current_loss_scale": "dynamic_scale", "good_steps": "step_counter"}
    known = [(vars(outer).get(name), node.children.get(theirs)) for theirs, name in ours.items()]
    return [(variable, number) for variable, number in known if isinstance(variable, Variable) and number is not None]
