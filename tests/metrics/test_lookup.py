"""Metrics found by name, by shape, or made from a function."""

import inspect

import keras
import numpy as np
import pytest

import cornu
from cornu import metrics


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ((None,), (None, 10), "Sparse"),
        ((None, 1), (None, 10), "Sparse"),
        ((None, 10), (None, 10), "Categorical"),
        ((None,), (None, 1), "Binary"),
        ((None, 1), (None, 1), "Binary"),
        ((None,), (None,), "Binary"),
        ((None, 5), (None, 5, 10), "Sparse"),
        ((None, 5, 10), (None, 5, 10), "Categorical"),
    ],
)
@pytest.mark.parametrize("name", ["accuracy", "acc", "crossentropy", "ce"])
def test_accuracy_and_crossentropy_are_chosen_by_shape(name, y_true, y_pred, expected):
    metric = metrics.resolve(name, y_true, y_pred)
    assert type(metric).__name__.startswith(expected)
    assert metric.name == name


@pytest.mark.parametrize("name", ["mae", "mse", "MSE", "AUC", "auc", "mean_squared_error", "KLDivergence", "r2_score"])
def test_names_are_those_of_keras(name):
    assert type(metrics.get(name)).__name__ == type(keras.metrics.get(name)).__name__
    assert isinstance(metrics.resolve(name, (None, 2), (None, 2)), metrics.Metric)


def test_a_function_is_averaged_over_the_samples():
    def off(y_true, y_pred):
        return abs(y_true - y_pred)

    metric = metrics.resolve(off, (None,), (None,))
    assert metric.name == "off"
    metric.update_state(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    assert float(metric.result()) == 1.0


@pytest.mark.parametrize("name", [name for name in dir(keras.metrics) if not name.startswith("_")])
def test_every_public_name_of_keras_is_here_with_its_arguments(name):
    ours, theirs = (getattr(module, name) for module in (metrics, keras.metrics))
    arguments = [list(inspect.signature(thing).parameters) for thing in (ours, theirs)]
    assert arguments[0] == arguments[1] or name == "deserialize"


@pytest.mark.parametrize("name", ["Accuracy", "ACC", "Acc", "aCC"])
def test_accuracy_in_any_case_is_chosen_by_shape_as_in_keras(real_keras, name):
    x, y = np.ones((4, 1)), np.array([[0], [1], [0], [1]], "int32")
    logs = []
    for library in (cornu, real_keras):
        model = library.Sequential([library.Input((1,)), library.layers.Dense(1, activation="sigmoid")])
        model.set_weights([np.array([[0.8473]]), np.zeros(1)])
        model.compile("sgd", "binary_crossentropy", metrics=[name])
        logs.append(model.evaluate(x, y, verbose=0, return_dict=True))
    assert list(logs[0]) == ["loss", name]
    assert logs[0][name] == logs[1][name] == 0.5


def test_the_class_accuracy_stays_exact_equality():
    assert isinstance(metrics.get("Accuracy"), metrics.Accuracy)
    assert type(metrics.resolve(metrics.Accuracy(), (None,), (None, 3))) is metrics.Accuracy
