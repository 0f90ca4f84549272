import numpy as np
import pytest

import cornu
from cornu.data.dataset import Dataset


def listed(dataset):
    return [np.asarray(element).tolist() for element in dataset]


def test_slices_of_a_tuple_map_and_batch():
    x, y = np.arange(10).reshape(5, 2), np.arange(5)
    dataset = Dataset.from_tensor_slices((x, y)).map(lambda a, b: (a * 2, b + 1)).batch(2)
    batches = list(dataset)
    assert len(dataset) == len(batches) == 3
    np.testing.assert_array_equal(np.concatenate([a for a, _ in batches]), x * 2)
    assert [b.tolist() for _, b in batches] == [[1, 2], [3, 4], [5]]
    assert len(list(Dataset.from_tensor_slices(x).batch(2, drop_remainder=True))) == 2


def test_dictionaries_and_lists():
    (batch,) = Dataset.from_tensor_slices(({"a": [1, 2], "b": [3, 4]}, [5, 6])).batch(2)
    assert batch[0]["b"].tolist() == [3, 4]
    assert batch[1].tolist() == [5, 6]
    assert listed(Dataset.from_tensor_slices([[1, 2], [3, 4]])) == [[1, 2], [3, 4]]


def test_shuffle_is_a_permutation_another_each_epoch_and_repeatable_with_a_seed():
    dataset = Dataset.range(20).shuffle(5, seed=3)
    first, second = listed(dataset), listed(dataset)
    assert sorted(first) == list(range(20))
    assert first != second
    assert listed(Dataset.range(20).shuffle(5, seed=3)) == first
    assert all(value - place < 5 for place, value in enumerate(first))  # an element leaves after it entered the buffer
    np.random.seed(1)
    third = listed(Dataset.range(20).shuffle(100))
    np.random.seed(1)
    assert listed(Dataset.range(20).shuffle(100)) == third != list(range(20))


def test_chains():
    numbers = Dataset.range(6)
    assert listed(numbers.filter(lambda x: x % 2 == 0)) == [0, 2, 4]
    assert listed(numbers.take(2)) == [0, 1]
    assert listed(numbers.skip(4)) == [4, 5]
    assert listed(numbers.take(2).repeat(2)) == [0, 1, 0, 1]
    assert listed(numbers.repeat().take(7)) == [0, 1, 2, 3, 4, 5, 0]
    assert listed(numbers.take(1).concatenate(numbers.skip(5))) == [0, 5]
    assert listed(numbers.batch(4).unbatch()) == [0, 1, 2, 3, 4, 5]
    assert listed(Dataset.zip((numbers, numbers.skip(3)))) == [[0, 3], [1, 4], [2, 5]]
    (nested,) = Dataset.zip((numbers, {"two": (numbers, numbers)})).take(1)
    assert (int(nested[0]), [int(one) for one in nested[1]["two"]]) == (0, [0, 0])
    assert [number for number, _ in numbers.take(2).enumerate()] == [0, 1]
    assert listed(Dataset.from_generator(lambda: iter([1, 2]))) == [1, 2]
    assert listed(Dataset.from_tensors([1, 2])) == [[1, 2]]


def test_cache_computes_once():
    calls = []
    dataset = Dataset.from_generator(lambda: calls.append(1) or iter(range(3))).cache().prefetch(1)
    assert listed(dataset) == listed(dataset) == [0, 1, 2]
    assert len(calls) == 1
    drawn = Dataset.range(3).map(lambda x: x + cornu.random.uniform(())).cache()
    assert listed(drawn) == listed(drawn)


def test_lengths():
    assert len(Dataset.range(10).batch(4).repeat(2)) == 6
    assert Dataset.range(3).repeat().cardinality() == -1
    assert Dataset.range(3).filter(bool).cardinality() == -2
    assert len(Dataset.zip(Dataset.range(3), Dataset.range(3).repeat())) == 3
    with pytest.raises(TypeError):
        len(Dataset.range(3).repeat())
    with pytest.raises(ValueError, match="equal length"):
        Dataset.from_tensor_slices((np.zeros(2), np.zeros(3)))


def test_rows_and_single_values_of_a_batch_have_numpy():
    (batch,) = Dataset.from_tensor_slices(np.arange(3)).batch(3)
    assert batch[1].numpy() == 1
    assert [one.numpy() + 1 for one in batch] == [1, 2, 3]
    assert f"{batch[2]:d}" == "2"
    assert ["a", "b"][batch[1]] == "b"


def test_element_specs_print_as_those_of_tensorflow():
    rows = Dataset.from_tensor_slices((np.zeros((4, 2), "float32"), ["a", "b", "c", "d"], np.arange(4)))
    assert repr(rows.element_spec[0]) == "TensorSpec(shape=(2,), dtype=tf.float32, name=None)"
    batch = rows.batch(2).element_spec
    assert [(one.shape, one.dtype) for one in batch] == [
        ((None, 2), "float32"),
        ((None,), "string"),
        ((None,), "int64"),
    ]
    mapped = rows.batch(3).map(lambda x, text, number: (x, text)).shuffle(2).repeat(2).take(3).prefetch(1)
    assert [one.shape for one in mapped.element_spec] == [(None, 2), (None,)]
    assert [one.shape for one in rows.batch(2, drop_remainder=True).element_spec] == [(2, 2), (2,), (2,)]
    assert [one.shape for one in rows.batch(2).unbatch().element_spec] == [(2,), (), ()]
    with pytest.raises(ValueError, match="no element"):
        _ = Dataset.range(0).element_spec


def test_a_generator_with_dtypes_gives_arrays():
    rows = Dataset.from_generator(lambda: iter([[1], [2, 3]]), output_types="int32")
    assert [(row.dtype, row.tolist()) for row in rows] == [("int32", [1]), ("int32", [2, 3])]
    pairs = Dataset.from_generator(lambda stop: zip(range(stop), "ab", strict=True), ("float32", "string"), args=(2,))
    assert [(float(x), y.numpy()) for x, y in pairs] == [(0.0, b"a"), (1.0, b"b")]
    named = Dataset.from_generator(lambda: iter([{"a": [1, 2], "b": 3}]), output_types={"a": "float32"})
    assert [np.asarray(one["a"]).tolist() for one in named] == [[1.0, 2.0]]
    with pytest.raises(ValueError, match="yields 1 parts where 2 are announced"):
        list(Dataset.from_generator(lambda: iter([(1,)]), ("int32", "int32")))


def test_a_counter_has_no_end():
    assert [int(one) for one in Dataset.counter(2, 3).take(3)] == [2, 5, 8]
