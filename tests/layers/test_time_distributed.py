"""TimeDistributed against real Keras."""

import keras
import numpy as np
import pytest

import cornu.layers as layers
from contract.compare import assert_like_keras
from cornu.core.scope import get_mask


def array(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype("float32")


INNER = [
    (lambda module: module.Dense(3, activation="relu", kernel_regularizer="l2"), (2, 4, 5)),
    (lambda module: module.Flatten(), (2, 3, 4, 2)),
    (lambda module: module.Conv2D(2, 2), (2, 3, 4, 4, 1)),
    (lambda module: module.TimeDistributed(module.Dense(2)), (2, 3, 4, 2)),
    (lambda module: module.Reshape((2, -1)), (2, 3, 4)),
]


@pytest.mark.parametrize(("make", "shape"), INNER)
def test_is_keras_layer(make, shape):
    ours, theirs = (module.TimeDistributed(make(module)) for module in (layers, keras.layers))
    assert_like_keras(ours, theirs, array(*shape))


@pytest.mark.parametrize("training", [True, False])
def test_batch_statistics_are_kept_step_by_step(training):
    ours, theirs = (module.TimeDistributed(module.BatchNormalization()) for module in (layers, keras.layers))
    assert_like_keras(ours, theirs, array(4, 3, 2), training=training)


def test_every_step_drops_other_elements():
    outputs = np.asarray(layers.TimeDistributed(layers.Dropout(0.5))(np.ones((2, 3, 200), "float32"), training=True))
    assert set(np.unique(outputs).tolist()) == {0.0, 2.0}
    assert not np.array_equal(outputs[:, 0], outputs[:, 1])


def test_masks_reach_the_layer_inside_step_by_step_and_pass_on():
    mask = np.array([[True, False, True], [False, True, True]])
    inputs = array(2, 3, 4)

    def ours_function(x, mask):
        return x * mask[:, None]

    ours = layers.TimeDistributed(layers.Lambda(ours_function))
    theirs = keras.layers.TimeDistributed(keras.layers.Lambda(ours_function))
    np.testing.assert_allclose(ours(inputs, mask=mask), theirs(inputs, mask=keras.ops.convert_to_tensor(mask)))
    masked = layers.Masking()(np.where(mask[..., None], inputs, 0))
    np.testing.assert_array_equal(get_mask(layers.TimeDistributed(layers.Dense(2))(masked)), mask)
    with pytest.raises(ValueError, match=r"shape \(2, 3\) \(batch, time\); got \(2, 2\)"):
        ours(inputs, mask=mask[:, :2])


def test_the_number_of_steps_may_be_unknown():
    layer = layers.TimeDistributed(layers.BatchNormalization())
    assert tuple(layer(layers.Input((None, 5)), training=True).shape) == (None, None, 5)
    assert tuple(layers.TimeDistributed(layers.Dense(3))(layers.Input((None, 5))).shape) == (None, None, 3)


def test_errors_are_in_words():
    with pytest.raises(ValueError, match="at least 3 axes"):
        layers.TimeDistributed(layers.Dense(2))(array(2, 3))
    with pytest.raises(TypeError, match="TimeDistributed wraps a layer"):
        layers.TimeDistributed("dense")
