"""HDF5's heaps, checked before the HDF5 library reads them: damaged ones could make it hang.

The heap of variable-length strings is ``GCOL``, a version, its size, and consecutive objects: number, count, size, and
the bytes themselves. A group's heap of names is ``HEAP``, a version, the size of its data, the first free block in it,
and its address; a free block begins with the address of the next one.
"""

import io
import math
import re
import struct
from collections.abc import Iterator
from typing import Any

from cornu.saving import hdf5_limits

HDF5_START = b"\x89HDF\r\n\x1a\n"
TEXTS, NAMES = b"GCOL\x01", b"HEAP\0"  # with their versions; the library ignores the three bytes after them
NO_PLACE = 1
MOST_FREE = 1 << 16  # free blocks among the names of a group
MOST_HEAPS, MOST_SEARCHED = 64, 1 << 26  # heaps, and bytes of a file, whose lengths are checked
HEAD = 16  # bytes before a heap's objects, and before an object's bytes
BLOCK = 1 << 22  # bytes that are searched at once
MOST_AXES = 32  # of a shape, by the format
#: A type of variable length: version and class, whether it is text and how padded, in which characters, a value's size.
STRING_TYPE = re.compile(rb"[\x19\x29\x39\x49][\0\1\x10\x11\x20\x21][\0\1]\0\x10\0\0\0")
STRING_TYPE_BYTES = 20, 24  # of such a type, without and with zeros behind it


class Content:
    """The bytes of an open file: read by place, never beyond its end."""

    def __init__(self, file: Any) -> None:
        self.file, self.size = file, hdf5_limits.size_of(file)

    def read(self, place: int, size: int) -> bytes:
        """Return `size` bytes at `place`; ValueError if the file became shorter."""
        self.file.seek(place)
        found = self.file.read(size)
        if len(found) < size:
            raise ValueError("The file became shorter while it was read.")
        return found

    def number(self, place: int) -> int:
        """Return the integer of 8 bytes at `place`."""
        return int.from_bytes(self.read(place, 8), "little")

    def places(self, *starts: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the places of byte strings of equal length, in order of blocks, with the string."""
        rest, length = b"", len(starts[0])
        for base in range(0, self.size, BLOCK):
            block = rest + self.read(base, min(BLOCK, self.size - base))
            for start in starts:
                place = block.find(start)
                while place >= 0:
                    yield base - len(rest) + place, start
                    place = block.find(start, place + 1)
            rest = block[1 - length :]


def check(file: io.BufferedIOBase, what: str) -> None:
    """Raise ValueError for an HDF5 file whose heaps cannot be traversed completely."""
    content = Content(file)
    if content.size <= 16 or content.read(0, 8) != HDF5_START or _widths(content) != (8, 8):
        raise ValueError(f"{what!r} cannot be read as HDF5: it does not begin with HDF5's signature.")
    heaps: list[tuple[int, set[int]]] = []
    end = free = 0  # end of the string heap before; free blocks so far
    for heap, kind in content.places(NAMES, TEXTS):
        hdf5_limits.step()
        if kind == NAMES:
            free += _check_free(content, heap, free, what)
            continue
        size = content.number(heap + 8) if heap + HEAD <= content.size else 0
        if HEAD <= size <= content.size - heap:  # the library itself rejects others
            if heap < end:
                raise ValueError(f"{what!r} is damaged: two of its string heaps overlap.")
            end = heap + size
            heaps.append((heap, _walk(content.read(heap, size), what)))
    if heaps:
        head = content.read(0, min(content.size, MOST_SEARCHED))
        for heap, numbers in heaps[:MOST_HEAPS]:
            _check_lengths(head, content.size, heap, numbers, what)


def _check_free(content: Content, heap: int, before: int, what: str) -> int:
    """Return the number of free blocks in a heap of names; ValueError if they form a cycle, or all heaps have too many.

    `before` is the number in the heaps before: a block has 16 bytes, so the file's size limits them all.
    """
    if heap + 32 > content.size:
        return 0
    size, place, start = struct.unpack("<QQQ", content.read(heap + 8, 24))
    for count in range(MOST_FREE):
        if place == NO_PLACE or place + HEAD > size or start + size > content.size:  # the end, or the library's concern
            return count
        if before + count > content.size // HEAD:
            break
        place = content.number(start + place)
    raise ValueError(f"{what!r} is damaged: the free blocks in a group's heap of names form a cycle.")


def _widths(content: Content) -> tuple[int, int]:
    """Return how many bytes the file uses for addresses and sizes."""
    data = content.read(8, 8)
    first = 5 if data[0] < 2 else 1
    return data[first], data[first + 1]


def _walk(data: bytes, what: str) -> set[int]:
    """Walk over a heap's objects and return their numbers; the rest has number 0 or is too small for one."""
    numbers, place = set(), HEAD
    while len(data) - place >= HEAD:
        number, size = struct.unpack_from("<H6xQ", data, place)
        step = HEAD + (size + 7) // 8 * 8 if number else size
        if not HEAD <= step <= len(data) - place:
            raise ValueError(f"{what!r} is damaged: an object in its string heap claims {size:,} bytes.")
        hdf5_limits.step()
        if number:
            hdf5_limits.note_text(size)
        numbers.add(number)
        place += step
    return numbers - {0}


def _check_lengths(head: bytes, size: int, heap: int, numbers: set[int], what: str) -> None:
    """Raise ValueError for a string that claims to be longer than the file: the library would allocate it first.

    A string is stored as its length, the address of its heap, and its number there. `head` is where it is searched.
    """
    strings: list[range] | None = None
    place = head.find(pattern := struct.pack("<Q", heap), 4)
    while 4 <= place <= len(head) - 12:
        length, number = struct.unpack_from("<I8xI", head, place - 4)
        if number in numbers and length > size:
            strings = _places_of_strings(head) if strings is None else strings  # seldom: other bytes look like this
            if any(place - 4 in places for places in strings):
                raise ValueError(f"{what!r} is damaged: a string in it claims {length:,} bytes.")
        place = head.find(pattern, place + 1)


def _places_of_strings(head: bytes) -> list[range]:
    """Return where strings of variable length are stored: after the type and the shape of an attribute, 16 bytes each.

    The type of a data set does not say where its values are: then they may be anywhere.
    """
    found = []
    for match in STRING_TYPE.finditer(head):
        places = [_places_after(head, match.start() + length) for length in STRING_TYPE_BYTES]
        found += [each for each in places if each] or [range(len(head))]
    return found


def _places_after(head: bytes, shape: int) -> range:
    """Return the places of an attribute's 16-byte values; `shape` is where its shape would be stored."""
    version, rank, flags = head[shape : shape + 3].ljust(3, b"\0")
    start = shape + {1: 8, 2: 4}.get(version, 0)
    end = start + 8 * rank * (1 + flags % 2)
    if start == shape or rank > MOST_AXES or flags > 1 or end > len(head):
        return range(0)
    count = math.prod(struct.unpack_from(f"<{rank}Q", head, start))
    return range(end, end + HEAD * count, HEAD) if end + HEAD * count <= len(head) else range(0)
