"""Layer configs that Keras 1, 2 and 3 wrote are read; real files of Keras 2.2.4 become layers."""

import json
from pathlib import Path

import pytest

import cornu.activations
import cornu.layers
from cornu.compat.configs import translate_layer_config
from cornu.core import registry, serialization


def layer_from(class_name, config):
    name, config = translate_layer_config(class_name, config)
    return serialization.deserialize({"class_name": name, "config": config}, table=registry.LAYERS)


def tf_keras_layers():
    """Return the configs of tf.keras 2.15's layers, of those that Cornu has; `tf_keras_layers.py` wrote them."""
    entries = json.loads((Path(__file__).parent / "tf_keras_layers.json").read_text())
    return [one for one in entries if registry.LAYERS.get(translate_layer_config(one["class_name"], {})[0])]


#: What Keras 3 has no more.
ABSENT = {"RadialConstraint"}


@pytest.mark.parametrize("number", range(len(tf_keras_layers())))
def test_layers_of_tf_keras_are_read(number):
    entry = tf_keras_layers()[number]
    class_name, config = entry["class_name"], entry["config"]
    name = translate_layer_config(class_name, {})[0]
    if any(absent in json.dumps(config) for absent in ABSENT):
        with pytest.raises(ValueError, match="neither Cornu's nor registered"):
            layer_from(class_name, config)
        return
    layer = layer_from(class_name, config)
    assert (type(layer).__name__, layer.name) == (name, config["name"])
    written = layer.get_config()
    for key in set(written) & set(config) - {"dtype"}:
        old, new = json.loads(json.dumps(config[key])), json.loads(json.dumps(serialization.serialize(written[key])))
        if not any(isinstance(one, dict) for one in (old, new, *(old if isinstance(old, list) else ()))):
            old = cornu.activations.get(old).__name__ if key == "activation" else old  # silu for swish
            as_range = key == "factor" and isinstance(old, float) and new in ([0, old], [-old, old])
            assert new == old or [new] == old or as_range or (key == "seed" and old is None), key


@pytest.mark.shared
@pytest.mark.parametrize("version", ["keras-2.2.4", "tf.keras-2.3.4", "tf.keras-2.15.1", "keras-3.15.1"])
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
        ("BatchNormalization", {"axis": {"class_name": "ListWrapper", "config": [1]}, "renorm": False,
         "renorm_clipping": None, "renorm_momentum": 0.99, "fused": None}, {"axis": 1}),
        ("Dense", {"units": 2, "dtype": {"class_name": "PolicyV1", "config": {"name": "mixed_float16", "loss_scale":
         {"class_name": "DynamicLossScale", "config": {"initial_loss_scale": 32768}}}}},
         {"compute_dtype": "float16", "variable_dtype": "float32"}),
        ("Dense", {"units": 2, "dtype": {"module": "keras.mixed_precision", "class_name": "Policy",
         "config": {"name": "mixed_bfloat16"}, "registered_name": None}}, {"compute_dtype": "bfloat16"}),
        ("Dense", {"units": 2, "dtype": {"module": "keras.dtype_policies", "class_name": "FloatDTypePolicy",
         "config": {"name": "float16"}, "registered_name": None}}, {"variable_dtype": "float16"}),
        ("Dense", {"units": 2, "dtype": {"class_name": "Policy", "config": {"name": "_infer"}}}, {"dtype": "float32"}),
        ("Dense", {"units": 2, "kernel_initializer": {"class_name": "VarianceScaling", "config": {"scale": 1.0,
         "mode": "fan_avg", "distribution": "uniform", "seed": None, "dtype": "float32"}}, "bias_initializer":
         {"class_name": "Zeros", "config": {"dtype": "float32"}}}, {"units": 2}),
        ("DepthwiseConv2D", {"kernel_size": [3, 3], "kernel_initializer": {"class_name": "GlorotUniform", "config": {}},
         "depthwise_regularizer": None}, {"kernel_size": (3, 3)}),
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
