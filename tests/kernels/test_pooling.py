"""Poolings equal Keras's, outputs and gradients, ties included."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornu.kernels.pooling import LARGEST_WINDOW, average_pool, max_pool

PAIRS = [(max_pool, keras.ops.max_pool), (average_pool, keras.ops.average_pool)]


def whole_numbers(*shape):
    """Few different values: nearly every window has a tie."""
    return jnp.asarray(np.random.default_rng(0).integers(-3, 3, size=shape), jnp.float32)


def assert_same(ours, theirs, x):
    def weighted(function):
        def loss(x):
            result = function(x)
            return jnp.sum(result * jnp.cos(jnp.arange(result.size, dtype=x.dtype)).reshape(result.shape)), result

        return jax.jit(jax.value_and_grad(loss, has_aux=True))(x)

    ((_, result), gradient), ((_, wanted), wanted_gradient) = weighted(ours), weighted(theirs)
    assert result.shape == wanted.shape
    np.testing.assert_allclose(result, wanted, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(gradient, wanted_gradient, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("data_format", "padding"), [("channels_last", "same"), ("channels_first", "valid")])
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize(
    ("space", "size", "strides"),
    [
        ((9,), 2, None),
        ((9,), 3, 2),
        ((8, 6), 2, None),
        ((7, 9), (2, 3), None),
        ((7, 9), 3, 2),
        ((7, 9), 2, 3),
        ((7, 9), (3, 1), 1),
        ((4, 5, 6), 2, None),
        ((4, 5, 6), (2, 3, 2), (1, 2, 2)),
    ],
)
def test_pooling_equals_keras(data_format, padding, ours, theirs, space, size, strides):
    x = whole_numbers(*((3, *space, 2) if data_format == "channels_last" else (3, 2, *space)))
    assert_same(lambda x: ours(x, size, strides, padding, data_format),
                lambda x: theirs(x, size, strides or size, padding, data_format), x)  # fmt: skip


@settings(max_examples=6)
@given(
    height=st.integers(4, 9),
    width=st.integers(4, 9),
    size=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=st.sampled_from(["valid", "same"]),
    which=st.sampled_from(PAIRS),
)
def test_drawn_windows_equal_keras(height, width, size, strides, padding, which):
    ours, theirs = which
    x = whole_numbers(2, height, width, 3)
    assert_same(lambda x: ours(x, size, strides, padding), lambda x: theirs(x, size, strides, padding), x)


def test_a_tie_goes_to_the_first():
    gradient = jax.grad(lambda x: jnp.sum(max_pool(x, 2)))(jnp.ones((1, 2, 2, 1)))
    assert gradient.ravel().tolist() == [1.0, 0.0, 0.0, 0.0]


def test_large_windows_go_xlas_way():
    size = LARGEST_WINDOW + 1
    x = whole_numbers(2, 2 * size, 3)
    for ours, theirs in PAIRS:
        assert_same(lambda x, f=ours: f(x, size), lambda x, f=theirs: f(x, size, size), x)


def test_nan_shows_in_the_maximum():
    assert jnp.isnan(max_pool(jnp.array([0.0, jnp.nan, 2.0, 1.0]).reshape(1, 4, 1), 4)).all()


def test_whole_numbers_and_half_precision():
    assert max_pool(jnp.arange(4).reshape(1, 4, 1), 2).ravel().tolist() == [1, 3]
    assert jax.grad(lambda x: max_pool(x, 2).sum())(jnp.ones((1, 4, 1), jnp.bfloat16)).dtype == jnp.bfloat16


def test_second_gradient_and_vmap():
    x = jnp.asarray(np.random.default_rng(1).normal(size=(2, 6, 6, 2)), jnp.float32)

    def penalty(pool):
        return jax.grad(lambda x: jnp.sum(jax.grad(lambda x: jnp.sum(pool(x) ** 3))(x) ** 2))

    for ours, theirs in PAIRS:
        wanted = penalty(lambda x, f=theirs: f(x, 2, 2))(x)
        np.testing.assert_allclose(penalty(lambda x, f=ours: f(x, 2))(x), wanted, rtol=1e-4, atol=1e-5)
        looped = jax.vmap(penalty(lambda x, f=ours: f(x[None], 2)))(x)
        np.testing.assert_allclose(looped, wanted, rtol=1e-4, atol=1e-5)


def test_errors_name_what_came():
    x = jnp.ones((1, 4, 4, 1))
    with pytest.raises(ValueError, match="padding='full'"):
        max_pool(x, 2, padding="full")
    with pytest.raises(ValueError, match="pool_size="):
        average_pool(x, (2, 2, 2))
    with pytest.raises(ValueError, match="data_format='NHWC'"):
        max_pool(x, 2, data_format="NHWC")
