"""HDF5's heaps, checked before the HDF5 library reads them: damaged ones could make it loop for ever.

A heap of texts of free length is ``GCOL``, a version, its size, and objects one after the other: number, count, size,
and the bytes themselves. A group's heap of names is ``HEAP``, a version, the size of its data, the first free place in
them, and where they are; a free place begins with the next one.
"""

import contextlib
import io
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

HDF5_START = b"\x89HDF\r\n\x1a\n"
TEXTS, NAMES = b"GCOL\x01", b"HEAP\0"  # with their versions; the library does not look at the three bytes behind
NO_PLACE = 1
MOST_FREE = 1 << 16  # free places among the names of a group
MOST_HEAPS, MOST_SEARCHED = 64, 1 << 26  # heaps, and bytes of a file, in which lengths are looked at
HEAD = 16  # bytes in front of a heap's objects, and of an object's bytes


def check(content: Path | io.BytesIO, what: str) -> None:
    """Raise ValueError for an HDF5 file whose heaps cannot be walked from end to end."""
    with _bytes_of(content, what) as data:
        if bytes(data[:8]) != HDF5_START or _widths(data) != (8, 8):
            raise ValueError(f"{what!r} cannot be read as HDF5: it does not begin as such files do.")
        for heap in _places(data, NAMES):
            _check_free(data, heap, what)
        walked = 0
        for heap in _places(data, TEXTS):
            (size,) = struct.unpack_from("<Q", data, heap + 8) if heap + HEAD <= len(data) else (0,)
            if HEAD <= size <= len(data) - heap:  # the library itself rejects others
                numbers, walked = _walk(data, heap + HEAD, heap + size, what), walked + 1
                if walked <= MOST_HEAPS:
                    _check_lengths(data, heap, numbers, what)


def _places(data: bytes | mmap.mmap, start: bytes) -> Iterator[int]:
    place = data.find(start)
    while place >= 0:
        yield place
        place = data.find(start, place + 1)


def _check_free(data: bytes | mmap.mmap, heap: int, what: str) -> None:
    """Raise ValueError for a heap of names whose free places lead in a circle."""
    if heap + 32 > len(data):
        return
    size, place, start = struct.unpack_from("<QQQ", data, heap + 8)
    for _ in range(MOST_FREE):
        if place == NO_PLACE or place + HEAD > size or start + size > len(data):  # the end, or the library rejects it
            return
        (place,) = struct.unpack_from("<Q", data, start + place)
    raise ValueError(f"{what!r} is damaged: the free places in a group's heap of names lead in a circle.")


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


def _walk(data: bytes | mmap.mmap, place: int, end: int, what: str) -> set[int]:
    """Go from object to object and return their numbers; a heap's rest is one without, or too small for one."""
    numbers = set()
    while end - place >= HEAD:
        number, size = struct.unpack_from("<H6xQ", data, place)
        step = HEAD + (size + 7) // 8 * 8 if number else size
        if not HEAD <= step <= end - place:
            raise ValueError(f"{what!r} is damaged: an object in its heap of texts says that it has {size:,} bytes.")
        numbers.add(number)
        place += step
    return numbers - {0}


def _check_lengths(data: bytes | mmap.mmap, heap: int, numbers: set[int], what: str) -> None:
    """Raise ValueError for a text that says that it is longer than the file: the library makes room for it first.

    A text is kept as its length, the place of its heap, and its number there.
    """
    place = data.find(pattern := struct.pack("<Q", heap), 4, MOST_SEARCHED)
    while 4 <= place <= len(data) - 12:
        length, number = struct.unpack_from("<I8xI", data, place - 4)
        if number in numbers and length > len(data):
            raise ValueError(f"{what!r} is damaged: a text in it says that it has {length:,} bytes.")
        place = data.find(pattern, place + 1, MOST_SEARCHED)
