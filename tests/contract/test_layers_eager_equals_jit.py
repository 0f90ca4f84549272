"""Every layer computes the same inside a compiled function as outside it."""

import jax
import numpy as np
import pytest

from contract.compare import assert_trees_close
from contract.table import EVERY
from cornu import layers

#: Layers whose outputs have a random size, which a compiled program cannot have.
DRAWS_SIZES = ("random height", "random width")


@pytest.mark.parametrize("name", EVERY)
def test_a_layer_computes_the_same_when_compiled(name):
    """Also what it draws: layers that change images at random train unless they are told not to."""
    entry = EVERY[name]
    layer, inputs = entry.make(layers), entry.inputs()
    arguments = {"training": False} if name in DRAWS_SIZES else {}
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    layer(*given, **arguments)
    trainable = [variable.value for variable in layer.trainable_variables]
    others = [variable.value for variable in layer.non_trainable_variables]
    eager = layer(*given, **arguments)
    compiled = jax.jit(lambda *inputs: layer.stateless_call(trainable, others, *inputs, **arguments)[0])(*given)
    assert_trees_close(compiled, eager)
    for variable, value in zip(layer.non_trainable_variables, others, strict=True):
        variable.assign(value)
    assert_trees_close(jax.tree.map(np.asarray, layer(*given, **arguments)), eager)
