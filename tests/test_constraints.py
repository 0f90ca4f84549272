"""Constraints against real Keras."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cornu import constraints

KERNEL = np.random.default_rng(1).normal(0, 1, (4, 3)).astype("float32")
FILTERS = np.random.default_rng(2).normal(0, 1, (3, 3, 2, 4)).astype("float32")

CASES = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.5, "axis": 1}),
    ("MaxNorm", {"max_value": 1.5, "axis": [0, 1]}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": [0, 1]}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 1.2, "rate": 0.4, "axis": 1}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("weight", [KERNEL, FILTERS, KERNEL * 0], ids=["kernel", "filters", "zeros"])
def test_results_and_configs_are_those_of_keras(name, options, weight):
    ours, theirs = getattr(constraints, name)(**options), getattr(keras.constraints, name)(**options)
    np.testing.assert_allclose(ours(weight), theirs(weight), rtol=1e-5, atol=1e-7)
    config = constraints.serialize(ours)
    assert json.loads(json.dumps(config)) == keras.constraints.serialize(theirs)
    assert constraints.deserialize(config).get_config() == ours.get_config()


@given(
    arrays("float32", (3, 2), elements=st.floats(-10, 10, width=16)),
    st.floats(0, 2),
    st.floats(0, 2),
    st.floats(0, 1),
    st.integers(0, 1),
)
def test_any_weights_and_limits(weight, low, span, rate, axis):
    options = {"min_value": low, "max_value": low + span, "rate": rate, "axis": axis}
    ours, theirs = constraints.MinMaxNorm(**options)(weight), keras.constraints.MinMaxNorm(**options)(weight)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    lengths = np.linalg.norm(constraints.MaxNorm(low + 0.1, axis)(weight), axis=axis)
    assert (lengths <= (low + 0.1) * 1.001).all()


@pytest.mark.parametrize("name", ["max_norm", "non_neg", "unit_norm", "min_max_norm", "MaxNorm"])
def test_names_are_found(name):
    assert isinstance(constraints.get(name), constraints.Constraint)


def test_anything_else_raises_a_clear_error():
    assert constraints.get(None) is None
    with pytest.raises(ValueError, match="Did you mean 'max_norm'"):
        constraints.get("max_nrm")
    with pytest.raises(NotImplementedError, match="__call__"):
        constraints.Constraint()(1.0)
