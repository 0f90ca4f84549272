"""Layers that turn sound into spectrograms."""

import warnings
from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from cornu import initializers, ops
from cornu.core import registry, settings
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.core.settings import standardize_data_format
from cornu.kernels.convolution import convolution
from cornu.layers.argument_checks import check_integer, number_in
from cornu.layers.window_arguments import check_not_empty, padding_word

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


@registry.LAYERS.add()
class STFTSpectrogram(Layer):
    """Compute the short-time Fourier transform of signals, as a convolution whose kernels can be trained.

    Args:
        mode: ``"log"`` (of the magnitude), ``"magnitude"``, ``"psd"`` (power of one side), ``"real"``, ``"imag"``,
            ``"angle"``, or ``"stft"`` (real parts, then imaginary ones).
        frame_length: Samples of a window.
        frame_step: Samples between the starts of two windows; None for half of `frame_length`.
        fft_length: Length of the transform, at least `frame_length`; None for the next power of two.
        window: Weights of a window, or a name in ``scipy.signal.windows``; None for equal weights.
        periodic: Whether a named window is periodic rather than symmetric.
        scaling: ``"density"`` or ``"spectrum"`` divides by the window's L2 or L1 norm; None does not.
        padding: ``"valid"`` (no padding) or ``"same"``.
        expand_dims: Whether frequencies and channels have an axis each, as in images.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, samples, channels)``, outputs ``(batch, windows, channels * frequencies)``, or with
        `expand_dims` ``(batch, windows, frequencies, channels)``; channels first: ``(batch, channels, samples)``,
        ``(batch, channels * frequencies, windows)`` and ``(batch, channels, windows, frequencies)``. There are
        ``fft_length // 2 + 1`` frequencies, twice as many for ``"stft"``.

    Raises:
        ValueError: An argument is wrong, or a signal is shorter than the window.
        TypeError: Inputs are integers.

    Follows https://keras.io/api/layers/preprocessing_layers/audio_preprocessing/stft_spectrogram/

    >>> import numpy as np
    >>> STFTSpectrogram(frame_length=4, frame_step=2)(np.ones((1, 10, 1), "float32")).shape
    (1, 4, 3)
    """

    keeps_rows_apart = True

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        if mode not in _MODES:
            raise ValueError(f"STFTSpectrogram: mode must be one of {', '.join(map(repr, _MODES))}; got {mode!r}.")
        self.mode = mode
        self.frame_length = check_integer(self, "frame_length", frame_length)
        self.frame_step = None if frame_step is None else check_integer(self, "frame_step", frame_step)
        if self.frame_step is not None and self.frame_step > self.frame_length:
            raise ValueError(
                f"STFTSpectrogram: frame_step must be at most frame_length={frame_length}; got {frame_step}."
            )
        self.fft_length = None if fft_length is None else check_integer(self, "fft_length", fft_length)
        self._check_fft_length()
        self.window, self.periodic, self.scaling = window, periodic, scaling
        self._kernel("real")  # refuses a wrong window or scaling
        self.padding = padding_word(self, padding)
        self.expand_dims = expand_dims
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)

    def _check_fft_length(self) -> None:
        length = self.fft_length
        if length is None:
            return
        if length < self.frame_length:
            raise ValueError(
                f"STFTSpectrogram: fft_length must be at least frame_length={self.frame_length}; got {length}."
            )
        if length & (length - 1):
            warnings.warn(f"STFTSpectrogram: a power of two is faster than fft_length={length}.", stacklevel=3)

    def _kernel(self, side: str) -> Any:
        return initializers.STFT(side, self.window, self.scaling, self.periodic)

    def build(self, input_shape: Any = None) -> None:
        length = self.fft_length or 1 << (self.frame_length - 1).bit_length()
        shape = (self.frame_length, 1, length // 2 + 1)
        for side in ("real", "imag"):
            if self.mode not in ("real", "imag") or self.mode == side:
                setattr(self, f"{side}_kernel", self.add_weight(shape, self._kernel(side), name=f"{side}_kernel"))

    def call(self, inputs: jax.Array) -> jax.Array:
        if not jnp.issubdtype(inputs.dtype, jnp.floating):
            raise TypeError(f"STFTSpectrogram expects floats; got {inputs.dtype}. Scale the samples to -1 to 1 first.")
        if self.data_format == "channels_last":
            inputs = jnp.swapaxes(inputs, 1, 2)  # (batch, channels, samples)
        channels, samples = inputs.shape[1:]
        kernels = [getattr(self, f"{side}_kernel", None) for side in ("real", "imag")]
        kernel = jnp.concatenate([jnp.asarray(one) for one in kernels if one is not None], -1).astype(inputs.dtype)
        step = self.frame_step or self.frame_length // 2 or 1
        parts = convolution(jnp.reshape(inputs, (-1, samples, 1)), kernel, step, self.padding)
        check_not_empty(
            self, inputs, parts, "The window is longer than the signal: pad it, or use a smaller frame_length."
        )
        outputs = self._measured(parts)  # (batch * channels, windows, frequencies)
        outputs = jnp.reshape(outputs, (-1, channels, *outputs.shape[1:]))
        return self._arranged(outputs)

    def _measured(self, parts: jax.Array) -> jax.Array:
        """Return what the mode asks for, of the real and imaginary parts, which are joined along the last axis."""
        if self.mode in ("real", "imag", "stft"):
            return parts
        real, imaginary = jnp.split(parts, 2, axis=-1)
        if self.mode == "angle":
            return jnp.arctan2(imaginary, real)
        power = jnp.square(real) + jnp.square(imaginary)
        if self.mode == "psd":  # each but the first and last frequency stands for its negative, too
            return power + jnp.pad(power[..., 1:-1], [(0, 0), (0, 0), (1, 1)])
        magnitude = jnp.sqrt(jnp.maximum(power, settings.epsilon()))
        return magnitude if self.mode == "magnitude" else jnp.log(jnp.maximum(magnitude, settings.epsilon()))

    def _arranged(self, outputs: jax.Array) -> jax.Array:
        """Move the axes of ``(batch, channels, windows, frequencies)`` to where the layer's options put them."""
        batch, channels, windows, frequencies = outputs.shape
        if self.data_format == "channels_first":
            if self.expand_dims:
                return outputs
            return jnp.reshape(jnp.swapaxes(outputs, 2, 3), (batch, channels * frequencies, windows))
        if self.expand_dims:
            return jnp.transpose(outputs, (0, 2, 3, 1))
        return jnp.reshape(jnp.swapaxes(outputs, 1, 2), (batch, windows, channels * frequencies))


@registry.LAYERS.add()
class MelSpectrogram(Layer):
    """Compute the power of signals over time in bands that are equally wide on the mel scale, as ears hear.

    Args:
        fft_length: Length of the transform of each window.
        sequence_stride: Samples between the starts of two windows.
        sequence_length: Samples of a window, at most `fft_length`, which None stands for.
        window: ``"hann"``, ``"hamming"``, an array ``(sequence_length,)``, or None for equal weights.
        sampling_rate: Samples per second.
        num_mel_bins: Number of bands.
        min_freq, max_freq: Lowest and highest frequency in hertz; None for half of `sampling_rate`.
        power_to_db: Whether to return decibels.
        top_db: Decibels below the loudest value of all inputs at which smaller ones are cut off.
        mag_exp: Exponent of the magnitude: 2 for power.
        min_power: Least value whose decibels are taken.
        ref_power: Value that has 0 decibels.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(samples,)`` or ``(batch, samples)``, outputs ``(..., num_mel_bins, windows)``.

    Raises:
        ValueError: An argument is wrong.

    Follows https://keras.io/api/layers/preprocessing_layers/audio_preprocessing/mel_spectrogram/

    >>> import numpy as np
    >>> MelSpectrogram(fft_length=256, sequence_stride=64, num_mel_bins=8)(np.ones((2, 640), "float32")).shape
    (2, 8, 11)
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        self.fft_length = check_integer(self, "fft_length", fft_length)
        self.sequence_stride = check_integer(self, "sequence_stride", sequence_stride)
        self.sequence_length = check_integer(self, "sequence_length", sequence_length or fft_length)
        if self.sequence_length > self.fft_length:
            raise ValueError(
                f"MelSpectrogram: sequence_length must be at most fft_length={fft_length}; got {sequence_length}."
            )
        self.window = window
        self.sampling_rate = number_in(self, "sampling_rate", sampling_rate, 1)
        self.num_mel_bins = check_integer(self, "num_mel_bins", num_mel_bins)
        self.min_freq = number_in(self, "min_freq", min_freq, 0)
        self.max_freq = number_in(self, "max_freq", max_freq or int(sampling_rate / 2), self.min_freq)
        self.power_to_db, self.top_db, self.mag_exp = power_to_db, top_db, mag_exp
        self.min_power, self.ref_power = min_power, ref_power

    def call(self, inputs: jax.Array) -> jax.Array:
        dtype = "float64" if self.compute_dtype == "float64" else "float32"  # transforms take no 16-bit floats
        real, imaginary = ops.stft(
            inputs.astype(dtype), self.sequence_length, self.sequence_stride, self.fft_length, self.window
        )
        power = jnp.sqrt(jnp.square(real) + jnp.square(imaginary)) ** self.mag_exp
        bands = self.linear_to_mel_weight_matrix(
            self.num_mel_bins, power.shape[-1], self.sampling_rate, self.min_freq, self.max_freq
        )
        outputs = power @ bands.astype(dtype)  # (..., windows, num_mel_bins)
        if self.power_to_db:
            outputs = self._decibels(outputs)
        return jnp.swapaxes(outputs, -1, -2).astype(self.compute_dtype)

    def _decibels(self, power: jax.Array) -> jax.Array:
        reference = 10 * np.log10(max(abs(self.ref_power), self.min_power))
        decibels = 10 * jnp.log10(jnp.maximum(power, self.min_power)) - reference
        return jnp.maximum(decibels, jnp.max(decibels) - self.top_db)

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: float = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: Any = "float32",
    ) -> jax.Array:
        """Return the matrix ``(num_spectrogram_bins, num_mel_bins)`` that sums frequencies into triangular bands.

        Each band begins and ends in the middle of its neighbours; the lowest frequency, 0, is in none of them.
        """
        bands = mel_bands(num_mel_bins, num_spectrogram_bins, sampling_rate, lower_edge_hertz, upper_edge_hertz)
        return jnp.asarray(bands, dtype)


def mel_bands(bands: int, frequencies: int, rate: float, lowest: float, highest: float) -> np.ndarray:
    """Return the matrix ``(frequencies, bands)`` that sums frequencies up to half of `rate` into triangular bands.

    The bands are between `lowest` and `highest`, in hertz.
    """
    edges = np.linspace(_mel(lowest), _mel(highest), bands + 2)
    places = _mel(np.linspace(0, rate / 2, frequencies))[:, None]
    lower, middle, upper = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (places - lower) / (middle - lower), (upper - places) / (upper - middle)
    found = np.maximum(0, np.minimum(rising, falling))
    found[0] = 0
    return found


def _mel(hertz: Any) -> Any:
    """Return frequencies on the mel scale of the Hidden Markov Model Toolkit."""
    return 1127 * np.log(1 + np.asarray(hertz) / 700)


__all__ = [
    "MelSpectrogram",
    "STFTSpectrogram",
]
