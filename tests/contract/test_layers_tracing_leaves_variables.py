"""Tracing a layer, to infer shapes or inside a compiled function, leaves its variables as they were."""

import jax
import numpy as np
import pytest

from contract.table import EVERY, call
from cornu import layers


@pytest.mark.parametrize("name", EVERY)
def test_tracing_leaves_variables(name):
    entry = EVERY[name]
    layer = entry.make(layers)
    call(layer, entry.symbolic(), **entry.training_argument(layer))
    assert not any(isinstance(variable._value, jax.core.Tracer) for variable in layer.variables)
    before = [np.array(variable._value) for variable in layer.variables]
    call(layer, entry.symbolic(), **entry.training_argument(layer))
    trainable = [variable._value for variable in layer.trainable_variables]
    others = [variable._value for variable in layer.non_trainable_variables]
    inputs = entry.inputs()
    jax.eval_shape(
        lambda *inputs: layer.stateless_call(trainable, others, *inputs, **entry.training_argument(layer))[0],
        *(inputs if isinstance(inputs, tuple) else (inputs,)),
    )
    for variable, value in zip(layer.variables, before, strict=True):
        np.testing.assert_array_equal(np.asarray(variable._value), value, err_msg=variable.path)


@pytest.mark.parametrize("name", [name for name, entry in EVERY.items() if entry.trains_differently])
def test_inference_leaves_variables(name):
    entry = EVERY[name]
    layer = entry.make(layers)
    layer(entry.symbolic())
    before = layer.get_weights()
    layer(entry.inputs(), training=False)
    for variable, value in zip(layer.weights, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value, err_msg=variable.path)
