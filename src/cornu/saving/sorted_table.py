"""The index of TensorFlow's checkpoints: a table of keys in order, each with a value, in the form of LevelDB.

Blocks of entries come first, then one with metadata, then one with where the blocks are, then 48 bytes that say where
those two are. In a block each key repeats the beginning of the one before it. The format:
https://github.com/google/leveldb/blob/main/doc/table_format.md
"""

from pathlib import Path
from typing import NamedTuple

from cornu.core.crc32c import masked_crc32c
from cornu.saving.protobuf import varint

MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
FOOTER, TRAILER, NUMBER = 48, 5, 4  # bytes
UNPACKED, SNAPPY = 0, 1
MOST_TABLE = 1 << 28  # bytes; a model of 100,000 variables has about a hundredth
KEYS_PER_BYTE = 32  # bytes of keys for each byte of the table: every sixteenth key is written in full


class Block(NamedTuple):
    """Where a block is, without its five bytes of kind and checksum."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """Return the place behind the block and its trailer."""
        return self.start + self.size + TRAILER


def read_table(path: Path) -> dict[bytes, bytes]:
    """Return the entries of a table, in order.

    Raises ValueError if it is damaged: a checksum is wrong, keys are not in order, blocks overlap or leave bytes out.
    """
    what = f"The index {path.name!r}"
    if not path.is_file():
        raise ValueError(f"{what} of a checkpoint is missing in {path.parent.name!r}.")
    size = path.stat().st_size
    if not FOOTER <= size <= MOST_TABLE:
        raise ValueError(f"{what} has {size:,} bytes; the index of a checkpoint has {FOOTER} to {MOST_TABLE:,}.")
    data = path.read_bytes()
    if data[-len(MAGIC) :] != MAGIC:
        raise ValueError(f"{what} is not the index of a TensorFlow checkpoint: it ends in {data[-len(MAGIC) :]!r}.")
    try:
        return _entries_of_table(data)
    except ValueError as error:
        raise ValueError(f"{what} is damaged: {error}.") from None


def _entries_of_table(data: bytes) -> dict[bytes, bytes]:
    footer = len(data) - FOOTER
    metadata, place = _block(data, footer, footer + 40)
    index, _ = _block(data, place, footer + 40)
    listed = [_block(value, 0, len(value))[0] for value in _entries(data, index).values()]
    place = 0
    for block in [*listed, metadata, index]:
        if block.start != place:
            raise ValueError(f"a block begins at byte {block.start:,}, where {place:,} was expected")
        place = block.end
    if place != footer:
        raise ValueError(f"its blocks end at byte {place:,} of {footer:,}")
    found: dict[bytes, bytes] = {}
    room, last = KEYS_PER_BYTE * len(data), b""
    for block in listed:
        entries = _entries(data, block, room)
        room -= sum(map(len, entries))
        first = next(iter(entries), None)
        if found and first is not None and first <= last:
            raise ValueError("its keys are not in order")
        last = next(reversed(entries), last)
        found |= entries
    return found


def _block(data: bytes, place: int, end: int) -> tuple[Block, int]:
    """Return where a block is, as two numbers at a place say, and the place behind them."""
    start, place = varint(data, place, end)
    size, place = varint(data, place, end)
    return Block(start, size), place


def _entries(data: bytes, block: Block, room: int = MOST_TABLE) -> dict[bytes, bytes]:
    """Return the entries of a block; their keys may have `room` bytes together."""
    if block.end > len(data) - FOOTER or block.size < NUMBER:
        raise ValueError(f"a block of {block.size:,} bytes at byte {block.start:,} is beyond its end")
    end = block.start + block.size
    if data[end] != UNPACKED:
        kind = "snappy" if data[end] == SNAPPY else f"kind {data[end]}"
        raise ValueError(f"a block is packed ({kind}); TensorFlow writes checkpoints unpacked")
    if masked_crc32c(data[block.start : end + 1]) != int.from_bytes(data[end + 1 : block.end], "little"):
        raise ValueError(f"the checksum of the block at byte {block.start:,} is wrong")
    restarts = int.from_bytes(data[end - NUMBER : end], "little")  # where keys are in full: only a search needs them
    end -= NUMBER * (restarts + 1)
    if end < block.start:
        raise ValueError(f"the block at byte {block.start:,} lists {restarts:,} places, more than it has bytes for")
    return _entries_between(data, block.start, end, room)


def _entries_between(data: bytes, place: int, end: int, room: int) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    key = b""
    while place < end:
        shared, place = varint(data, place, end)
        own, place = varint(data, place, end)
        size, place = varint(data, place, end)
        if shared > len(key) or own + size > end - place:
            raise ValueError(f"the entry at byte {place:,} is longer than its block")
        new = key[:shared] + data[place : place + own]
        room -= len(new)
        if (found and new <= key) or room < 0:
            raise ValueError("its keys are not in order, or far too long")
        key, place = new, place + own + size
        found[key] = data[place - size : place]
    return found
