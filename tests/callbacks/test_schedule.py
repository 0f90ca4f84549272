import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cornu
from callbacks.stubs import Model, drive
from cornu import layers
from cornu.callbacks import LearningRateScheduler, ReduceLROnPlateau


class KerasOptimizer:
    """A learning rate as Keras's callback wants it: an array of Keras's own."""

    def __init__(self, keras):
        self.learning_rate = keras.Variable(0.1)

    def __setattr__(self, name, value):
        if "learning_rate" in self.__dict__:
            self.learning_rate.assign(value)
        else:
            super().__setattr__(name, value)


@given(
    st.lists(st.sampled_from([0.1, 0.2, 0.25, 0.3]), min_size=1, max_size=14),
    st.sampled_from(["min", "max"]),
    st.integers(0, 2),
    st.integers(0, 3),
    st.sampled_from([0.0, 0.02]),
    st.sampled_from([0, 1e-4, 0.05]),
)
def test_plateau_lowers_the_rate_as_keras(real_keras, series, mode, patience, cooldown, least, delta):
    options = {"mode": mode, "patience": patience, "cooldown": cooldown, "min_lr": least, "min_delta": delta}
    mine = ReduceLROnPlateau("val_loss", factor=0.5, **options)
    theirs = real_keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, **options)
    their_model = Model()
    their_model.optimizer = KerasOptimizer(real_keras)
    model, my_logs = drive(mine, series)
    _, their_logs = drive(theirs, series, model=their_model)
    rates = [[logs["learning_rate"] for logs in one] for one in (my_logs, their_logs)]
    np.testing.assert_allclose(*rates, rtol=1e-6)
    np.testing.assert_allclose(model.optimizer.learning_rate, float(their_model.optimizer.learning_rate), rtol=1e-6)
    assert (mine.wait, mine.cooldown_counter) == (theirs.wait, theirs.cooldown_counter)


@pytest.mark.old_spellings
def test_plateau_takes_its_old_keyword():
    assert ReduceLROnPlateau(epsilon=0.5).min_delta == 0.5


def test_plateau_refuses_a_factor_that_does_not_reduce():
    with pytest.raises(ValueError, match=r"factor below 1; got 1\.5"):
        ReduceLROnPlateau(factor=1.5)


def test_plateau_says_what_it_does(capsys):
    drive(ReduceLROnPlateau(patience=1, factor=0.5, verbose=1), [0.5, 0.5])
    assert capsys.readouterr().out == "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.05.\n"


@pytest.mark.parametrize(
    "schedule",
    [
        lambda epoch: 0.1 * 0.5**epoch,
        lambda epoch, rate: rate * (0.5 if epoch else 1),
        lambda epoch: np.float32(0.1 * 0.5**epoch),
        lambda epoch: cornu.ops.array(0.1 * 0.5**epoch),
        cornu.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5),
    ],
)
def test_scheduler_takes_functions_of_one_and_two_arguments(schedule):
    callback = LearningRateScheduler(schedule)
    model = Model()
    rates = []
    callback.set_model(model)
    for epoch in range(3):
        callback.on_epoch_begin(epoch)
        model.optimizer.learning_rate = float(model.optimizer.learning_rate)
        rates.append(model.optimizer.learning_rate)
    np.testing.assert_allclose(rates, [0.1, 0.05, 0.025], rtol=1e-6)


@pytest.mark.parametrize("result", [None, "0.1", [0.1, 0.2], True])
def test_scheduler_refuses_what_is_no_number(result):
    callback = LearningRateScheduler(lambda epoch: result)
    callback.set_model(Model())
    with pytest.raises(ValueError, match="must return the learning rate"):
        callback.on_epoch_begin(0)


def test_error_inside_the_users_function_is_not_hidden():
    def broken(epoch, rate):
        return rate + "1"

    callback = LearningRateScheduler(broken)
    callback.set_model(Model())
    with pytest.raises(TypeError, match="unsupported operand"):
        callback.on_epoch_begin(0)


def small_model(rate):
    model = cornu.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile(cornu.optimizers.SGD(rate), "mse")
    return model


def test_rate_of_each_epoch_trains_and_is_in_the_history(capsys):
    x = np.ones((8, 2), "float32")
    model = small_model(0.5)
    scheduler = LearningRateScheduler(lambda epoch: [0.0, 0.25][epoch], verbose=1)
    before = model.get_weights()[0]
    history = model.fit(x, x[:, :1], epochs=1, verbose=0, callbacks=[scheduler])
    np.testing.assert_array_equal(model.get_weights()[0], before)
    history = model.fit(x, x[:, :1], epochs=2, initial_epoch=1, verbose=0, callbacks=[scheduler])
    assert not np.array_equal(model.get_weights()[0], before)
    assert history.history["learning_rate"] == history.history["lr"] == [0.25]
    assert "Epoch 2: LearningRateScheduler setting learning rate to 0.25." in capsys.readouterr().out


def test_optimizer_with_a_schedule_of_its_own_is_refused():
    model = small_model(cornu.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5))
    x = np.ones((8, 2), "float32")
    with pytest.raises(TypeError, match="already follows a schedule"):
        model.fit(x, x[:, :1], verbose=0, callbacks=[LearningRateScheduler(lambda epoch: 0.1)])
