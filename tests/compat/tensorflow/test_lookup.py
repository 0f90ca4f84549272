"""``tf.lookup``: tables on the host, in compiled functions and in data sets."""

import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow import lookup
from cornu.compat.tensorflow.function import function
from cornu.data.dataset import Dataset


def table(keys=("a", "b"), values=(1, 2), default=-1):
    return lookup.StaticHashTable(lookup.KeyValueTensorInitializer(list(keys), list(values)), default)


def test_words_in_a_data_set_and_in_a_function():
    words = table()
    assert [int(one) for one in Dataset.from_tensor_slices(["b", "z"]).map(words.lookup)] == [2, -1]
    assert function(words.lookup)(np.array(["a", "q"])).tolist() == [1, -1]
    assert words.size() == 2
    assert (words.key_dtype, words.value_dtype) == ("string", "int64")
    keys, values = words.export()
    assert dict(zip(keys.numpy().tolist(), values.tolist(), strict=True)) == {b"a": 1, b"b": 2}


def test_numbers_are_looked_up_in_a_compiled_function():
    numbers = table((5, 3, 9), (50, 30, 90), 0)
    assert function(numbers.lookup)(jnp.array([[9, 4], [3, 5]])).tolist() == [[90, 0], [30, 50]]


def test_files_of_words(tmp_path):
    (tmp_path / "words").write_text("red\tr\ngreen\tg\n", encoding="utf-8")
    whole = lookup.TextFileInitializer(
        tmp_path / "words", "string", 0, "int64", lookup.TextFileIndex.LINE_NUMBER, delimiter="\t"
    )
    assert lookup.StaticHashTable(whole, -1).lookup(["green", "blue"]).tolist() == [1, -1]
    letters = lookup.TextFileInitializer(tmp_path / "words", "string", 0, "string", 1)
    assert lookup.StaticHashTable(letters, "?").lookup(["green", "blue"]).numpy().tolist() == [b"g", b"?"]


def test_tables_that_programs_fill():
    filled = lookup.MutableHashTable("string", "int32", -1)
    filled.insert(["a", "b"], [1, 2])
    filled.insert(["b"], [7])
    filled.remove(["a"])
    assert filled.lookup(["a", "b"]).tolist() == [-1, 7]
    dense = lookup.DenseHashTable("int32", "float32", 0.0, empty_key=-1, deleted_key=-2)
    dense.insert([1], [0.5])
    assert dense[np.array([1, 2])].tolist() == [0.5, 0.0]


def test_other_words_get_numbers_after_the_known_ones():
    words = lookup.StaticVocabularyTable(lookup.KeyValueTensorInitializer(["a", "b"], [0, 1]), 3)
    found = words.lookup(["b", "x", "y", "x"]).tolist()
    assert found[0] == 1
    assert found[1] == found[3]
    assert all(2 <= one < 5 for one in found[1:])
    assert words.size() == 5
