"""Every activation against real Keras: values and gradients, over arguments and arrays."""

import jax
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cornu import activations
from cornu.core.graph import SymbolicTensor

X = np.random.default_rng(0).normal(0, 3, (5, 6)).astype("float32")

CASES = [
    ("celu", {}),
    ("elu", {}),
    ("exponential", {}),
    ("gelu", {}),
    ("glu", {}),
    ("hard_shrink", {}),
    ("hard_sigmoid", {}),
    ("hard_silu", {}),
    ("hard_swish", {}),
    ("hard_tanh", {}),
    ("leaky_relu", {}),
    ("linear", {}),
    ("log_sigmoid", {}),
    ("log_softmax", {}),
    ("mish", {}),
    ("relu", {}),
    ("relu6", {}),
    ("selu", {}),
    ("sigmoid", {}),
    ("silu", {}),
    ("soft_shrink", {}),
    ("softmax", {}),
    ("softplus", {}),
    ("softsign", {}),
    ("sparse_plus", {}),
    ("sparse_sigmoid", {}),
    ("squareplus", {}),
    ("swish", {}),
    ("tanh", {}),
    ("tanh_shrink", {}),
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 2.0}),
    ("relu", {"max_value": 6}),
    ("relu", {"threshold": 1.0}),
    ("relu", {"threshold": -1.0}),
    ("relu", {"negative_slope": 0.3, "max_value": 3.0, "threshold": 0.5}),
    ("relu", {"negative_slope": 0.3, "max_value": 6, "threshold": -0.5}),
    ("leaky_relu", {"negative_slope": 0.01}),
    ("elu", {"alpha": 0.5}),
    ("celu", {"alpha": 2.0}),
    ("gelu", {"approximate": True}),
    ("glu", {"axis": -1}),
    ("softmax", {"axis": 0}),
    ("softmax", {"axis": (0, 1)}),
    ("log_softmax", {"axis": 0}),
    ("squareplus", {"b": 1}),
    ("hard_shrink", {"threshold": 1.5}),
    ("soft_shrink", {"threshold": 1.5}),
    ("threshold", {"threshold": 0.3, "default_value": -2.0}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_values_and_gradients_are_those_of_keras(name, options):
    ours, theirs = getattr(activations, name), getattr(keras.activations, name)
    np.testing.assert_allclose(ours(X, **options), theirs(X, **options), rtol=2e-5, atol=2e-6)
    weights = X[:, : ours(X, **options).shape[1]]
    gradients = [jax.grad(lambda x, f=f: (f(x, **options) * weights).sum())(X) for f in (ours, theirs)]
    np.testing.assert_allclose(*gradients, rtol=1e-4, atol=1e-5)


def nearest_probabilities(x):
    """Return the nearest point to a vector among those with entries of 0 or more that sum to 1, by bisection."""
    low, high = x.min() - 1.0, x.max()
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(x - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(x - low, 0)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_sparsemax_is_the_nearest_point_of_probabilities(axis):
    expected = np.apply_along_axis(nearest_probabilities, axis, X.astype("float64"))
    np.testing.assert_allclose(activations.sparsemax(X, axis=axis), expected, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(arrays("float32", (2, 4), elements=st.floats(-50, 50, width=32)))
@pytest.mark.parametrize("name", ["relu", "selu", "softplus", "softmax", "log_sigmoid", "mish", "gelu"])
def test_values_are_those_of_keras_for_any_numbers(name, x):
    np.testing.assert_allclose(getattr(activations, name)(x), getattr(keras.activations, name)(x), rtol=3e-5, atol=1e-5)


@pytest.mark.parametrize("name", sorted(({name for name, _ in CASES} | {"sparsemax"}) - {"glu", "threshold"}))
def test_symbolic_tensors_lists_and_half_floats_are_taken(name):
    function = activations.get(name)
    assert tuple(function(SymbolicTensor((None, 6))).shape) == (None, 6)
    assert function([[0.5, -1.0]]).shape == (1, 2)
    assert function(X.astype("float16")).dtype == "float16"


@pytest.mark.parametrize("name", sorted({"sparsemax", *(name for name, _ in CASES)}))
def test_names_are_those_of_keras(name):
    assert activations.serialize(activations.get(name)) == keras.activations.serialize(keras.activations.get(name))
    assert activations.deserialize(name) is getattr(activations, name)


def test_get_takes_none_callables_and_says_what_is_near():
    assert activations.get(None) is activations.linear
    assert activations.get(np.tanh) is np.tanh
    with pytest.raises(ValueError, match="Did you mean 'softmax'"):
        activations.get("softmx")
    with pytest.raises(ValueError, match="even"):
        activations.glu(np.ones((2, 3)))
