"""How many rows `predict` and `evaluate` compute together: many where rows are apart, a batch where they may not be."""

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.data.batches import as_batches
from cornu.models.batch_merging import MOST_ROWS, evaluate_together, rows_together


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


X = np.random.default_rng(1).normal(size=(1500, 8)).astype("float32")
LABELS = np.random.default_rng(2).integers(0, 3, 1500)
WEIGHTS = np.random.default_rng(3).uniform(0, 2, 1500).astype("float32")


def largest(y_true, y_pred):
    return abs(y_true - y_pred).max()


class OwnMetrics(cornu.Model):
    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return {"rows": len(x)}


def own_metrics():
    x = layers.Input((8,))
    return OwnMetrics(x, layers.Dense(3, "softmax")(x))


def stack(*more, **kwargs):
    return sequential(*more, layers.Dense(3, "softmax", **kwargs))


SPARSE = "sparse_categorical_crossentropy"
SUMS = {
    "loss alone": (stack, {"loss": SPARSE}),
    "metrics": (stack, {"loss": SPARSE, "metrics": ["accuracy"], "weighted_metrics": ["accuracy"]}),
    "weight penalty": (lambda: stack(kernel_regularizer="l2"), {"loss": SPARSE}),
    "smoothed": (lambda: stack(layers.BatchNormalization()), {"loss": SPARSE, "metrics": [SPARSE]}),
}
NO_SUMS = {
    "total": (stack, {"loss": cornu.losses.SparseCategoricalCrossentropy(reduction="sum")}),
    "weighted mean": (
        stack,
        {"loss": cornu.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")},
    ),
    "own loss": (lambda: sequential(layers.Dense(1)), {"loss": largest}),
    "own metric": (lambda: sequential(layers.Dense(1)), {"loss": "mse", "metrics": [largest]}),
    "one number per batch": (lambda: sequential(layers.Dense(1, "sigmoid")), {"loss": "dice"}),
    "activity": (lambda: stack(activity_regularizer="l2"), {"loss": SPARSE}),
    "own metrics": (own_metrics, {"loss": SPARSE}),
    "masks": (
        lambda: sequential(layers.Masking(), layers.TimeDistributed(layers.Dense(1)), shape=(8, 1)),
        {"loss": "mse"},
    ),
    "lambda": (lambda: stack(layers.Lambda(lambda x: x - x.mean(axis=0))), {"loss": SPARSE}),
}


def compiled(make, options):
    model = make()
    model.compile("sgd", **options)
    model.evaluate(X[:2].reshape(-1, *model.input_shape[1:]), LABELS[:2], verbose=0)
    return model


def together(model):
    batches = as_batches(X.reshape(-1, *model.input_shape[1:]), LABELS, WEIGHTS)
    evaluate_together(model, batches)
    return batches.together


@pytest.mark.parametrize(("make", "options"), SUMS.values(), ids=SUMS)
def test_sums_over_rows_are_evaluated_many_batches_at_a_time(make, options):
    model = compiled(make, options)
    assert together(model) == MOST_ROWS // 32
    for rows in (5, 32, 33, 1024, 1500):
        data = X[:rows], LABELS[:rows]
        found = model.evaluate(*data, sample_weight=WEIGHTS[:rows], verbose=0)
        wanted = model.evaluate(*data, sample_weight=WEIGHTS[:rows], verbose=0, batch_size=7)
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize(("make", "options"), NO_SUMS.values(), ids=NO_SUMS)
def test_what_hangs_on_the_batch_is_evaluated_batch_by_batch(make, options):
    model = compiled(make, options)
    assert together(model) == 1
    data = X.reshape(-1, *model.input_shape[1:]), LABELS
    assert model.evaluate(*data, verbose=0) == model.evaluate(*data, verbose=0, batch_size=32)


def test_validation_is_evaluated_together_and_steps_are_counted_as_before():
    seen = []

    class Steps(cornu.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            seen.append((batch, logs["loss"]))

    model = compiled(stack, {"loss": SPARSE})
    history = model.fit(X[:32], LABELS[:32], verbose=0, validation_data=(X, LABELS)).history
    np.testing.assert_allclose(history["val_loss"], model.evaluate(X, LABELS, verbose=0, batch_size=32), rtol=1e-5)
    assert model.evaluate(X, LABELS, verbose=0, callbacks=[Steps()]) == pytest.approx(history["val_loss"][0], rel=1e-5)
    assert [batch for batch, _ in seen] == list(range(47))
    assert len({loss for _, loss in seen}) == 47


def test_the_bar_of_an_evaluation_counts_batches(capsys):
    compiled(stack, {"loss": SPARSE}).evaluate(X, LABELS, verbose=1)
    assert "47/47" in capsys.readouterr().out
