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


def test_inside_a_trace_it_is_as_if_it_was_not_there():
    @as_one_program()
    def product(x, y):
        return jnp.tanh(x @ y)

    x = jnp.ones((2, 2))
    inside = jax.make_jaxpr(product)(x, x)
    assert str(inside) == str(jax.make_jaxpr(product.__wrapped__)(x, x))
    assert jax.grad(lambda x: product(x, x).sum())(x).shape == (2, 2)
    with plain_forms():
        assert product(x, x).shape == (2, 2)


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
