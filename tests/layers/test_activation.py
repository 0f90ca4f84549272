"""Activation layers against real Keras."""

import keras
import numpy as np
import pytest

import cornu.layers as layers
from contract.compare import assert_like_keras


def array(*shape):
    return (2 * np.random.default_rng(len(shape)).standard_normal(shape)).astype("float32")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Activation", {"activation": "tanh"}),
        ("Activation", {"activation": None}),
        ("ReLU", {}),
        ("ReLU", {"max_value": 1.0}),
        ("ReLU", {"negative_slope": 0.2, "threshold": 0.5, "max_value": 2}),
        ("LeakyReLU", {}),
        ("LeakyReLU", {"negative_slope": 0.05}),
        ("PReLU", {}),
        ("PReLU", {"shared_axes": [1, 2], "alpha_regularizer": "l2", "alpha_constraint": "non_neg"}),
        ("PReLU", {"shared_axes": 1, "alpha_initializer": "ones"}),
        ("ELU", {}),
        ("ELU", {"alpha": 0.3}),
        ("Softmax", {}),
        ("Softmax", {"axis": 1}),
        ("Softmax", {"axis": [1, 2]}),
        ("Softmax", {"axis": (-1,)}),
    ],
)
def test_is_keras_layer(name, arguments):
    ours, theirs = (getattr(module, name)(**arguments) for module in (layers, keras.layers))
    assert_like_keras(ours, theirs, array(2, 3, 4))


@pytest.mark.parametrize("axis", [-1, 1, [1, 2]])
@pytest.mark.parametrize("kind", ["bool", "float32"])
@pytest.mark.parametrize("shape", [(2, 3, 4), (3, 1), (4,)])
def test_softmax_of_masked_inputs(axis, kind, shape):
    mask = np.random.default_rng(1).uniform(size=shape) > 0.4
    mask.flat[:2] = False
    ours, theirs = layers.Softmax(axis), keras.layers.Softmax(axis)
    expected = theirs(array(2, 3, 4), mask=mask.astype(kind))
    np.testing.assert_allclose(ours(array(2, 3, 4), mask=mask.astype(kind)), expected, atol=1e-6)


def test_a_mask_that_does_not_spread_raises_a_clear_error():
    with pytest.raises(ValueError, match=r"mask of shape \(5,\) does not broadcast to inputs of shape \(2, 4\)"):
        layers.Softmax()(array(2, 4), mask=np.ones(5, bool))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.ReLU(max_value=-1), "ReLU: `max_value` must be a number of at least 0; got -1"),
        (lambda: layers.ReLU(negative_slope=None), "ReLU: `negative_slope`"),
        (lambda: layers.LeakyReLU(-0.1), "LeakyReLU: `negative_slope`"),
        (lambda: layers.Activation("relo"), "relu"),
        (lambda: layers.PReLU()(layers.Input((None, 3))), "axis 1 of its input, which is unknown"),
    ],
)
def test_errors_are_clear(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_prelu_shares_unknown_axes():
    layer = layers.PReLU(shared_axes=[1])
    layer(layers.Input((None, 3)))
    assert layer.alpha.shape == (1, 3)
