"""The module ``tf.audio``: WAV files."""

import struct
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.image_files import file_bytes
from cornu.data.dataset import EagerArray
from cornu.preprocessing.wav import decoded


class Recording(NamedTuple):
    """Samples ``(time, channels)`` from -1 to 1, and how many there are in a second."""

    audio: jax.Array
    sample_rate: jax.Array


def decode_wav(contents: Any, desired_channels: int = -1, desired_samples: int = -1, name: Any = None) -> Recording:
    """Return the recording in a WAV file's bytes, cut or filled up with zeros to `desired_samples`."""
    samples, rate = decoded(file_bytes(contents))
    if desired_samples >= 0:
        samples = samples[:desired_samples]
        samples = np.pad(samples, [(0, desired_samples - len(samples)), (0, 0)])
    if desired_channels > samples.shape[1]:
        samples = np.repeat(samples[:, :1], desired_channels, 1)
    elif desired_channels >= 0:
        samples = samples[:, :desired_channels]
    return Recording(jnp.asarray(samples), jnp.asarray(rate, "int32"))


def encode_wav(audio: Any, sample_rate: Any, name: Any = None) -> Any:
    """Return the bytes of a WAV file, of integers of 16 bits, with samples ``(time, channels)`` from -1 to 1."""
    samples = on_host(audio)
    data = np.clip(np.trunc(samples * 32767.0 + np.copysign(0.5, samples)), -32768, 32767).astype("<i2").tobytes()
    rate, channels = int(sample_rate), samples.shape[1]
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    return np.array(b"RIFF" + struct.pack("<I", len(body)) + body, object).view(EagerArray)
