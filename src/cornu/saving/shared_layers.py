"""Which entries of a file's config are one layer: one that is in a model and in a model inside it.

In a ``.keras`` file they have one ``shared_object_id``. Neither Keras 2 nor Keras 3 writes that into ``.h5`` files:
such a layer is there twice, with one name, one config and the same weights.
"""

from typing import Any

import h5py
import numpy as np

from cornu.saving import hdf5

Places = list[tuple[dict[str, Any], str]]
MOST_PLACES = 1000  # of one layer


def with_shared_layers(entry: dict[str, Any], groups: h5py.Group) -> dict[str, Any]:
    """Return a model's config in which the layers that are one have a ``shared_object_id``."""
    found = _by_name(entry)
    if any("shared_object_id" in one for places in found.values() for one, _ in places):
        return entry  # the file says it itself
    numbers: dict[int, int] = {}
    with hdf5.damage(hdf5.where(groups)):
        for number, (name, places) in enumerate(found.items(), 1):
            same = [one for one, group in places[:MOST_PLACES] if _is_same(places[0], (one, group), name, groups)]
            numbers |= {id(one): number for one in same} if len(same) > 1 else {}
    return _marked(entry, numbers) if numbers else entry


def with_all_numbers(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a model's config of Keras 3 in which the first of the entries of a layer has its number, too.

    Keras 3 leaves it out there where the first one is in a model inside.
    """
    numbers: dict[int, int] = {}
    for places in _by_name(entry).values():
        numbered = [one for one, _ in places if isinstance(one.get("shared_object_id"), int)]
        if numbered and len(numbered) < len(places):
            described = _without_numbers(numbered[0])
            same = [one for one, _ in places[:MOST_PLACES] if _without_numbers(one) == described]
            numbers |= {id(one): numbered[0]["shared_object_id"] for one in same}
    return _marked(entry, numbers) if numbers else entry


def _without_numbers(value: Any) -> Any:
    """Return class and config of an entry as they are without numbers and calls."""
    if isinstance(value, list):
        return [_without_numbers(item) for item in value]
    if not isinstance(value, dict):
        return value
    left_out = ("shared_object_id", "inbound_nodes", "build_config")
    return {key: _without_numbers(item) for key, item in value.items() if key not in left_out}


def _by_name(entry: Any) -> dict[str, Places]:
    found: dict[str, Places] = {}
    _collect(entry, "", found)
    return found


def _collect(entry: Any, group: str, found: dict[str, Places]) -> None:
    """Gather the entries of layers by name, each with the group of its weights in an ``.h5`` file."""
    config = entry.get("config") if isinstance(entry, dict) else None
    layers = config.get("layers") if isinstance(config, dict) else config
    for inner in layers if isinstance(layers, list) else ():
        if isinstance(inner, dict) and isinstance(inner.get("config"), (dict, list)):
            name = inner["config"].get("name") if isinstance(inner["config"], dict) else None
            if isinstance(name, str):
                found.setdefault(name, []).append((inner, group or name))
            _collect(inner, group or (name if isinstance(name, str) else ""), found)


def _is_same(first: tuple, other: tuple, name: str, groups: h5py.Group) -> bool:
    """Return whether two entries have one class and config, and equal weights in the file that are not constant.

    Weights that are constant, as those of a new BatchNormalization, are equal in any two layers.
    """
    (one, group), (two, other_group) = first, other
    if one is two:
        return True
    if group == other_group or one.get("class_name") != two.get("class_name") or one["config"] != two["config"]:
        return False
    ours, theirs = _arrays(groups, group, name), _arrays(groups, other_group, name)
    if [array.shape for array in ours] != [array.shape for array in theirs]:
        return False
    values = [(hdf5.read(a), hdf5.read(b)) for a, b in zip(ours, theirs, strict=True)]
    return any(a.size > 1 and np.ptp(a) > 0 for a, _ in values) and all(np.array_equal(a, b) for a, b in values)


def _arrays(groups: h5py.Group, group: str, name: str) -> list[h5py.Dataset]:
    """Return the arrays of a layer in the group of the model's layer that it is, or is in."""
    found = hdf5.group_at(groups, group)
    names = [] if found is None else hdf5.names(found, "weight_names")
    return [hdf5.dataset_at(found, one) for one in names if name in one.split(":")[0].split("/")[:-1]]


def _marked(entry: Any, numbers: dict[int, int]) -> Any:
    if isinstance(entry, list):
        return [_marked(item, numbers) for item in entry]
    if not isinstance(entry, dict):
        return entry
    found = {key: _marked(value, numbers) for key, value in entry.items()}
    return found | {"shared_object_id": numbers[id(entry)]} if id(entry) in numbers else found
