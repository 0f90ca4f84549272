"""Models on rows of different lengths compute what they compute on each row alone."""

import numpy as np
import pytest

from cornu import Model, Sequential, layers, models
from cornu.compat.tensorflow import ragged, ragged_inputs, strings
from cornu.data.dataset import Dataset
from cornu.layers import host

ROWS = ragged.constant([[3, 1, 2], [4], [5, 6], [7, 8, 9, 1, 1, 2, 3, 4, 5]])
Y = np.array([[1.0], [0], [1], [0]], "float32")


@pytest.fixture(autouse=True)
def ragged_models(monkeypatch):
    monkeypatch.setattr(host, "ragged_input", None)
    monkeypatch.setattr(host, "dense_rows", host.dense_rows)
    monkeypatch.setattr(layers.Embedding, "keeps_masks", False)
    monkeypatch.setattr(Dataset, "ragged_batch", ragged.ragged_batch, raising=False)
    ragged.take_ragged_inputs(lambda: ragged_inputs)


def model_of(*middle, start=lambda: layers.Input((None,), dtype="int32", ragged=True)):
    model = Sequential([start(), layers.Embedding(10, 4), *middle, layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


MIDDLES = {
    "LSTM": lambda: [layers.LSTM(5)],
    "mean": lambda: [layers.GlobalAveragePooling1D()],
    "stack": lambda: [layers.Bidirectional(layers.GRU(3, return_sequences=True)), layers.LSTM(3)],
}


@pytest.mark.parametrize("kind", MIDDLES)
def test_rows_together_equal_rows_alone(kind):
    model = model_of(*MIDDLES[kind]())
    plain = model_of(*MIDDLES[kind](), start=lambda: layers.Input((None,), dtype="int32"))
    plain.set_weights(model.get_weights())
    alone = np.concatenate([plain.predict(np.array([row]), verbose=0) for row in ROWS.to_list()])
    np.testing.assert_allclose(model.predict(ROWS, verbose=0), alone, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model(ROWS), alone, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict_on_batch(ROWS), alone, rtol=1e-5, atol=1e-6)
    assert model.evaluate(ROWS, Y, verbose=0) == pytest.approx(np.square(alone - Y).mean(), rel=1e-5)


def test_training_on_batches_of_a_data_set_equals_training_on_the_rows():
    first, second = model_of(layers.LSTM(5)), model_of(layers.LSTM(5))
    second.set_weights(first.get_weights())
    rows = [np.array(row) for row in ROWS.to_list()]
    first.fit(ROWS, Y, batch_size=2, epochs=2, shuffle=False, verbose=0)
    second.fit(Dataset.zip((Dataset.of_list(rows), Dataset.from_tensor_slices(Y))).ragged_batch(2), epochs=2, verbose=0)
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_several_inputs_by_place_and_by_name_and_files(tmp_path):
    values = np.arange(12.0, dtype="float32").reshape(4, 3)
    rows = ragged.RaggedTensor.from_row_lengths(values, [1, 3])
    a, b = layers.Input((None, 3), name="a", ragged=True), layers.Input((1,), name="b")
    model = Model([a, b], layers.Concatenate()([layers.GlobalAveragePooling1D()(a), b]))
    expected = [[0, 1, 2, 1], [6, 7, 8, 1]]
    assert model.predict([rows, np.ones((2, 1))], verbose=0).tolist() == expected
    assert model.predict({"a": rows, "b": np.ones((2, 1))}, verbose=0).tolist() == expected
    model.save(tmp_path / "m.keras")
    again = models.load_model(tmp_path / "m.keras")
    assert again.predict({"a": rows, "b": np.ones((2, 1))}, verbose=0).tolist() == expected
    with pytest.raises(ValueError, match="for which it has no input"):
        model.predict([values[:2, None], rows], verbose=0)


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (lambda: layers.Conv1D(2, 2), "Conv1D"),
        (layers.GlobalMaxPooling1D, "GlobalMaxPooling1D"),
        (lambda: layers.Lambda(lambda x: x[:, 0]), "Lambda"),
        (lambda: layers.GroupNormalization(1), "GroupNormalization"),
    ],
)
def test_layers_that_know_no_mask_are_refused(layer, name):
    model = model_of(layers.Dense(4), layer())
    with pytest.raises(ValueError, match=rf"\({name}\) takes no mask"):
        model.predict(ROWS)


def test_errors_say_what_to_do():
    model = model_of(layers.LSTM(2))
    with pytest.raises(ValueError, match=r"y has rows of different lengths .* pass y.to_tensor"):
        model.fit(ROWS, ragged.constant([[1.0], [1.0, 2.0], [1.0], [1.0]]))
    with pytest.raises(ValueError, match="ragged_rank=2"):
        model.predict(ragged.constant([[[1], [2, 3]], [[4]]]))
    with pytest.raises(ValueError, match="a ragged tensor of strings"):
        model.predict(ragged.constant([["a"], ["b", "c"]]))
    with pytest.raises(ValueError, match="rows of strings"):
        layers.Input((None,), dtype="string", ragged=True)
    start = Sequential([layers.Embedding(10, 4), layers.Dense(1)])
    start.compile("sgd", "mse")
    for call in (lambda: start.fit(ROWS, Y), lambda: start(ROWS)):
        with pytest.raises(ValueError, match="Begin it with"):
            call()


def test_functions_of_texts_give_rows():
    words = ragged.constant([["A b", "c"], [], ["d"]])
    assert strings.lower(words).to_list() == [[b"a b", b"c"], [], [b"d"]]
    assert strings.length(words).to_list() == [[3, 1], [], [1]]
    assert strings.split(words).to_list() == [[[b"A", b"b"], [b"c"]], [], [[b"d"]]]
    assert strings.join([words, "!"]).to_list() == [[b"A b!", b"c!"], [], [b"d!"]]
    alone = [int(strings.to_hash_bucket_fast(one, 100)) for one in ("A b", "c", "d")]
    assert strings.to_hash_bucket_fast(words, 100).flat_values.tolist() == alone
    assert strings.as_string(ragged.constant([[1, 2], [3]])).to_list() == [[b"1", b"2"], [b"3"]]
