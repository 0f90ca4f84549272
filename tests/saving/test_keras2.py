"""Files of real Keras 2.2.4: some that it wrote, and where CORNU_KERAS2_PYTHON names an interpreter with it, all kinds.

The program that wrote ``keras2.zip``: ``python keras2_models.py write FOLDER`` with Keras 2.2.4 and TensorFlow 1.15.
"""

import os

import keras as real
import numpy as np
import pytest

import cornu
from cornu.models import load_model, model_from_json
from saving import keras2_models, written_elsewhere

pytestmark = pytest.mark.old_spellings
PYTHON = os.environ.get("CORNU_KERAS2_PYTHON", "")
needs_keras_2 = pytest.mark.skipif(not PYTHON, reason="CORNU_KERAS2_PYTHON names no Python with Keras 2")
NAMES = list(keras2_models.MODELS)
# An inner model's calls, names with "/", the old hard_sigmoid, a file that was taken for damaged.
KEPT = ["perceptron", "images", "branches", "residual"]


def keras_2(task, folder):
    written_elsewhere.run(PYTHON, "keras2_models.py", task, folder, 280, KERAS_BACKEND="tensorflow")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return written_elsewhere.unpacked("keras2.zip", tmp_path_factory)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fresh")
    keras_2("write", folder)
    return folder


def assert_like(found, expected, rtol=1e-4):
    for key, value in found.items():
        close = rtol if key == "losses" else 2e-5
        np.testing.assert_allclose(value, expected[key], rtol=close, atol=2e-6, err_msg=key)


def assert_reads(folder, name):
    with np.load(folder / f"{name}.npz") as expected:
        assert_like(keras2_models.results(load_model(folder / f"{name}.h5")), expected)
        described = model_from_json((folder / f"{name}.json").read_text())
        described.load_weights(folder / f"{name}.weights.h5")
        assert_like(keras2_models.results(described, optimizer=False), expected)


@pytest.mark.parametrize("name", KEPT)
def test_kept_files_compute_the_same_and_train_on_to_the_same_losses(kept, name):
    assert_reads(kept, name)


@needs_keras_2
@pytest.mark.parametrize("name", NAMES)
def test_fresh_files_compute_the_same_and_train_on_to_the_same_losses(fresh, name):
    assert_reads(fresh, name)


@needs_keras_2
def test_keras_2_reads_the_weights_in_both_files_of_cornu(tmp_path):
    expected = {}
    for name, build in keras2_models.MODELS.items():
        model = build(cornu)
        keras2_models.train(model, *keras2_models.data_of(model), epochs=1)
        model.save(tmp_path / f"{name}.h5")
        model.save_weights(tmp_path / f"{name}_weights.h5")
        expected[name] = keras2_models.results(model, optimizer=False)
    keras_2("check", tmp_path)
    for name in NAMES:
        if name == "perceptron":  # a program's hard_sigmoid is Keras 3's in Cornu
            continue
        with np.load(tmp_path / f"{name}.keras2.npz") as found:
            assert len(found) == 2 * len(expected[name])
            for key, value in found.items():
                np.testing.assert_allclose(value, expected[name][key.split("/")[1]], rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", ["images", "branches", "residual"])
def test_from_keras_2_through_cornu_to_keras_3(kept, tmp_path, name, suffix):
    model = load_model(kept / f"{name}.h5")
    model.save(tmp_path / f"m{suffix}")
    theirs = real.models.load_model(tmp_path / f"m{suffix}")
    x, _ = keras2_models.data_of(model)
    for one, other in zip(*[model.predict(x, verbose=0), theirs.predict(x, verbose=0)], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_layer_in_a_model_is_written_without_its_input_shape(tmp_path):
    """Keras 3 refuses the key; the input in front of the layer says it."""
    model = cornu.Sequential([cornu.layers.Dense(3, input_shape=(4,))])
    model.save(tmp_path / "m.keras")
    assert real.models.load_model(tmp_path / "m.keras").input_shape == (None, 4)


def test_the_old_hard_sigmoid_keeps_its_numbers_also_in_files_of_cornu(kept, tmp_path):
    model = load_model(kept / "perceptron.h5")
    for suffix in (".keras", ".h5"):
        model.save(tmp_path / f"m{suffix}")
        again = load_model(tmp_path / f"m{suffix}")
        x, _ = keras2_models.data_of(model)
        np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
