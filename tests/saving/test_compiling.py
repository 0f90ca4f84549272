"""What a model was compiled with, in the spellings of all files."""

import pytest

from cornu import losses, metrics, optimizers
from cornu.core import registry
from cornu.core.serialization import serialize
from cornu.saving import CustomObjectScope
from cornu.saving.compiling import compile_arguments, from_training_config, to_training_config


def test_keras_2_training_config_with_old_names():
    config = from_training_config(
        {
            "optimizer_config": {
                "class_name": "Adam",
                "config": {"lr": 0.5, "beta_1": 0.8, "decay": 0.1, "epsilon": 1e-7},
            },
            "loss": "mse",
            "metrics": ["acc"],
            "sample_weight_mode": None,
            "loss_weights": None,
        }
    )
    arguments = compile_arguments(config)
    assert set(arguments) == {"optimizer", "loss", "metrics"}
    optimizer = arguments["optimizer"]
    assert type(optimizer) is optimizers.Adam
    assert (float(optimizer.learning_rate), float(optimizer.decay)) == pytest.approx((0.5, 0.1))
    assert (arguments["loss"], arguments["metrics"]) == ("mse", ["acc"])


def test_losses_and_metrics_of_the_same_class_name_are_kept_apart():
    config = {"class_name": "MeanSquaredError", "config": {"name": "x"}}
    arguments = compile_arguments({"loss": {"a": config, "b": "mae"}, "metrics": [[config], []]})
    assert type(arguments["loss"]["a"]) is losses.MeanSquaredError
    assert type(arguments["metrics"][0][0]) is metrics.MeanSquaredError


@pytest.mark.parametrize(
    ("name", "function", "expected"),
    [
        ("acc", "categorical_accuracy", "acc"),
        ("accuracy", "sparse_categorical_accuracy", "accuracy"),
        ("mean_squared_error", "mean_squared_error", "mean_squared_error"),
    ],
)
def test_metrics_of_keras_2_15_keep_their_names_in_logs(name, function, expected):
    wrapper = {"class_name": "MeanMetricWrapper", "config": {"name": name, "dtype": "float32", "fn": function}}
    assert compile_arguments({"metrics": [[wrapper]]}) == {"metrics": [[expected]]}


def test_a_metric_of_keras_2_15_under_another_name():
    wrapper = {"class_name": "MeanMetricWrapper", "config": {"name": "mae", "fn": "mean_absolute_error"}}
    (metric,) = compile_arguments({"metrics": [wrapper]})["metrics"]
    assert (metric.name, float(metric([[1.0]], [[0.5]]))) == ("mae", 0.5)


def test_names_of_the_users_own_are_looked_up_at_once():
    with CustomObjectScope({"mine": len}):
        assert compile_arguments({"loss": "mine", "metrics": ["mine", "mae"]}) == {"loss": len, "metrics": [len, "mae"]}


def test_training_config_leaves_out_what_keras_2_does_not_know():
    entry = {"module": "keras.optimizers", "class_name": "SGD", "registered_name": None}
    settings = {
        "name": "SGD",
        "learning_rate": 0.1,
        "momentum": 0.9,
        "clipnorm": 2.0,
        "use_ema": False,
        "weight_decay": None,
    }
    written = to_training_config({"optimizer": entry | {"config": settings}, "loss": ["mse", "kld"], "metrics": None})
    assert written["loss"] == ["mean_squared_error", "kl_divergence"]
    known = {"name": "SGD", "learning_rate": 0.1, "momentum": 0.9, "clipnorm": 2.0}
    assert written["optimizer_config"] == {"class_name": "SGD", "config": known}


@registry.register_keras_serializable("mine")
class Signs(optimizers.SGD):
    """A registered optimizer."""


def test_registered_optimizers_are_found_by_their_names_in_h5_files():
    config = to_training_config(serialize({"optimizer": Signs(0.5), "loss": "mse"}))
    assert config["optimizer_config"]["class_name"] == "mine>Signs"
    assert type(compile_arguments(from_training_config(config))["optimizer"]) is Signs
