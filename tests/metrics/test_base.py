"""What every metric has: variables that come back, means and sums, masks, metrics inside metrics."""

import jax
import keras
import numpy as np
import pytest

import cornu
from cornu import metrics
from cornu.core.scope import set_mask

rng = np.random.default_rng(5)


def test_a_wrapped_function_survives_its_config():
    ours = metrics.MeanMetricWrapper(metrics.binary_accuracy, threshold=0.7)
    theirs = keras.metrics.MeanMetricWrapper(keras.metrics.binary_accuracy, threshold=0.7)
    y_true, y_pred = np.array([[1.0], [0.0]]), np.array([[0.6], [0.2]])
    for config in (metrics.serialize(ours), keras.metrics.serialize(theirs)):
        assert float(metrics.deserialize(config)(y_true, y_pred)) == 0.5
    huber = metrics.MeanMetricWrapper(metrics.huber, name="off", delta=2.0)
    assert float(metrics.deserialize(metrics.serialize(huber))([[3.0]], [[0.0]])) == 4.0


@pytest.mark.parametrize("weights", [None, rng.random((4, 3)).astype("float32")], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", ["MeanSquaredError", "MeanAbsoluteError"])
def test_masked_entries_count_as_in_keras(name, weights):
    y_true = rng.normal(0, 1, (4, 3, 2)).astype("float32")
    masked = jax.numpy.asarray(y_true * 2)
    set_mask(masked, jax.numpy.asarray(rng.random((4, 3)) > 0.4))
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    np.testing.assert_allclose(
        ours(y_true, masked, sample_weight=weights), theirs(y_true, masked, sample_weight=weights), rtol=1e-5
    )


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@pytest.mark.parametrize("shape", [(), (4,), (4, 1), (4, 3)], ids=str)
@pytest.mark.parametrize("weights", [None, 0.5, "rows"])
def test_means_and_sums_of_values_are_those_of_keras(name, shape, weights):
    if weights == "rows":
        if not shape:
            pytest.skip("a number has no rows")
        weights = rng.random(4).astype("float32")
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    for _ in range(2):
        values = rng.normal(0, 1, shape).astype("float32")
        ours.update_state(values, sample_weight=weights)
        theirs.update_state(values, sample_weight=weights)
    np.testing.assert_allclose(ours.result(), theirs.result(), rtol=1e-5)


def test_zeros_come_back_however_often_buffers_are_given_away():
    metric = metrics.TruePositives(thresholds=[0.1 * i for i in range(10)])
    update = jax.jit(metric.stateless_update_state, donate_argnums=0)
    for _ in range(3):
        metric.reset_state()
        values = update([variable.value for variable in metric.variables], np.ones(8), np.ones(8))
        np.testing.assert_array_equal(values[0], np.full(10, 8.0))


def test_a_metric_of_ones_own_may_hold_others():
    class Both(metrics.Metric):
        def __init__(self, name="both"):
            super().__init__(name=name)
            self.inner = metrics.Mean()
            self.calls = self.add_weight(name="calls", initializer="ones")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.inner.update_state(y_pred)
            self.calls.assign_add(1)

        def result(self):
            return {"mean": self.inner.result(), "calls": self.calls.value}

    metric = Both()
    assert len(metric.variables) == 3
    metric.update_state([0.0], [4.0])
    assert {key: float(value) for key, value in metric.result().items()} == {"mean": 4.0, "calls": 2.0}
    metric.reset_states()
    assert {key: float(value) for key, value in metric.result().items()} == {"mean": 0.0, "calls": 0.0}


def test_a_reset_sets_zeros_whatever_a_variable_began_with(real_keras):
    results = []
    for library in (cornu, real_keras):

        class Count(library.metrics.Metric):
            def __init__(self, **options):
                super().__init__(**options)
                self.calls = self.add_weight(name="calls", initializer="ones")

            def update_state(self, y_true, y_pred, sample_weight=None):
                self.calls.assign(self.calls + 1.0)

            def result(self):
                return self.calls + 0.0

        metric = Count()
        first = float(metric.result())
        metric.update_state(0, 0)
        metric.reset_state()
        results.append((first, float(metric.result()), float(metric.stateless_reset_state()[0])))
    assert results == [(1.0, 0.0, 0.0)] * 2


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@pytest.mark.parametrize(
    ("shape", "weights"),
    [((2, 2), (1, 2)), ((2, 2), (2, 1)), ((2, 3, 2), (1, 3)), ((2, 3, 2), (2, 1, 1)), ((4,), (1,)), ((4,), (4, 1))],
    ids=str,
)
def test_weights_are_broadcast_to_the_values(real_keras, name, shape, weights):
    values, weights = rng.random(shape).astype("float32"), rng.random(weights).astype("float32")
    ours, theirs = getattr(metrics, name)(), getattr(real_keras.metrics, name)()
    for metric in (ours, theirs):
        metric.update_state(values, sample_weight=weights)
    np.testing.assert_allclose(ours.result(), theirs.result(), rtol=1e-5)


def test_weights_that_fit_no_row_are_refused():
    with pytest.raises(ValueError, match=r"sample_weight has shape \(3,\)"):
        metrics.Mean().update_state([1.0, 2.0, 3.0, 4.0], sample_weight=[1.0, 0.0, 2.0])


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # Keras asks for it
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "mixed_float16"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Mean", {}),
        ("Accuracy", {}),
        ("AUC", {}),
        ("AUC", {"multi_label": True}),
        ("Precision", {}),
        ("TruePositives", {}),
        ("F1Score", {}),
        ("MeanIoU", {"num_classes": 2}),
        ("R2Score", {}),
        ("RootMeanSquaredError", {}),
        ("SensitivityAtSpecificity", {"specificity": 0.5}),
    ],
)
def test_dtypes_are_those_of_keras(real_keras, name, options, dtype):
    pair = [[0.2, 0.9], [0.7, 0.1]] if name == "Mean" else [[0.0, 1.0], [1.0, 0.0]], [[0.2, 0.9], [0.7, 0.1]]
    found = []
    for library in (cornu, real_keras):
        metric = getattr(library.metrics, name)(dtype=dtype, **options)
        metric.update_state(*(np.array(one) for one in (pair[:1] if name == "Mean" else pair)))
        result = metric.result()
        found.append((metric.dtype, [str(one.dtype) for one in metric.variables], str(result.dtype)))
        values = np.asarray(result, "float32")
        found.append(values)
    assert found[0] == found[2]
    np.testing.assert_allclose(found[1], found[3], rtol=1e-2)


def test_variables_of_a_custom_metric_are_float32_whatever_its_dtype(real_keras):
    for library in (cornu, real_keras):
        metric = library.metrics.Metric(dtype="float16")
        assert str(metric.add_variable(shape=(), initializer="zeros", name="total").dtype) == "float32"
