"""The optimizer's state in ``.h5`` files: variables in the order of Keras 3 or Keras 2."""

from typing import Any

import h5py

from cornu.core.variable import Variable
from cornu.optimizers import Optimizer
from cornu.saving import hdf5
from cornu.saving.layer_groups import arrays_of, write_variables
from cornu.saving.transfer import Transfer

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


def write_optimizer(file: h5py.File, optimizer: Optimizer) -> None:
    """Write an optimizer's variables, in Keras 3's order."""
    group = file.create_group("optimizer_weights")
    write_variables(group, [(variable.path, variable) for variable in optimizer.variables])


def read_optimizer(group: h5py.Group, optimizer: Optimizer, transfer: Transfer) -> None:
    """Add the optimizer's state in a file to `transfer`."""
    names, arrays = hdf5.names(group, "weight_names"), arrays_of(group)
    if names and names[0].split(":")[0].endswith("/iteration"):  # Keras 2.11 and later; before: "iterations", "iter"
        variables = optimizer.variables
        first = [variable for variable in variables[:2] if not variable.shape]
        if len(arrays) == len(first) < len(variables):  # written before the first step
            variables = first
    else:
        variables, arrays = keras2_pairs(optimizer, arrays)
    transfer.add_optimizer(optimizer.name, variables, arrays)


def keras2_pairs(optimizer: Any, arrays: list[h5py.Dataset]) -> tuple[list[Variable], list[h5py.Dataset]]:
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
    for position, name in enumerate(SLOTS[type(optimizer).__name__]):
        known = optimizer._slots.get(name)
        if known:
            variables += [known[id(weight)] for weight in weights]
            kept = kept + slots[position * len(weights) : (position + 1) * len(weights)]
    return variables, kept
