"""Models of every kind that the library knows, small, with data for them: what is exported in tests."""

import jax
import numpy as np

import cornu
from cornu import layers, ops


def stack():
    return cornu.Sequential(
        [
            cornu.Input((8, 8, 1)),
            layers.Conv2D(3, 3, activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Dropout(0.5),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def nested_and_shared():
    inner = cornu.Sequential([cornu.Input((4,)), layers.Dense(4, activation="gelu"), layers.LayerNormalization()])
    start = cornu.Input((6,))
    shared = layers.Dense(4, activation="tanh")
    x = layers.Dense(4)(start)
    return cornu.Model(start, layers.Dense(3)(shared(inner(shared(x)))))


def several_inputs_and_outputs():
    a, b = cornu.Input((6,), name="a"), cornu.Input((5, 2), name="b")
    x = layers.Concatenate()([a, layers.Flatten()(b)])
    return cornu.Model({"a": a, "b": b}, {"one": layers.Dense(2, name="one")(x), "two": ops.sum(x, axis=1) * 2.0})


def list_of_inputs():
    a, b = cornu.Input((4,), name="left"), cornu.Input((4,), name="right")
    return cornu.Model([a, b], [layers.Add()([a, b]), layers.Dot(axes=1)([a, b])])


class Residual(cornu.Model):
    def __init__(self):
        super().__init__(name="residual")
        self.inner, self.outer = layers.Dense(6, activation="relu"), layers.Dense(2)
        self.drop = layers.Dropout(0.3)

    def call(self, inputs, training=False):
        x = self.drop(self.inner(inputs), training=training)
        return self.outer(x + inputs)


def subclassed():
    model = Residual()
    model(np.ones((1, 6), "float32"))
    return model


def words():
    return cornu.Sequential(
        [cornu.Input((5,), dtype="int32"), layers.Embedding(11, 4), layers.GlobalAveragePooling1D(), layers.Dense(2)]
    )


def any_length():
    start = cornu.Input((None, 3))
    return cornu.Model(start, layers.GlobalMaxPooling1D()(layers.Conv1D(4, 3, padding="same")(start)))


def in_short_numbers():
    return cornu.Sequential(
        [
            cornu.Input((6,)),
            layers.Dense(8, activation="relu", dtype="mixed_float16"),
            layers.Dense(3, activation="softmax", dtype="float32"),
        ]
    )


MODELS = {
    function.__name__.replace("_", " "): function
    for function in (
        stack,
        nested_and_shared,
        several_inputs_and_outputs,
        list_of_inputs,
        subclassed,
        words,
        any_length,
        in_short_numbers,
    )
}

SHAPES = {
    "stack": (7, 8, 8, 1),
    "nested and shared": (7, 6),
    "several inputs and outputs": {"a": (7, 6), "b": (7, 5, 2)},
    "list of inputs": [(7, 4), (7, 4)],
    "subclassed": (7, 6),
    "words": (7, 5),
    "any length": (7, 9, 3),
    "in short numbers": (7, 6),
}


def data_for(name):
    """Return seven rows of data for a model: the same each time."""
    random = np.random.default_rng(3)

    def array(shape):
        if name == "words":
            return random.integers(0, 11, shape).astype("int32")
        return random.standard_normal(shape).astype("float32")

    return jax.tree.map(array, SHAPES[name], is_leaf=lambda leaf: isinstance(leaf, tuple))


def rows_of(x, count):
    """Return the first rows of data."""
    return jax.tree.map(lambda leaf: leaf[:count], x)
