"""Assertions about values and shapes, eagerly and in compiled functions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu.compat.tensorflow import debugging
from cornu.compat.tensorflow.errors import InvalidArgumentError
from cornu.compat.tensorflow.function import function

TRUE = [
    lambda: debugging.assert_equal([1, 2], [1, 2]), lambda: debugging.assert_equal("a", "a"),
    lambda: debugging.assert_none_equal(1, 2), lambda: debugging.assert_greater([2], 1),
    lambda: debugging.assert_greater_equal(2, 2), lambda: debugging.assert_less(x=1, y=2),
    lambda: debugging.assert_less_equal(2, 2), lambda: debugging.assert_near(1.0, 1.0 + 1e-7),
    lambda: debugging.assert_positive([1.0]), lambda: debugging.assert_non_negative(0), lambda:
    debugging.assert_negative(-1), lambda: debugging.assert_non_positive(0), lambda: debugging.Assert(True, ["x"]),
    lambda: debugging.assert_all_finite([1.0], "x"), lambda: debugging.check_numerics(jnp.ones(2), "x"),
]  # fmt: skip
FALSE = [
    lambda: debugging.assert_equal([1, 2], [1, 3]), lambda: debugging.assert_equal("a", "b"),
    lambda: debugging.assert_none_equal(1, 1), lambda: debugging.assert_greater([1], 1),
    lambda: debugging.assert_less(2, 2), lambda: debugging.assert_near(1.0, 1.1),
    lambda: debugging.assert_positive([0.0]), lambda: debugging.assert_non_negative(-1),
    lambda: debugging.Assert(False, ["x"]), lambda: debugging.check_numerics(jnp.array([np.nan]), "loss"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(TRUE)))
def test_what_holds_passes(number):
    TRUE[number]()


@pytest.mark.parametrize("number", range(len(FALSE)))
def test_what_does_not_hold_is_an_error(number):
    with pytest.raises(InvalidArgumentError):
        FALSE[number]()


def test_messages_say_what_was_asked():
    with pytest.raises(InvalidArgumentError, match=r"sizes Condition x == y did not hold for:\n1\n2"):
        debugging.assert_equal(1, 2, message="sizes")


def test_shapes_and_dtypes():
    x = np.zeros((2, 3), "float32")
    debugging.assert_rank(x, 2)
    debugging.assert_rank_at_least(x, 1)
    debugging.assert_rank_in(x, (1, 2))
    debugging.assert_scalar(1.0)
    debugging.assert_type(x, "float32")
    debugging.assert_integer(np.zeros(2, int))
    debugging.assert_shapes([(x, ("rows", 3)), (np.zeros((2, 5)), ("rows", "columns"))])
    assert debugging.assert_same_float_dtype([x, x]) == "float32"
    assert debugging.is_numeric_tensor(x)
    assert not debugging.is_numeric_tensor(np.array(["a"]))
    for call in (
        lambda: debugging.assert_rank(x, 3, message="picture"),
        lambda: debugging.assert_rank_at_least(x, 3),
        lambda: debugging.assert_rank_in(x, [3]),
        lambda: debugging.assert_scalar(x),
        lambda: debugging.assert_shapes([(x, ("n", "n"))]),
    ):
        with pytest.raises(ValueError, match="must have"):
            call()
    for call in (lambda: debugging.assert_type(x, "int32"), lambda: debugging.assert_integer(x)):
        with pytest.raises(TypeError, match="must"):
            call()


def test_values_are_checked_when_a_compiled_function_runs():
    @function
    def root(x):
        debugging.assert_non_negative(x, message="negative")
        return jnp.sqrt(x)

    assert float(root(jnp.array(4.0))) == 2
    with pytest.raises(Exception, match="negative"):
        _finished(root)


def _finished(root):
    root(jnp.array(-1.0)).block_until_ready()
    jax.effects_barrier()
