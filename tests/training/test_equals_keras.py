"""Whole training runs follow real Keras's losses, with the same weights and unshuffled data."""

import numpy as np
import pytest

import cornu

ROWS, COLUMNS, CLASSES = 70, 6, 3


def data(seed=0, shape=(COLUMNS,)):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(ROWS, *shape)).astype("float32")
    y = np.eye(CLASSES, dtype="float32")[generator.integers(0, CLASSES, ROWS)]
    return x, y


def dense_stack(keras):
    return keras.Sequential(
        [
            keras.layers.Input((COLUMNS,)),
            keras.layers.Dense(8, activation="tanh", kernel_regularizer=keras.regularizers.L2(0.01)),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def convolutional(keras):
    return keras.Sequential(
        [
            keras.layers.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def branched(keras):
    inputs = keras.layers.Input((COLUMNS,))
    left = keras.layers.Dense(5, activation="relu")(inputs)
    right = keras.layers.Dense(5, activity_regularizer=keras.regularizers.L1(0.001))(inputs)
    merged = keras.layers.Concatenate()([left, keras.layers.multiply([left, right])])
    return keras.Model(inputs, keras.layers.Dense(CLASSES, activation="softmax")(merged))


def pair(real_keras, build, **compile_arguments):
    """Return Cornu's and Keras's model with the same weights, compiled alike (optimizers are made by name)."""
    ours, theirs = build(cornu), build(real_keras)
    ours.set_weights(theirs.get_weights())
    for model, keras in ((ours, cornu), (theirs, real_keras)):
        optimizer = keras.optimizers.get(compile_arguments["optimizer"])
        optimizer.learning_rate = compile_arguments.get("learning_rate", 0.01)
        model.compile(optimizer, loss=compile_arguments.get("loss", "categorical_crossentropy"), metrics=["accuracy"])
    return ours, theirs


@pytest.mark.parametrize("build", [dense_stack, convolutional, branched])
def test_losses_follow_keras_step_by_step(real_keras, build):
    x, y = data(shape=(8, 8, 1) if build is convolutional else (COLUMNS,))
    ours, theirs = pair(real_keras, build, optimizer="adam")
    for step in range(6):
        rows = slice(8 * step, 8 * step + 8)
        expected = theirs.train_on_batch(x[rows], y[rows])
        found = ours.train_on_batch(x[rows], y[rows])
        theirs.reset_metrics()
        np.testing.assert_allclose(found[0], expected[0], rtol=2e-4)
    for mine, keras_weight in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, keras_weight, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop"])
def test_fit_gives_the_history_that_keras_gives(real_keras, optimizer):
    x, y = data()
    weights = np.linspace(0.5, 2.0, ROWS).astype("float32")
    ours, theirs = pair(real_keras, dense_stack, optimizer=optimizer)
    arguments = {"epochs": 3, "batch_size": 16, "shuffle": False, "verbose": 0, "validation_split": 0.2}
    expected = theirs.fit(x, y, sample_weight=weights, **arguments).history
    found = ours.fit(x, y, sample_weight=weights, **arguments).history
    assert set(found) == set(expected)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_class_weight_equals_keras(real_keras):
    x, y = data()
    ours, theirs = pair(real_keras, dense_stack, optimizer="sgd")
    arguments = {
        "epochs": 2,
        "batch_size": 32,
        "shuffle": False,
        "verbose": 0,
        "class_weight": {0: 1.0, 1: 3.0, 2: 0.5},
    }
    expected, found = theirs.fit(x, y, **arguments).history, ours.fit(x, y, **arguments).history
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-4)


def test_evaluate_and_predict_equal_keras(real_keras):
    x, y = data()
    ours, theirs = pair(real_keras, branched, optimizer="sgd")
    np.testing.assert_allclose(ours.evaluate(x, y, verbose=0), theirs.evaluate(x, y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-6)


def test_several_outputs_with_weights_equal_keras(real_keras):
    x, y = data()
    target = np.random.default_rng(3).normal(size=(ROWS, 1)).astype("float32")

    def build(keras):
        inputs = keras.layers.Input((COLUMNS,))
        hidden = keras.layers.Dense(7, activation="relu")(inputs)
        classes = keras.layers.Dense(CLASSES, activation="softmax", name="classes")(hidden)
        return keras.Model(inputs, [classes, keras.layers.Dense(1, name="value")(hidden)])

    ours, theirs = build(cornu), build(real_keras)
    ours.set_weights(theirs.get_weights())
    histories = []
    for model, keras in ((ours, cornu), (theirs, real_keras)):
        model.compile(keras.optimizers.SGD(0.1), ["categorical_crossentropy", "mse"], loss_weights=[1.0, 0.3])
        history = model.fit(x, [y, target], epochs=2, batch_size=16, shuffle=False, verbose=0).history
        histories.append(history)
    for name in ("loss", "classes_loss", "value_loss"):
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-4, err_msg=name)


def test_the_short_last_batch_is_trained_exactly(real_keras):
    x, y = data()
    ours, theirs = pair(real_keras, branched, optimizer="sgd", learning_rate=0.5)
    arguments = {"epochs": 1, "batch_size": 64, "shuffle": False, "verbose": 0}
    theirs.fit(x, y, **arguments)
    ours.fit(x, y, **arguments)
    for mine, keras_weight in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, keras_weight, rtol=1e-4, atol=1e-6)
