"""Old layers with their old call forms make today's layers."""

import numpy as np
import pytest

from cornu import layers, models
from cornu.compat import layers as old


@pytest.mark.parametrize(
    ("layer", "today", "expected"),
    [
        (lambda: old.Convolution2D(8, 3, 5), "Conv2D", {"kernel_size": (3, 5), "strides": (1, 1)}),
        (lambda: old.Convolution2D(8, 3, 3, border_mode="same", subsample=(2, 2)), "Conv2D",
         {"kernel_size": (3, 3), "padding": "same", "strides": (2, 2)}),
        (lambda: old.Convolution2D(8, 3, 3, "he_normal", "relu"), "Conv2D", {"kernel_size": (3, 3)}),
        (lambda: old.Convolution2D(8, nb_row=3, nb_col=2), "Conv2D", {"kernel_size": (3, 2)}),
        (lambda: old.Convolution2D(8, (3, 2), padding="same"), "Conv2D", {"kernel_size": (3, 2), "padding": "same"}),
        (lambda: old.Convolution2D(8, 3), "Conv2D", {"kernel_size": (3, 3)}),
        (lambda: old.Convolution1D(8, 3, border_mode="same"), "Conv1D", {"kernel_size": (3,), "padding": "same"}),
        (lambda: old.Convolution1D(nb_filter=8, filter_length=5), "Conv1D", {"filters": 8, "kernel_size": (5,)}),
        (lambda: old.Convolution3D(8, 3, 4, 5), "Conv3D", {"kernel_size": (3, 4, 5)}),
        (lambda: old.AtrousConvolution2D(8, 3, 3, atrous_rate=(2, 2)), "Conv2D", {"dilation_rate": (2, 2)}),
        (lambda: old.SeparableConvolution2D(8, 3, 3), "SeparableConv2D", {"kernel_size": (3, 3)}),
        (lambda: old.ThresholdedReLU(0.5), "ReLU", {"threshold": 0.5}),
    ],
)  # fmt: skip
def test_old_forms(layer, today, expected):
    layer = layer()
    assert type(layer) is getattr(layers, today)
    assert {name: getattr(layer, name) for name in expected} == expected


def test_it_is_todays_layer_by_every_question():
    layer = old.Convolution2D(4, 3, 3)
    assert isinstance(layer, old.Convolution2D)
    assert issubclass(layers.Conv2D, old.Convolution2D)
    assert layers.Conv2D.from_config(layer.get_config()).kernel_size == (3, 3)
    assert old.Convolution2D.from_config(layer.get_config()).kernel_size == (3, 3)

    class Mine(old.Convolution2D):
        pass

    assert issubclass(Mine, layers.Conv2D)


def test_output_shape_of_a_deconvolution_is_said_to_be_left_out():
    with pytest.warns(UserWarning, match="output_shape"):
        layer = old.Deconvolution2D(4, 3, 3, output_shape=(None, 14, 14, 4), subsample=(2, 2), border_mode="same")
    assert (type(layer).__name__, layer.kernel_size, layer.strides) == ("Conv2DTranspose", (3, 3), (2, 2))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("sum", lambda a, b: a + b),
        ("mul", lambda a, b: a * b),
        ("ave", lambda a, b: (a + b) / 2),
        ("max", np.maximum),
        ("concat", lambda a, b: np.concatenate([a, b], 1)),
        ("dot", lambda a, b: (a * b).sum(1, keepdims=True)),
        (lambda pair: pair[0] - pair[1], lambda a, b: a - b),
    ],
)
def test_merge(mode, expected):
    a, b = np.random.rand(3, 4).astype("float32"), np.random.rand(3, 4).astype("float32")
    inputs = [layers.Input((4,)), layers.Input((4,))]
    model = models.Model(inputs, old.merge(inputs, mode=mode))
    np.testing.assert_allclose(model([a, b]), expected(a, b), rtol=1e-5)
    np.testing.assert_allclose(old.Merge(mode=mode)([a, b]), expected(a, b), rtol=1e-5)


def test_merge_of_models():
    left = models.Sequential([layers.Input((2,)), layers.Dense(3)])
    right = models.Sequential([layers.Input((2,)), layers.Dense(3)])
    merged = old.Merge([left, right], mode="concat")
    assert tuple(merged.output_shape) == (None, 6)
    with pytest.raises(ValueError, match="Did you mean 'concat'"):
        old.merge([left.output, right.output], mode="conkat")


def test_dense_for_each_step():
    layer = old.TimeDistributedDense(5, input_dim=3, input_length=4)
    assert layer(np.ones((2, 4, 3), "float32")).shape == (2, 4, 5)


def test_add_metric_shows_means_in_the_logs():
    class Noted(layers.Layer):
        def call(self, inputs):
            self.add_metric(inputs, name="mean_input", aggregation="mean")
            return inputs

    start = layers.Input((2,))
    hidden = Noted()(start)
    model = models.Model(start, layers.Dense(1)(hidden))
    model.add_metric(hidden * 2, name="doubled", aggregation="mean")
    model.compile("sgd", "mse")
    history = model.fit(np.full((40, 2), 3.0), np.ones(40), epochs=2, verbose=0).history
    assert history["mean_input"] == [3.0, 3.0]
    assert history["doubled"] == [6.0, 6.0]
