"""Every `X_initializer`, `X_regularizer` and `X_constraint` that a layer takes reaches its weight."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from contract.table import LAYERS
from cornu import constraints, initializers, layers, regularizers


def weights_with_options(cls):
    return [name.removesuffix("_constraint") for name in inspect.signature(cls).parameters if "_constraint" in name]


CASES = {}
for _name, _entry in LAYERS.items():
    _layer = _entry.make(layers)
    # The options of attention in heads are those of several weights: test_multi_head_attention.py.
    if weights_with_options(type(_layer)) and getattr(_layer, "use_bias", True) and not _entry.apart:
        CASES.setdefault(type(_layer).__name__, _name)


def options(names):
    """Return other options for each weight."""
    found = {}
    for number, name in enumerate(names, 1):
        found[f"{name}_initializer"] = initializers.Constant(number / 4)
        found[f"{name}_regularizer"] = regularizers.L2(number / 8)
        found[f"{name}_constraint"] = constraints.MaxNorm(100 * number)
    return found | {"unit_forget_bias": False}


def test_the_table_has_layers_with_options():
    assert len(CASES) > 12


@pytest.mark.parametrize("cls", CASES)
def test_options_reach_their_weights(cls):
    entry = LAYERS[CASES[cls]]
    table_layer = entry.make(layers)
    names = weights_with_options(type(table_layer))
    config = table_layer.get_config()
    given = {name: value for name, value in options(names).items() if name in config}
    layer = type(table_layer).from_config({**config, **given})
    layer(entry.inputs())
    for number, name in enumerate(names, 1):
        (weight,) = [one for one in layer.weights if one.regularizer is getattr(layer, f"{name}_regularizer")]
        assert weight.regularizer.l2 == number / 8
        assert weight.constraint is getattr(layer, f"{name}_constraint")
        assert weight.constraint.max_value == 100 * number
        np.testing.assert_array_equal(weight.numpy(), np.full(weight.shape, number / 4, "float32"))


def test_an_initializer_may_be_an_array():
    layer = layers.Dense(2, kernel_initializer=np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_array_equal(layer(np.eye(2, dtype="float32")), [[1, 2], [3, 4]])


def test_only_one_file_reads_the_options():
    """A layer that looks options up itself would be another way of doing the same."""
    folder = Path(layers.__file__).parent
    read = ("regularizers.get(", "constraints.get(")
    found = {file.name for file in folder.rglob("*.py") if any(word in file.read_text("utf-8") for word in read)}
    assert found == {"weight_options.py"}
