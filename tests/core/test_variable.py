"""Variables: arrays that objects own, and the bridge to pure functions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu.core.scope import changed
from cornu.core.variable import Seed, Variable, bound, read, untouched, write


def test_assigning_keeps_shape_and_type():
    variable = Variable(np.zeros((2, 3), "float32"))
    variable.assign(np.ones((2, 3)))
    variable.assign_add(1.0)
    variable.assign_sub(np.full((2, 3), 0.5))
    assert np.array_equal(variable.numpy(), np.full((2, 3), 1.5))
    assert variable.dtype == "float32"
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(3, 2\)"):
        variable.assign(np.ones((3, 2)))


def test_it_stands_where_an_array_can():
    variable = Variable([[1.0, 2.0], [3.0, 4.0]])
    array = jnp.ones((2, 2))
    assert np.array_equal(jnp.matmul(array, variable), jnp.matmul(array, variable.value))
    assert np.array_equal(
        array @ variable + variable * 2 - 1 / variable, array @ variable.value + variable.value * 2 - 1 / variable.value
    )
    assert np.array_equal(jnp.concatenate([variable, variable]).shape, (4, 2))
    assert float(jnp.sum(variable)) == 10
    assert np.asarray(variable)[1, 1] == 4
    assert len(variable) == 2
    assert bool((variable > 0).all())


def test_numpy_gives_a_copy():
    variable = Variable([1.0])
    copy = variable.numpy()
    copy[0] = 5
    assert float(variable[0]) == 1


def test_an_initializer_needs_a_shape():
    variable = Variable(lambda shape, dtype: np.full(shape, 2, dtype), shape=(3,), dtype="float32")
    assert variable.numpy().tolist() == [2, 2, 2]
    with pytest.raises(ValueError, match="shape"):
        Variable(lambda shape, dtype: np.zeros(shape))


def test_bound_puts_back_what_was_there_also_after_an_error():
    variable = Variable([1.0])

    def fail():
        with bound([variable], [jnp.array([9.0])]):
            raise RuntimeError(f"{float(variable[0])}")

    with pytest.raises(RuntimeError, match=r"9\.0"):
        fail()
    assert float(variable[0]) == 1


def test_a_traced_function_reads_and_writes_variables():
    variable = Variable([1.0, 2.0])

    @jax.jit
    def doubled(values):
        with bound([variable], values):
            variable.assign(variable * 2)
            return read([variable])

    write([variable], doubled(read([variable])))
    assert variable.numpy().tolist() == [2, 4]


def test_variables_made_while_tracing_hold_no_tracers():
    made = []

    def function(x):
        made.append(Variable(np.ones(2, "float32")))
        made[0].assign(x)
        return x

    with untouched([]):
        jax.eval_shape(function, jnp.zeros(2))
    assert made[0].numpy().tolist() == [1, 1]


def test_mixed_precision_reads_in_the_compute_type():
    variable = Variable([1.0, 2.0])
    whole = Variable([1, 2], dtype="int32")
    with changed(compute_dtype="bfloat16"):
        assert variable.value.dtype == jnp.bfloat16
        assert whole.value.dtype == jnp.int32
    assert variable.value.dtype == jnp.float32


def test_seeds_give_fresh_keys_and_are_reproducible():
    first, again = Seed(3), Seed(3)
    keys = [jax.random.uniform(first.next()) for _ in range(3)]
    assert len({float(key) for key in keys}) == 3
    assert [float(jax.random.uniform(again.next())) for _ in range(3)] == [float(key) for key in keys]


def test_numpys_seed_fixes_unseeded_keys():
    np.random.seed(5)
    one = Seed().numpy()
    np.random.seed(5)
    assert np.array_equal(one, Seed().numpy())


def test_assigning_an_array_shares_no_buffer_with_its_owner():
    one, other = Variable([1.0, 2.0]), Variable([0.0, 0.0])
    other.assign(one)
    run = jax.jit(lambda x: x + 1, donate_argnums=0)
    one._value = run(one._value)
    assert other.numpy().tolist() == [1, 2]


def test_an_initializer_s_name_makes_the_values(real_keras):
    for variable in (Variable("ones", shape=(2,)), real_keras.Variable("ones", shape=(2,))):
        assert np.array_equal(variable, np.ones(2))
    assert Variable({"class_name": "Constant", "config": {"value": 3.0}}, shape=(1,)).numpy() == 3
    with pytest.raises(ValueError, match=r"'v' has an initializer.*shape"):
        Variable("ones", name="v")
    with pytest.raises(ValueError, match="onse"):
        Variable("onse", shape=(2,))
