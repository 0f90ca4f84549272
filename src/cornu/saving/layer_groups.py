"""Weights in the layout of Keras 1 and 2: one group per layer of the model, by its name."""

import collections
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import h5py
import numpy as np

from cornu.core import spellings
from cornu.core.variable import Variable
from cornu.saving import hdf5
from cornu.saving.gates import gates_of
from cornu.saving.source import CORNU, GATES, VERSION
from cornu.saving.transfer import Transfer, unknown_layer
from cornu.saving.variable_paths import is_own

KERAS_VERSION = "3.15.1"  # whose spelling of this layout is written
LARGEST_ATTRIBUTE = 64_000  # bytes; HDF5 takes 64 KiB with the name
TOP = "top_level_model_weights"


def write_layer_groups(group: h5py.Group, model: Any) -> None:
    """Write the weights of all layers into a group, with a subgroup for each layer."""
    layers = model.layers
    write_names(group, "layer_names", [layer.name for layer in layers])
    # Keras 2 flips convolution kernels in Theano's files: ours are in TensorFlow's form.
    group.attrs["backend"], group.attrs["keras_version"] = b"tensorflow", KERAS_VERSION.encode()
    group.attrs[CORNU] = VERSION.encode()
    write_gates(group, model)
    for layer in layers:
        write_variables(group.create_group(layer.name), [(_path(v), v) for v in old_order(layer)])
    write_variables(group.create_group(TOP), [(_path(v), v) for v in model.kept_variables()])


def write_gates(group: h5py.Group, model: Any) -> None:
    """Say in a file of weights what the gates of all LSTM and GRU use: a program that leaves it out follows that."""
    gates = gates_of(model)
    if gates is not None:
        group.attrs[GATES] = gates.encode()


def write_variables(group: h5py.Group, named: Sequence[tuple[str, Variable]]) -> None:
    """Write variables into a group, with unique names."""
    used: dict[str, int] = {}
    names = []
    for name, variable in named:
        used[name] = used.get(name, -1) + 1
        names.append(f"{name}_{used[name]}" if used[name] else name)
        hdf5.write(group, names[-1], variable.numpy())
    write_names(group, "weight_names", names)


def write_names(group: h5py.Group, attribute: str, names: list[str]) -> None:
    """Write a list of names as an attribute; a long one in several parts, as Keras does."""
    values = np.array([name.encode() for name in names]) if names else np.array([], dtype="S1")
    parts = -(-values.nbytes // LARGEST_ATTRIBUTE)
    if parts <= 1:
        group.attrs[attribute] = values
        return
    for number, part in enumerate(np.array_split(values, parts)):
        group.attrs[f"{attribute}{number}"] = part


def _path(variable: Variable) -> str:
    return "/".join(part for part in variable.path.split("/") if part not in ("", ".", ".."))


def old_order(layer: Any) -> list[Variable]:
    """Return a layer's weights in the order of these files: those that train, then the others."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def read_layer_groups(group: h5py.Group, model: Any, transfer: Transfer, by_name: bool = False) -> None:
    """Add the weights in a group to `transfer`: layer by layer in order, or with `by_name` by equal names."""
    saved = [(name, arrays) for name, arrays in _saved_layers(group) if arrays]
    saved = _without_states(saved, model, transfer)
    if by_name:
        _match_by_name(saved, model, transfer)
    else:
        _match_in_order(saved, model, transfer)
    top = hdf5.group_at(group, TOP)
    if top is not None and TOP not in [name for name, _ in saved]:
        transfer.add("the model itself", model.kept_variables(), arrays_of(top))


def _without_states(saved: list, model: Any, transfer: Transfer) -> list:
    """Return the layers of a file without those that have no weights today, and read what `adapt` found themselves."""
    own = {layer.name: layer for layer in model.layers if is_own(layer, "load_own_variables") and not old_order(layer)}
    layers = {layer.name: layer for layer in model.layers}
    rest = []
    for name, arrays in saved:
        known = _known_name(name, own)
        if known in own:
            transfer.add_store(own[known], {_last_name(array): array for array in arrays})
        elif left := _without_inner_states(arrays, layers.get(_known_name(name, layers)), transfer):
            rest.append((name, left))
    return rest


def _without_inner_states(arrays: list, layer: Any, transfer: Transfer) -> list:
    """Return the arrays of a layer without those that layers inside it read themselves: they have no weights today."""
    inner = [] if layer is None else [one for one in layer._flatten_layers() if getattr(one, "names_in_old_files", ())]
    states = [array for array in arrays if any(_last_name(array) in one.names_in_old_files for one in inner)]
    if not states or len(states) != len(inner):
        return arrays
    for one, array in zip(inner, states, strict=True):
        transfer.add_store(one, {_last_name(array): array})
    return [array for array in arrays if array not in states]


def _last_name(array: h5py.Dataset) -> str:
    return str(array.name).rpartition("/")[2].partition(":")[0]


def _saved_layers(group: h5py.Group) -> Iterator[tuple[str, list[h5py.Dataset]]]:
    names = hdf5.names(group, "layer_names")
    repeated = _repeated(names)
    if repeated is not None:
        raise ValueError(f"The file names the layer {repeated!r} twice: refused.")
    for name in names:
        layer_group = hdf5.group_at(group, name)
        if layer_group is None:
            raise ValueError(f"The file lists a layer {name!r}, but has no group for it.")
        yield name, arrays_of(layer_group)


def arrays_of(group: h5py.Group) -> list[h5py.Dataset]:
    """Return the arrays that a group lists in its attribute ``weight_names``."""
    names = hdf5.names(group, "weight_names")
    repeated = _repeated(names)
    if repeated is not None:
        raise ValueError(f"{hdf5.where(group)} names the weight {repeated!r} twice: refused.")
    return [hdf5.dataset_at(group, name) for name in names]


def _repeated(names: list[str]) -> str | None:
    """Return a name that is in a list twice, or None."""
    counts = collections.Counter(names) if len(set(names)) < len(names) else {}
    return min((name for name, count in counts.items() if count > 1), default=None)


def _match_in_order(saved: list, model: Any, transfer: Transfer) -> None:
    layers = [layer for layer in model.layers if old_order(layer)]
    saved = _in_order_of_today(saved, layers)
    if len(saved) != len(layers):
        ours, theirs = ", ".join(layer.name for layer in layers), ", ".join(name for name, _ in saved)
        transfer.report(
            f"the model has {len(layers)} layers with weights ({ours}); the file has {len(saved)} ({theirs})."
        )
    for (name, arrays), layer in zip(saved, layers, strict=False):
        called = repr(layer.name) if layer.name == name else f"{layer.name!r} ({name!r} in the file)"
        transfer.add(f"layer {called}", old_order(layer), arrays)


def _in_order_of_today(saved: list, layers: list) -> list:
    """Return a file's layers in the model's order if it has all of them by names that Keras has changed since."""
    today = {spellings.current_layer_name(name): (name, arrays) for name, arrays in saved}
    names = [layer.name for layer in layers]
    renamed = any(name != known for known, (name, _) in today.items())
    return [today[name] for name in names] if renamed and today.keys() == set(names) else saved


def _known_name(name: str, layers: dict) -> str:
    """Return the name that a model's layer has for a layer's name in a file."""
    names = (name, name.replace("/", "_"), spellings.current_layer_name(name))
    return next((known for known in names if known in layers), name)


def _match_by_name(saved: list, model: Any, transfer: Transfer) -> None:
    layers = {layer.name: layer for layer in model.layers}
    named = [(_known_name(name, layers), arrays) for name, arrays in saved]
    matched = [(layers[name], arrays) for name, arrays in named if name in layers]
    for layer, arrays in matched:
        transfer.add(f"layer {layer.name!r}", old_order(layer), arrays)
    if saved and not matched:
        warnings.warn(
            f"load_weights(by_name=True) changed nothing: {unknown_layer(saved[0][0], layers)}",
            UserWarning,
            stacklevel=2,
        )
