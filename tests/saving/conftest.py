"""Models written once and built by Cornu and by real Keras alike."""

import numpy as np
import pytest


def stack(lib):
    """Convolution, normalization with moving averages, and layers without weights between."""
    layers = lib.layers
    return lib.Sequential(
        [
            lib.Input((8, 8, 1)),
            layers.Conv2D(3, 3, activation="relu", padding="same", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.0),
            layers.Dense(6, activation="tanh", kernel_initializer="he_normal"),
            layers.Dense(3, activation="softmax"),
        ]
    )


def branches(lib):
    """Branches of different depth, in which the order of layers is not that of their making."""
    layers = lib.layers
    start = lib.Input((8, 8, 1))
    flat = layers.Flatten()(start)
    deep = layers.Dense(4, activation="relu")(flat)
    wide = layers.Dense(5, activation="sigmoid")(flat)
    deep = layers.Dense(5, use_bias=False)(deep)
    both = layers.Add()([wide, deep])
    joined = layers.Concatenate()([both, wide])
    return lib.Model(start, layers.Dense(3, activation="softmax")(joined))


def nested(lib):
    """A model in a model, and a layer that is used twice."""
    layers = lib.layers
    inner = lib.Sequential([lib.Input((4,)), layers.Dense(4, activation="relu"), layers.BatchNormalization()])
    start = lib.Input((8, 8, 1))
    x = layers.Dense(4)(layers.Flatten()(start))
    shared = layers.Dense(4, activation="tanh")
    x = shared(inner(shared(x)))
    return lib.Model(start, layers.Dense(3, activation="softmax")(x))


MODELS = {"stack": stack, "branches": branches, "nested": nested}


@pytest.fixture(params=MODELS)
def build(request):
    """Give a function from a library to one of the models, compiled."""

    def compiled(lib, optimizer="adam", **kwargs):
        model = MODELS[request.param](lib)
        model.compile(
            optimizer, kwargs.pop("loss", "categorical_crossentropy"), metrics=kwargs.pop("metrics", ["accuracy"])
        )
        return model

    return compiled


@pytest.fixture
def small():
    """Give a small compiled model of Cornu."""
    import cornu

    model = cornu.Sequential([cornu.Input((4,)), cornu.layers.Dense(3, name="first"), cornu.layers.Dense(2)])
    model.compile("adam", "mse")
    return model


@pytest.fixture
def data():
    """Give images and labels that fit the models."""
    generator = np.random.default_rng(3)
    x = generator.normal(size=(24, 8, 8, 1)).astype("float32")
    return x, np.eye(3, dtype="float32")[generator.integers(3, size=24)]


@pytest.fixture
def train():
    """Give a function that trains for some epochs without mixing rows, and returns the losses."""

    def run(model, data, epochs=1):
        return model.fit(*data, batch_size=8, epochs=epochs, shuffle=False, verbose=0).history["loss"]

    return run
