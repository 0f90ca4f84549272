"""Whose a class or function is, and what classes declare: true of the library's own, unknown of what overrides it."""

import functools

import numpy as np
import pytest

import cornu
from cornu import layers, losses, metrics
from cornu.core import registry
from cornu.core.ownership import custom_classes, declares, is_library, library_classes
from cornu.core.scope import get_mask
from cornu.losses.base import FUNCTIONS, ROWS_APART


class Custom(layers.Dense):
    pass


def test_whose_a_thing_is():
    assert all(map(is_library, (layers.Dense, layers.Dense(2), losses.mean_squared_error)))
    assert not any(map(is_library, (Custom, Custom(2), lambda x: x, len, functools.partial(losses.hinge), np.sum)))
    assert custom_classes(Custom) == [Custom]
    assert library_classes(Custom)[0] is layers.Dense
    assert object not in library_classes(Custom)


def test_a_class_that_is_named_like_ours_has_its_own_arguments():
    class SGD(cornu.Optimizer):
        def __init__(self, first, second, third):
            super().__init__(learning_rate=first)
            self.rest = second, third

    assert SGD(0.1, 0.9, 1e-6).rest == (0.9, 1e-6)


#: Layers of which it depends on their arguments.
DEPENDING = (layers.RNN,)
#: Layer that says nothing of rows -> why.
UNKNOWN = {
    "Lambda": "its function is a program's",
    "Wrapper": "it has no call",
    "Merge": "compat's old layer",
    "CutMix": "it mixes rows",
    "MixUp": "it mixes rows",
    "Pipeline": "its layers say",
    "MelSpectrogram": "the loudest row decides what is too quiet in all",
}


@pytest.mark.parametrize("name", [name for name in registry.LAYERS if name[0].isupper()])
def test_every_layer_declares_beside_its_call(name):
    cls = registry.LAYERS.find(name)
    if issubclass(cls, DEPENDING):
        assert any("keeps_rows_apart" in vars(base) for base in DEPENDING)
        return
    declared = declares(object.__new__(cls), "keeps_rows_apart", "call", "merge")
    assert declared == (name not in UNKNOWN and cls is not layers.Layer), name


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_of_losses_and_metrics_keep_rows_apart_as_they_say(name):
    """Each row on its own gives what it gives among others, for functions that say so."""
    if name in ("ctc", "dice", "tversky", "circle"):
        assert (FUNCTIONS[name] in ROWS_APART) == (name == "ctc")
        return
    rng = np.random.default_rng(0)
    sparse = name.startswith("sparse") or name == "categorical_generalized_cross_entropy"
    y_true = rng.integers(0, 3, 5) if sparse else np.eye(3, dtype="float32")[rng.integers(0, 3, 5)]
    y_pred = rng.dirichlet(np.ones(3), 5).astype("float32")
    if name == "sparse_top_k_categorical_accuracy":
        y_true = y_true.astype("int32")
    together = np.asarray(FUNCTIONS[name](y_true, y_pred))
    apart = [np.asarray(FUNCTIONS[name](y_true[i : i + 1], y_pred[i : i + 1])) for i in range(5)]
    np.testing.assert_allclose(together, np.concatenate(apart), rtol=1e-5, atol=1e-6)
    assert FUNCTIONS[name] in ROWS_APART


def test_a_circle_of_rows_does_not_keep_them_apart():
    y_true, y_pred = np.array([0, 0, 1]), np.eye(3, dtype="float32")
    values = losses.circle(y_true, y_pred)
    assert not np.allclose(
        values, np.concatenate([losses.circle(y_true[i : i + 1], y_pred[i : i + 1]) for i in (0, 1, 2)])
    )
    assert get_mask(values) is not None


@pytest.mark.parametrize("name", [name for name in registry.METRICS if name[0].isupper()])
def test_every_metric_declares_beside_its_update(name):
    cls = registry.METRICS.find(name)
    assert declares(object.__new__(cls), "keeps_rows_apart", "update_state") == (cls is not metrics.Metric)
