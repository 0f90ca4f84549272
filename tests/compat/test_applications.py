"""What old programs import from `keras.applications`, and names of layers that Keras has changed."""

import h5py
import numpy as np
import pytest

import cornu
from cornu import backend, layers, models, utils
from cornu.compat import applications
from cornu.compat.names import current_layer_name

pytestmark = pytest.mark.old_spellings


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"dim_ordering": "th", "include_top": False}, (3, None, None)),
        ({"dim_ordering": "tf", "include_top": True}, (224, 224, 3)),
        ({"data_format": "channels_first", "require_flatten": True}, (3, 224, 224)),
        ({"dim_ordering": "default"}, (224, 224, 3)),
    ],
)
def test_old_keywords_of_input_shapes(arguments, expected):
    assert applications.obtain_input_shape(None, 224, 48, **arguments) == expected


def test_modules_of_keras_applications():
    assert applications.get_submodules_from_kwargs({"backend": np}) == (np, layers, models, utils)
    assert applications.get_submodules_from_kwargs({})[0] is backend
    assert applications.keras_modules_injection(len) is len
    assert applications.correct_pad(backend, layers.Input((7, 8, 3)), 3) == ((1, 1), (0, 1))


NAMES = {
    "conv1": "conv1_conv",
    "bn_conv1": "conv1_bn",
    "res2a_branch1": "conv2_block1_0_conv",
    "bn5c_branch2c": "conv5_block3_3_bn",
    "res4f_branch2a": "conv4_block6_1_conv",
    "fc1000": "predictions",
    "dense": "dense",
}


@pytest.mark.parametrize("old", NAMES)
def test_names_of_layers_of_resnet50(old):
    assert current_layer_name(old) == NAMES[old]


def residual():
    """Return a block like ResNet50's: its last convolution and its shortcut have weights of one shape."""
    x = inputs = layers.Input((4, 4, 3))
    shortcut = layers.Conv2D(2, 1, name="conv2_block1_0_conv")(inputs)
    x = layers.Conv2D(3, 1, name="conv2_block1_1_conv")(x)
    x = layers.Conv2D(2, 1, name="conv2_block1_3_conv")(x)
    return cornu.Model(inputs, layers.Add()([shortcut, x]))


@pytest.mark.parametrize("by_name", [False, True])
def test_a_weights_file_of_2016_has_another_order(tmp_path, by_name):
    order = ["res2a_branch2a", "res2a_branch2c", "res2a_branch1"]
    model = residual()
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in order]
        for number, name in enumerate(order):
            weights = model.get_layer(name).get_weights()
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_W".encode(), f"{name}_b".encode()]
            for kind, array in zip("Wb", weights, strict=True):
                group[f"{name}_{kind}"] = np.full(array.shape, number, "float32")
    model.load_weights(tmp_path / "weights.h5", by_name=by_name)
    for number, name in enumerate(order):
        assert {float(array.max()) for array in model.get_layer(name).get_weights()} == {number}
