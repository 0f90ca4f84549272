"""The whole library in ten seconds, for each commit: `pytest tests/tiny.py`, or `python tests/tiny.py`."""

import os
import subprocess
import sys

import numpy as np
import pytest

import cornu
from cornu import layers, models

ROWS = 256
PROGRAM = """\
from keras.models import Sequential; from keras.layers import Dense; from keras.datasets import mnist
model = Sequential([Dense(output_dim=10, input_dim=784, init='uniform', activation='softmax')])
model.compile(loss='categorical_crossentropy', optimizer='sgd'); print(model.count_params(), mnist.load_data()[1][1][0])
"""


@pytest.fixture(scope="module")
def mnist():
    """Give a slice of the real images, from 0 to 1, and their labels."""
    (x, y), (x_test, y_test) = cornu.datasets.mnist.load_data()
    assert (x.shape, x_test.shape, x.dtype) == ((60000, 28, 28), (10000, 28, 28), "uint8")
    assert (list(y[:5]), list(y_test[:5])) == ([5, 0, 4, 1, 9], [7, 2, 1, 0, 4])
    return x[:ROWS] / np.float32(255), y[:ROWS]


@pytest.fixture(scope="module")
def mlp(mnist):
    """Give a perceptron that trained three epochs, and its history."""
    cornu.utils.set_random_seed(1)
    x, y = mnist
    model = models.Sequential(
        [layers.Input((28, 28)), layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(10, "softmax")]
    )
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, model.fit(x, y, batch_size=32, epochs=3, verbose=0, validation_split=0.25)


def test_a_perceptron_learns(mlp):
    _, history = mlp
    assert history.history.keys() == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert history.history["accuracy"][-1] > 0.6


def test_its_evaluation_agrees_with_its_predictions(mlp, mnist):
    model, _ = mlp
    x, y = mnist
    probabilities = model.predict(x, verbose=0)
    assert probabilities.shape == (ROWS, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert accuracy == pytest.approx(np.mean(probabilities.argmax(axis=1) == y))
    assert loss == pytest.approx(-np.mean(np.log(probabilities[np.arange(ROWS), y])), rel=1e-4)


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_file_gives_the_same_model_which_trains_on(mlp, mnist, tmp_path, name):
    model, _ = mlp
    x, y = mnist
    model.save(tmp_path / name)
    loaded = models.load_model(tmp_path / name)
    np.testing.assert_array_equal(loaded(x[:32]), model(x[:32]))
    assert loaded.optimizer.iterations == model.optimizer.iterations
    assert np.isfinite(loaded.train_on_batch(x[:32], y[:32])).all()


def test_a_small_convolutional_network_learns(mnist):
    x, y = mnist[0][..., None], np.eye(10, dtype="float32")[mnist[1]]
    model = models.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(8, 3, strides=2, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy")
    losses = model.fit(x, y, batch_size=32, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0] < 3


def test_a_functional_model_with_two_inputs_follows_its_arithmetic():
    a, b = layers.Input((3,)), layers.Input((3,))
    shared = layers.Dense(2, use_bias=False)
    model = models.Model([a, b], layers.Subtract()([shared(a), shared(b)]))
    model.compile("sgd", "mse")
    first, second = np.ones((4, 3), "float32"), np.full((4, 3), 3, "float32")
    before = model.get_weights()[0]
    np.testing.assert_allclose(model.predict([first, second], verbose=0), first @ before - second @ before, rtol=1e-5)
    model.train_on_batch([first, second], np.zeros((4, 2)))
    out = (first - second) @ before
    gradient = (first - second).T @ out * 2 / out.size
    np.testing.assert_allclose(model.get_weights()[0], before - 0.01 * gradient, rtol=1e-5)


@pytest.mark.old_spellings
def test_an_old_program_runs(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "cornu", "run", "program.py"]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "7850 7\n"), done.stderr


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q"]))
