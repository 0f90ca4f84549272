"""Images under affine maps are those of scipy, for all orders, fill modes and shapes."""

import numpy as np
import pytest
from scipy import ndimage

from cornu.kernels.native import library, pictures
from cornu.preprocessing.image import resampling

SHAPES = [(3, 9, 7, 3), (2, 8, 8, 1), (2, 5, 5, 6), (2, 1, 6, 2), (1, 1, 1, 4), (90, 16, 8, 1)]


def by_scipy(images, maps, **arguments):
    planes = [
        [ndimage.affine_transform(image[..., c], *one, **arguments) for c in range(images.shape[3])]
        for image, *one in zip(images, *maps, strict=True)
    ]
    return np.moveaxis(np.array(planes), 1, -1)


@pytest.mark.parametrize("mode", [*resampling.FILL_MODES, "mirror"])
@pytest.mark.parametrize("order", [0, 1, 3])
def test_scipy(order, mode):
    drawn = np.random.RandomState(0)
    for shape in SHAPES:
        for scale in (0.2, 1.5):
            images = drawn.rand(*shape).astype("float32") * 255
            linear = drawn.randn(shape[0], 2, 2) * scale + np.eye(2)
            maps = resampling.Maps(linear, drawn.randn(shape[0], 2) * 5)
            theirs = by_scipy(images, maps, order=order, mode=mode, cval=7)
            resampling.resample(images, maps, order, mode, 7)
            np.testing.assert_allclose(images, theirs, atol=2e-3)


@pytest.mark.parametrize("mode", resampling.FILL_MODES)
@pytest.mark.parametrize("rows", [-18, -9, -8, -1, 0, 0.5, 8, 9, 17])
def test_shifts_to_the_edges(mode, rows):
    for columns in (-7, -6, 0, 6, 12.5):
        for order in (0, 1):
            images = np.random.RandomState(1).rand(1, 9, 7, 3).astype("float32")
            maps = resampling.Maps(np.eye(2)[None], np.array([[rows, columns]], float))
            theirs = by_scipy(images, maps, order=order, mode=mode, cval=7)
            resampling.resample(images, maps, order, mode, 7)
            np.testing.assert_allclose(images, theirs, atol=1e-5)


def test_other_dtypes_stay():
    images = np.arange(48, dtype="uint8").reshape(1, 4, 4, 3)
    resampling.resample(images, resampling.Maps(np.eye(2)[None], np.array([[0.5, 1.0]])))
    assert images.dtype == np.uint8
    assert images[0, 0, 0].tolist() == [9, 10, 11]


@pytest.mark.parametrize("mode", resampling.FILL_MODES)
@pytest.mark.parametrize("order", [0, 1])
def test_native_pixels_are_those_of_numpy(order, mode, monkeypatch):
    if not library.available(pictures.LIBRARY):
        pytest.skip(f"native kernels: {library.described(pictures.LIBRARY)}")
    drawn = np.random.RandomState(2)
    for shape in [*SHAPES, (40, 64, 64, 3)]:
        images = drawn.rand(*shape).astype("float32") * 255
        maps = resampling.Maps(drawn.randn(shape[0], 2, 2) / 2 + np.eye(2), drawn.randn(shape[0], 2) * 9)
        native, plain = images.copy(), images.copy()
        assert pictures.resampled(native, *maps, order, resampling.FILL_MODES.index(mode), 7.5)
        with monkeypatch.context() as patch:
            patch.setattr(pictures, "resampled", lambda *_: False)
            resampling.resample(plain, maps, order, mode, 7.5)
        np.testing.assert_array_equal(native, plain)
