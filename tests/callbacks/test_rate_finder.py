import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.callbacks import LearningRateFinder


def trained(finder, optimizer="sgd", epochs=4):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(160, 3))
    y = x @ [[1.0], [2.0], [-1.0]]
    model = cornu.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile(optimizer, "mse")
    before = [np.array(weight) for weight in model.get_weights()]
    model.fit(x, y, batch_size=8, epochs=epochs, verbose=0, callbacks=[finder], shuffle=False)
    return model, before


def test_rates_grow_until_the_loss_runs_away_and_all_is_as_before():
    finder = LearningRateFinder(1e-4, 100.0, steps=60)
    model, before = trained(finder, cornu.optimizers.SGD(0.25, momentum=0.9))
    assert 10 < len(finder.rates) < 60
    assert finder.rates[0] == pytest.approx(1e-4)
    assert np.allclose(np.diff(np.log(finder.rates)), math.log(1e6) / 59)
    assert 1e-4 < finder.suggestion < 1
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert float(model.optimizer.learning_rate.numpy()) == 0.25
    assert int(model.optimizer.iterations.numpy()) == 0
    assert all(not np.any(variable.numpy()) for variable in model.optimizer.variables if "momentum" in variable.path)


def test_losses_are_those_of_single_batches():
    finder = LearningRateFinder(1e-9, 1e-8, steps=25)
    model, _ = trained(finder)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(160, 3))
    errors = (model.predict(x, verbose=0) - x @ [[1.0], [2.0], [-1.0]]) ** 2
    expected = errors.reshape(20, 8).mean(1)
    assert np.allclose(finder.losses, [*expected, *expected[:5]], rtol=1e-3)


def test_the_curve_is_drawn(tmp_path):
    finder = LearningRateFinder(1e-4, 10.0, steps=30)
    trained(finder)
    finder.plot(tmp_path / "rates.svg")
    text = (tmp_path / "rates.svg").read_text(encoding="utf-8")
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert ">1e-3<" in text
    assert f">{finder.suggestion:.2g}<" in text


def test_what_cannot_be_is_refused():
    for options in ({"lowest": 0}, {"lowest": 1.0, "highest": 0.1}, {"highest": math.inf}, {"steps": 2}):
        with pytest.raises(ValueError, match=r"Learning rates|at least 5 steps"):
            LearningRateFinder(**options)
    schedule = cornu.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    with pytest.raises(TypeError, match="LearningRateFinder sets the learning rate"):
        trained(LearningRateFinder(steps=5), cornu.optimizers.SGD(schedule), epochs=1)
