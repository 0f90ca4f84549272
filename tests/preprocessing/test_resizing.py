import numpy as np
import pytest

from cornu.preprocessing.resizing import METHODS, padded, resized

keras = pytest.importorskip("keras")


def picture(height, width):
    return np.random.default_rng(height).integers(0, 256, (height, width, 3)).astype("uint8")


@pytest.mark.parametrize("method", METHODS)
def test_a_plain_picture_stays_plain(method):
    """The weights of each new pixel sum to 1, at the margins too."""
    for size in ((3, 4), (20, 30), (7, 11)):
        found = resized(np.full((7, 11, 2), 100, "uint8"), size, method)
        assert found.shape == (*size, 2)
        np.testing.assert_allclose(found, 100, rtol=1e-5)


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("size", [(5, 8), (30, 31)])
def test_antialiasing_is_that_of_keras(method, size):
    """Real Keras, whose backend here is JAX; without antialiasing tests/utils compares with TensorFlow."""
    image = picture(23, 17)
    expected = keras.ops.image.resize(image.astype("float32"), size, method, antialias=True)
    np.testing.assert_allclose(resized(image, size, method, antialias=True), expected, atol=2e-3)


def test_one_pixel_and_thin_pictures():
    for method in METHODS:
        assert resized(picture(1, 1), (3, 2), method).shape == (3, 2, 3)
        assert resized(picture(1, 40), (4, 4), method).shape == (4, 4, 3)
    assert padded(picture(1, 400), (8, 8)).shape == (8, 8, 3)


def test_nearest_keeps_the_dtype_and_others_compute_in_float32():
    assert resized(picture(4, 4), (2, 2), "nearest").dtype == np.uint8
    assert resized(picture(4, 4), (2, 2), "area").dtype == np.float32
