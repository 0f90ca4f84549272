"""The one gate through which HDF5 files are read: hard links only, plain arrays only, shapes known before reading."""

import itertools
from typing import Any

import h5py
import ml_dtypes
import numpy as np

#: Filters that may stand before an array's bytes: those that every HDF5 library has.
FILTERS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_LZF)
MOST_NAMES = 1_000_000


def member(group: h5py.Group, path: str) -> Any:
    """Return what lies at `path` below `group`, following hard links only; None where nothing is.

    Raises ValueError for a link that leads elsewhere, or a path that is not plain.
    """
    found: Any = group
    for part in path.split("/"):
        if part in ("", ".", ".."):
            raise ValueError(f"{where(group)} names {path!r}, which is no plain path.")
        if not isinstance(found, h5py.Group):
            return None
        link = found.get(part, getlink=True)
        if link is None:
            return None
        if type(link) is not h5py.HardLink:
            raise ValueError(
                f"{where(found)} holds a {type(link).__name__} {part!r}; a model file holds its data itself: refused."
            )
        found = found[part]
    return found


def group_at(group: h5py.Group, path: str) -> h5py.Group | None:
    """Return the group at `path`, or None; ValueError where something else is."""
    found = member(group, path)
    if found is not None and not isinstance(found, h5py.Group):
        raise ValueError(f"{where(group)} has an array at {path!r}, where a group was expected.")
    return found


def dataset_at(group: h5py.Group, path: str) -> h5py.Dataset:
    """Return the array at `path`, unread; ValueError where there is none, or none that a model file may hold."""
    found = member(group, path)
    if not isinstance(found, h5py.Dataset):
        raise ValueError(f"{where(group)} has no array {path!r}.")
    if found.external or found.is_virtual:
        raise ValueError(f"The array {where(found)} keeps its data in another file: refused.")
    if found.dtype.kind not in "biuf" and not is_bfloat16(found):
        raise ValueError(f"The array {where(found)} has dtype {found.dtype}, which is no number: refused.")
    creation = found.id.get_create_plist()
    for index in range(creation.get_nfilters()):
        if creation.get_filter(index)[0] not in FILTERS:
            raise ValueError(f"The array {where(found)} is packed by an unknown filter: refused.")
    return found


def is_bfloat16(dataset: h5py.Dataset) -> bool:
    """Tell whether an array holds bfloat16, which HDF5 has no type for: two bytes each and a note."""
    return dataset.dtype.kind == "V" and dataset.dtype.itemsize == 2 and dataset.attrs.get("dtype") == "bfloat16"


def read(dataset: h5py.Dataset) -> np.ndarray:
    """Return the values of an array that was checked."""
    bfloat16 = is_bfloat16(dataset)
    values = np.empty(dataset.shape, dataset.dtype)
    if dataset.size:
        dataset.read_direct(values) if dataset.shape else values.__setitem__((), dataset[()])
    return values.view(ml_dtypes.bfloat16) if bfloat16 else values


def write(group: h5py.Group, name: str, values: np.ndarray) -> None:
    """Add an array; one of bfloat16 in the form that Keras gives it."""
    if values.dtype == ml_dtypes.bfloat16:
        group.create_dataset(name, data=values.view("V2")).attrs["dtype"] = "bfloat16"
    else:
        group.create_dataset(name, data=values)


def text(group: h5py.Group, name: str) -> str | None:
    """Return an attribute that is one text, or None where there is none."""
    if name not in group.attrs:
        return None
    attribute = h5py.h5a.open(group.id, name.encode())
    if attribute.shape not in ((), (1,)) or attribute.dtype.kind not in "SO":
        raise ValueError(f"The attribute {name!r} of {where(group)} is no text.")
    value = np.ravel(group.attrs[name])[0]
    if not isinstance(value, (str, bytes)):
        raise ValueError(f"The attribute {name!r} of {where(group)} is no text.")
    return decoded(value, name, group)


def decoded(value: Any, name: str, group: h5py.Group) -> str:
    """Return a text of an attribute, from bytes where needed."""
    try:
        return value.decode("utf-8") if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError:
        raise ValueError(f"The attribute {name!r} of {where(group)} is not in UTF-8.") from None


def names(group: h5py.Group, name: str) -> list[str]:
    """Return an attribute that is a list of names; long ones are spread over NAME0, NAME1, ..."""
    if name in group.attrs:
        return _names(group, name)
    parts = itertools.takewhile(lambda part: part in group.attrs, (f"{name}{n}" for n in itertools.count()))
    return [one for part in parts for one in _names(group, part)]


def _names(group: h5py.Group, name: str) -> list[str]:
    attribute = h5py.h5a.open(group.id, name.encode())
    size = int(np.prod(attribute.shape))
    if size == 0:
        return []
    if len(attribute.shape) != 1 or size > MOST_NAMES or attribute.dtype.kind not in "SO":
        raise ValueError(f"The attribute {name!r} of {where(group)} is no list of names.")
    return [decoded(value, name, group) for value in group.attrs[name]]


def where(thing: Any) -> str:
    """Return the path of a group or array inside its file, for messages."""
    return f"the HDF5 group {thing.name!r}" if isinstance(thing, h5py.Group) else repr(thing.name)
