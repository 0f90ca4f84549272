"""The safetensors format: a JSON header of names, dtypes, shapes and offsets, then the values, and nothing else.

The reader is our own, not the ``safetensors`` package's, because checking the header is most of the work: the package
accepts headers of 100 MB, uses the last of two equal names, and cannot say which layer does not fit. The format:
https://huggingface.co/docs/safetensors/index#format
"""

import json
import math
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import ml_dtypes
import numpy as np

from cornu.saving.json_text import parse

SUFFIX = ".safetensors"
MOST_HEADER = 1 << 24  # bytes; about that of a model with 100,000 weights
METADATA = "__metadata__"

#: The format's names of dtypes, each with numpy's.
TYPES = {
    "BOOL": np.dtype("bool"),
    "U8": np.dtype("uint8"),
    "I8": np.dtype("int8"),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "F32": np.dtype("<f4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
}
NAMES = {dtype.name: name for name, dtype in TYPES.items()}


class Stored(NamedTuple):
    """An array in a file, checked but not yet read."""

    file: BinaryIO
    start: int
    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def is_safetensors(path: Path) -> bool:
    """Return by name or first bytes whether a file may be safetensors: eight bytes of length, then JSON."""
    with path.open("rb") as file:
        return path.name.endswith(SUFFIX) or file.read(9)[8:] == b"{"


def write_arrays(file: Any, arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Write arrays by name; ValueError for a dtype that the format lacks."""
    header: dict[str, Any] = {METADATA: metadata}
    position = 0
    for name, array in arrays.items():
        if array.dtype.name not in NAMES:
            raise ValueError(f"The weight {name!r} has dtype {array.dtype}, which safetensors files do not have.")
        header[name] = {
            "dtype": NAMES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [position, position + array.nbytes],
        }
        position += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the values begin at a multiple of eight
    file.write(len(text).to_bytes(8, "little") + text)
    for name, array in arrays.items():
        file.write(array.astype(TYPES[header[name]["dtype"]], copy=False).tobytes())


def read_metadata(file: BinaryIO, source: str) -> dict[str, Any]:
    """Return the texts that a file says of itself; `read_header` must have checked it."""
    file.seek(0)
    content = file.read(int.from_bytes(file.read(8), "little"))
    return parse(content, f"The header of {source!r}").get(METADATA, {})


def read_header(file: BinaryIO, source: str, size: int) -> dict[str, Stored]:
    """Return the arrays of a file of `size` bytes, unread; ValueError if the header is not a plain list of arrays.

    The arrays must fill the file from the header's end without gaps, so that none overlaps another and no byte is
    outside them; sizes are compared before anything is allocated.
    """
    length = int.from_bytes(file.read(8), "little")
    if size < 10 or length > size - 8:
        raise ValueError(
            f"{source!r} is not a safetensors file: it has {size:,} bytes, but its header claims {length:,}."
        )
    if length > MOST_HEADER:
        raise ValueError(
            f"The header of {source!r} has {length:,} bytes, more than the limit of {MOST_HEADER:,}: refused."
        )
    start = 8 + length
    content = file.read(length)
    if content[:1] != b"{":
        raise ValueError(f"{source!r} is not a safetensors file: its header begins with {content[:8]!r}.")
    header = parse(content, f"The header of {source!r}")
    _check_metadata(header.pop(METADATA, {}), source)
    stored = {name: _stored(file, name, entry, start, size - start, source) for name, entry in header.items()}
    end = start
    for name, array in sorted(stored.items(), key=lambda item: (item[1].start, item[1].size)):
        if array.start != end:
            how = "overlaps the one before it" if array.start < end else "leaves a gap before it"
            raise ValueError(f"The array {name[:200]!r} in {source!r} {how}: refused.")
        end = array.start + array.size * array.dtype.itemsize
    if end != size:
        raise ValueError(f"{source!r} has {size - end:,} bytes that belong to no array: refused.")
    return stored


def _check_metadata(metadata: Any, source: str) -> None:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError(f"{METADATA} in the header of {source!r} has values that are not strings: refused.")


def _stored(file: BinaryIO, name: str, entry: Any, start: int, room: int, source: str) -> Stored:
    """Return one array of the header; `start` is where the values begin, `room` how many bytes they have."""
    what = f"The array {name[:200]!r} in {source!r}"
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{what} is not described by dtype, shape and data_offsets: refused.")
    dtype = TYPES.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
    if dtype is None:
        raise ValueError(f"{what} has dtype {str(entry['dtype'])[:40]!r}; Cornu reads {', '.join(TYPES)}.")
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not _are_sizes(shape) or len(shape) > 32 or not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"{what} has shape {str(shape)[:80]} and data_offsets {str(offsets)[:80]}: refused.")
    first, last = offsets
    if not first <= last <= room:
        raise ValueError(f"{what} is at bytes {first} to {last} of {room}: refused.")
    if math.prod(shape) * dtype.itemsize != last - first:
        raise ValueError(
            f"{what} of shape {shape} and type {entry['dtype']} needs {math.prod(shape) * dtype.itemsize} bytes; "
            f"it has {last - first}: refused."
        )
    return Stored(file, start + first, dtype, tuple(shape))


def _are_sizes(numbers: Any) -> bool:
    return isinstance(numbers, list) and all(type(number) is int and 0 <= number < 1 << 63 for number in numbers)


def read(stored: Stored) -> np.ndarray:
    """Return the values of a checked array."""
    length = stored.size * stored.dtype.itemsize
    stored.file.seek(stored.start)
    content = stored.file.read(length)
    if len(content) != length:
        raise ValueError("The safetensors file became shorter while it was read.")
    return np.frombuffer(content, stored.dtype).reshape(stored.shape)
