"""Input and InputLayer."""

import keras
import numpy as np
import pytest

import cornu.layers as layers
from cornu.core import serialization


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"shape": (28, 28)}, (None, 28, 28)),
        ({"shape": 784}, (None, 784)),
        ({"shape": np.int64(784)}, (None, 784)),
        ({"shape": [None, 3]}, (None, None, 3)),
        ({"shape": ()}, (None,)),
        ({"shape": (3,), "batch_size": 5}, (5, 3)),
        ({"batch_shape": (2, None)}, (2, None)),
    ],
)
def test_shapes(arguments, shape):
    tensor = layers.Input(**arguments)
    assert tuple(tensor.shape) == shape
    assert tensor.dtype == "float32"
    assert isinstance(tensor.node.operation, layers.InputLayer)
    assert tensor.node.inputs == []


def test_name_and_dtype():
    tensor = layers.Input((3,), name="ids", dtype="int32")
    assert (tensor.name, tensor.dtype, tensor.node.operation.name) == ("ids", "int32", "ids")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "needs the shape of one sample"),
        ({"shape": (3,), "batch_shape": (None, 3)}, "either `shape` and `batch_size`, or `batch_shape`"),
        ({"batch_size": 2, "batch_shape": (None, 3)}, "either `shape`"),
        ({"shape": "abc"}, "tuple of sizes"),
        ({"shape": (2.5,)}, "integers or None"),
        ({"shape": (-1,)}, "integers or None"),
        ({"shape": (3,), "sparse": True}, "dense arrays"),
        ({"tensor": np.ones(3)}, "takes a symbolic tensor"),
    ],
)
def test_errors_are_clear(arguments, words):
    with pytest.raises(ValueError, match=words):
        layers.Input(**arguments)


def test_a_tensor_that_is_already_there_stays_what_it_is():
    inputs = layers.Input((3,))
    outputs = layers.Dense(2)(inputs)
    assert layers.Input(tensor=outputs) is outputs
    assert outputs.node.operation.units == 2


def test_the_config_is_keras_config():
    ours = layers.InputLayer(shape=(3,), batch_size=2, name="x")
    theirs = keras.layers.InputLayer(shape=(3,), batch_size=2, name="x")
    assert ours.get_config() == theirs.get_config()
    assert serialization.deserialize(keras.layers.serialize(theirs)).batch_shape == (2, 3)
    assert keras.layers.deserialize(serialization.serialize(ours)).batch_shape == (2, 3)


@pytest.mark.parametrize("arguments", [{"input_shape": (3,)}, {"batch_input_shape": (None, 3)}])
def test_the_shape_arguments_of_keras_2_are_read(arguments):
    assert layers.InputLayer(**arguments).batch_shape == (None, 3)
