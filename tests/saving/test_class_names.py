import json
import pickle
import zipfile

import h5py
import numpy as np
import pytest

import cornu as keras
from cornu import layers
from cornu.saving.class_names import KEY

NAMES = ["cat", "dog", "Zürich – 東京"]


def classifier(names=NAMES):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    model.class_names = names
    return model


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_files_keep_the_names_and_real_keras_ignores_them(tmp_path, name, real_keras):
    path = tmp_path / name
    model = classifier(tuple(NAMES))
    model.save(path)
    assert keras.saving.load_model(path).class_names == NAMES
    x = np.ones((2, 4), "float32")
    np.testing.assert_allclose(real_keras.saving.load_model(path).predict(x, verbose=0), model(x), rtol=1e-5)


def test_a_pickle_keeps_them():
    assert pickle.loads(pickle.dumps(classifier())).class_names == NAMES


@pytest.mark.parametrize("names", [None, {"0": "cat"}, "cats"])
def test_what_is_no_list_of_names_is_not_written(tmp_path, names):
    classifier(names).save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").class_names is None


def test_names_that_no_file_may_hold(tmp_path):
    with pytest.warns(UserWarning, match=r"The class names are not saved: model\.class_names has"):
        classifier(["a\nb", "c"]).save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").class_names is None


@pytest.mark.parametrize("names", ["cats", [1, 2], ["a\x1b[2J"], ["x" * 500], {"a": 1}])
def test_files_with_other_names_are_rejected(tmp_path, names):
    classifier().save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as good, zipfile.ZipFile(tmp_path / "bad.keras", "w") as bad:
        for info in good.infolist():
            content = good.read(info)
            if info.filename == "metadata.json":
                content = json.dumps(json.loads(content) | {KEY: names}).encode()
            bad.writestr(info, content)
    classifier().save(tmp_path / "bad.h5")
    with h5py.File(tmp_path / "bad.h5", "r+") as file:
        file.attrs[KEY] = json.dumps({"names": names}).encode()
    for name in ("bad.keras", "bad.h5"):
        with pytest.raises(ValueError, match=KEY):
            keras.saving.load_model(tmp_path / name)
