"""A loss function of one's own may give one number, or one per sample, on masked data."""

import jax.numpy as jnp
import numpy as np
import pytest

import cornu

IDS = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [1, 2, 3, 4]])
TABLE = np.random.default_rng(1).normal(size=(5, 2)).astype("float32")
TARGETS = np.random.default_rng(0).normal(size=(3, 4, 2)).astype("float32")


def one_number(y_true, y_pred):
    return jnp.mean(jnp.square(y_true - y_pred))


def one_per_sample(y_true, y_pred):
    return jnp.mean(jnp.square(y_true - y_pred), axis=(1, 2))


def evaluated(keras, loss, weights=None):
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Embedding(5, 2, mask_zero=True)])
    model.set_weights([TABLE])
    model.compile("sgd", loss)
    ids = IDS if keras is cornu else IDS.astype("int32")  # of int64, Keras 3.15 lets jax 0.12 warn
    return model.evaluate(ids, TARGETS, sample_weight=weights, verbose=0)


def test_one_number_is_what_keras_says(real_keras):
    assert evaluated(cornu, one_number) == pytest.approx(evaluated(real_keras, one_number), rel=1e-5)


@pytest.mark.parametrize("weights", [np.ones(3, "float32"), np.array([1.0, 0.5, 2.0], "float32")])
def test_where_keras_cannot_samples_count_by_weight_and_unmasked_steps(weights):
    """Keras 3.15 raises an error of shapes here."""
    steps = (IDS != 0).sum(axis=1)
    share = (weights * steps).sum() / steps.sum()
    each = np.square(TARGETS - TABLE[IDS]).mean(axis=(1, 2))
    assert evaluated(cornu, one_number, weights) == pytest.approx(each.mean() * share, rel=1e-5)
    assert evaluated(cornu, one_per_sample, weights) == pytest.approx(
        (each * weights * steps).sum() / steps.sum(), rel=1e-5
    )
