"""Small models behind an application, made once."""

import numpy as np
import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from starlette.testclient import TestClient

import cornu as keras
from cornu import layers
from cornu.serve.application import Service
from cornu.serve.served_model import ServedModel


@pytest.fixture(scope="session")
def digits_model():
    """A model that reads nine in ten of MNIST's digits, trained in about a second."""
    np.random.seed(7)
    (images, labels), _ = keras.datasets.mnist.load_data()
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images[:30000] / 255, labels[:30000], batch_size=100, epochs=2, verbose=0)
    return model


@pytest.fixture(scope="session")
def digits_file(digits_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "digits.keras"
    digits_model.save(path)
    return path


@pytest.fixture(scope="session")
def two_model():
    """A model of two inputs, one of them whole numbers, and two outputs."""
    np.random.seed(7)
    size, kind = keras.Input((3,), name="size"), keras.Input((2,), name="kind", dtype="int32")
    both = layers.Concatenate()([size, layers.Flatten()(layers.Embedding(5, 4)(kind))])
    outputs = [layers.Dense(1, name="price")(both), layers.Dense(4, activation="softmax", name="class")(both)]
    return keras.Model([size, kind], outputs)


@pytest.fixture(scope="session")
def service(digits_model, two_model):
    return Service([ServedModel("digits", digits_model), ServedModel("two", two_model)])


@pytest.fixture(scope="session")
def client(service):
    with TestClient(service.application, raise_server_exceptions=False) as found:
        yield found
