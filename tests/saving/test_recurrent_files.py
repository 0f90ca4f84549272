"""Recurrent models in files of Cornu that real Keras reads and goes on with, and the other way round."""

import numpy as np
import pytest

import cornu
from cornu.models import load_model

RANDOM = np.random.default_rng(2)
X = RANDOM.standard_normal((12, 6, 4)).astype("float32")
Y = RANDOM.standard_normal((12, 3)).astype("float32")
BATCH = 4


def nested(lib):
    """Recurrent layers in a model in a model, and the states of one in another."""
    layers = lib.layers
    inner = lib.Sequential([lib.Input((6, 5)), layers.GRU(4, return_sequences=True), layers.SimpleRNN(3)])
    start = lib.Input((6, 4))
    x, *states = layers.LSTM(5, return_sequences=True, return_state=True)(start)
    x = layers.LSTM(5, return_sequences=True)(x, initial_state=states)
    return lib.Model(start, layers.Dense(3)(inner(x)))


def both_directions(lib):
    layers = lib.layers
    return lib.Sequential(
        [
            lib.Input((6, 4)),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True, kernel_regularizer="l2"), name="first"),
            layers.Bidirectional(
                layers.GRU(3, return_sequences=True),
                backward_layer=layers.GRU(3, return_sequences=True, go_backwards=True, reset_after=False),
                merge_mode="sum",
            ),
            layers.TimeDistributed(layers.Dense(4)),
            layers.GRU(3, reset_after=False, recurrent_activation="hard_sigmoid", use_bias=False),
            layers.Dense(3),
        ]
    )


def stacked_cells(lib):
    layers = lib.layers
    cells = [layers.LSTMCell(4), layers.GRUCell(3), layers.SimpleRNNCell(5)]
    return lib.Sequential(
        [lib.Input((6, 4)), layers.RNN(layers.StackedRNNCells(cells), return_sequences=True),
         layers.RNN(layers.LSTMCell(3, unit_forget_bias=False)), layers.Dense(3)]
    )  # fmt: skip


def stateful(lib):
    layers = lib.layers
    return lib.Sequential(
        [
            lib.Input(batch_shape=(BATCH, 6, 4)),
            layers.LSTM(4, stateful=True, return_sequences=True, go_backwards=True),
            layers.GRU(3, stateful=True, unroll=True),
            layers.Dense(3),
        ]
    )


MODELS = {"nested": nested, "both_directions": both_directions, "stacked_cells": stacked_cells, "stateful": stateful}


def made(lib, name):
    model = MODELS[name](lib)
    model.compile("adam", "mse")
    return model


def train(model):
    return model.fit(X, Y, batch_size=BATCH, epochs=2, shuffle=False, verbose=0).history["loss"]


def predicted(model):
    for layer in model.layers:
        if getattr(layer, "stateful", False):
            layer.reset_state()
    return model.predict(X, batch_size=BATCH, verbose=0)


def assert_same(one, other, trains=True):
    np.testing.assert_allclose(predicted(one), predicted(other), rtol=1e-5, atol=2e-6)
    if trains:
        for model in (one, other):
            predicted(model)  # the states of stateful layers begin alike
        np.testing.assert_allclose(train(one), train(other), rtol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_real_keras_reads_what_cornu_wrote_and_trains_on(real_keras, tmp_path, name):
    model = made(cornu, name)
    train(model)
    for file in ("m.keras", "m.h5", "m.weights.h5"):
        model.save_weights(tmp_path / file) if "weights" in file else model.save(tmp_path / file)
    theirs = MODELS[name](real_keras)  # not compiled: Keras 3 has no optimizer before the first step
    theirs.load_weights(tmp_path / "m.weights.h5")
    assert_same(theirs, model, trains=False)
    assert_same(real_keras.models.load_model(tmp_path / "m.h5", compile=False), model, trains=False)
    theirs = real_keras.models.load_model(tmp_path / "m.keras")
    assert int(theirs.optimizer.iterations) == 6
    assert_same(theirs, model)


@pytest.mark.old_spellings
@pytest.mark.parametrize("name", MODELS)
def test_cornu_reads_what_real_keras_wrote_and_trains_on(real_keras, tmp_path, name):
    theirs = made(real_keras, name)
    train(theirs)
    theirs.save_weights(tmp_path / "m.weights.h5")
    theirs.save(tmp_path / "m.keras")
    model = MODELS[name](cornu)
    model.load_weights(tmp_path / "m.weights.h5")
    assert_same(theirs, model, trains=False)
    theirs.save(tmp_path / "m.h5")
    assert_same(theirs, load_model(tmp_path / "m.h5"), trains=False)
    assert_same(theirs, load_model(tmp_path / "m.keras"))
