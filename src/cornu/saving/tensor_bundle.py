"""TensorFlow's checkpoints: a table of tensors, and files with their values one after the other.

``NAME.index`` says of each tensor its dtype, shape, and where it is in ``NAME.data-00000-of-00001``. The format is
described in TensorFlow's ``tensor_bundle.h`` and ``tensor_bundle.proto``.
"""

import itertools
import math
from pathlib import Path
from typing import NamedTuple

import ml_dtypes
import numpy as np

from cornu.core.crc32c import crc32c, masked, masked_crc32c
from cornu.saving.checkpoint_paths import INDEX
from cornu.saving.protobuf import Message, Record, varint
from cornu.saving.sorted_table import read_table

MOST_SHARDS = 10_000
LITTLE_ENDIAN = 0
TEXT = 7

#: TensorFlow's numbers of types -> numpy's types.
TYPES = {
    1: np.dtype("<f4"),
    2: np.dtype("<f8"),
    3: np.dtype("<i4"),
    4: np.dtype("uint8"),
    5: np.dtype("<i2"),
    6: np.dtype("int8"),
    9: np.dtype("<i8"),
    10: np.dtype("bool"),
    14: np.dtype(ml_dtypes.bfloat16),
    17: np.dtype("<u2"),
    19: np.dtype("<f2"),
    22: np.dtype("<u4"),
    23: np.dtype("<u8"),
}


class StoredTensor(NamedTuple):
    """A tensor of a checkpoint, checked but not read yet; one that is not of numbers has no dtype."""

    path: Path
    key: str
    dtype: np.dtype | None
    kind: int  # TensorFlow's number of its type
    shape: tuple[int, ...]
    start: int
    length: int  # bytes
    checksum: int

    @property
    def size(self) -> int:
        """Return the number of values."""
        return math.prod(self.shape)


def read_index(prefix: Path) -> dict[str, StoredTensor]:
    """Return the tensors of a checkpoint, unread; `prefix` is its path without ``.index``.

    Raises ValueError if the files are damaged: no tensor may be beyond its file's end or where another one is, and
    sizes are compared before anything is allocated.
    """
    entries = read_table(prefix.with_name(prefix.name + INDEX))
    what = f"The checkpoint {prefix.name!r}"
    if next(iter(entries), None) != b"":
        raise ValueError(f"{what} has no header: it is not a checkpoint of TensorFlow's format of 2016 and later (V2).")
    shards = _shards(prefix, entries.pop(b""), what)
    found = {}
    for key, value in entries.items():
        tensor = _tensor(key, Message(value, f"The entry of {key[:200]!r} in {prefix.name!r}"), shards)
        found[tensor.key] = tensor
    _check_places(list(found.values()), what)
    return found


def _shards(prefix: Path, header: bytes, what: str) -> list[tuple[Path, int]]:
    """Return the files with values, each with its size."""
    record = Record(Message(header, f"The header of {prefix.name!r}"))
    number = record.number(1)
    if record.number(2) != LITTLE_ENDIAN or not 1 <= number <= MOST_SHARDS:
        raise ValueError(f"{what} has {number:,} files of values, or keeps bytes in an unusual order: refused.")
    paths = [prefix.with_name(f"{prefix.name}.data-{shard:05d}-of-{number:05d}") for shard in range(number)]
    missing = next((path for path in paths if not path.is_file()), None)
    if missing is not None:
        raise ValueError(f"{what} is incomplete: the file {missing.name!r} with its values is missing.")
    return [(path, path.stat().st_size) for path in paths]


def _tensor(key: bytes, entry: Message, shards: list[tuple[Path, int]]) -> StoredTensor:
    record = Record(entry)
    kind, shard, start, length = (record.number(field) for field in (1, 3, 4, 5))
    shape = _shape(record.one(2))
    if shard >= len(shards) or start + length > shards[shard][1]:
        raise entry.damaged(f"it is at bytes {start:,} to {start + length:,} of file {shard}, which is shorter")
    dtype = TYPES.get(kind)
    if record.each(7):  # a variable in several slices, each with an entry of its own
        dtype = None
    elif dtype is not None and math.prod(shape) * dtype.itemsize != length:
        raise entry.damaged(f"its shape {shape} and dtype {dtype} do not make {length:,} bytes")
    name = Message(key, entry.what).text() if dtype is not None or kind == TEXT else key.decode("utf-8", "replace")
    return StoredTensor(shards[shard][0], name, dtype, kind, shape, start, length, record.number(6))


def _shape(message: Message | None) -> tuple[int, ...]:
    sizes = [] if message is None else [Record(axis).number(1) for axis in Record(message).each(2)]
    if message is not None and (len(sizes) > 32 or not all(size < 1 << 63 for size in sizes)):
        raise message.damaged(f"its shape is {sizes[:33]}")
    return tuple(sizes)


def _check_places(tensors: list[StoredTensor], what: str) -> None:
    """Raise ValueError if two tensors share bytes of a file."""
    places = sorted((tensor.path.name, tensor.start, tensor.length, tensor.key) for tensor in tensors if tensor.length)
    for (path, start, length, key), (next_path, next_start, _, other) in itertools.pairwise(places):
        if path == next_path and start + length > next_start:
            raise ValueError(f"{what} has {key[:200]!r} and {other[:200]!r} in the same place: refused.")


def read(tensor: StoredTensor) -> np.ndarray:
    """Return the values of a tensor; ValueError if its checksum is wrong."""
    if tensor.dtype is None:
        raise ValueError(f"The tensor {tensor.key[:200]!r} is not of numbers, or in several slices: refused.")
    content = _content(tensor)
    if masked_crc32c(content) != tensor.checksum:
        raise _wrong_checksum(tensor)
    return np.frombuffer(content, tensor.dtype).reshape(tensor.shape)


def read_text(tensor: StoredTensor) -> bytes:
    """Return the bytes of a tensor that is one text: its length, a checksum of that, then the bytes."""
    what = f"The text {tensor.key[:200]!r} in {tensor.path.name!r}"
    if tensor.kind != TEXT or tensor.shape:
        raise ValueError(f"{what} is not a text: refused.")
    content = _content(tensor)
    try:
        length, place = varint(content, 0, len(content))
    except ValueError:
        raise ValueError(f"{what} is damaged: it has no length.") from None
    start = place + 4
    if start + length != len(content):
        raise ValueError(f"{what} is damaged: it has {len(content):,} bytes, and says that {length:,} are text.")
    # The checksums are of the length in 4 bytes (8 for long texts), of that checksum, and of the text.
    sum_of_length = crc32c(length.to_bytes(4 if length < 1 << 32 else 8, "little"))
    stored = int.from_bytes(content[place:start], "little")
    whole = crc32c(memoryview(content)[start:], crc32c(content[place:start], sum_of_length))
    if masked(sum_of_length) != stored or masked(whole) != tensor.checksum:
        raise _wrong_checksum(tensor)
    return content[start:]


def _content(tensor: StoredTensor) -> bytes:
    with tensor.path.open("rb") as file:
        file.seek(tensor.start)
        content = file.read(tensor.length)
    if len(content) != tensor.length:
        raise ValueError(f"The file {tensor.path.name!r} became shorter while it was read.")
    return content


def _wrong_checksum(tensor: StoredTensor) -> ValueError:
    return ValueError(
        f"The file {tensor.path.name!r} is damaged: the values of {tensor.key[:200]!r} do not have the checksum "
        "that the index states."
    )
