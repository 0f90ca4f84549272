"""Every layer's weights survive model files: Cornu's own, and across to real Keras and back, in both formats."""

import keras
import numpy as np
import pytest

import cornu
from contract.table import LAYERS, call

#: Keras 3 drops these arguments when it reads an ``.h5`` file, also one of its own.
LOST_BY_KERAS = {
    "layer normalization": "axes of a list",
    "normalization": "axes of a list",
    "attention concat": "score_mode",
}


def model_with(entry, lib):
    """Return a functional model of one layer, its weights different from any first values."""
    layer = entry.make(lib.layers)
    shapes = entry.shapes if isinstance(entry.shapes, list) else [entry.shapes]
    dtype = "float32" if entry.highest is None else "int32"
    inputs = [lib.Input(shape[1:], dtype=dtype) for shape in shapes]
    given = tuple(inputs) if entry.apart else inputs if isinstance(entry.shapes, list) else inputs[0]
    model = lib.Model(inputs, call(layer, given))
    random = np.random.default_rng(5)
    model.set_weights([random.uniform(0.1, 1, np.shape(w)).astype(w.dtype) for w in model.get_weights()])
    return model


def assert_same_weights(one, other):
    for ours, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def saved_by_keras(model, path):
    """Save a model, and return whether Keras 3.15 can: it fails to copy some image layers for an ``.h5`` file."""
    try:
        model.save(path)
    except TypeError as error:
        if path.suffix != ".h5" or "cannot pickle 'module' object" not in str(error):
            raise
        return False
    return True


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", LAYERS)
def test_files_cross_to_keras_and_back(name, suffix, tmp_path):
    if suffix == ".h5" and name in LOST_BY_KERAS:
        pytest.skip(f"Keras 3 loses {LOST_BY_KERAS[name]}")
    model = model_with(LAYERS[name], cornu)
    model.save(tmp_path / f"ours{suffix}")
    files = ["ours"]
    if name != "equalization":  # Keras 3.15 cannot make a functional model of it
        theirs = keras.models.load_model(tmp_path / f"ours{suffix}")
        assert_same_weights(theirs, model)
        files += ["theirs"] if saved_by_keras(theirs, tmp_path / f"theirs{suffix}") else []
    for file in files:
        loaded = cornu.models.load_model(tmp_path / f"{file}{suffix}")
        assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in model.layers]
        assert_same_weights(loaded, model)
