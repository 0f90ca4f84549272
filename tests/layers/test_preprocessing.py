"""Rescaling against real Keras."""

import keras
import numpy as np
import pytest

import cornu.layers as layers
from contract.compare import assert_like_keras


@pytest.mark.parametrize(
    "arguments", [{"scale": 1 / 255}, {"scale": 2, "offset": -1}, {"scale": [1.0, 2.0, 3.0], "offset": [0.0, 1.0, 2.0]}]
)
def test_is_keras_layer(arguments):
    pixels = np.arange(2 * 4 * 3, dtype="uint8").reshape(2, 4, 3)
    for inputs in (pixels, pixels.astype("float32")):
        assert_like_keras(layers.Rescaling(**arguments), keras.layers.Rescaling(**arguments), inputs)


def test_channels_lie_where_the_image_data_format_has_them(monkeypatch):
    monkeypatch.setattr("cornu.core.settings.image_data_format", lambda: "channels_first")
    outputs = layers.Rescaling([1.0, 2.0])(np.ones((1, 2, 3, 3), "float32"))
    np.testing.assert_array_equal(outputs[0, :, 0, 0], [1, 2])
