"""Embedding against real Keras."""

import keras
import numpy as np
import pytest

import cornu.layers as layers
from contract.compare import assert_like_keras
from cornu import models
from cornu.core.scope import get_mask

IDS = np.array([[1, 0, 4], [4, 4, 2]], "int32")


@pytest.mark.parametrize(
    "arguments",
    [
        {"input_dim": 5, "output_dim": 3},
        {"input_dim": 5, "output_dim": 2, "embeddings_regularizer": "l2", "embeddings_constraint": "unit_norm"},
        {"input_dim": 5, "output_dim": 1, "mask_zero": True},
    ],
)
def test_is_keras_layer(arguments):
    assert_like_keras(layers.Embedding(**arguments), keras.layers.Embedding(**arguments), IDS)


def test_mask_zero_marks_padding():
    ours, theirs = layers.Embedding(5, 2, mask_zero=True)(IDS), keras.layers.Embedding(5, 2, mask_zero=True)(IDS)
    np.testing.assert_array_equal(get_mask(ours), theirs._keras_mask)
    assert get_mask(layers.Embedding(5, 2)(IDS)) is None


def test_numbers_given_as_floats_are_exact_in_16_bit_layers_too():
    table = np.arange(5000, dtype="float32")[:, None]
    layer = layers.Embedding(5000, 1, weights=[table], dtype="mixed_bfloat16")
    outputs = layer(np.array([[4001.0, 3.0]], "float32"))
    assert outputs.dtype == "bfloat16"
    np.testing.assert_allclose(np.float32(outputs)[0, :, 0], [4001, 3], rtol=1e-2)
    assert layers.Embedding(5000, 1, weights=table)(np.array([[4001.0]]))[0, 0, 0] == 4001


def test_input_length_is_the_input_shape_as_in_keras_2():
    layer = layers.Embedding(10, 4, input_length=7)
    assert layer._batch_input_shape == (None, 7)
    again = layers.Embedding.from_config(layer.get_config())
    assert (again.input_dim, again.output_dim, again.input_length) == (10, 4, 7)


@pytest.mark.parametrize("sizes", [(0, 3), (3, 0), (2.5, 3), ("a", 3)])
def test_sizes_that_are_no_counts_are_refused(sizes):
    with pytest.raises(ValueError, match=r"Embedding: `(input|output)_dim` must be an integer of at least 1"):
        layers.Embedding(*sizes)


def test_dropout_of_keras_1_drops_whole_vectors_in_training():
    layer = layers.Embedding(2000, 3, dropout=0.25, embeddings_initializer="ones")
    twice = np.arange(2000)[None].repeat(2, axis=0)
    outputs = np.asarray(layer(twice, training=True))
    np.testing.assert_allclose(np.unique(outputs), [0, 4 / 3], rtol=1e-6)
    assert np.array_equal(outputs[0], outputs[1])  # an index has the same vector everywhere
    assert np.array_equal(outputs[..., 0], outputs[..., 2])
    assert (outputs == 0).mean() == pytest.approx(0.25, abs=0.03)
    assert not np.array_equal(outputs, layer(twice, training=True))
    assert np.array_equal(layer(twice), np.ones((2, 2000, 3)))
    assert layers.Embedding.from_config(layer.get_config()).dropout == 0.25
    assert "dropout" not in layers.Embedding(3, 2).get_config()
    with pytest.raises(ValueError, match="`dropout` must be a number from 0 to 1"):
        layers.Embedding(3, 2, dropout=2)


def test_a_model_with_dropout_of_vectors_trains_and_is_saved(tmp_path):
    model = models.Sequential([layers.Input((3,)), layers.Embedding(7, 2, dropout=0.5), layers.Flatten()])
    model.compile("sgd", "mse")
    model.fit(IDS[:, :3] % 7, np.ones((len(IDS), 6)), verbose=0)
    model.save(tmp_path / "m.keras")
    again = models.load_model(tmp_path / "m.keras")
    assert again.layers[0].dropout == 0.5
    np.testing.assert_array_equal(again.predict(IDS[:, :3] % 7, verbose=0), model.predict(IDS[:, :3] % 7, verbose=0))
