"""Every rule against real Keras: ten steps, for its arguments and for those of all optimizers."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornu import optimizers
from optimizers.reference import compare_with_keras, compiled_step, gradients, keras_weights, train, values, weights

CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"rho": 0.8, "momentum": 0.7}),
    ("RMSprop", {"centered": True, "epsilon": 1e-3}),
    ("RMSprop", {"centered": True, "momentum": 0.9, "epsilon": 1e-3}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.3, "amsgrad": True}),
    ("Adadelta", {}),
    ("Adadelta", {"rho": 0.7, "epsilon": 1e-3}),
    ("Adagrad", {}),
    ("Adagrad", {"initial_accumulator_value": 0.0, "epsilon": 1e-2}),
    ("Adamax", {}),
    ("Adamax", {"beta_1": 0.5, "beta_2": 0.7, "epsilon": 1e-2}),
    ("Nadam", {}),
    ("Nadam", {"beta_1": 0.5, "beta_2": 0.7, "epsilon": 1e-2}),
    ("Ftrl", {}),
    (
        "Ftrl",
        {
            "learning_rate_power": -0.7,
            "initial_accumulator_value": 0.3,
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.3,
            "beta": 0.4,
        },
    ),
    ("Lion", {}),
    ("Lion", {"beta_1": 0.5, "beta_2": 0.7}),
    ("Adafactor", {}),
    ("Adafactor", {"beta_2_decay": -0.5, "epsilon_2": 0.5, "clip_threshold": 0.3, "relative_step": False}),
    ("Lamb", {}),
    ("Lamb", {"beta_1": 0.5, "beta_2": 0.7, "epsilon": 1e-2}),
    ("Muon", {}),
    ("Muon", {"nesterov": False, "rms_rate": None, "exclude_layers": ["dense"], "exclude_embeddings": False}),
    ("Muon", {"adam_lr_ratio": 0.5, "ns_steps": 2, "momentum": 0.5, "adam_weight_decay": None, "weight_decay": 0.2}),
    ("ScheduleFreeAdamW", {}),
    ("ScheduleFreeAdamW", {"warmup_steps": 4, "beta_1": 0.8}),
]

OPTIONS = [
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"clipvalue": 0.2},
    {"global_clipnorm": 0.5},
    {"use_ema": True, "ema_momentum": 0.7},
    {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3},
    {"loss_scale_factor": 4.0},
    {"gradient_accumulation_steps": 3},
    {"gradient_accumulation_steps": 2, "global_clipnorm": 0.5, "weight_decay": 0.1},
    {"gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 2},
]

NAMES = sorted({name for name, _ in CASES})


def words(case):
    return "-".join(f"{key}={value}" for key, value in case.items()) if isinstance(case, dict) else case


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=words)
def test_ten_steps_are_keras_s(real_keras, name, arguments):
    compare_with_keras(real_keras, name, learning_rate=0.05, **arguments)


@pytest.mark.parametrize("options", OPTIONS, ids=words)
@pytest.mark.parametrize(("name", "arguments"), [("SGD", {"momentum": 0.9}), ("Nadam", {})], ids=words)
def test_ten_steps_with_shared_arguments_are_keras_s(real_keras, name, arguments, options):
    compare_with_keras(real_keras, name, learning_rate=0.05, **arguments, **options)


@pytest.mark.parametrize("name", ["SGD", "Adafactor", "Muon"])
def test_a_schedule_gives_keras_s_steps(real_keras, name):
    def schedule(module):
        return module.schedules.ExponentialDecay(0.1, decay_steps=4, decay_rate=0.5)

    one = getattr(optimizers, name)(schedule(optimizers))
    other = getattr(real_keras.optimizers, name)(schedule(real_keras.optimizers))
    mine, its = weights(), keras_weights(real_keras)
    for found, expected in zip(train(one, mine, gradients(4)), train(other, its, gradients(4)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_compiled_steps_are_the_eager_ones(name):
    make = getattr(optimizers, name)
    eager, compiled = weights(), weights()
    step = compiled_step(make(0.05), compiled)
    for gradient in gradients(3):
        step(gradient)
    for found, expected in zip(values(compiled), train(make(0.05), eager, gradients(3)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", NAMES)
def test_signature_and_defaults_are_keras_s(real_keras, name):

    ours = inspect.signature(getattr(optimizers, name).__init__).parameters
    theirs = inspect.signature(getattr(real_keras.optimizers, name).__init__).parameters
    first = [key for key in theirs if key not in ("self", "kwargs")]
    assert [key for key in ours if key in theirs and key != "self"] == first
    differing = {key for key in first if ours[key].default != theirs[key].default}
    published = {"Adadelta": 1.0, "Adagrad": 0.01, "Adamax": 0.002, "Nadam": 0.002}
    assert differing == ({"learning_rate"} if name in published else set())
    assert ours["learning_rate"].default == published.get(name, theirs["learning_rate"].default)


def test_arguments_of_all_may_be_positional_in_keras_s_order():
    optimizer = optimizers.SGD(0.1, 0.9, True, 0.01, None, 0.5)
    assert (optimizer.weight_decay, optimizer.clipnorm, optimizer.clipvalue) == (0.01, None, 0.5)


@pytest.mark.parametrize(
    ("name", "arguments", "part"),
    [
        ("SGD", {"momentum": 2.0}, "between 0 and 1; got 2.0"),
        ("AdamW", {"weight_decay": None}, "use Adam"),
        ("Lion", {"beta_1": 0.0}, "above 0"),
        ("Ftrl", {"learning_rate_power": 0.5}, "at most 0"),
        ("Ftrl", {"l1_regularization_strength": -1.0}, "l1_regularization_strength of at least 0"),
        ("Adam", {"clipnorm": 1.0, "clipvalue": 1.0}, "clipnorm=1.0, clipvalue=1.0"),
        ("Adam", {"gradient_accumulation_steps": 1}, "at least 2"),
        ("Adam", {"use_ema": True, "ema_momentum": 2.0}, "between 0 and 1"),
        ("Adam", {"use_ema": True, "ema_overwrite_frequency": 0.5}, "at least 1"),
    ],
)
def test_impossible_arguments_are_refused(name, arguments, part):
    with pytest.raises(ValueError, match=part):
        getattr(optimizers, name)(**arguments)


def test_nadam_of_keras_2_has_the_paper_s_slow_momentum_schedule():
    def momenta(**arguments):
        optimizer = optimizers.Nadam(0.1, **arguments)
        train(optimizer, weights(), gradients(2))
        return float(optimizer._product)

    beta, decay = 0.9, 0.004
    expected = np.prod([beta * (1 - 0.5 * 0.96 ** (decay * step)) for step in (1, 2)])
    assert momenta(schedule_decay=decay) == pytest.approx(expected, rel=1e-5)
    assert momenta() != pytest.approx(expected, rel=1e-3)
    assert "schedule_decay" not in optimizers.Nadam().get_config()


@settings(max_examples=5)
@given(st.floats(1e-4, 0.5), st.floats(0.0, 0.95), st.floats(0.5, 0.999), st.floats(1e-7, 1e-2))
@pytest.mark.parametrize(
    ("name", "first", "second"),
    [("Adam", "beta_1", "beta_2"), ("RMSprop", "momentum", "rho"), ("Nadam", "beta_1", "beta_2")],
)
def test_any_numbers_give_keras_s_steps(real_keras, name, first, second, rate, one, other, epsilon):
    options = {"learning_rate": rate, first: one, second: other, "epsilon": epsilon}
    ours, theirs = getattr(optimizers, name)(**options), getattr(real_keras.optimizers, name)(**options)
    found = train(ours, weights(), gradients(3))
    for mine, its in zip(found, train(theirs, keras_weights(real_keras), gradients(3)), strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-4, atol=1e-5)
