"""Layers, losses and optimizers of tensorflow_addons and keras_contrib, against their formulas."""

import importlib

import numpy as np
import pytest

from cornu import layers, models, optimizers
from cornu.compat.tensorflow import addons, packages

X = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype("float32")


def test_all_rows_lead_somewhere():
    for place, rows in packages.NAMES.items():
        for name, target in rows.items():
            module, _, attribute = target.partition(":")
            assert hasattr(importlib.import_module(module), attribute), (place, name)


def test_instance_normalization_is_by_channel_or_by_sample():
    mean, deviation = X.mean((1, 2), keepdims=True), X.var((1, 2), keepdims=True)
    expected = (X - mean) / np.sqrt(deviation + 1e-3)
    np.testing.assert_allclose(addons.InstanceNormalization()(X), expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(addons.contrib_instance_normalization(axis=-1)(X), expected, rtol=1e-3, atol=1e-5)
    whole = (X - X.mean((1, 2, 3), keepdims=True)) / (X.std((1, 2, 3), keepdims=True) + 1e-3)
    layer = addons.contrib_instance_normalization()
    np.testing.assert_allclose(layer(X), whole, rtol=1e-4, atol=1e-5)
    assert [weight.shape for weight in layer.weights] == [(1,), (1,)]


@pytest.mark.parametrize("inner", [lambda: layers.Dense(4), lambda: layers.Conv2D(4, 3)])
def test_weight_normalization_trains_direction_and_length(inner):
    layer = addons.WeightNormalization(inner())
    first = layer(X)
    np.testing.assert_allclose(first, layer.layer(X), rtol=1e-4, atol=1e-5)  # begins as the layer is
    layer.g.assign(layer.g * 2)
    bias = layer.layer.bias.numpy()
    np.testing.assert_allclose(layer(X), 2 * (np.asarray(first) - bias) + bias, rtol=1e-4, atol=1e-5)
    model = models.Sequential([layer, layers.Flatten(), layers.Dense(1)])
    model.compile(optimizers.SGD(0.01), "mse")
    before = [weight.numpy() for weight in layer.trainable_weights]
    model.fit(X, np.ones((2, 1)), epochs=2, verbose=0)
    assert len(before) == 3
    assert all((one != weight.numpy()).any() for one, weight in zip(before, layer.trainable_weights, strict=True))
    with pytest.raises(ValueError, match="needs a layer with a kernel"):
        addons.WeightNormalization(layers.Flatten())(X)


def test_layers_come_back_from_files(tmp_path):
    model = models.Sequential(
        [layers.Input((4, 5, 3)), addons.InstanceNormalization(), addons.WeightNormalization(layers.Dense(2)),
         addons.WholeNormalization()]
    )  # fmt: skip
    model.save(tmp_path / "m.keras")
    np.testing.assert_allclose(models.load_model(tmp_path / "m.keras")(X), model(X), rtol=1e-5)


def test_focal_loss_weighs_hard_samples():
    y, p = np.array([[1.0, 0.0]], "float32"), np.array([[0.9, 0.2]], "float32")
    expected = 0.25 * 0.1**2 * -np.log(0.9) + 0.75 * 0.2**2 * -np.log(0.8)
    np.testing.assert_allclose(addons.sigmoid_focal_crossentropy(y, p), [expected], rtol=1e-4)
    np.testing.assert_allclose(addons.SigmoidFocalCrossEntropy(reduction="none")(y, p), [expected], rtol=1e-4)
    logits = np.log(p / (1 - p))
    np.testing.assert_allclose(addons.SigmoidFocalCrossEntropy(from_logits=True)(y, logits), expected, rtol=1e-4)


def test_contrastive_and_jaccard_losses():
    found = addons.contrastive_loss([1.0, 0.0, 0.0], [0.5, 0.25, 2.0])
    np.testing.assert_allclose(found, [0.25, 0.5625, 0])
    np.testing.assert_allclose(addons.jaccard_distance([[1.0, 0.0]], [[1.0, 0.0]]), [0])


def test_makers_take_the_arguments_of_addons():
    assert addons.adam_w(1e-4, learning_rate=0.01).weight_decay == pytest.approx(1e-4)
    assert addons.sgd_w(weight_decay=1e-4, learning_rate=0.01, momentum=0.9).momentum == pytest.approx(0.9)
    assert addons.lamb(0.01, weight_decay_rate=0.1).weight_decay == pytest.approx(0.1)
    assert addons.f1_score(3, average="macro", name="f1").name == "f1"
