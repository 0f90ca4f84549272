"""Sizes are known when a function is traced, and what is computed from them alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu.compat.tensorflow import functions as tf
from cornu.compat.tensorflow import meanings
from cornu.compat.tensorflow.function import function
from cornu.compat.tensorflow.sizes import KnownSize, Sizes
from cornu.compat.tensorflow.tape import GradientTape
from cornu.compat.tensorflow.tensors import TensorShape, str_of_traced
from cornu.compat.tensorflow.variables import Variable
from cornu.core.graph import SymbolicTensor

X = np.arange(8.0, dtype="float32").reshape(2, 4)


def test_sizes_compute_like_tensors():
    shape = tf.shape(X)
    assert isinstance(shape, Sizes)
    assert (shape * 2, 8 // shape, shape[1:], shape[0] - 1) == ((4, 8), (4, 2), (4,), 1)
    assert shape.__add__([1, 2]) == (3, 6)
    assert shape.numpy().dtype == shape[0].numpy().dtype == np.int32
    assert tuple(shape.get_shape()) == (2,)
    assert (shape / 2).tolist() == [1.0, 2.0]
    assert shape[0] / 4 == 0.5
    assert isinstance(shape[0] * 3, KnownSize)
    assert (shape[1] * jnp.ones(2)).tolist() == [4, 4]
    assert (jnp.ones(2) / shape[1]).tolist() == [0.25, 0.25]
    assert (shape[0] * np.float32(0.5)) == 1.0
    assert tf.rank(X) == 2


def test_a_compiled_function_knows_them():
    @function
    def halves(x):
        shape = tf.shape(x)
        count = tf.cast(shape[1] / 2, "int32")
        wanted = tf.concat([shape[:1], [2, tf.reduce_prod(shape[1:]) // 2]], axis=0)
        return tf.reshape(x, wanted), tf.zeros(tf.stack([shape[0], 3])), x[:, : int(count)], tf.shape(x)

    cube, zeros, first, shape = halves(jnp.asarray(X))
    assert (cube.shape, zeros.shape, first.shape, tuple(np.asarray(shape))) == ((2, 2, 2), (2, 3), (2, 2), (2, 4))


def test_a_call_with_sizes_does_not_trace_again():
    traces = []

    @function
    def scaled(x, count):
        traces.append(1)
        return x * count

    for _ in range(3):
        scaled(jnp.ones(2), tf.shape(X)[0])
    assert len(traces) <= 2  # to find the variables, and to compile


def test_constants_are_known_in_a_compiled_function():
    @function
    def chosen(x):
        order = tf.constant([1, 0])
        kept = meanings.boolean_mask(tf.range(4), [True, False, True, False])
        return meanings.gather(x, order), tf.reshape(kept, [int(kept.shape[0])])

    rows, kept = chosen(jnp.asarray(X))
    assert rows.tolist() == X[::-1].tolist()
    assert kept.tolist() == [0, 2]


def test_a_watched_constant_is_not_folded_away():
    @function
    def slope():
        x = tf.constant([3.0, 4.0])
        with GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(tf.square(tf.concat([x, tf.expand_dims(tf.constant(1.0), 0)], 0)))
        return tape.gradient(y, x)

    assert slope().tolist() == [6, 8]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda x: meanings.boolean_mask(x, x > 1), [2, 3]),
        (lambda x: x[x > 1], [2, 3]),
        (lambda x: meanings.where(x > 1), [[1], [2]]),
        (lambda x: meanings.unique(x).y, [1, 2, 3]),
        (lambda x: meanings.dynamic_partition(x, x > 1, 2)[1], [2, 3]),
    ],
)
def test_a_function_whose_sizes_depend_on_values_runs_uncompiled(call, expected):
    run = function(call)
    for _ in range(2):
        assert run(jnp.array([1.0, 2.0, 3.0])).tolist() == expected


def test_a_return_inside_a_with_block_does_not_end_the_rewritten_function():
    @function
    def slope(x):
        with GradientTape() as tape:
            tape.watch(x)
            kept = meanings.boolean_mask(x, x > 0)
            if kept is None:
                return None
            total = tf.reduce_sum(kept * kept)
        return tape.gradient(total, x)

    assert slope(jnp.array([1.0, -2.0])).tolist() == [2, 0]


def test_variables_of_unknown_shape_take_values_of_other_shapes():
    grown, rows = Variable(0.0, shape=TensorShape(None)), Variable([[1.0, 2.0]], shape=[None, 2])
    double = function(lambda: tf.concat([rows, rows], 0))
    assert grown.assign([1.0, 2.0]).numpy().tolist() == [1, 2]
    assert double().shape == (2, 2)
    rows.assign(tf.concat([rows, [[3.0, 4.0]]], 0))
    assert double().tolist() == [[1, 2], [3, 4]] * 2
    for wrong in ([[1.0]], [1.0, 2.0]):
        with pytest.raises(ValueError, match="cannot take a value of shape"):
            rows.assign(wrong)
    with pytest.raises(ValueError, match="for a value of shape"):
        Variable([1.0], shape=[2])


def test_unknown_sizes_of_a_model_are_not_known():
    batch, columns = tf.shape(SymbolicTensor((None, 3), "float32"))
    assert columns == 3
    assert not isinstance(batch, int)


def test_tensors_of_a_trace_print_as_tensors():
    texts = []
    jax.jit(lambda x: texts.append(str_of_traced(x)) or x)(jnp.ones((2, 3)))
    assert texts == ['Tensor("Tensor:0", shape=(2, 3), dtype=float32)']
