"""Models with vocabularies go to Keras and back: see `keras_files.py`."""

import json
import pickle
import zipfile

import numpy as np
import pytest

import cornu
from layers.feature_preprocessing import keras_files

FILES, ANSWERS = keras_files.read()


@pytest.fixture(scope="module")
def ours():
    return {name: (model, inputs) for name, model, inputs in keras_files.models(cornu)}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_file_of_keras(name, tmp_path, ours):
    path = tmp_path / "theirs.keras"
    path.write_bytes(FILES[f"{name}.keras"])
    model = cornu.models.load_model(path)
    np.testing.assert_allclose(keras_files.computed(model, ours[name][1]), ANSWERS[name], rtol=1e-6)
    np.testing.assert_allclose(model.predict(ours[name][1], verbose=0), ANSWERS[name], rtol=1e-6)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_file_has_what_keras_writes(name, tmp_path, ours):
    ours[name][0].save(tmp_path / "ours.keras")
    (tmp_path / "theirs.keras").write_bytes(FILES[f"{name}.keras"])
    with zipfile.ZipFile(tmp_path / "ours.keras") as one, zipfile.ZipFile(tmp_path / "theirs.keras") as other:
        assert one.namelist() == other.namelist()
        for member in one.namelist():
            if member.startswith("assets"):
                assert one.read(member) == other.read(member)
        configs = [
            json.loads(archive.read("config.json"))["config"]["layers"][-1]["config"] for archive in (one, other)
        ]
    assert configs[0] == configs[1]


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", ANSWERS)
def test_files_of_our_own(name, suffix, tmp_path, ours):
    model, inputs = ours[name]
    model.save(tmp_path / f"model{suffix}")
    loaded = cornu.models.load_model(tmp_path / f"model{suffix}")
    np.testing.assert_allclose(keras_files.computed(loaded, inputs), ANSWERS[name], rtol=1e-6)


@pytest.mark.parametrize("name", ANSWERS)
def test_pickles(name, ours):
    model, inputs = ours[name]
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(keras_files.computed(loaded, inputs), ANSWERS[name], rtol=1e-6)
