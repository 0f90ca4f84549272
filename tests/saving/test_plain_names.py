"""Names of layers with "/" in files: written with "_", which Keras 3 wants, and found by either."""

import numpy as np
import pytest

import cornu
from cornu import layers, models

X = np.ones((2, 4), "float32")
Y = np.ones((2, 2), "float32")


def nested():
    """Return a compiled model with such names in it, in a model inside it, and in what it was compiled with."""
    inner = models.Sequential([layers.Input((4,)), layers.Dense(3, name="block1/one")], name="block1/all")
    start = layers.Input((4,), name="in/put")
    outputs = layers.Dense(2, name="out/a")(inner(start)), layers.Dense(2, name="out/b")(inner(start))
    model = models.Model(start, outputs)
    model.compile("adam", {"out/a": "mse", "out/b": "mae"}, loss_weights={"out/a": 1.0, "out/b": 2.0})
    model.fit(X, {"out/a": Y, "out/b": Y}, verbose=0)
    return model


@pytest.mark.filterwarnings("ignore::UserWarning")  # of Keras 3, about an optimizer
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_models_are_saved_loaded_and_read_by_keras_3(real_keras, tmp_path, suffix):
    model = nested()
    assert model.get_layer("block1/all").get_layer("block1/one").kernel.path.endswith("block1/one/kernel")
    model.save(tmp_path / f"m{suffix}")
    again = models.load_model(tmp_path / f"m{suffix}")
    theirs = real_keras.models.load_model(tmp_path / f"m{suffix}", compile=False)
    for one, other, third in zip(*(each.predict(X, verbose=0) for each in (model, again, theirs)), strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(one, third, rtol=1e-5, atol=1e-6)
    assert again.get_layer("block1/all").get_layer("block1/one").name == "block1_one"
    np.testing.assert_allclose(again.evaluate(X, [Y, Y], verbose=0), model.evaluate(X, [Y, Y], verbose=0), rtol=1e-6)
    for each in (model, again):
        each.fit(X, [Y, Y], verbose=0)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5", "w.safetensors"])
def test_weights_are_saved_and_loaded(tmp_path, name):
    model = nested()
    expected = model.predict(X, verbose=0)
    model.save_weights(tmp_path / name)
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    model.load_weights(tmp_path / name)
    np.testing.assert_array_equal(model.predict(X, verbose=0)[0], expected[0])
    if name == "w.h5":
        model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
        model.load_weights(tmp_path / name, by_name=True)
        np.testing.assert_array_equal(model.predict(X, verbose=0)[0], expected[0])


def test_copies_keep_their_names_and_texts_do_not():
    model = nested()
    assert [layer.name for layer in models.clone_model(model).layers][1:] == ["block1/all", "out/a", "out/b"]
    assert [layer.name for layer in models.model_from_json(model.to_json()).layers][2:] == ["out_a", "out_b"]
    assert cornu.Model.from_config(model.get_config()).count_params() == model.count_params()
