"""Dropout inside recurrent layers: reproducible, independent in both directions, with masks, states and policies."""

import numpy as np
import pytest

from cornu import layers, models

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((4, 6, 3)).astype("float32")
Y = RANDOM.standard_normal((4, 1)).astype("float32")
CLASSES = ["SimpleRNN", "LSTM", "GRU"]
RATES = {"dropout": 0.4, "recurrent_dropout": 0.3}


def twice(make):
    """Make a layer twice, with the same weights."""
    one, other = make(), make()
    one(X), other(X)
    other.set_weights(one.get_weights())
    return one, other


@pytest.mark.parametrize("name", CLASSES)
def test_a_seed_gives_the_same_bits(name):
    one, other = twice(lambda: getattr(layers, name)(4, seed=3, **RATES))
    for _ in range(2):
        np.testing.assert_array_equal(one(X, training=True), other(X, training=True))
    one, other = twice(lambda: getattr(layers, name)(4, **RATES))
    assert np.abs(np.asarray(one(X, training=True)) - np.asarray(other(X, training=True))).max() > 1e-3


def test_both_directions_draw_independently():
    both = layers.Bidirectional(layers.SimpleRNN(32, seed=1, **RATES), merge_mode=None)
    both(X)
    both.backward_layer.set_weights(both.forward_layer.get_weights())
    same = np.repeat(X[:, :1], 6, axis=1)  # the same in both directions
    forward, backward = map(np.asarray, both(same))
    np.testing.assert_allclose(forward, backward, atol=1e-6)
    both = layers.Bidirectional(layers.SimpleRNN(32, **RATES), merge_mode=None)
    both(X)
    both.backward_layer.set_weights(both.forward_layer.get_weights())
    forward, backward = map(np.asarray, both(same, training=True))
    assert np.abs(forward - backward).max() > 1e-3


def test_a_clone_has_other_weights_and_other_noise():
    model = models.Sequential([layers.Input((6, 3)), layers.GRU(4, **RATES)])
    clone = models.clone_model(model)
    assert np.abs(model.get_weights()[0] - clone.get_weights()[0]).max() > 1e-3
    clone.set_weights(model.get_weights())
    outputs = [np.asarray(one(X, training=True)) for one in (model, clone)]
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-3


@pytest.mark.parametrize("name", CLASSES)
def test_unrolled_and_masked(name):
    mask = np.arange(6) < np.array([[6], [3], [1], [0]])
    one, other = (
        getattr(layers, name)(4, seed=3, unroll=unroll, return_sequences=True, **RATES) for unroll in (False, True)
    )
    one(X), other(X)
    other.set_weights(one.get_weights())
    found, expected = (np.asarray(layer(X, mask=mask, training=True)) for layer in (other, one))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(expected[1, 3:], np.repeat(expected[1, 2:3], 3, axis=0), atol=1e-6)


def test_stateful_batches_draw_anew():
    layer = layers.LSTM(4, stateful=True, **RATES)
    layer(X)
    layer.reset_states()
    first = np.asarray(layer(X, training=True))
    layer.reset_states()
    assert np.abs(first - np.asarray(layer(X, training=True))).max() > 1e-3


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_training_in_half_precision(name, policy):
    layer = getattr(layers, name)(8, dtype=policy, stateful=True, **RATES)
    model = models.Sequential([layers.Input(batch_shape=(4, 6, 3)), layer, layers.Dense(1, dtype="float32")])
    model.compile("adam", "mse")
    losses = model.fit(X, Y, batch_size=4, epochs=30, shuffle=False, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    assert all(weight.dtype == "float32" for weight in model.weights)
    assert layer.states[0].value.dtype == policy.removeprefix("mixed_")


def test_loss_scaling_of_a_model_in_half_precision():
    from cornu import mixed_precision, optimizers

    mixed_precision.set_global_policy("mixed_float16")
    try:
        model = models.Sequential(
            [layers.Input((6, 3)), layers.Bidirectional(layers.LSTM(8, **RATES)), layers.Dense(1)]
        )
        model.compile("adam", "mse")
        assert isinstance(model.optimizer, optimizers.LossScaleOptimizer)
        losses = model.fit(X, Y, epochs=30, verbose=0).history["loss"]
    finally:
        mixed_precision.set_global_policy("float32")
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
