"""Every layer gives what real Keras gives with the same weights: outputs, gradients, moved averages, losses, shapes."""

import keras
import pytest

from contract.compare import assert_like_keras
from contract.table import LAYERS
from cornu import layers
from cornu.core.signature import call_signature


@pytest.mark.filterwarnings("ignore:.*Explicitly requested dtype int64:UserWarning")  # Keras's MixUp
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_used_for_prediction_equals_keras(name):
    entry = LAYERS[name]
    ours = entry.make(layers)
    training = False if entry.random and ours_trains_by_default(ours) else None
    shapes = name != "pipeline"  # Keras's has no compute_output_shape
    assert_like_keras(ours, entry.make(keras.layers), entry.inputs(), training=training, shapes=shapes)


def ours_trains_by_default(layer):
    """Return whether a layer trains where nothing is said: those that change images at random."""
    return call_signature(type(layer)).training_default is True


@pytest.mark.parametrize("name", [name for name, entry in LAYERS.items() if entry.trains_differently])
def test_a_layer_in_training_equals_keras(name):
    entry = LAYERS[name]
    assert_like_keras(entry.make(layers), entry.make(keras.layers), entry.inputs(), training=True, shapes=False)
