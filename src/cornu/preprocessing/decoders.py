"""Fast decoders for JPEG and PNG, the files that most folders consist of; all others are left to Pillow.

JPEGs are decoded by simplejpeg (the extra ``image``), PNGs by isal (or zlib) and a native kernel. What one of them does
not take, such as damaged files, is left to Pillow too. Pixels are the same as Pillow's, or TensorFlow's if asked for.
"""

import functools
import struct
import threading
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from cornu.kernels.native import pictures as native

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_JPEG_COLORS = {1: "GRAY", 3: "RGB", 4: "RGBA"}
#: Bytes up to which a thread keeps the memory for pixels: pages that are new cost as much as decoding small pictures.
_KEPT = 1 << 22

_threads = threading.local()


def decoded(data: bytes, channels: int, largest: int | None, as_tensorflow: bool = False) -> np.ndarray | None:
    """Return the pixels of a file's contents, or None if Pillow must read it.

    Args:
        data: The contents of a file.
        channels: 1, 3 or 4.
        largest: Number of pixels above which Pillow says what it thinks of such pictures.
        as_tensorflow: Whether JPEGs get the pixels of TensorFlow, whose transform is ``INTEGER_FAST``; those of Pillow
            differ from them by a few of 255.

    Returns:
        ``(height, width, channels)`` of uint8, in memory that this thread's next picture may overwrite.
    """
    if data.startswith(_JPEG):
        return _jpeg(data, channels, largest, as_tensorflow)
    if data.startswith(_PNG):
        return _png(data, channels, largest)
    return None


def _space(height: int, width: int, channels: int) -> np.ndarray:
    size = height * width * channels
    if size > _KEPT:
        return np.empty((height, width, channels), np.uint8)
    kept = getattr(_threads, "kept", None)
    if kept is None or kept.size < size:
        kept = _threads.kept = np.empty(size, np.uint8)
    return kept[:size].reshape(height, width, channels)


@functools.cache
def _simplejpeg() -> Any:
    try:
        import simplejpeg
    except ImportError:
        return None
    return simplejpeg


@functools.cache
def _inflating() -> Callable[[], Any]:
    """Return what makes a decompressor: isal takes a third of the time of zlib."""
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.decompressobj
    return isal_zlib.decompressobj


def _jpeg(data: bytes, channels: int, largest: int | None, as_tensorflow: bool) -> np.ndarray | None:
    decoder = _simplejpeg()
    if decoder is None:
        return None
    try:
        height, width, colors, _ = decoder.decode_jpeg_header(data)
        if colors in ("CMYK", "YCCK") or (largest and height * width > largest):
            return None
        space = _space(height, width, channels)
        return decoder.decode_jpeg(data, _JPEG_COLORS[channels], fastdct=as_tensorflow, buffer=space)
    except Exception:  # damaged, or of a rare kind: Pillow reads it or says what is wrong
        return None


#: Channels that are asked for -> channels of a PNG that Pillow converts by repeating or dropping some.
_STORED = {1: (1,), 3: (1, 3, 4), 4: (4,)}
#: Chunks of animations, whose first picture may be another one.
_ANIMATED = (b"acTL", b"fcTL", b"fdAT")


class _Header(NamedTuple):
    """The first chunk of a PNG, with its size and name."""

    size: int
    name: bytes
    width: int
    height: int
    depth: int
    color: int
    compression: int
    filters: int
    interlaced: int

    @property
    def channels(self) -> int:
        """The number of channels, 0 for files that are not read here."""
        is_header = self.size == 13 and self.name == b"IHDR"
        is_special = self.depth != 8 or self.compression or self.filters or self.interlaced
        if not is_header or is_special or self.width * self.height == 0:
            return 0
        return {0: 1, 2: 3, 6: 4}.get(self.color, 0)


def _png(data: bytes, channels: int, largest: int | None) -> np.ndarray | None:
    try:
        header = _Header(*struct.unpack_from(">I4sIIBBBBB", data, len(_PNG)))
        stored = header.channels
        is_too_large = largest and header.width * header.height > largest
        if stored not in _STORED[channels] or is_too_large or not native.can_unfilter():
            return None
        rows = _inflated(_png_contents(memoryview(data)), header.height * (1 + header.width * stored))
    except Exception:  # damaged: Pillow says what is wrong
        return None
    pixels = _space(header.height, header.width, stored)
    if not native.unfiltered(rows, pixels):
        return None
    if stored == channels:
        return pixels
    return pixels.repeat(channels, axis=2) if stored == 1 else np.ascontiguousarray(pixels[..., :channels])


def _png_contents(data: memoryview) -> bytes | memoryview:
    """Return the compressed pixels, or nothing if a chunk is damaged or changes them."""
    parts: list[memoryview] = []
    place, name, previous = len(_PNG), b"", b""
    while name != b"IEND":
        size, name = struct.unpack_from(">I4s", data, place)
        end = place + 8 + size
        (checksum,) = struct.unpack_from(">I", data, end)
        if name == b"IDAT":
            if parts and previous != name:
                return b""
            parts.append(data[place + 8 : end])
        elif name in _ANIMATED or (not parts and zlib.crc32(data[place + 4 : end]) != checksum):
            return b""
        place, previous = end + 4, name
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _inflated(compressed: bytes | memoryview, size: int) -> bytes:
    """Return what was compressed, or nothing if its size is another one."""
    inflating = _inflating()()
    found = inflating.decompress(compressed, size + 1)
    return found if inflating.eof and len(found) == size else b""
