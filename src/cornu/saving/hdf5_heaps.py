"""HDF5's heaps, checked before the HDF5 library reads them: damaged ones could make it hang.

The heap of variable-length strings is ``GCOL``, a version, its size, and consecutive objects: number, count, size, and
the bytes themselves. A group's heap of names is ``HEAP``, a version, the size of its data, the first free block in it,
and its address; a free block begins with the address of the next one.
"""

import contextlib
import io
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

HDF5_START = b"\x89HDF\r\n\x1a\n"
TEXTS, NAMES = b"GCOL\x01", b"HEAP\0"  # with their versions; the library ignores the three bytes after them
NO_PLACE = 1
MOST_FREE = 1 << 16  # free blocks among the names of a group
MOST_HEAPS, MOST_SEARCHED = 64, 1 << 26  # heaps, and bytes of a file, whose lengths are checked
HEAD = 16  # bytes before a heap's objects, and before an object's bytes


def check(content: Path | io.BytesIO, what: str) -> None:
    """Raise ValueError for an HDF5 file whose heaps cannot be traversed completely."""
    with _bytes_of(content, what) as data:
        if bytes(data[:8]) != HDF5_START or _widths(data) != (8, 8):
            raise ValueError(f"{what!r} cannot be read as HDF5: it does not begin with HDF5's signature.")
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
    """Raise ValueError for a heap of names whose free blocks form a cycle."""
    if heap + 32 > len(data):
        return
    size, place, start = struct.unpack_from("<QQQ", data, heap + 8)
    for _ in range(MOST_FREE):
        if place == NO_PLACE or place + HEAD > size or start + size > len(data):  # the end, or the library rejects it
            return
        (place,) = struct.unpack_from("<Q", data, start + place)
    raise ValueError(f"{what!r} is damaged: the free blocks in a group's heap of names form a cycle.")


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
    """Return how many bytes the file uses for addresses and sizes."""
    version = data[8] if len(data) > 16 else 0
    first = 13 if version < 2 else 9
    return (data[first], data[first + 1]) if len(data) > 16 else (0, 0)


def _walk(data: bytes | mmap.mmap, place: int, end: int, what: str) -> set[int]:
    """Walk over the objects and return their numbers; the rest of a heap has number 0 or is too small for one."""
    numbers = set()
    while end - place >= HEAD:
        number, size = struct.unpack_from("<H6xQ", data, place)
        step = HEAD + (size + 7) // 8 * 8 if number else size
        if not HEAD <= step <= end - place:
            raise ValueError(f"{what!r} is damaged: an object in its string heap claims {size:,} bytes.")
        numbers.add(number)
        place += step
    return numbers - {0}


def _check_lengths(data: bytes | mmap.mmap, heap: int, numbers: set[int], what: str) -> None:
    """Raise ValueError for a string that claims to be longer than the file: the library would allocate it first.

    A string is stored as its length, the address of its heap, and its number there.
    """
    place = data.find(pattern := struct.pack("<Q", heap), 4, MOST_SEARCHED)
    while 4 <= place <= len(data) - 12:
        length, number = struct.unpack_from("<I8xI", data, place - 4)
        if number in numbers and length > len(data):
            raise ValueError(f"{what!r} is damaged: a string in it claims {length:,} bytes.")
        place = data.find(pattern, place + 1, MOST_SEARCHED)
