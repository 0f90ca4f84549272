"""Attention and AdditiveAttention against real Keras, and the models with them that Keras wrote."""

import keras
import numpy as np
import pytest

import cornu
from contract.compare import assert_like_keras, copy_weights
from cornu import layers


def arrays(*shapes):
    return [np.random.default_rng(seed).standard_normal(shape).astype("float32") for seed, shape in enumerate(shapes)]


QVK = arrays((2, 4, 3), (2, 5, 6), (2, 5, 3))
FORMS = {
    "plain": lambda lib: lib.Attention(),
    "scaled": lambda lib: lib.Attention(use_scale=True),
    "concat": lambda lib: lib.Attention(score_mode="concat"),
    "scaled concat": lambda lib: lib.Attention(use_scale=True, score_mode="concat"),
    "additive": lambda lib: lib.AdditiveAttention(),
    "additive without scale": lambda lib: lib.AdditiveAttention(use_scale=False),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scores", [False, True])
def test_every_form_with_masks(form, scores):
    rng = np.random.default_rng(5)
    masks = [rng.random((2, 4)) < 0.6, np.array([[True, True, False, True, False], [True] * 5])]
    for causal in (False, True):
        for mask in (None, masks, [None, masks[1]]):
            ours, theirs = (FORMS[form](lib) for lib in (layers, keras.layers))
            copy_weights(ours, theirs, QVK)
            arguments = {"mask": mask, "use_causal_mask": causal, "return_attention_scores": scores}
            found, expected = ours(QVK, **arguments), theirs(QVK, **arguments)
            for one, other in zip(found, expected, strict=True) if scores else [(found, expected)]:
                np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float16"])
def test_short_numbers(policy):
    ours, theirs = (lib.Attention(use_scale=True, dtype=policy) for lib in (layers, keras.layers))
    assert_like_keras(ours, theirs, QVK, tolerance=0.03)


def test_masks_travel_through_layers():
    """Embeddings mask zeros: the padding gets no weight, and the outputs have the query's mask."""
    tokens = np.array([[1, 2, 3, 0, 0], [4, 0, 0, 0, 0]])
    results = []
    for lib in (cornu, keras):
        start = lib.Input((5,), dtype="int32")
        x = lib.layers.Embedding(5, 3, mask_zero=True, embeddings_initializer=lib.initializers.Constant(0.5))(start)
        x = lib.layers.Attention()([x, lib.layers.Dense(3, kernel_initializer="ones")(x)], use_causal_mask=True)
        results.append(lib.Model(start, lib.layers.GlobalAveragePooling1D()(x)).predict(tokens, verbose=0))
    np.testing.assert_allclose(*results, rtol=1e-5)
    out = layers.Attention()([layers.Embedding(5, 3, mask_zero=True)(tokens)] * 2)
    np.testing.assert_array_equal(out._keras_mask, tokens != 0)


def test_dropout_is_reproducible_and_only_in_training():
    layer = layers.Attention(dropout=0.5, seed=3)
    still = np.asarray(layer(QVK))
    np.testing.assert_array_equal(layer(QVK, training=False), still)
    once = np.asarray(layer(QVK, training=True))
    assert not np.allclose(once, still)
    assert not np.array_equal(layer(QVK, training=True), once)
    np.testing.assert_array_equal(layers.Attention(dropout=0.5, seed=3)(QVK, training=True), once)


@pytest.mark.parametrize("rank", [2, 4])
def test_other_ranks(rank):
    shape = (2, 3, 4, 5)[-rank:]
    assert_like_keras(layers.Attention(), keras.layers.Attention(), arrays(shape, shape), shapes=False)


def test_causal_of_tf_keras(tmp_path):
    layer = layers.Attention(causal=True)
    expected = keras.layers.Attention()(QVK, use_causal_mask=True)
    np.testing.assert_allclose(layer(QVK), expected, atol=1e-6)
    assert layers.deserialize(layers.serialize(layer)).causal
    inputs = [cornu.Input(each.shape[1:]) for each in QVK]
    cornu.Model(inputs, layer(inputs)).save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(again.predict(QVK, verbose=0), expected, atol=1e-6)


def test_a_subclass_with_scores_of_its_own():
    class Halved(layers.Attention):
        def _calculate_scores(self, query, key):
            return super()._calculate_scores(query, key) / 2

    query, value, key = QVK
    expected = layers.Attention()([query / 2, value, key])
    np.testing.assert_allclose(Halved()(QVK), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.Attention(score_mode="sum"), "must be 'dot' or 'concat'"),
        (lambda: layers.Attention(dropout=2), "from 0 to 1"),
        (lambda: layers.Attention()(QVK[0]), "got one tensor"),
        (lambda: layers.Attention()(QVK[:1]), "got 1 inputs"),
        (lambda: layers.Attention()([*QVK, QVK[0]]), "got 4 inputs"),
        (lambda: layers.Attention()(QVK[:2]), "sizes of query and key must be equal; got 3 and 6"),
        (lambda: layers.Attention()([QVK[0], QVK[1][:, :4], QVK[2]]), "lengths of value and key must be equal; got 4"),
        (lambda: layers.Attention()(QVK, mask=np.ones((2, 4))), "takes a list of masks"),
        (lambda: layers.AdditiveAttention()([cornu.Input((4, None)), cornu.Input((4, None))]), "which is unknown"),
    ],
)
def test_errors_are_clear(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("version", ["tf.keras-2.3.4", "tf.keras-2.11.1", "tf.keras-2.15.1", "keras-3.15.1"])
@pytest.mark.filterwarnings("ignore:The file 'attention.keras'")
def test_models_of_every_keras_go_on_as_they_did(shared, version):
    folder = shared / "data" / "real-keras" / version
    with np.load(folder / "attention.expected.npz") as file:
        expected = dict(file)
    x, y = expected["x"], expected["y"]
    for name in sorted({*folder.glob("attention.h5"), *folder.glob("attention.keras")}):
        model = cornu.models.load_model(name)
        np.testing.assert_allclose(model.predict(x, verbose=0), expected["predictions"], atol=1e-5)
        assert model.evaluate(x, y, verbose=0)[0] == pytest.approx(expected["evaluate"][0], abs=1e-5)
        history = model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0).history
        np.testing.assert_allclose(history["loss"], expected["losses"], atol=2e-3)
    model = cornu.models.model_from_json((folder / "attention.json").read_text())
    model.load_weights(folder / "attention.weights.h5")
    np.testing.assert_allclose(model.predict(x, verbose=0), expected["predictions"], atol=1e-5)
