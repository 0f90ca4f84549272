"""Spectrograms equal Keras's in every argument."""

import itertools

import keras
import numpy as np
import pytest

import cornu
from cornu import initializers, layers

SOUND = np.random.default_rng(0).standard_normal((2, 40, 3)).astype("float32")
MODES = ("log", "magnitude", "psd", "real", "imag", "stft")
STFT = {
    **{mode: {"mode": mode} for mode in MODES},
    "same": {"padding": "same", "frame_step": 3},
    **{
        f"{form}, {expand}": {"data_format": form, "expand_dims": expand, "mode": "stft"}
        for form, expand in itertools.product(("channels_first", "channels_last"), (True, False))
    },
    "long transform": {"fft_length": 16, "frame_step": 8},
    "short step": {"frame_step": 1},
    "odd": {"frame_length": 7, "fft_length": 32},
    "none": {"window": None, "scaling": None},
    "no window": {"window": None},
    "not scaled": {"scaling": None},
    "spectrum": {"scaling": "spectrum", "window": "blackman", "periodic": True},
    "array": {"window": np.linspace(0, 1, 8)},
    "list": {"window": [1.0, 2, 3, 4, 5, 6, 7, 8], "scaling": "spectrum"},
}
MEL = {
    "plain": {},
    "short window": {"sequence_length": 12},
    "hamming": {"window": "hamming", "sequence_stride": 3},
    "no window": {"window": None},
    "short and no window": {"window": None, "sequence_length": 12},
    "array": {"window": np.linspace(0.1, 1, 16)},
    "frequencies": {"min_freq": 100.0, "max_freq": 3000, "sampling_rate": 8000},
    "power": {"power_to_db": False},
    "magnitude": {"power_to_db": False, "mag_exp": 1.0},
    "quiet": {"top_db": 10.0, "ref_power": 0.5, "min_power": 1e-3},
    "negative reference": {"ref_power": -2.0},
    "many bins": {"num_mel_bins": 30, "fft_length": 32},
}


@pytest.mark.parametrize("name", STFT)
def test_stft_spectrograms_are_those_of_keras(name):
    arguments = {"frame_length": 8} | STFT[name]
    inputs = SOUND.transpose(0, 2, 1) if arguments.get("data_format") == "channels_first" else SOUND
    assert_equal(layers.STFTSpectrogram(**arguments), keras.layers.STFTSpectrogram(**arguments), inputs)


def assert_equal(ours, theirs, inputs):
    """Assert that outputs agree; tests/contract compares gradients, configs and inferred shapes."""
    found, expected = np.asarray(ours(inputs)), np.asarray(theirs(inputs))
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4)


def test_angles_are_those_of_keras():
    """Of vectors that are not almost zero, whose angle is a matter of rounding."""
    arguments = {"mode": "angle", "frame_length": 8}
    ours, theirs = layers.STFTSpectrogram(**arguments), keras.layers.STFTSpectrogram(**arguments)
    found, expected = np.asarray(ours(SOUND)), np.asarray(theirs(SOUND))
    difference = np.abs(np.angle(np.exp(1j * (found - expected))))
    inner = np.arange(found.shape[-1]) % 5 % 4 > 0  # without the frequencies whose imaginary part is 0
    assert difference[..., inner].max() < 1e-3


@pytest.mark.parametrize(("name", "batched"), [*((name, True) for name in MEL), ("plain", False), ("power", False)])
def test_mel_spectrograms_are_those_of_keras(name, batched):
    arguments = {"fft_length": 16, "sequence_stride": 5, "num_mel_bins": 4} | MEL[name]
    inputs = SOUND[:, :, 0] if batched else SOUND[0, :, 0]
    assert_equal(layers.MelSpectrogram(**arguments), keras.layers.MelSpectrogram(**arguments), inputs)


def test_config_and_matrix_are_those_of_keras():
    ours, theirs = (module.MelSpectrogram(sampling_rate=8001) for module in (layers, keras.layers))
    for key, value in theirs.get_config().items():
        if key not in ("dtype", "name"):
            assert ours.get_config()[key] == value, key
    arguments = (40, 257, 16000, 20.0, 7600.0)
    np.testing.assert_allclose(
        ours.linear_to_mel_weight_matrix(*arguments), theirs.linear_to_mel_weight_matrix(*arguments), atol=2e-5
    )


@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize(("window", "scaling"), [("hann", "density"), (None, "density"), ("boxcar", "spectrum")])
def test_the_initializer_is_that_of_keras(side, window, scaling):
    ours, theirs = (module.STFT(side, window, scaling, True) for module in (initializers, keras.initializers))
    np.testing.assert_allclose(ours((16, 1, 17)), theirs((16, 1, 17)), atol=1e-5)
    assert ours.get_config() == theirs.get_config()
    assert initializers.get({"class_name": "STFTInitializer", "config": ours.get_config()}).side == side


def test_float64_and_16_bits():
    for dtype in ("float16", "bfloat16"):
        found = layers.STFTSpectrogram("magnitude", 8, dtype=dtype)(SOUND)
        expected = layers.STFTSpectrogram("magnitude", 8)(SOUND)
        assert found.dtype == dtype
        np.testing.assert_allclose(np.asarray(found, "float32"), expected, atol=0.05)
        assert layers.MelSpectrogram(16, 4, num_mel_bins=3, dtype=dtype)(SOUND[..., 0]).dtype == dtype


def test_a_model_hears_the_pitch():
    cornu.utils.set_random_seed(0)
    time = np.arange(400) / 8000
    pitch = np.random.default_rng(0).uniform(300, 3000, 64)
    x = np.sin(2 * np.pi * pitch[:, None] * time).astype("float32")[..., None]
    model = cornu.Sequential(
        [
            cornu.Input((400, 1)),
            layers.STFTSpectrogram("log", 64, trainable=False),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(cornu.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, pitch > 1500, epochs=30, verbose=0)
    assert model.evaluate(x, pitch > 1500, verbose=0, return_dict=True)["accuracy"] > 0.95


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("STFTSpectrogram", {"mode": "power"}, "mode must be one of 'log'"),
        ("STFTSpectrogram", {"frame_step": 300}, "frame_step must be at most frame_length=256"),
        ("STFTSpectrogram", {"frame_step": 0}, "`frame_step` must be an integer of at least 1"),
        ("STFTSpectrogram", {"fft_length": 128}, "fft_length must be at least frame_length=256"),
        ("STFTSpectrogram", {"window": "round"}, "window must be a name in scipy.signal.windows"),
        ("STFTSpectrogram", {"scaling": "power"}, "scaling must be 'density', 'spectrum' or None"),
        ("STFTSpectrogram", {"padding": "causal"}, "padding"),
        ("MelSpectrogram", {"sequence_length": 4096}, "sequence_length must be at most fft_length=2048"),
        ("MelSpectrogram", {"num_mel_bins": 0}, "`num_mel_bins` must be an integer"),
        ("MelSpectrogram", {"max_freq": 10.0}, "`max_freq` must be a number of at least 20"),
    ],
)
def test_wrong_arguments(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(layers, kind)(**arguments)


def test_wrong_inputs():
    layer = layers.STFTSpectrogram(frame_length=64)
    with pytest.raises(ValueError, match="The window is longer than the signal"):
        layer(SOUND)
    with pytest.raises(TypeError, match="expects floats; got int32"):
        layer(np.ones((1, 100, 1), "int32"))
    with pytest.raises(ValueError, match=r"window must have the shape \(64,\) of a frame"):
        layers.STFTSpectrogram(frame_length=64, window=[1.0, 2.0])(SOUND)
    assert np.all(np.isfinite(layers.STFTSpectrogram(frame_length=1)(SOUND)))
    for window, message in (("blackman", "window must be 'hann', 'hamming'"), (np.ones(3), r"the shape \(16,\)")):
        with pytest.raises(ValueError, match=message):
            layers.MelSpectrogram(16, 4, window=window)(SOUND[..., 0])
    with pytest.warns(UserWarning, match="a power of two is faster than fft_length=100"):
        layers.STFTSpectrogram(frame_length=64, fft_length=100)
