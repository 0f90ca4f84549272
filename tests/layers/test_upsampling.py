import keras
import numpy as np
import pytest

from contract.compare import assert_like_keras
from cornu import layers


def normal(shape):
    return np.random.default_rng(1).standard_normal(shape).astype("float32")


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_images_grow_as_in_keras(interpolation, data_format):
    arguments = {"size": (2, 3), "interpolation": interpolation, "data_format": data_format}
    assert_like_keras(layers.UpSampling2D(**arguments), keras.layers.UpSampling2D(**arguments), normal((2, 3, 4, 3)))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_volumes_grow_as_in_keras(data_format):
    arguments = {"size": (2, 1, 3), "data_format": data_format}
    assert_like_keras(layers.UpSampling3D(**arguments), keras.layers.UpSampling3D(**arguments), normal((2, 2, 3, 2, 2)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.UpSampling1D(0), "`size` must be an integer of at least 1"),
        (lambda: layers.UpSampling2D((1, 2, 3)), "`size`"),
        (lambda: layers.UpSampling2D(interpolation="bilinaer"), "Did you mean 'bilinear'"),
        (lambda: layers.UpSampling1D()(np.ones((2, 3))), "expects an input with 3 axes"),
    ],
)
def test_a_mismatch_raises_a_clear_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()
