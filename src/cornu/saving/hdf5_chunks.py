"""Arrays that HDF5 stores in chunks, decompressed here: its library would decompress any size."""

import itertools
import math
import zlib
from typing import Any

import h5py
import numpy as np

DEFLATE, SHUFFLE, CHECKSUM = h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32
BEST_DEFLATE = 1_100  # the largest possible ratio
MOST_CHUNKS = 1_000_000
SMALL = 1 << 20
SUMMED = 1 << 20  # words of a checksum that are summed at once, in 64 bits


def filters(dataset: Any) -> list[int]:
    """Return the numbers of the filters of an array's chunks, in order."""
    plan = dataset.id.get_create_plist()
    return [plan.get_filter(index)[0] for index in range(plan.get_nfilters())]


def check(dataset: Any, name: str) -> None:
    """Raise ValueError for unknown filters, missing chunks, and sizes that the stored bytes cannot decompress to."""
    used = filters(dataset)
    if len(used) != len(set(used)) or not set(used) <= {DEFLATE, SHUFFLE, CHECKSUM}:
        raise ValueError(f"The array {name} has an unknown filter: refused.")
    shape, chunk, itemsize = dataset.shape, dataset.chunks, dataset.dtype.itemsize
    needed, stored = math.prod(shape) * itemsize, dataset.id.get_storage_size()
    number = math.prod(-(-size // step) for size, step in zip(shape, chunk, strict=True))
    piece = math.prod(chunk) * itemsize
    factor = BEST_DEFLATE if DEFLATE in used else 1
    if number > MOST_CHUNKS or needed > factor * stored or piece > max(4 * needed, SMALL):
        raise ValueError(
            f"The array {name} of shape {shape}, in chunks of {chunk}, needs {needed:,} bytes; "
            f"{stored:,} are stored: refused."
        )
    if dataset.id.get_num_chunks() != number:
        raise ValueError(f"The array {name} has {number:,} chunks; not all are stored: refused.")


def read(dataset: Any, name: str) -> np.ndarray:
    """Return the values of a checked array."""
    values = np.empty(dataset.shape, dataset.dtype)
    used, chunk = filters(dataset), dataset.chunks
    starts = [range(0, size, step) for size, step in zip(dataset.shape, chunk, strict=True)]
    for offset in itertools.product(*starts):
        mask, raw = dataset.id.read_direct_chunk(offset)
        if mask:
            raise ValueError(f"A chunk of the array {name} skips filters: refused.")
        size = math.prod(chunk) * dataset.dtype.itemsize
        content = unpacked(raw, used, size, dataset.dtype.itemsize)
        if len(content) != size:
            raise ValueError(f"A chunk of the array {name} does not have the expected {size:,} bytes: refused.")
        piece = np.frombuffer(content, dataset.dtype).reshape(chunk)
        place = tuple(slice(start, start + step) for start, step in zip(offset, chunk, strict=True))
        values[place] = piece[tuple(slice(0, axis) for axis in values[place].shape)]
    return values


def unpacked(content: bytes, used: list[int], size: int, itemsize: int) -> bytes:
    """Return a chunk without its filters, at most a little over `size` bytes."""
    for number in reversed(used):
        if number == CHECKSUM:
            content = _summed(content)
        elif number == SHUFFLE:
            content = np.frombuffer(content, np.uint8).reshape(itemsize, -1).T.tobytes()
        else:
            content = inflated(content, size)
    return content


def _summed(content: bytes) -> bytes:
    """Return a chunk without its checksum (Fletcher's, of 32 bits); ValueError if that is wrong."""
    content, stored = content[:-4], content[-4:]
    words = np.frombuffer(content + bytes(len(content) % 2), ">u2").astype(np.uint64)
    first = second = 0
    for start in range(0, len(words), SUMMED):
        part = words[start : start + SUMMED]
        second += len(part) * first + int(part @ np.arange(len(part), 0, -1, dtype=np.uint64))
        first += int(part.sum())
    halves = {
        (int.from_bytes(stored[:2], order) % 65535, int.from_bytes(stored[2:], order) % 65535)
        for order in ("little", "big")
    }  # fmt: skip (HDF5 before 1.6.3 swapped the bytes)
    if (first % 65535, second % 65535) not in halves:
        raise ValueError("A chunk of an array is damaged: its checksum is wrong.")
    return content


def inflated(content: bytes, size: int) -> bytes:
    """Return deflated bytes decompressed, at most a little over `size`; ValueError if they are damaged."""
    try:
        return zlib.decompressobj().decompress(content, size + 5)  # a checksum may follow, and one byte too many
    except zlib.error as error:
        raise ValueError(f"A chunk of an array is damaged: {error}.") from None
