"""Checkpoint files: arrays and JSON with a checksum over everything; a folder keeps the two newest.

A file is the line ``cornu checkpoint 1``, the length of a JSON text in 8 bytes, that text, the arrays' bytes one after
the other, and the SHA-256 of everything before. It holds only data: nothing is run or imported from it.
"""

import hashlib
import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from cornu.core import processes
from cornu.core.atomic_files import flush_folder, remove_leftovers, remove_quietly, replacing

START = b"cornu checkpoint 1\n"
DIGEST = hashlib.sha256
PLAIN_TYPE = re.compile(r"[|<>][biufcSUmM]\d{1,9}(\[\w+\])?")  # in numpy's notation: no objects, no fields
#: Dtypes without a numpy code, by name.
EXTENDED = {
    name: kind for name, kind in vars(ml_dtypes).items() if isinstance(kind, type) and issubclass(kind, np.generic)
}


class Checkpoint(NamedTuple):
    """The content of a checkpoint file: plain data, and the arrays that it refers to by number."""

    content: dict[str, Any]
    arrays: list[np.ndarray]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint completely or not at all; OSError if it cannot be written."""
    digest = DIGEST()
    with replacing(path, own=True) as temporary, temporary.open("wb") as file:
        for part in _parts(checkpoint):
            digest.update(part)
            file.write(part)
        file.write(digest.digest())


def _parts(checkpoint: Checkpoint) -> Iterator[Any]:
    """Yield the bytes of a file before its checksum."""
    arrays = [np.asarray(array, order="C") for array in checkpoint.arrays]
    described = [[type_name(array.dtype), list(array.shape)] for array in arrays]
    text = json.dumps({"content": checkpoint.content, "arrays": described}).encode()
    yield START + len(text).to_bytes(8, "little")
    yield text
    for array in arrays:
        yield array.reshape(-1).view(np.uint8).data


def type_name(dtype: np.dtype) -> str:
    """Return the name of an array's dtype: numpy's code with byte order; ``bfloat16`` and the like by name."""
    return dtype.name if dtype.name in EXTENDED else dtype.str


def read_checkpoint(path: Path) -> Checkpoint:
    """Return a file's content; ValueError if it is not a complete checkpoint."""
    return _parsed(path.read_bytes(), path)


def from_first(checkpoint: Checkpoint | None) -> Checkpoint | None:
    """Return the first process's checkpoint, or None, in each of several processes that run a program together."""
    group = processes.group()
    if group is None:
        return checkpoint
    data = None if checkpoint is None else b"".join(_parts(checkpoint))
    data = group.from_first(data)
    return None if data is None else _parsed(data + DIGEST(data).digest(), Path("the first process's checkpoint"))


def _parsed(content: bytes, path: Path) -> Checkpoint:
    data = memoryview(content)
    size = DIGEST().digest_size
    if bytes(data[: len(START)]) != START:
        raise ValueError(f"{str(path)!r} is not a checkpoint of this version of Cornu.")
    body, checksum = data[:-size], data[-size:]
    if len(data) < len(START) + 8 + size or DIGEST(body).digest() != checksum:
        raise ValueError(f"{str(path)!r} is damaged or truncated: its checksum does not match.")
    position = len(START) + 8
    length = int.from_bytes(body[len(START) : position], "little")
    try:
        header = json.loads(bytes(body[position : position + length]))
        found, described = dict(header["content"]), list(header["arrays"])
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ValueError(f"{str(path)!r} has a valid checksum, but is not a checkpoint: {error!r:.200}.") from None
    return Checkpoint(found, _arrays(body[position + length :], described, str(path)))


def _arrays(data: memoryview, described: list[Any], path: str) -> list[np.ndarray]:
    """Return consecutive arrays that fill `data`, as views of it."""
    arrays, position = [], 0
    for entry in described:
        dtype, shape = _checked(entry, path)
        count = math.prod(shape) * dtype.itemsize
        if count > len(data) - position:
            raise ValueError(f"{path!r} claims to have {entry!r}, which is more than it has.")
        arrays.append(np.frombuffer(data[position : position + count], dtype).reshape(shape))
        position += count
    if position != len(data):
        raise ValueError(f"{path!r} holds {len(data) - position:,} bytes more than it claims.")
    return arrays


def _checked(entry: Any, path: str) -> tuple[np.dtype, list[int]]:
    """Return dtype and shape of an array as described in a file; ValueError if it is not an array of plain values."""
    if isinstance(entry, list) and [type(part) for part in entry] == [str, list]:
        name, shape = entry
        known = name in EXTENDED or PLAIN_TYPE.fullmatch(name) is not None
        if known and all(type(size) is int and 0 <= size < 1 << 48 for size in shape):
            return np.dtype(EXTENDED.get(name, name)), shape
    raise ValueError(f"{path!r} has {str(entry)[:100]!r}; expected dtype and shape of an array.")


def _number(checkpoint: Checkpoint, path: Path) -> int:
    number = checkpoint.content.get("number")
    if type(number) is not int:
        raise ValueError(f"{str(path)!r} is not a checkpoint of a run: its number is {str(number)[:80]}.")
    return number


class Generations:
    """The checkpoints of one run in a folder: two files in turn, so that the previous one stays intact."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = [folder / "checkpoint-0", folder / "checkpoint-1"]
        self._next = 0

    def prepare(self) -> None:
        """Make the folder; OSError if it cannot be written. Of several processes, the first keeps checkpoints."""
        if not processes.is_first():
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / ".cornu-probe.part"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise type(error)(
                error.errno, f"Cannot keep checkpoints in {str(self.folder)!r}: {error.strerror}"
            ) from error
        remove_leftovers(self.folder, age=0)

    def newest(self) -> tuple[Checkpoint | None, list[str]]:
        """Return the newest intact checkpoint, if any, and what was wrong with the others."""
        checkpoint, complaints = self._newest() if processes.is_first() else (None, [])
        return from_first(checkpoint), complaints

    def _newest(self) -> tuple[Checkpoint | None, list[str]]:
        found: list[tuple[int, int, Checkpoint]] = []
        complaints = []
        for place, path in enumerate(self.paths):
            if path.exists():
                try:
                    checkpoint = read_checkpoint(path)
                    found.append((_number(checkpoint, path), place, checkpoint))
                except (ValueError, OSError) as error:
                    complaints.append(str(error))
                    self._next = place  # the damaged one is overwritten first
        if not found:
            return None, complaints
        _, place, checkpoint = max(found, key=lambda one: one[0])
        self._next = 1 - place
        return checkpoint, complaints

    def write(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint over the older one of the two."""
        write_checkpoint(self.paths[self._next], checkpoint)
        self._next = 1 - self._next

    def delete_older(self) -> None:
        """Remove the checkpoint that would be written over next."""
        if processes.is_first():
            remove_quietly(self.paths[self._next])

    def delete(self) -> None:
        """Remove the checkpoints, and the folder if it is then empty."""
        if not processes.is_first():
            return
        for path in self.paths:
            remove_quietly(path)
        remove_leftovers(self.folder, age=0)
        try:
            os.rmdir(self.folder)
        except OSError:  # something else is in it
            return
        flush_folder(self.folder.parent)
