"""Batches in parts, object configs, the inputs of a tensor, and names that start again."""

import numpy as np
import pytest

from cornu import layers, utils


def test_batches_in_parts():
    assert utils.unpack_x_y_sample_weight((1, 2)) == (1, 2, None)
    assert utils.unpack_x_y_sample_weight([1]) == (1, None, None)
    assert utils.unpack_x_y_sample_weight("x") == ("x", None, None)
    assert utils.pack_x_y_sample_weight(1) == 1
    assert utils.pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)
    assert utils.pack_x_y_sample_weight([1, 2]) == ([1, 2],)
    with pytest.raises(ValueError, match="4 parts"):
        utils.unpack_x_y_sample_weight((1, 2, 3, 4))


def test_object_configs():
    layer = layers.Dense(3, activation="relu", name="d")
    again = utils.deserialize_keras_object(utils.serialize_keras_object(layer))
    assert (again.name, again.units, again.activation) == ("d", 3, layer.activation)


def test_source_inputs():
    a, b = layers.Input((2,)), layers.Input((2,))
    found = utils.get_source_inputs(layers.Dense(3)(layers.add([a, layers.Dense(2)(b)])))
    assert {id(tensor) for tensor in found} == {id(a), id(b)}
    assert utils.is_keras_tensor(a)
    assert not utils.is_keras_tensor(np.ones(2))


def test_clear_session():
    utils.clear_session()
    assert layers.Dense(1).name == "dense"
    assert layers.Dense(1).name == "dense_1"
    utils.clear_session()
    assert layers.Dense(1).name == "dense"
