"""The module ``tf.signal``: Fourier and cosine transforms, windows, frames, spectrograms of speech.

Follows https://www.tensorflow.org/api_docs/python/tf/signal
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import tensor_function
from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.dtypes import array_type
from cornu.core.variable import plain
from cornu.layers.spectrograms import mel_bands


def _complex(x: Any) -> jax.Array:
    x = jnp.asarray(x)
    return x if jnp.iscomplexobj(x) else x.astype("complex64")


def _transform(function: Callable, rank: int, about: str) -> Any:
    axes = tuple(range(-rank, 0))

    @tensor_function
    def call(input: Any, name: Any = None) -> jax.Array:
        return function(_complex(input), axes=axes)

    call.__doc__ = f"Return the {about} of the last {'axis' if rank == 1 else f'{rank} axes'}."
    return call


fft, fft2d, fft3d = (_transform(jnp.fft.fftn, rank, "Fourier transform") for rank in (1, 2, 3))
ifft, ifft2d, ifft3d = (_transform(jnp.fft.ifftn, rank, "inverse Fourier transform") for rank in (1, 2, 3))


def _real_transform(function: Callable, rank: int, to_real: bool, about: str) -> Any:
    axes = tuple(range(-rank, 0))

    @tensor_function
    def call(input: Any, fft_length: Any = None, name: Any = None) -> jax.Array:
        sizes = None if fft_length is None else tuple(int(size) for size in np.ravel(on_host(fft_length)))
        return function(_complex(input) if to_real else jnp.asarray(input), sizes, axes)

    call.__doc__ = f"Return the {about} along the last {'axis' if rank == 1 else f'{rank} axes'}."
    return call


rfft, rfft2d, rfft3d = (
    _real_transform(jnp.fft.rfftn, rank, False, "Fourier transform of real values") for rank in (1, 2, 3)
)
irfft, irfft2d, irfft3d = (
    _real_transform(jnp.fft.irfftn, rank, True, "real values of a Fourier transform") for rank in (1, 2, 3)
)


def _axes(axes: Any) -> Any:
    return tuple(axes) if isinstance(axes, (list, tuple)) else axes


@tensor_function
def fftshift(x: Any, axes: Any = None, name: Any = None) -> jax.Array:
    """Return a spectrum with frequency zero in the middle."""
    return jnp.fft.fftshift(jnp.asarray(x), _axes(axes))


@tensor_function
def ifftshift(x: Any, axes: Any = None, name: Any = None) -> jax.Array:
    """Undo `fftshift`."""
    return jnp.fft.ifftshift(jnp.asarray(x), _axes(axes))


# ---- windows


def _raised_cosine(length: int, periodic: bool, a: float, b: float, dtype: Any) -> jax.Array:
    if length == 1:
        return jnp.ones(1, array_type(dtype))
    count = length if periodic else length - 1
    return jnp.asarray(a - b * np.cos(2 * np.pi * np.arange(length) / count), array_type(dtype))


def hann_window(window_length: int, periodic: bool = True, dtype: Any = "float32", name: Any = None) -> jax.Array:
    """Return a Hann window.

    >>> hann_window(4).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    return _raised_cosine(int(window_length), periodic, 0.5, 0.5, dtype)


def hamming_window(window_length: int, periodic: bool = True, dtype: Any = "float32", name: Any = None) -> jax.Array:
    """Return a Hamming window."""
    return _raised_cosine(int(window_length), periodic, 0.54, 0.46, dtype)


def kaiser_window(window_length: int, beta: float = 12.0, dtype: Any = "float32", name: Any = None) -> jax.Array:
    """Return a Kaiser window."""
    return jnp.asarray(np.kaiser(int(window_length), float(beta)), array_type(dtype))


def kaiser_bessel_derived_window(
    window_length: int, beta: float = 12.0, dtype: Any = "float32", name: Any = None
) -> jax.Array:
    """Return a Kaiser-Bessel-derived window, for `mdct`."""
    sums = np.cumsum(np.kaiser(int(window_length) // 2 + 1, float(beta)))
    half = np.sqrt(sums[:-1] / sums[-1])
    return jnp.asarray(np.concatenate([half, half[::-1]]), array_type(dtype))


def vorbis_window(window_length: int, dtype: Any = "float32", name: Any = None) -> jax.Array:
    """Return a Vorbis window, for `mdct`."""
    angle = np.pi / int(window_length) * (np.arange(int(window_length)) + 0.5)
    return jnp.asarray(np.sin(np.pi / 2 * np.sin(angle) ** 2), array_type(dtype))


# ---- frames


@tensor_function
def frame(
    signal: Any, frame_length: int, frame_step: int, pad_end: bool = False, pad_value: Any = 0, axis: int = -1,
    name: Any = None,
) -> jax.Array:  # fmt: skip
    """Return overlapping parts of a signal: the axis becomes two, ``(frames, frame_length)``."""
    signal, length, step = jnp.asarray(signal), int(frame_length), int(frame_step)
    axis %= signal.ndim
    size = signal.shape[axis]
    count = -(-size // step) if pad_end else max(0, 1 + (size - length) // step)
    if pad_end:
        margin = [(0, 0)] * signal.ndim
        margin[axis] = (0, max(0, (count - 1) * step + length - size))
        signal = jnp.pad(signal, margin, constant_values=pad_value)
    places = np.arange(count)[:, None] * step + np.arange(length)
    return jnp.take(signal, places, axis)


@tensor_function
def overlap_and_add(signal: Any, frame_step: int, name: Any = None) -> jax.Array:
    """Return the sum of frames ``(..., frames, frame_length)`` laid one after another, `frame_step` apart."""
    signal, step = jnp.asarray(signal), int(frame_step)
    count, length = signal.shape[-2:]
    places = np.arange(count)[:, None] * step + np.arange(length)
    found = jnp.zeros((*signal.shape[:-2], (count - 1) * step + length), signal.dtype)
    return found.at[..., places].add(signal)


def _power_of_two(size: int) -> int:
    return 1 << max(int(size) - 1, 0).bit_length()


@tensor_function
def stft(
    signals: Any, frame_length: int, frame_step: int, fft_length: Any = None, window_fn: Any = hann_window,
    pad_end: bool = False, name: Any = None,
) -> jax.Array:  # fmt: skip
    """Return the short-time Fourier transform: ``(..., frames, fft_length // 2 + 1)``, complex."""
    length = int(frame_length)
    size = _power_of_two(length) if fft_length is None else int(fft_length)
    frames = frame(signals, length, frame_step, pad_end)
    if window_fn is not None:
        frames = frames * window_fn(length, dtype=frames.dtype)
    return jnp.fft.rfft(frames, size)


def inverse_stft_window_fn(frame_step: int, forward_window_fn: Any = hann_window, name: Any = None) -> Callable:
    """Return the window with which `inverse_stft` gives the signal of `stft` back."""

    def window(frame_length: int, dtype: Any = "float32") -> jax.Array:
        length, step = int(frame_length), int(frame_step)
        forward = forward_window_fn(length, dtype=dtype)
        overlaps = -(-length // step)
        squares = jnp.pad(jnp.square(forward), (0, overlaps * step - length)).reshape(overlaps, step)
        return forward / jnp.tile(jnp.sum(squares, 0), overlaps)[:length]

    return window


@tensor_function
def inverse_stft(
    stfts: Any, frame_length: int, frame_step: int, fft_length: Any = None, window_fn: Any = hann_window,
    name: Any = None,
) -> jax.Array:  # fmt: skip
    """Return the signal of a short-time Fourier transform."""
    length = int(frame_length)
    size = _power_of_two(length) if fft_length is None else int(fft_length)
    frames = jnp.fft.irfft(_complex(stfts), size)[..., :length]
    frames = jnp.pad(frames, [(0, 0)] * (frames.ndim - 1) + [(0, length - frames.shape[-1])])
    if window_fn is not None:
        frames = frames * window_fn(length, dtype=frames.dtype)
    return overlap_and_add(frames, frame_step)


# ---- cosine transforms and speech


def _scaled_cosines(size: int, count: int, kind: int) -> np.ndarray:
    """Return the matrix of a cosine transform, (values, coefficients), without normalization."""
    n, k = np.arange(size)[:, None], np.arange(count)
    if kind == 1:
        matrix = 2 * np.cos(np.pi * n * k / (size - 1))
        matrix[[0, -1]] /= 2
        return matrix
    if kind == 2:
        return 2 * np.cos(np.pi * (n + 0.5) * k / size)
    if kind == 3:
        matrix = 2 * np.cos(np.pi * n * (k + 0.5) / size)
        matrix[0] /= 2
        return matrix
    return 2 * np.cos(np.pi * (n + 0.5) * (k + 0.5) / size)


@functools.cache
def _cosines(size: int, kind: int, norm: str | None) -> np.ndarray:
    matrix = _scaled_cosines(size, size, kind)
    if norm == "ortho":
        matrix = matrix * np.sqrt(1 / (2 * size))
        if kind == 2:
            matrix[:, 0] /= np.sqrt(2)
        if kind == 3:
            matrix[0] *= np.sqrt(2)
    return matrix.astype("float32")


@tensor_function
def dct(
    input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: str | None = None, name: Any = None
) -> jax.Array:
    """Return the cosine transform of kind `type` (1 to 4) along the last axis; `norm` is None or ``"ortho"``."""
    x = jnp.asarray(input)
    if n is not None:
        x = x[..., : int(n)]
        x = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, int(n) - x.shape[-1])])
    return x @ jnp.asarray(_cosines(x.shape[-1], int(type), norm), x.dtype)


@tensor_function
def idct(
    input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: str | None = None, name: Any = None
) -> jax.Array:
    """Return the inverse cosine transform; without `norm` it is larger by twice the size, as in TensorFlow."""
    return dct(input, {2: 3, 3: 2}.get(type, type), n, axis, norm)


@tensor_function
def mdct(
    signals: Any, frame_length: int, window_fn: Any = vorbis_window, pad_end: bool = False, norm: Any = None,
    name: Any = None,
) -> jax.Array:  # fmt: skip
    """Return the modified cosine transform of frames that overlap by half."""
    half = int(frame_length) // 2
    frames = frame(signals, frame_length, half, pad_end)
    if window_fn is not None:
        frames = frames * window_fn(int(frame_length), dtype=frames.dtype)
    n, k = np.arange(2 * half)[:, None], np.arange(half)
    matrix = 2 * np.cos(np.pi / half * (n + 0.5 + half / 2) * (k + 0.5))
    matrix = matrix * np.sqrt(1 / (2 * half)) if norm == "ortho" else matrix
    return frames @ jnp.asarray(matrix, frames.dtype)


@tensor_function
def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: Any = None) -> jax.Array:
    """Return cepstral coefficients: a cosine transform of logarithms of mel spectrograms."""
    x = jnp.asarray(log_mel_spectrograms)
    return dct(x) * jax.lax.rsqrt(jnp.asarray(x.shape[-1] * 2.0, x.dtype))


def linear_to_mel_weight_matrix(
    num_mel_bins: int = 20, num_spectrogram_bins: int = 129, sample_rate: Any = 8000, lower_edge_hertz: float = 125.0,
    upper_edge_hertz: float = 3800.0, dtype: Any = "float32", name: Any = None,
) -> jax.Array:  # fmt: skip
    """Return the matrix from a spectrogram to triangular mel bands: ``(num_spectrogram_bins, num_mel_bins)``."""
    bands = mel_bands(
        int(num_mel_bins), int(num_spectrogram_bins), float(plain(sample_rate)), lower_edge_hertz, upper_edge_hertz
    )
    return jnp.asarray(bands, array_type(dtype))
