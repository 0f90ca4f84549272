"""Loops and branches of `cornu.ops`: the values of Keras, and its shapes on symbolic tensors."""

import jax
import numpy as np
import pytest

from cornu import Input, Model, ops
from cornu.core.graph import symbolic_leaves
from cornu.core.variable import Variable

ROWS = np.arange(6, dtype="float32").reshape(2, 3)
STEPS = {
    "while_loop": lambda ops, x: ops.while_loop(lambda a: ops.sum(a) < 99, lambda a: a + 1, x),
    "while_loop of a list": lambda ops, x: ops.while_loop(
        lambda a, i: i < 3, lambda a, i: [a + 1, i + 1], [x, ops.zeros((), "int32")]
    ),
    "while_loop of a dictionary": lambda ops, x: ops.while_loop(
        lambda state: ops.sum(state["x"]) < 99, lambda state: ({"x": state["x"] * 2},), ({"x": x},)
    ),
    "fori_loop": lambda ops, x: ops.fori_loop(0, 3, lambda i, a: a * 2 + i, x),
    "scan": lambda ops, x: ops.scan(lambda carry, row: (carry + ops.sum(row), carry * 2), ops.sum(x), x),
    "scan with a dictionary": lambda ops, x: ops.scan(
        lambda carry, row: ({"sum": carry["sum"] + row}, carry["sum"]), {"sum": ops.zeros(3)}, x
    ),
    "scan with a length": lambda ops, x: ops.scan(lambda carry, _: (carry + 1, ops.sum(carry)), x, None, length=4),
    "scan backwards": lambda ops, x: ops.scan(lambda c, row: (c + row, c), ops.zeros(3), x, reverse=True),
    "switch": lambda ops, x: ops.switch(ops.cast(x[0, 1], "int32"), [lambda a: a + 1, lambda a: a * 2], x),
    "switch with a known index": lambda ops, x: ops.switch(0, [lambda a: a + 1, lambda a: a * 2], x),
    "associative_scan": lambda ops, x: ops.associative_scan(lambda a, b: a + b, x),
    "associative_scan along an axis": lambda ops, x: ops.associative_scan(ops.maximum, x, axis=1, reverse=True),
    "associative_scan of pairs": lambda ops, x: ops.associative_scan(
        lambda a, b: (a[0] + b[0], ops.minimum(a[1], b[1])), (x, x)
    ),
    "map": lambda ops, x: ops.map(ops.sum, x),
    "map of pairs": lambda ops, x: ops.map(lambda pair: pair[0] * pair[1], (x, x)),
    "vectorized_map": lambda ops, x: ops.vectorized_map(lambda row: row - ops.mean(row), x),
    "cond": lambda ops, x: ops.cond(ops.sum(x) > 1, lambda: ops.ones(2), lambda: ops.zeros(2)),
    "jvp": lambda ops, x: ops.jvp(lambda a: a * a, (x,), (x,)),
}


def described(structure):
    return jax.tree.map(lambda leaf: (tuple(leaf.shape), str(leaf.dtype)), structure)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("rows", [2, None])
def test_loops_and_branches_on_symbolic_tensors_equal_keras(real_keras, name, rows):
    x, theirs = Input(batch_shape=(rows, 3)), real_keras.Input(batch_shape=(rows, 3))
    symbolic, expected = STEPS[name](ops, x), STEPS[name](real_keras.ops, theirs)
    is_theirs = lambda leaf: isinstance(leaf, real_keras.KerasTensor)  # noqa: E731
    expected = jax.tree.map(lambda t: (tuple(t.shape), str(t.dtype)), expected, is_leaf=is_theirs)
    assert described(symbolic) == expected
    found = Model(x, symbolic_leaves(symbolic))(ROWS)
    values = jax.tree.leaves(STEPS[name](real_keras.ops, ROWS))
    for one, other in zip(found if isinstance(found, (list, tuple)) else [found], values, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_functions_with_gradients_of_their_own_on_symbolic_tensors():
    double = ops.custom_gradient(lambda a: (a * 2, lambda upstream: upstream))
    assert double(Input((3,))).shape == (None, 3)
    assert ops.vectorize(lambda a: a + 1)(Input((3,))).shape == (None, 3)


@pytest.mark.parametrize("answer", [True, False])
def test_the_branches_of_a_symbolic_condition_may_use_symbolic_tensors(answer):
    """Keras 3.15 refuses this; TensorFlow 1 and 2 took it."""
    x, flag = Input((3,)), Input((), dtype="bool")
    model = Model([x, flag], ops.cond(flag[0], lambda: x + 1, lambda: x - 1))
    np.testing.assert_array_equal(model([ROWS, np.array([answer] * 2)]), ROWS + (1 if answer else -1))


def test_a_known_condition_chooses_at_once():
    x = Input((3,))
    assert ops.cond(True, lambda: x, lambda: None) is x
    assert ops.cond(False, lambda: 1.5, lambda: 2.5).dtype == "float32"
    assert ops.cond(True, lambda: None, lambda: None) is None


def test_loops_take_variables():
    v = Variable([1.0, 2.0])
    assert ops.associative_scan(ops.add, v).tolist() == [1, 3]
    assert ops.map(lambda a: a * 2, v).tolist() == ops.vectorized_map(lambda a: a * 2, v).tolist() == [2, 4]
    assert ops.while_loop(lambda a: a[0] < 3, lambda a: a + 1, v).tolist() == [3, 4]
