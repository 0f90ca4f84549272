"""Functions made from rows: their signatures are the old ones, their values those of `cornu.ops`."""

import inspect
import subprocess
import sys

import numpy as np
import pytest

from cornu.compat.backend import functions as K  # noqa: N812, everybody's name for it
from cornu.compat.backend import rows
from cornu.compat.tensorflow import functions as tf
from cornu.compat.tensorflow import math as maths
from cornu.compat.tensorflow import meanings, nn
from cornu.compat.tensorflow import rows as tensorflow_rows
from cornu.core.graph import SymbolicTensor

A = np.random.default_rng(0).uniform(0.1, 0.9, (3, 4)).astype("float32")
TABLES = [(K, name, row) for name, row in rows.ROWS.items()]
TABLES += [(tf, name, row) for name, row in tensorflow_rows.ROWS.items()]


@pytest.mark.parametrize(("module", "name", "row"), TABLES, ids=[f"{case[0].__name__}.{case[1]}" for case in TABLES])
def test_a_row_makes_a_function(module, name, row):
    function = getattr(module, name)
    assert (function.__name__, function.__qualname__, function.__module__) == (name, name, module.__name__)
    assert list(inspect.signature(function).parameters) == [
        part.split("=")[0].strip() for part in _parts(row.parameters)
    ]
    assert function.__doc__.startswith("Return what `keras.")
    with pytest.raises(TypeError, match=f"{name} has no argument 'nonsense'"):
        function(nonsense=1)


def _parts(parameters):
    """Split at commas outside of parentheses."""
    depth, parts = 0, [""]
    for letter in parameters:
        depth += (letter == "(") - (letter == ")")
        parts += [""] if letter == "," and not depth else []
        parts[-1] += letter if letter != "," or depth else ""
    return parts


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("argmax", "(x, axis=-1)"),
        ("batch_normalization", "(x, mean, var, beta=None, gamma=None, axis=-1, epsilon=0.001)"),
        ("categorical_crossentropy", "(target, output, from_logits=False, axis=-1)"),
        ("conv2d", "(x, kernel, strides=(1, 1), padding='valid', data_format=None, dilation_rate=(1, 1))"),
        ("cumsum", "(x, axis=0)"),
        (
            "depthwise_conv2d",
            "(x, depthwise_kernel, strides=(1, 1), padding='valid', data_format=None, dilation_rate=(1, 1))",
        ),
        ("equal", "(x, y)"),
        ("in_top_k", "(predictions, targets, k)"),
        ("ones_like", "(x, dtype=None, name=None)"),
        ("permute_dimensions", "(x, pattern)"),
        ("pow", "(x, a)"),
        ("relu", "(x, alpha=0.0, max_value=None, threshold=0.0)"),
        ("repeat_elements", "(x, rep, axis)"),
        ("reverse", "(x, axes)"),
        ("sum", "(x, axis=None, keepdims=False)"),
    ],
)
def test_signatures_are_those_of_keras_2(name, signature):
    assert str(inspect.signature(getattr(K, name))) == signature


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (lambda: K.pow(x=A, a=2), A**2),
        (lambda: K.equal(x=A, y=A), A == A),
        (lambda: K.lesser(A, 0.5), A < 0.5),
        (lambda: K.lesser_equal(A, A), A <= A),
        (lambda: K.permute_dimensions(A, pattern=(1, 0)), A.T),
        (lambda: K.repeat_elements(A, axis=1, rep=2), np.repeat(A, 2, 1)),
        (lambda: K.expand_dims(A, dim=0), A[None]),
        (lambda: K.sum(A, [0, 1], True), A.sum(keepdims=True)),
        (lambda: K.relu(A - 0.5, 0.1), np.where(A > 0.5, A - 0.5, 0.1 * (A - 0.5))),
        (lambda: K.in_top_k(predictions=A, targets=A.argmax(1), k=1), [True] * 3),
        (lambda: K.batch_normalization(A, A[0], A[1], gamma=A[2]), (A - A[0]) / np.sqrt(A[1] + 1e-3) * A[2]),
        (lambda: K.mean(K.variable(A), axis=-1), A.mean(-1)),
        (lambda: tf.add(x=A, y=1, name="sum"), A + 1),
        (lambda: tf.reduce_sum(input_tensor=A, reduction_indices=[1], keep_dims=True), A.sum(1, keepdims=True)),
        (lambda: tf.reduce_logsumexp(A), np.log(np.exp(A).sum())),
        (lambda: tf.argmax(A, dimension=1), A.argmax(1)),
        (lambda: tf.argmax(A), A.argmax(0)),
        (lambda: tf.expand_dims(A, dim=0), A[None]),
        (lambda: tf.where(A > 0.5, x=A, y=0.0), np.where(A > 0.5, A, 0)),
        (lambda: meanings.gather(params=A, indices=[2, 0]), A[[2, 0]]),
        (lambda: meanings.gather(A, [1, 0], axis=1), A[:, [1, 0]]),
        (lambda: nn.embedding_lookup(params=A, ids=[[2], [0]]), A[[[2], [0]]]),
        (lambda: tf.acos(A), np.arccos(A)),
        (lambda: tf.atan2(y=A, x=A[::-1]), np.arctan2(A, A[::-1])),
        (lambda: tf.cumsum(A), A.cumsum(0)),
        (lambda: tf.floormod(A, 0.3), np.mod(A, np.float32(0.3))),
        (lambda: tf.reverse(A, [0, 1]), A[::-1, ::-1]),
        (lambda: tf.repeat(A, 2, axis=0), np.repeat(A, 2, 0)),
        (lambda: tf.stack(tf.unstack(A, axis=1), axis=0, name="columns"), A.T),
        (lambda: maths.unsorted_segment_sum(A, [0, 1, 0], 2), [A[0] + A[2], A[1]]),
        (lambda: tf.top_k(A).indices if hasattr(tf.top_k(A), "indices") else tf.top_k(A)[1], A.argmax(1)[:, None]),
        (lambda: tf.clip_by_value(A, 0.3, clip_value_max=0.5), A.clip(0.3, 0.5)),
        (lambda: tf.transpose(a=A[None], perm=[0, 2, 1]), A.T[None]),
        (lambda: meanings.one_hot([1, 0], 3, axis=0), np.eye(3)[[1, 0]].T),
        (lambda: tf.tile(A, multiples=[1, 2]), np.tile(A, (1, 2))),
        (lambda: tf.zeros_like(tensor=A, dtype=tf.int32), np.zeros((3, 4))),
        (lambda: tf.square(K.variable(A)), A**2),
    ],
)
def test_arguments_mean_what_they_meant(found, expected):
    np.testing.assert_allclose(np.asarray(found()), expected, rtol=1e-5, atol=1e-6)


def test_unknown_arguments_are_refused_with_the_nearest():
    with pytest.raises(
        TypeError, match=r"mean has no argument 'axes'\. Did you mean 'axis'\?\nIt takes: x, axis, keep"
    ):
        K.mean(A, axes=1)
    with pytest.raises(
        TypeError, match=r"clip_by_value has no argument 'clip_value_mx'\. Did you mean 'clip_value_max'"
    ):
        tf.clip_by_value(A, 0, clip_value_mx=1)
    with pytest.raises(TypeError, match=r"pow: missing a required argument: 'a'\.\nIt takes: x, a\."):
        K.pow(A)
    with pytest.raises(TypeError, match=r"square: too many positional arguments\."):
        K.square(A, A)


def test_made_functions_work_on_symbolic_tensors_and_unknown_sizes():
    x = SymbolicTensor((None, 4), "float32")
    count = K.cast(K.shape(x)[0], "float32")
    run = K.function([x], [K.pow(x, 2) * count, tf.reduce_sum(x, axis=1, name="total")])
    first, second = run([A])
    np.testing.assert_allclose(first, A**2 * 3, rtol=1e-6)
    np.testing.assert_allclose(second, A.sum(1), rtol=1e-6)


def test_the_tables_are_read_without_jax():
    """`import keras` through the import hook asks the tables for names."""
    program = "import sys, cornu.compat.tensorflow.names, cornu.compat.backend.rows; print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
