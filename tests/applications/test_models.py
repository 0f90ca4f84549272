"""Every model has Keras's layers, weights and number of parameters; small ones also give Keras's predictions.

`scripts/applications` compares all of it for all models, and writes the facts in facts.json.
"""

import json
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

import cornu
from applications import compare
from applications.compare import case
from cornu import applications, layers

FACTS = json.loads((Path(__file__).parent / "facts.json").read_text(encoding="utf-8"))
SMALL = case("MobileNet", alpha=0.25)
FEATURES = {"weights": None, "alpha": 0.35, "include_top": False, "input_shape": (32, 32, 3)}


#: One of each architecture, without those that only have more layers.
BUILT = [*(one for one in compare.MODELS if one.name not in ("VGG19", "MobileNetV3Large")), *compare.VARIANTS[6:]]


@pytest.mark.parametrize("case", BUILT, ids=str)
def test_layers_and_weights_are_keras_s(case):
    assert compare.facts(compare.ours(case)) == FACTS[str(case)]


def test_facts_are_of_all_models():
    named = {name for name in applications.__all__ if name[0].isupper() and hasattr(keras.applications, name)}
    assert named - {case.name for case in compare.SCALED} <= {name.split(",")[0] for name in FACTS}


@pytest.mark.parametrize(
    "case",
    [
        case("MobileNet", alpha=0.25, depth_multiplier=2),
        case("MobileNetV2", 33, alpha=0.35),
        case("MobileNetV3Small", alpha=0.75),
    ],
    ids=str,
)
def test_small_models_are_keras_s(case, tmp_path):
    own, real = compare.ours(case), compare.theirs(case)
    assert compare.differences(own, real) == []
    assert compare.unequal_files(own, real, tmp_path, ("weights.h5", "h5 of Keras 2")) == []
    x = compare.images(case)
    assert compare.distance(own.predict(x, verbose=0), real.predict(x, verbose=0)) < 1e-4


@pytest.fixture
def channels_first():
    for config in (cornu.config, keras.config):
        config.set_image_data_format("channels_first")
    yield
    for config in (cornu.config, keras.config):
        config.set_image_data_format("channels_last")


@pytest.mark.parametrize("name", ["VGG16", "MobileNetV3Small"])
def test_channels_first(channels_first, name):
    one = case(name, 75, include_top=False)
    assert compare.differences(compare.ours(one), compare.theirs(one, with_weights=False)) == []


@pytest.mark.parametrize("name", ["DenseNet121", "NASNetMobile"])
def test_channels_first_where_keras_has_none(channels_first, name):
    with pytest.raises(ValueError, match="takes images with channels last only"):
        getattr(applications, name)(weights=None)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("MobileNet", {"alpha": 0.5}),
        ("MobileNet", {"include_top": False, "alpha": 0.25, "input_shape": (128, 128, 3)}),
        ("MobileNetV2", {"include_top": False, "alpha": 0.35, "input_shape": (96, 96, 3)}),
        ("MobileNetV3Small", {"minimalistic": True, "input_shape": (224, 224, 3)}),
        ("MobileNetV3Large", {"include_top": False, "alpha": 0.75, "input_shape": (224, 224, 3)}),
    ],
)
def test_imagenet_weights_are_keras_s_files(name, arguments):
    assert compare.file_of_ours(name, **arguments) == compare.file_of_theirs(name, **arguments)


def test_weights_of_another_size_are_those_of_224(monkeypatch):
    with pytest.warns(UserWarning, match="those for 224x224 are loaded"):
        name, *_ = compare.file_of_ours("MobileNet", alpha=0.25, include_top=False, input_shape=(40, 40, 3))
    assert name == "mobilenet_2_5_224_tf_no_top.h5"


def test_fine_tuning(tmp_path):
    base = applications.MobileNetV2(**FEATURES)
    base.trainable = False
    inputs = layers.Input((32, 32, 3))
    x = applications.mobilenet_v2.preprocess_input(inputs)
    x = layers.GlobalAveragePooling2D()(base(x, training=False))
    model = cornu.Model(inputs, layers.Dense(2, activation="softmax")(x))
    assert len(model.trainable_weights) == 2
    model.compile("adam", "sparse_categorical_crossentropy")
    before = base.get_weights()
    x = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype("float32")
    model.fit(x, np.array([0, 1, 0, 1]), verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, base.get_weights(), strict=True))
    expected = model.predict(x, verbose=0)
    for ending in ("keras", "h5"):
        model.save(tmp_path / f"model.{ending}")
        again = cornu.models.load_model(tmp_path / f"model.{ending}")
        np.testing.assert_allclose(again.predict(x, verbose=0), expected, atol=1e-6)


def test_features_from_inside():
    base = applications.VGG16(weights=None, include_top=False, input_shape=(None, None, 3))
    features = cornu.Model(base.input, base.get_layer("block4_pool").output)
    assert features.output_shape == (None, None, None, 512)
    assert cornu.models.clone_model(features).count_params() == features.count_params()


def test_input_tensor_of_other_layers():
    inputs = layers.Input((40, 40, 1))
    images = layers.Concatenate()([inputs, inputs, inputs])
    model = applications.MobileNetV2(input_tensor=images, weights=None, alpha=0.35, classes=3)
    assert [tensor.name for tensor in model.inputs] == [inputs.name]
    assert model.input_shape == (None, 40, 40, 1)
    assert model.name == "mobilenetv2_0.35_224"


def test_mixed_precision():
    cornu.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = applications.MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3), classes=3)
    finally:
        cornu.mixed_precision.set_global_policy("float32")
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert str(model(np.zeros((1, 32, 32, 3), "float32")).dtype) == "bfloat16"


def test_layers_of_inception_resnet_survive_files(tmp_path):
    x = layers.Input((3,))
    model = cornu.Model(x, cornu.layers.merging.CustomScaleLayer(0.5)([x, layers.Dense(3)(x)]))
    path = tmp_path / "model.keras"
    model.save(path)
    rows = np.ones((2, 3), "float32")
    expected = model.predict(rows, verbose=0)
    np.testing.assert_allclose(cornu.models.load_model(path).predict(rows, verbose=0), expected, atol=1e-6)
    np.testing.assert_allclose(keras.models.load_model(path).predict(rows, verbose=0), expected, atol=1e-6)


def test_a_summary_has_every_layer():
    lines: list[str] = []
    applications.MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3)).summary(print_fn=lines.append)
    assert "conv_pw_13_relu" in "\n".join(lines)


def test_no_warning_for_usual_images():
    with warnings.catch_warnings(action="error"):
        applications.MobileNet(weights=None, alpha=0.25, include_top=False)
