"""Flatten, Reshape, Permute and RepeatVector against real Keras."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cornu.layers as layers
from contract.compare import assert_like_keras


def array(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype("float32")


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("Flatten", {}, (2, 3, 4)),
        ("Flatten", {}, (2,)),
        ("Flatten", {"data_format": "channels_first"}, (2, 3, 4, 5)),
        ("Flatten", {"data_format": "channels_first"}, (2, 3)),
        ("Reshape", {"target_shape": (4, 3)}, (2, 3, 4)),
        ("Reshape", {"target_shape": (-1, 2)}, (2, 3, 4)),
        ("Reshape", {"target_shape": (12,)}, (2, 3, 4)),
        ("Reshape", {"target_shape": [1, -1]}, (2, 5)),
        ("Reshape", {"target_shape": ()}, (2, 1)),
        ("Permute", {"dims": (2, 1)}, (2, 3, 4)),
        ("Permute", {"dims": (3, 1, 2)}, (2, 3, 4, 5)),
        ("RepeatVector", {"n": 3}, (2, 4)),
    ],
)
def test_is_keras_layer(name, arguments, shape):
    ours, theirs = (getattr(module, name)(**arguments) for module in (layers, keras.layers))
    assert_like_keras(ours, theirs, array(*shape))


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda module: module.Flatten(), (None, 3)),
        (lambda module: module.Flatten(), (5, 3)),
        (lambda module: module.Reshape((7, 4)), (None,)),
        (lambda module: module.Reshape((-1, 4)), (None, 3)),
        (lambda module: module.Permute((2, 1)), (None, 3)),
    ],
)
def test_shapes_with_unknown_axes_are_keras_shapes(make, shape):
    expected = tuple(make(keras.layers)(keras.Input(shape)).shape)
    assert tuple(make(layers)(layers.Input(shape)).shape) == expected


def test_whole_numbers_keep_their_type():
    for layer in (layers.Flatten(), layers.Reshape((3, 2)), layers.Permute((2, 1))):
        assert layer(np.ones((2, 2, 3), "int32")).dtype == "int32"
        assert layer(layers.Input((2, 3), dtype="int32")).dtype == "int32"
    assert layers.Reshape((3, 2))(layers.Input((None,), dtype="int32")).dtype == "int32"


@settings(max_examples=25, deadline=None)
@given(st.permutations([2, 3, 4]), st.integers(0, 2))
def test_one_size_may_be_left_to_reshape(sizes, position):
    target = [-1 if i == position else size for i, size in enumerate(sizes)]
    assert layers.Reshape(target)(array(2, 24)).shape == (2, *sizes)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.Reshape((5, 5))(array(2, 24)), r"samples of shape \(24,\) \(24 values\) into \(5, 5\)"),
        (lambda: layers.Reshape((5, -1))(layers.Input((24,))), r"5 values or a multiple"),
        (lambda: layers.Reshape((-1, -1)), "at most one -1"),
        (lambda: layers.Reshape((2.5, 2)), "tuple of sizes"),
        (lambda: layers.Permute((0, 1)), "each axis of a sample once"),
        (lambda: layers.RepeatVector(0), "RepeatVector: `n` must be an integer"),
        (lambda: layers.RepeatVector(2)(array(2, 3, 4)), "2 axes"),
        (lambda: layers.Permute((2, 1))(array(2, 3)), "3 axes"),
    ],
)
def test_errors_are_clear(make, words):
    with pytest.raises(ValueError, match=words):
        make()
