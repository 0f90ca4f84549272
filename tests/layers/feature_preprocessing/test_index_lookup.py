"""StringLookup and IntegerLookup: where data come from, and what is refused. Values: `test_feature_answers.py`."""

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import cornu
from cornu import layers
from cornu.data.dataset import Dataset

ROWS = [["a", "b"], ["b", "c"], ["b", "é"]]
LEARNED = ["[UNK]", "b", "é", "c", "a"]

SOURCES = {
    "list": lambda: ROWS,
    "tuple": lambda: tuple(map(tuple, ROWS)),
    "bytes": lambda: [[word.encode() for word in row] for row in ROWS],
    "array": lambda: np.array(ROWS),
    "array of bytes": lambda: np.char.encode(np.array(ROWS), "utf-8"),
    "array of objects": lambda: np.array(ROWS, object),
    "flat list": lambda: [word for row in ROWS for word in row],
    "data frame": lambda: pd.DataFrame(ROWS),
    "column": lambda: pd.DataFrame({"x": [word for row in ROWS for word in row]})["x"],
    "column of strings": lambda: pd.Series([word for row in ROWS for word in row], dtype="string"),
    "generator": lambda: (np.array(row) for row in ROWS),
    "generator of lists": lambda: iter(ROWS),
    "list of arrays": lambda: [np.array(row) for row in ROWS],
    "data set": lambda: Dataset.from_tensor_slices(np.array(ROWS)),
    "batches": lambda: Dataset.from_tensor_slices(np.array(ROWS)).batch(2),
    "batches with labels": lambda: Dataset.from_tensor_slices((np.array(ROWS), np.arange(3))).batch(2),
    "single words": lambda: Dataset.from_tensor_slices(np.array(ROWS).ravel()),
}


@pytest.mark.parametrize("source", SOURCES)
def test_data_to_adapt_to(source):
    layer = layers.StringLookup()
    layer.adapt(SOURCES[source]())
    assert layer.get_vocabulary() == LEARNED


def test_steps_are_batches():
    layer = layers.StringLookup()
    layer.adapt((np.array(row) for row in ROWS), steps=2)
    assert layer.get_vocabulary() == ["[UNK]", "b", "c", "a"]
    layer.adapt(["x"])
    assert layer.get_vocabulary() == ["[UNK]", "x"]  # an earlier vocabulary is replaced
    layer.adapt([])
    assert layer.get_vocabulary() == ["[UNK]", "x"]


def test_documents_are_rows_of_data_and_batches_of_one_axis():
    for data, documents in ((ROWS, 3), (iter([ROWS]), 3), ((np.array(row) for row in ROWS), 3), (["b", "b", "c"], 3)):
        layer = layers.StringLookup(output_mode="tf_idf")
        layer.adapt(data)
        seen = 2 if data == ["b", "b", "c"] else 3
        np.testing.assert_allclose(layer.idf_weights[1], np.log(1 + documents / (1 + seen)), rtol=1e-6)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, 3])
def test_a_value_that_is_no_string_is_named(missing):
    layer = layers.StringLookup(vocabulary=["a"])
    for call in (layer, layers.StringLookup().adapt, layers.Hashing(3), layers.TextVectorization().adapt):
        with pytest.raises(TypeError, match=r"takes strings; row 1 of its input is"):
            call(np.array([["a"], [missing]], object))


def test_numbers_are_no_strings():
    with pytest.raises(TypeError, match="takes strings"):
        layers.StringLookup(vocabulary=["a"])([[1, 2]])
    with pytest.raises(TypeError, match="takes strings; row 0 of its input is 1"):
        layers.StringLookup(vocabulary=["a"])([1, "a"])
    with pytest.raises(TypeError, match="takes integers"):
        layers.IntegerLookup(vocabulary=[1])([["a"]])
    with pytest.raises(TypeError, match="vocabulary of integers"):
        layers.IntegerLookup(vocabulary=["a"])
    with pytest.raises(TypeError, match="takes strings"):
        layers.StringLookup(vocabulary=["a", 1])


def test_rows_of_several_lengths():
    with pytest.raises(ValueError, match="rows differ in length"):
        layers.StringLookup(vocabulary=["a"])([["a", "b"], ["c"]])


def test_unknown_words_are_named():
    layer = layers.StringLookup(vocabulary=["a"], num_oov_indices=0, mask_token="", name="words")
    assert layer([["a", ""]]).tolist() == [[1, 0]]
    with pytest.raises(ValueError, match=r"'words'.*num_oov_indices=0.*these are not: 'q'\. Set num_oov_indices=1"):
        layer([["a", "q", "q"]])


def test_a_vocabulary_is_needed_for_vectors():
    layer = layers.StringLookup(output_mode="count")
    with pytest.raises(RuntimeError, match=r"no vocabulary yet: call adapt"):
        layer([["a"]])
    layer = layers.StringLookup(output_mode="tf_idf", max_tokens=5, pad_to_max_tokens=True)
    with pytest.raises(RuntimeError, match=r"no idf_weights yet: call adapt"):
        layer([["a"]])


def test_a_vocabulary_in_a_model_keeps_its_size():
    layer = layers.StringLookup(output_mode="count")
    layer.adapt(["a", "b"])
    layer.adapt(["a"])  # nothing depends on it yet
    layer(layers.Input((1,), dtype="string"))
    layer.set_vocabulary(["z"])
    with pytest.raises(RuntimeError, match="outputs have the size 2; the new vocabulary has 3"):
        layer.set_vocabulary(["y", "z"])
    texts = layers.TextVectorization(output_mode="count")
    texts.adapt(["a b"])
    texts(layers.Input((1,), dtype="string"))
    with pytest.raises(RuntimeError, match="outputs have the size 3"):
        texts.adapt(["a b c"])


def test_files_of_words(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes("a\r\né\r\n".encode())
    for vocabulary in (path, str(path)):
        layer = layers.StringLookup(vocabulary=vocabulary)
        assert layer.get_vocabulary() == ["[UNK]", "a", "é"]
        assert layer.get_config()["vocabulary"] is None
    path.write_text("7\n9")
    assert layers.IntegerLookup(vocabulary=path).get_vocabulary() == [-1, 7, 9]
    assert layers.TextVectorization(vocabulary=path)(["9 8"]).tolist() == [[3, 1]]
    with pytest.raises(ValueError, match="does not exist"):
        layers.StringLookup(vocabulary=str(tmp_path / "none.txt"))
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError, match="not text in UTF-8"):
        layers.StringLookup(vocabulary=path)


@pytest.mark.parametrize("name", ["StringLookup", "IntegerLookup", "TextVectorization"])
def test_configs_open_no_file(name):
    with pytest.raises(ValueError, match="names the vocabulary file '/etc/passwd': refused"):
        layers.deserialize({"class_name": name, "config": {"vocabulary": "/etc/passwd"}})


def test_integers_stay_whole():
    wide = 2**40
    layer = layers.IntegerLookup(vocabulary=[wide, wide + 1])
    assert layer(np.array([[wide + 1, wide, wide + 2**32]])).tolist() == [[2, 1, 0]]
    back = layers.IntegerLookup(vocabulary=[wide, wide + 1], invert=True)
    assert back(jnp.array([[2, 1, 0]])).tolist() == [[wide + 1, wide, -1]]
    assert back(jnp.array([[0]])).dtype == np.int32
    again = layers.deserialize(layers.serialize(layer))
    assert again.get_vocabulary() == [-1, wide, wide + 1]


def test_there_and_back():
    words = ["a", "b", "日本語"]
    there = layers.StringLookup(vocabulary=words, mask_token="")
    back = layers.StringLookup(vocabulary=there.get_vocabulary(), mask_token="", invert=True)
    given = np.array([["日本語", "", "a"]], object)
    assert back(there(given)).tolist() == given.tolist()


def test_other_encodings():
    layer = layers.StringLookup(vocabulary=["é"], encoding="latin-1")
    assert layer(np.array(["é".encode("latin-1")], object)).tolist() == [1]
    assert layer(np.array(["é".encode("latin-1")])).tolist() == [1]


def test_vocabularies_of_arrays_have_plain_configs():
    layer = layers.StringLookup(vocabulary=np.array(["a", "b"]), idf_weights=np.array([1.0, 2.0]), output_mode="tf_idf")
    config = layer.get_config()
    assert (config["vocabulary"], config["idf_weights"]) == (["a", "b"], [1.0, 2.0])
    layer.set_vocabulary(["c"], [3.0])
    config = layer.get_config()
    assert (config["vocabulary"], config["idf_weights"]) == (["c"], [3.0])


ARGUMENTS = [
    ({"max_tokens": 1}, "max_tokens"),
    ({"num_oov_indices": -1}, "num_oov_indices"),
    ({"output_mode": "binery"}, "output_mode of StringLookup: 'binery'"),
    ({"invert": True, "output_mode": "count"}, "invert=True needs output_mode='int'"),
    ({"invert": True, "oov_token": None}, "needs an `oov_token`"),
    ({"pad_to_max_tokens": True}, "needs `max_tokens`"),
    ({"sparse": True}, "sparse=True is for other output modes"),
    ({"idf_weights": [1.0]}, "idf_weights are for output_mode='tf_idf'"),
    ({"salt": (1, 2, 3)}, "`salt` must be an integer, or two"),
    ({"oov_method": "md5"}, "oov_method of StringLookup: 'md5'"),
]


@pytest.mark.parametrize(("arguments", "words"), ARGUMENTS)
def test_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        layers.StringLookup(**arguments)
    with pytest.raises(TypeError, match=r"has no argument 'max_token'. Did you mean 'max_tokens'"):
        layers.StringLookup(max_token=3)


def test_old_output_modes_and_sparse():
    assert layers.StringLookup(output_mode="binary").output_mode == "multi_hot"
    assert layers.IntegerLookup(output_mode="tf-idf").output_mode == "tf_idf"
    assert layers.StringLookup(output_mode="count", vocabulary=["a"], sparse=True)([["a"]]).tolist() == [[0, 1]]


def test_integers_stay_whole_in_models():
    layer = layers.IntegerLookup(vocabulary=[2**40, 1])
    model = cornu.Sequential([layers.Input((1,), dtype="int64"), layer])
    assert model.predict(np.array([[2**40], [1], [2**40 + 2**33]]), verbose=0).tolist() == [[1], [2], [0]]


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_counts_are_inputs_of_other_layers(policy):
    words = layers.StringLookup(vocabulary=["a", "b"], output_mode="count")
    inputs, numbers = layers.Input((2,), dtype="string"), layers.Input((1,))
    joined = layers.Concatenate(dtype=policy)([words(inputs), numbers])
    model = cornu.Model([inputs, numbers], layers.Dense(1, dtype=policy, kernel_initializer="ones")(joined))
    model.compile("sgd", "mse")
    data = [np.array([["a", "b"], ["b", "q"]]), np.array([[0.5], [2.0]])]
    assert model.predict(data, verbose=0).tolist() == [[2.5], [4.0]]
    assert np.isfinite(model.fit(data, np.zeros((2, 1)), verbose=0).history["loss"][0])
