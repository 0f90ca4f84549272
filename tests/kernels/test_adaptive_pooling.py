import jax
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornu.kernels.adaptive_pooling import adaptive_average_pool, adaptive_max_pool


def window(length, count, number):
    return slice(number * length // count, -(-(number + 1) * length // count))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 8))
def test_windows_cover_space_as_defined(length, count):
    x = np.random.default_rng(length).standard_normal((1, length, 2)).astype("float32")
    parts = [x[0, window(length, count, number)] for number in range(count)]
    np.testing.assert_allclose(adaptive_max_pool(x, count)[0], [part.max(0) for part in parts])
    np.testing.assert_allclose(adaptive_average_pool(x, count)[0], [part.mean(0) for part in parts], atol=1e-6)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("name", ["adaptive_average_pool", "adaptive_max_pool"])
def test_equals_keras(name, data_format):
    x = np.random.default_rng(0).standard_normal((2, 7, 5, 6)).astype("float32")
    ours = {"adaptive_average_pool": adaptive_average_pool, "adaptive_max_pool": adaptive_max_pool}[name]
    expected = getattr(keras.ops, name)(x, (3, 2), data_format)
    np.testing.assert_allclose(ours(x, (3, 2), data_format), expected, rtol=1e-5, atol=1e-6)


def test_whole_numbers_have_maxima():
    assert adaptive_max_pool(np.arange(6).reshape(1, 6, 1), 2).ravel().tolist() == [2, 5]


def test_gradients_go_to_the_places_of_the_maxima():
    gradient = jax.grad(lambda x: adaptive_max_pool(x, 2).sum())(np.array([[[1.0], [3.0], [2.0], [0.0]]]))
    assert gradient.ravel().tolist() == [0.0, 1.0, 1.0, 0.0]
