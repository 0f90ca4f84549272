"""HDF5's heaps of texts of free length, looked at before the HDF5 library reads them: it walks damaged ones for ever.

A heap is ``GCOL``, a version, its size, and objects one after the other: number, count, size, and the bytes themselves.
"""

import contextlib
import io
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

HDF5_START = b"\x89HDF\r\n\x1a\n"
START = b"GCOL\x01\0\0\0"
HEAD = 16  # bytes in front of a heap's objects, and of an object's bytes


def check(content: Path | io.BytesIO, what: str) -> None:
    """Raise ValueError for an HDF5 file whose heaps cannot be walked from end to end."""
    with _bytes_of(content, what) as data:
        if bytes(data[:8]) != HDF5_START or _widths(data) != (8, 8):
            raise ValueError(f"{what!r} cannot be read as HDF5: it does not begin as such files do.")
        place = data.find(START)
        while place >= 0:
            (size,) = struct.unpack_from("<Q", data, place + 8) if place + HEAD <= len(data) else (0,)
            if HEAD <= size <= len(data) - place:  # others are refused by the library itself
                _walk(data, place + HEAD, place + size, what)
            place = data.find(START, place + 1)


@contextlib.contextmanager
def _bytes_of(content: Path | io.BytesIO, what: str) -> Iterator[bytes | mmap.mmap]:
    if isinstance(content, io.BytesIO):
        yield content.getvalue()
        return
    if content.stat().st_size < len(HDF5_START):
        raise ValueError(f"{what!r} cannot be read as HDF5: it has {content.stat().st_size} bytes.")
    with content.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def _widths(data: bytes | mmap.mmap) -> tuple[int, int]:
    """Return in how many bytes the file keeps places and sizes."""
    version = data[8] if len(data) > 16 else 0
    first = 13 if version < 2 else 9
    return (data[first], data[first + 1]) if len(data) > 16 else (0, 0)


def _walk(data: bytes | mmap.mmap, place: int, end: int, what: str) -> None:
    """Go from object to object; the rest of a heap is one without a number, or too small for one."""
    while end - place >= HEAD:
        number, size = struct.unpack_from("<H6xQ", data, place)
        step = HEAD + (size + 7) // 8 * 8 if number else size
        if not HEAD <= step <= end - place:
            raise ValueError(f"{what!r} is damaged: an object in its heap of texts says that it has {size:,} bytes.")
        place += step
