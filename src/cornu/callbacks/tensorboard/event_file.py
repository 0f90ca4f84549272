"""Files that TensorBoard reads: events in protocol buffer encoding, in records with checksums.

Implements the parts of ``event.proto``, ``summary.proto`` and the TFRecord format for scalars, histograms, images,
graphs and plugin data.
"""

import itertools
import os
import socket
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np

from cornu.core.atomic_files import append_bytes, replacing
from cornu.core.records import double, field, record, varint, whole
from cornu.visuals.tiles import png

_numbers = itertools.count()


def scalar(tag: str, value: float) -> bytes:
    """Return a summary value that holds one number."""
    return field(1, field(1, tag.encode()) + varint(2 << 3 | 5) + struct.pack("<f", value))


def histogram(tag: str, values: Any, bins: int = 30) -> bytes:
    """Return a summary value that holds the distribution of an array's finite values."""
    values = np.asarray(values, np.float64).ravel()
    values = values[np.isfinite(values)]
    values = values if values.size else np.zeros(1)
    counts, edges = np.histogram(values, bins)
    numbers = (values.min(), values.max(), values.size, values.sum(), np.square(values).sum())
    text = b"".join(double(position, float(number)) for position, number in enumerate(numbers, 1))
    text += field(6, edges[1:].astype("<f8").tobytes()) + field(7, counts.astype("<f8").tobytes())
    return field(1, field(1, tag.encode()) + field(5, text))


def picture(tag: str, pixels: np.ndarray) -> bytes:
    """Return a summary value that holds an image: bytes, ``(rows, columns)`` or ``(rows, columns, 3)``."""
    height, width = pixels.shape[:2]
    colours = 1 if pixels.ndim == 2 else 3
    return field(
        1,
        field(1, tag.encode())
        + field(4, whole(1, height) + whole(2, width) + whole(3, colours) + field(4, png(pixels))),
    )


def plugin_data(tag: str, plugin: str, content: bytes) -> bytes:
    """Return a summary value that holds data for a TensorBoard plugin, and an empty tensor."""
    metadata = field(1, field(1, plugin.encode()) + field(2, content)) + whole(4, 2)  # 2: kept as a tensor
    empty = whole(1, 1) + field(2, field(2, b""))  # float32, of shape (0,)
    return field(1, field(1, tag.encode()) + field(8, empty) + field(9, metadata))


class EventFile:
    """A file of events in a folder, which is created if missing; every event reaches the disk at once.

    `mark` is part of the file name and identifies the training run.
    """

    def __init__(self, folder: Path, mark: str = "00000000") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        now = time.time()
        self._stem = f"events.out.tfevents.{int(now)}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}"
        self.path = folder / f"{self._stem}.{mark}.v2"
        with replacing(self.path) as temporary:
            temporary.write_bytes(record(double(1, now) + field(3, b"brain.Event:2")))

    def write(self, step: int, values: list[bytes]) -> None:
        """Append summary values (from `scalar`, `histogram`, ...) at a step."""
        self._append(whole(2, step) + field(5, b"".join(values)))

    def write_graph(self, graph: bytes) -> None:
        """Append a graph, as `event_graph.graph_of` returns it."""
        self._append(field(4, graph))

    def take(self, mark: str) -> None:
        """Rename the file so that it belongs to the run `mark`, which continues here."""
        self.path = self.path.rename(self.path.with_name(f"{self._stem}.{mark}.v2"))

    def _append(self, what: bytes) -> None:
        append_bytes(self.path, record(double(1, time.time()) + what))


def files_of(folder: Path, mark: str) -> dict[str, int]:
    """Return the sizes of a run's files in a folder, by name."""
    return {path.name: path.stat().st_size for path in folder.glob(f"events.out.tfevents.*.{mark}.v2")}


def cut(path: Path, size: int) -> None:
    """Truncate a file to `size` bytes, or delete it for 0; the kept part is intact at any moment."""
    if size == 0:
        path.unlink()
    elif size < path.stat().st_size:
        with replacing(path) as temporary:
            temporary.write_bytes(path.read_bytes()[:size])
