"""CRC-32C (Castagnoli), the checksum in TensorFlow's files: events, checkpoints."""

import functools
from typing import Any

import numpy as np

POLYNOMIAL = 0x82F63B78  # bits reflected
MASK = 0xA282EAD8  # added by TensorFlow, so that checksums of texts with checksums in them stay good
SHORT = 1 << 12  # bytes up to which plain Python is as fast
PIECE = 1 << 23  # bytes that are computed together
MOST_LANES = 1 << 15


def _table() -> list[int]:
    """Return what each byte does to a checksum of zero."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _table()


def crc32c(data: Any, start: int = 0) -> int:
    """Return the CRC-32C checksum of bytes, or of bytes after others whose checksum is `start`.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    >>> hex(crc32c(b"56789", crc32c(b"1234")))
    '0xe3069283'
    """
    state, view = start ^ 0xFFFFFFFF, memoryview(data)
    while len(view) > SHORT:
        size = _lane_length(min(len(view), PIECE)) * _lanes(min(len(view), PIECE))
        state = int(_after(np.uint32(state), size)) ^ _of_lanes(view[:size])
        view = view[size:]
    for byte in view:
        state = state >> 8 ^ _TABLE[(state ^ byte) & 0xFF]
    return state ^ 0xFFFFFFFF


def masked_crc32c(data: Any) -> int:
    """Return the checksum as TensorFlow stores it: rotated, with a constant added."""
    return masked(crc32c(data))


def masked(crc: int) -> int:
    """Return a checksum rotated by 15 bits, with a constant added."""
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF


def _lanes(size: int) -> int:
    """Return in how many equal parts bytes are computed side by side: a power of two."""
    return min(1 << (size.bit_length() // 2), MOST_LANES)


def _lane_length(size: int) -> int:
    return size // _lanes(size) // 2 * 2


def _of_lanes(view: memoryview) -> int:
    """Return what bytes do to a checksum of zero: all parts at once, two bytes per step, then joined in pairs."""
    lanes = _lanes(len(view))
    pairs = np.frombuffer(view, "<u2").reshape(lanes, -1).T.copy()  # (pairs of a lane, lanes)
    table = _pair_table()
    states = np.zeros(lanes, np.uint32)
    for column in pairs:
        states = table[(states ^ column) & 0xFFFF] ^ (states >> 16)
    size = len(view) // lanes
    while len(states) > 1:
        states, size = _after(states[0::2], size) ^ states[1::2], 2 * size
    return int(states[0])


@functools.cache
def _pair_table() -> np.ndarray:
    table = np.array(_TABLE, np.uint32)
    pairs = np.arange(1 << 16, dtype=np.uint32)
    for _ in range(2):
        pairs = table[pairs & 0xFF] ^ (pairs >> 8)
    return pairs


def _after(states: Any, size: int) -> Any:
    """Return checksums after `size` bytes of zero."""
    return _product(_zeros(size), states)


@functools.lru_cache(256)
def _zeros(size: int) -> np.ndarray:
    """Return what `size` zero bytes do to each bit of a checksum: a matrix over two elements, as 32 columns."""
    if size == 0:
        return np.uint32(1) << np.arange(32, dtype=np.uint32)
    if size == 1:
        bits = _zeros(0)
        return np.array(_TABLE, np.uint32)[bits & 0xFF] ^ (bits >> 8)
    half = _zeros(size // 2)
    whole = _product(half, half)
    return _product(_zeros(1), whole) if size % 2 else whole


def _product(matrix: np.ndarray, states: Any) -> Any:
    result = states & np.uint32(0)
    for position, column in enumerate(matrix):
        result = result ^ (states >> np.uint32(position) & np.uint32(1)) * column
    return result
