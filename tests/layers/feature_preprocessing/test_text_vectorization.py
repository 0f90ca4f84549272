"""TextVectorization: functions, sources of data, and what is refused. Values: `test_feature_answers.py`."""

import numpy as np
import pandas as pd
import pytest

import cornu
from cornu import layers
from cornu.data.dataset import Dataset
from cornu.layers.feature_preprocessing import text_vectorization

TEXTS = ["The cat.", "A cat, a MAT"]
LEARNED = ["", "[UNK]", "cat", "a", "the", "mat"]

SOURCES = {
    "list": lambda: TEXTS,
    "one text": lambda: " ".join(TEXTS),
    "column of texts": lambda: pd.Series(TEXTS),
    "array": lambda: np.array(TEXTS)[:, None],
    "bytes": lambda: [text.encode() for text in TEXTS],
    "generator of texts": lambda: iter(TEXTS),
    "generator of batches": lambda: ([text] for text in TEXTS),
    "data set of texts": lambda: Dataset.from_tensor_slices(np.array(TEXTS)),
    "data set of batches": lambda: Dataset.from_tensor_slices((np.array(TEXTS), np.arange(2))).batch(1),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("mode", ["int", "tf_idf"])
def test_data_to_adapt_to(source, mode):
    layer = layers.TextVectorization(output_mode=mode)
    layer.adapt(SOURCES[source]())
    assert layer.get_vocabulary() == LEARNED[mode != "int" :]
    if mode == "tf_idf" and source != "one text":
        np.testing.assert_allclose(layer._lookup_layer.idf_weights[1:3], [np.log(1 + 2 / 3), np.log(2)], rtol=1e-6)


def shout(texts):
    assert texts.dtype.kind == "U"
    return np.char.upper(texts)


def commas(texts):
    assert (texts.dtype.kind, texts.ndim) == ("U", 1)
    return [text.split(",") for text in texts]


def test_functions_that_standardize_and_split(tmp_path):
    layer = layers.TextVectorization(standardize=shout, split=commas)
    layer.adapt(["a,é", "a"])
    assert layer.get_vocabulary() == ["", "[UNK]", "A", "É"]
    assert layer([["é,b,a"], ["a"]]).tolist() == [[3, 1, 2], [2, 0, 0]]
    plain = layers.TextVectorization(split=commas, standardize="lower", ngrams=2)
    plain.adapt(["A,b"])
    assert plain.get_vocabulary() == ["", "[UNK]", "b", "a b", "a"]
    inputs = layers.Input((1,), dtype="string")
    cornu.Model(inputs, layer(inputs)).save(tmp_path / "model.keras")
    known = {"shout": shout, "commas": commas}
    loaded = cornu.models.load_model(tmp_path / "model.keras", known).layers[-1]
    assert loaded([["é,b,a"]]).tolist() == [[3, 1, 2]]


def test_shapes():
    layer = layers.TextVectorization(vocabulary=["a"])
    assert layer([]).shape == (0, 0)
    assert layer(np.array([["a"], [""]])[:0]).shape == (0, 0)
    assert layer(["", " "]).shape == (2, 0)
    assert layer("a b").tolist() == [2, 1]
    assert layer([[["a b"], ["a"]], [[""], ["b"]]]).tolist() == [[[2, 1], [2, 0]], [[0, 0], [1, 0]]]
    cut = layers.TextVectorization(vocabulary=["a"], output_sequence_length=3)
    assert cut([]).shape == (0, 3)
    with pytest.raises(ValueError, match=r"shape \(batch,\) or \(batch, 1\); got \(1, 2\)"):
        layer([["a", "b"]])


@pytest.mark.parametrize("mode", ["int", "multi_hot", "count", "tf_idf", "one_hot"])
@pytest.mark.parametrize("options", [{}, {"split": None}, {"split": "character"}])
@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_shapes_are_known_beforehand(mode, options, shape):
    layer = layers.TextVectorization(output_mode=mode, **options)
    layer.adapt(TEXTS)
    found = layer(np.array(TEXTS).reshape(shape)).shape
    expected = layer.compute_output_shape((None, *shape[1:])) if shape[1:] else layer.compute_output_shape(shape)
    assert len(found) == len(expected)
    assert all(size in (None, known) for known, size in zip(found, expected, strict=True))
    assert layer.compute_output_spec(layers.Input(shape[1:], dtype="string")).dtype == layer.output_dtype


def test_what_is_not_text_is_named_by_its_row():
    texts = ["a " * 600_000] * 4 + [None]
    with pytest.raises(TypeError, match="row 4 of its input is None"):
        layers.TextVectorization().adapt(texts)


def test_surrogates_are_refused():
    with pytest.raises(ValueError, match="string 1 of its input has a surrogate"):
        layers.TextVectorization(vocabulary=["a"])(np.array(["a", "\ud800"], object))


ARGUMENTS = [
    ({"standardize": "upper"}, "standardize of TextVectorization: 'upper'"),
    ({"split": "whitespaces"}, "Did you mean 'whitespace'"),
    ({"ngrams": 0}, "`ngrams` must be"),
    ({"ngrams": (1, 1.5)}, "`ngrams` must be"),
    ({"ngrams": True}, "`ngrams` must be"),
    ({"ragged": True}, "no ragged tensors"),
    ({"output_sequence_length": 2.5}, "`output_sequence_length` must be"),
    ({"output_sequence_length": 2, "output_mode": "count"}, "`output_sequence_length` must be"),
    ({"vocabulary": ["a"], "output_mode": "tf_idf"}, "needs `idf_weights`"),
]


@pytest.mark.parametrize(("arguments", "words"), ARGUMENTS)
def test_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        layers.TextVectorization(**arguments)


def test_a_given_vocabulary_is_not_learned():
    layer = layers.TextVectorization(vocabulary=["a"])
    with pytest.raises(ValueError, match="has the vocabulary that it was created with"):
        layer.adapt(TEXTS)


def test_long_texts_take_little_memory():
    """As numpy's strings, each of these would take the room of the longest."""
    texts = ["a"] * 20_000 + ["b " * 200_000]
    layer = layers.TextVectorization()
    layer.adapt(texts)
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "a"]
    assert layers.TextVectorization(vocabulary=["a"], output_sequence_length=1)(texts).shape == (20_001, 1)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"output_sequence_length": 3},
        {"standardize": None},
        {"output_mode": "multi_hot"},
        {"output_mode": "count", "max_tokens": 12},
        {"output_mode": "tf_idf"},
    ],
    ids=str,
)
def test_much_text_is_looked_up_as_little_is(monkeypatch, options):
    random = np.random.default_rng(1)
    words = [
        "a",
        "It's",
        "unquestionably",
        "12345678",
        "123456789",
        "é",
        "日本語",
        "[UNK]",
        "",
        " ",
        "\n",
        "x\0y",
        "tabs\t",
    ]
    texts = np.array([" ".join(random.choice(words, random.integers(0, 9))) for _ in range(60)], object)
    for some in (texts, np.array([one.replace("\0", "") for one in texts], object)):
        layer = layers.TextVectorization(**options)
        layer.adapt(some[:40])
        expected = np.asarray(layer(some))
        monkeypatch.setattr(text_vectorization, "LEAST_BYTES", 0)
        np.testing.assert_array_equal(layer(some), expected)
        np.testing.assert_array_equal(layer(some[:, None]), expected)
        monkeypatch.undo()


@pytest.mark.parametrize("options", [{}, {"split": "character"}, {"ngrams": 2}, {"standardize": np.char.lower}])
def test_adapt_learns_words_behind_the_length_of_outputs(options):
    texts = ["a b c d e", "f g\0 h i j"]
    whole = layers.TextVectorization(**options)
    cut = layers.TextVectorization(output_sequence_length=2, **options)
    whole.adapt(texts)
    cut.adapt(texts)
    assert cut.get_vocabulary() == whole.get_vocabulary()
    assert len(cut.get_vocabulary()) > 10
