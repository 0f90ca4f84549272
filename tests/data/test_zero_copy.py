"""Large arrays are read where they lie: every row is the right one, and nothing is copied."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.core.placement import aligned, to_device
from cornu.data import zero_copy
from cornu.data.arrays import ArrayBatches
from cornu.data.batch import Batch
from cornu.data.dataset import Dataset
from cornu.data.zero_copy import (
    ALIGNMENT,
    LEAST_BYTES,
    FreshArrays,
    Shared,
    can_be_shared,
    fresh_array,
    on_device,
    parts_in_place,
    share,
)

random = np.random.default_rng(0)


def large(shape=(3000, 28, 28, 1), dtype="float32"):
    return (random.random(shape) * 100).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int32", "float16", "bool"])
@pytest.mark.parametrize("shape", [(50, 28, 28, 1), (64, 64), (2, 100)])
@pytest.mark.parametrize("skipped", [0, 1, 3])
def test_rows_are_those_of_the_array(dtype, shape, skipped):
    array = large((shape[0] + skipped, *shape[1:]), dtype)[skipped:]
    numbers = jnp.asarray([0, shape[0] - 1, *random.integers(0, shape[0], 20)])
    found = jax.jit(lambda shared, numbers: shared.rows(numbers))(share(array), numbers)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array[np.asarray(numbers)])


def test_large_arrays_are_not_copied_and_one_program_serves_all_addresses():
    whole, sizes = large((9000, 784)), []

    @jax.jit
    def first(rows):
        sizes.append(1)
        return rows.rows(jnp.arange(3))

    for start in range(3):
        part = whole[start : start + 4000, :]
        found = on_device(part)
        assert isinstance(found, Shared)
        lies = found.flat.unsafe_buffer_pointer()
        assert whole.ctypes.data <= lies < whole.ctypes.data + whole.nbytes
        assert lies % zero_copy.ALIGNMENT == 0
        np.testing.assert_array_equal(first(found), part[:3])
    assert len(sizes) == 1


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (np.zeros((LEAST_BYTES // 400 - 1, 100), "float32"), "small"),
        (np.zeros((3000, 784), "float32", order="F"), "columns first"),
        (np.zeros((3000, 1568), "float32")[:, ::2], "every other"),
        (np.zeros((1, LEAST_BYTES), "float32"), "one row"),
        (np.zeros((2000, 784), "float64"), "a type that JAX does not take"),
        (np.zeros((LEAST_BYTES // 4, 1), "float32"), "rows shorter than the distance of aligned addresses"),
        (jnp.zeros((3000, 784)), "on the device"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_arrays_are_copied(array, why):
    assert not can_be_shared(array), why
    found = on_device(array)
    assert isinstance(found, jax.Array)
    np.testing.assert_array_equal(found, array)


def test_training_evaluation_and_validation_are_the_same_to_the_last_bit(monkeypatch):
    x, y = large() / np.float32(100), random.integers(0, 10, 3000)
    assert isinstance(ArrayBatches(Batch(x, y), 128, True).device_arrays.x, Shared)
    results = []
    for least in (LEAST_BYTES, 1 << 40):
        monkeypatch.setattr(zero_copy, "LEAST_BYTES", least)
        cornu.utils.set_random_seed(3)
        model = cornu.Sequential([layers.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, "softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(x, y, batch_size=128, epochs=2, verbose=0, validation_data=(x, y))
        results.append((history.history, model.get_weights(), model.evaluate(x, y, verbose=0, batch_size=100)))
    for ours, wanted in zip(jax.tree.leaves(results[0]), jax.tree.leaves(results[1]), strict=True):
        np.testing.assert_array_equal(ours, wanted)


def test_data_that_a_callback_changes_are_trained_on_as_they_are_then():
    x, y = large((3000, 784)), np.zeros((3000, 1), "float32")

    class Empties(cornu.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            x[:] = 0

    model = cornu.Sequential([layers.Input((784,)), layers.Dense(1, kernel_initializer="ones", use_bias=False)])
    model.compile(cornu.optimizers.SGD(0.0), "mse")
    losses = model.fit(x, y, batch_size=100, epochs=2, verbose=0, callbacks=[Empties()]).history["loss"]
    assert losses[0] > 0
    assert losses[1] == 0


def test_a_fresh_array_becomes_a_tensor_in_place_and_what_comes_of_it_does_not():
    array = fresh_array((3, 5), "float32")
    array[...] = np.arange(15).reshape(3, 5)
    assert array.ctypes.data % ALIGNMENT == 0
    for made, is_same in ((array, True), (array + 0, False), (array[1:], False), (array.copy(), False)):
        (tensor,) = Dataset(lambda made=made: iter([made]))
        np.testing.assert_array_equal(tensor, made)
        if jax.default_backend() == "cpu":
            assert (tensor.unsafe_buffer_pointer() == made.ctypes.data) is is_same


def address_of(array):
    return array.__array_interface__["data"][0]


def test_memory_is_used_again_when_nobody_refers_to_it():
    arrays = FreshArrays(kept=2)
    first = arrays((40, 30), "float32")
    place, row = address_of(first), first[3]
    assert (first.shape, first.dtype, first.is_fresh, place % ALIGNMENT) == ((40, 30), np.float32, True, 0)
    del first
    assert address_of(arrays((40, 30), "float32")) != place  # a row of it is in use
    row[:] = 1
    del row
    held = [arrays((40, 30), "float32"), arrays((40, 30), "float32")]
    assert place in map(address_of, held)
    del held
    assert arrays((40, 30), "uint8").nbytes == 1200  # of another size: the memory is new


def test_memory_that_a_tensor_reads_is_not_used_again():
    arrays = FreshArrays(kept=2)
    array = arrays((64, 64), "float32")
    array[...] = 7
    tensor = to_device(array, copy=False)
    del array
    for _ in range(3):
        arrays((64, 64), "float32")[...] = 0
    assert np.asarray(tensor).min() == 7


def test_parts_lie_where_programs_read_them_and_share_three_blocks_of_memory():
    memory = aligned((4200 * 100 + 1,), "float32")
    whole = memory[1:].reshape(4200, 100)
    whole[...] = large((4200, 100))
    table = np.asfortranarray(whole)
    parts = [(start, start + 1400, "kept") for start in range(0, 4200, 1400)]
    addresses = set()
    for part, (rows, of_table, labels) in parts_in_place((whole, table, np.arange(4200)), parts):
        for found, source in ((rows, whole), (of_table, table)):
            np.testing.assert_array_equal(found, source[part[0] : part[1]])
            assert found.ctypes.data % ALIGNMENT == 0
        assert labels.tolist() == list(range(*part[:2]))
        addresses.add(rows.ctypes.data)
    assert len(addresses) == 3


def test_memory_of_parts_is_used_again():
    whole = large((10 * 1400 + 1, 100)).reshape(-1)[3:-97].reshape(-1, 100)
    parts = [(start, start + 1400) for start in range(0, 14000, 1400)]
    seen = []
    for part, rows in parts_in_place(whole, parts):
        np.testing.assert_array_equal(rows, whole[slice(*part)])
        seen.append(rows.ctypes.data)
    assert len(set(seen)) == 3
    assert seen[:3] == seen[3:6]


def test_small_parts_and_single_ones_are_the_array():
    for whole, parts in ((large((64, 8)), [(0, 32), (32, 64)]), (large((4000, 100))[1:], [(0, 3999)])):
        for part, rows in parts_in_place(whole, parts):
            assert rows.base is not None
            assert np.may_share_memory(rows, whole[slice(*part)])
