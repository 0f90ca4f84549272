import io
import struct
import wave

import numpy as np
import pytest
from scipy.io import wavfile

from cornu.preprocessing import wav
from utils.folder_cases import wav_file

WAVE = np.sin(np.arange(50) / 3)[:, None] * [0.9, -0.5]


def written(samples, rate=8000):
    file = io.BytesIO()
    wavfile.write(file, rate, samples)
    return file.getvalue()


@pytest.mark.parametrize(
    ("dtype", "scale", "shift"),
    [("uint8", 127, 128), ("int16", 32767, 0), ("int32", 2**31 - 129, 0), ("float32", 1, 0), ("float64", 1, 0)],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_another_program_writes(dtype, scale, shift, channels):
    given = (WAVE[:, :channels] * scale + shift).astype(dtype)
    found = wav.decoded(written(given), None)
    assert (found.samples.dtype, found.samples.shape, found.rate) == (np.float32, (50, channels), 8000)
    np.testing.assert_allclose(found.samples, WAVE[:, :channels], atol=1 / 64 if dtype == "uint8" else 1e-4)


def test_the_ends_of_each_range():
    for bits, least, most in ((8, 0, 255), (16, -(2**15), 2**15 - 1), (32, -(2**31), 2**31 - 1)):
        samples = np.array([[least], [most]], "u1" if bits == 8 else f"<i{bits // 8}")
        found = wav.decoded(wav_file(samples, bits=bits)).samples.ravel()
        assert found[0] == -1
        assert found[1] == np.float32(1 - 2.0 ** (1 - bits))


def test_24_bits():
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 3, 8000, 0, "NONE", ""))
        out.writeframes(b"".join(int(x * (2**23 - 1)).to_bytes(3, "little", signed=True) for x in WAVE[:, 0]))
    found = wav.decoded(file.getvalue()).samples
    np.testing.assert_allclose(found, WAVE[:, :1], atol=1e-6)


def test_extensible_and_other_parts():
    samples = np.array([[1], [2], [3]], "<i2")
    more = struct.pack("<HHIH", 22, 16, 4, 1) + bytes(14)
    odd = b"bext" + struct.pack("<I", 3) + b"abc\0"
    found = wav.decoded(wav_file(samples, encoding=0xFFFE, header=more, before=odd)).samples
    assert (found.ravel() * 32768).tolist() == [1, 2, 3]


def test_the_size_that_a_pipe_does_not_know():
    data = bytearray(wav_file(np.arange(5, dtype="<i2")[:, None]))
    place = data.index(b"data") + 4
    data[place : place + 4] = b"\xff\xff\xff\xff"
    assert wav.decoded(bytes(data)).samples.shape == (5, 1)


def test_no_more_than_is_wanted():
    whole = wav.decoded(written(WAVE.astype("float32"))).samples
    np.testing.assert_array_equal(wav.decoded(written(WAVE.astype("float32")), 7).samples, whole[:7])
    assert wav.decoded(wav_file(np.zeros((0, 2), "<i2"))).samples.shape == (0, 2)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a WAV file"),
        (b"fLaC" + bytes(40), "not a WAV file"),
        (b"RIFX" + wav_file(np.zeros((2, 1), "<i2"))[4:], "not a WAV file"),
        (wav_file(np.zeros((9, 1), "<i2"))[:-4], "cut off: its part 'data' has 14 of 18 bytes"),
        (wav_file(np.zeros((9, 1), "<i2"))[:36], "no part 'data'"),
        (wav_file(np.zeros((9, 1), "<i2"))[:12], "no part 'fmt '"),
        (wav_file(np.zeros((9, 1), "u1"), encoding=7, bits=8), "mu-law of 8 bits; 8, 16, 24.*Convert it"),
        (wav_file(np.zeros((9, 1), "u1"), encoding=1234, bits=4), "of encoding 1234 of 4 bits"),
        (wav_file(np.zeros((9, 1), "<i2"), bits=12), "PCM of 12 bits"),
        (wav_file(np.zeros((9, 1), "<i2"), rate=0), "1 channels and 0 samples per second"),
        (wav_file(np.zeros((2, 0), "<i2")), "0 channels"),
    ],
)
def test_other_files_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        wav.decoded(data)


def test_any_damage_is_a_value_error():
    rng = np.random.default_rng(0)
    whole = np.frombuffer(written((WAVE * 30000).astype("int16")), "u1")
    for _ in range(500):
        damaged = whole.copy()
        places = rng.integers(0, 44, 3)
        damaged[places] = rng.integers(0, 256, 3)
        try:
            found = wav.decoded(damaged[: rng.integers(0, len(whole))].tobytes())
        except ValueError:
            continue
        assert found.samples.dtype == np.float32


def test_resampling_keeps_what_fits_and_removes_what_does_not():
    time = np.arange(4000) / 8000
    low, high = np.sin(2 * np.pi * 300 * time), np.sin(2 * np.pi * 3500 * time)
    recording = wav.Recording((low + high)[:, None].astype("float32"), 8000)
    found = wav.resampled(recording, 4000)
    assert (found.shape, found.dtype) == ((2000, 1), np.float32)
    np.testing.assert_allclose(found[50:-50, 0], low[::2][50:-50], atol=5e-3)
    assert wav.resampled(recording, 8000) is recording.samples
