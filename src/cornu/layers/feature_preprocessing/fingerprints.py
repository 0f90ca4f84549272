"""Hashes of strings that are the same on every machine: FarmHash's Fingerprint64 and SipHash-2-4, as TensorFlow's.

Both are computed for all strings of one length at once, with numpy's 64-bit integers, which wrap around as they must.
"""

from collections.abc import Callable, Sequence

import numpy as np

Words = np.ndarray  # of uint64, one per string

K0, K1, K2 = (np.uint64(k) for k in (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F))
CROSS = np.uint64(0xC6A4A7935BD1E995)
SIP = tuple(np.uint64(k) for k in (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573))


def fingerprints(strings: Sequence[bytes]) -> Words:
    """Return FarmHash's Fingerprint64 of each string.

    Follows https://github.com/google/farmhash (``farmhashna::Hash64``).

    >>> fingerprints([b"", b"A"]).tolist()
    [11160318154034397263, 16915294056622060564]
    """
    return _by_length(strings, _farm)


def keyed_fingerprints(strings: Sequence[bytes], key: Sequence[int]) -> Words:
    """Return SipHash-2-4 of each string with a key of two integers (Aumasson and Bernstein, 2012)."""
    keys = [np.uint64(one % 2**64) for one in key]
    return _by_length(strings, lambda rows: _sip(rows, *keys))


def crossed(one: Words, other: Words) -> Words:
    """Return fingerprints of pairs, from those of their parts."""
    mixed = (one ^ CROSS) ^ _shift_mix(other * CROSS) * CROSS
    return _shift_mix(_shift_mix(mixed * CROSS) * CROSS)


def _by_length(strings: Sequence[bytes], hashed: Callable[[np.ndarray], Words]) -> Words:
    """Hash the strings of each length together: as a matrix of bytes, one row per string."""
    found = np.empty(len(strings), np.uint64)
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    order = np.argsort(lengths, kind="stable")
    ends = np.flatnonzero(np.diff(lengths[order], append=-1)) + 1
    for places in np.split(order, ends[:-1]):
        if places.size:
            joined = b"".join([strings[place] for place in places.tolist()])
            rows = np.frombuffer(joined, np.uint8).reshape(len(places), lengths[places[0]])
            found[places] = hashed(rows)
    return found


def _word(rows: np.ndarray, start: int, size: int = 8) -> Words:
    """Return the little-endian integer of `size` bytes of each row, from `start`, which may count from the end."""
    start = start if start >= 0 else rows.shape[1] + start
    part = np.ascontiguousarray(rows[:, start : start + size])
    return part.view(f"<u{size}")[:, 0].astype(np.uint64)


def _rotated(words: Words, bits: int) -> Words:
    """Rotate to the right."""
    return words if bits == 0 else (words >> np.uint64(bits)) | (words << np.uint64(64 - bits))


def _shift_mix(words: Words) -> Words:
    return words ^ (words >> np.uint64(47))


def _farm(rows: np.ndarray) -> Words:
    length = rows.shape[1]
    if length <= 16:
        return _farm_to_16(rows)
    if length <= 32:
        return _farm_to_32(rows)
    return _farm_to_64(rows) if length <= 64 else _farm_long(rows)


def _pair(one: Words, other: Words, factor: Words | np.uint64) -> Words:
    """Return the hash of 16 bytes."""
    mixed = _shift_mix((one ^ other) * factor)
    return _shift_mix((other ^ mixed) * factor) * factor


def _factor(rows: np.ndarray) -> np.uint64:
    return np.uint64((int(K2) + 2 * rows.shape[1]) % 2**64)


def _farm_to_16(rows: np.ndarray) -> Words:
    length = rows.shape[1]
    factor = _factor(rows)
    if length >= 8:
        a, b = _word(rows, 0) + K2, _word(rows, -8)
        return _pair(_rotated(b, 37) * factor + a, (_rotated(a, 25) + b) * factor, factor)
    if length >= 4:
        first = np.uint64(length) + (_word(rows, 0, 4) << np.uint64(3))
        return _pair(first, _word(rows, -4, 4), factor)
    if length == 0:
        return np.full(len(rows), K2)
    columns = rows.astype(np.uint64)
    y = columns[:, 0] + (columns[:, length >> 1] << np.uint64(8))
    z = np.uint64(length) + (columns[:, length - 1] << np.uint64(2))
    return _shift_mix((y * K2) ^ (z * K0)) * K2


def _farm_to_32(rows: np.ndarray) -> Words:
    factor = _factor(rows)
    a, b = _word(rows, 0) * K1, _word(rows, 8)
    c, d = _word(rows, -8) * factor, _word(rows, -16) * K2
    return _pair(_rotated(a + b, 43) + _rotated(c, 30) + d, a + _rotated(b + K2, 18) + c, factor)


def _farm_to_64(rows: np.ndarray) -> Words:
    factor = _factor(rows)
    a, b = _word(rows, 0) * K2, _word(rows, 8)
    c, d = _word(rows, -8) * factor, _word(rows, -16) * K2
    y = _rotated(a + b, 43) + _rotated(c, 30) + d
    z = _pair(y, a + _rotated(b + K2, 18) + c, factor)
    e, f = _word(rows, 16) * factor, _word(rows, 24)
    g, h = (y + _word(rows, -32)) * factor, (z + _word(rows, -24)) * factor
    return _pair(_rotated(e + f, 43) + _rotated(g, 30) + h, e + _rotated(f + a, 18) + g, factor)


def _weak(rows: np.ndarray, start: int, a: Words, b: Words) -> tuple[Words, Words]:
    """Mix 32 bytes into two words."""
    w, x, y, z = (_word(rows, start + step) for step in (0, 8, 16, 24))
    a = a + w
    b = _rotated(b + a + z, 21)
    c = a
    a = a + x + y
    return a + z, b + _rotated(a, 44) + c


def _farm_long(rows: np.ndarray) -> Words:
    count, length = rows.shape
    seed = np.uint64(81)
    x = np.full(count, seed)
    y = x * K1 + np.uint64(113)
    z = _shift_mix(y * K2 + np.uint64(113)) * K2
    v = w = (np.zeros(count, np.uint64), np.zeros(count, np.uint64))
    x = x * K2 + _word(rows, 0)
    last = (length - 1) // 64 * 64
    for start in range(0, last, 64):
        x = _rotated(x + y + v[0] + _word(rows, start + 8), 37) * K1
        y = _rotated(y + v[1] + _word(rows, start + 48), 42) * K1
        x, y = x ^ w[1], y + v[0] + _word(rows, start + 40)
        z = _rotated(z + w[0], 33) * K1
        v = _weak(rows, start, v[1] * K1, x + w[0])
        w = _weak(rows, start + 32, z + w[1], y + _word(rows, start + 16))
        z, x = x, z
    factor = K1 + ((z & np.uint64(0xFF)) << np.uint64(1))
    start = length - 64
    w = (w[0] + np.uint64((length - 1) & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x = _rotated(x + y + v[0] + _word(rows, start + 8), 37) * factor
    y = _rotated(y + v[1] + _word(rows, start + 48), 42) * factor
    x, y = x ^ w[1] * np.uint64(9), y + v[0] * np.uint64(9) + _word(rows, start + 40)
    z = _rotated(z + w[0], 33) * factor
    v = _weak(rows, start, v[1] * factor, x + w[0])
    w = _weak(rows, start + 32, z + w[1], y + _word(rows, start + 16))
    z, x = x, z
    return _pair(
        _pair(v[0], w[0], factor) + _shift_mix(y) * K0 + z,
        _pair(v[1], w[1], factor) + x,
        factor,
    )


def _sip(rows: np.ndarray, first: np.uint64, second: np.uint64) -> Words:
    count, length = rows.shape
    state = [np.full(count, key ^ word) for key, word in zip((first, second, first, second), SIP, strict=True)]
    whole = length // 8
    rest = np.zeros((count, 8), np.uint8)
    rest[:, : length % 8] = rows[:, whole * 8 :]
    rest[:, 7] = length % 256
    for word in [*(_word(rows, 8 * number) for number in range(whole)), _word(rest, 0)]:
        state[3] = state[3] ^ word
        state = _sip_round(_sip_round(state))
        state[0] = state[0] ^ word
    state[2] = state[2] ^ np.uint64(0xFF)
    for _ in range(4):
        state = _sip_round(state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _sip_round(state: list[Words]) -> list[Words]:
    a, b, c, d = state
    a, c = a + b, c + d
    b, d = _rotated(b, 64 - 13) ^ a, _rotated(d, 64 - 16) ^ c
    a = _rotated(a, 32)
    c, a = c + b, a + d
    b, d = _rotated(b, 64 - 17) ^ c, _rotated(d, 64 - 21) ^ a
    return [a, b, _rotated(c, 32), d]
