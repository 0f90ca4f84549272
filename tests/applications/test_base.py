"""Arguments that all models take: what is refused, and how weights are found."""

import inspect
from unittest import mock

import numpy as np
import pytest

import cornu
from cornu import applications, layers
from cornu.applications import base

SMALL = {"alpha": 0.25, "input_shape": (32, 32, 3), "classes": 3}
COMMON = [
    "include_top",
    "weights",
    "input_tensor",
    "input_shape",
    "pooling",
    "classes",
    "classifier_activation",
    "name",
]


def mobile_net(**arguments):
    return applications.MobileNet(**(SMALL | {"weights": None} | arguments))


@pytest.mark.parametrize("name", [name for name in applications.__all__ if name[0].isupper()])
def test_signatures_are_keras_s(name, real_keras):
    """Except that EfficientNet takes more, as in tf.keras 2, and that Keras 3 has neither ResNet-RS nor RegNet."""
    own = inspect.signature(getattr(applications, name)).parameters.values()
    named = [(one.name, one.default) for one in own if one.kind != inspect.Parameter.VAR_KEYWORD]
    if not name.startswith(("ResNetRS", "RegNet")):
        real = inspect.signature(getattr(real_keras.applications, name)).parameters.values()
        assert named == [(one.name, one.default) for one in real]
    assert set(COMMON) - {"name"} <= {one.name for one in own}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"weights": "imagnet"}, r"weights must be None, 'imagenet', or the path .* got 'imagnet'"),
        ({"weights": "imagenet"}, r"classes must be 1000; got 3"),
        ({"weights": "imagenet", "classes": 1000, "input_shape": (40, 40, 3)}, r"must be \(224, 224, 3\); got"),
        ({"weights": "imagenet", "include_top": False, "input_shape": (40, 40, 1)}, r"images must have 3 channels"),
        ({"weights": "imagenet", "include_top": False, "alpha": 0.3}, r"alpha with weights='imagenet'.*0.3"),
        ({"weights": "imagenet", "include_top": False, "depth_multiplier": 2}, r"depth_multiplier must be 1; got 2"),
        (
            {"weights": "imagenet", "classes": 1000, "input_shape": None, "classifier_activation": "sigmoid"},
            r"must be 'softmax' or None; got 'sigmoid'",
        ),
        ({"input_shape": (31, 32, 3)}, r"at least 32; input_shape is \(31, 32, 3\)"),
        ({"input_shape": (None, None, 3)}, r"height and width must be known"),
        ({"input_shape": (32, 32)}, r"input_shape must have three numbers"),
        ({"input_tensor": np.zeros((1, 32, 32, 3))}, r"takes a symbolic tensor"),
    ],
)
def test_arguments_that_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        mobile_net(**arguments)


def test_an_input_tensor_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"input_shape is \(32, 32, 3\), but input_tensor has images of shape"):
        applications.MobileNetV2((32, 32, 3), input_tensor=layers.Input((40, 40, 3)), weights=None)


def test_unknown_arguments_are_named():
    with pytest.raises(TypeError, match=r"VGG16 has no argument 'include_tops'. Did you mean 'include_top'\?"):
        applications.VGG16(include_tops=False)


@pytest.mark.old_spellings
def test_modules_as_arguments_are_those_of_the_process():
    modules = {"backend": cornu.backend, "layers": layers, "models": cornu.models, "utils": cornu.utils}
    assert mobile_net(**modules).output_shape == (None, 3)
    assert applications.MobileNetV2((32, 32, 3), 0.35, depth_multiplier=1, include_top=False, weights=None)


def test_unusual_channels_are_warned_of():
    with pytest.warns(UserWarning, match="has 5"):
        assert mobile_net(input_shape=(32, 32, 5)).input_shape == (None, 32, 32, 5)


def test_a_file_of_weights(tmp_path):
    model = mobile_net()
    model.save_weights(tmp_path / "model.weights.h5")
    again = mobile_net(weights=tmp_path / "model.weights.h5")
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), again.get_weights(), strict=True))
    with pytest.raises(ValueError, match=r"model\.weights\.h5"):
        mobile_net(weights=str(tmp_path / "model.weights.h5"), classes=4)


def test_published_weights_come_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    model = mobile_net(include_top=False)
    (tmp_path / "models").mkdir()
    model.save_weights(tmp_path / "models" / "mobilenet_2_5_128_tf_no_top.h5")
    again = mobile_net(include_top=False, weights="imagenet", input_shape=(128, 128, 3))
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), again.get_weights(), strict=True))


def test_without_a_network_the_error_says_what_goes_where(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    nowhere = base.Published("http://127.0.0.1:9/", ("whole.h5", None), ("features.h5", None))
    with (
        mock.patch("cornu.applications.mobilenet._published", return_value=nowhere),
        pytest.raises(ConnectionError) as caught,
    ):
        mobile_net(include_top=False, weights="imagenet", input_shape=(128, 128, 3))
    assert "http://127.0.0.1:9/features.h5" in str(caught.value)
    assert f"put it into {tmp_path / 'models'} as features.h5" in str(caught.value)
