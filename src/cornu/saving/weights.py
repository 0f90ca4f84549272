"""Weights in Keras 3's layout: one group per layer, ``layers/dense/vars/0`` and so on."""

from typing import Any

import h5py
import numpy as np

from cornu.core.variable import Variable
from cornu.optimizers import Optimizer
from cornu.optimizers.base import making_slots
from cornu.saving import hdf5
from cornu.saving.optimizer_state import unnamed_pairs
from cornu.saving.transfer import Transfer, unknown_layer
from cornu.saving.variable_paths import Place, is_own, places

#: Groups at the top of a file that are no layers; tf.keras 2.12 to 2.15 wrote the sums of metrics too.
NOT_LAYERS = ("optimizer", "metrics")


def write_weights(file: h5py.File, model: Any, optimizer: bool = True) -> None:
    """Write all variables of a model into an empty HDF5 file."""
    for place in places(model, optimizer):
        group = file.create_group(f"{place.path}/vars" if place.path else "vars")
        name = getattr(place.owner, "name", None)
        if isinstance(name, str):
            group.attrs["name"] = name
        for number, values in own_values(_complete(place, model)).items():
            hdf5.write(group, number, values)


def _complete(place: Place, model: Any) -> Place:
    """Return the place of an optimizer that has no slots yet, with their initial values."""
    optimizer = place.owner
    if not isinstance(optimizer, Optimizer):
        return place
    with making_slots:
        if optimizer.built or not model.built:
            return place._replace(variables=optimizer.variables)
    like = type(optimizer).from_config(optimizer.get_config())
    like.build(model.trainable_variables)
    return place._replace(variables=like.variables)


def own_values(place: Place) -> dict[str, np.ndarray]:
    """Return the arrays of a place: its variables by number, or those of a custom ``save_own_variables``."""
    if is_own(place.owner, "save_own_variables"):
        store: dict[str, Any] = {}
        place.owner.save_own_variables(store)
        return {name: _array(value) for name, value in store.items()}
    return {str(number): variable.numpy() for number, variable in enumerate(place.variables)}


def _array(value: Any) -> np.ndarray:
    return value.numpy() if isinstance(value, Variable) else np.asarray(value)


def read_weights(file: h5py.File, model: Any, transfer: Transfer, optimizer: bool = True) -> None:
    """Add the weights in a file of `write_weights`, or of Keras 3, to `transfer`.

    Raises ValueError if shapes or types differ, weights are missing, or the file has weights that the model lacks.
    """
    found = dict(_groups(file))
    expected = places(model)
    for place in expected:
        group = _group_of(found, place.path)
        if isinstance(place.owner, Optimizer):
            if optimizer and group is not None and place.path == "optimizer":
                transfer.add_optimizer(place.owner.name, *unnamed_pairs(place.owner, numbered(group)))
            continue
        _read_place(group, place, transfer)
    for path in found:
        if path.partition("/")[0] not in NOT_LAYERS and any(True for _ in found[path]):
            transfer.report(unknown_layer(path, [place.path for place in expected]))


def _read_place(group: h5py.Group | None, place: Place, transfer: Transfer) -> None:
    owner = f"layer {place.owner.name!r} ({place.path or 'the model itself'})"
    if is_own(place.owner, "load_own_variables"):
        names = [] if group is None else hdf5.listed(group)
        transfer.add_store(place.owner, {name: hdf5.dataset_at(group, name) for name in names})
        return
    arrays = [] if group is None else numbered(group)
    if len(arrays) != len(place.variables) and not place.owner.built:
        owner += " is not built yet (call the model on data first); it"
    transfer.add(owner, place.variables, arrays)


def numbered(group: h5py.Group) -> list[h5py.Dataset]:
    """Return the arrays ``0``, ``1``, ... of a group; ValueError if it has anything else."""
    names = sorted(hdf5.listed(group), key=lambda name: (len(name), name))
    if names != [str(number) for number in range(len(names))]:
        raise ValueError(f"{hdf5.where(group)} contains {names[:5]}; expected arrays named 0, 1, ...")
    return [hdf5.dataset_at(group, name) for name in names]


def _groups(file: h5py.File) -> list[tuple[str, h5py.Group]]:
    """Return the ``vars`` groups of a file by the paths of their owners, through hard links only, each group once."""
    found, seen = [], set()
    waiting: list[tuple[str, h5py.Group]] = [("", file)]
    while waiting:
        path, group = waiting.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:
            raise ValueError(f"The HDF5 group {group.name!r} is in the file under two names: refused.")
        seen.add(address)
        for name in hdf5.listed(group):
            child = hdf5.member(group, name)
            if name == "vars" and isinstance(child, h5py.Group):
                found.append((path, child))
            elif isinstance(child, h5py.Group):
                waiting.append((f"{path}/{name}" if path else name, child))
            else:
                raise ValueError(f"The array {hdf5.where(child)} is where a model file has none: refused.")
    return found


def _group_of(found: dict[str, h5py.Group], path: str) -> h5py.Group | None:
    """Remove and return the group at a path (Keras 2.13 named the layers differently)."""
    return found.pop(path, None) or found.pop(path.replace("layers", "_layer_checkpoint_dependencies"), None)
