"""Functions of `Dataset.map`, compiled over rows or elements, or called as they are."""

import pickle
import threading

import numpy as np
import pytest

import cornu
from cornu import layers, ops
from cornu.data.dataset import AUTOTUNE, Dataset
from cornu.data.mapping import MapFunction


def listed(dataset):
    return [np.asarray(element).tolist() for element in dataset]


def counting(function):
    """Return the function, and a list that grows with each of its calls."""
    calls = []

    def counted(*arguments):
        calls.append(threading.current_thread())
        return function(*arguments)

    return counted, calls


def test_rows_are_computed_by_one_program():
    function, calls = counting(lambda x, y: (ops.cast(x, "float32") / 2 + 1, {"label": ops.one_hot(y, 3)}))
    x, y = np.arange(6000, dtype="uint8").reshape(3000, 2), np.arange(3000) % 3
    found = list(Dataset.from_tensor_slices((x, y)).map(function).batch(700))
    np.testing.assert_allclose(np.concatenate([a for a, _ in found]), x.astype("float32") / 2 + 1)
    np.testing.assert_array_equal(np.concatenate([b["label"] for _, b in found]), np.eye(3)[y])
    assert [len(a) for a, _ in found] == [700] * 4 + [200]
    assert len(calls) < 10  # traces


def test_numbers_of_64_bits_stay_whole():
    large = np.array([2**40, -(2**40), 3])
    assert listed(Dataset.from_tensor_slices(large).map(lambda x: x + 1)) == [2**40 + 1, 1 - 2**40, 4]
    exact = np.array([1 / 3, 1e10 + 0.125])
    assert listed(Dataset.from_tensor_slices(exact).map(lambda x: x * 3)) == (exact * 3).tolist()


def test_each_row_and_each_pass_draws_its_own_numbers():
    dataset = Dataset.range(400).map(lambda x: cornu.random.uniform(()))
    first, second = listed(dataset), listed(dataset)
    assert len({*first, *second}) == 800
    assert abs(np.mean(first) - 0.5) < 0.1
    cornu.utils.set_random_seed(1)
    third = listed(dataset)
    cornu.utils.set_random_seed(1)
    assert listed(dataset) == third != first


@pytest.mark.parametrize("batched", [False, True])
def test_layers_that_draw_move_on(batched):
    flip = layers.RandomFlip("horizontal", seed=3)
    images = Dataset.from_tensor_slices(np.tile(np.arange(4.0, dtype="float32").reshape(1, 1, 4, 1), (40, 1, 1, 1)))
    images = images.batch(10) if batched else images
    found = np.concatenate(
        [np.atleast_1d(np.asarray(one)[..., 0, 0, 0]) for one in images.map(lambda x: flip(x, training=True))]
    )
    assert {*found} == {0.0, 3.0}


def test_variables_that_a_function_changes_are_changed_in_order():
    count = cornu.Variable(0.0)

    def add(x):
        count.assign_add(1.0)
        return ops.cast(x, "float32") + count.value

    assert listed(Dataset.range(4).map(add)) == [1, 3, 5, 7]
    assert float(count.value) == 4


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.sort(np.asarray(x)).sum(),  # numpy
        lambda x: x.sum() if x[0] > 3 else x.sum() * 1,  # Python's control flow
        lambda x: np.random.rand() * 0 + x.sum(),  # numpy's generator
        lambda x: float(x.sum()),
    ],
)
def test_functions_that_cannot_be_traced_run_as_they_are(function):
    rows = np.arange(12.0).reshape(6, 2)
    function, calls = counting(function)
    assert listed(Dataset.from_tensor_slices(rows).map(function)) == rows.sum(1).tolist()
    assert len(calls) >= 6


def test_an_error_of_the_function_is_its_own():
    def broken(x):
        raise KeyError("no such column")

    with pytest.raises(KeyError, match="no such column"):
        list(Dataset.range(3).map(broken))


def test_text_is_mapped_row_by_row():
    dataset = Dataset.from_tensor_slices((["a b", "c"], [1, 2])).map(lambda text, label: (len(str(text)), label))
    assert [(int(a), int(b)) for a, b in dataset] == [(3, 1), (1, 2)]


def test_threads_call_functions_ahead_and_keep_the_order():
    function, calls = counting(lambda x: int(np.asarray(x)) * 2)
    source = Dataset.from_generator(lambda: iter(range(50)))
    assert listed(source.map(function, num_parallel_calls=AUTOTUNE)) == list(range(0, 100, 2))
    assert listed(source.map(function, num_parallel_calls=3)) == list(range(0, 100, 2))
    assert threading.main_thread() not in calls[5:]


def test_elements_of_a_few_shapes_are_compiled():
    function, calls = counting(lambda x: ops.sum(x))
    mapped = MapFunction(function)
    for _ in range(3):
        for size in range(1, 9):
            assert mapped(np.ones(size, "float32")) == size
    assert len(calls) < 3 * 8 + 3 * 3


def test_a_function_of_a_batch_may_look_at_all_of_it():
    found = listed(Dataset.range(4).batch(2).map(lambda x: x - x[0]))
    assert found == [[0, 1], [0, 1]]


def test_functions_that_have_been_compiled_can_be_pickled():
    mapped = MapFunction(np.negative, workers=2)
    assert mapped(np.float32(3)) == -3
    found = pickle.loads(pickle.dumps(mapped))
    assert found.workers == 2
    assert found(np.float32(3)) == -3
