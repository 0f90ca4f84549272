import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cornu
from cornu import layers
from cornu.data.arrays import ArrayBatches, split_rows
from cornu.data.batch import Batch


def batches(rows, size, shuffle=False):
    return ArrayBatches(Batch(np.arange(rows, dtype="float32")), size, shuffle)


def epoch(made):
    return [batch.x.tolist() for batch in made.stream()]


@given(st.integers(1, 40), st.integers(1, 12), st.sampled_from([True, False, "batch"]))
def test_an_epoch_has_every_row_once(rows, size, shuffle):
    made = batches(rows, size, shuffle)
    order = made.order()
    assert sorted(range(rows) if order is None else order) == list(range(rows))
    parts = epoch(made)
    assert len(parts) == made.steps
    assert [len(part) for part in parts[:-1]] == [size] * (made.steps - 1)
    assert sorted(itertools.chain(*parts)) == list(range(rows))


def test_without_shuffling_rows_stay_in_order():
    assert epoch(batches(5, 2)) == [[0, 1], [2, 3], [4]]


def test_every_order_is_equally_likely():
    made = batches(3, 1, True)
    counts = Counter(tuple(made.order()) for _ in range(6000))
    assert len(counts) == 6
    assert all(abs(count - 1000) < 150 for count in counts.values())  # five standard deviations


def test_batch_shuffling_moves_whole_batches():
    made = batches(11, 3, "batch")
    orders = [made.order().reshape(-1).tolist() for _ in range(50)]
    for order in orders:
        assert order[9:] == [9, 10]
        assert all(order[i : i + 3] == list(range(order[i], order[i] + 3)) for i in (0, 3, 6))
    assert len({tuple(order) for order in orders}) == 6


def test_numpys_seed_fixes_the_order():
    orders = []
    for _ in range(2):
        np.random.seed(10)
        orders.append(batches(100, 5, True).order().tolist())
    assert orders[0] == orders[1]
    assert orders[0] != batches(100, 5, True).order().tolist()


@pytest.mark.parametrize("size", [0, -1, 2.0, "32", True])
def test_batch_sizes_that_make_no_sense_are_refused(size):
    with pytest.raises(ValueError, match="batch_size must be an integer, 1 or more"):
        batches(4, size)


def test_batch_size_is_32_by_default():
    assert batches(100, None).batch_size == 32
    assert batches(10, None).example.x.shape == (10,)


def test_the_last_rows_are_held_out():
    train, held_out = split_rows(Batch(np.arange(10), {"a": np.arange(10)}), 0.25)
    assert train.x.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert held_out.y["a"].tolist() == [7, 8, 9]
    assert [part.x.shape[0] for part in split_rows(Batch(np.zeros(60000)), 0.2)] == [48000, 12000]


@pytest.mark.parametrize("fraction", [1, 1.5, -0.1, "0.2", 0.99])
def test_a_split_that_leaves_nothing_is_refused(fraction):
    with pytest.raises(ValueError, match="validation_split"):
        split_rows(Batch(np.arange(10)), fraction)


def small_model(features):
    model = cornu.Sequential([layers.Input((features,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.fixture
def mapped(tmp_path):
    """Give an array of 400 GB in a file that has holes where zeros are."""
    path = tmp_path / "large.bin"
    path.touch()
    with path.open("r+b") as file:
        file.truncate(4 * 1000 * 10**8)
    return np.memmap(path, "float32", "r", shape=(10**8 // 100, 100_000))


def test_an_array_larger_than_memory_trains_without_being_read_whole(mapped):
    assert not ArrayBatches(Batch(mapped), 4, True).resident
    y = np.zeros(len(mapped), "float32")
    model = small_model(mapped.shape[1])
    options = {"batch_size": 4, "verbose": 0}
    history = model.fit(mapped, y, steps_per_epoch=3, epochs=2, validation_split=1e-6 * 8, **options)
    assert history.history["loss"] == history.history["val_loss"] == [0.0, 0.0]
    assert model.predict(mapped[:6], batch_size=4, verbose=0).shape == (6, 1)


def test_a_mapped_array_trains_as_the_same_array_in_memory(tmp_path):
    x = np.random.rand(50, 3)
    path = tmp_path / "x.npy"
    np.save(path, x)
    losses = []
    for given_x in (x, np.load(path, mmap_mode="r")):
        cornu.utils.set_random_seed(1)
        model = small_model(3)
        losses.append(model.fit(given_x, x[:, :1], batch_size=8, epochs=2, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-6)
