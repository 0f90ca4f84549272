"""Where arrays are put: what is a copy, what is read in place, and what a program takes over."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import cornu
from cornu import layers, optimizers
from cornu.core.placement import compiled, concrete, to_device
from cornu.core.variable import Variable


def ones(shape, behind=0):
    """Return ones that begin at an address that XLA reads in place, or `behind` numbers after one."""
    size = int(np.prod(shape))
    room = np.ones(size + 64, "float32")
    start = -room.ctypes.data % 64 // 4 + behind
    return room[start : start + size].reshape(shape)


class Foreign:
    """An array of another library, which shares its memory with numpy."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __array__(self, dtype=None, copy=None):
        return self.array


@pytest.mark.parametrize("value", [1, 2.5, [1.0, 2.0], np.float64(3), np.arange(3), np.ones(2, "float64"), jnp.ones(2)])
@pytest.mark.parametrize("copy", [None, True])
def test_anything_becomes_the_array_that_jax_makes_of_it(value, copy):
    made, expected = to_device(value, copy=copy), jnp.asarray(value)
    assert (made.dtype, made.weak_type, made.shape) == (expected.dtype, expected.weak_type, expected.shape)
    np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize("dtype", [None, "float32", "int32", "bfloat16"])
@pytest.mark.parametrize("kind", [np.asarray, Foreign, jnp.asarray, Variable])
def test_a_copy_is_nobody_elses(kind, dtype):
    for behind in (0, 4):
        memory = ones((300, 1000), behind)
        given = kind(memory)
        copy = to_device(given, dtype, copy=True)
        assert copy is not given
        if kind in (np.asarray, Foreign):
            memory[:] = 5
        else:
            jax.jit(lambda array: array + 1, donate_argnums=0)(jnp.asarray(given)).block_until_ready()
        assert np.array_equal(copy, np.ones((300, 1000)))


def test_without_a_copy_large_host_memory_is_read_in_place():
    memory = ones((300, 1000))
    lies = to_device(memory, copy=False).unsafe_buffer_pointer()
    assert lies == memory.ctypes.data or jax.default_backend() != "cpu"


def test_inside_a_trace_arrays_are_concrete_and_tracers_stay():
    found = []

    def traced(x):
        found.extend(
            [concrete([1.0, 2.0]), concrete(np.ones(2), "float32", copy=True), concrete(x, "int32", copy=True)]
        )
        return found[-1]

    jax.jit(traced)(jnp.ones(2))
    assert [isinstance(one, jax.core.Tracer) for one in found] == [False, False, True]


def test_programs_take_over_what_they_are_told_to():
    @compiled(donates="state", static="times")
    def run(state, x, *, times):
        return state + times * x

    state, x = to_device(ones(4), copy=True), to_device(ones(4), copy=True)
    assert np.array_equal(run(state, x, times=2), np.full(4, 3))
    assert (state.is_deleted(), x.is_deleted()) == (True, False)


# ---- what variables are given stays the giver's


def test_arrays_given_to_a_variable_may_change_afterwards():
    first, second = ones((4, 3)), ones((4, 3))
    variable = Variable(first)
    first[:] = 7
    assert np.array_equal(variable, np.ones((4, 3)))
    variable.assign(second)
    second[:] = 7
    assert np.array_equal(variable, np.ones((4, 3)))


def dense(**arguments):
    model = cornu.Sequential([layers.Input((4,)), layers.Dense(3, **arguments)])
    model.compile(optimizers.SGD(0.1), "mse")
    return model


def test_weights_given_to_a_model_may_change_afterwards():
    model, weights = dense(), [ones((4, 3)), ones(3)]
    model.set_weights(weights)
    weights[0][:] = 7
    assert np.array_equal(model.get_weights()[0], np.ones((4, 3)))


@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray])
def test_what_an_initializer_returns_stays_its_own(kind):
    memory = ones((4, 3))
    kept = kind(memory)
    model = dense(kernel_initializer=lambda shape, dtype=None: kept)
    if kind is np.asarray:
        memory[:] = 7
        assert np.array_equal(model.get_weights()[0], np.ones((4, 3)))
    model.fit(np.ones((8, 4), "float32"), np.zeros((8, 3), "float32"), verbose=0)
    assert np.array_equal(kept, memory)


def test_a_variable_made_of_another_has_an_array_of_its_own():
    one = Variable([1.0, 2.0])
    other = Variable(one)
    one.assign([5.0, 5.0])
    add = compiled(donates=("a", "b"))(lambda a, b: (a + 1, b + 1))
    assert [part.tolist() for part in add(Variable(other).value, other.value)] == [[2.0, 3.0], [2.0, 3.0]]


@pytest.mark.parametrize("rows", [16, 4096])
@pytest.mark.parametrize("behind", [0, 4])
def test_a_generator_may_fill_the_same_array_again(rows, behind):
    buffer = ones((rows, 100), behind)

    def batches():
        for number in range(12):
            buffer[:] = number
            yield buffer, np.full((rows, 1), number, "float32")

    model = cornu.Sequential([layers.Input((100,)), layers.Lambda(lambda x: x[:, :1])])
    model.compile("sgd", "mse")
    assert model.evaluate(batches(), steps=12, verbose=0) == 0
