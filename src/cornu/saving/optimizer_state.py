"""The optimizer's state in files: variables in the order of Keras 3, or of one of the optimizers of Keras 2."""

import re
from collections.abc import Sequence
from typing import Any

import h5py

from cornu.core.variable import Variable
from cornu.optimizers import Optimizer
from cornu.optimizers.base import making_slots
from cornu.saving import hdf5
from cornu.saving.layer_groups import arrays_of, write_variables
from cornu.saving.transfer import Transfer, mismatch

#: Keras 2's optimizers -> their slots in its order: one slot for all weights, then the next.
SLOTS = {
    "SGD": ("momentum",),
    "RMSprop": ("velocity", "momentum", "average_gradient"),
    "Adagrad": ("accumulator",),
    "Adadelta": ("accumulated_grad", "accumulated_delta_var"),
    "Adam": ("momentum", "velocity", "velocity_hat"),
    "Adamax": ("momentum", "norm"),
    "Nadam": ("momentum", "velocity"),
}

_MOMENTS = {"m": "momentum", "v": "velocity", "vhat": "velocity_hat"}

#: Optimizer -> what tf.keras 2.0 to 2.15 called its slots -> what they are called here.
SLOT_NAMES: dict[str, dict[str, str]] = {
    "SGD": {"m": "momentum", "momentum": "momentum"},
    "RMSprop": {
        "rms": "velocity",
        "velocity": "velocity",
        "momentum": "momentum",
        "mg": "average_gradient",
        "average_gradient": "average_gradient",
    },
    "Adagrad": {"accumulator": "accumulator"},
    "Adadelta": {
        "accum_grad": "accumulated_grad",
        "accum_var": "accumulated_delta_var",
        "accumulated_grad": "accumulated_grad",
        "accumulated_delta_var": "accumulated_delta_var",
    },
    "Adam": _MOMENTS,
    "AdamW": _MOMENTS,
    "Adamax": {"m": "momentum", "v": "norm", "u": "norm"},
    "Nadam": _MOMENTS,
    "Ftrl": {"accumulator": "accumulator", "linear": "linear"},
    "Lion": {"m": "momentum"},
    "Adafactor": {"r": "rows", "c": "columns", "v": "velocity"},
}

#: A variable that is kept once, by what it is called in files -> its attribute.
SINGLE = {"momentum_cache": "_product", "momentum_product": "_product", "learning_rate": "_learning_rate"}


def write_optimizer(file: h5py.File, optimizer: Optimizer) -> None:
    """Write an optimizer's variables, in Keras 3's order."""
    with making_slots:
        variables = optimizer.variables
    write_variables(file.create_group("optimizer_weights"), [(variable.path, variable) for variable in variables])


def read_optimizer(group: h5py.Group, optimizer: Optimizer, transfer: Transfer) -> None:
    """Add the optimizer's state in a file to `transfer`."""
    names, arrays = hdf5.names(group, "weight_names"), arrays_of(group)
    plain = [name.split(":")[0] for name in names]
    first = plain[0] if plain else ""
    if first.endswith("/iteration"):  # Keras 3; in tf.keras 2.11 and later "iteration", before "Adam/iter"
        variables, arrays = keras3_pairs(optimizer, arrays)
    elif any(_slot_of(optimizer, name) for name in plain):
        variables, arrays = named_pairs(optimizer, plain, arrays)
    elif first == "iteration":
        variables, arrays = numbered_pairs(optimizer, arrays)
    else:
        variables, arrays = keras2_pairs(optimizer, arrays)
    transfer.add_optimizer(optimizer.name, variables, arrays)


Pairs = tuple[list[Variable], list[h5py.Dataset]]


def unnamed_pairs(optimizer: Optimizer, arrays: list[h5py.Dataset]) -> Pairs:
    """Return an optimizer's variables with the arrays of a ``.keras`` file, of Keras 3 or of tf.keras 2.12 to 2.15."""
    variables, found = keras3_pairs(optimizer, arrays)
    return (variables, found) if mismatch(variables, found) is None else numbered_pairs(optimizer, arrays)


def keras3_pairs(optimizer: Optimizer, arrays: list[h5py.Dataset]) -> Pairs:
    """Return an optimizer's variables with those of Keras 3; before the first step they are count and rate only."""
    variables = optimizer.variables
    first = [variable for variable in variables[:2] if not variable.shape]
    if len(arrays) == len(first) < len(variables):
        variables = first
    return variables, arrays


def named_pairs(optimizer: Any, names: Sequence[str], arrays: Sequence[h5py.Dataset]) -> Pairs:
    """Return an optimizer's variables with arrays that belong to them by the names that tf.keras 2 gave them.

    The arrays of a slot are in the order of the weights. A slot that this optimizer does not keep is left out: tf.keras
    2.11 and later write a momentum for SGD without momentum.
    """
    weights = optimizer._trainable_variables
    variables: list[Variable] = []
    taken: list[h5py.Dataset] = []
    slots: dict[str, list[h5py.Dataset]] = {}
    for name, array in zip(names, arrays, strict=True):
        slot = _slot_of(optimizer, name)
        if slot is not None:
            slots.setdefault(slot, []).append(array)
            continue
        variable = _single(optimizer, name)
        if variable is not None:
            variables.append(variable)
            taken.append(array)
    for slot, known in optimizer._slots.items():
        variables += [known[id(weight)] for weight in weights if id(weight) in known]
        taken += slots.get(slot, [])
    return variables, taken


def _slot_of(optimizer: Any, name: str) -> str | None:
    """Return the slot of a variable such as ``Adam/dense/kernel/m`` (until 2.10) or ``Adam/m/dense/kernel``."""
    known = SLOT_NAMES.get(type(optimizer).__name__, {}) | {"average": "average"}
    parts = name.split("/")
    last = re.sub(r"_\d+$", "", parts[-1])
    if len(parts) > 2 and last in known:
        return known[last]
    return known.get(parts[1]) if len(parts) > 2 else None


def _single(optimizer: Any, name: str) -> Variable | None:
    last = re.sub(r"_\d+$", "", name.rpartition("/")[2])
    if last in ("iteration", "iter", "iterations"):
        return optimizer._iterations
    found = vars(optimizer).get(SINGLE.get(last, ""))
    return found if isinstance(found, Variable) else None


def numbered_pairs(optimizer: Any, arrays: list[h5py.Dataset]) -> Pairs:
    """Return an optimizer's variables with arrays in the order of tf.keras 2.11 to 2.15, in files without names.

    It is Keras 3's order without the learning rate (which some files have) and without the product that Nadam keeps.
    SGD has a slot for the momentum of each weight, also where there is none.
    """
    apart = [optimizer._iterations, optimizer._learning_rate, vars(optimizer).get("_product")]
    slots: list[Variable | None] = [one for one in optimizer.variables if not any(one is other for other in apart)]
    if type(optimizer).__name__ == "SGD" and "momentum" not in optimizer._slots:
        slots += [None] * len(optimizer._trainable_variables)
    first: list[Variable | None] = [optimizer._iterations]
    if len(arrays) in (2, 2 + len(slots)) and len(arrays) != 1 + len(slots):
        first.append(optimizer._learning_rate if isinstance(optimizer._learning_rate, Variable) else None)
    ordered = first if len(arrays) == len(first) else first + slots
    if len(arrays) != len(ordered):
        return optimizer.variables, arrays
    kept = [(variable, array) for variable, array in zip(ordered, arrays, strict=True) if variable is not None]
    return [variable for variable, _ in kept], [array for _, array in kept]


def keras2_pairs(optimizer: Any, arrays: list[h5py.Dataset]) -> Pairs:
    """Return an optimizer's variables in Keras 2's order with the arrays that belong to them.

    The step count comes first if it was written; slots that this optimizer does not have (a momentum of zero, the
    placeholders of Adam without amsgrad) are left out of the arrays.
    """
    if type(optimizer).__name__ not in SLOTS:
        return optimizer.variables, arrays
    weights = optimizer._trainable_variables
    counted = bool(arrays) and arrays[0].shape == () and arrays[0].dtype.kind in "iu"
    variables = [optimizer._iterations] if counted else []
    kept, slots = arrays[: len(variables)], arrays[len(variables) :]
    if not slots:  # written before the first step
        return variables, kept
    for position, name in enumerate(SLOTS[type(optimizer).__name__]):
        known = optimizer._slots.get(name)
        if known:
            variables += [known[id(weight)] for weight in weights]
            kept = kept + slots[position * len(weights) : (position + 1) * len(weights)]
    return variables, kept
