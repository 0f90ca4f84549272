"""Every layer gives what real Keras gives with the same weights: outputs, gradients, moved averages, losses, shapes."""

import keras
import pytest

from contract.compare import assert_like_keras
from contract.table import LAYERS
from cornu import layers


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_used_for_prediction_equals_keras(name):
    entry = LAYERS[name]
    assert_like_keras(entry.make(layers), entry.make(keras.layers), entry.inputs())


@pytest.mark.parametrize("name", [name for name, entry in LAYERS.items() if entry.trains_differently])
def test_a_layer_in_training_equals_keras(name):
    entry = LAYERS[name]
    assert_like_keras(entry.make(layers), entry.make(keras.layers), entry.inputs(), training=True, shapes=False)
