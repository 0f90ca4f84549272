"""The part of `keras.ops` about segments, Fourier transforms, and special functions.

Follows https://keras.io/api/ops/
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.graph import op
from cornu.core.public import offer
from cornu.ops.lifting import arrays_first, indices, lifted, sized_by_values, unary

_IMPORTED = frozenset(globals())

erf = unary(jax.scipy.special.erf)
erfc = unary(jax.scipy.special.erfc)
erfinv = unary(jax.scipy.special.erfinv)
rsqrt = unary(jax.lax.rsqrt)


@arrays_first(1)
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> jax.Array:
    """Return ``log(sum(exp(x)))`` over `axis`, without overflow."""
    return jax.scipy.special.logsumexp(x, axis=axis, keepdims=keepdims)


@arrays_first(1)
def top_k(x: Any, k: int, sorted: bool = True) -> tuple[jax.Array, jax.Array]:
    """Return the `k` largest values of the last axis and their indices, each ``(..., k)``.

    >>> values, indices = top_k([3, 9, 5], 2)
    >>> values.tolist(), indices.tolist()
    ([9, 5], [1, 2])
    """
    values, places = jax.lax.top_k(jnp.asarray(x), k)
    return values, places


@arrays_first(2)
def in_top_k(targets: Any, predictions: Any, k: int) -> jax.Array:
    """Tell for each row whether the target class is among the `k` largest predictions.

    Args:
        targets: Integer classes ``(batch,)``.
        predictions: Scores ``(batch, classes)``.
        k: How many of the largest predictions count.

    Returns:
        Booleans ``(batch,)``. Ties count as in the top k; a target that is not a class, or whose prediction is not
        finite, does not.

    >>> in_top_k([1, 0], [[0.1, 0.9], [0.1, 0.9]], 1).tolist()
    [True, False]
    """
    predictions = jnp.asarray(predictions)
    is_class = jnp.asarray(targets)[..., None] == jnp.arange(predictions.shape[-1])
    of_target = jnp.sum(jnp.where(is_class, predictions, 0), axis=-1, keepdims=True)
    is_known = jnp.any(is_class, axis=-1) & jnp.isfinite(of_target[..., 0])
    return is_known & (jnp.sum(predictions > of_target, axis=-1) < k)


def _segments(function: Any) -> Any:
    def call(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> jax.Array:
        return function(jnp.asarray(data), indices(segment_ids), num_segments, indices_are_sorted=sorted)

    function = sized_by_values(function, "num_segments")
    call.__name__, call.__doc__ = function.__name__, f"Return {function.__name__} of the rows with the same segment id."
    return lifted(call, 2)


segment_sum = _segments(jax.ops.segment_sum)
segment_max = _segments(jax.ops.segment_max)
segment_min = _segments(jax.ops.segment_min)
segment_prod = _segments(jax.ops.segment_prod)


# ---- Fourier transforms take and return pairs (real part, imaginary part)


def _transform(function: Any) -> Any:
    def call(real: Any, imaginary: Any) -> tuple[jax.Array, jax.Array]:
        result = function(jax.lax.complex(jnp.asarray(real), jnp.asarray(imaginary)))
        return result.real, result.imag

    pair = lifted(call, 2)

    def of_pair(x: tuple) -> tuple[jax.Array, jax.Array]:
        return pair(*x)

    of_pair.__name__, of_pair.__doc__ = (
        function.__name__,
        f"Return {function.__name__} of a pair (real part, imaginary part).",
    )
    return of_pair


fft = _transform(jnp.fft.fft)
fft2 = _transform(jnp.fft.fft2)
ifft2 = _transform(jnp.fft.ifft2)


@arrays_first(1)
def rfft(x: Any, fft_length: int | None = None) -> tuple[jax.Array, jax.Array]:
    """Return the real and imaginary part of the Fourier transform of real values, along the last axis."""
    result = jnp.fft.rfft(x, n=fft_length)
    return result.real, result.imag


def irfft(x: tuple, fft_length: int | None = None) -> jax.Array:
    """Return the real values whose `rfft` is the pair `x`."""
    return _irfft(x[0], x[1], fft_length)


@arrays_first(2)
def _irfft(real: Any, imaginary: Any, length: int | None) -> jax.Array:
    return jnp.fft.irfft(jax.lax.complex(jnp.asarray(real), jnp.asarray(imaginary)), n=length)


@arrays_first(1)
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> jax.Array:
    """Return sliding windows of the last axis: ``(..., windows, sequence_length)``.

    >>> extract_sequences([1, 2, 3, 4], 2, 2).tolist()
    [[1, 2], [3, 4]]
    """
    starts = np.arange(0, x.shape[-1] - sequence_length + 1, sequence_stride)
    return jnp.asarray(x)[..., starts[:, None] + np.arange(sequence_length)]


@arrays_first(1)
def stft(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann", center: bool = True
) -> tuple[jax.Array, jax.Array]:
    """Return the short-time Fourier transform of signals.

    Args:
        x: Signals ``(..., samples)``.
        sequence_length: Samples per window.
        sequence_stride: Samples between the starts of two windows.
        fft_length: Length of each transform, at least `sequence_length`.
        window: ``"hann"``, ``"hamming"``, an array, or None for all ones.
        center: Whether to pad the signal so that windows are centred on their samples.

    Returns:
        Real and imaginary part, each ``(..., windows, fft_length // 2 + 1)``.

    Raises:
        ValueError: `window` is unknown or of another length, or `fft_length` is too small.
    """
    x = jnp.asarray(x)
    if center:
        x = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(fft_length // 2, fft_length // 2)], mode="reflect")
    frames = jnp.asarray(_window(window, sequence_length, fft_length), x.dtype)
    result = jnp.fft.rfft(extract_sequences(x, fft_length, sequence_stride) * frames, n=fft_length)
    return result.real, result.imag


@op
def istft(
    x: tuple, sequence_length: int, sequence_stride: int, fft_length: int, length: int | None = None,
    window: Any = "hann", center: bool = True,
) -> jax.Array:  # fmt: skip
    """Return the signals whose `stft` is the pair `x`, by overlap and add, cut to `length` samples."""
    frames = irfft(x, fft_length)
    weights = jnp.asarray(_window(window, sequence_length, fft_length), frames.dtype)
    count = frames.shape[-2]
    total = fft_length + sequence_stride * (count - 1)
    places = (np.arange(count) * sequence_stride)[:, None] + np.arange(fft_length)
    signal = jnp.zeros((*frames.shape[:-2], total), frames.dtype).at[..., places].add(frames * weights)
    norm = jnp.zeros(total, frames.dtype).at[places].add(jnp.square(weights))
    signal = signal / jnp.where(norm > 1e-10, norm, 1)
    start = fft_length // 2 if center else 0
    end = start + length if length is not None else total - start if center else total
    return signal[..., start:end]


def _window(window: Any, sequence_length: int, fft_length: int) -> np.ndarray:
    """Return the weights of a window, centred in an array of length `fft_length`."""
    if fft_length < sequence_length:
        raise ValueError(f"fft_length must be at least sequence_length={sequence_length}; got {fft_length}.")
    if window is None:  # all samples of the transform, as in Keras
        return np.ones(fft_length)
    if isinstance(window, str):
        cosine = np.cos(2 * np.pi * np.arange(sequence_length) / sequence_length)
        shapes = {"hann": 0.5 - 0.5 * cosine, "hamming": 0.54 - 0.46 * cosine}
        if window not in shapes:
            raise ValueError(f"window must be 'hann', 'hamming', None or an array; got {window!r}.")
        values = shapes[window]
    else:
        values = np.asarray(window)
        if values.shape != (sequence_length,):
            raise ValueError(f"window must have the shape ({sequence_length},); got {values.shape}.")
    before = (fft_length - len(values)) // 2
    return np.pad(values, (before, fft_length - len(values) - before))


offer(globals(), _IMPORTED)
