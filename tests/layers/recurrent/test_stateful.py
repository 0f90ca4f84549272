"""Stateful layers: states that go on from batch to batch in every way to run a model, and the batch size they need.

tf.keras is the reference: Keras 3 on JAX drops the states at the end of `fit`, `evaluate` and `predict`.
"""

import copy
import pickle
import threading

import jax
import numpy as np
import pytest

from cornu import callbacks, layers, models, ops
from cornu.core.variable import Variable

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((12, 5, 3)).astype("float32")
Y = RANDOM.standard_normal((12, 1)).astype("float32")
KINDS = {
    "two layers": lambda: [layers.LSTM(3, stateful=True, return_sequences=True), layers.GRU(3, stateful=True)],
    "bidirectional": lambda: [layers.Bidirectional(layers.LSTM(3, stateful=True))],
    "stacked cells": lambda: [layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], stateful=True)],
    "backwards": lambda: [layers.SimpleRNN(3, stateful=True, go_backwards=True)],
    "convolutional": lambda: [
        layers.Reshape((5, 3, 1)),
        layers.ConvLSTM1D(2, 2, stateful=True),
        layers.Flatten(),
    ],
    "inside a model": lambda: [models.Sequential([layers.Input(batch_shape=(4, 5, 3)), layers.LSTM(3, stateful=True)])],
}


def make(kind="two layers", rows=4, dropout=0.0):
    between = [layers.Dropout(dropout, seed=5)] if dropout else []
    stack = [layers.Input(batch_shape=(rows, 5, 3)), *between, *KINDS[kind](), layers.Dense(1)]
    model = models.Sequential(stack)
    model.compile("adam", "mse")
    return model


def states(model):
    recurrent = [layer for layer in model._flatten_layers() if isinstance(layer, layers.RNN)]
    found = jax.tree.leaves([layer.states for layer in recurrent], is_leaf=lambda leaf: isinstance(leaf, Variable))
    return [np.asarray(variable.value) for variable in found]


def assert_same(one, other):
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_figures_are_those_of_tf_keras():
    random = np.random.default_rng(0)
    x, y = random.standard_normal((8, 4, 2)).astype("float32"), random.standard_normal((8, 1)).astype("float32")
    x_val, y_val = random.standard_normal((4, 4, 2)).astype("float32"), random.standard_normal((4, 1)).astype("float32")
    both = layers.Bidirectional(layers.LSTM(2, stateful=True, return_sequences=True))
    gru = layers.GRU(3, stateful=True)
    model = models.Sequential([layers.Input(batch_shape=(4, 4, 2)), both, gru, layers.Dense(1)])
    random = np.random.default_rng(1)
    model.set_weights([random.uniform(-0.8, 0.8, w.shape).astype("float32") for w in model.get_weights()])
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 0.1
    fitted = model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0, validation_data=(x_val, y_val))
    # Measured with tf.keras 2.15.1.
    np.testing.assert_allclose(fitted.history["loss"], [1.70304704, 1.41725373, 1.38279426], rtol=1e-5)
    np.testing.assert_allclose(fitted.history["val_loss"], [0.80755955, 0.83388758, 0.84213972], rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(x_val, y_val, verbose=0), 0.82224345, rtol=1e-5)
    predicted = [0.12824132, 0.10866733, 0.06534725, 0.19129223]
    np.testing.assert_allclose(model.predict(x_val, verbose=0).ravel(), predicted, rtol=1e-5)
    losses = [model.train_on_batch(x[:4], y[:4]), model.test_on_batch(x[:4], y[:4])]
    np.testing.assert_allclose(losses, [0.9836117, 0.67330438], rtol=1e-5)
    predicted = [0.4342159, 0.4215486, 0.38695064, 0.427102]
    np.testing.assert_allclose(model.predict_on_batch(x[:4]).ravel(), predicted, rtol=1e-5)
    model.reset_states()
    predicted = [0.31174922, 0.3449409, 0.29433173, 0.31558833, 0.39427707, 0.40919375, 0.36866933, 0.46624368]
    np.testing.assert_allclose(model.predict(x, verbose=0).ravel(), predicted, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_batches_of_one_call_are_those_of_many(kind):
    """One compiled block over three batches, and a call for each, leave the same weights and the same states."""
    together, apart = make(kind), make(kind)
    apart.set_weights(together.get_weights())
    together.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
    for start in (0, 4, 8):
        apart.train_on_batch(X[start : start + 4], Y[start : start + 4])
    for one, other in zip(
        [*together.get_weights(), *states(together)], [*apart.get_weights(), *states(apart)], strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert max(np.abs(state).max() for state in states(together)) > 0
    together.evaluate(X, Y, batch_size=4, verbose=0)
    for start in (0, 4, 8):
        apart.test_on_batch(X[start : start + 4], Y[start : start + 4])
    expected = together.predict(X, batch_size=4, verbose=0)
    found = [apart.predict_on_batch(X[start : start + 4]) for start in (0, 4, 8)]
    np.testing.assert_allclose(expected, np.concatenate(found), atol=1e-5)
    assert len(together.weights) == len(apart.weights) == len(together.get_weights())
    for reset in ("reset_states", "reset_state"):
        getattr(together, reset)()
        assert all((state == 0).all() for state in states(together))
        expected = with_fresh_states(together)(X[:4])
        np.testing.assert_allclose(together.predict(X[:4], verbose=0), np.asarray(expected), atol=1e-6)


def with_fresh_states(model):
    """Return a new model with the same weights, whose states are zeros."""
    fresh = models.clone_model(model)
    fresh.set_weights(model.get_weights())
    return fresh


def test_layers_that_are_not_stateful_do_not_need_a_reset():
    model = models.Sequential([layers.Input((5, 3)), layers.LSTM(2), layers.Dense(1)])
    model.reset_states()
    assert not model.stateful
    assert make().stateful


@pytest.mark.parametrize("style", ["of Keras 2", "of Keras 3"])
def test_a_training_step_of_a_program_keeps_states(style):
    class Own(models.Sequential):
        def train_step(self, data):
            x, y = data
            loss = ops.mean(ops.square(self(x, training=True) - y))
            return {"loss": loss}

    class Functional(models.Sequential):
        def train_step(self, state, data):
            x, _ = data
            outputs, others = self.stateless_call(state[0], state[1], x, training=True)
            return {"loss": outputs.mean()}, (state[0], others, *state[2:])

    cls = Own if style == "of Keras 2" else Functional
    model = cls([layers.Input(batch_shape=(4, 5, 3)), layers.LSTM(3, stateful=True), layers.Dense(1)])
    model.compile("sgd", "mse")
    fresh = with_fresh_states(model)
    model.fit(X, Y, batch_size=4, verbose=0, shuffle=False)
    for start in (0, 4, 8):
        fresh(X[start : start + 4])
    for one, other in zip(states(model), states(fresh), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_callback_resets_states_between_epochs():
    class Reset(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.reset_states()

    model, by_hand = make(), make()
    by_hand.set_weights(model.get_weights())
    losses = model.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0, callbacks=[Reset()]).history["loss"]
    for loss in losses:
        by_hand.reset_states()
        history = by_hand.fit(X, Y, batch_size=4, epochs=1, shuffle=False, verbose=0).history
        np.testing.assert_allclose(history["loss"][0], loss, rtol=1e-5)


def test_the_batch_size_is_that_of_the_states():
    model = make()
    assert model.predict(X, verbose=0).shape == (12, 1)  # not 32
    model.fit(X, Y, shuffle=False, verbose=0, validation_data=(X[:8], Y[:8]))
    model.evaluate(X, Y, verbose=0)
    model.fit(X[:10], Y[:10], batch_size=4, steps_per_epoch=2, shuffle=False, verbose=0)


def test_batches_of_another_size_are_refused_before_training_starts():
    model = make()
    weights = model.get_weights()
    ten = r"is stateful for batches of 4 rows; {} got 10 rows, of which the last batch would have 2\.\nPass .*x\[:8\]"
    with pytest.raises(ValueError, match=ten.format("fit")):
        model.fit(X[:10], Y[:10], batch_size=4, verbose=0)
    with pytest.raises(ValueError, match=ten.format("evaluate")):
        model.evaluate(X[:10], Y[:10], verbose=0)
    with pytest.raises(ValueError, match=ten.format("predict")):
        model.predict(X[:10], batch_size=4, verbose=0)
    with pytest.raises(ValueError, match=r"fit got batch_size=6\.\nUse batch_size=4"):
        model.fit(X, Y, batch_size=6, verbose=0)
    with pytest.raises(ValueError, match="evaluate got 6 rows"):
        model.fit(X, Y, validation_data=(X[:6], Y[:6]), verbose=0)
    with pytest.raises(ValueError, match="fit got 9 rows"):
        model.fit(X, Y, validation_split=0.25, batch_size=4, verbose=0)
    with pytest.raises(ValueError, match=r"predict got 3 rows, .* would have 3\.\nPass a multiple of 4 rows\."):
        model.predict(X[:3], verbose=0)
    assert_same(weights, model.get_weights())
    assert all((state == 0).all() for state in states(model))

    def batches():
        yield X[:4], Y[:4]
        yield X[:3], Y[:3]

    for call in (lambda: model.fit(batches(), verbose=0), lambda: model.evaluate(batches(), verbose=0)):
        with pytest.raises(ValueError, match=r"stateful for batches of 4 rows; got a batch of 3\.\nUse batch_size=4"):
            call()
    for call in (model, model.predict_on_batch, lambda x: model.train_on_batch(x, Y[:3])):
        with pytest.raises(ValueError, match=r"stateful for batches of 4 rows; got a batch of 3\."):
            call(X[:3])


class InterruptError(RuntimeError):
    """Ends a training."""


@pytest.mark.parametrize("frequency", ["epoch", 2])
def test_a_resumed_training_goes_on_with_the_states(tmp_path, frequency):
    class Interrupt(callbacks.Callback):
        def __init__(self, at=None):
            super().__init__()
            self.at, self.seen = at, 0

        def on_train_batch_end(self, batch, logs=None):
            self.seen += 1
            if self.seen == self.at:
                raise InterruptError

    def run(model, at=None, backup=()):
        more = [*backup, Interrupt(at)]
        return model.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0, callbacks=more)

    whole, first, second = (make(dropout=0.3) for _ in range(3))
    first.set_weights(whole.get_weights())
    run(whole)
    backup = [callbacks.BackupAndRestore(tmp_path / "b", save_freq=frequency)]
    with pytest.raises(InterruptError):
        run(first, 5, backup)
    run(second, backup=backup)
    assert_same([*whole.get_weights(), *states(whole)], [*second.get_weights(), *states(second)])


def test_copies_have_states_of_their_own():
    model = make()
    model.fit(X, Y, shuffle=False, verbose=0)
    before = states(model)
    copies = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for one in copies:
        assert_same(states(one), before)
        one.predict(X, verbose=0)
        assert_same(states(model), before)
    clone = models.clone_model(model)
    assert all((state == 0).all() for state in states(clone))
    assert any((one != other).any() for one, other in zip(clone.get_weights(), model.get_weights(), strict=True))


def test_files_hold_no_states(tmp_path):
    model = make()
    model.fit(X, Y, shuffle=False, verbose=0)
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        loaded = models.load_model(tmp_path / name)
        assert all((state == 0).all() for state in states(loaded))
        assert loaded.layers[0].stateful
    model.save_weights(tmp_path / "w.weights.h5")
    model.load_weights(tmp_path / "w.weights.h5")


def test_a_batch_size_may_be_given_to_a_layer_of_a_subclassed_model():
    class Own(models.Model):
        def __init__(self):
            super().__init__()
            self.recurrent = layers.LSTM(3, stateful=True, batch_input_shape=(4, 5, 3))
            self.dense = layers.Dense(1)

        def call(self, x):
            return self.dense(self.recurrent(x))

    model = Own()
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=4, verbose=0, shuffle=False)
    assert states(model)[0].shape == (4, 3)
    with pytest.raises(ValueError, match="fit got 9 rows"):
        model.fit(X[:9], Y[:9], verbose=0)


def test_states_inside_time_distributed_go_on_from_step_to_step():
    inputs = layers.Input(batch_shape=(4, 3, 5, 3))
    model = models.Model(inputs, layers.TimeDistributed(layers.LSTM(2, stateful=True))(inputs))
    x = X.reshape(3, 4, 5, 3).swapaxes(0, 1)
    found = model.predict(x, verbose=0)
    inner = model.layers[-1].layer
    inner.reset_states()
    for step in range(3):
        np.testing.assert_allclose(found[:, step], np.asarray(inner(x[:, step])), atol=1e-6)
    model.reset_states()
    assert all((state == 0).all() for state in states(model))


def test_masked_rows_keep_their_states():
    layer = layers.GRU(3, stateful=True)
    mask = np.ones((4, 5), bool)
    layer(X[:4], mask=mask)
    before = layer.states[0].numpy()
    mask[1:3] = False
    layer(X[4:8], mask=mask)
    assert_same(layer.states[0].numpy()[1:3], before[1:3])
    assert (layer.states[0].numpy()[0] != before[0]).any()


def test_threads_take_turns():
    model, alone = make("backwards"), make("backwards")
    alone.set_weights(model.get_weights())
    threads = [threading.Thread(target=model.predict, args=(X[:4],), kwargs={"verbose": 0}) for _ in range(4)]
    model.predict(X[:4], verbose=0)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(5):
        alone.predict(X[:4], verbose=0)
    for one, other in zip(states(model), states(alone), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
