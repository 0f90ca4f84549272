"""Checkpoint files: arrays and JSON with a checksum over all of it, and the two newest of them in a folder.

A file is the line ``cornu checkpoint 1``, the length of a JSON text in 8 bytes, that text, the arrays' bytes one after
the other, and the SHA-256 of everything before. It holds data only: nothing is run or imported out of it.
"""

import hashlib
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cornu.core.atomic import flush_folder, remove_leftovers, remove_quietly, replacing

START = b"cornu checkpoint 1\n"
DIGEST = hashlib.sha256


class Checkpoint(NamedTuple):
    """What a checkpoint file holds: plain data, and the arrays that it refers to by number."""

    content: dict[str, Any]
    arrays: list[np.ndarray]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint as a whole or not at all; OSError in words where the disk refuses."""
    digest = DIGEST()
    with replacing(path) as temporary, temporary.open("wb") as file:
        for part in _parts(checkpoint):
            digest.update(part)
            file.write(part)
        file.write(digest.digest())


def _parts(checkpoint: Checkpoint) -> Iterator[Any]:
    """Yield the bytes of a file in front of its checksum."""
    arrays = [np.asarray(array, order="C") for array in checkpoint.arrays]
    described = [[type_name(array.dtype), list(array.shape)] for array in arrays]
    text = json.dumps({"content": checkpoint.content, "arrays": described}).encode()
    yield START + len(text).to_bytes(8, "little")
    yield text
    for array in arrays:
        yield array.reshape(-1).view(np.uint8).data


def type_name(dtype: np.dtype) -> str:
    """Return the name of an array's type: numpy's own with byte order, ``bfloat16`` and the like by name."""
    return dtype.name if dtype.kind == "V" else dtype.str


def read_checkpoint(path: Path) -> Checkpoint:
    """Return what a file holds; ValueError in words where it is no whole checkpoint."""
    data = memoryview(path.read_bytes())
    size = DIGEST().digest_size
    if bytes(data[: len(START)]) != START:
        raise ValueError(f"{str(path)!r} is no checkpoint of this version of Cornu.")
    body, checksum = data[:-size], data[-size:]
    if len(data) < len(START) + 8 + size or DIGEST(body).digest() != checksum:
        raise ValueError(f"{str(path)!r} is damaged or cut short: its checksum does not fit.")
    position = len(START) + 8
    length = int.from_bytes(body[len(START) : position], "little")
    header = json.loads(bytes(body[position : position + length]))
    position += length
    arrays = []
    for name, shape in header["arrays"]:
        dtype = np.dtype(name)
        count = math.prod(shape) * dtype.itemsize
        arrays.append(np.frombuffer(body[position : position + count], dtype).reshape(shape))
        position += count
    return Checkpoint(header["content"], arrays)


class Generations:
    """The checkpoints of one training in a folder: two files in turn, so that the one before the newest stays whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = [folder / "checkpoint-0", folder / "checkpoint-1"]
        self._next = 0

    def prepare(self) -> None:
        """Make the folder; OSError in words where it cannot be written."""
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
        """Return the newest whole checkpoint, if any, and what was wrong with the others."""
        found: list[tuple[int, int, Checkpoint]] = []
        complaints = []
        for place, path in enumerate(self.paths):
            if path.exists():
                try:
                    checkpoint = read_checkpoint(path)
                    found.append((int(checkpoint.content["number"]), place, checkpoint))
                except (ValueError, KeyError, TypeError, OSError) as error:
                    complaints.append(str(error))
                    self._next = place  # the damaged one is written over first
        if not found:
            return None, complaints
        _, place, checkpoint = max(found, key=lambda one: one[0])
        self._next = 1 - place
        return checkpoint, complaints

    def write(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint over the older one of the two."""
        write_checkpoint(self.paths[self._next], checkpoint)
        self._next = 1 - self._next

    def delete(self) -> None:
        """Remove the checkpoints, and the folder if it is empty then."""
        for path in self.paths:
            remove_quietly(path)
        remove_leftovers(self.folder, age=0)
        try:
            os.rmdir(self.folder)
        except OSError:  # something else is in it
            return
        flush_folder(self.folder.parent)
