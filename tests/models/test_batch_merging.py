"""How many rows `predict` and `evaluate` compute together: many where rows are apart, a batch where they may not be."""

import functools

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


class Centred(layers.Dense):
    def call(self, inputs):
        outputs = super().call(inputs)
        return outputs - outputs.mean(axis=0)


class Named(layers.Dense):
    def build(self, input_shape):
        super().build(input_shape)
        self.note = "built"


class OwnSum(layers.Add):
    def merge(self, arrays, masks):
        return arrays[0] - arrays[1].mean(axis=0)


class Declared(layers.Layer):
    keeps_rows_apart = True

    def call(self, inputs):
        return inputs * 2


class Stateful(layers.Dense):
    stateful = True


class OwnModel(cornu.Model):
    def call(self, inputs):
        outputs = super().call(inputs)
        return outputs - outputs.mean(axis=0)


def own_model():
    x = layers.Input((8,))
    return OwnModel(x, layers.Dense(2)(x))


def merged(layer):
    x = layers.Input((8,))
    return cornu.Model(x, layer([x, layers.Dense(8)(x)]))


def inner_in_training():
    x = layers.Input((8,))
    return cornu.Model(x, sequential(layers.BatchNormalization())(x, training=True))


@functools.wraps(cornu.activations.relu)
def wrapped_activation(x):
    return x - x.mean(axis=0)


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
    "steps of a model": lambda: sequential(layers.TimeDistributed(sequential(layers.Dense(2))), shape=(3, 8)),
    "own build": lambda: sequential(Named(4)),
    "declared": lambda: sequential(Declared()),
    "activation layer": lambda: sequential(layers.Dense(2, activation=layers.LeakyReLU())),
    "merged": lambda: merged(layers.Concatenate()),
    "axis": lambda: sequential(layers.Softmax(axis=1), layers.LayerNormalization(axis=[1, 2]), shape=(3, 8)),
}
TOGETHER = {
    "lambda": lambda: sequential(layers.Lambda(lambda x: x - x.mean(axis=0))),
    "own layer": lambda: sequential(OwnLayer()),
    "own call": lambda: sequential(Centred(4)),
    "own merge": lambda: merged(OwnSum()),
    "own model": own_model,
    "own model in a model": lambda: sequential(own_model()),
    "own activation layer": lambda: sequential(layers.Dense(2, activation=OwnLayer())),
    "own wrapped activation": lambda: sequential(layers.Dense(2, activation=wrapped_activation)),
    "steps of an own layer": lambda: sequential(layers.TimeDistributed(OwnLayer()), shape=(3, 8)),
    "steps of a lambda": lambda: sequential(
        layers.TimeDistributed(sequential(layers.Lambda(lambda x: x - x.mean(axis=0)))), shape=(3, 8)
    ),
    "stateful": lambda: sequential(Stateful(4)),
    "rows put together": lambda: merged(layers.Concatenate(axis=0)),
    "softmax over rows": lambda: sequential(layers.Softmax(axis=0)),
    "softmax over rows, from the end": lambda: sequential(layers.Softmax(axis=-2)),
    "norm over rows": lambda: sequential(layers.UnitNormalization(axis=[0, 1])),
    "steps of a softmax over rows": lambda: sequential(layers.TimeDistributed(layers.Softmax(axis=-2)), shape=(3, 8)),
    "softmax of numbers": lambda: sequential(layers.Softmax(), shape=()),
    "inner model in training": inner_in_training,
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
    assert rows_together(sequential(layers.Conv2D(32, 3), shape=(34, 34, 1)), 32) == 64
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


class OwnLoss(cornu.losses.MeanSquaredError):
    def call(self, y_true, y_pred):
        return super().call(y_true, y_pred) / abs(y_pred).max()


class OwnMean(cornu.metrics.MeanSquaredError):
    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_true, y_pred / abs(y_pred).max(), sample_weight)


@functools.wraps(cornu.losses.mean_squared_error)
def wrapped_loss(y_true, y_pred):
    return (y_true - y_pred).mean(axis=-1) / abs(y_pred).max()


def penalized():
    model = stack()
    model.add_loss(cornu.ops.max(model.outputs[0]))
    return model


def largest(y_true, y_pred):
    return abs(y_true - y_pred).max()


class OwnMetrics(cornu.Model):
    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return {"rows": len(x)}


class OwnClass(cornu.Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.note = "made"


def own_class():
    x = layers.Input((8,))
    return OwnClass(x, layers.Dense(3, "softmax")(x))


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
    "own model without methods": (own_class, {"loss": SPARSE}),
    "smoothed": (lambda: stack(layers.BatchNormalization()), {"loss": SPARSE, "metrics": [SPARSE]}),
}
NO_SUMS = {
    "total": (stack, {"loss": cornu.losses.SparseCategoricalCrossentropy(reduction="sum")}),
    "weighted mean": (
        stack,
        {"loss": cornu.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")},
    ),
    "own call of a loss": (lambda: sequential(layers.Dense(1)), {"loss": OwnLoss()}),
    "own update of a metric": (lambda: sequential(layers.Dense(1)), {"loss": "mse", "metrics": [OwnMean()]}),
    "wrapped loss": (lambda: sequential(layers.Dense(1)), {"loss": wrapped_loss}),
    "rows compared": (lambda: sequential(layers.Dense(4), layers.UnitNormalization()), {"loss": "circle"}),
    "penalty": (penalized, {"loss": SPARSE}),
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


def test_outputs_of_unknown_length_are_evaluated():
    model = sequential(layers.TimeDistributed(layers.Dense(3, "softmax")), shape=(None, 8))
    model.compile(loss="categorical_crossentropy")
    x = X[:840].reshape(120, 7, 8)
    y = np.eye(3)[LABELS[:840]].reshape(120, 7, 3)
    expected = -(np.log(model.predict(x, verbose=0)) * y).sum(axis=-1).mean()
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)
