import contextlib

import jax.numpy as jnp
import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.data.weights import with_class_weight

CLASSES = [0, 2, 1, 2]


@pytest.mark.parametrize(
    "y",
    [
        np.array(CLASSES),
        np.array(CLASSES, "float32")[:, None],
        jnp.array(CLASSES),
        np.eye(3)[CLASSES],
    ],
)
def test_each_row_weighs_as_its_class(y):
    weights = with_class_weight(y, None, {0: 2.0, 2: 0.5})
    np.testing.assert_array_equal(weights, [2, 0.5, 1, 0.5])


def test_sample_weights_are_multiplied():
    weights = with_class_weight(np.array(CLASSES), np.full((4, 2), 2.0), {"2": 3})
    np.testing.assert_array_equal(weights, [[2, 2], [6, 6], [2, 2], [6, 6]])


def test_without_class_weight_sample_weights_stay():
    given = np.ones(3)
    assert with_class_weight(None, given, None) is given


@pytest.mark.parametrize(
    ("y", "class_weight", "error", "words"),
    [
        (None, {0: 1}, ValueError, "a single output, and y"),
        ({"a": np.zeros(3)}, {0: 1}, ValueError, "a single output"),
        (np.zeros((2, 3, 4)), {0: 1}, ValueError, r"one class per row; y has shape \(2, 3, 4\)"),
        (np.zeros(3), "balancd", TypeError, "must be a dictionary"),
        (np.zeros(3), 2.0, TypeError, "must be a dictionary"),
        (np.zeros(3), [[1, 2]], TypeError, "must be a dictionary"),
        (np.array([0, 1, 2]), [1, 2], ValueError, "weights for the classes 0 to 1; y contains classes from 0 to 2"),
    ],
)
def test_what_cannot_be_looked_up_is_refused(y, class_weight, error, words):
    with pytest.raises(error, match=words):
        with_class_weight(y, None, class_weight)


@pytest.mark.parametrize("option", ["class_weight", "sample_weight"])
def test_training_with_weights_equals_keras(real_keras, option):
    x = np.random.rand(24, 3).astype("float32")
    y = np.random.randint(0, 2, 24).astype("int32")  # of int64, Keras 3.15 lets jax 0.12 warn
    weights = {"class_weight": {0: 1.0, 1: 4.0}, "sample_weight": np.random.rand(24)}
    losses, start = [], None
    for keras in (cornu, real_keras):
        model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2, activation="softmax")])
        start = start or model.get_weights()
        model.set_weights(start)
        model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
        run = {"batch_size": 10, "epochs": 3, "shuffle": False, "verbose": 0, option: weights[option]}
        history = model.fit(x, y, **run).history
        losses.append([*history["loss"], *history["accuracy"]])
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_weights_of_streams():
    def batches():
        while True:
            yield np.ones((4, 1), "float32"), np.array([0.0, 0, 0, 1]), np.array([1.0, 1, 1, 0])

    model = cornu.Sequential([layers.Input((1,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    assert model.evaluate(batches(), steps=2, verbose=0) == 0.0
    history = model.fit(batches(), steps_per_epoch=2, class_weight={0: 0.0}, verbose=0)
    assert history.history["loss"] == [0.0]


@pytest.mark.parametrize("given", [np.array([2.0, 1.0, 0.5]), [2, 1, 0.5], (2.0, 1.0, 0.5), jnp.array([2.0, 1.0, 0.5])])
def test_an_array_has_a_weight_for_each_class(given):
    np.testing.assert_array_equal(with_class_weight(np.array(CLASSES), None, given), [2, 0.5, 1, 0.5])


@pytest.mark.parametrize("word", ["balanced", "auto"])
@pytest.mark.parametrize("y", [np.array([0, 0, 0, 2]), np.eye(3)[[0, 0, 0, 2]], np.array([[0.0], [0], [0], [2]])])
def test_balanced_classes_count_alike(word, y):
    with pytest.warns(UserWarning, match=r"\{0: 0.667, 2: 2\}. Keras 1 and 2 accepted the word and ignored it"):
        weights = with_class_weight(y, None, word)
    np.testing.assert_allclose(weights, [2 / 3, 2 / 3, 2 / 3, 2])


def test_fit_takes_each_form_of_class_weights():
    x, y = np.random.rand(8, 3).astype("float32"), np.array([0, 0, 0, 1, 0, 0, 1, 0])
    losses = []
    for given in ({0: 8 / 12, 1: 2.0}, np.array([8 / 12, 2.0]), "balanced"):
        model = cornu.Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
        model.compile(cornu.optimizers.SGD(0.1), "mse")
        with pytest.warns(UserWarning, match="balanced") if isinstance(given, str) else contextlib.nullcontext():
            losses.append(model.fit(x, y, class_weight=given, epochs=2, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(losses[1:], [losses[0]] * 2, rtol=1e-6)


def test_batches_cannot_be_balanced_but_take_an_array():
    def batches():
        while True:
            yield np.ones((4, 1), "float32"), np.array([0.0, 0, 0, 1])

    model = cornu.Sequential([layers.Input((1,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    assert model.fit(batches(), steps_per_epoch=1, class_weight=[1.0, 0.0], verbose=0).history["loss"] == [0.0]
    with pytest.raises(ValueError, match="needs arrays rather than batches"):
        model.fit(batches(), steps_per_epoch=2, class_weight="balanced", verbose=0)
