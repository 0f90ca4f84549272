"""Layer configs that Keras 1, 2 and 3 wrote are read; real files of Keras 2.2.4 become layers."""

import json

import pytest

import cornu.layers
from cornu.compat.configs import translate_layer_config
from cornu.core import registry, serialization


def layer_from(class_name, config):
    name, config = translate_layer_config(class_name, config)
    return serialization.deserialize({"class_name": name, "config": config}, table=registry.LAYERS)


@pytest.mark.shared
@pytest.mark.parametrize("version", ["keras-2.2.4", "keras-3.15.1"])
@pytest.mark.parametrize("name", ["mlp", "cnn", "act", "func"])
def test_files_of_real_keras(shared, version, name):
    model = json.loads((shared / "data" / "real-keras" / version / f"{name}.json").read_text())["config"]
    for entry in model["layers"]:
        layer = layer_from(entry["class_name"], entry["config"])
        assert type(layer).__name__ == entry["class_name"]
        assert layer.name == entry["config"]["name"]


@pytest.mark.parametrize(
    ("class_name", "config", "expected"),
    [
        (
            "Convolution2D",
            {"name": "c", "nb_filter": 4, "nb_row": 3, "nb_col": 5, "border_mode": "same", "subsample": [1, 1],
             "dim_ordering": "tf", "init": "glorot_uniform", "bias": True, "trainable": True, "W_regularizer": None},
            {"filters": 4, "kernel_size": (3, 5), "padding": "same", "strides": (1, 1), "use_bias": True},
        ),
        ("Dense", {"output_dim": 7, "input_dim": 3, "init": "he_normal", "activation": "relu"}, {"units": 7}),
        ("LeakyReLU", {"alpha": {"type": "ndarray", "value": 0.25}}, {"negative_slope": 0.25}),
        ("BatchNormalization", {"axis": [3], "epsilon": 0.001, "mode": 0}, {"axis": 3}),
        ("Merge", {"name": "m", "mode": "concat", "concat_axis": 1}, {"axis": 1}),
        ("ThresholdedReLU", {"theta": 0.5}, {"threshold": 0.5}),
        ("Dropout", {"p": 0.5}, {"rate": 0.5}),
        ("Dense", {"units": 2, "time_major": False, "lora_rank": None}, {"units": 2}),
    ],
)  # fmt: skip
def test_old_configs(class_name, config, expected):
    layer = layer_from(class_name, config)
    assert {name: getattr(layer, name) for name in expected} == expected


def test_nested_layer():
    inner = {"class_name": "Dense", "config": {"output_dim": 3, "name": "d"}}
    layer = layer_from("TimeDistributed", {"name": "t", "layer": inner})
    assert (layer.name, layer.layer.units) == ("t", 3)
    layer = layer_from("TimeDistributedDense", {"name": "t", "output_dim": 4})
    assert isinstance(layer.layer, cornu.layers.Dense)


def test_unknown_key_is_named():
    with pytest.raises(ValueError, match=r"'d'.*future=7"):
        translate_layer_config("Dense", {"name": "d", "units": 2, "future": 7})


def test_byte_code_is_refused():
    with pytest.raises(ValueError, match="byte code"):
        translate_layer_config("Lambda", {"name": "l", "function": ["4wEAAA==", None, None], "function_type": "lambda"})


def test_a_users_own_layer_keeps_its_config():
    with registry.CustomObjectScope({"Dense": object}):
        assert translate_layer_config("Dense", {"output_dim": 3}) == ("Dense", {"output_dim": 3})
