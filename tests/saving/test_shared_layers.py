"""A layer that is in a model and in a model inside it stays one in every file, and keeps its optimizer state."""

import warnings

import numpy as np
import pytest

import cornu
from cornu.models import load_model, model_from_json

pytestmark = pytest.mark.old_spellings  # configs of real Keras have arguments that only compat knows
RANDOM = np.random.default_rng(0)
X, OTHER = (RANDOM.normal(size=(12, 4)).astype("float32") for _ in range(2))
Y = RANDOM.normal(size=(12, 2)).astype("float32")


def reused(lib):
    """A layer in the model, and in the model that it calls next."""
    start = lib.Input((4,))
    shared = lib.layers.Dense(4, activation="tanh")
    middle = shared(start)
    return lib.Model(start, lib.layers.Dense(2)(lib.Model(start, middle)(middle))), X


def siamese(lib):
    """The layers of an encoder on one input, and the encoder as a model on the other."""
    start, other = lib.Input((4,)), lib.Input((4,))
    hidden = lib.layers.Dense(3, activation="relu", name="enc")(start)
    encoder = lib.Model(start, hidden, name="encoder")
    joined = lib.layers.Concatenate()([hidden, encoder(other)])
    return lib.Model([start, other], lib.layers.Dense(2)(joined)), [X, OTHER]


def twins(lib):
    """One encoder that is called twice."""
    encoder = lib.Sequential([lib.Input((4,)), lib.layers.Dense(3), lib.layers.Dense(2)], name="encoder")
    start, other = lib.Input((4,)), lib.Input((4,))
    return lib.Model([start, other], lib.layers.Subtract()([encoder(start), encoder(other)])), [X, OTHER]


def two_encoders(lib):
    """One layer in two models inside: each has an input and a head of its own."""
    shared = lib.layers.Dense(3, name="shared")
    start, other = lib.Input((4,)), lib.Input((4,))
    ends = []
    for number, given in enumerate((start, other)):
        inner = lib.Input((4,))
        model = lib.Model(inner, lib.layers.Dense(2, name=f"head_{number}")(shared(inner)), name=f"encoder_{number}")
        ends.append(model(given))
    return lib.Model([start, other], lib.layers.Add()(ends)), [X, OTHER]


MODELS = {make.__name__: make for make in (reused, siamese, twins, two_encoders)}


def trained(lib, make):
    model, x = make(lib)
    model.compile(lib.optimizers.Adam(0.01), "mse")
    model.fit(x, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return model, x


def going_on(model, x):
    return model.fit(x, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history["loss"]


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", MODELS)
def test_sharing_is_kept_in_files_of_cornu(name, suffix, tmp_path, real_keras):
    model, x = trained(cornu, MODELS[name])
    path = tmp_path / f"m{suffix}"
    model.save(path)
    again = load_model(path)
    again.save(tmp_path / f"again{suffix}")
    theirs = None
    # Real Keras cannot read one layer in two models, not even from its own files, and has no sharing in .h5.
    if suffix == ".keras" and name != "two_encoders":
        theirs = real_keras.models.load_model(path)
        assert len(theirs.weights) == len(model.weights)
    described = model_from_json(model.to_json())
    assert len(described.weights) == len(model.weights)
    found = [load_model(path), load_model(tmp_path / f"again{suffix}")]
    np.testing.assert_allclose(found[0].predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6, atol=1e-7)
    losses = going_on(model, x)
    for one in found:
        assert len(one.weights) == len(model.weights)
        np.testing.assert_allclose(going_on(one, x), losses, rtol=1e-5)
    if theirs is not None:
        np.testing.assert_allclose(going_on(theirs, x), losses, rtol=1e-4)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", MODELS)
def test_sharing_is_kept_in_files_of_real_keras(name, suffix, tmp_path, real_keras):
    model, x = trained(real_keras, MODELS[name])
    path = str(tmp_path / f"m{suffix}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what its .h5 files lose
        model.save(path)
    read = load_model(path)
    assert len(read.weights) == len(model.weights)
    np.testing.assert_allclose(read.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(going_on(read, x), going_on(model, x), rtol=1e-4)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_layers_of_one_name_in_two_models_stay_two(suffix, tmp_path):
    start, other = cornu.Input((4,)), cornu.Input((4,))
    encoders = [
        cornu.Sequential(
            [cornu.Input((4,)), cornu.layers.Dense(2, name="same"), cornu.layers.BatchNormalization(name="n")]
        )
        for _ in range(2)
    ]
    model = cornu.Model([start, other], cornu.layers.Add()([encoders[0](start), encoders[1](other)]))
    model.save(tmp_path / f"m{suffix}")
    assert len(load_model(tmp_path / f"m{suffix}").weights) == len(model.weights) == 12


def test_two_layers_of_one_name_are_refused():
    start = cornu.Input((3,))
    with pytest.raises(ValueError, match=r"2 layers of the model have the name 'd': all names should be unique"):
        cornu.Model(start, cornu.layers.Dense(3, name="d")(cornu.layers.Dense(3, name="d")(start)))


def test_equal_models_give_equal_files(tmp_path):
    for name in ("a", "b"):
        cornu.utils.clear_session()
        cornu.utils.set_random_seed(1)
        siamese(cornu)[0].save(tmp_path / f"{name}.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
