"""Ragged and sparse tensors beyond single calls: deeper rows, compiled functions, data sets."""

import jax.numpy as jnp
import numpy as np
import pytest

from cornu.compat.tensorflow import functions as tf
from cornu.compat.tensorflow import ragged, sparse
from cornu.compat.tensorflow.function import function
from cornu.compat.tensorflow.tape import GradientTape

ROWS = [[1.0, 2.0], [], [3.0]]


def test_rows_inside_rows():
    deep = ragged.constant([[[1], [2, 3]], [[4, 5, 6]]])
    assert deep.ragged_rank == 2
    assert deep.to_list() == [[[1], [2, 3]], [[4, 5, 6]]]
    assert deep.to_tensor().tolist() == [[[1, 0, 0], [2, 3, 0]], [[4, 5, 6], [0, 0, 0]]]
    assert deep.shape.as_list() == [2, None, None]
    assert deep.merge_dims(0, 1).to_list() == [[1], [2, 3], [4, 5, 6]]
    assert deep[0, 1].tolist() == [2, 3]
    assert deep[:, 0].to_list() == [[1], [4, 5, 6]]
    assert (deep * 2).to_list() == [[[2], [4, 6]], [[8, 10, 12]]]


def test_slices_and_sizes():
    rows = ragged.constant(ROWS)
    assert rows[1:].to_list() == [[], [3.0]]
    assert rows[-1].tolist() == [3.0]
    assert (rows.nrows(), rows.row_starts().tolist(), rows.row_limits().tolist()) == (3, [0, 2, 2], [2, 2, 3])
    assert rows.to_tensor(shape=[None, 1]).tolist() == [[1.0], [0.0], [3.0]]
    assert str(rows) == "<tf.RaggedTensor [[1.0, 2.0], [], [3.0]]>"
    assert ragged.stack([[1, 2], [3]]).to_list() == [[1, 2], [3]]
    with pytest.raises(ValueError, match="axis must be 0; got 1"):
        ragged.stack([[1]], axis=1)


def test_one_number_for_each_row():
    rows = ragged.constant(ROWS)
    assert (rows * np.array([[2.0], [3.0], [4.0]])).to_list() == [[2.0, 4.0], [], [12.0]]
    assert (1 - rows).to_list() == [[0.0, -1.0], [], [-2.0]]
    assert (rows > 1).to_list() == [[False, True], [], [True]]
    assert tf.reduce_sum(rows, axis=1, keepdims=True).tolist() == [[3.0], [0.0], [3.0]]
    assert float(tf.reduce_sum(rows)) == 6


def test_rows_are_arguments_and_results_of_compiled_functions():
    double = function(lambda rows: rows * 2)
    assert double(ragged.constant(ROWS)).to_list() == [[2.0, 4.0], [], [6.0]]
    assert double(ragged.constant([[5.0]])).to_list() == [[10.0]]
    padded = function(lambda rows: rows.to_tensor())
    assert padded(ragged.constant(ROWS)).shape == (3, 2)


def test_gradients_pass_through_rows():
    values = jnp.array([1.0, 2.0, 3.0])
    with GradientTape() as tape:
        tape.watch(values)
        rows = ragged.RaggedTensor.from_row_lengths(values, [2, 1])
        total = tf.reduce_sum(tf.square(tf.reduce_sum(rows, axis=1)))
    assert tape.gradient(total, values).tolist() == [6.0, 6.0, 6.0]


def test_sparse_tensors():
    tensor = sparse.SparseTensor([[0, 1], [2, 0]], [5.0, 6.0], [3, 2])
    assert sparse.to_dense(sparse.reshape(tensor, [2, 3])).tolist() == [[0, 5, 0], [0, 6, 0]]
    assert tensor.with_values([1.0, 2.0]).values.tolist() == [1, 2]
    assert tensor.shape.as_list() == [3, 2]
    assert function(lambda one: sparse.to_dense(one, default_value=-1.0))(tensor).tolist() == [
        [-1, 5],
        [-1, -1],
        [6, -1],
    ]
    assert sparse.to_dense(np.array([1, 2])).tolist() == [1, 2]  # what a VarLenFeature gives


def test_layers_look_up_and_return_rows_of_different_lengths():
    from cornu.layers import StringLookup, TextVectorization, host

    letters = ragged.constant([["a", "b"], ["c"]])
    lookup = StringLookup(vocabulary=["a", "b"])
    numbers = lookup(letters)
    assert numbers.to_list() == [[1, 2], [0]]
    assert StringLookup(vocabulary=["a", "b"], invert=True)(numbers).to_list() == [[b"a", b"b"], [b"[UNK]"]]
    before = host.ragged_output
    host.ragged_output = ragged.RaggedTensor.from_row_lengths
    try:
        words = TextVectorization(vocabulary=["x", "y"], ragged=True)
        assert words(["x y", "z", ""]).to_list() == [[2, 3], [1], []]
        assert words("y x").tolist() == [3, 2]
    finally:
        host.ragged_output = before


def test_an_ellipsis_stands_for_the_axes_that_are_not_named():
    rows = ragged.constant([[1, 2, 3], [4]])
    assert rows[..., :-1].to_list() == [[1, 2], []]
    assert rows[..., 1:].to_list() == [[2, 3], []]
