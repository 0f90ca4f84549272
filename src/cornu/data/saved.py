"""Data sets in folders: what `Dataset.save` writes and `Dataset.load` reads.

A folder has ``dataset.json`` and one subfolder for the last save. That has for each shard and each array of the
elements the bytes of all values, one after the other, and their sizes, if they differ. Nothing in it can be executed.
"""

import contextlib
import gzip
import itertools
import json
import math
import secrets
import shutil
import zlib
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import ml_dtypes
import numpy as np

from cornu.core.atomic_files import write_text
from cornu.core.errors import one_line
from cornu.core.object_arrays import object_array
from cornu.core.text import first_in

TABLE, FORMAT = "dataset.json", 1
_TEXT, _BYTES = "text", "bytes"
_NARROW = {name: np.dtype(getattr(ml_dtypes, name)) for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2")}


class Column(NamedTuple):
    """How one array of the elements is written; `shape` is None if it differs, and for texts."""

    dtype: str
    rank: int
    shape: tuple[int, ...] | None


class Shard(NamedTuple):
    """Elements that were written to the same files.

    If they are batches, `rows` is the size of all but the last, and `total` the number of their rows.
    """

    size: int
    rows: int | None
    total: int
    columns: list[Column]


# ---- structures


def _described(element: Any, leaves: list[np.ndarray]) -> Any:
    """Return the structure of an element as JSON has it; appends its arrays to `leaves`."""
    if element is None:
        return {"kind": "none"}
    if isinstance(element, dict):
        if any(not isinstance(key, str) for key in element):
            raise TypeError(f"Dataset.save: the keys of elements must be strings; got {list(element)!r}.")
        return {"kind": "dict", "parts": {key: _described(one, leaves) for key, one in element.items()}}
    if isinstance(element, tuple):
        return {"kind": "tuple", "parts": [_described(one, leaves) for one in element]}
    found = np.asarray(element, object if isinstance(first_in(element), (str, bytes)) else None)
    is_tree = not isinstance(element, list) and not jax.tree_util.all_leaves([element])
    if is_tree or (found.dtype.kind not in "biufcOUS" and found.dtype.name not in _NARROW):
        raise TypeError(
            f"Dataset.save: elements must be arrays or texts, or tuples and dictionaries of them; got "
            f"{type(element).__name__}. Map it to an array first, for example by to_tensor()."
        )
    leaves.append(found)
    return {"kind": "array"}


def _rebuilt(form: Any, leaves: Iterator[Any]) -> Any:
    """Return a structure with arrays. ValueError if it is not what `_described` returns."""
    kind = form.get("kind") if isinstance(form, dict) else None
    if kind == "dict" and isinstance(form.get("parts"), dict):
        return {key: _rebuilt(one, leaves) for key, one in form["parts"].items()}
    if kind == "tuple" and isinstance(form.get("parts"), list):
        return tuple(_rebuilt(one, leaves) for one in form["parts"])
    if kind == "array":
        return next(leaves)
    if kind == "none":
        return None
    raise ValueError(f"It has an unknown part, {one_line(repr(form), 60)}.")


def _arrays_in(form: Any) -> int:
    """Return the number of arrays of a structure. ValueError if it is not what `_described` returns."""
    leaves = itertools.count()
    _rebuilt(form, leaves)
    return next(leaves)


# ---- writing


def _opened(path: Path, mode: str, compression: str) -> Any:
    return gzip.open(path, mode) if compression else path.open(mode)


class _ColumnWriter:
    """Appends the values of one array."""

    def __init__(self, place: str, path: Path, file: Any, first: np.ndarray) -> None:
        self.place, self.path, self.rank = place, path, first.ndim
        self.dtype = _kind_of(first)
        self.shape: tuple[int, ...] | None = first.shape
        self.sizes = array("q")
        self.file = file

    def append(self, value: np.ndarray) -> None:
        """Write one value. TypeError or ValueError if it is of another kind or rank than the first."""
        kind = _kind_of(value)
        if kind != self.dtype:
            raise TypeError(f"Dataset.save: {self.place} is {self.dtype} in the first element; later, {kind}.")
        if value.ndim != self.rank:
            raise ValueError(
                f"Dataset.save: {self.place} has {self.rank} axes in the first element; later, {value.ndim}."
            )
        self.sizes.extend(value.shape)
        if value.shape != self.shape:
            self.shape = None
        if kind not in (_TEXT, _BYTES):
            self.file.write(np.ascontiguousarray(value, value.dtype.newbyteorder("<")).tobytes())
            return
        for one in value.ravel().tolist():
            content = one.encode() if isinstance(one, str) else bytes(one)
            self.sizes.append(len(content))
            self.file.write(content)

    def close(self) -> Column:
        """Finish the files; returns what they have."""
        self.file.close()
        fixed = self.shape is not None and self.dtype not in (_TEXT, _BYTES)
        if not fixed:
            self.path.with_suffix(".sizes").write_bytes(np.asarray(self.sizes, "<i8").tobytes())
        return Column(self.dtype, self.rank, self.shape if fixed else None)


def _kind_of(value: np.ndarray) -> str:
    if value.dtype.kind not in "OUS":
        return value.dtype.name
    kinds = {
        _BYTES if isinstance(one, bytes) else _TEXT for one in value.ravel().tolist() if isinstance(one, (str, bytes))
    }
    if len(kinds) > 1 or (value.size and not kinds):
        raise TypeError("Dataset.save: arrays of objects must have texts alone, or bytes alone.")
    return kinds.pop() if kinds else _TEXT


class _ShardWriter:
    """Appends elements to the files of one shard, which `files` closes at the latest."""

    def __init__(self, folder: Path, compression: str, files: contextlib.ExitStack) -> None:
        folder.mkdir()
        self.folder, self.compression, self.files, self.count = folder, compression, files, 0
        self.columns: list[_ColumnWriter] = []

    def _column(self, number: int, first: np.ndarray) -> _ColumnWriter:
        path = self.folder / str(number)
        file = self.files.enter_context(_opened(path.with_suffix(".data"), "wb", self.compression))
        return _ColumnWriter(f"array {number} of the elements", path, file, first)

    def append(self, leaves: list[np.ndarray]) -> None:
        """Write the arrays of one element."""
        if not self.count:
            self.columns = [self._column(number, leaf) for number, leaf in enumerate(leaves)]
        for column, leaf in zip(self.columns, leaves, strict=True):
            column.append(leaf)
        self.count += 1

    def close(self, batch_size: int | None) -> Shard:
        """Finish the files; returns what they have."""
        rows, total = self._rows(batch_size)
        return Shard(self.count, rows, total, [column.close() for column in self.columns])

    def _rows(self, batch_size: int | None) -> tuple[int | None, int]:
        """Return the size of batches and the number of all rows, if the elements are batches of numbers."""
        regular = all(column.rank and column.dtype not in (_TEXT, _BYTES) for column in self.columns)
        if batch_size is None or not self.columns or self.compression or not regular:
            return None, 0
        shapes = [np.reshape(column.sizes, (self.count, -1)) for column in self.columns]
        lengths = shapes[0][:, 0]
        agree = all((one[:, 0] == lengths).all() and (one[:, 1:] == one[0, 1:]).all() for one in shapes)
        is_batch = agree and (lengths[:-1] == batch_size).all() and 0 < lengths[-1] <= batch_size
        return (batch_size, int(lengths.sum())) if is_batch else (None, 0)


def write(
    path: Any, elements: Iterator, compression: Any, shard_of: Callable[[Any], int] | None, batch_size: int | None,
    drops_remainder: bool,
) -> None:  # fmt: skip
    """Write elements into a folder, in place of those of the last save.

    Args:
        path: The folder.
        elements: Arrays, texts, or tuples and dictionaries of them, all of one structure.
        compression: None or ``"GZIP"``.
        shard_of: Returns the number of the shard that an element belongs to.
        batch_size: Rows of each element, if they are batches.
        drops_remainder: Whether all batches have that size.

    Raises:
        TypeError: Elements have other parts, or arrays of several dtypes in one place.
        ValueError: `compression` is unknown, or structures differ.
    """
    folder = Path(path)
    if compression not in (None, "", "GZIP"):
        raise ValueError(f"compression must be None or 'GZIP'; got {compression!r}.")
    folder.mkdir(parents=True, exist_ok=True)
    before = _run_in(folder)
    run = f"run-{secrets.token_hex(8)}"
    try:
        form, shards = _written(folder / run, elements, compression or "", shard_of, batch_size)
    except BaseException:
        shutil.rmtree(folder / run, ignore_errors=True)
        raise
    table = {"format": FORMAT, "run": run, "compression": compression or "", "structure": form}
    table |= {"batch_size": batch_size, "drops_remainder": drops_remainder}
    table |= {
        "shards": {
            name: one._asdict() | {"columns": [c._asdict() for c in one.columns]} for name, one in shards.items()
        }
    }
    write_text(folder / TABLE, json.dumps(table))
    if before is not None:
        shutil.rmtree(folder / before, ignore_errors=True)


def _written(
    folder: Path, elements: Iterator, compression: str, shard_of: Callable[[Any], int] | None, batch_size: int | None
) -> tuple[Any, dict[str, Shard]]:
    writers: dict[int, _ShardWriter] = {}
    form: Any = None
    folder.mkdir()
    with contextlib.ExitStack() as files:
        for element in elements:
            leaves: list[np.ndarray] = []
            described = _described(element, leaves)
            if form is not None and described != form:
                raise ValueError(f"Dataset.save: all elements must have one structure; got {form} and {described}.")
            form = described
            number = 0 if shard_of is None else shard_of(element)
            if number not in writers:
                writers[number] = _ShardWriter(folder / str(number), compression, files)
            writers[number].append(leaves)
        return form, {str(number): one.close(batch_size) for number, one in sorted(writers.items())}


def _run_in(folder: Path) -> str | None:
    """Return the subfolder of the last save, if there is one that may be removed."""
    try:
        run = json.loads((folder / TABLE).read_text(encoding="utf-8"))["run"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_own = isinstance(run, str) and run.startswith("run-") and run.removeprefix("run-").isalnum()
    return run if is_own else None


# ---- reading


class Saved(NamedTuple):
    """A save: where its files are, and what they have."""

    folder: Path
    compression: str
    structure: Any
    batch_size: int | None
    drops_remainder: bool
    shards: dict[str, Shard]


def read(path: Any, compression: Any = None) -> Saved:
    """Return what a folder has. FileNotFoundError if it has no save; ValueError if that is damaged, or TensorFlow's."""
    folder = Path(path)
    if not (folder / TABLE).is_file():
        if (folder / "dataset_spec.pb").exists() or (folder / "snapshot.metadata").exists():
            raise ValueError(
                f"{one_line(str(folder))} was saved by TensorFlow, whose format is not read. Load it with TensorFlow, "
                "and write its elements as TFRecords, or as arrays of numpy."
            )
        raise FileNotFoundError(f"{one_line(str(folder))} has no {TABLE}: Dataset.save writes one.")
    try:
        table = json.loads((folder / TABLE).read_text(encoding="utf-8"))
        shards = {name: _shard(name, one) for name, one in table["shards"].items()}
        structure, run = table["structure"], _run_in(folder)
        if run is None or (shards and any(len(one.columns) != _arrays_in(structure) for one in shards.values())):
            raise ValueError("Its parts do not fit each other.")
        saved = Saved(
            folder / run, str(table["compression"]), structure,
            _size(table["batch_size"]), bool(table["drops_remainder"]), shards,
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise ValueError(f"{one_line(str(folder / TABLE))} is damaged. {one_line(str(error))}") from None
    if (compression or "") != saved.compression:
        raise ValueError(
            f"{one_line(str(folder))} was saved with compression={saved.compression or None!r}; got {compression!r}."
        )
    return saved


def _size(value: Any) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        raise ValueError(f"The size {one_line(repr(value), 40)} is not a number from 0 on.")
    return value


def _whole(value: Any) -> int:
    size = _size(value)
    if size is None:
        raise ValueError("A size is missing.")
    return size


def _shard(name: str, table: Any) -> Shard:
    if not name.lstrip("-").isdigit():
        raise ValueError(f"The shard {one_line(name, 40)!r} has no number.")
    columns = [
        Column(
            _dtype_named(one["dtype"]),
            _whole(one["rank"]),
            None if one["shape"] is None else tuple(map(_whole, one["shape"])),
        )
        for one in table["columns"]
    ]
    return Shard(_whole(table["size"]), _size(table["rows"]), _whole(table["total"]), columns)


def _dtype_named(name: Any) -> str:
    if name not in (_TEXT, _BYTES) and _dtype(str(name)).kind not in "biufcV":
        raise ValueError(f"The dtype {one_line(repr(name), 40)} is unknown.")
    return str(name)


def _dtype(name: str) -> np.dtype:
    return _NARROW[name] if name in _NARROW else np.dtype(name)


def arrays_of(saved: Saved, name: str) -> Any:
    """Return the elements of a shard as rows of arrays that stay in the files; None if they are not that regular."""
    shard = saved.shards[name]
    rows = shard.size if shard.rows is None else shard.total
    if saved.compression or not rows or (shard.rows is None and any(one.shape is None for one in shard.columns)):
        return None

    def mapped(number: int, column: Column) -> np.ndarray:
        path = saved.folder / name / str(number)
        if shard.rows is None:
            shape = (rows, *(column.shape or ()))
        else:
            shape = (rows, *(column.shape or _sizes(path, shard.size))[1:])
        dtype = _dtype(column.dtype)
        _check_bytes(path, math.prod(shape) * dtype.itemsize)
        if not math.prod(shape):
            return np.zeros(shape, dtype)
        return np.asarray(np.memmap(path.with_suffix(".data"), dtype, "r", shape=shape))

    with _reading(saved.folder):
        leaves = [mapped(number, column) for number, column in enumerate(shard.columns)]
    return _rebuilt(saved.structure, iter(leaves))


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"A file in {one_line(str(path))} is damaged: {one_line(str(error))}.") from None


def _sizes(path: Path, count: int) -> tuple[int, ...]:
    sizes = np.frombuffer(path.with_suffix(".sizes").read_bytes(), "<i8")
    return tuple(sizes.reshape(count, -1)[0].tolist())


def _check_bytes(path: Path, expected: int) -> None:
    found = path.with_suffix(".data").stat().st_size
    if found != expected:
        raise ValueError(f"{one_line(str(path))}.data has {found:,} bytes instead of {expected:,}: it is damaged.")


def elements_of(saved: Saved, name: str) -> Iterator[Any]:
    """Yield the elements of a shard, read one after the other."""
    shard = saved.shards[name]
    columns = [
        _values(saved.folder / name / str(number), column, shard.size, saved.compression)
        for number, column in enumerate(shard.columns)
    ]
    with _reading(saved.folder):
        for leaves in zip(*columns, strict=True):
            yield _rebuilt(saved.structure, iter(leaves))


def _values(path: Path, column: Column, count: int, compression: str) -> Iterator[np.ndarray]:
    """Yield the values of one array. ValueError if the files end too early."""
    sizes = None if column.shape is not None else np.frombuffer(path.with_suffix(".sizes").read_bytes(), "<i8").tolist()
    is_text = column.dtype in (_TEXT, _BYTES)
    rank, at = column.rank, 0
    with _opened(path.with_suffix(".data"), "rb", compression) as file:
        for _ in range(count):
            shape = column.shape
            if shape is None:
                shape, at = tuple(sizes[at : at + rank]), at + rank  # type: ignore[index]
            if is_text:
                entries = math.prod(shape)
                contents = [_taken(file, length, path) for length in sizes[at : at + entries]]  # type: ignore[index]
                at += entries
                yield object_array([one.decode() if column.dtype == _TEXT else one for one in contents], shape)
            else:
                dtype = _dtype(column.dtype)
                yield np.frombuffer(_taken(file, math.prod(shape) * dtype.itemsize, path), dtype).reshape(shape)
        if file.read(1):
            raise ValueError(f"{one_line(str(path))}.data goes on after its end: it is damaged.")


def _taken(file: Any, length: int, path: Path) -> bytes:
    content = file.read(length) if length >= 0 else b""
    if len(content) != length:
        raise ValueError(f"{one_line(str(path))}.data ends too early: it is damaged.")
    return content
