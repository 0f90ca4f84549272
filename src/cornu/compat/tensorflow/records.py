"""TensorFlow's records: ``TFRecordDataset``, ``TFRecordWriter``, ``tf.train.Example`` and its parsing; lines of text.

The formats: https://www.tensorflow.org/tutorials/load_data/tfrecord
"""

import gzip
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from cornu.compat.tensorflow.errors import NotFoundError
from cornu.core.crc32c import masked_crc32c
from cornu.core.errors import one_line
from cornu.core.object_arrays import object_array
from cornu.core.records import field, varint
from cornu.core.records import record as written
from cornu.core.text import as_text
from cornu.data.dataset import Dataset, EagerArray
from cornu.saving import protobuf
from cornu.saving.protobuf import Message, Record

MOST_BYTES = 1 << 31  # of one record


# ---- files of records


def TFRecordDataset(  # noqa: N802 (TensorFlow's name)
    filenames: Any, compression_type: Any = None, buffer_size: Any = None, num_parallel_reads: Any = None,
    name: Any = None,
) -> Dataset:  # fmt: skip
    """Return the records in files, each as bytes. A damaged one is a ValueError that names file and place."""
    paths = _paths(filenames)
    return Dataset(lambda: (record for path in paths for record in records_in(path, compression_type)))


def TextLineDataset(  # noqa: N802
    filenames: Any, compression_type: Any = None, buffer_size: Any = None, num_parallel_reads: Any = None,
    name: Any = None,
) -> Dataset:  # fmt: skip
    """Return the lines of text files, without their ends."""
    paths = _paths(filenames)

    def lines() -> Iterator[str]:
        for path in paths:
            with _opened(path, compression_type) as file:
                for line in file:
                    yield line.rstrip(b"\n").removesuffix(b"\r").decode("utf-8", "replace")

    return Dataset(lines)


def _paths(filenames: Any) -> list[str]:
    given = list(filenames) if isinstance(filenames, Dataset) else np.atleast_1d(np.asarray(filenames, object)).tolist()
    return [str(as_text(np.asarray(one, object))[()]) for one in given]


def _opened(path: str, compression: Any, mode: str = "rb") -> Any:
    if compression in (None, ""):
        return open(path, mode)
    if compression == "GZIP":
        return gzip.open(path, mode)
    raise ValueError(f"compression_type must be '' or 'GZIP'; got {compression!r}.")


def records_in(path: str, compression: Any = None) -> Iterator[bytes]:
    """Yield the records of a file. ValueError if it is damaged."""
    with _opened(path, compression) as file:
        place = 0
        while head := file.read(12):
            size = int.from_bytes(head[:8], "little")
            if len(head) < 12 or masked_crc32c(head[:8]) != int.from_bytes(head[8:], "little") or size > MOST_BYTES:
                raise ValueError(
                    f"{one_line(path)}: there is no record at byte {place:,}; the file is damaged or cut off."
                )
            body = file.read(size + 4)
            if len(body) < size + 4 or masked_crc32c(body[:-4]) != int.from_bytes(body[-4:], "little"):
                raise ValueError(f"{one_line(path)}: the record at byte {place:,} is damaged or cut off.")
            place += 16 + size
            yield body[:-4]


class TFRecordWriter:
    """Writes records into a file; also as a context manager.

    `options` is ``""``, ``"GZIP"``, or has one of them as its ``compression_type``; ValueError otherwise.
    """

    def __init__(self, path: Any, options: Any = None) -> None:
        self._file = _opened(str(path), getattr(options, "compression_type", options), "wb")

    def write(self, record: Any) -> None:
        """Write one record: bytes."""
        self._file.write(written(_as_bytes(record)))

    def flush(self) -> None:
        """Hand what was written to the system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class TFRecordOptions(NamedTuple):
    """Options of a `TFRecordWriter`."""

    compression_type: str = ""


def _as_bytes(given: Any) -> bytes:
    value = np.asarray(given, object)[()] if not isinstance(given, (bytes, str)) else given
    return value.encode() if isinstance(value, str) else bytes(value)


# ---- examples


class _Listed:
    """A list of values of one kind, as in a feature."""

    number: int

    def __init__(self, value: Iterable[Any] = ()) -> None:
        self.value = [self._checked(one) for one in value]

    def _checked(self, one: Any) -> Any:
        raise NotImplementedError

    def encoded(self) -> bytes:
        """Return the message."""
        raise NotImplementedError


class BytesList(_Listed):
    """Bytes of a feature."""

    number = 1

    def _checked(self, one: Any) -> bytes:
        if isinstance(one, str):
            raise TypeError(f"BytesList takes bytes; got the text {one_line(one, 40)!r}. Use .encode().")
        return _as_bytes(one)

    def encoded(self) -> bytes:
        return b"".join(field(1, one) for one in self.value)


class FloatList(_Listed):
    """Numbers of a feature."""

    number = 2

    def _checked(self, one: Any) -> float:
        return float(np.float32(one))

    def encoded(self) -> bytes:
        return field(1, np.asarray(self.value, "<f4").tobytes()) if self.value else b""


class Int64List(_Listed):
    """Integers of a feature."""

    number = 3

    def _checked(self, one: Any) -> int:
        if isinstance(one, (float, np.floating)):
            raise TypeError(f"Int64List takes integers; got {one!r}.")
        return int(one)

    def encoded(self) -> bytes:
        return field(1, b"".join(map(varint, self.value))) if self.value else b""


class Feature:
    """One of a `BytesList`, a `FloatList` and an `Int64List`."""

    def __init__(self, bytes_list: Any = None, float_list: Any = None, int64_list: Any = None) -> None:
        given = [one for one in (bytes_list, float_list, int64_list) if one is not None]
        if len(given) > 1:
            raise ValueError("A Feature has one list: bytes_list, float_list or int64_list.")
        self.bytes_list, self.float_list = bytes_list or BytesList(), float_list or FloatList()
        self.int64_list = int64_list or Int64List()
        self._kept = given[0] if given else None

    def encoded(self) -> bytes:
        """Return the message."""
        return b"" if self._kept is None else field(self._kept.number, self._kept.encoded())


class Features:
    """Features by name."""

    def __init__(self, feature: Mapping[str, Feature] | None = None) -> None:
        self.feature = dict(feature or {})

    def encoded(self) -> bytes:
        """Return the message; names in order, so that equal features are equal bytes."""
        entries = (field(1, name.encode()) + field(2, one.encoded()) for name, one in sorted(self.feature.items()))
        return b"".join(field(1, entry) for entry in entries)


class Example:
    """Features of an example, as records hold them.

    >>> one = Example(features=Features(feature={"label": Feature(int64_list=Int64List(value=[3]))}))
    >>> Example.FromString(one.SerializeToString()).features.feature["label"].int64_list.value
    [3]
    """

    def __init__(self, features: Features | None = None) -> None:
        self.features = features or Features()

    def SerializeToString(self) -> bytes:  # noqa: N802
        """Return the bytes."""
        return field(1, self.features.encoded())

    def ParseFromString(self, serialized: Any) -> int:  # noqa: N802
        """Take the features of bytes; returns how many bytes there are. ValueError if they are no example."""
        content = _as_bytes(serialized)
        self.features = Features({name: _feature(*parts) for name, parts in _parsed(content).items()})
        return len(content)

    @classmethod
    def FromString(cls, serialized: Any) -> Self:  # noqa: N802
        """Return the example of bytes. ValueError if they are none."""
        found = cls()
        found.ParseFromString(serialized)
        return found


def _feature(kind: int, values: Any) -> Feature:
    lists = {1: ("bytes_list", BytesList), 2: ("float_list", FloatList), 3: ("int64_list", Int64List)}
    if kind not in lists:
        return Feature()
    name, cls = lists[kind]
    return Feature(**{name: cls(values)})


def _parsed(content: bytes) -> dict[str, tuple[int, Any]]:
    """Return the kind and the values of each feature of an example."""
    found: dict[str, tuple[int, Any]] = {}
    message = Message(content, "An example")
    for features in Record(message).each(1):
        for entry in Record(features).each(1):
            record = Record(entry)
            value = record.one(2)
            found[record.text(1)] = (0, []) if value is None else _values(value)
    return found


def _values(feature: Message) -> tuple[int, Any]:
    kind, values = 0, list[Any]()
    for number, listed in feature.fields():
        if number not in (1, 2, 3) or not isinstance(listed, Message):
            continue
        kind, values = number, []
        for part, one in listed.fields():
            if part != 1:
                continue
            if not isinstance(one, Message):  # not packed
                values.append(one if number == 3 else struct.unpack("<f", int(one).to_bytes(4, "little"))[0])
            elif number == 1:
                values.append(one.content())
            elif number == 2:
                values.extend(np.frombuffer(one.content(), "<f4").tolist())
            else:
                values.extend(_numbers(one))
    return kind, [one - (1 << 64) if kind == 3 and one >= 1 << 63 else one for one in values]


def _numbers(message: Message) -> Iterator[int]:
    place = message.start
    while place < message.end:
        value, place = protobuf.varint(message.data, place, message.end)
        yield value


# ---- parsing


class FixedLenFeature(NamedTuple):
    """A feature that has the same shape in all examples; `default_value` where it is missing."""

    shape: Any
    dtype: Any
    default_value: Any = None


class VarLenFeature(NamedTuple):
    """A feature with any number of values."""

    dtype: Any


class FixedLenSequenceFeature(NamedTuple):
    """A feature with any number of parts of one shape."""

    shape: Any
    dtype: Any
    allow_missing: bool = False
    default_value: Any = None


_KINDS = {1: "string", 2: "float32", 3: "int64"}


def parse_single_example(serialized: Any, features: Mapping[str, Any], name: Any = None) -> dict[str, Any]:
    """Return the arrays of an example by name, as `features` describes them.

    What TensorFlow gives as a sparse tensor (`VarLenFeature`) is a vector here. ValueError that names the feature if it
    is missing, of another type, or has another number of values.
    """
    found = _parsed(_as_bytes(serialized))
    return {key: _array(key, wanted, *found.get(key, (0, []))) for key, wanted in features.items()}


def parse_example(serialized: Any, features: Mapping[str, Any], name: Any = None) -> dict[str, Any]:
    """Return the arrays of several examples; those of any length are filled up with zeros, or empty bytes."""
    rows = [parse_single_example(one, features) for one in np.asarray(serialized, object).ravel()]
    return {key: _stacked([row[key] for row in rows]) for key in features}


def _stacked(rows: Sequence[np.ndarray]) -> np.ndarray:
    longest = max((len(row) if row.ndim else 0 for row in rows), default=0)
    if any(row.ndim and len(row) != longest for row in rows):
        filling: Any = b"" if rows[0].dtype == object else 0
        whole = np.full((len(rows), longest, *rows[0].shape[1:]), filling, rows[0].dtype)
        for place, row in zip(whole, rows, strict=True):
            place[: len(row)] = row
        return whole
    return np.stack(rows)


def _array(key: str, wanted: Any, kind: int, values: list) -> np.ndarray:
    dtype = str(getattr(wanted.dtype, "name", wanted.dtype))
    if values and _KINDS.get(kind) != dtype:
        raise ValueError(f"The feature {one_line(key)!r} has values of {_KINDS.get(kind)}; {dtype} is asked for.")
    array = _of_dtype(values, dtype)
    if isinstance(wanted, VarLenFeature):
        return array
    shape = tuple(int(size) for size in np.atleast_1d(np.asarray(wanted.shape, int)))
    if isinstance(wanted, FixedLenSequenceFeature):
        return array.reshape(-1, *shape)
    if not values and wanted.default_value is not None:
        return np.broadcast_to(_of_dtype(wanted.default_value, dtype), shape).copy()
    if len(values) != int(np.prod(shape)):
        said = f"has {len(values)} values" if values else "is missing"
        raise ValueError(f"The feature {one_line(key)!r} {said}; its shape {shape} needs {int(np.prod(shape))}.")
    return array.reshape(shape)


def _of_dtype(values: Any, dtype: str) -> np.ndarray:
    if dtype == "string":
        flat = values if isinstance(values, (list, tuple)) else [values]
        return object_array([_as_bytes(one) for one in flat])
    return np.asarray(values, dtype)


# ---- other files


def read_file(filename: Any, name: Any = None) -> np.ndarray:
    """Return the bytes of a file."""
    path = Path(_paths(filename)[0])
    if not path.exists():
        raise NotFoundError(message=f"{path}; No such file or directory")
    return np.array(path.read_bytes(), object).view(EagerArray)


def write_file(filename: Any, contents: Any, name: Any = None) -> None:
    """Write bytes, or a text, into a file."""
    Path(_paths(filename)[0]).write_bytes(_as_bytes(contents))


def decode_raw(input_bytes: Any, out_type: Any, little_endian: bool = True, name: Any = None) -> np.ndarray:
    """Return bytes as the numbers that they are."""
    dtype = np.dtype(str(getattr(out_type, "name", out_type))).newbyteorder("<" if little_endian else ">")
    return np.frombuffer(_as_bytes(input_bytes), dtype).astype(dtype.newbyteorder("="))


def decode_compressed(bytes: Any, compression_type: str = "", name: Any = None) -> np.ndarray:
    """Return bytes that were compressed by ``"ZLIB"`` or ``"GZIP"``."""
    content = _as_bytes(bytes)
    return np.array(content if not compression_type else zlib.decompress(content, zlib.MAX_WBITS | 32), object)
