"""Whole-model files in both directions: Cornu's in real Keras, real Keras's in Cornu."""

import numpy as np
import pytest

import cornu
from cornu.models import load_model

SUFFIXES = [".keras", ".h5"]


def assert_same(one, other, data, rtol=1e-5):
    np.testing.assert_allclose(one.predict(data[0], verbose=0), other.predict(data[0], verbose=0), rtol=rtol, atol=1e-6)
    np.testing.assert_allclose(one.evaluate(*data, verbose=0), other.evaluate(*data, verbose=0), rtol=rtol)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_round_trip_restores_predictions_optimizer_and_training(build, data, train, tmp_path, suffix):
    model = build(cornu)
    train(model, data)
    model.save(tmp_path / f"m{suffix}")
    loaded = load_model(tmp_path / f"m{suffix}")
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
    for ours, theirs in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    assert_same(loaded, model, data, rtol=1e-6)
    assert train(loaded, data, 2) == train(model, data, 2)


def test_real_keras_loads_what_cornu_wrote_and_trains_on(build, data, train, real_keras, tmp_path):
    model = build(cornu)
    train(model, data)
    model.save(tmp_path / "m.keras")
    theirs = real_keras.models.load_model(tmp_path / "m.keras")
    assert_same(theirs, model, data)
    assert int(theirs.optimizer.iterations) == 3
    np.testing.assert_allclose(train(theirs, data, 2), train(model, data, 2), rtol=1e-4)


def test_real_keras_loads_what_cornu_wrote_as_h5(build, data, real_keras, tmp_path):
    model = build(cornu, loss="mse", metrics=["mae"])
    model.save(tmp_path / "m.h5")
    theirs = real_keras.models.load_model(tmp_path / "m.h5")  # it cannot train on from any .h5 file, also its own
    assert_same(theirs, model, data)


def test_real_keras_loads_a_model_that_never_trained(build, data, train, real_keras, tmp_path):
    model = build(cornu)
    model.save(tmp_path / "m.keras")
    assert not model.optimizer.built
    theirs = real_keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(train(theirs, data), train(model, data), rtol=1e-4)


@pytest.mark.old_spellings
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cornu_loads_what_real_keras_wrote_and_trains_on(build, data, train, real_keras, tmp_path, suffix):
    theirs = build(real_keras)
    train(theirs, data)
    theirs.save(tmp_path / f"m{suffix}")
    loaded = load_model(tmp_path / f"m{suffix}")
    assert_same(loaded, theirs, data)
    assert int(loaded.optimizer.iterations) == 3
    np.testing.assert_allclose(train(loaded, data, 2), train(theirs, data, 2), rtol=1e-4)


def test_weights_files_fit_both_libraries(build, data, real_keras, tmp_path):
    ours, theirs, path = build(cornu), build(real_keras), tmp_path / "w.weights.h5"
    theirs.save_weights(path)
    ours.load_weights(path)
    assert_same(ours, theirs, data)
    ours = build(cornu)
    ours.save_weights(path)
    theirs.load_weights(path)
    assert_same(ours, theirs, data)


def test_old_weights_files_fit_both_libraries(build, data, real_keras, tmp_path):
    ours, theirs = build(cornu), build(real_keras)
    ours.save_weights(tmp_path / "w.h5")
    theirs.load_weights(tmp_path / "w.h5")
    assert_same(ours, theirs, data)
