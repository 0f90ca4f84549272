"""Optimizers as Keras 2 wrote and called them."""

import pytest

from cornu import optimizers

OLD = [
    {"class_name": "SGD", "config": {"lr": 0.25, "momentum": 0.5, "decay": 0.125, "nesterov": True}},
    {"class_name": "RMSprop", "config": {"lr": 0.25, "rho": 0.5, "decay": 0.125, "epsilon": 1e-07}},
    {"class_name": "Adam", "config": {"lr": 0.25, "beta_1": 0.5, "beta_2": 0.75, "decay": 0.125, "epsilon": 1e-07}},
    {"class_name": "Adadelta", "config": {"lr": 0.25, "rho": 0.5, "decay": 0.125, "epsilon": 1e-07}},
    {"class_name": "Adagrad", "config": {"lr": 0.25, "decay": 0.125, "epsilon": 1e-07}},
    {"class_name": "Adamax", "config": {"lr": 0.25, "beta_1": 0.5, "beta_2": 0.75, "decay": 0.125, "epsilon": 1e-07}},
    {"class_name": "Nadam", "config": {"lr": 0.25, "beta_1": 0.5, "beta_2": 0.75, "schedule_decay": 0.004}},
]


@pytest.mark.parametrize("config", OLD, ids=lambda config: config["class_name"])
def test_configs_of_keras_2_load(config):
    optimizer = optimizers.get(config)
    assert float(optimizer.learning_rate) == 0.25
    for name, value in config["config"].items():
        assert name == "lr" or getattr(optimizer, name) == value


def test_old_calls_mean_what_they_meant():
    optimizer = optimizers.Adam(lr=0.25, epsilon=None, decay=0.5)
    assert (float(optimizer.lr), optimizer.epsilon, optimizer.decay) == (0.25, 1e-7, 0.5)


#: What tf.keras 2.11 and later write in every optimizer's config.
NEW = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "jit_compile": True,
    "is_legacy_optimizer": False,
}


@pytest.mark.parametrize(
    "name", ["SGD", "RMSprop", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "Nadam", "Ftrl", "Adafactor", "Lion"]
)
@pytest.mark.parametrize("package", ["Custom>", ""])
def test_configs_of_tf_keras_2_11_load(name, package):
    config = NEW | {"name": name, "learning_rate": 0.25}
    config |= {"weight_decay": 0.5} if name == "AdamW" else {}
    optimizer = optimizers.get({"class_name": package + name, "config": config})
    assert (type(optimizer).__name__, float(optimizer.learning_rate)) == (name, 0.25)


def test_legacy_optimizers_load():
    config = {"name": "Nadam", "learning_rate": 0.25, "decay": 0.004, "is_legacy_optimizer": True}
    optimizer = optimizers.get({"class_name": "Nadam", "config": config})
    assert (optimizer.schedule_decay, optimizer.decay) == (0.004, 0)
    config = {"name": "SGD", "learning_rate": 0.25, "decay": 0.5, "momentum": 0.5, "nesterov": False, "clipnorm": 1.0}
    optimizer = optimizers.get({"class_name": "SGD", "config": config})
    assert (optimizer.decay, optimizer.clipnorm) == (0.5, 1)


#: Schedule -> its config in tf.keras, and the learning rate at step 5.
SCHEDULES = {
    "ExponentialDecay": ({"decay_steps": 10, "decay_rate": 0.5, "staircase": False}, 0.5**1.5),
    "InverseTimeDecay": ({"decay_steps": 10, "decay_rate": 2.0, "staircase": False}, 0.25),
    "PolynomialDecay": ({"decay_steps": 10, "end_learning_rate": 0.1, "power": 1.0, "cycle": False}, 0.3),
    "CosineDecay": ({"decay_steps": 10, "alpha": 0.0, "warmup_target": None, "warmup_steps": 0}, 0.25),
    "CosineDecayRestarts": ({"first_decay_steps": 10, "t_mul": 2.0, "m_mul": 1.0, "alpha": 0.0}, 0.25),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_of_tf_keras_load(name):
    own, expected = SCHEDULES[name]
    schedule = {"class_name": name, "config": {"initial_learning_rate": 0.5, **own, "name": None}}
    optimizer = optimizers.get({"class_name": "Custom>Adam", "config": NEW | {"learning_rate": schedule}})
    optimizer.iterations.assign(5)
    assert float(optimizer.learning_rate) == pytest.approx(expected)


def test_a_piecewise_schedule_of_tf_keras_loads():
    schedule = {
        "class_name": "PiecewiseConstantDecay",
        "config": {"boundaries": [3], "values": [1.0, 0.5], "name": None},
    }
    optimizer = optimizers.get({"class_name": "SGD", "config": {"learning_rate": schedule, "decay": 0.0}})
    optimizer.iterations.assign(5)
    assert float(optimizer.learning_rate) == 0.5


@pytest.mark.parametrize(
    "config",
    [
        {"name": "LossScaleOptimizer", "inner_optimizer": {"class_name": "SGD", "config": {"momentum": 0.5}},
         "dynamic": True, "initial_scale": 64.0, "dynamic_growth_steps": 10},
        {"optimizer": {"class_name": "SGD", "config": {"lr": 0.5, "momentum": 0.5}}, "loss_scale": {
            "class_name": "DynamicLossScale",
            "config": {"initial_loss_scale": 64.0, "increment_period": 10, "multiplier": 2.0}}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["LossScaleOptimizer", "Custom>LossScaleOptimizerV3"])
def test_loss_scales_of_tf_keras_load(config, name):
    optimizer = optimizers.get({"class_name": name, "config": config})
    assert (optimizer.inner_optimizer.momentum, optimizer.initial_scale, optimizer.dynamic_growth_steps) == (
        0.5,
        64,
        10,
    )
