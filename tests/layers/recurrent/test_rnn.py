"""The loop over time steps: masks, states, cells of programs, and what it refuses."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from contract.compare import assert_like_keras, copy_weights
from cornu import layers, models
from cornu.core.scope import set_mask

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((4, 5, 3)).astype("float32")
MASKS = {
    "at the end": [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0], [1, 1, 0, 0, 0]],
    "at the beginning": [[0, 0, 1, 1, 1], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 1]],
    "in the middle": [[1, 0, 1, 0, 1], [1, 1, 0, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 0, 1]],
    "of whole rows": [[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [0, 1, 0, 1, 0]],
}
CLASSES = ["SimpleRNN", "LSTM", "GRU"]


@pytest.mark.parametrize(
    "arguments", [{}, {"return_sequences": True}, {"go_backwards": True, "return_sequences": True}]
)
@pytest.mark.parametrize("where", MASKS)
@pytest.mark.parametrize("name", CLASSES)
def test_masked_steps_are_those_of_keras(name, where, arguments):
    mask = np.array(MASKS[where], bool)
    ours, theirs = (getattr(module, name)(3, **arguments) for module in (layers, keras.layers))
    assert_like_keras(ours, theirs, X, mask=mask, shapes=False)


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_outputs_of_masked_steps_may_be_zero(zero, sequences):
    mask = np.array(MASKS["at the end"], bool)
    arguments = {"zero_output_for_mask": zero, "return_sequences": sequences}
    assert_like_keras(layers.GRU(3, **arguments), keras.layers.GRU(3, **arguments), X, mask=mask, shapes=False)


@pytest.mark.parametrize("name", CLASSES)
def test_initial_states_and_last_states(name):
    ours, theirs = (getattr(module, name)(3, return_state=True) for module in (layers, keras.layers))
    copy_weights(ours, theirs, X)
    count = 2 if name == "LSTM" else 1
    states = [RANDOM.standard_normal((4, 3)).astype("float32") for _ in range(count)]
    for given in (states, tuple(states), [jnp.asarray(state) for state in states]):
        for one, other in zip(ours(X, initial_state=given), theirs(X, initial_state=states), strict=True):
            np.testing.assert_allclose(one, other, atol=2e-6)
    for one, other in zip(ours([X, *states]), theirs(X, initial_state=states), strict=True):  # as in Keras 2
        np.testing.assert_allclose(one, other, atol=2e-6)
    assert len(ours(X)) == count + 1


def test_states_of_one_layer_begin_another():
    encoder = layers.LSTM(3, return_state=True)
    decoder = layers.LSTM(3, return_sequences=True)
    source, target = layers.Input((5, 3)), layers.Input((None, 2))
    _, *states = encoder(source)
    model = models.Model([source, target], decoder(target, initial_state=states))
    y = RANDOM.standard_normal((4, 6, 2)).astype("float32")
    assert model.output_shape == (None, None, 3)
    expected = decoder(y, initial_state=encoder(X)[1:])
    np.testing.assert_allclose(model.predict([X, y], verbose=0), expected, atol=2e-6)
    copy = models.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy.predict([X, y], verbose=0), expected, atol=2e-6)


def test_masks_travel_through_layers():
    tokens = np.array([[1, 2, 3, 0, 0], [4, 0, 5, 6, 0]])
    model = models.Sequential([layers.Embedding(7, 3, mask_zero=True), layers.LSTM(4, return_sequences=True)])
    outputs = model(tokens)
    np.testing.assert_array_equal(outputs._keras_mask, tokens != 0)
    embedded = model.layers[0](tokens)
    set_mask(embedded, None)
    np.testing.assert_allclose(outputs, model.layers[1](embedded, mask=tokens != 0), atol=2e-6)
    assert getattr(layers.LSTM(4)(model.layers[0](tokens)), "_keras_mask", None) is None


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("length", [1, 2, 17])
def test_unrolled_is_the_same(name, length):
    x = RANDOM.standard_normal((2, length, 3)).astype("float32")
    mask = RANDOM.random((2, length)) > 0.3
    loop = getattr(layers, name)(4, return_sequences=True)
    unrolled = getattr(layers, name)(4, return_sequences=True, unroll=True)
    loop(x), unrolled(x)
    unrolled.set_weights(loop.get_weights())
    np.testing.assert_allclose(loop(x, mask=mask), unrolled(x, mask=mask), atol=1e-6)


def test_stateful_layers_go_on_from_batch_to_batch():
    layer, whole = layers.LSTM(3, stateful=True), layers.LSTM(3)
    layer(X), whole(X)
    whole.set_weights(layer.get_weights())
    layer.reset_states()
    layer(X)
    np.testing.assert_allclose(layer(X), whole(np.concatenate([X, X], axis=1)), atol=2e-6)
    layer.reset_states([np.ones((4, 3)), np.zeros((4, 3))])
    np.testing.assert_array_equal(layer.states[0], np.ones((4, 3)))
    layer.reset_state()
    np.testing.assert_array_equal(layer.states[0], np.zeros((4, 3)))
    assert len(layer.weights) == 3


def test_stateful_models_keep_their_states_through_predict_and_fit():
    model = models.Sequential([layers.Input(batch_shape=(4, 5, 3)), layers.GRU(3, stateful=True), layers.Dense(1)])
    first = model.predict(X, verbose=0)
    second = model.predict(X, verbose=0)
    assert np.abs(first - second).max() > 1e-4
    model.layers[0].reset_states()
    both = model.predict(np.concatenate([X, X]), batch_size=4, verbose=0)
    np.testing.assert_allclose(both, np.concatenate([first, second]), atol=1e-6)
    model.compile("sgd", "mse")
    model.layers[0].reset_states()
    model.fit(np.concatenate([X, X]), np.zeros((8, 1)), batch_size=4, shuffle=False, verbose=0)
    assert np.abs(np.asarray(model.layers[0].states[0])).max() > 0


class Counting(layers.Layer):
    """A cell with two states of different kinds, whose output is neither of them."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.state_size, self.output_size = units, [units, 1], units + 1

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")

    def call(self, inputs, states):
        total, steps = states
        total, steps = total + inputs @ self.kernel, steps + 1
        return jnp.concatenate([total / steps, steps], axis=-1), [total, steps]


@pytest.mark.parametrize("sequences", [False, True])
def test_a_cell_of_a_program_with_several_states(sequences):
    layer = layers.RNN(Counting(2), return_sequences=sequences, return_state=True)
    outputs, total, steps = layer(X)
    sums = np.cumsum(X @ np.asarray(layer.cell.kernel), axis=1)
    expected = np.concatenate(
        [sums / np.arange(1, 6)[:, None], np.broadcast_to(np.arange(1, 6)[:, None], (4, 5, 1))], -1
    )
    np.testing.assert_allclose(outputs, expected if sequences else expected[:, -1], atol=2e-6)
    np.testing.assert_allclose(total, sums[:, -1], atol=2e-6)
    np.testing.assert_array_equal(steps, np.full((4, 1), 5))
    compiled = jax.jit(lambda x: layer(x)[0])(X)
    np.testing.assert_allclose(compiled, outputs, atol=2e-6)


def test_a_masked_step_repeats_the_output_that_is_no_state():
    layer = layers.RNN(Counting(2), return_sequences=True)
    mask = np.array([[0, 1, 0, 1, 0]] * 4, bool)
    outputs = np.asarray(layer(X, mask=mask))
    np.testing.assert_array_equal(outputs[:, 0], np.zeros((4, 3)))
    np.testing.assert_array_equal(outputs[:, 2], outputs[:, 1])
    np.testing.assert_array_equal(outputs[:, 4], outputs[:, 3])
    np.testing.assert_array_equal(outputs[:, 3, -1], np.full(4, 2))


class WithConstants(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def call(self, inputs, states, constants):
        return states[0] + constants[0], [states[0] + constants[0]]


def test_a_cell_gets_constants_in_every_step():
    context = RANDOM.standard_normal((4, 2)).astype("float32")
    layer = layers.RNN(WithConstants(2))
    np.testing.assert_allclose(layer(X, constants=[context]), 5 * context, rtol=1e-5)
    start = np.ones((4, 2), "float32")
    np.testing.assert_allclose(layer([X, start, context]), 1 + 5 * context, rtol=1e-5)
    assert layer.get_config()["num_constants"] == 1


def test_a_cell_may_be_any_object():
    class Adding:
        state_size = output_size = 3

        def call(self, inputs, states):
            return inputs + states[0], [inputs + states[0]]

    np.testing.assert_allclose(layers.RNN(Adding())(X), X.sum(axis=1), atol=2e-6)


def test_dropout_is_the_same_in_all_steps():
    layer = layers.SimpleRNN(64, activation=None, recurrent_initializer="zeros", dropout=0.5, return_sequences=True)
    x = np.ones((2, 6, 8), "float32")
    outputs = np.asarray(layer(x, training=True))
    np.testing.assert_allclose(outputs, np.repeat(outputs[:, :1], 6, axis=1), atol=1e-6)
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-3
    assert np.abs(outputs - np.asarray(layer(x, training=True))).max() > 1e-3
    assert np.abs(outputs - np.asarray(layer(x))).max() > 1e-3


def test_wrong_inputs_are_refused_in_words():
    with pytest.raises(
        ValueError, match=r"Layer 'second' \(LSTM\) takes sequences .* Give|'first' return_sequences=True"
    ):
        models.Sequential([layers.Input((5, 3)), layers.GRU(2, name="first"), layers.LSTM(2, name="second")])
    with pytest.raises(ValueError, match=r"called with shape \(4, 3\)"):
        layers.LSTM(2)(X[:, 0])
    with pytest.raises(ValueError, match=r"unroll=True, and the number of time steps .* is unknown"):
        layers.LSTM(2, unroll=True)(layers.Input((None, 3)))
    with pytest.raises(ValueError, match=r"has 2 states of shape \(4, 2\), \(4, 2\); initial_state has 1"):
        layers.LSTM(2)(X, initial_state=np.zeros((4, 2)))
    with pytest.raises(ValueError, match=r"has 1 state of shape \(4, 2\); initial_state has 1, of shape \(3, 2\)"):
        layers.GRU(2)(X, initial_state=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="stateful=True"):
        layers.LSTM(2, stateful=True)(layers.Input((5, 3)))
    with pytest.raises(ValueError, match="has no state_size"):
        layers.RNN(layers.Dense(3))
    with pytest.raises(ValueError, match="A cell is an object with call"):
        layers.RNN(lambda x: x)
    layer = layers.LSTM(2, stateful=True)
    layer(X)
    with pytest.raises(ValueError, match="stateful for batches of 4 rows; got a batch of 3"):
        layer(X[:3])
    with pytest.raises(AttributeError, match="is not stateful"):
        layers.LSTM(2).reset_states()
