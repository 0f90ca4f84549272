"""MultiHeadAttention and GroupQueryAttention against real Keras."""

import hypothesis
import jax
import keras
import numpy as np
import pytest
from hypothesis import strategies as st

import cornu
from contract.compare import assert_like_keras, assert_trees_close, copy_weights
from cornu import layers


def arrays(*shapes):
    return tuple(
        np.random.default_rng(seed).standard_normal(shape).astype("float32") for seed, shape in enumerate(shapes)
    )


QVK = arrays((2, 4, 6), (2, 5, 6), (2, 5, 3))
FORMS = {
    "heads": lambda lib, **more: lib.MultiHeadAttention(2, 3, **more),
    "sizes": lambda lib, **more: lib.MultiHeadAttention(2, 3, value_dim=2, output_shape=(2, 3), dropout=0.1, **more),
    "grouped": lambda lib, **more: lib.GroupQueryAttention(2, 4, 2, **more),
    "one key head": lambda lib, **more: lib.GroupQueryAttention(2, 3, 1, use_bias=False, **more),
}


@pytest.mark.parametrize("form", FORMS)
@hypothesis.settings(max_examples=4)
@hypothesis.given(
    arguments=st.fixed_dictionaries({}, optional={"use_gate": st.just(True), "sliding_window": st.integers(1, 4)}),
    masked=st.lists(st.sampled_from(["value", "key", "heads", "pairs"]), unique=True),
    causal=st.booleans(),
    scores=st.booleans(),
)
def test_equals_keras(form, arguments, masked, causal, scores):
    ours, theirs = (FORMS[form](lib, **arguments) for lib in (layers, keras.layers))
    copy_weights(ours, theirs, QVK)
    random = np.random.default_rng(len(masked))
    call = {"use_causal_mask": causal, "return_attention_scores": scores}
    call |= {f"{name}_mask": random.random((2, 5)) < 0.7 for name in masked if name in ("value", "key")}
    if "pairs" in masked:
        call["attention_mask"] = random.random((2, 4, 5)) < 0.8
    elif masked == ["heads"]:  # Keras cannot combine it with other masks
        call["attention_mask"] = random.random((2, 1, 4, 5)) < 0.8
        call["use_causal_mask"] = False
        hypothesis.assume("sliding_window" not in arguments)
    assert_trees_close(ours(*QVK, **call), theirs(*QVK, **call), 1e-5)


@pytest.mark.parametrize("axes", [1, (2,), (1, 2), (-2,)])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_axes(axes, dropout):
    x = arrays((2, 3, 4, 6), (2, 3, 4, 6))
    ours, theirs = (
        lib.MultiHeadAttention(2, 3, attention_axes=axes, dropout=dropout, activity_regularizer="l2", seed=1)
        for lib in (layers, keras.layers)
    )
    assert_like_keras(ours, theirs, x)


@pytest.mark.parametrize("form", ["heads", "grouped"])
def test_short_numbers(form):
    ours, theirs = (FORMS[form](lib, dtype="mixed_bfloat16") for lib in (layers, keras.layers))
    assert_like_keras(ours, theirs, QVK, tolerance=0.03, use_causal_mask=True)


def test_float16():
    """Keras cannot do this on CPU."""
    inputs = [cornu.Input(each.shape[1:]) for each in QVK]
    model = cornu.Model(inputs, layers.MultiHeadAttention(2, 3, dtype="mixed_float16")(*inputs))
    model.compile("sgd", "mse")
    losses = model.fit(list(QVK), np.zeros((2, 4, 6)), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def transformer(lib, lengths=(8,), padded=True):
    """Return a decoder block over tokens, some of them padding."""
    start = lib.Input(lengths, dtype="int32")
    x = lib.layers.Embedding(11, 8, mask_zero=padded)(start)
    # Keras takes the mask of x away here, so another use of x would differ: docs/differences.md
    x = lib.layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
    x = lib.layers.LayerNormalization()(x)
    x = lib.layers.GroupQueryAttention(4, 4, 2)(x, x)
    return lib.Model(start, lib.layers.Dense(11)(x))


@pytest.mark.filterwarnings("ignore:Layer '[a-z]*' .of type EinsumDense. was passed an input with a mask")
def test_ten_steps_equal_those_of_keras(tmp_path):
    """Both ways through files: what Cornu writes Keras reads and trains as Cornu does."""
    ours = transformer(cornu)
    ours.save(tmp_path / "ours.keras")
    theirs = keras.models.load_model(tmp_path / "ours.keras")
    assert [weight.path for weight in theirs.weights] == [weight.path for weight in ours.weights]
    tokens = np.random.default_rng(0).integers(1, 11, (40, 8)).astype("int32")
    tokens[::3, 5:] = 0
    losses = []
    for lib, model in ((cornu, ours), (keras, theirs)):
        model.compile("adam", lib.losses.SparseCategoricalCrossentropy(from_logits=True))
        history = model.fit(tokens, np.roll(tokens, -1, 1), batch_size=20, epochs=5, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
    np.testing.assert_allclose(*losses, rtol=2e-4)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    again = transformer(cornu)
    again.load_weights(tmp_path / "theirs.weights.h5")
    np.testing.assert_allclose(again.predict(tokens, verbose=0), theirs.predict(tokens, verbose=0), atol=1e-5)


def test_any_length():
    model = transformer(cornu, lengths=(None,))
    assert model.output_shape == (None, None, 11)
    tokens = np.random.default_rng(0).integers(1, 11, (2, 9))
    whole = model.predict(tokens, verbose=0)
    assert whole.shape == (2, 9, 11)


def test_a_long_sequence_is_computed_in_blocks_with_the_same_result():
    x = np.random.default_rng(0).standard_normal((2, 700, 8)).astype("float32")
    layer = layers.MultiHeadAttention(2, 4)
    mask = np.arange(700) < np.array([[650], [700]])
    found = layer(x, x, value_mask=mask, use_causal_mask=True)
    expected, _ = layer(x, x, value_mask=mask, use_causal_mask=True, return_attention_scores=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_mask_of_the_query_travels_on():
    tokens = np.array([[1, 2, 0], [3, 0, 0]])
    x = layers.Embedding(5, 6, mask_zero=True)(tokens)
    for layer in (layers.MultiHeadAttention(2, 3), layers.GroupQueryAttention(3, 2, 1)):
        np.testing.assert_array_equal(layer(x, x)._keras_mask, tokens != 0)


def test_dropout_is_in_training_only_and_reproducible():
    made = []
    for scores in (False, True):
        layer = layers.MultiHeadAttention(2, 3, dropout=0.5, seed=3)
        layer(*QVK)
        layer.set_weights([np.full(weight.shape, 0.1 + n) for n, weight in enumerate(layer.weights)])
        np.testing.assert_array_equal(layer(*QVK), layer(*QVK, training=False))
        found = layer(*QVK, training=True, return_attention_scores=scores)
        made.append(found[0] if scores else found)
        assert not np.allclose(made[-1], layer(*QVK))
    np.testing.assert_allclose(*made, rtol=1e-5)  # the same weights are dropped, whether they are returned or not


def test_a_subclass_with_its_own_attention():
    class Mean(layers.MultiHeadAttention):
        def _compute_attention(self, query, key, value, attention_mask=None, training=None, **kwargs):
            assert attention_mask.shape == (1, 4, 5)
            return np.ones(query.shape[1])[None, :, None, None] * value.mean(1, keepdims=True), None

    assert Mean(2, 3)(*QVK, use_causal_mask=True).shape == (2, 4, 6)


def test_the_fourth_argument_of_tf_keras_is_the_attention_mask():
    mask = np.random.default_rng(0).random((2, 4, 5)) < 0.6
    layer = layers.MultiHeadAttention(2, 3)
    np.testing.assert_array_equal(layer(*QVK, mask), layer(*QVK, attention_mask=mask))


def test_shapes_and_attributes():
    layer = layers.MultiHeadAttention(2, 3, output_shape=7)
    assert layer.compute_output_shape(query_shape=(None, 4, 6), value_shape=(None, 5, 6)) == (None, 4, 7)
    assert (layer.num_heads, layer.key_dim, layer.value_dim) == (2, 3, 3)
    assert layer.query_dense.kernel.shape == (6, 2, 3)
    outputs, scores = layer(cornu.Input((4, 6)), cornu.Input((5, 6)), return_attention_scores=True)
    assert (outputs.shape, scores.shape) == ((None, 4, 7), (None, 2, 4, 5))


def test_initializers_make_other_values_for_each_projection():
    layer = layers.MultiHeadAttention(2, 3)
    layer(*QVK[:2])
    assert not np.allclose(layer.query_dense.kernel, layer.key_dense.kernel)


def test_flash_attention():
    assert cornu.config.is_flash_attention_enabled() is None
    cornu.config.disable_flash_attention()
    assert cornu.config.is_flash_attention_enabled() is False
    cornu.config.enable_flash_attention()
    layer = layers.MultiHeadAttention(2, 3, flash_attention=True)
    assert layer(*QVK).shape == (2, 4, 6)
    assert layers.deserialize(layers.serialize(layer)).get_config()["flash_attention"] is True


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.MultiHeadAttention(0, 3), "`num_heads` must be an integer of at least 1"),
        (lambda: layers.MultiHeadAttention(2, 3, dropout=1.5), "from 0 to 1"),
        (lambda: layers.MultiHeadAttention(2, 3, output_shape="a"), "output_shape must be an integer or several"),
        (lambda: layers.MultiHeadAttention(2, 3, attention_axes="a"), "attention_axes must be an integer or several"),
        (lambda: layers.MultiHeadAttention(2, 3, attention_axes=3)(*QVK), "must be axes between batch and features"),
        (lambda: layers.MultiHeadAttention(2, 3, sliding_window=0), "`sliding_window` must be an integer"),
        (lambda: layers.MultiHeadAttention(2, 3, dropout=0.1, flash_attention=True), "flash attention has no dropout"),
        (
            lambda: layers.MultiHeadAttention(2, 3, flash_attention=True)(*QVK, return_attention_scores=True),
            "flash attention does not keep the scores",
        ),
        (
            lambda: layers.MultiHeadAttention(2, 3)(QVK[0][0], QVK[1][0]),
            r"takes tensors of shape \(batch, time, size\)",
        ),
        (lambda: layers.MultiHeadAttention(2, 3)(*QVK[:2], QVK[2][:, :4]), "value and key must have the same shape"),
        (lambda: layers.GroupQueryAttention(2, 4, 3), "must divide num_query_heads"),
        (lambda: layers.GroupQueryAttention(2, 4, 2)(*arrays((2, 3, 4, 6), (2, 3, 4, 6))), "takes tensors of shape"),
    ],
)
def test_errors_are_clear(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_call_without_value_says_so():
    with pytest.raises(TypeError, match="without 'value'"):
        layers.MultiHeadAttention(2, 3)(QVK[0])


def test_exports_of_a_transformer(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    model = transformer(cornu, padded=False)
    tokens = np.random.default_rng(0).integers(1, 11, (3, 8)).astype("int32")
    expected = model.predict(tokens, verbose=0)
    model.export(tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: tokens})
    np.testing.assert_allclose(found, expected, atol=1e-5)
    model.export(tmp_path / "m.stablehlo")
    again = cornu.export.load(tmp_path / "m.stablehlo", trusted=True)
    np.testing.assert_allclose(jax.tree.leaves(again.predict(tokens))[0], expected, atol=1e-5)
