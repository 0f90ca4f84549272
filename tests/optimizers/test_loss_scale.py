"""Loss scaling: overflowing steps are left out, the scale follows, numbers are Keras's."""

import jax.numpy as jnp
import numpy as np
import pytest

from cornu import optimizers
from cornu.core.variable import Variable
from cornu.optimizers import SGD, LossScaleOptimizer
from optimizers.reference import compiled_step

GRADIENTS = [8.0, np.inf, 8.0, 4.0, np.nan, 2.0, 2.0, 2.0]


def test_steps_and_scales_are_keras_s(real_keras):
    ours = LossScaleOptimizer(SGD(0.5, momentum=0.5), initial_scale=8.0, dynamic_growth_steps=2)
    inner = real_keras.optimizers.SGD(0.5, momentum=0.5)
    theirs = real_keras.optimizers.LossScaleOptimizer(inner, initial_scale=8.0, dynamic_growth_steps=2)
    mine, its = Variable([1.0, 1.0], name="w"), real_keras.Variable(np.ones(2, "float32"), name="w")
    step = compiled_step(ours, [mine])
    theirs.build([its])
    for gradient in GRADIENTS:
        step([jnp.array([1.0, gradient])])
        found, own = theirs.stateless_apply(
            [v.value for v in theirs.variables], [jnp.array([1.0, gradient])], [its.value]
        )
        for variable, value in zip([its, *theirs.variables], [*found, *own], strict=True):
            variable.assign(value)
        np.testing.assert_allclose(mine.numpy(), np.asarray(its), rtol=1e-6)
        assert float(ours.dynamic_scale) == float(theirs.dynamic_scale)
    for variable, expected in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(variable.numpy(), np.asarray(expected), rtol=1e-6)
        assert variable.name == expected.name
    assert int(ours.iterations) == int(theirs.iterations)


def test_the_loss_is_scaled_by_the_scale_of_now():
    optimizer = LossScaleOptimizer("sgd", initial_scale=4.0, dynamic_growth_steps=1)
    assert float(optimizer.scale_loss(jnp.array(3.0))) == 12.0
    optimizer.apply([jnp.array([4.0])], [Variable([1.0])])
    assert float(optimizer.scale_loss(jnp.array(3.0))) == 24.0


def test_the_learning_rate_is_the_inner_optimizer_s():
    optimizer = LossScaleOptimizer(SGD(0.5))
    optimizer.lr = 0.25
    assert float(optimizer.inner_optimizer.learning_rate) == 0.25
    assert optimizer.learning_rate is optimizer.inner_optimizer.learning_rate
    assert optimizer.learning_rate in optimizer.hyper_variables


def test_configs_are_keras_s(real_keras):
    theirs = real_keras.optimizers.LossScaleOptimizer(real_keras.optimizers.Adam(0.5, name="a"), name="b")
    found = optimizers.deserialize(real_keras.optimizers.serialize(theirs))
    assert optimizers.serialize(found)["config"]["inner_optimizer"]["config"]["learning_rate"] == 0.5
    assert found.get_config().keys() == theirs.get_config().keys()
    assert (found.name, found.inner_optimizer.name) == ("b", "a")


def test_what_belongs_to_the_inner_optimizer_is_refused():
    LossScaleOptimizer(SGD(), dynamic=True, clipnorm=None, use_ema=False)
    with pytest.raises(ValueError, match="clipnorm: pass it to the inner optimizer"):
        LossScaleOptimizer(SGD(), clipnorm=1.0)
    with pytest.raises(ValueError, match="loss_scale_factor"):
        LossScaleOptimizer(SGD(), dynamic=False)
    with pytest.raises(TypeError, match="no argument 'speed'"):
        LossScaleOptimizer(SGD(), speed=3)
