"""Every layer's config makes the same layer again: Cornu's own, through JSON, and across to real Keras and back."""

import json

import keras
import pytest

from contract.compare import assert_configs_cross
from contract.table import EVERY, LAYERS, call
from cornu import layers
from cornu.core import registry


@pytest.mark.parametrize("name", EVERY)
def test_a_config_survives_json(name):
    layer = EVERY[name].make(layers)
    config = layers.serialize(layer)
    again = layers.deserialize(json.loads(json.dumps(config)))
    assert type(again) is type(layer)
    assert json.dumps(layers.serialize(again)) == json.dumps(config)


@pytest.mark.parametrize("name", EVERY)
def test_from_config_makes_a_layer_with_the_same_weights(name):
    entry = EVERY[name]
    layer = entry.make(layers)
    again = type(layer).from_config(layer.get_config())
    assert again is not layer
    for one in (layer, again):
        call(one, entry.symbolic())
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in layer.weights]


@pytest.mark.parametrize("name", LAYERS)
def test_configs_cross_to_keras_and_back(name):
    assert_configs_cross(LAYERS[name].make(layers), LAYERS[name].make(keras.layers))


def test_every_layer_is_in_the_table():
    made = {type(entry.make(layers)) for entry in EVERY.values()}
    known = {thing for thing in registry.LAYERS.things.values() if thing.__module__.startswith("cornu.layers.")}
    missing = {cls.__name__ for cls in known - made}
    # A Lambda's function has no form in JSON but its name; what the others are called on is no array, and cells are
    # called on inputs and states: tests/layers/recurrent has them.
    cells = {"SimpleRNNCell", "LSTMCell", "GRUCell", "ConvLSTMCell", "StackedRNNCells"}
    texts = {"StringLookup", "TextVectorization"}  # take strings: tests/layers/feature_preprocessing
    assert missing <= {"InputLayer", "Lambda", "Wrapper"} | cells | texts, (
        "these layers have no line in contract/table.py"
    )
