import keras
import numpy as np
import pytest

from contract.compare import assert_like_keras
from cornu import layers


def normal(shape):
    return np.random.default_rng(1).standard_normal(shape).astype("float32")


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("ZeroPadding1D", {"padding": 2}, (2, 3, 2)),
        ("ZeroPadding1D", {"padding": (0, 2), "data_format": "channels_first"}, (2, 3, 2)),
        ("ZeroPadding2D", {"padding": 0}, (2, 3, 2, 2)),
        ("ZeroPadding2D", {"padding": ((1, 0), (2, 3)), "data_format": "channels_first"}, (2, 2, 3, 2)),
        ("ZeroPadding3D", {"padding": (1, 0, 2)}, (2, 2, 3, 2, 1)),
        ("Cropping1D", {"cropping": 1}, (2, 5, 2)),
        ("Cropping2D", {"cropping": ((0, 2), (1, 0))}, (2, 4, 5, 2)),
        ("Cropping2D", {}, (2, 4, 5, 2)),
        ("Cropping3D", {"cropping": (1, 0, 1), "data_format": "channels_first"}, (2, 1, 4, 2, 3)),
    ],
)
def test_equals_keras(name, arguments, shape):
    if name in ("ZeroPadding3D", "Cropping3D", "ZeroPadding2D", "Cropping2D"):
        theirs = {key: spelled_out(value) for key, value in arguments.items()}
    else:
        theirs = arguments
    assert_like_keras(getattr(layers, name)(**arguments), getattr(keras.layers, name)(**theirs), normal(shape))


def spelled_out(value):
    """Pairs for the numbers of one dimension, which Keras takes as well."""
    return tuple((one, one) if isinstance(one, int) else one for one in value) if isinstance(value, tuple) else value


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.ZeroPadding2D(-1), "`padding` must be an integer of at least 0"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), "`padding` must be an integer, 2 integers, or 2 pairs"),
        (lambda: layers.ZeroPadding2D("same"), "`padding`"),
        (lambda: layers.Cropping1D((1, 2, 3)), "`cropping`"),
        (lambda: layers.Cropping1D((2, 3))(np.ones((1, 5, 2))), "nothing would be left"),
        (lambda: layers.Cropping2D(2)(layers.Input((4, 9, 1))), "nothing would be left"),
        (lambda: layers.Cropping2D(1)(np.ones((4, 9, 1))), "expects an input with 4 axes"),
    ],
)
def test_a_mismatch_raises_a_clear_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()
