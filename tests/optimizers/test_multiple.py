"""Several optimizers for one model, against real Keras."""

import numpy as np
import pytest

from cornu import optimizers
from cornu.optimizers import SGD, Adam, LossScaleOptimizer, MultiOptimizer, OptimizerMap
from optimizers.reference import compiled_step, gradients, keras_weights, values, weights


def make(module):
    return module.MultiOptimizer(
        module.OptimizerMap(module.SGD(0.1), {".*/bias": module.Adam(0.2), "cube/.*": module.RMSprop(0.01)}),
        loss_scale_factor=2.0,
    )


def test_steps_are_keras_s(real_keras):
    ours, theirs = make(optimizers), make(real_keras.optimizers)
    mine, its = weights(), keras_weights(real_keras)
    step = compiled_step(ours, mine)
    for gradient in gradients(4):
        step(gradient)
        theirs.apply(gradient, its)
    for found, expected in zip(values(mine), values(its), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)
    assert [v.shape for v in ours.variables] == [tuple(v.shape) for v in theirs.variables]


def test_a_function_may_choose():
    one, other = SGD(1.0), SGD(0.5)
    optimizer = MultiOptimizer(lambda variable: one if variable.ndim > 1 else other)
    mine = weights()
    before = values(mine)
    step = gradients(1)[0]
    optimizer.apply(step, mine)
    for found, old, gradient in zip(values(mine), before, step, strict=True):
        np.testing.assert_allclose(found, old - (1.0 if gradient.ndim > 1 else 0.5) * gradient, rtol=1e-6)
    assert optimizer.optimizers == [one, other]


def test_inner_numbers_change_without_compiling_again():
    optimizer, mine, traces = make(optimizers), weights(), []
    step = compiled_step(optimizer, mine, traces)
    step(gradients(1)[0])
    for inner in optimizer.optimizers:
        inner.learning_rate = 0.0
    before = values(mine)
    step(gradients(1)[0])
    assert len(traces) == 1
    for found, expected in zip(values(mine), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_averages_end_in_the_weights():
    optimizer = MultiOptimizer(OptimizerMap(SGD(0.1, use_ema=True)))
    mine = weights()
    for gradient in gradients(2):
        optimizer.apply(gradient, mine)
    before = values(mine)
    optimizer.finalize_variable_values(mine)
    assert not np.allclose(values(mine)[0], before[0])


def test_configs_are_keras_s(real_keras):
    config = real_keras.optimizers.serialize(make(real_keras.optimizers))
    found = optimizers.deserialize(config)
    assert [type(one).__name__ for one in found.optimizers] == ["Adam", "RMSprop", "SGD"]
    assert found.loss_scale_factor == 2.0
    again = optimizers.deserialize(optimizers.serialize(found))
    assert again.optimizer_map["dense/bias"].get_config() == found.optimizer_map["dense/bias"].get_config()


def test_misuse_raises_a_clear_error():
    chosen = OptimizerMap(SGD(), {".*kernel": Adam()})
    chosen["dense/.*"] = SGD()
    with pytest.raises(ValueError, match="Several expressions match the weight 'dense/kernel'"):
        chosen["dense/kernel"]
    with pytest.raises(ValueError, match="already"):
        chosen["dense/.*"] = SGD()
    with pytest.raises(ValueError, match="regular expression"):
        chosen[3] = SGD()
    with pytest.raises(TypeError, match="plain optimizer"):
        chosen["a"] = LossScaleOptimizer(SGD())
    with pytest.raises(AttributeError, match="no learning rate of its own"):
        _ = MultiOptimizer(chosen).learning_rate
    with pytest.raises(AttributeError, match="no learning rate of its own"):
        MultiOptimizer(chosen).learning_rate = 1.0
    del chosen["dense/.*"]
    assert (len(chosen), list(chosen)) == (1, [".*kernel"])
