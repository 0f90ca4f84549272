"""Recurrent layers in the spellings of Keras 1, Keras 2 and tf.keras."""

import jax.numpy as jnp
import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.compat import recurrent as old
from cornu.compat.backend.networks import rnn
from cornu.core import era
from cornu.core.input_spec import InputSpec

pytestmark = pytest.mark.old_spellings
X = np.random.default_rng(0).standard_normal((4, 5, 3)).astype("float32")


@pytest.mark.parametrize(
    ("cls", "given", "expected"),
    [
        ("LSTM", {"output_dim": 4, "init": "he_normal", "inner_init": "glorot_uniform"}, {"units": 4}),
        ("LSTM", {"output_dim": 4, "forget_bias_init": "one"}, {"unit_forget_bias": True}),
        ("LSTM", {"output_dim": 4, "forget_bias_init": "zero"}, {"unit_forget_bias": False}),
        ("LSTM", {"output_dim": 4, "dropout_W": 0.2, "dropout_U": 0.1}, {"dropout": 0.2, "recurrent_dropout": 0.1}),
        ("GRU", {"units": 4, "dropout": 0.0}, {"dropout": 0.0}),
        ("GRU", {"units": 4, "consume_less": "gpu", "input_dim": 3, "input_length": 5}, {"units": 4}),
        ("GRU", {"units": 4, "implementation": 0}, {"units": 4}),
        ("SimpleRNN", {"output_dim": 4, "implementation": 1, "batch_input_shape": (2, 5, 3)}, {"units": 4}),
        ("LSTM", {"units": 4, "use_cudnn": True, "time_major": False}, {"units": 4, "time_major": False}),
    ],
)
def test_keywords(cls, given, expected):
    layer = getattr(layers, cls)(**given)
    assert {name: getattr(layer, name) for name in expected} == expected
    layer(X)
    assert type(layer).from_config(layer.get_config()).units == 4


def test_regularizers_and_inner_activation():
    layer = layers.LSTM(
        4, W_regularizer="l2", U_regularizer="l1", b_regularizer="l2", inner_activation="relu", activation="tanh"
    )
    assert type(layer.kernel_regularizer).__name__ == "L2"
    assert type(layer.recurrent_regularizer).__name__ == "L1"
    assert type(layer.bias_regularizer).__name__ == "L2"
    assert layer.recurrent_activation is cornu.activations.relu


@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        ("LSTM", (4, "he_normal", "orthogonal", "zero", "relu", "sigmoid")),
        ("GRU", (4, "he_normal", "orthogonal", "relu", "sigmoid")),
        ("SimpleRNN", (4, "he_normal", "orthogonal", "relu")),
    ],
)
def test_the_order_of_keras_1(cls, arguments):
    layer = getattr(layers, cls)(*arguments)
    assert type(layer.kernel_initializer).__name__ == "HeNormal"
    assert layer.activation is cornu.activations.relu


def as_tuple(outputs):
    return outputs if isinstance(outputs, tuple) else (outputs,)


@pytest.mark.parametrize("cls", [layers.LSTM, layers.GRU, layers.SimpleRNN])
@pytest.mark.parametrize("options", [{}, {"return_sequences": True}, {"return_sequences": True, "return_state": True}])
def test_time_may_be_the_first_axis(cls, options):
    plain, swapped = cls(4, **options), cls(4, time_major=True, **options)
    mask = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1]], bool)
    plain(X), swapped(X.swapaxes(0, 1))
    swapped.set_weights(plain.get_weights())
    expected, found = plain(X, mask=mask), swapped(X.swapaxes(0, 1), mask=mask.T)
    for one, other in zip(*map(as_tuple, (expected, found)), strict=True):
        one = one.swapaxes(0, 1) if one.ndim == 3 else one
        np.testing.assert_allclose(other, one, atol=1e-6)
    assert cls.from_config(swapped.get_config()).time_major


def test_both_directions_with_time_first():
    plain = layers.Bidirectional(layers.GRU(4, return_sequences=True))
    swapped = layers.Bidirectional(layers.GRU(4, return_sequences=True, time_major=True))
    plain(X), swapped(X.swapaxes(0, 1))
    swapped.set_weights(plain.get_weights())
    np.testing.assert_allclose(swapped(X.swapaxes(0, 1)), plain(X).swapaxes(0, 1), atol=1e-6)


@pytest.mark.parametrize("one", era.ERAS)
def test_defaults_of_gates_are_those_of_the_era(one):
    with era.using(one):
        made = [layers.LSTM(2), layers.GRU(2), layers.LSTMCell(2), layers.GRUCell(2)]

        class Own(layers.GRU):
            def __init__(self, **kwargs):
                super().__init__(2, **kwargs)

        made.append(Own())
        old_gates = one in ("1", "2")
        name = "hard_sigmoid_of_keras_2" if old_gates else "sigmoid"
        assert all(layer.recurrent_activation.__name__ == name for layer in made)
        assert all(made[place].reset_after is not old_gates for place in (1, 3, 4))
        given = layers.GRU(2, recurrent_activation="sigmoid", reset_after=True)
        assert given.reset_after
        assert given.recurrent_activation is cornu.activations.sigmoid
        assert layers.GRU(2, "tanh", "relu").recurrent_activation is cornu.activations.relu
        configs = [layer.get_config() for layer in made[:4]]
    for layer, config in zip(made, configs, strict=False):
        assert type(layer).from_config(config).recurrent_activation.__name__ == name
        assert type(layer).from_config(config).get_config() == config


def test_layers_of_cudnn():
    lstm, gru = old.CuDNNLSTM(4, return_sequences=True), old.CuDNNGRU(3, "he_normal")
    with era.using("2"):
        assert old.CuDNNLSTM(2).recurrent_activation is cornu.activations.sigmoid
        assert old.CuDNNGRU(2).reset_after
    assert isinstance(lstm, old.CuDNNLSTM)
    assert type(gru.kernel_initializer).__name__ == "HeNormal"
    assert lstm.name.startswith("cu_dnnlstm")
    model = cornu.Sequential([layers.Input((5, 3)), lstm, layers.Bidirectional(gru)])
    assert model.output_shape == (None, 6)
    assert type(layers.deserialize(layers.serialize(lstm))) is layers.LSTM
    with pytest.raises(TypeError, match="by position"):
        old.CuDNNGRU(*range(20))


def test_a_gru_of_before_reset_after():
    config = {"units": 3, "recurrent_activation": "hard_sigmoid", "implementation": 0, "name": "g"}
    assert not layers.deserialize({"class_name": "GRU", "config": config}).reset_after
    assert layers.deserialize({"class_name": "GRU", "config": {"units": 3}}).reset_after


class Own(old.Recurrent):
    """A custom layer of Keras 1: an Elman network whose steps get the mean of the sequence too."""

    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.input_spec = [InputSpec(shape=input_shape)]
        self.states = [None]
        if self.stateful:
            self.reset_states()
        self.W = self.add_weight(shape=(input_shape[2], self.output_dim), name="W")
        self.U = self.add_weight(shape=(self.output_dim, self.output_dim), name="U")
        self.built = True

    def get_constants(self, x):
        return [x.mean(axis=1)]

    def step(self, x, states):
        before, mean = states
        output = jnp.tanh((x + mean) @ self.W + before @ self.U)
        return output, [output]


def test_the_base_class_of_keras_1():
    layer = Own(4, return_sequences=True)
    outputs = np.asarray(layer(X))
    w, u = layer.get_weights()
    state = np.zeros((4, 4), "float32")
    for step in range(5):
        state = np.tanh((X[:, step] + X.mean(axis=1)) @ w + state @ u)
        np.testing.assert_allclose(outputs[:, step], state, atol=1e-5)
    last = Own(4, go_backwards=True)
    last(X)
    last.set_weights([w, u])
    model = cornu.Sequential([layers.Masking(input_shape=(5, 3)), last, layers.Dense(1)])
    model.compile("adam", "mse")
    history = model.fit(X, np.ones((4, 1)), epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    with pytest.raises(NotImplementedError, match=r"Recurrent has no step\(x, states\)"):
        old.Recurrent()(X)


def test_the_base_class_of_keras_1_goes_on_from_batch_to_batch():
    plain, stateful = Own(4), Own(4, stateful=True, batch_input_shape=(4, 5, 3))
    plain(X), stateful(X)
    stateful.set_weights(plain.get_weights())
    stateful.reset_states()
    first = stateful(X)
    np.testing.assert_allclose(first, plain(X), atol=1e-6)
    np.testing.assert_array_equal(stateful.states[0], first)
    assert np.abs(stateful(X) - first).max() > 1e-3
    assert len(stateful.weights) == 2
    with pytest.raises(AttributeError, match="is not stateful"):
        plain.reset_states()


def test_time_distributed_dense():
    w, b = np.ones((3, 2), "float32"), np.ones(2, "float32")
    np.testing.assert_allclose(old._time_distributed_dense(X, w, b, None, 3, 2, 5), X @ w + b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(old.time_distributed_dense(X, w), X @ w, rtol=1e-5, atol=1e-6)


class OwnCell(old.AbstractRNNCell):
    def __init__(self, units, **kwargs):
        self.units = units
        super().__init__(**kwargs)

    @property
    def state_size(self):
        return self.units

    def build(self, input_shape):
        self.seen = input_shape
        self.kernel = self.add_weight(shape=(3, self.units), name="kernel")

    def call(self, inputs, states, constants=None):
        output = inputs @ self.kernel + states[0]
        return output, [output]


def test_a_cell_of_tf_keras_and_what_cells_with_constants_are_built_for():
    outputs = layers.RNN(OwnCell(2))(X)
    assert outputs.shape == (4, 2)
    context = np.ones((4, 7), "float32")
    for one, expected in (("3", (4, 3)), ("tf.keras", (4, 3)), ("2", [(4, 3), (4, 7)])):
        with era.using(one):
            layer = layers.RNN(OwnCell(2))
            layer(X, constants=[context])
            assert layer.cell.seen == expected


@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("masked", [None, "repeat", "zero"])
def test_the_loop_of_the_backend(real_keras, time_major, go_backwards, masked):
    mask = None if masked is None else np.array([[1, 1, 0, 1, 0]] * 4, bool)

    def step(x, states):
        return states[0] + x, [states[0] + x]

    x = X.swapaxes(0, 1) if time_major else X
    given = mask.T if mask is not None and time_major else mask
    options = {"go_backwards": go_backwards, "time_major": time_major, "zero_output_for_mask": masked == "zero"}
    found = rnn(step, x, [np.zeros((4, 3), "float32")], mask=given, **options)
    expected = real_keras.src.backend.rnn(step, jnp.asarray(x), [jnp.zeros((4, 3))], mask=given, **options)
    for one, other in zip((*found[:2], found[2][0]), (*expected[:2], expected[2][0]), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(("one", "gate"), [("1", 0.6), ("2", 0.6), ("tf.keras", 0.6), ("3", 0.6224593)])
def test_gates_of_convolutional_layers_are_those_of_the_era(one, gate):
    with era.using(one):
        for layer in (layers.ConvLSTM1D(2, 3), layers.ConvLSTM2D(2, 3), layers.ConvLSTMCell(2, 2, 3)):
            np.testing.assert_allclose(layer.recurrent_activation(jnp.asarray(0.5)), gate, rtol=1e-6)
        said = layers.ConvLSTM2D(2, 3, recurrent_activation="sigmoid")
        np.testing.assert_allclose(said.recurrent_activation(jnp.asarray(0.5)), 0.6224593, rtol=1e-6)
