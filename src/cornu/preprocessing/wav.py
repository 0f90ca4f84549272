"""WAV files as arrays of samples, from -1 to 1."""

import struct
from typing import NamedTuple

import numpy as np

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
#: Numbers of other encodings -> their names, for messages.
_OTHERS = {2: "Microsoft ADPCM", 6: "A-law", 7: "mu-law", 17: "IMA ADPCM", 49: "GSM 6.10", 85: "MP3", 255: "AAC"}
#: A program that wrote to a pipe did not know the size.
_UNKNOWN_SIZE = 0xFFFFFFFF


class Recording(NamedTuple):
    """Samples ``(time, channels)``, float32 from -1 to 1, and how many there are in a second."""

    samples: np.ndarray
    rate: int


class _Format(NamedTuple):
    encoding: int
    channels: int
    rate: int
    bits: int


def decoded(data: bytes, most: int | None = None) -> Recording:
    """Return the recording in the bytes of a WAV file: PCM of 8, 16, 24 or 32 bits, floats of 32 or 64 bits.

    Integers of 16 bits are divided by 32768, as ``tf.audio.decode_wav`` does, others likewise by their largest.

    Args:
        data: The whole file.
        most: How many time steps are enough.

    Raises:
        ValueError: It is not a WAV file, is cut off, or has another encoding.

    Follows https://www.rfc-editor.org/rfc/rfc2361 and Microsoft's "Multiple Channel Audio Data and WAVE Files"
    """
    chunks = _chunks(data)
    if b"fmt " not in chunks:
        raise ValueError("It has no part 'fmt ', which says how samples are encoded.")
    form = _format(chunks[b"fmt "])
    if b"data" not in chunks:
        raise ValueError("It has no part 'data' with samples.")
    width = form.bits // 8
    steps = len(chunks[b"data"]) // (width * form.channels)
    steps = steps if most is None else min(steps, most)
    flat = _numbers(chunks[b"data"][: steps * width * form.channels], form)
    return Recording(flat.reshape(steps, form.channels), form.rate)


def _chunks(data: bytes) -> dict[bytes, memoryview]:
    """Return the parts of a file by their names, the first of each; what follows the samples is not read."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError("It is not a WAV file: it does not begin with 'RIFF' and 'WAVE'.")
    found: dict[bytes, memoryview] = {}
    view, place = memoryview(data), 12
    while place + 8 <= len(data) and b"data" not in found:
        name, size = struct.unpack_from("<4sI", data, place)
        place += 8
        there = len(data) - place
        if name == b"data" and size == _UNKNOWN_SIZE:
            size = there
        if size > there:
            raise ValueError(f"It is cut off: its part {name.decode('latin-1')!r} has {there} of {size} bytes.")
        found.setdefault(name, view[place : place + size])
        place += size + size % 2
    return found


def _format(chunk: memoryview) -> _Format:
    if len(chunk) < 16:
        raise ValueError(f"Its part 'fmt ' has {len(chunk)} bytes; 16 are expected.")
    encoding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if encoding == _EXTENSIBLE and len(chunk) >= 26:
        (encoding,) = struct.unpack_from("<H", chunk, 24)
    form = _Format(encoding, channels, rate, bits)
    if bits not in {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}.get(encoding, ()):
        name = {_PCM: "PCM", _FLOAT: "floats"} | _OTHERS
        raise ValueError(
            f"Its samples are {name.get(encoding, f'of encoding {encoding}')} of {bits} bits; 8, 16, 24 and 32 bits "
            "PCM, and floats of 32 and 64 bits are read. Convert it to 16 bits PCM."
        )
    if not channels or not rate:
        raise ValueError(f"It claims to have {channels} channels and {rate} samples per second.")
    return form


def _numbers(samples: memoryview, form: _Format) -> np.ndarray:
    if form.encoding == _FLOAT:
        return np.frombuffer(samples, f"<f{form.bits // 8}").astype("float32")
    if form.bits == 8:  # the only unsigned ones
        return (np.frombuffer(samples, "u1").astype("float32") - 128) / 128
    if form.bits == 24:
        wide = np.zeros((len(samples) // 3, 4), "u1")
        wide[:, 1:] = np.frombuffer(samples, "u1").reshape(-1, 3)
        whole = wide.view("<i4")[:, 0]
    else:
        whole = np.frombuffer(samples, f"<i{form.bits // 8}")
    return whole.astype("float32") * np.float32(0.5 ** (8 * whole.itemsize - 1))


def resampled(recording: Recording, rate: int) -> np.ndarray:
    """Return the samples ``(time, channels)`` at another rate, without the frequencies that it cannot hold."""
    if rate == recording.rate or not len(recording.samples):
        return recording.samples
    from scipy.signal import resample_poly

    return resample_poly(recording.samples, rate, recording.rate, axis=0).astype("float32", copy=False)
