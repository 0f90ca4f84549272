import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cornu
from callbacks.stubs import Model, drive
from cornu import layers
from cornu.callbacks import EarlyStopping, TerminateOnNaN

values = st.lists(st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.5, 0.9]), min_size=1, max_size=12)


@given(
    values,
    st.sampled_from(["min", "max"]),
    st.integers(0, 3),
    st.sampled_from([0, 0.06]),
    st.sampled_from([None, 0.22]),
    st.booleans(),
    st.integers(0, 3),
)
def test_stops_and_restores_as_keras(real_keras, series, mode, patience, delta, baseline, restore, start):
    options = {
        "monitor": "val_loss",
        "mode": mode,
        "patience": patience,
        "min_delta": delta,
        "baseline": baseline,
        "restore_best_weights": restore,
        "start_from_epoch": start,
    }
    mine, theirs = EarlyStopping(**options), real_keras.callbacks.EarlyStopping(**options)
    my_model, my_logs = drive(mine, series)
    their_model, their_logs = drive(theirs, series)
    assert (len(my_logs), my_model.stop_training) == (len(their_logs), their_model.stop_training)
    assert (mine.wait, mine.stopped_epoch, mine.best_epoch) == (theirs.wait, theirs.stopped_epoch, theirs.best_epoch)
    assert my_model.weights == their_model.weights


@pytest.mark.parametrize(("monitor", "series"), [("val_acc", [0.5, 0.6, 0.6]), ("val_loss", [0.6, 0.5, 0.5])])
def test_auto_mode_knows_which_way_is_better(monitor, series):
    callback = EarlyStopping(monitor)
    _, logs = drive(callback, series, monitor)
    assert (len(logs), callback.best) == (3, series[1])


@pytest.mark.parametrize(("asked", "there"), [("val_acc", "val_accuracy"), ("val_accuracy", "val_acc")])
def test_either_spelling_of_accuracy_is_found(asked, there):
    callback = EarlyStopping(asked)
    drive(callback, [0.5, 0.7], there)
    assert callback.best == 0.7


def test_missing_monitor_warns_with_the_names_there_are():
    with pytest.warns(UserWarning, match="'val_loss'.* among the logs: loss. Pass validation_data"):
        model, logs = drive(EarlyStopping(), [0.3, 0.3, 0.3], "loss")
    assert len(logs) == 3
    assert not model.stop_training


def test_monitor_computed_in_other_epochs_only_gives_no_warning():
    params = {"metrics": ["loss", "val_loss"]}
    callback = EarlyStopping(patience=1)
    _, logs = drive(callback, [0.5, None, 0.6, None, 0.6], params=params)
    assert len(logs) == 3


def test_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="mode of EarlyStopping: 'maximum'"):
        EarlyStopping(mode="maximum")


def test_name_that_says_nothing_warns():
    with pytest.warns(UserWarning, match="pass mode='max' or mode='min'"):
        EarlyStopping("val_quality")


def test_says_what_it_does(capsys):
    drive(EarlyStopping(patience=1, restore_best_weights=True, verbose=1), [0.5, 0.4, 0.6, 0.3])
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 3: early stopping",
        "Restoring model weights from the end of the best epoch: 2.",
    ]


def test_in_fit_the_model_ends_with_its_best_weights():
    x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
    model = cornu.Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile(cornu.optimizers.SGD(1.2), "mse")  # far too large a rate: the loss grows after some epochs
    stopping = EarlyStopping("loss", patience=2, restore_best_weights=True)
    record = []
    keep = cornu.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: record.append(model.get_weights()))
    history = model.fit(x, 3 * x + 1, epochs=50, batch_size=8, verbose=0, callbacks=[keep, stopping])
    assert len(history.epoch) < 50
    best = int(np.argmin(history.history["loss"]))
    np.testing.assert_array_equal(model.get_weights()[0], record[best][0])


def test_nan_ends_training(capsys):
    model = cornu.Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile(cornu.optimizers.SGD(1e30), "mse")
    x = np.ones((64, 1), "float32")
    history = model.fit(x, x, epochs=5, batch_size=4, verbose=0, callbacks=[TerminateOnNaN()])
    assert len(history.epoch) == 1
    assert "training was stopped" in capsys.readouterr().out


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_nan_can_be_an_error(loss):
    callback = TerminateOnNaN(raise_error=True)
    callback.set_model(Model())
    callback.on_train_batch_end(0, {"loss": 0.5})
    with pytest.raises(RuntimeError, match="at the end of epoch 2"):
        callback.on_epoch_end(1, {"loss": loss})


def exploding(keras, width=10):
    ones = keras.initializers.Constant(1e5)
    stack = [keras.layers.Dense(width, activation="relu", kernel_initializer=ones) for _ in range(5)]
    return keras.Sequential([keras.layers.Input((width,)), *stack, keras.layers.Dense(2)])


class Batches(cornu.utils.PyDataset):
    def __init__(self, x, y, size):
        super().__init__()
        self.x, self.y, self.size = x, y, size

    def __len__(self):
        return len(self.x) // self.size

    def __getitem__(self, number):
        rows = slice(number * self.size, (number + 1) * self.size)
        return self.x[rows], self.y[rows]


@pytest.mark.parametrize("way", ["arrays", "dataset", "eager", "every batch"])
def test_an_infinite_loss_ends_training_at_its_batch_with_its_logs(real_keras, way, capsys):
    x, y = np.abs(np.random.randn(40, 10)).astype("float32"), np.ones((40, 2), "float32")
    histories, steps = [], []
    for keras in (cornu, real_keras):
        model = exploding(keras)
        model.compile("rmsprop", "mse", run_eagerly=way == "eager" and keras is cornu)
        watching = [keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)] * (
            way == "every batch"
        )
        data = {"x": x, "y": y, "batch_size": 5}
        if way == "dataset" and keras is cornu:
            data = {"x": Batches(x, y, 5)}
        calls = [keras.callbacks.TerminateOnNaN(), *watching]
        histories.append(model.fit(**data, epochs=3, verbose=0, callbacks=calls).history)
        steps.append(int(model.optimizer.iterations))
    assert histories[0] == histories[1] == {"loss": [np.inf]}
    assert steps == [1, 1]
    assert "The loss is inf at batch 1" in capsys.readouterr().out


def test_a_nan_in_the_middle_of_a_block_ends_training_there(real_keras):
    x, y = np.ones((80, 1), "float32"), np.ones((80, 1), "float32")
    y[33] = 3e38  # the square is infinite
    found = []
    for keras in (cornu, real_keras):
        model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
        model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
        stopping = keras.callbacks.TerminateOnNaN()
        history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0, callbacks=[stopping]).history
        found.append((int(model.optimizer.iterations), history))
    assert found[0][0] == found[1][0] == 9
    for name, values in found[1][1].items():
        np.testing.assert_allclose(found[0][1][name], values, rtol=1e-5)


def test_a_finite_run_is_the_same_with_and_without_watching_for_nan():
    x, y = np.random.rand(50, 3).astype("float32"), np.random.rand(50, 1).astype("float32")
    histories = []
    for calls in ([], [TerminateOnNaN()]):
        model = cornu.Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
        model.compile("sgd", "mse", metrics=["mae"])
        run = {"batch_size": 4, "epochs": 3, "shuffle": False, "verbose": 0, "callbacks": calls}
        histories.append(model.fit(x, y, validation_split=0.2, **run).history)
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-6)


def test_a_custom_step_ends_at_its_infinite_loss_too():
    class Own(cornu.Sequential):
        def train_step(self, data):
            self.count.assign_add(1)
            return {"loss": cornu.ops.where(self.count.value < 7, 1.0, np.inf), "seen": self.count.value}

    model = Own([layers.Input((1,)), layers.Dense(1)])
    model.count = cornu.Variable(0.0, trainable=False)
    model.compile("sgd", "mse")
    x = np.ones((80, 1), "float32")
    history = model.fit(x, x, batch_size=2, verbose=0, callbacks=[TerminateOnNaN()]).history
    assert history == {"loss": [np.inf], "seen": [7.0]}


class StopAt(cornu.callbacks.Callback):
    def __init__(self, batch):
        self.batch, self.seen = batch, []

    def on_test_batch_end(self, batch, logs=None):
        self.seen.append(batch)
        self.model.stop_evaluating = batch == self.batch

    def on_predict_batch_end(self, batch, logs=None):
        self.seen.append(batch)
        self.model.stop_predicting = batch == self.batch


def endless(*parts):
    while True:
        yield parts


def test_evaluation_stops_when_a_callback_asks():
    model = cornu.Sequential([layers.Input((3,)), layers.Dense(2, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    callback = StopAt(2)
    model.evaluate(endless(np.ones((2, 3)), np.ones((2, 2))), callbacks=[callback], verbose=0)
    assert callback.seen == [0, 1, 2]
    x = np.arange(30.0).reshape(10, 3)
    found = model.evaluate(x, np.ones((10, 2)), batch_size=2, callbacks=[StopAt(1)], verbose=0)
    assert model.stop_evaluating
    np.testing.assert_allclose(found, model.evaluate(x[:4], np.ones((4, 2)), verbose=0), rtol=1e-6)
    callback = StopAt(0)
    model.fit(x, np.ones((10, 2)), batch_size=2, epochs=2, validation_split=0.4, callbacks=[callback], verbose=0)
    assert callback.seen == [0, 0]  # each validation starts again at 0
    model.evaluate(x, np.ones((10, 2)), verbose=0)
    assert not model.stop_evaluating


def test_prediction_stops_when_a_callback_asks():
    model = cornu.Sequential([layers.Input((3,)), layers.Dense(2)])
    callback = StopAt(1)
    assert model.predict(endless(np.ones((2, 3))), callbacks=[callback], verbose=0).shape == (4, 2)
    assert callback.seen == [0, 1]
    assert model.predict(np.ones((100, 3)), batch_size=10, callbacks=[StopAt(3)], verbose=0).shape == (40, 2)
    assert model.predict(np.ones((100, 3)), verbose=0).shape == (100, 2)
