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
