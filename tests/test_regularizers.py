"""Regularizers against real Keras."""

import json

import jax
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cornu import regularizers

W = np.random.default_rng(1).normal(0, 1, (4, 3)).astype("float32")

CASES = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {"l2": 0.2}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("L1L2", {}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "rows"}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_penalties_gradients_and_configs_are_those_of_keras(name, options):
    ours, theirs = getattr(regularizers, name)(**options), getattr(keras.regularizers, name)(**options)
    np.testing.assert_allclose(ours(W), theirs(W), rtol=1e-5)
    np.testing.assert_allclose(jax.grad(ours)(W), jax.grad(theirs)(W), rtol=1e-4, atol=1e-6)
    config = regularizers.serialize(ours)
    expected = keras.regularizers.serialize(theirs)
    numbers = expected.pop("config")  # Keras keeps them as float32
    assert {**json.loads(json.dumps(config)), "config": None} == {**expected, "config": None}
    assert {key: value if isinstance(value, str) else pytest.approx(value) for key, value in numbers.items()} == config[
        "config"
    ]
    assert regularizers.deserialize(config).get_config() == ours.get_config()


@given(
    array_shapes(max_dims=4, max_side=4).flatmap(lambda s: arrays("float32", s, elements=st.floats(-9, 9, width=16))),
    st.floats(0, 2),
    st.floats(0, 2),
)
def test_any_weights_and_strengths(weight, l1, l2):
    ours, theirs = regularizers.L1L2(l1, l2), keras.regularizers.L1L2(l1, l2)
    np.testing.assert_allclose(ours(weight), theirs(weight), rtol=1e-5, atol=1e-6)


def test_columns_are_the_rows_of_the_transpose():
    # Keras 3.15 itself fails here for matrices that are not square.
    columns = regularizers.OrthogonalRegularizer(0.5, mode="columns")
    np.testing.assert_allclose(columns(W), regularizers.OrthogonalRegularizer(0.5)(W.T), rtol=1e-6)
    assert abs(columns(np.eye(4, 3))) < 1e-6


@pytest.mark.parametrize("name", ["l1", "l2", "l1_l2", "orthogonal_regularizer", "L1L2"])
def test_names_are_found(name):
    assert isinstance(regularizers.get(name), regularizers.Regularizer)


def test_anything_else_raises_a_clear_error():
    assert regularizers.get(None) is None
    with pytest.raises(ValueError, match="Unknown regularizer: 'l3'"):
        regularizers.get("l3")
    with pytest.raises(ValueError, match="`l2`; got 'a lot'"):
        regularizers.L2("a lot")
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        regularizers.OrthogonalRegularizer()(np.ones(3))
    with pytest.raises(ValueError, match="rows"):
        regularizers.OrthogonalRegularizer(mode="row")
    with pytest.raises(NotImplementedError, match="__call__"):
        regularizers.Regularizer()(1.0)
