"""Array functions of TensorFlow that are not those of `keras.ops`."""

import numpy as np
import pytest

from cornu.compat.backend import functions as K  # noqa: N812, everybody's name for it
from cornu.compat.tensorflow import functions as tf
from cornu.compat.tensorflow import meanings, names
from cornu.core.graph import SymbolicTensor
from cornu.data.dataset import Dataset

A = np.arange(1, 11).reshape(2, 5).astype("float32")


def test_split_takes_sizes_and_not_places():
    assert [part.shape for part in tf.split(A, [2, 3], axis=1)] == [(2, 2), (2, 3)]
    assert [part.shape for part in tf.split(A, [1, -1, 2], 1)] == [(2, 1), (2, 2), (2, 2)]
    np.testing.assert_array_equal(tf.split(value=A, num_or_size_splits=5, axis=-1, name="parts")[4], A[:, 4:])
    with pytest.raises(ValueError, match=r"sizes \[2, 2\] do not fit axis 1 of shape \(2, 5\)"):
        tf.split(A, [2, 2], axis=1)
    x = SymbolicTensor((None, 5), "float32")
    first, second = tf.split(x, [2, 3], axis=1)
    assert (tuple(first.shape), tuple(second.shape)) == ((None, 2), (None, 3))
    np.testing.assert_array_equal(K.function([x], [second])([A])[0], A[:, 2:])


def test_pad_takes_modes_in_capitals():
    np.testing.assert_array_equal(
        tf.pad(A, [[1, 0], [0, 0]], "CONSTANT", 7), np.pad(A, [(1, 0), (0, 0)], constant_values=7)
    )
    np.testing.assert_array_equal(
        tf.pad(A, np.array([[0, 0], [1, 2]]), mode="REFLECT"), np.pad(A, [(0, 0), (1, 2)], "reflect")
    )


def test_running_sums_and_products():
    np.testing.assert_array_equal(tf.cumsum(A), A.cumsum(0))
    np.testing.assert_array_equal(tf.cumsum(A, axis=1, exclusive=True), A.cumsum(1) - A)
    np.testing.assert_array_equal(tf.cumsum(A, -1, reverse=True), A[:, ::-1].cumsum(1)[:, ::-1])
    np.testing.assert_array_equal(tf.cumsum(A, 1, True, True), A[:, ::-1].cumsum(1)[:, ::-1] - A)
    np.testing.assert_allclose(tf.cumprod(A, axis=1, exclusive=True), A.cumprod(1) / A, rtol=1e-6)


def test_squared_difference():
    np.testing.assert_array_equal(tf.squared_difference(A, y=1.0), (A - 1) ** 2)


@pytest.mark.parametrize("place", ["tensorflow", "tensorflow.math"])
def test_all_names_exist(place):
    own = [target.partition(":")[2] for target in names.NAMES[place].values() if target.startswith(tf.__name__ + ":")]
    assert len(own) > 50
    assert [name for name in own if not hasattr(tf, name)] == []


def test_python_functions_in_a_map_run_as_they_are():
    rows = Dataset.from_tensor_slices(np.arange(6.0, dtype="float32").reshape(3, 2))
    longer = rows.map(lambda x: meanings.py_function(lambda y: np.concatenate([y, y]), [x], "float32"))
    assert [np.asarray(row).tolist() for row in longer] == [[0, 1, 0, 1], [2, 3, 2, 3], [4, 5, 4, 5]]
    types = []

    def counted(array):
        types.append(type(array))
        return np.float32(array.sum())

    sums = rows.map(lambda x: meanings.numpy_function(counted, [x], "float32"))
    assert [float(one) for one in sums] == [1, 5, 9]
    assert set(types) == {np.ndarray}
    texts = Dataset.from_tensor_slices(["a", "bcd"]).map(
        lambda x: meanings.numpy_function(lambda text: len(text.decode()), [x], "int64")
    )
    assert [int(one) for one in texts] == [1, 3]
