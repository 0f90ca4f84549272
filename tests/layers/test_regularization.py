"""Dropout and its relatives: statistics, repeatability, inference, and real Keras's arguments."""

import jax
import keras
import numpy as np
import pytest

import cornu.layers as layers
from contract.compare import assert_like_keras
from cornu.core.scope import get_mask
from cornu.core.variable import read, untouched

RANDOM = {
    "Dropout": {"rate": 0.3},
    "SpatialDropout1D": {"rate": 0.3},
    "GaussianDropout": {"rate": 0.3},
    "GaussianNoise": {"stddev": 0.5},
    "AlphaDropout": {"rate": 0.3},
}


def make(name, **more):
    return getattr(layers, name)(**RANDOM[name], **more)


@pytest.mark.parametrize("name", RANDOM)
def test_inference_changes_nothing(name):
    inputs = np.random.default_rng(0).standard_normal((4, 5, 6)).astype("float32")
    assert_like_keras(make(name), getattr(keras.layers, name)(**RANDOM[name]), inputs, training=False)
    np.testing.assert_array_equal(make(name)(inputs), inputs)


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_repeats_the_whole_sequence_and_steps_differ(name):
    inputs = np.ones((4, 5, 60), "float32")
    first, second, other = make(name, seed=3), make(name, seed=3), make(name, seed=4)
    draws = [np.asarray(first(inputs, training=True)) for _ in range(3)]
    for draw in draws:
        np.testing.assert_array_equal(draw, second(inputs, training=True))
    assert not np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], other(inputs, training=True))


@pytest.mark.parametrize("name", RANDOM)
def test_numpys_seed_fixes_layers_without_one(name):
    inputs = np.ones((4, 5, 60), "float32")
    np.random.seed(10)
    first = np.asarray(make(name)(inputs, training=True))
    np.random.seed(10)
    np.testing.assert_array_equal(first, make(name)(inputs, training=True))


@pytest.mark.parametrize("name", ["Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout"])
def test_mean_and_variance_are_keras_layers(name):
    inputs = np.full((2000, 100), 0.7, "float32")
    ours = np.asarray(make(name, seed=1)(inputs, training=True), "float64")
    theirs = np.asarray(getattr(keras.layers, name)(**RANDOM[name], seed=1)(inputs, training=True), "float64")
    deviation = np.sqrt((theirs.var() + ours.var()) / theirs.size)
    assert abs(ours.mean() - theirs.mean()) < 4.5 * deviation
    assert abs(ours.var() / theirs.var() - 1) < 0.02
    assert abs(np.mean(ours == 0) - np.mean(theirs == 0)) < 0.005


def test_alpha_dropout_keeps_mean_and_variance_of_standard_normal_inputs():
    inputs = np.random.default_rng(0).standard_normal((2000, 200)).astype("float32")
    outputs = np.asarray(layers.AlphaDropout(0.4, seed=1)(inputs, training=True))
    assert abs(outputs.mean()) < 0.01
    assert abs(outputs.var() - 1) < 0.02
    dropped = np.unique(outputs.round(4), return_counts=True)
    assert abs(dropped[1].max() / outputs.size - 0.4) < 0.005


@pytest.mark.parametrize(
    ("layer", "shape", "shared"),
    [
        (layers.SpatialDropout1D(0.5), (8, 5, 64), (1,)),
        (layers.SpatialDropout2D(0.5), (8, 5, 4, 64), (1, 2)),
        (layers.SpatialDropout2D(0.5, data_format="channels_first"), (8, 64, 5, 4), (2, 3)),
        (layers.SpatialDropout3D(0.5), (4, 3, 2, 2, 64), (1, 2, 3)),
        (layers.SpatialDropout3D(0.5, data_format="channels_first"), (4, 64, 3, 2, 2), (2, 3, 4)),
        (layers.Dropout(0.5, noise_shape=(None, 1, 64)), (8, 5, 64), (1,)),
        (layers.Dropout(0.5, noise_shape=(64, 5, 1)), (64, 5, 64), (2,)),  # hundreds of decisions, as the others
        (layers.AlphaDropout(0.5, noise_shape=(8, 1, 64)), (8, 5, 64), (1,)),
    ],
)
def test_whole_axes_share_one_decision(layer, shape, shared):
    outputs = np.asarray(layer(np.ones(shape, "float32"), training=True))
    np.testing.assert_array_equal(outputs, np.broadcast_to(outputs.max(axis=shared, keepdims=True), shape))
    decisions = outputs.max(axis=shared) == outputs.max()
    assert 0.3 < decisions.mean() < 0.7


@pytest.mark.parametrize("rate", [0, 1])
@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout", "SpatialDropout1D"])
def test_the_ends_of_the_rate(name, rate):
    layer = getattr(layers, name)(rate)
    inputs = np.ones((2, 3, 4), "float32")
    np.testing.assert_array_equal(layer(inputs, training=True), inputs * (1 - rate))
    assert len(layer.variables) == (rate > 0)


@pytest.mark.parametrize(
    ("make_layer", "words"),
    [
        (lambda: layers.Dropout(1.5), "Dropout: `rate` must be a number from 0 to 1; got 1.5"),
        (lambda: layers.Dropout("0.5"), "Dropout: `rate`"),
        (lambda: layers.Dropout(None), "Dropout: `rate`"),
        (lambda: layers.SpatialDropout2D(-0.1), "SpatialDropout2D: `rate`"),
        (lambda: layers.GaussianNoise(-1), "GaussianNoise: `stddev` must be a number of at least 0"),
        (lambda: layers.Dropout(0.5, noise_shape="abc"), "noise_shape must be a tuple"),
        (lambda: layers.Dropout(0.5, noise_shape=(0, 1)), "noise_shape must be a tuple"),
        (lambda: layers.SpatialDropout1D(0.5)(np.ones((2, 3))), "3 axes"),
        (lambda: layers.SpatialDropout2D(0.5, data_format="last"), "data_format"),
    ],
)
def test_errors_are_clear(make_layer, words):
    with pytest.raises(ValueError, match=words):
        make_layer()


def test_the_random_key_is_state_but_no_weight():
    layer = layers.Dropout(0.5)
    assert layer.weights == []
    assert len(layer.non_trainable_variables) == 1


def test_a_compiled_step_draws_what_an_eager_one_draws():
    inputs = np.ones((4, 50), "float32")
    layer = layers.Dropout(0.5, seed=1)

    @jax.jit
    def step(values):
        with untouched(layer.variables):
            layer.seed_generator._value = values[0]
            return layer(inputs, training=True), read(layer.variables)

    compiled, updated = step(read(layer.variables))
    np.testing.assert_array_equal(layer(inputs, training=True), compiled)
    np.testing.assert_array_equal(read(layer.variables)[0], updated[0])


def test_masks_pass_through():
    masked = layers.Masking()(np.eye(3, dtype="float32")[None, :, :2])
    for name in RANDOM:
        np.testing.assert_array_equal(get_mask(make(name)(masked, training=True)), [[True, True, False]])


@pytest.mark.parametrize("arguments", [{"l1": 0.1}, {"l2": 0.3}, {"l1": 0.1, "l2": 0.2}])
def test_activity_regularization_is_keras_layer(arguments):
    inputs = np.random.default_rng(0).standard_normal((4, 5)).astype("float32")
    ours, theirs = (module.ActivityRegularization(**arguments) for module in (layers, keras.layers))
    np.testing.assert_array_equal(ours(inputs), theirs(inputs))
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-6)
