import keras
import numpy as np
import pytest

from cornu.ops.resizing import INTERPOLATIONS, resize_space


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_equals_keras(interpolation):
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 1)).astype("float32")
    expected = keras.ops.image.resize(x, (5, 6), interpolation)
    np.testing.assert_allclose(resize_space(x, (5, 6), (1, 2), interpolation), expected, rtol=1e-5, atol=1e-5)
