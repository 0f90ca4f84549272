"""Loops and branches whose bodies read and assign variables, eagerly, compiled, and differentiated."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu import layers, metrics, ops
from cornu.core import control
from cornu.core.randomness import ambient_seed, random_key
from cornu.core.scope import changed
from cornu.core.variable import Seed, Variable, bound, noting_changes, read
from cornu.models import Sequential

VALUES = jnp.arange(1.0, 5.0)


def in_step(function, variables):
    """Run a function as a compiled step does: on traced values of the variables, which it returns."""

    def step(values):
        with bound(variables, values):
            result = function()
            return result, read(variables)

    return jax.jit(step)(read(variables))


def eagerly(function, variables):
    return function(), read(variables)


WAYS = [eagerly, in_step]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_assigns_at_every_step(way, reverse):
    total, last = Variable(0.0), Variable(0.0)

    def step(carry, x):
        total.assign_add(x)
        last.assign(x)
        return carry * 2, total * 1

    (carry, sums), (total_after, last_after) = way(
        lambda: control.scan(step, 1, VALUES, reverse=reverse), [total, last]
    )
    assert carry == 16
    assert np.asarray(sums).tolist() == ([10, 9, 7, 4] if reverse else [1, 3, 6, 10])
    assert (total_after, last_after) == (10, 1 if reverse else 4)
    assert isinstance(total._value, jax.Array)
    assert not isinstance(total._value, jax.core.Tracer)


@pytest.mark.parametrize("way", WAYS)
def test_loops_end_by_the_variables_that_they_assign(way):
    left, turns = Variable(7), Variable(0)

    def body(value):
        left.assign_sub(2)
        turns.assign_add(1)
        return value * 2

    result, after = way(lambda: control.while_loop(lambda value: left > 0, body, 1), [left, turns])
    assert (int(result), *map(int, after)) == (16, -1, 4)
    total = Variable(0)
    result, after = way(lambda: control.fori_loop(0, 5, lambda i, value: total.assign_add(i) or value + i, 0), [total])
    assert (int(result), int(after[0])) == (10, 10)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("positive", [True, False])
def test_only_the_chosen_branch_assigns(way, positive):
    value, ups, downs = Variable(1.0 if positive else -1.0), Variable(0), Variable(0)

    def up():
        ups.assign_add(1)
        return value * 2

    def down():
        downs.assign_add(1)
        return value * 3

    result, after = way(lambda: control.cond(value > 0, up, down), [value, ups, downs])
    assert result == (2 if positive else -3)
    assert list(map(int, after[1:])) == ([1, 0] if positive else [0, 1])
    _, after = way(lambda: control.when(value > 0, lambda: ups.assign(10)), [value, ups])
    assert (int(after[1]) == 10) == positive
    _, after = way(lambda: control.switch((value > 0).astype(int), [up, down]), [ups, downs])
    assert int(after[1]) >= positive


def test_loops_inside_loops_carry_the_same_variable():
    count = Variable(0)

    def outer(carry, x):
        def inner(carry, x):
            control.when(carry % 2 == 0, lambda: count.assign_add(1))
            return carry + 1, None

        return control.scan(inner, carry, length=3)[0], x

    for way in WAYS:
        count.assign(0)
        _, after = way(lambda: control.scan(outer, 0, jnp.arange(4)), [count])
        assert int(after[0]) == 6


@pytest.mark.parametrize("way", WAYS)
def test_random_keys_move_on_at_every_step(way):
    seed = Seed(3)
    before = seed.numpy()
    (_, numbers), after = way(
        lambda: control.scan(lambda c, _: (c, jax.random.uniform(random_key(seed))), 0, length=6), [seed]
    )
    assert len(set(np.asarray(numbers).tolist())) == 6
    assert not np.array_equal(after[0], before)
    if way is in_step:
        ambient = ambient_seed()
        with changed(ambient=ambient):
            (_, numbers), _ = way(
                lambda: control.scan(lambda c, _: (c, jax.random.uniform(random_key())), 0, length=6), [ambient]
            )
        assert len(set(np.asarray(numbers).tolist())) == 6


def test_gradients_go_through_weights_that_a_body_reads_and_state_that_it_assigns():
    weight, state = Variable(0.5), Variable(0.0)

    def loss(value, scanned):
        with bound([weight, state], (value, jnp.zeros(()))):

            def step(carry, x):
                state.assign(state * weight + x)
                return carry + state.value * x, None

            if scanned:
                return control.scan(step, 0.0, VALUES)[0] + state.value
            carry = 0.0
            for x in VALUES:
                carry, _ = step(carry, x)
            return carry + state.value

    found, expected = (jax.grad(loss)(jnp.asarray(0.7), scanned) for scanned in (True, False))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_body_that_assigns_nothing_is_traced_once_and_notes_nothing():
    weight, traces = Variable(2.0), []

    def step(carry, x):
        traces.append(x)
        return carry * weight + x, carry

    with noting_changes() as noted:
        jax.jit(lambda: control.scan(step, jnp.float32(0), VALUES))()
    assert len(traces) == 1
    assert not noted


def test_an_error_in_a_body_leaves_the_variables_as_they_were():
    count = Variable(0)

    def step(carry, x):
        count.assign_add(1)
        raise RuntimeError("in the body")

    with pytest.raises(RuntimeError, match="in the body"):
        control.scan(step, 0, VALUES)
    assert int(count) == 0


@pytest.mark.parametrize("way", WAYS)
def test_functions_of_ops_take_bodies_that_assign(way):
    mean = metrics.Mean()
    dropout = layers.Dropout(0.5, seed=1)

    def step(carry, x):
        mean.update_state(x)
        return carry, dropout(jnp.ones(50), training=True)

    def body(i, value):
        mean.update_state(i)
        return value

    def run():
        _, dropped = ops.scan(step, 0, VALUES)
        ops.fori_loop(0, 3, body, 0)
        ops.while_loop(lambda i: i < 2, lambda i: body(i, i + 1), 0)
        ops.cond(VALUES[0] > 0, lambda: body(7.0, 1), lambda: 1)
        ops.map(lambda x: body(x, x), VALUES)
        ops.switch(jnp.asarray(1), [lambda: 0, lambda: body(5.0, 1)])
        return dropped

    dropped, after = way(run, [*mean.variables, *dropout.variables])
    assert list(map(float, after[: len(mean.variables)])) == [10 + 3 + 1 + 7 + 10 + 5, 4 + 3 + 2 + 1 + 4 + 1]
    assert len({row.tobytes() for row in np.asarray(dropped)}) == 4


def test_a_layer_may_scan_over_time_with_state():
    class Running(layers.Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(input_shape[-1], 3), name="kernel")
            self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, name="steps")
            self.dropout = layers.Dropout(0.5)

        def call(self, inputs, training=None):
            def step(state, x):
                self.steps.assign_add(1.0)
                state = jnp.tanh(self.dropout(x, training=training) @ self.kernel + state)
                return state, state

            _, outputs = ops.scan(step, jnp.zeros((inputs.shape[0], 3)), jnp.swapaxes(inputs, 0, 1))
            return jnp.swapaxes(outputs, 0, 1)

    layer = Running()
    model = Sequential([layers.Input((None, 2)), layer])
    assert model.output_shape == (None, None, 3)
    assert float(layer.steps) == 0
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(8, 5, 2)).astype("float32")
    before = layer.kernel.numpy()
    model.fit(x, np.ones((8, 5, 3), "float32"), batch_size=4, epochs=2, verbose=0)
    assert float(layer.steps) == 4 * 5
    assert not np.array_equal(layer.kernel.numpy(), before)
    model.predict(x, batch_size=4, verbose=0)
    assert float(layer.steps) == 6 * 5
