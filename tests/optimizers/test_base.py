"""What all optimizers share: numbers changed during training, decay, state, missing gradients, several models."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu import optimizers
from cornu.core.variable import Variable
from cornu.optimizers import SGD, Adam, Optimizer, RMSprop
from optimizers.reference import compiled_step, gradients, train, values, weights


def test_numbers_change_without_compiling_again():
    optimizer = SGD(0.1, momentum=0.5, weight_decay=0.1, clipnorm=1.0)
    compiled, traces = weights(), []
    step = compiled_step(optimizer, compiled, traces)
    eager = SGD(0.1, momentum=0.5, weight_decay=0.1, clipnorm=1.0)
    plain = weights()
    changes = [{}, {"learning_rate": 0.01}, {"momentum": 0.9}, {"weight_decay": 0.2, "clipnorm": 0.3}, {"decay": 0.5}]
    for change, gradient in zip(changes, gradients(), strict=False):
        for name, value in change.items():
            setattr(optimizer, name, value)
            setattr(eager, name, value)
        step(gradient)
        eager.apply(gradient, plain)
    assert len(traces) == 1
    for found, expected in zip(values(compiled), values(plain), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)


def test_changed_numbers_count():
    slow, fast = weights(), weights()
    optimizer = Adam(0.1)
    train(optimizer, slow, gradients(1))
    optimizer.learning_rate = 0.0
    before = values(slow)
    train(optimizer, slow, gradients(2))
    for found, expected in zip(values(slow), before, strict=True):
        np.testing.assert_array_equal(found, expected)
    other = Adam(0.1)
    other.beta_1, other.epsilon = 0.0, 0.5
    assert not np.allclose(train(Adam(0.1), weights(), gradients(2))[0], train(other, fast, gradients(2))[0])


def test_numbers_read_as_they_were_written():
    optimizer = Adam(0.001, beta_2=0.999)
    assert optimizer.beta_2 == 0.999
    optimizer.beta_2 = 0.99
    assert optimizer.beta_2 == 0.99
    assert float(optimizer.one_minus("beta_2")) == pytest.approx(0.01, rel=1e-7)
    assert optimizer.get_config()["learning_rate"] == 0.001
    with pytest.raises(TypeError, match="takes a number as beta_1; got 'x'"):
        optimizer.beta_1 = "x"
    with pytest.raises(TypeError, match="takes a number as learning_rate; got 'fast'"):
        Adam("fast")


@pytest.mark.parametrize("name", ["learning_rate", "lr"])
def test_the_learning_rate_is_a_variable(name):
    optimizer = SGD(1)
    rate = getattr(optimizer, name)
    assert isinstance(rate, Variable)
    assert float(rate) == 1.0
    setattr(optimizer, name, 0.25)
    assert rate is optimizer.learning_rate
    assert float(optimizer.learning_rate) == 0.25
    optimizer.lr.assign(0.5)
    assert float(optimizer.lr) == optimizer.get_config()["learning_rate"] == 0.5


def test_a_schedule_may_come_and_go():
    optimizer = SGD(0.5)
    assert len(optimizer.variables) == 2
    revision = optimizer.revision
    optimizer.learning_rate = optimizers.schedules.PiecewiseConstantDecay([0], [1.0, 0.25])
    assert optimizer.revision > revision
    assert len(optimizer.variables) == 1
    weight = Variable([8.0])
    for expected in (7.0, 6.75):
        optimizer.apply([jnp.array([1.0])], [weight])
        assert float(weight[0]) == expected
    assert float(optimizer.learning_rate) == 0.25
    optimizer.learning_rate = 0.5
    assert [variable.name for variable in optimizer.variables] == ["iteration", "learning_rate"]


def test_functions_give_the_learning_rate():
    assert float(SGD(lambda: 0.25).learning_rate) == 0.25
    optimizer = SGD(lambda step: 1.0 / (1 + step))
    weight = Variable([4.0])
    for expected in (3.0, 2.5):
        optimizer.apply([jnp.array([1.0])], [weight])
        assert float(weight[0]) == expected


@pytest.mark.parametrize("make", [SGD, RMSprop, Adam])
def test_decay_divides_the_learning_rate_as_in_keras_2(make):
    found, expected = weights(), weights()
    decaying, plain = make(0.1, decay=0.3), make(0.1)
    for iteration, gradient in enumerate(gradients(4)):
        plain.learning_rate = 0.1 * (1.0 / (1.0 + 0.3 * iteration))
        decaying.apply(gradient, found)
        plain.apply(gradient, expected)
    for one, other in zip(values(found), values(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-6, atol=1e-6)
    assert float(decaying.learning_rate) == pytest.approx(0.1)
    assert decaying.get_config()["decay"] == 0.3
    assert "decay" not in plain.get_config()


def test_what_needs_new_slots_is_refused_after_building():
    optimizer = SGD(0.1)
    optimizer.momentum = 0.9
    assert train(optimizer, weights(), gradients(1))
    assert [v.name for v in optimizer.variables][2].endswith("_momentum")
    plain = SGD(0.1)
    plain.build(weights())
    with pytest.raises(ValueError, match=r"built with momentum=0 .*\n.*momentum=0.9 and compile again"):
        plain.momentum = 0.9
    with pytest.raises(ValueError, match="cannot be set after building"):
        plain.use_ema = True
    assert plain.revision == 1
    plain.nesterov = True
    plain.clipnorm = 1.0
    assert plain.revision == 3


def test_constraints_follow_the_update():
    weight = Variable([1.0, 1.0], constraint=lambda value: jnp.maximum(value, 0.0))
    SGD(1.0).apply([jnp.array([3.0, 0.5])], [weight])
    np.testing.assert_array_equal(weight.numpy(), [0.0, 0.5])


def test_weights_can_be_left_out_of_weight_decay():
    kernel, bias = Variable([1.0], name="kernel"), Variable([1.0], name="bias")
    other = Variable([1.0], name="other")
    optimizer = SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[other], var_names=["bias"])
    optimizer.apply([jnp.zeros(1)] * 3, [kernel, bias, other])
    assert [float(v[0]) for v in (kernel, bias, other)] == [0.75, 1.0, 1.0]
    with pytest.raises(ValueError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


def test_an_infinite_gradient_is_seen_through_global_clipping():
    weight = Variable([1.0])
    SGD(1.0, global_clipnorm=1.0).apply([jnp.array([jnp.inf])], [weight])
    assert np.isnan(weight.numpy()).all()


def test_a_missing_gradient_leaves_its_weight_with_a_warning():
    one, other = Variable([1.0], name="one"), Variable([1.0], name="other")
    with pytest.warns(UserWarning, match=r"\['other'\].*does not depend"):
        SGD(0.5).apply([jnp.ones(1), None], [one, other])
    assert (float(one[0]), float(other[0])) == (0.5, 1.0)
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        SGD(0.5).apply([None, None], [one, other])


def test_misuse_raises_a_clear_error():
    with pytest.raises(ValueError, match="does not know the weights yet"):
        SGD(0.5).apply([jnp.ones(1)])
    with pytest.raises(ValueError, match="2 gradients for 1 weights"):
        SGD(0.5).apply([jnp.ones(1)] * 2, [Variable([1.0])])
    with pytest.raises(ValueError, match="no slots yet"):
        SGD(0.5).set_weights([])
    with pytest.raises(ValueError, match="before stateless_apply"):
        SGD(0.5).stateless_apply([], [], [])
    with pytest.raises(NotImplementedError, match="needs a method update"):
        Optimizer(0.1).apply([jnp.ones(1)], [Variable([1.0])])
    with pytest.raises(TypeError, match=r"has no argument 'beta1'\. Did you mean 'beta_1'"):
        Adam(beta1=0.5)
    SGD(0.5).apply([])


def test_apply_gradients_takes_pairs_and_counts():
    weight = Variable([1.0])
    optimizer = SGD(0.5)
    assert int(optimizer.apply_gradients(zip([jnp.ones(1)], [weight], strict=True))) == 1
    assert float(weight[0]) == 0.5
    assert int(optimizer.iterations) == 1


def test_accumulation_counts_updates():
    optimizer = SGD(1.0, gradient_accumulation_steps=2)
    weight, seen = Variable([0.0]), []
    for gradient in (1.0, 3.0, 5.0):
        optimizer.apply([jnp.array([gradient])], [weight])
        seen.append((float(weight[0]), int(optimizer.iterations)))
    assert seen == [(0.0, 0), (-2.0, 1), (-2.0, 1)]


def test_averages_end_in_the_weights():
    optimizer = SGD(1.0, use_ema=True, ema_momentum=0.5)
    weight = Variable([0.0])
    for _ in range(2):
        optimizer.apply([jnp.array([1.0])], [weight])
    assert float(weight[0]) == -2.0
    optimizer.finalize_variable_values([weight])
    assert float(weight[0]) == -1.5


def test_loss_scale_leaves_the_step_as_it_is():
    optimizer = SGD(1.0, loss_scale_factor=8.0)
    assert float(optimizer.scale_loss(jnp.array(2.0))) == 16.0
    assert SGD(1.0).scale_loss(2.0) == 2.0


def test_stateless_apply_changes_nothing():
    optimizer, variables = Adam(0.1), weights()
    optimizer.build(variables)
    before = values([*variables, *optimizer.variables])
    step = gradients(1)[0]
    found = jax.jit(optimizer.stateless_apply)(values(optimizer.variables), step, values(variables))
    for one, other in zip(values([*variables, *optimizer.variables]), before, strict=True):
        np.testing.assert_array_equal(one, other)
    optimizer.apply(step)
    for one, other in zip([*found[0], *found[1]], values([*variables, *optimizer.variables]), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)
    with pytest.raises(ValueError, match="stateless_apply got 1 and 4 values"):
        optimizer.stateless_apply([1], step, variables)


def test_weights_round_trip():
    one, other = Adam(0.1), Adam(0.3)
    mine, its = weights(), weights()
    train(one, mine, gradients(2))
    other.build(its)
    other.set_weights(one.get_weights())
    for variable, value in zip(its, values(mine), strict=True):
        variable.assign(value)
    for found, expected in zip(train(one, mine, gradients(2)), train(other, its, gradients(2)), strict=True):
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(ValueError, match="10 variables; set_weights got 1 arrays"):
        other.set_weights([0])


def test_one_optimizer_serves_several_models():
    together, apart = Adam(0.1, use_ema=True), Adam(0.1, use_ema=True)
    first, second = [Variable([1.0], name="a")], [Variable([2.0, 2.0], name="b")]
    alone = [Variable([1.0], name="a")]
    together.apply([jnp.array([0.3])], first)
    together.apply([jnp.array([0.3, 0.4])], second)
    apart.apply([jnp.array([0.3])], alone)
    np.testing.assert_array_equal(first[0].numpy(), alone[0].numpy())
    assert int(together.iterations) == 2
    assert second[0].numpy().max() < 2.0


def test_state_is_float32_beside_half_precision_weights():
    weight = Variable(np.ones(3), dtype="bfloat16")
    optimizer = Adam(0.1)
    optimizer.apply([jnp.ones(3, "bfloat16")], [weight])
    assert weight.dtype == "bfloat16"
    np.testing.assert_allclose(weight.numpy().astype("float32"), 0.9, rtol=1e-2)


def test_an_optimizer_written_for_keras_works():
    class Momentum(Optimizer):
        def __init__(self, learning_rate=0.5, momentum=0.5, **kwargs):
            super().__init__(learning_rate=learning_rate, **kwargs)
            self.momentum = momentum

        def build(self, variables):
            if self.built:
                return
            super().build(variables)
            self.momenta = self.add_optimizer_variables(variables, "momentum")
            self.total = self.add_variable(shape=(), initializer="ones", name="total")

        def update_step(self, gradient, variable, learning_rate):
            momentum = self.momenta[self._get_variable_index(variable)]
            self.assign(momentum, momentum * self.momentum - gradient * learning_rate)
            self.assign_add(variable, momentum)

        def get_config(self):
            return {**super().get_config(), "momentum": self.momentum}

    found, expected = weights(), weights()
    own = Momentum(0.05, momentum=0.9, clipnorm=0.5, name="own")
    step = compiled_step(own, found)
    usual = SGD(0.05, momentum=0.9, clipnorm=0.5)
    for gradient in gradients(4):
        step(gradient)
        usual.apply(gradient, expected)
    for one, other in zip(values(found), values(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)
    assert float(own.total) == 1.0
    assert own.variables[2].path == "own/embedding_table_momentum"
    again = Momentum.from_config(own.get_config())
    assert (again.momentum, again.clipnorm, again.name) == (0.9, 0.5, "own")


def test_iterations_are_a_variable_unless_gradients_are_accumulated():
    plain, accumulating = optimizers.SGD(), optimizers.SGD(gradient_accumulation_steps=2)
    assert isinstance(plain.iterations, Variable)
    for optimizer in (plain, accumulating):
        weight = Variable(np.ones(2, "float32"))
        for _ in range(2):
            optimizer.apply_gradients([(np.ones(2, "float32"), weight)])
    assert (int(plain.iterations.numpy()), int(accumulating.iterations)) == (2, 1)
