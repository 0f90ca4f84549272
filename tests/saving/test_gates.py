"""Weights of recurrent layers from Keras 1 and 2: other layouts, other defaults, and the layers of cuDNN.

The program that wrote ``recurrent.zip``: ``python recurrent_models.py FOLDER`` with Keras 1.2.2 and 2.2.4.
"""

import warnings

import numpy as np
import pytest

import cornu
from cornu.core import era
from cornu.models import clone_model, load_model, model_from_json
from saving import recurrent_models, written_elsewhere
from saving.recurrent_models import MODELS, PLAIN

pytestmark = pytest.mark.old_spellings
FILES = [("silent", "1.2.2"), ("around", "1.2.2"), *((name, "2.2.4") for name in MODELS)]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return written_elsewhere.unpacked("recurrent.zip", tmp_path_factory)


@pytest.fixture
def keras():
    """Cornu with the old names of layers, as a program of Keras 2 sees it."""
    from cornu.compat.imports import old_name

    class Layers:
        def __getattr__(self, name):
            return getattr(cornu.layers, name, None) or old_name("cornu.layers", name)

    class Keras:
        layers, models = Layers(), cornu.models

    return Keras()


def assert_like(model, kept, name, version):
    expected = np.load(kept / f"{name}-{version}.npy")
    np.testing.assert_allclose(model.predict(recurrent_models.data_of(name), verbose=0), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "version"), FILES)
def test_whole_models_and_configs_say_it_themselves(kept, name, version):
    assert_like(load_model(kept / f"{name}-{version}.h5"), kept, name, version)
    model = model_from_json((kept / f"{name}-{version}.json").read_text())
    model.load_weights(kept / f"{name}-{version}.weights.h5")
    assert_like(model, kept, name, version)


@pytest.mark.parametrize(("name", "version"), FILES)
@pytest.mark.parametrize("one", ["2", "3"])
def test_a_file_decides_what_the_program_leaves_out(kept, keras, name, version, one):
    with era.using(one):
        model = MODELS[name](keras)
        model.compile("sgd", "mse")
        model.predict(recurrent_models.data_of(name), verbose=0)  # compiles what has to be compiled again
        differs = one == "3" and name in ("silent", "around")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.load_weights(kept / f"{name}-{version}.weights.h5")
        texts = [str(warning.message) for warning in caught]
        assert len(texts) == differs, texts
        if differs:
            assert "recurrent_activation='hard_sigmoid_of_keras_2', reset_after=False" in texts[0]
            who = "an unknown version" if version == "1.2.2" else "Keras 2.2.4"  # Keras 1 wrote no version
            assert f"(written by {who})" in texts[0]
            assert "\n" not in texts[0]
        assert_like(model, kept, name, version)
        copy = clone_model(model)
        copy.set_weights(model.get_weights())
        assert_like(copy, kept, name, version)
        model.fit(recurrent_models.data_of(name), np.zeros((4, 2)), verbose=0)


def test_what_the_program_says_is_kept(kept):
    layers = cornu.layers
    said = {"recurrent_activation": "sigmoid"}
    model = cornu.Sequential(
        [
            layers.LSTM(4, return_sequences=True, input_shape=(5, 3), **said),
            layers.GRU(3, reset_after=False, **said),
            layers.Dense(2),
        ]
    )
    model.load_weights(kept / "silent-2.2.4.weights.h5")
    assert model.layers[0].recurrent_activation is cornu.activations.sigmoid
    model = cornu.Sequential(
        [
            layers.LSTM(4, return_sequences=True, input_shape=(5, 3)),
            layers.GRU(3, reset_after=True),
            layers.Dense(2),
        ]
    )
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"a weight 'bias' of shape \(2, 9\); the file's is \(9,\)"):
        model.load_weights(kept / "silent-2.2.4.weights.h5")
    assert model.layers[0].recurrent_activation is cornu.activations.sigmoid
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", list(PLAIN))
def test_weights_of_cudnn_fit_todays_layers_with_their_arguments(kept, name):
    model = PLAIN[name](cornu)
    model.load_weights(kept / f"{name}-2.2.4.weights.h5")
    assert_like(model, kept, name, "2.2.4")


def test_weights_of_cudnn_do_not_fit_a_gru_whose_reset_gate_comes_first(kept):
    model = recurrent_models.cudnn(cornu, "LSTM", "GRU", {}, {"reset_after": False})
    with pytest.raises(ValueError, match=r"the file's is \(2, 15\)"):
        model.load_weights(kept / "cudnn-2.2.4.weights.h5")


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras", ".safetensors"])
def test_files_of_cornu_say_it_too(tmp_path, suffix):
    """Also to a program of another era than the one that wrote them."""
    x = recurrent_models.data_of("silent")
    for written, read in (("2", "3"), ("3", "2"), ("2", "2"), ("3", "3")):
        path = tmp_path / f"{written}{read}{suffix}"
        with era.using(written):
            model = recurrent_models.around(cornu)
            model.save(path) if suffix == ".keras" else model.save_weights(path)
        with era.using(read), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            other = recurrent_models.around(cornu)
            other.load_weights(path)
        assert bool(caught) == (written != read)
        np.testing.assert_allclose(other.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)


def test_real_keras_decides_for_a_program_of_keras_2(tmp_path, real_keras):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras 3 wants an Input in place of input_shape
        theirs = recurrent_models.silent(real_keras)
    for path in (tmp_path / "m.weights.h5", tmp_path / "m.h5"):
        real_keras.saving.save_model(theirs, path) if path.name == "m.h5" else theirs.save_weights(path)
        with era.using("2"):
            model = recurrent_models.silent(cornu)
            with pytest.warns(UserWarning, match=r"recurrent_activation='sigmoid', reset_after=True"):
                model.load_weights(path)
        x = recurrent_models.data_of("silent")
        np.testing.assert_allclose(model.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=1e-6)
