"""Schedules against real Keras, inside and outside of a trace, and their configs."""

import jax
import numpy as np
import pytest

from cornu.core.variable import Variable
from cornu.optimizers import schedules

CASES = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6}),
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [3, 10], "values": [0.3, 0.2, 0.1]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 9}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 9, "end_learning_rate": 0.01, "power": 2.0}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 9, "power": 0.5, "cycle": True}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6, "staircase": True}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 20}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 20, "alpha": 0.2}),
    ("CosineDecay", {"initial_learning_rate": 0.01, "decay_steps": 15, "warmup_target": 0.1, "warmup_steps": 6}),
    ("CosineDecay", {"initial_learning_rate": 0.01, "decay_steps": 15, "warmup_target": 0.1}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5, "t_mul": 1.0, "alpha": 0.1}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5, "t_mul": 1.5, "m_mul": 0.8}),
]


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_rates_are_keras_s(real_keras, name, arguments):
    ours = getattr(schedules, name)(**arguments)
    theirs = getattr(real_keras.optimizers.schedules, name)(**arguments)
    steps = np.arange(30, dtype="int32")
    expected, traced = (jax.jit(lambda steps: jax.lax.map(one, steps))(steps) for one in (theirs, ours))  # noqa: B023
    np.testing.assert_allclose(traced, expected, rtol=2e-6, atol=1e-8)
    for step in (0, 1, 6, 29):
        assert float(ours(step)) == pytest.approx(float(expected[step]), rel=1e-5, abs=1e-7)
    assert float(ours(Variable(5, dtype="int32"))) == pytest.approx(float(expected[5]), rel=1e-5)
    assert ours.get_config() == theirs.get_config()


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_configs_round_trip_and_keras_s_load(real_keras, name, arguments):
    ours = getattr(schedules, name)(**arguments)
    theirs = getattr(real_keras.optimizers.schedules, name)(**arguments)
    assert schedules.serialize(ours) == real_keras.optimizers.schedules.serialize(theirs)
    again = schedules.deserialize(real_keras.optimizers.schedules.serialize(theirs))
    assert type(again) is type(ours)
    assert float(again(4)) == float(ours(4))


@pytest.mark.parametrize(
    ("name", "arguments", "part"),
    [
        ("ExponentialDecay", (0.1, 0, 0.5), "decay_steps=0"),
        ("CosineDecayRestarts", (0.1, -1), "first_decay_steps=-1"),
        ("PiecewiseConstantDecay", ([1, 2], [0.1, 0.2]), "2 boundaries and 2 values"),
    ],
)
def test_impossible_arguments_are_refused(name, arguments, part):
    with pytest.raises(ValueError, match=part):
        getattr(schedules, name)(*arguments)


def test_a_schedule_of_one_s_own_needs_a_call():
    with pytest.raises(NotImplementedError, match="__call__"):
        schedules.LearningRateSchedule()(1)
