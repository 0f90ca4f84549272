"""What a step carries along: metrics of the model's own, metrics that return their variable, masks, states."""

import jax.numpy as jnp
import numpy as np
import pytest

from cornu import layers, metrics, models

x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
y = x.sum(1, keepdims=True)


class Sum(metrics.Metric):
    """The sum of the targets; returns the variable itself, as Keras's own examples do."""

    def __init__(self, name="total"):
        super().__init__(name=name)
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(jnp.sum(y_true))

    def result(self):
        return self.total


@pytest.mark.parametrize("batch_size", [40, 32, 8])
def test_a_metric_may_return_its_variable(batch_size):
    model = models.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[Sum()])
    history = model.fit(x, y, batch_size=batch_size, epochs=2, verbose=0)
    assert history.history["total"] == pytest.approx([y.sum()] * 2, rel=1e-4)
    assert model.evaluate(x, y, verbose=0)[1] == pytest.approx(y.sum(), rel=1e-4)


def test_a_custom_step_may_return_a_variable():
    class Counting(models.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.total = layers.Dense(1), Sum()

        def call(self, inputs):
            return self.dense(inputs)

        def test_step(self, data):
            self.total.update_state(data[1], None)
            return {"total": self.total.result()}

    model = Counting()
    model.compile("sgd", "mse")
    assert model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True)["total"] == pytest.approx(y.sum(), rel=1e-4)


def test_a_layer_may_return_its_weight():
    class Constant(layers.Layer):
        def build(self, input_shape):
            self.rows = self.add_weight(shape=(1, 3), initializer="ones")

        def call(self, inputs):
            return self.rows

    class Around(models.Model):
        def __init__(self):
            super().__init__()
            self.constant = Constant()

        def call(self, inputs):
            return self.constant(inputs)

    model = Around()
    model.predict(x[:1], verbose=0)
    model.set_weights([np.full((1, 3), 5.0)])
    np.testing.assert_array_equal(model.predict(x[:1], verbose=0), np.full((1, 3), 5.0))


def test_metrics_updated_inside_call_are_in_the_logs():
    class Tracking(models.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1, kernel_initializer="zeros", bias_initializer="ones")
            self.mean_output = metrics.Mean(name="mean_output")

        def call(self, inputs):
            outputs = self.dense(inputs)
            self.mean_output.update_state(outputs)
            return outputs

    model = Tracking()
    model.compile("sgd", "mse")
    history = model.fit(x, y, batch_size=40, epochs=2, verbose=0).history
    assert history["mean_output"][0] == pytest.approx(1.0)
    assert history["mean_output"][1] != history["mean_output"][0]


def test_steps_of_ones_own_may_call_the_librarys():
    class Wrapped(models.Sequential):
        def train_step(self, data):
            return super().train_step(data) | {"twice": 2.0}

        def test_step(self, data):
            return super().test_step(data)

        def predict_step(self, data):
            return super().predict_step(data) * 0

    def made(kind):
        model = kind([layers.Input((4,)), layers.Dense(1, kernel_initializer="ones"), layers.BatchNormalization()])
        model.compile("sgd", "mse", metrics=["mae"])
        return model

    wrapped, plain = made(Wrapped), made(models.Sequential)
    options = {"batch_size": 16, "shuffle": False, "epochs": 2, "verbose": 0}
    history, expected = wrapped.fit(x, y, **options).history, plain.fit(x, y, **options).history
    assert history.pop("twice") == [2.0, 2.0]
    assert list(history) == list(expected)
    for name in expected:
        assert history[name] == pytest.approx(expected[name], rel=1e-5)
    assert wrapped.evaluate(x, y, verbose=0) == pytest.approx(plain.evaluate(x, y, verbose=0), rel=1e-5)
    assert not wrapped.predict(x, verbose=0).any()
