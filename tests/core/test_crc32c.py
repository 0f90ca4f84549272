import random

import pytest

from cornu.core.crc32c import _TABLE, crc32c, masked_crc32c


def plain(data):
    """Compute the checksum byte by byte."""
    state = 0xFFFFFFFF
    for byte in data:
        state = state >> 8 ^ _TABLE[(state ^ byte) & 0xFF]
    return state ^ 0xFFFFFFFF


@pytest.mark.parametrize("size", [0, 1, 4_095, 4_096, 4_097, 5_001, 65_537, 123_457])
def test_long_and_short_data_have_the_same_checksum(size):
    data = random.Random(size).randbytes(size)
    assert crc32c(data) == plain(data)
    assert crc32c(data[size // 3 :], crc32c(data[: size // 3])) == crc32c(data)


def test_data_of_several_pieces():
    data = random.Random(0).randbytes((1 << 23) + 5_000)
    rest = crc32c(data[1 << 23 :], crc32c(data[: 1 << 23]))
    assert crc32c(data) == rest == crc32c(data[100:], crc32c(data[:100]))


def test_known_values():
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert masked_crc32c(b"") == 0xA282EAD8
