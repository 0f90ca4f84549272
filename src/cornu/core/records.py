"""Fields of protocol buffer messages, and the records in which TensorFlow keeps messages: what is written.

The formats: https://protobuf.dev/programming-guides/encoding/, https://www.tensorflow.org/tutorials/load_data/tfrecord
"""

import struct

from cornu.core.crc32c import masked_crc32c


def record(data: bytes) -> bytes:
    """Return a record: length, its checksum, data, its checksum."""
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    return struct.pack("<I", masked_crc32c(data))


def varint(number: int) -> bytes:
    """Return a number of up to 64 bits in seven bits per byte; a negative one as two's complement.

    >>> varint(300)
    b'\\xac\\x02'
    """
    number &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value: bytes) -> bytes:
    """Return a length-delimited field: text, a message, or packed numbers."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def whole(number: int, value: int) -> bytes:
    """Return a field that holds an integer."""
    return varint(number << 3) + varint(value)


def double(number: int, value: float) -> bytes:
    """Return a field that holds a 64-bit float."""
    return varint(number << 3 | 1) + struct.pack("<d", value)
