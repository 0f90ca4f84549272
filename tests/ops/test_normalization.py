import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cornu.core.graph import SymbolicTensor
from cornu.ops import normalization

SHAPE = (3, 4, 5)
VALUES = arrays("float32", SHAPE, elements=st.floats(-100, 100, width=32))


def close(found, expected, tolerance=1e-4):
    found, expected = np.asarray(found, "float64"), np.asarray(expected, "float64")
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * max(1, np.abs(expected).max()))


@settings(max_examples=25, deadline=None)
@given(VALUES, st.sampled_from([0, 1, (0, 2), (-1,)]), st.booleans())
def test_moments_equal_keras(x, axes, keepdims):
    axes = (axes,) if isinstance(axes, int) else axes
    for found, expected in zip(
        normalization.moments(x, axes, keepdims), keras.ops.moments(x, axes, keepdims), strict=True
    ):
        close(found, expected)


@settings(max_examples=25, deadline=None)
@given(VALUES, st.sampled_from([1, 2, 3]), st.sampled_from([-1, 0, (1, 2)]))
def test_normalize_equals_keras(x, order, axis):
    if isinstance(axis, tuple) and order == 3:
        axis = axis[0]  # norms of matrices have other meanings in Keras
    if isinstance(axis, tuple) and order == 1:
        axis = axis[1]
    close(normalization.normalize(x, axis, order), keras.ops.normalize(x, axis, order))


def test_whole_numbers_are_normalized_as_floats():
    close(normalization.normalize(np.array([3, 4])), [0.6, 0.8])


def test_normalize_needs_an_order_of_one_or_more():
    with pytest.raises(ValueError, match="of at least 1; got 0"):
        normalization.normalize([1.0], order=0)


@pytest.mark.parametrize("axis", [-1, 1, (1, 2)])
def test_layer_and_rms_normalization_equal_keras(axis):
    x = np.random.default_rng(0).standard_normal(SHAPE).astype("float32")
    close(normalization.layer_normalization(x, axis=axis), keras.ops.layer_normalization(x, axis=axis))
    close(normalization.rms_normalization(x, axis=axis), keras.ops.rms_normalization(x, axis=axis))


def test_batch_normalization_equals_keras():
    random = np.random.default_rng(0)
    x, (mean, shift, factor) = random.standard_normal(SHAPE).astype("float32"), random.standard_normal((3, 4))
    variance = random.uniform(0.5, 2, 4)
    vectors = [vector.astype("float32") for vector in (mean, variance)]
    more = {"offset": shift.astype("float32"), "scale": factor.astype("float32")}
    close(
        normalization.batch_normalization(x, *vectors, 1, **more), keras.ops.batch_normalization(x, *vectors, 1, **more)
    )


def test_variances_of_float16_do_not_overflow():
    x = np.full((4, 2), 300, "float16") * np.array([[1], [-1], [1], [-1]], "float16")
    mean, variance = normalization.moments(x, (0,))
    assert mean.dtype == variance.dtype == "float16"
    assert np.all(np.isfinite(variance))


def test_symbolic_tensors_become_nodes_of_the_graph():
    tensor = SymbolicTensor((None, 3))
    assert tuple(normalization.layer_normalization(tensor).shape) == (None, 3)
    mean, variance = normalization.moments(tensor, 1)
    assert tuple(mean.shape) == tuple(variance.shape) == (None,)


def test_gradient_of_a_zero_vector_is_finite():
    assert np.all(np.isfinite(jax.grad(lambda x: normalization.normalize(x).sum())(np.zeros(3, "float32"))))


def test_a_scale_with_all_axes_of_the_input_has_a_gradient_too():
    x = jnp.arange(24.0).reshape(2, 3, 4)
    mean, variance, scale = x.mean((0, 1)), x.var((0, 1)), jnp.arange(1.0, 5.0)

    def total(scale):
        return jnp.sum(jnp.square(normalization.batch_normalization(x, mean, variance, -1, None, scale)))

    wide = jax.grad(total)(scale.reshape(1, 1, 4))
    np.testing.assert_allclose(wide.ravel(), jax.grad(total)(scale), rtol=1e-5)
