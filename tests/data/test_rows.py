"""Data sets of the rows of arrays: orders of row numbers, and whole epochs as arrays."""

import threading

import jax.numpy as jnp
import numpy as np
import pytest

import cornu
from cornu import layers, ops
from cornu.data.arrays import ArrayBatches
from cornu.data.batches import as_batches
from cornu.data.dataset import Dataset
from cornu.data.rows import Rows
from cornu.data.streams import StreamBatches

X = np.random.default_rng(0).random((50, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def listed(dataset):
    return [np.asarray(element).tolist() for element in dataset]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: d.take(3), [0, 1, 2]),
        (lambda d: d.take(-1), list(range(10))),
        (lambda d: d.take(0), []),
        (lambda d: d.skip(8), [8, 9]),
        (lambda d: d.skip(-1), []),
        (lambda d: d.skip(2).take(2), [2, 3]),
        (lambda d: d.take(4).skip(3), [3]),
        (lambda d: d.take(2).repeat(2), [0, 1, 0, 1]),
        (lambda d: d.repeat().skip(9).take(3), [9, 0, 1]),
        (lambda d: d.repeat(2).take(12).skip(9), [9, 0, 1]),
        (lambda d: d.map(lambda x: x * 2).skip(7), [14, 16, 18]),
        (lambda d: d.skip(7).map(lambda x: x * 2), [14, 16, 18]),
        (lambda d: d.map(lambda x: x * 2).cache().skip(7).map(lambda x: x + 1), [15, 17, 19]),
    ],
)
def test_parts_and_repetitions(change, expected):
    dataset = change(Dataset.range(10))
    assert listed(dataset) == expected
    assert listed(dataset) == expected
    assert len(dataset) == len(expected)


@pytest.mark.parametrize("buffer_size", [1, 3, 10, 100])
def test_an_element_leaves_the_buffer_after_it_entered(buffer_size):
    dataset = Dataset.range(30).shuffle(buffer_size)
    for _ in range(5):
        found = listed(dataset)
        assert sorted(found) == list(range(30))
        assert all(value - place < buffer_size for place, value in enumerate(found))


def test_orders_differ_unless_they_are_told_not_to():
    again = Dataset.range(30).shuffle(30, reshuffle_each_iteration=False)
    assert listed(again) == listed(again) != list(range(30))
    reshuffled = Dataset.range(30).shuffle(30, seed=1)
    assert listed(reshuffled) != listed(reshuffled)
    halves = Dataset.range(30).shuffle(30, reshuffle_each_iteration=False)
    assert sorted(listed(halves.take(15)) + listed(halves.skip(15))) == list(range(30))


def model():
    found = cornu.Sequential([cornu.Input((3,)), layers.Dense(4), layers.Dense(1)])
    found.compile("sgd", "mse")
    return found


def scaled(x, y):
    return ops.cast(x, "float32") * 2, y


PURE = {
    "plain": lambda d: d.batch(8),
    "shuffled": lambda d: d.shuffle(50).batch(8),
    "mapped": lambda d: d.map(scaled).shuffle(50).batch(8),
    "cached": lambda d: d.map(scaled).cache().shuffle(20).batch(8).prefetch(2),
    "whole batches": lambda d: d.shuffle(50).batch(8, drop_remainder=True),
}


@pytest.mark.parametrize("kind", PURE)
def test_batches_of_all_rows_are_arrays(kind):
    found = as_batches(PURE[kind](Dataset.from_tensor_slices((X, Y))))
    assert isinstance(found, ArrayBatches)
    assert (found.rows, found.steps) == ((48, 6) if kind == "whole batches" else (50, 7))
    first, second = (np.concatenate([batch.x for batch in found.stream()]) for _ in range(2))
    source = X * 2 if kind in ("mapped", "cached") else X
    if kind != "whole batches":
        np.testing.assert_allclose(np.sort(first, 0), np.sort(source, 0), rtol=1e-6)
    assert np.array_equal(first, second) == (kind == "plain")


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.take(20).repeat(2).batch(8),
        lambda d: d.shuffle(50).take(20).batch(8),
        lambda d: d.map(lambda x, y: (x + cornu.random.normal((3,)), y)).batch(8),
        lambda d: d.map(lambda x, y: (np.asarray(x) * 2, y)).batch(8),
        lambda d: d.batch(8).map(scaled),
        lambda d: d.filter(lambda x, y: True).batch(8),
    ],
)
def test_all_others_are_streams(change):
    assert isinstance(as_batches(change(Dataset.from_tensor_slices((X, Y)))), StreamBatches)


def test_training_equals_that_on_arrays():
    histories = []
    for data in ({"x": X * 2, "y": Y, "shuffle": False, "batch_size": 8}, {"x": None}):
        cornu.utils.set_random_seed(3)
        own = model()
        if data["x"] is None:
            data = {"x": Dataset.from_tensor_slices((X, Y)).map(scaled).batch(8)}
        histories.append(own.fit(epochs=3, verbose=0, **data).history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-6)


@pytest.mark.parametrize("kind", PURE)
def test_fit_evaluate_and_predict(kind):
    own = model()
    data = PURE[kind](Dataset.from_tensor_slices((X, Y)))
    own.fit(data, validation_data=data, epochs=2, verbose=0, class_weight=None)
    source = X * 2 if kind in ("mapped", "cached") else X
    if kind != "whole batches":
        assert own.evaluate(data, verbose=0) == pytest.approx(own.evaluate(source, Y, verbose=0), rel=1e-5)
    found = own.predict(data, verbose=0)
    if kind == "plain":
        np.testing.assert_allclose(found, own.predict(X, verbose=0), rtol=1e-5)
    assert len(found) == (48 if kind == "whole batches" else 50)


def test_a_data_set_on_hand_keeps_to_steps_per_epoch():
    data = Dataset.from_tensor_slices((X, Y)).shuffle(50).batch(8).repeat()
    history = model().fit(data, steps_per_epoch=3, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2


def slowly(calls):
    def function(x):
        calls.append(1)
        return np.asarray(x) * 2

    return function


def test_functions_that_run_row_by_row_run_for_the_rows_that_are_asked_for():
    calls = []
    for change in (lambda d: d.take(1), lambda d: d.batch(4).take(1), lambda d: d.cache().take(1), lambda d: d.skip(5)):
        dataset = change(Dataset.range(1000).map(lambda x: x + 1).map(slowly(calls)))
        next(iter(dataset))
        assert len(calls) <= 3 * 5
        calls.clear()


def test_threads_read_the_rows_of_a_batch():
    names = set()

    def read(x):
        names.add(threading.current_thread().name.split("_")[0])
        return np.asarray(x) * 2

    found = listed(Dataset.range(40).map(read, num_parallel_calls=3).batch(8))
    assert np.concatenate(found).tolist() == list(range(0, 80, 2))
    assert "cornu-data" in names


@pytest.mark.parametrize(
    "chain",
    [
        lambda d: d.filter(lambda x, y: y < 3),
        lambda d: d.map(lambda x, y: (x * 2, y + 1)).filter(lambda x, y: y % 2 == 0).map(lambda x, y: (x + 1, y)),
        lambda d: d.filter(lambda x, y: y > 0).filter(lambda x, y: y != 2).skip(3).take(9),
        lambda d: d.repeat(2).filter(lambda x, y: jnp.any(x > 0.5)),
        lambda d: d.filter(lambda x, y: False),
        lambda d: d.take(5).filter(lambda x, y: True),
    ],
)
def test_rows_are_selected_in_blocks_as_one_by_one(chain, monkeypatch):
    data = np.random.default_rng(0).random((40, 3)).astype("float32"), np.arange(40) % 5
    rows = chain(Dataset.from_tensor_slices(data))
    assert rows._rows is not None
    assert rows.cardinality() == -2 or rows.cardinality() >= 0
    with monkeypatch.context() as patched:
        patched.setattr(Rows, "selected", lambda *_: None)
        expected = list(chain(Dataset.from_tensor_slices(data)).as_numpy_iterator())
    for _ in range(2):
        found = list(rows.as_numpy_iterator())
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one[0], other[0])
            np.testing.assert_array_equal(one[1], other[1])
        labels = [y for _, ys in rows.batch(4).as_numpy_iterator() for y in ys]
        assert labels == [y for _, y in expected]
    shuffled = [int(y) for _, y in rows.shuffle(7, seed=1).as_numpy_iterator()]
    assert sorted(shuffled) == sorted(int(y) for _, y in expected)


def test_rows_are_selected_one_by_one_where_a_predicate_is_not_a_function_of_the_row():
    numbers = Dataset.range(20)
    assert numbers.filter(lambda x: np.random.random() < 2)._rows is None
    assert numbers.filter(lambda x: x if x > 3 else 0)._rows is None
    words = Dataset.from_tensor_slices(np.array(["a", "b", "a"]))
    assert [str(one) for one in words.filter(lambda word: word == "a")] == ["a", "a"]
    assert len(list(numbers.filter(lambda x: x if x > 3 else 0))) == 16
