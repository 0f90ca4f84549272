"""Every layer trains in a model: one step runs, the loss is finite, and each weight with a gradient moves."""

import jax.numpy as jnp
import numpy as np
import pytest

from contract.table import EVERY, call
from cornu import layers, models


def squares(y_true, y_pred):
    return jnp.mean(jnp.square(y_pred.astype("float32") - 0.5))


@pytest.mark.parametrize("name", EVERY)
def test_a_layer_trains_a_step(name):
    entry = EVERY[name]
    data = entry.inputs()
    data = list(data) if entry.apart else data
    tensors = [
        layers.Input(one.shape[1:], dtype=str(one.dtype)) for one in (data if isinstance(data, list) else [data])
    ]
    layer = entry.make(layers)
    outputs = call(layer, tuple(tensors) if entry.apart else tensors if isinstance(data, list) else tensors[0])
    model = models.Model(tensors, outputs)
    model.compile("sgd", squares)
    before = [variable.numpy() for variable in layer.trainable_variables]
    rows = (data[0] if isinstance(data, list) else data).shape[0]
    loss = model.train_on_batch(data, np.zeros((rows, *outputs.shape[1:]), "float32"))
    assert np.isfinite(loss)
    for variable, value in zip(layer.trainable_variables, before, strict=True):
        assert np.all(np.isfinite(variable.numpy())), variable.path
        assert np.any(variable.numpy() != value), f"{variable.path} did not move"
