"""Masks that are passed to attention layers by hand: with and without axes for the batch and the heads."""

import numpy as np
import pytest

import cornu

SHAPES = [(2, 5, 7), (2, 1, 7), (5, 7), (1, 1, 5, 7), (2, 3, 5, 7)]


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_masks_of_every_rank_equal_keras(shape, scores, real_keras):
    random = np.random.default_rng(0)
    query, value = random.normal(size=(2, 5, 8)).astype("float32"), random.normal(size=(2, 7, 8)).astype("float32")
    mask = random.random(shape) < 0.6
    mask[..., 2] = True  # each query sees a key
    ours, theirs = (keras.layers.MultiHeadAttention(3, 4) for keras in (cornu, real_keras))
    ours(query, value)
    theirs(query, value)
    theirs.set_weights(ours.get_weights())
    options = {"attention_mask": mask, "return_attention_scores": scores}
    found, expected = ours(query, value, **options), theirs(query, value, **options)
    for one, other in zip(found, expected, strict=True):  # outputs and scores, or rows of outputs
        np.testing.assert_allclose(one, other, atol=2e-6)


def test_a_mask_from_a_layer_above_and_one_by_hand_hold_both(real_keras):
    numbers = np.array([[3, 1, 2, 0, 0], [4, 4, 0, 0, 0]])
    weights, results = None, []
    for keras in (cornu, real_keras):
        tokens = keras.Input((5,), dtype="int32")
        x = keras.layers.Embedding(6, 8, mask_zero=True, embeddings_initializer="orthogonal")(tokens)
        seen = keras.layers.MultiHeadAttention(2, 4)(x, x, attention_mask=np.tri(5, dtype=bool)[None])
        model = keras.Model(tokens, seen)
        if results:
            model.set_weights(weights)
        weights = model.get_weights()
        results.append(model.predict(numbers, verbose=0))
    np.testing.assert_allclose(results[0][0, :3], results[1][0, :3], atol=2e-6)
    np.testing.assert_allclose(results[0][1, :2], results[1][1, :2], atol=2e-6)
