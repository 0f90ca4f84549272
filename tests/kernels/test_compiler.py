"""Functions that run as one compiled program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.kernels.compiler import as_one_program, plain_forms
from counting import noted


def test_what_runs_as_one_program_is_traced_once_and_for_each_static_value():
    traced = []

    @as_one_program("axis")
    def spread(x, axis, factor=1.0):
        traced.append(axis)
        return (x.max(axis) - x.min(axis)) * factor

    x = jnp.arange(6.0).reshape(2, 3)
    for factor in (1.0, 2.0, 3.0):
        assert spread(x, 0, factor=factor).tolist() == [3 * factor] * 3
    assert traced == [0]
    assert spread(np.asarray(x), axis=(0, 1)).item() == 5
    assert traced == [0, (0, 1)]
    assert spread(x, -1).tolist() == [2, 2]


def test_inside_a_trace_it_computes_what_the_function_does():
    @as_one_program()
    def product(x, y):
        return jnp.tanh(x @ y)

    x = jnp.full((2, 2), 0.3)
    for each in (lambda f: f, jax.grad):
        inside, without = (
            jax.jit(each(lambda x, f=f: f(x, x * 2).sum())).lower(x).compile() for f in (product, product.__wrapped__)
        )
        np.testing.assert_array_equal(inside(x), without(x))
        assert inside.cost_analysis()["flops"] == without.cost_analysis()["flops"]
    with plain_forms():
        assert str(jax.make_jaxpr(product)(x, x)) == str(jax.make_jaxpr(product.__wrapped__)(x, x))


def test_inside_traces_it_is_traced_once_for_each_kind_of_arguments():
    traced = []

    @as_one_program("axis")
    def added(x, other=None, axis=0, by=1):
        traced.append((x.shape, by))
        return jnp.cumsum(x, axis) + by * (0 if other is None else other)

    @jax.jit
    def network(x):
        wide = jnp.concatenate([x, x])
        return [
            added(added(x), by=1), added(x, x, by=1.0), added(x, by=True), added(wide), added(added(wide), wide),
            added(x, np.ones(3, int)), added(x, np.ones(3, int)),
        ]  # fmt: skip

    x = jnp.arange(6).reshape(2, 3)
    found = network(x)
    assert len(traced) == 8  # x, by=1, x and x, a bool, the wide one, the wide ones, and twice with an array of numpy
    assert [each.dtype.kind for each in found] == ["i", "f", "i", "i", "i", "i", "i"]
    assert network(jnp.ones((2, 3)))[0].dtype == "float32"
    jax.grad(lambda x: added(x).sum())(jnp.ones((2, 3)))
    seen = len(traced)
    jax.grad(lambda x: added(x).sum())(jnp.ones((2, 3)))
    assert len(traced) == seen


def test_an_argument_that_is_a_list_is_taken_as_it_is():
    @as_one_program("shape")
    def filled(x, shape):
        return jnp.broadcast_to(x, shape)

    assert filled(jnp.ones(()), [2, 3]).shape == (2, 3)
    assert filled(1.0, (2,)).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("training", "most"), [(False, 12), (True, 18)])
def test_a_call_of_a_model_on_arrays_is_a_few_programs(training, most):
    """Each operation by itself made 27 and 45."""
    model = cornu.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(2, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(0.5),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    x = jnp.ones((2, 8, 8, 1))
    jax.clear_caches()
    with noted() as made:
        model(x, training=training)
        first = len(made)
        model(x, training=training)
    assert 5 <= first <= most, first
    assert len(made) == first
