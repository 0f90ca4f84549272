"""How many rows `predict` computes together: many where rows are apart, a batch where they may not be."""

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.models.rows import MOST_ROWS, rows_together


def sequential(*stack, shape=(8,)):
    return cornu.Sequential([layers.Input(shape), *stack])


class OwnLayer(layers.Layer):
    def call(self, inputs):
        return inputs - inputs.mean(axis=0)


class OwnStep(cornu.Model):
    def predict_step(self, data):
        return self(data) * 2


def with_training():
    x = layers.Input((8,))
    return cornu.Model(x, layers.BatchNormalization()(x, training=True))


def with_function():
    x = layers.Input((8,))
    return cornu.Model(x, layers.Dense(2)(x) - 1.0)


def own_step():
    x = layers.Input((8,))
    return OwnStep(x, layers.Dense(2)(x))


APART = {
    "perceptron": lambda: sequential(layers.Dense(4, "relu"), layers.Dropout(0.5), layers.Dense(2)),
    "norm": lambda: sequential(layers.Dense(4), layers.BatchNormalization()),
    "nested": lambda: sequential(sequential(layers.Dense(4)), layers.Dense(2)),
    "steps": lambda: sequential(layers.TimeDistributed(layers.Dense(2)), shape=(3, 8)),
}
TOGETHER = {
    "lambda": lambda: sequential(layers.Lambda(lambda x: x - x.mean(axis=0))),
    "own layer": lambda: sequential(OwnLayer()),
    "nested own layer": lambda: sequential(sequential(OwnLayer())),
    "own activation": lambda: sequential(layers.Dense(2, activation=lambda x: x - x.mean(axis=0))),
    "in training": with_training,
    "function": with_function,
    "own step": own_step,
    "unknown length": lambda: sequential(layers.TimeDistributed(layers.Dense(2)), shape=(None, 8)),
    "not built": lambda: cornu.Sequential([layers.Dense(2)]),
}


@pytest.mark.parametrize("make", APART.values(), ids=APART)
def test_rows_that_are_apart_are_computed_together(make):
    assert rows_together(make(), 32) == MOST_ROWS


@pytest.mark.parametrize("make", TOGETHER.values(), ids=TOGETHER)
def test_rows_that_may_hang_together_stay_in_batches(make):
    assert rows_together(make(), 32) == 32


def test_large_outputs_are_computed_in_fewer_rows():
    assert rows_together(sequential(layers.Conv2D(32, 3), shape=(66, 66, 1)), 32) == 128
    assert rows_together(sequential(layers.Conv2D(32, 3), shape=(514, 514, 1)), 32) == 32


@pytest.mark.parametrize("rows", [1, 31, 32, 100, 2000])
def test_outputs_are_those_of_single_batches(rows):
    model = sequential(layers.Dense(16, "relu"), layers.Dense(3, "softmax"))
    x = np.random.default_rng(0).normal(size=(rows, 8)).astype("float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), model.predict(x, batch_size=7, verbose=0), rtol=1e-5)


def test_progress_counts_batches_as_before():
    seen = []

    class Steps(cornu.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            seen.append(batch)

    model = sequential(layers.Dense(2))
    model.predict(np.ones((100, 8), "float32"), verbose=0, callbacks=[Steps()])
    assert seen == [0, 1, 2, 3]
