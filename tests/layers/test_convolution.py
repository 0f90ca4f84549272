import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.compare import assert_like_keras, assert_trees_close, copy_weights, evaluate
from cornu import layers

PLAIN = [
    ("Conv1D", (2, 8, 3), {"padding": "same", "strides": 3}),
    ("Conv1D", (2, 8, 4), {"padding": "causal", "groups": 2}),
    ("Conv1D", (2, 3, 8), {"data_format": "channels_first", "dilation_rate": 2}),
    ("Conv1D", (2, 3, 8), {"data_format": "channels_first", "padding": "causal"}),
    ("Conv2D", (2, 6, 7, 3), {"dilation_rate": (2, 1), "padding": "SAME"}),
    ("Conv2D", (2, 4, 6, 7), {"data_format": "channels_first", "groups": 2, "strides": (2, 1)}),
    ("Conv3D", (2, 4, 5, 3, 2), {"padding": "same", "strides": (1, 2, 1), "groups": 2}),
    ("Conv3D", (2, 2, 4, 5, 3), {"padding": "same", "data_format": "channels_first"}),
    ("Conv1DTranspose", (2, 5, 3), {"padding": "same", "strides": 2, "output_padding": 0}),
    ("Conv2DTranspose", (2, 4, 3, 3), {"dilation_rate": 2}),
    ("Conv2DTranspose", (2, 3, 4, 3), {"data_format": "channels_first", "strides": (2, 3), "padding": "same"}),
    ("Conv2DTranspose", (2, 4, 3, 3), {"strides": (3, 2), "output_padding": (2, 1)}),
    ("Conv3DTranspose", (2, 3, 2, 3, 2), {"strides": (2, 1, 2)}),
]
DEPTHWISE = [
    ("DepthwiseConv1D", (2, 3, 8), {"data_format": "channels_first", "dilation_rate": 2}),
    ("DepthwiseConv2D", (2, 3, 6, 5), {"data_format": "channels_first", "depth_multiplier": 2, "padding": "same"}),
    ("DepthwiseConv2D", (2, 6, 5, 3), {"strides": 2, "use_bias": False}),
]
SEPARABLE = [
    ("SeparableConv1D", (2, 3, 8), {"data_format": "channels_first", "strides": 2, "padding": "same"}),
    ("SeparableConv2D", (2, 6, 5, 3), {"dilation_rate": (1, 2), "depth_multiplier": 3}),
    ("SeparableConv2D", (2, 3, 6, 5), {"data_format": "channels_first", "use_bias": False}),
]


def normal(shape):
    return np.random.default_rng(1).standard_normal(shape).astype("float32")


def positional(name):
    return (3,) if name.startswith("Depthwise") else (4, 3) if not name.startswith("Conv3D") else (4, 2)


@pytest.mark.parametrize(("name", "shape", "arguments"), PLAIN + DEPTHWISE + SEPARABLE)
def test_equals_keras(name, shape, arguments):
    ours = getattr(layers, name)(*positional(name), **arguments)
    theirs = getattr(keras.layers, name)(*positional(name), **arguments)
    assert_like_keras(ours, theirs, normal(shape))


@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose"])
def test_penalties_constraints_and_activation_equal_keras(name):
    arguments = {
        "activation": "tanh",
        "kernel_regularizer": "l1",
        "bias_regularizer": "l2",
        "activity_regularizer": "l1",
        "kernel_constraint": "unit_norm",
        "bias_constraint": "non_neg",
    }
    ours, theirs = (getattr(module, name)(2, 3, **arguments) for module in (layers, keras.layers))
    assert_like_keras(ours, theirs, normal((2, 5, 5, 3)))
    kernel = ours.weights[0]
    np.testing.assert_allclose(
        kernel.constraint(kernel.value), theirs.weights[0].constraint(theirs.weights[0].value), rtol=1e-5
    )


@pytest.mark.parametrize("name", ["SeparableConv2D", "DepthwiseConv2D"])
def test_penalties_of_each_kernel_equal_keras(name):
    arguments = {"depthwise_regularizer": "l1", "bias_regularizer": "l2"}
    if name == "SeparableConv2D":
        arguments["pointwise_regularizer"] = "l2"
    ours, theirs = (getattr(module, name)(*positional(name), **arguments) for module in (layers, keras.layers))
    assert_like_keras(ours, theirs, normal((2, 5, 5, 3)))


def test_mixed_precision_computes_in_bfloat16_and_keeps_float32_weights():
    ours, theirs = (module.Conv2D(4, 3, dtype="mixed_bfloat16") for module in (layers, keras.layers))
    inputs = normal((2, 6, 6, 3))
    copy_weights(ours, theirs, inputs)
    assert_trees_close(evaluate(ours, inputs, {}), evaluate(theirs, inputs, {}), 0.05)
    assert ours(inputs).dtype == "bfloat16"
    assert {weight.dtype for weight in ours.weights} == {"float32"}


def test_whole_numbers_such_as_pixels_are_taken_as_they_are():
    pixels = np.random.default_rng(2).integers(0, 255, (2, 6, 6, 3)).astype("uint8")
    ours, theirs = layers.Conv2D(4, 3), keras.layers.Conv2D(4, 3)
    copy_weights(ours, theirs, pixels.astype("float32"))
    np.testing.assert_allclose(ours(pixels), theirs(pixels), rtol=1e-4, atol=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([("Conv2D", (2, 3)), ("Conv2DTranspose", (2, 3)), ("DepthwiseConv2D", (3,))]),
    st.tuples(st.integers(6, 9), st.integers(6, 9)),
    st.sampled_from([1, 2, 3]),
    st.sampled_from(["valid", "same"]),
    st.sampled_from(["channels_last", "channels_first"]),
    st.booleans(),
)
def test_inferred_shapes_equal_keras(kind, space, step, padding, data_format, spread):
    name, positional = kind
    arguments = {"padding": padding, "data_format": data_format, "dilation_rate" if spread else "strides": step}
    if name == "DepthwiseConv2D" and space[0] != space[1]:
        space = (space[0], space[0])
    shape = (None, *space, 4) if data_format == "channels_last" else (None, 4, *space)
    ours, theirs = (getattr(module, name)(*positional, **arguments) for module in (layers, keras.layers))
    assert tuple(ours.compute_output_shape(shape)) == tuple(theirs.compute_output_shape(shape))


@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose", "SeparableConv2D"])
def test_unknown_sizes_of_images_stay_unknown(name):
    shape = (None, None, None, 3)
    ours = getattr(layers, name)(4, 3, strides=2, padding="same")
    assert tuple(ours.compute_output_shape(shape)) == (None, None, None, 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(4, 3, strides=2, dilation_rate=2), "not both"),
        (lambda: layers.Conv2DTranspose(4, 3, strides=2, dilation_rate=2), "not both"),
        (lambda: layers.Conv2D(5, 3, groups=2), "cannot be divided into groups=2"),
        (lambda: layers.Conv2D(0, 3), "`filters` must be an integer of at least 1; got 0"),
        (lambda: layers.Conv2D(4, 3, groups=0), "`groups`"),
        (lambda: layers.Conv2D(4, (3, 3, 3)), "`kernel_size` must be an integer of at least 1, or 2 of them"),
        (lambda: layers.Conv2D(4, 0), "`kernel_size`"),
        (lambda: layers.Conv2D(4, 3, strides=(1, 0)), "`strides`"),
        (lambda: layers.Conv2D(4, 3, padding="sam"), "Did you mean 'same'"),
        (lambda: layers.Conv2D(4, 3, padding="causal"), "padding of Conv2D"),
        (lambda: layers.Conv2D(4, 3, data_format="last"), "data_format"),
        (lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=2), "smaller than the stride"),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), "`depth_multiplier`"),
        (lambda: layers.Conv2D(4, 3)(np.ones((2, 6, 6))), "expects an input with 4 axes"),
        (lambda: layers.Conv2D(4, 3, groups=2)(np.ones((2, 6, 6, 3))), "cannot divide the 3 channels"),
        (lambda: layers.Conv2D(4, 7)(np.ones((2, 6, 6, 3))), "would return an empty output"),
        (lambda: layers.Conv2D(4, 3)(layers.Input((6, 6, None))), "which is unknown"),
    ],
)
def test_a_mismatch_raises_a_clear_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_other_channels_than_at_first_are_refused():
    layer = layers.Conv2D(4, 3)
    layer(np.ones((1, 5, 5, 3)))
    with pytest.raises(ValueError, match="axis -1 of size 3"):
        layer(np.ones((1, 5, 5, 1)))
