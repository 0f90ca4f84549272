"""Convolutional LSTMs: their arguments, states and masks as in Keras, sizes that are unknown, dropout, exports."""

import keras
import numpy as np
import onnxruntime
import pytest

import cornu
from contract.compare import assert_like_keras, copy_weights
from cornu import layers, models

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((2, 4, 5, 6, 3)).astype("float32")  # (batch, time, rows, columns, channels)
MASK = np.array([[1, 1, 0, 1], [0, 1, 1, 0]], bool)
OPTIONS = [
    {"kernel_size": 3},
    {"kernel_size": (1, 2), "padding": "same", "activation": "relu", "recurrent_activation": "hard_sigmoid"},
    {"kernel_size": 2, "strides": 2, "return_sequences": True, "bias_initializer": "ones"},
    {"kernel_size": 2, "dilation_rate": (2, 1), "go_backwards": True, "return_sequences": True},
    {"kernel_size": 3, "strides": (1, 2), "padding": "same", "use_bias": False, "return_state": True},
    {"kernel_size": 2, "padding": "SAME", "return_sequences": True, "zero_output_for_mask": True},
]


def pair(cls, *args, **kwargs):
    return [getattr(module, cls)(*args, **kwargs) for module in (layers, keras.layers)]


@pytest.mark.parametrize("number", range(len(OPTIONS)))
def test_arguments_mean_what_they_mean_in_keras(number):
    assert_like_keras(*pair("ConvLSTM2D", 2, **OPTIONS[number]), X)


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_masked_steps_keep_the_states(zero, backwards):
    """Keras 3 on JAX raises an error for masks of images."""
    options = {"go_backwards": backwards, "return_sequences": True, "return_state": True}
    layer = layers.ConvLSTM2D(2, 2, zero_output_for_mask=zero, **options)
    outputs, *states = map(np.asarray, layer(X, mask=MASK))
    for row, mask in enumerate(MASK):
        kept, *expected = map(np.asarray, layer(X[row : row + 1, mask]))
        mask = mask[::-1] if backwards else mask
        np.testing.assert_allclose(outputs[row, mask], kept[0], atol=1e-6)
        for found, state in zip(states, expected, strict=True):
            np.testing.assert_allclose(found[row], state[0], atol=1e-6)
        before = np.concatenate([np.zeros_like(outputs[row, :1]), outputs[row, :-1]])
        repeated = np.zeros_like(before) if zero else before
        np.testing.assert_array_equal(outputs[row, ~mask], repeated[~mask])


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_initial_states_and_last_states(rank):
    x = RANDOM.standard_normal((2, 3, *(4, 5, 3)[:rank], 1)).astype("float32")
    ours, theirs = pair(f"ConvLSTM{rank}D", 2, 3, padding="same", return_state=True)
    copy_weights(ours, theirs, x)
    states = [RANDOM.standard_normal((2, *(4, 5, 3)[:rank], 2)).astype("float32") for _ in range(2)]
    for one, other in zip(ours(x, initial_state=states), theirs(x, initial_state=states), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)
    for one, other in zip(ours([x, *states]), theirs(x, initial_state=states), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)
    with pytest.raises(ValueError, match=r"has 2 states of shape .*; initial_state has 1"):
        ours(x, initial_state=states[0])


def test_a_cell_computes_one_step():
    ours = layers.ConvLSTMCell(2, 2, 3, padding="same")
    layer = layers.ConvLSTM2D(2, 3, padding="same", return_state=True)
    ours(X[:, 0], [np.zeros((2, 5, 6, 2), "float32")] * 2), layer(X)
    ours.set_weights(layer.get_weights())
    states = ours.get_initial_state(batch_size=2)
    for step in range(4):
        output, states = ours(X[:, step], states)
    for one, other in zip((output, *states), layer(X), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    again = layers.RNN(ours)
    np.testing.assert_allclose(again(X), output, atol=1e-6)
    assert again.state_size == [(5, 6, 2), (5, 6, 2)]


def test_spatial_sizes_may_be_unknown():
    inputs = layers.Input((None, None, None, 3))
    layer = layers.ConvLSTM2D(2, 3, strides=2, return_sequences=True, dropout=0.2, recurrent_dropout=0.2)
    model = models.Model(inputs, layer(inputs))
    assert model.output_shape == (None, None, None, None, 2)
    for rows, columns in ((5, 6), (9, 3)):
        x = RANDOM.standard_normal((2, 4, rows, columns, 3)).astype("float32")
        expected = (2, 4, (rows - 1) // 2, (columns - 1) // 2, 2)
        assert model.predict(x, verbose=0).shape == model(x, training=True).shape == expected
    with pytest.raises(ValueError, match="needs to know the spatial sizes"):
        layers.ConvLSTM2D(2, 3, stateful=True)(layers.Input(batch_shape=(2, None, None, None, 3)))


def test_stateful_layers_go_on_from_batch_to_batch():
    layer, whole = layers.ConvLSTM2D(2, 2, stateful=True), layers.ConvLSTM2D(2, 2)
    layer(X), whole(X)
    whole.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(X), whole(np.concatenate([X, X], axis=1)), atol=2e-6)
    layer.reset_states()
    np.testing.assert_array_equal(layer.states[0], np.zeros((2, 4, 5, 2)))
    with pytest.raises(ValueError, match="stateful for batches of 2 rows; got a batch of 1"):
        layer(X[:1])


def test_unrolled_is_the_same():
    loop, unrolled = (layers.ConvLSTM2D(2, 2, return_sequences=True, unroll=unroll) for unroll in (False, True))
    loop(X), unrolled(X)
    unrolled.set_weights(loop.get_weights())
    np.testing.assert_allclose(loop(X, mask=MASK), unrolled(X, mask=MASK), atol=1e-6)
    assert unrolled.get_config()["unroll"] is True


def test_dropout_is_the_same_in_all_steps():
    x = np.ones((2, 5, 4, 4, 8), "float32")
    layer = layers.ConvLSTM2D(
        8, 1, activation=None, recurrent_activation="linear", recurrent_initializer="zeros", dropout=0.5
    )
    same = layers.ConvLSTM2D.from_config(layer.get_config() | {"return_sequences": True, "bias_initializer": "ones"})
    outputs = np.asarray(layer(x, training=True))
    assert np.abs(outputs - np.asarray(layer(x, training=True))).max() > 1e-3
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-3
    assert np.isfinite(np.asarray(same(x, training=True))).all()
    seeded = [layers.ConvLSTM2D(2, 2, recurrent_dropout=0.5, dropout=0.1, seed=3) for _ in range(2)]
    for one in seeded:
        one(X)
    seeded[1].set_weights(seeded[0].get_weights())
    first, second = (np.asarray(one(X, training=True)) for one in seeded)
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - np.asarray(seeded[0](X))).max() > 1e-3


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_policies(policy):
    ours, theirs = pair("ConvLSTM2D", 2, 2, return_state=True, dtype=policy)
    copy_weights(ours, theirs, X)
    found, expected = ours(X), theirs(X)
    assert [one.dtype for one in found] == [one.dtype for one in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(one, "float32"), np.asarray(other, "float32"), atol=3e-2)


def test_ten_training_steps_are_those_of_keras():
    y = RANDOM.standard_normal((2, 1)).astype("float32")
    made = []
    for module in (cornu, keras):
        lay = module.layers
        stack = [
            lay.ConvLSTM2D(2, 2, padding="same", return_sequences=True),
            lay.ConvLSTM2D(3, 2),
            lay.Flatten(),
            lay.Dense(1),
        ]
        made.append(module.Sequential([module.Input(X.shape[1:]), *stack]))
    made[0].set_weights(made[1].get_weights())
    losses = []
    for model in made:
        model.compile("adam", "mse")
        losses.append([float(model.train_on_batch(X, y)) for _ in range(10)])
    np.testing.assert_allclose(*losses, rtol=2e-4)


@pytest.mark.parametrize("arguments", [{}, {"return_sequences": True, "go_backwards": True, "strides": 2}])
def test_exports(arguments, tmp_path):
    model = models.Sequential([layers.Input((None, 5, 6, 3)), layers.ConvLSTM2D(2, 3, padding="same", **arguments)])
    model.export(tmp_path / "m.onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    for time in (1, 4):
        x = X[:, :time]
        (found,) = session.run(None, {session.get_inputs()[0].name: x})
        np.testing.assert_allclose(found, np.asarray(model(x)), atol=5e-6)


def test_wrong_arguments_are_refused_in_words():
    with pytest.raises(ValueError, match=r"not both; got strides=\(2, 2\)"):
        layers.ConvLSTM2D(2, 3, strides=2, dilation_rate=2)
    with pytest.raises(ValueError, match="`filters` must be an integer"):
        layers.ConvLSTM2D(0, 3)
    with pytest.raises(ValueError, match="expects an input with 5 axes"):
        layers.ConvLSTM2D(2, 3)(X[:, 0])
    with pytest.raises(ValueError, match="the window is larger"):
        layers.ConvLSTM2D(2, 7)(X)
    with pytest.raises(ValueError, match="which is unknown"):
        layers.ConvLSTM2D(2, 3)(layers.Input((4, 5, 6, None)))


@pytest.mark.old_spellings
def test_names_of_keras_2():
    from cornu.compat.layers import ConvLSTM2DCell

    x = RANDOM.standard_normal((2, 3, 4, 4, 1)).astype("float32")
    layer = layers.ConvRNN2D(ConvLSTM2DCell(2, 3, padding="same"), return_sequences=True)
    assert layer(x).shape == (2, 3, 4, 4, 2)
    cell = {"class_name": "ConvLSTM2DCell", "config": {"filters": 2, "kernel_size": [3, 3], "name": "c"}}
    made = layers.deserialize({"class_name": "ConvRNN2D", "config": {"cell": cell, "return_sequences": True}})
    assert made(x).shape == (2, 3, 2, 2, 2)
