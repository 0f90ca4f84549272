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
