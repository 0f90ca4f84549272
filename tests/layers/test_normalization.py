import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from contract.compare import assert_like_keras, assert_trees_close, copy_weights, evaluate
from cornu import layers


def normal(shape, scale=1.0):
    return (3 + scale * np.random.default_rng(1).standard_normal(shape)).astype("float32")


def both(name, *args, **kwargs):
    return getattr(layers, name)(*args, **kwargs), getattr(keras.layers, name)(*args, **kwargs)


BATCH = [
    {},
    {"axis": 1, "momentum": 0.5, "epsilon": 0.1},
    {"axis": -2, "center": False},
    {"scale": False, "gamma_regularizer": "l2", "beta_regularizer": "l1"},
    {"renorm": True, "renorm_momentum": 0.7},
    {"renorm": True, "renorm_clipping": {"rmin": 0.5, "rmax": 2.0, "dmax": 1.0}, "center": False, "scale": False},
]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("arguments", BATCH)
def test_batch_normalization_equals_keras(arguments, training):
    ours, theirs = both("BatchNormalization", **arguments)
    assert_like_keras(ours, theirs, normal((4, 3, 5)), training=training)


def test_batch_normalization_with_a_mask_equals_keras():
    ours, theirs = both("BatchNormalization")
    mask = np.array([[True, True, False], [True, False, False]])
    assert_like_keras(ours, theirs, normal((2, 3, 4)), training=True, mask=mask)


def test_a_mask_works_for_a_single_channel():
    layer = layers.BatchNormalization(momentum=0.0)
    layer(np.array([[[1.0], [3.0], [99.0]]]), training=True, mask=np.array([[True, True, False]]))
    np.testing.assert_allclose(layer.moving_mean.numpy(), [2.0], rtol=1e-5)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", ["BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization"])
def test_short_floats_keep_statistics_in_float32(name, dtype):
    arguments = {"groups": 2} if name == "GroupNormalization" else {}
    ours, theirs = both(name, dtype=dtype, **arguments)
    inputs = normal((8, 4), 200.0)  # squares of these overflow float16
    copy_weights(ours, theirs, inputs)
    found, expected = (evaluate(layer, inputs, {}, gradients=False) for layer in (ours, theirs))
    assert_trees_close(found, expected, 0.02)
    assert all(weight._value.dtype == jnp.float32 for weight in ours.weights)


def test_moving_averages_move_in_training_and_only_there():
    layer = layers.BatchNormalization(momentum=0.9)
    inputs = np.array([[1.0], [3.0]], "float32")
    layer(inputs)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), [0.0])
    layer(inputs, training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), [0.2], rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), [1.0], rtol=1e-6)


def test_a_frozen_batch_normalization_uses_its_averages_also_in_training():
    layer = layers.BatchNormalization()
    inputs = normal((4, 3))
    expected = layer(inputs, training=False)
    layer.trainable = False
    np.testing.assert_array_equal(layer(inputs, training=True), expected)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), np.zeros(3))
    assert layer.trainable_variables == []
    assert len(layer.non_trainable_variables) == 4


def test_weights_have_keras_names_in_keras_order():
    layer = layers.BatchNormalization()
    layer.build((None, 3))
    assert [weight.name for weight in layer.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert [weight.name for weight in layer.trainable_weights] == ["gamma", "beta"]


def test_keras_2_configs_name_the_axis_in_a_list():
    assert layers.BatchNormalization(axis=[3]).axis == 3


def test_synchronized_changes_nothing_on_one_device():
    inputs = normal((4, 3))
    one, other = layers.BatchNormalization(), layers.BatchNormalization(synchronized=True)
    np.testing.assert_array_equal(one(inputs, training=True), other(inputs, training=True))


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("LayerNormalization", {"axis": 1}, (2, 3, 4)),
        ("LayerNormalization", {"axis": [-1, -2], "epsilon": 0.1}, (2, 3, 4)),
        ("LayerNormalization", {"axis": [2, 1], "center": False}, (2, 3, 4)),
        ("LayerNormalization", {"scale": False, "beta_regularizer": "l2"}, (2, 3)),
        ("RMSNormalization", {"axis": [1, 2], "epsilon": 0.1}, (2, 3, 4)),
        ("RMSNormalization", {"axis": -1}, (2, 3, 4)),
        ("GroupNormalization", {"groups": -1}, (2, 3, 3, 4)),
        ("GroupNormalization", {"groups": 1, "center": False}, (2, 3, 4)),
        ("GroupNormalization", {"groups": 2, "axis": 1, "scale": False}, (2, 4, 3, 2)),
        ("UnitNormalization", {"axis": [1, 2]}, (2, 3, 4)),
        ("UnitNormalization", {"axis": 1}, (2, 3, 4)),
    ],
)
def test_normalizations_of_rows_equal_keras(name, arguments, shape):
    assert_like_keras(*both(name, **arguments), normal(shape))


def test_rms_normalization_over_another_axis():
    """Keras itself cannot multiply by its `scale` there."""
    layer, x = layers.RMSNormalization(axis=1, epsilon=0.0), normal((2, 3, 4))
    layer.build(x.shape)
    layer.set_weights([np.array([1.0, 2.0, 3.0])])
    expected = x / np.sqrt((x**2).mean(1, keepdims=True)) * np.array([1.0, 2.0, 3.0])[:, None]
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:You passed `rms_scaling:UserWarning")
def test_rms_scaling_equals_keras():
    assert_like_keras(*both("LayerNormalization", rms_scaling=True), normal((2, 5)))


def test_zeros_have_unit_normalization_and_gradient():
    gradient = jax.grad(lambda x: jnp.sum(layers.UnitNormalization()(x)))(jnp.zeros((1, 3)))
    assert np.all(np.isfinite(gradient))
    np.testing.assert_array_equal(layers.UnitNormalization()(np.zeros((1, 3))), np.zeros((1, 3)))


def test_spectral_normalization_makes_the_largest_singular_value_one():
    layer = layers.SpectralNormalization(layers.Conv2D(4, 3), power_iterations=50)
    layer(np.ones((1, 5, 5, 2)), training=True)
    singular = np.linalg.svd(layer.layer.kernel.numpy().reshape(-1, 4), compute_uv=False)
    np.testing.assert_allclose(singular[0], 1.0, rtol=1e-3)


def test_spectral_normalization_leaves_a_kernel_of_zeros_alone():
    layer = layers.SpectralNormalization(layers.Dense(2, kernel_initializer="zeros"))
    np.testing.assert_array_equal(layer(np.ones((1, 3)), training=True), np.zeros((1, 2)))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.BatchNormalization(axis=3)(np.ones((2, 3))), ValueError, r"axis=3, .* \(2, 3\) does not have"),
        (lambda: layers.BatchNormalization(axis=[1, 2]), TypeError, "`axis` must be one integer"),
        (lambda: layers.BatchNormalization(momentum=2), ValueError, "`momentum` must be a number from 0 to 1"),
        (lambda: layers.BatchNormalization(epsilon=-1), ValueError, "`epsilon`"),
        (lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"max": 1}), ValueError, "'max'"),
        (lambda: layers.BatchNormalization(renorm_clipping={"rmin": 2, "rmax": 1}), ValueError, "rmin <= rmax"),
        (lambda: layers.BatchNormalization()(layers.Input((None,))), ValueError, "which is unknown"),
        (
            lambda: layers.BatchNormalization()(np.ones((2, 3, 4)), training=True, mask=np.ones((2,), bool)),
            ValueError,
            "takes a mask with all axes of its input but the last",
        ),
        (lambda: layers.LayerNormalization(axis="last"), TypeError, "`axis`"),
        (lambda: layers.LayerNormalization(axis=[1, 5])(np.ones((2, 3))), ValueError, "does not have"),
        (lambda: layers.RMSNormalization(axis=5)(np.ones((2, 3))), ValueError, "no axis 5"),
        (lambda: layers.UnitNormalization(axis=5)(np.ones((2, 3))), ValueError, "no axis 5"),
        (lambda: layers.GroupNormalization(groups=2)(np.ones((2, 3))), ValueError, "cannot divide the 3 channels"),
        (lambda: layers.GroupNormalization(groups=8)(np.ones((2, 4))), ValueError, "Use a divisor of 4"),
        (lambda: layers.GroupNormalization(groups=0), ValueError, "`groups`"),
        (lambda: layers.SpectralNormalization(layers.Flatten())(np.ones((2, 3))), ValueError, "has neither"),
        (lambda: layers.SpectralNormalization(layers.Dense(2), 0), ValueError, "`power_iterations`"),
    ],
)
def test_a_mismatch_raises_a_clear_error(make, error, message):
    with pytest.raises(error, match=message):
        make()
