"""Dense, Identity, Lambda, Masking and Wrapper against real Keras."""

import itertools
import json
import warnings

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cornu.layers as layers
from contract.compare import assert_like_keras
from cornu.core import serialization
from cornu.core.scope import get_mask


def array(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype("float32")


DENSE = [
    {"units": 3},
    {"units": 1, "use_bias": False},
    {"units": 4, "activation": "softmax"},
    {"units": 4, "activation": "relu", "kernel_regularizer": "l2", "bias_regularizer": "l1"},
    {"units": 2, "kernel_constraint": "max_norm", "bias_constraint": "non_neg"},
]


@pytest.mark.parametrize(
    ("arguments", "shape"), [*itertools.product(DENSE, [(4, 5)]), (DENSE[0], (2, 3, 5)), (DENSE[2], (2, 3, 2, 5))]
)
def test_dense_is_keras_dense(arguments, shape):
    assert_like_keras(layers.Dense(**arguments), keras.layers.Dense(**arguments), array(*shape), training=True)


def test_activity_regularizers_penalise_the_mean_over_samples_as_in_keras():
    inputs = np.ones((4, 5), "float32")
    ours, theirs = (
        module.Dense(3, kernel_initializer="ones", activity_regularizer="l2") for module in (layers, keras.layers)
    )
    ours(inputs), theirs(inputs)
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-6)


def test_dense_computes_in_the_type_of_its_policy():
    ours, theirs = (module.Dense(3, "relu", dtype="mixed_bfloat16") for module in (layers, keras.layers))
    expected = theirs(array(4, 5))
    ours.build((None, 5))
    ours.set_weights(theirs.get_weights())
    assert ours(array(4, 5)).dtype == expected.dtype == "bfloat16"
    assert ours.kernel.numpy().dtype == "float32"
    np.testing.assert_allclose(np.float32(ours(array(4, 5))), np.float32(expected), rtol=1e-2, atol=1e-2)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 5), st.integers(1, 5), st.booleans())
def test_dense_is_an_affine_map_of_the_last_axis(leading, features, units, use_bias):
    layer = layers.Dense(units, use_bias=use_bias, bias_initializer="normal")
    inputs = array(*leading, features)
    outputs = layer(inputs)
    expected = inputs @ layer.kernel.numpy() + (layer.bias.numpy() if use_bias else 0)
    assert outputs.shape == (*leading, units)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("units", [0, -3, 2.5, "3", None, True])
def test_units_that_are_no_count_are_rejected_with_a_clear_error(units):
    with pytest.raises(ValueError, match="Dense: `units` must be an integer of at least 1"):
        layers.Dense(units)


def test_an_unknown_last_axis_is_named_before_anything_is_computed():
    with pytest.raises(ValueError, match=r"last axis of its input, which is unknown: \(None, None\)"):
        layers.Dense(3)(layers.Input((None,)))


def test_another_number_of_features_than_built_for_raises_a_clear_error():
    layer = layers.Dense(3)
    layer(array(2, 5))
    with pytest.raises(ValueError, match="axis -1 of size 5"):
        layer(array(2, 6))
    with pytest.raises(ValueError, match="at least 2 axes"):
        layers.Dense(3)(array(5))


def test_weights_given_to_the_constructor_are_the_first_values():
    kernel, bias = array(4, 3), array(3)
    layer = layers.Dense(3, weights=[kernel, bias])
    layer.build((None, 4))
    np.testing.assert_array_equal(layer.kernel.numpy(), kernel)
    np.testing.assert_array_equal(layer.get_weights()[1], bias)


def test_identity_returns_what_it_gets():
    assert_like_keras(layers.Identity(), keras.layers.Identity(), array(2, 3))


@pytest.mark.parametrize("value", [0.0, 1.5])
def test_masking_is_keras_masking(value):
    inputs = np.where(array(4, 5, 1) > 0, array(4, 5, 3), value).astype("float32")
    assert_like_keras(layers.Masking(value), keras.layers.Masking(value), inputs)
    expected = keras.layers.Masking(value)(inputs)._keras_mask
    np.testing.assert_array_equal(get_mask(layers.Masking(value)(inputs)), expected)
    assert not np.all(expected)


class TestLambda:
    def test_computes_shapes_and_values_of_its_function(self):
        def function(x, scale):
            return [x[:, :1] * scale, jnp.sum(x, axis=-1)]

        layer = layers.Lambda(function, arguments={"scale": 3.0})
        first, second = layer(layers.Input((4,)))
        assert (tuple(first.shape), tuple(second.shape)) == ((None, 1), (None,))
        np.testing.assert_allclose(layer(array(2, 4))[0], array(2, 4)[:, :1] * 3)

    def test_a_wrong_output_shape_from_an_old_program_does_no_harm(self):
        layer = layers.Lambda(lambda x: x[:, None], output_shape=(99,))
        assert tuple(layer(layers.Input((4,))).shape) == (None, 1, 4)

    def test_mask_and_training_are_given_where_the_function_names_them(self):
        layer = layers.Lambda(lambda x, training, mask: x * (2.0 if training else 1.0) * mask[..., None])
        masked = layers.Masking()(np.ones((1, 2, 3), "float32"))
        np.testing.assert_array_equal(layer(masked, training=True), 2 * np.ones((1, 2, 3)))
        np.testing.assert_array_equal(layer(masked), np.ones((1, 2, 3)))

    def test_masks_are_keras_masks(self):
        inputs = np.array([[[1.0], [0.0]]], "float32")
        for mask in (None, lambda x, previous: ~previous, np.array([[False, False]])):
            found = layers.Lambda(lambda x: x + 0, mask=mask)(layers.Masking()(inputs))
            # Keras warns where a layer drops a mask.
            with warnings.catch_warnings(action="ignore"):
                reference = keras.layers.Lambda(lambda x: x + 0, mask=mask)(keras.layers.Masking()(inputs))
            expected = getattr(reference, "_keras_mask", None)
            assert (get_mask(found) is None) == (expected is None)
            if expected is not None:
                np.testing.assert_array_equal(get_mask(found), expected)

    def test_a_config_holds_the_function_and_its_serialised_form_only_a_name(self):
        layer = layers.Lambda(abs)
        json.dumps(layer.get_config())
        again = layers.Lambda.from_config(layer.get_config())
        assert again.function is abs
        np.testing.assert_array_equal(again(-np.ones((1, 2))), np.ones((1, 2)))
        assert layers.serialize(layers.Lambda(array))["config"]["function"]["config"] == "array"
        restored = layers.deserialize(layers.serialize(layers.Lambda(doubled)), {"doubled": doubled})
        np.testing.assert_array_equal(restored(np.ones((1, 2))), 2 * np.ones((1, 2)))

    def test_what_is_no_function_is_refused(self):
        with pytest.raises(TypeError, match="Lambda takes a function of the inputs; got 3"):
            layers.Lambda(3)


def doubled(x):
    return 2 * x


def test_a_wrapper_builds_the_layer_inside_and_owns_its_weights():
    class Twice(layers.Wrapper):
        def call(self, inputs):
            return self.layer(self.layer(inputs))

    wrapper = Twice(layers.Dense(3))
    assert wrapper(array(2, 3)).shape == (2, 3)
    assert [weight.shape for weight in wrapper.trainable_weights] == [(3, 3), (3,)]
    with pytest.raises(TypeError, match="Twice wraps a layer"):
        Twice(3)


def test_wrapped_layers_come_back_from_a_config():
    layer = layers.TimeDistributed(layers.Dense(3, name="inner"))
    again = serialization.deserialize(serialization.serialize(layer))
    assert (again.layer.name, again.layer.units) == ("inner", 3)


def test_layers_trace_without_leaving_tracers_behind():
    layer = layers.Dense(2)
    jax.jit(lambda x: layer(x))(array(3, 4))
    assert isinstance(layer.kernel.numpy(), np.ndarray)


@pytest.mark.parametrize("three", [np.array(3), np.int64(3), np.uint8(3), jnp.array(3), 3.0], ids=repr)
def test_numbers_may_be_arrays_without_axes(three):
    for layer in (layers.Dense(three), layers.Embedding(three, three), layers.RepeatVector(three)):
        config = json.loads(json.dumps(layer.get_config()))
        assert 3 in config.values()
        assert type(next(value for value in config.values() if value == 3)) is int
    assert layers.Conv2D(three, (2, 2)).filters == 3
    if three != 3.0 or not isinstance(three, float):
        assert layers.Conv2D(1, three).kernel_size == (3, 3)
        assert layers.Reshape((three, -1)).target_shape == (3, -1)
        assert layers.ZeroPadding2D(three).padding == ((3, 3), (3, 3))
    for rate in (np.array(0.5), np.float32(0.5), jnp.array(0.5)):
        assert json.loads(json.dumps(layers.Dropout(rate).get_config()))["rate"] == 0.5
    with pytest.raises(ValueError, match="units"):
        layers.Dense(np.array([3]))
