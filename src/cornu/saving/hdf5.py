"""The only place that reads HDF5 files: hard links only, plain arrays only, shapes known before reading."""

import contextlib
import itertools
import math
from collections.abc import Iterator
from typing import Any

import h5py
import ml_dtypes
import numpy as np

from cornu.core.budget import Budget
from cornu.saving import hdf5_chunks, hdf5_heaps, hdf5_limits

MOST_NAMES, MOST_GROUPS, MOST_DEPTH = 1_000_000, 200_000, 64
MOST_TEXT = 1 << 26  # bytes of one attribute
KINDS = {
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
}

#: What h5py raises for a damaged file.
DAMAGE = (OSError, RuntimeError, LookupError, TypeError, AttributeError, OverflowError, MemoryError, UnicodeError)


@contextlib.contextmanager
def open_file(content: Any, what: str, outer: int | None = None) -> Iterator[h5py.File]:
    """Open an HDF5 file, given as a path or a file object, for reading; ValueError if it is damaged.

    `outer` is the size of the file that it is a member of: its arrays may expand to a multiple of that.
    """
    with hdf5_limits.opened(content) as handle:
        size = hdf5_limits.size_of(handle)
        with hdf5_limits.limited(hdf5_limits.Limits(what, size, size if outer is None else outer)):
            with damage(what):
                hdf5_heaps.check(handle, what)
                file = h5py.File(handle, "r")
            try:
                yield file
            finally:
                with contextlib.suppress(*DAMAGE):
                    file.close()


@contextlib.contextmanager
def damage(what: str) -> Iterator[None]:
    """Convert what h5py raises for a damaged file inside a ``with`` block to a ValueError."""
    try:
        yield
    except DAMAGE as error:
        raise ValueError(f"{what!r} cannot be read as HDF5: {str(error)[:300]!r}.") from None


def member(group: h5py.Group, path: str) -> Any:
    """Return the object at `path` below `group`, following hard links only; None if there is none.

    Raises ValueError for any other kind of link, or a path that is not plain.
    """
    found: Any = group
    for part in path.split("/"):
        hdf5_limits.step()
        if part in ("", ".", ".."):
            raise ValueError(f"{where(group)} names {path[:200]!r}, which is not a plain path.")
        if not isinstance(found, h5py.Group):
            return None
        with damage(where(found)):
            link = found.get(part, getlink=True)
        if link is None:
            return None
        if type(link) is not h5py.HardLink:
            raise ValueError(
                f"{where(found)} holds a {type(link).__name__} {part[:200]!r}; a model file must contain "
                "its data itself: refused."
            )
        with damage(where(found)):
            found = found[part]
    return found


def listed(group: h5py.Group) -> list[str]:
    """Return the names in a group; ValueError for one that is not in UTF-8."""
    with damage(where(group)):
        found = list(group)
    hdf5_limits.step(len(found))
    for name in found:
        if not (isinstance(name, str) and name.isprintable()):  # h5py gives bytes for what is not in UTF-8
            raise ValueError(f"{where(group)} contains the name {name[:80]!r}, which is not printable text: refused.")
    return found


def group_at(group: h5py.Group, path: str) -> h5py.Group | None:
    """Return the group at `path`, or None; ValueError if something else is there."""
    found = member(group, path)
    if found is not None and not isinstance(found, h5py.Group):
        raise ValueError(f"{where(group)} has an array at {path[:200]!r}; expected a group.")
    return found


def dataset_at(group: h5py.Group, path: str) -> h5py.Dataset:
    """Return the array at `path`, unread; ValueError if there is none, or a model file may not contain it."""
    found = member(group, path)
    if not isinstance(found, h5py.Dataset):
        raise ValueError(f"{where(group)} has no array {path[:200]!r}.")
    with damage(where(found)):
        check(found)
    return found


def check(dataset: h5py.Dataset) -> None:
    """Raise ValueError for an array that is not in the file itself, is not numeric, or is larger than its bytes."""
    plan = dataset.id.get_create_plist()
    layout = plan.get_layout()
    if layout == h5py.h5d.VIRTUAL or plan.get_external_count():  # first, as reading the shape may open another file
        raise ValueError(f"The array {where(dataset)} has its data in another file: refused.")
    kind = dataset.id.get_type()
    if kind.committed():
        raise ValueError(f"The array {where(dataset)} has a committed (shared) type: refused.")
    if dataset.dtype.newbyteorder("=").name not in KINDS and not is_bfloat16(dataset):
        raise ValueError(f"The array {where(dataset)} has dtype {dataset.dtype}, which is not a number: refused.")
    if dataset.shape is None:
        raise ValueError(f"The array {where(dataset)} is empty, without a shape: refused.")
    if layout == h5py.h5d.CHUNKED:
        hdf5_chunks.check(dataset, where(dataset))
        return
    needed, stored = math.prod(dataset.shape) * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if needed != stored or plan.get_nfilters():
        raise ValueError(
            f"The array {where(dataset)} of shape {dataset.shape} needs {needed:,} bytes; {stored:,} are "
            "stored: refused."
        )


def is_bfloat16(dataset: h5py.Dataset) -> bool:
    """Return whether an array is bfloat16, which HDF5 has no type for: it has two bytes each and an attribute."""
    return dataset.dtype.kind == "V" and dataset.dtype.itemsize == 2 and text(dataset, "dtype") == "bfloat16"


def read(dataset: h5py.Dataset) -> np.ndarray:
    """Return the values of a checked array."""
    bfloat16 = is_bfloat16(dataset)
    hdf5_limits.take(dataset.size * dataset.dtype.itemsize)
    with damage(where(dataset)):
        if dataset.chunks is not None:
            values = hdf5_chunks.read(dataset, where(dataset))
        else:
            values = np.empty(dataset.shape, dataset.dtype)
            if dataset.size:
                dataset.read_direct(values) if dataset.shape else values.__setitem__((), dataset[()])
    return values.view(ml_dtypes.bfloat16) if bfloat16 else values.astype(values.dtype.newbyteorder("="), copy=False)


def arrays_in(group: h5py.Group) -> Iterator[tuple[str, h5py.Dataset]]:
    """Yield all arrays below a group with their paths, checked and unread.

    Raises ValueError for links, for objects that the file has under two names, and if the arrays together are larger
    than the file.
    """
    seen: set[Any] = set()
    waiting, room = [("", group)], None
    while waiting:
        path, found = waiting.pop()
        with damage(where(found)):
            information = h5py.h5o.get_info(found.id)
            names = listed(found) if isinstance(found, h5py.Group) else []
            room = found.file.id.get_filesize() if room is None else room
        if information.addr in seen or len(seen) > MOST_GROUPS or path.count("/") > MOST_DEPTH:
            raise ValueError(f"{where(found)} is in the file under two names, or there are too many objects: refused.")
        seen.add(information.addr)
        if isinstance(found, h5py.Dataset):
            with damage(where(found)):
                check(found)
                room -= found.id.get_storage_size()
            if room < 0:
                raise ValueError(f"{where(found)} shares its data with other arrays: refused.")
            yield path, found
        elif isinstance(found, h5py.Group):
            waiting += [(f"{path}/{name}".strip("/"), member(found, name)) for name in reversed(names)]
        else:
            raise ValueError(f"{path[:200]!r} is neither a group nor an array: refused.")


def budget_of(group: h5py.Group, has_own: bool) -> Budget:
    """Return how many values a model may have whose weights are in a group; with custom classes if `has_own`."""
    arrays = [array for _, array in arrays_in(group)]
    hdf5_limits.check(sum(array.size * array.dtype.itemsize for array in arrays))
    return Budget.of_stored(sum(array.size for array in arrays), "file", has_own)


def write(group: h5py.Group, name: str, values: np.ndarray) -> None:
    """Add an array; bfloat16 in Keras's form."""
    if values.dtype == ml_dtypes.bfloat16:
        group.create_dataset(name, data=values.view("V2")).attrs["dtype"] = "bfloat16"
    else:
        group.create_dataset(name, data=values)


def _attribute(holder: Any, name: str) -> Any:
    """Return an attribute's handle after checking its size; ValueError if it is not text."""
    with damage(where(holder)):
        attribute = h5py.h5a.open(holder.id, name.encode())
        if attribute.shape is None:
            return None
        size = attribute.get_storage_size()
        is_text = h5py.check_string_dtype(attribute.dtype) is not None or attribute.dtype.kind == "S"
    if size > MOST_TEXT:
        raise ValueError(f"The attribute {name!r} of {where(holder)} has {size:,} bytes, too many: refused.")
    return attribute if is_text else None


def text(holder: Any, name: str) -> str | None:
    """Return an attribute that is one string, or None if there is none."""
    if not has(holder, name):
        return None
    attribute = _attribute(holder, name)
    if attribute is None or attribute.shape not in ((), (1,)):
        raise ValueError(f"The attribute {name!r} of {where(holder)} is not a string.")
    with damage(where(holder)):
        value = np.ravel(holder.attrs[name])[0]
    if not isinstance(value, (str, bytes)):
        raise ValueError(f"The attribute {name!r} of {where(holder)} is not a string.")
    return decoded(value, name, holder)


def has(holder: Any, name: str) -> bool:
    """Return whether a group or array has an attribute."""
    with damage(where(holder)):
        return name in holder.attrs


def decoded(value: Any, name: str, group: Any) -> str:
    """Return an attribute's string, decoded from bytes if needed."""
    try:
        return value.decode("utf-8") if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError:
        raise ValueError(f"The attribute {name!r} of {where(group)} is not in UTF-8.") from None


def names(group: h5py.Group, name: str) -> list[str]:
    """Return an attribute that is a list of names; long ones are spread over NAME0, NAME1, ..."""
    if has(group, name):
        return _names(group, name)
    parts = itertools.takewhile(lambda part: has(group, part), (f"{name}{n}" for n in itertools.count()))
    found: list[str] = []
    for part in parts:
        found += _names(group, part)
        if len(found) > MOST_NAMES:
            raise ValueError(f"The attributes {name!r} of {where(group)} are not a list of names.")
    return found


def _names(group: h5py.Group, name: str) -> list[str]:
    with damage(where(group)):
        shape = h5py.h5a.open(group.id, name.encode()).shape
    size = math.prod(shape or ())
    if shape is not None and size == 0:
        return []
    attribute = _attribute(group, name)
    if attribute is None or shape is None or len(shape) != 1 or size > MOST_NAMES:
        raise ValueError(f"The attribute {name!r} of {where(group)} is not a list of names.")
    if attribute.dtype.kind == "O" and not hdf5_limits.texts_fit(size):
        raise ValueError(f"The attribute {name!r} of {where(group)} may have too much text: refused.")
    hdf5_limits.step(size)
    with damage(where(group)):
        return [decoded(value, name, group) for value in group.attrs[name]]


def where(thing: Any) -> str:
    """Return the path of a group or array inside its file, for messages."""
    try:
        name = str(thing.name)[:200]
    except DAMAGE:
        name = "?"
    return f"the HDF5 group {name!r}" if isinstance(thing, h5py.Group) else repr(name)
