"""Optimizers of tensorflow_addons with a second set of weights: against their formulas, in files, and resumed."""

import copy
import subprocess
import sys

import numpy as np
import pytest

from cornu import callbacks, layers, models, optimizers
from cornu.callbacks import BackupAndRestore
from cornu.compat.tensorflow.averaging_optimizers import SWA, Lookahead, MovingAverage
from cornu.core.variable import Variable
from cornu.utils import set_random_seed

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
MAKERS = {
    "Lookahead": lambda: Lookahead(optimizers.Adam(0.01), sync_period=4, slow_step_size=0.25),
    "SWA": lambda: SWA(optimizers.SGD(0.1, momentum=0.9), start_averaging=3, average_period=2),
    "MovingAverage": lambda: MovingAverage(optimizers.AdamW(0.01), 0.8, start_step=2, dynamic_decay=True),
    "scaled": lambda: optimizers.LossScaleOptimizer(Lookahead(optimizers.Adam(0.01), sync_period=4)),
}
each = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def updates(optimizer, gradients, start=1.0):
    weight = Variable([start])
    values = []
    for gradient in gradients:
        optimizer.apply_gradients([(np.array([gradient], "float32"), weight)])
        values.append(float(weight.numpy()[0]))
    return values, weight


def averages(optimizer, steps):
    """Return the average of one weight after each of some steps of SGD(0.1) along a gradient of 1."""
    weight, found = Variable([1.0]), []
    for _ in range(steps):
        optimizer.apply_gradients([(np.array([1.0], "float32"), weight)])
        found.append(float(next(iter(optimizer._slots["average"].values())).numpy()[0]))
    return found


def test_lookahead_goes_back_part_of_the_way():
    found, _ = updates(Lookahead(optimizers.SGD(0.1), sync_period=2, slow_step_size=0.5), [1.0] * 4)
    np.testing.assert_allclose(found, [0.9, 0.9, 0.8, 0.8], rtol=1e-5)


def test_lookahead_counts_steps_and_not_accumulated_gradients():
    inner = optimizers.SGD(0.1, gradient_accumulation_steps=2)
    found, _ = updates(Lookahead(inner, sync_period=2, slow_step_size=0.5), [1.0] * 8)
    np.testing.assert_allclose(found, [1.0, 0.9, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8], rtol=1e-5)


def test_swa_averages_weights():
    optimizer = SWA(optimizers.SGD(0.1), start_averaging=1, average_period=2)
    _, weight = updates(optimizer, [1.0] * 5)  # after steps 2 and 4: 0.8, 0.6
    optimizer.assign_average_vars([weight, Variable([7.0])])
    np.testing.assert_allclose(weight.numpy(), [0.7], rtol=1e-5)


def test_moving_averages_begin_as_the_weights():
    np.testing.assert_allclose(averages(MovingAverage(optimizers.SGD(0.1), 0.5), 2), [0.95, 0.875], rtol=1e-5)
    late = averages(MovingAverage(optimizers.SGD(0.1), 0.5, start_step=2), 3)
    np.testing.assert_allclose(late, [0.9, 0.8, 0.75], rtol=1e-5)
    limited = averages(MovingAverage(optimizers.SGD(0.1), 0.5, num_updates=0), 1)
    np.testing.assert_allclose(limited, [0.1 + 0.9 * 0.9], rtol=1e-5)
    dynamic = averages(MovingAverage(optimizers.SGD(0.1), 0.5, dynamic_decay=True), 2)
    np.testing.assert_allclose(dynamic, [0.91, 2 / 11 * 0.91 + 9 / 11 * 0.8], rtol=1e-5)


def test_weights_and_averages_are_exchanged():
    optimizer = MovingAverage(optimizers.SGD(0.1), 0.5)
    _, weight = updates(optimizer, [1.0])
    optimizer.swap_weights()
    np.testing.assert_allclose(weight.numpy(), [0.95], rtol=1e-5)
    optimizer.swap_weights()
    np.testing.assert_allclose(weight.numpy(), [0.9], rtol=1e-5)


def test_the_learning_rate_is_that_of_the_optimizer_inside():
    optimizer = Lookahead("sgd")
    optimizer.learning_rate = 0.5
    assert float(optimizer.inner_optimizer.learning_rate.numpy()) == 0.5
    config = optimizer.get_config()
    assert config["optimizer"]["config"]["learning_rate"] == 0.5
    assert Lookahead.from_config(config).get_config() == config


def network(make):
    set_random_seed(3)
    model = models.Sequential([layers.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(1)])
    model.compile(make(), "mse")
    return model


def fit(model, epochs, begin=0, **options):
    return model.fit(
        X, X[:, :1], batch_size=8, epochs=epochs, initial_epoch=begin, shuffle=False, verbose=0, **options
    ).history["loss"]


def everything(model):
    return [*model.get_weights(), *model.optimizer.get_weights()]


@each
@pytest.mark.parametrize("suffix", [".keras", ".h5", "copy"])
def test_training_goes_on_from_a_file_as_if_nothing_had_been(make, suffix, tmp_path):
    model = network(make)
    fit(model, 3)
    if suffix == "copy":
        again = copy.deepcopy(model)
    else:
        model.save(tmp_path / f"m{suffix}")
        again = models.load_model(tmp_path / f"m{suffix}")
    assert type(again.optimizer) is type(model.optimizer)
    assert again.optimizer.get_config() == model.optimizer.get_config()
    expected, found = fit(model, 5, 3), fit(again, 5, 3)
    assert found == expected
    for one, other in zip(everything(model), everything(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_file_loads_in_a_program_that_imports_nothing_else(tmp_path):
    paths = [str(tmp_path / "m.keras"), str(tmp_path / "m.h5")]
    for path in paths:
        network(MAKERS["SWA"]).save(path)
    text = f"import cornu\nfor path in {paths}: print(type(cornu.models.load_model(path).optimizer).__name__)"
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["SWA", "SWA"]


class Killed(Exception):  # noqa: N818 (what happens, not what is wrong)
    """Stands for a process that ends."""


class Killer(callbacks.Callback):
    """Ends the training before its last epoch, once."""

    is_due = True

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 3 and self.is_due:
            raise Killed


@each
def test_a_training_that_was_killed_ends_as_if_nothing_had_been(make, tmp_path):
    whole = network(make)
    fit(whole, 5)
    with pytest.raises(Killed):
        fit(network(make), 5, callbacks=[BackupAndRestore(tmp_path / "backup"), Killer()])
    again, later = network(make), Killer()
    later.is_due = False
    fit(again, 5, callbacks=[BackupAndRestore(tmp_path / "backup"), later])
    for one, other in zip(everything(whole), everything(again), strict=True):
        np.testing.assert_array_equal(one, other)
