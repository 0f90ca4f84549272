"""Files that TensorBoard reads: events in protocol-buffer encoding, in records with checksums.

The formats are those of ``event.proto``, ``summary.proto`` and the TFRecord file, as far as scalars and histograms go.
"""

import itertools
import os
import socket
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np

from cornu.core.atomic import append_bytes, replacing

_numbers = itertools.count()


def _crc_table() -> list[int]:
    """Return the table for CRC-32C (Castagnoli), bits reflected."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """Return the CRC-32C checksum.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _masked(data: bytes) -> bytes:
    """Return the checksum as it stands in a record: rotated, with a constant added."""
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(data: bytes) -> bytes:
    """Return a record: length, its checksum, data, its checksum."""
    length = struct.pack("<Q", len(data))
    return length + _masked(length) + data + _masked(data)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _field(number: int, value: bytes) -> bytes:
    """Return a field that has a length: text, a message, or packed numbers."""
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def scalar(tag: str, value: float) -> bytes:
    """Return a summary value with one number."""
    return _field(1, _field(1, tag.encode()) + _varint(2 << 3 | 5) + struct.pack("<f", value))


def histogram(tag: str, values: Any, bins: int = 30) -> bytes:
    """Return a summary value with the distribution of an array's finite values."""
    values = np.asarray(values, np.float64).ravel()
    values = values[np.isfinite(values)]
    values = values if values.size else np.zeros(1)
    counts, edges = np.histogram(values, bins)
    numbers = (values.min(), values.max(), values.size, values.sum(), np.square(values).sum())
    text = b"".join(_double(position, float(number)) for position, number in enumerate(numbers, 1))
    text += _field(6, edges[1:].astype("<f8").tobytes()) + _field(7, counts.astype("<f8").tobytes())
    return _field(1, _field(1, tag.encode()) + _field(5, text))


class EventFile:
    """A file of events in a folder, which is made; each `write` adds one event and reaches the disk at once."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        now = time.time()
        name = f"events.out.tfevents.{int(now)}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}.v2"
        self.path = folder / name
        with replacing(self.path) as temporary:
            temporary.write_bytes(record(_double(1, now) + _field(3, b"brain.Event:2")))

    def write(self, step: int, values: list[bytes]) -> None:
        """Add summary values (of `scalar` or `histogram`) at a step."""
        event = _double(1, time.time()) + _varint(2 << 3) + _varint(step) + _field(5, b"".join(values))
        append_bytes(self.path, record(event))
