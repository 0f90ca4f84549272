"""A model file that reads digits, and a photographed sheet of them."""

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.datasets import mnist


@pytest.fixture(scope="session")
def digits_model(tmp_path_factory):
    """Return the path of a small model that was trained on a few images of MNIST."""
    (x, y), _ = mnist.load_data()
    cornu.utils.set_random_seed(1)
    model = cornu.Sequential(
        [layers.Input((784,)), layers.Dense(32, activation="relu"), layers.Dense(10, activation="softmax")]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    hot = cornu.utils.to_categorical(y[:4000], 10)
    model.fit(x[:4000].reshape(-1, 784) / 255, hot, epochs=4, batch_size=64, verbose=0)
    path = tmp_path_factory.mktemp("models") / "digits.keras"
    model.save(path)
    return str(path)


@pytest.fixture(scope="session")
def two_model(tmp_path_factory):
    """Return the path of a compiled model of two inputs and two outputs: the sum of `a` plus `b`, and ten times `b`."""
    a, b = layers.Input((2,), name="a"), layers.Input((1,), name="b")
    total = layers.Dense(1, name="total", kernel_initializer="ones")(layers.Concatenate()([a, b]))
    tenfold = layers.Dense(1, name="tenfold", kernel_initializer=cornu.initializers.Constant(10.0))(b)
    model = cornu.Model([a, b], [total, tenfold])
    model.compile("sgd", "mse")
    path = tmp_path_factory.mktemp("models") / "two.keras"
    model.save(path)
    return str(path)


@pytest.fixture(scope="session")
def photo(tmp_path_factory):
    """Return the path of a photographed sheet with 7 2 1 in the first line and 0 4 1 in the second."""
    image = pytest.importorskip("PIL.Image")
    x = mnist.load_data()[1][0]
    sheet = np.zeros((360, 520))
    for i in range(6):
        top, left = 30 + i // 3 * 160, 40 + i % 3 * 160
        sheet[top : top + 112, left : left + 112] = np.kron(x[i] / 255, np.ones((4, 4)))
    light = 0.9 - 0.3 * np.mgrid[0:360, 0:520][1] / 520
    colours = light[..., None] * (1 - 0.7 * sheet[..., None] * np.array([0.9, 0.8, 0.5]))
    path = tmp_path_factory.mktemp("photos") / "photo.jpg"
    image.fromarray((colours * 255).astype("uint8")).save(path, quality=90)
    return str(path)


@pytest.fixture
def few_images(monkeypatch):
    """Give the examples the first 600 training images and 100 test images of MNIST."""
    from cornu.datasets import mnist

    (x, y), (x_test, y_test) = mnist.load_data()
    monkeypatch.setattr(mnist, "load_data", lambda: ((x[:600], y[:600]), (x_test[:100], y_test[:100])))
