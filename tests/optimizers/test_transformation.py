"""Optax transformations as optimizers."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from cornu import optimizers
from cornu.core.variable import Variable
from optimizers.reference import compiled_step, gradients, values, weights


@pytest.mark.parametrize(
    "transformation",
    [
        optax.adamw(0.01, weight_decay=0.1),
        optax.chain(optax.clip_by_global_norm(0.5), optax.sgd(optax.cosine_decay_schedule(0.1, 5), momentum=0.9)),
        optax.contrib.schedule_free_sgd(0.1),
    ],
)
def test_steps_are_optax_s(transformation):
    mine = weights()
    step = compiled_step(optimizers.get(transformation), mine)
    params = [jnp.asarray(value) for value in values(weights())]
    state = transformation.init(params)
    for gradient in gradients(4):
        step(gradient)
        updates, state = transformation.update(gradient, state, params)
        params = optax.apply_updates(params, updates)
    for found, expected in zip(values(mine), params, strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)


def test_the_learning_rate_is_a_factor_that_can_change():
    optimizer = optimizers.OptaxOptimizer(optax.sgd(0.5))
    weight = Variable([4.0])
    optimizer.apply([jnp.ones(1)], [weight])
    optimizer.learning_rate = 0.5
    optimizer.apply([jnp.ones(1)], [weight])
    assert float(weight[0]) == 4.0 - 0.5 - 0.25


def test_a_weight_without_gradient_stays():
    one, other = Variable([1.0]), Variable([1.0])
    optimizer = optimizers.get(optax.adamw(0.5, weight_decay=0.5))
    with pytest.warns(UserWarning, match="does not depend"):
        optimizer.apply([jnp.ones(1), None], [one, other])
    assert float(one[0]) < 1.0 == float(other[0])


def test_its_limits_raise_a_clear_error():
    optimizer = optimizers.get(optax.adam(0.1))
    optimizer.build([Variable([1.0])])
    with pytest.raises(ValueError, match="make a new optimizer for new weights"):
        optimizer.apply([jnp.ones(1)], [Variable([1.0])])
    with pytest.raises(TypeError, match="has no config"):
        optimizer.get_config()
