"""Losses and metrics over time steps: masked steps are left out, with weights of rows and of steps."""

import numpy as np
import pytest

from cornu import layers, models

RANDOM = np.random.default_rng(0)
WORDS = np.array([[1, 2, 3, 0, 0], [4, 5, 0, 0, 0], [6, 7, 8, 1, 2]], "int32")
TAGS = RANDOM.integers(0, 4, WORDS.shape).astype("int32")
KEPT = WORDS != 0


def tagger(**arguments):
    stack = [
        layers.Embedding(9, 4, mask_zero=True),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.TimeDistributed(layers.Dense(4, activation="softmax")),
    ]
    model = models.Sequential([layers.Input((None,), dtype="int32"), *stack])
    model.compile("sgd", "sparse_categorical_crossentropy", **arguments)
    return model


def losses_of(model):
    outputs = np.asarray(model(WORDS))
    return -np.log(np.take_along_axis(outputs, TAGS[..., None], axis=-1)[..., 0])


def test_masked_steps_are_left_out():
    model = tagger(metrics=["accuracy"])
    right = np.asarray(model(WORDS)).argmax(-1) == TAGS
    loss, accuracy = model.evaluate(WORDS, TAGS, verbose=0)
    np.testing.assert_allclose(loss, losses_of(model)[KEPT].mean(), rtol=1e-5)
    np.testing.assert_allclose(accuracy, right[KEPT].mean(), rtol=1e-5)


@pytest.mark.parametrize("shape", ["of rows", "of steps"])
def test_weights(shape, real_keras):
    weights = RANDOM.random(3 if shape == "of rows" else (3, 5)).astype("float32")
    mode = {"sample_weight_mode": "temporal"} if shape == "of steps" else {}
    model = tagger(weighted_metrics=["accuracy"], **mode)
    found = model.evaluate(WORDS, TAGS, sample_weight=weights, verbose=0)
    lay = real_keras.layers
    theirs = real_keras.Sequential(
        [
            real_keras.Input((None,), dtype="int32"),
            lay.Embedding(9, 4, mask_zero=True),
            lay.Bidirectional(lay.LSTM(3, return_sequences=True)),
            lay.TimeDistributed(lay.Dense(4, activation="softmax")),
        ]
    )
    theirs.set_weights(model.get_weights())
    theirs.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    each = weights.reshape(3, -1) * np.ones((3, 5), "float32")  # Keras 3 on JAX takes no weights of rows with masks
    np.testing.assert_allclose(found, theirs.evaluate(WORDS, TAGS, sample_weight=each, verbose=0), rtol=1e-5)
    history = [
        one.fit(WORDS, TAGS, sample_weight=given, epochs=3, verbose=0).history
        for one, given in ((model, weights), (theirs, each))
    ]
    np.testing.assert_allclose(history[0]["loss"], history[1]["loss"], rtol=1e-4)
