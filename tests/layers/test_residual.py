"""LayerScale and StochasticDepth against those inside Keras's ConvNeXt, which are not in `keras.layers`."""

import keras
import numpy as np
import pytest
from keras.src.applications import convnext

import cornu
from cornu.layers import LayerScale, StochasticDepth

INPUTS = np.random.default_rng(0).normal(size=(64, 5, 3)).astype("float32")


def test_layer_scale_is_keras_layer():
    ours, theirs = LayerScale(0.25, 3), convnext.LayerScale(0.25, 3)
    np.testing.assert_allclose(ours(INPUTS), theirs(INPUTS))
    factors = [np.array([1.0, -2.0, 0.5], "float32")]
    ours.set_weights(factors)
    theirs.set_weights(factors)
    np.testing.assert_allclose(ours(INPUTS), theirs(INPUTS))
    assert [weight.shape for weight in ours.weights] == [(3,)]


def test_stochastic_depth_drops_whole_samples_as_often_as_keras_layer():
    found = []
    for layer in (StochasticDepth(0.4), convnext.StochasticDepth(0.4)):
        np.testing.assert_array_equal(layer(INPUTS), INPUTS)
        ratios = np.concatenate([np.asarray(layer(INPUTS, training=True)) / INPUTS for _ in range(10)])
        assert (np.ptp(ratios, axis=(1, 2)) < 1e-5).all()
        assert set(np.unique(ratios.round(4))) <= {0.0, np.float32(1 / 0.6).round(4)}
        found.append((ratios[:, 0, 0] == 0).mean())
    np.testing.assert_allclose(found, 0.4, atol=0.1)


def test_a_rate_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match=r"`drop_path_rate` must be a number from 0 to 1; got 1\.5"):
        StochasticDepth(1.5)


@pytest.mark.parametrize("ending", [".keras", ".h5", ".weights.h5"])
def test_files_go_both_ways(ending, tmp_path):
    def made(library, scale, depth):
        layers = [library.Input((5, 3)), scale(0.25, 3, name="scale"), depth(0.4, name="depth")]
        return library.Sequential(layers)

    ours = made(cornu, LayerScale, StochasticDepth)
    theirs = made(keras, convnext.LayerScale, convnext.StochasticDepth)
    ours.set_weights([np.array([1.0, -2.0, 0.5])])
    path, back = str(tmp_path / f"ours{ending}"), str(tmp_path / f"theirs{ending}")
    if ending == ".weights.h5":
        ours.save_weights(path)
        theirs.load_weights(path)
        theirs.save_weights(back)
        again = made(cornu, LayerScale, StochasticDepth)
        again.load_weights(back)
    else:
        ours.save(path)
        custom = {"LayerScale": convnext.LayerScale, "StochasticDepth": convnext.StochasticDepth}
        theirs = keras.saving.load_model(path, custom_objects=custom if ending == ".h5" else None)
        theirs.save(back)
        again = cornu.saving.load_model(back)
    np.testing.assert_allclose(theirs.predict(INPUTS, verbose=0), ours(INPUTS), rtol=1e-6)
    np.testing.assert_allclose(again.predict(INPUTS, verbose=0), ours(INPUTS), rtol=1e-6)
