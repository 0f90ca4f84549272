"""The native kernels for pictures against numpy's form and against the definition of PNG's filters, bit for bit."""

import numpy as np
import pytest

from cornu.kernels.native import library, pictures
from cornu.preprocessing import resizing


@pytest.fixture(scope="module", autouse=True)
def built():
    if not library.available(pictures.LIBRARY):
        pytest.skip(f"native kernels: {library.described(pictures.LIBRARY)}")


def drawn(*shape):
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)


def natively(image, size, out=None):
    places = [resizing._places(old, new) for old, new in zip(image.shape, size, strict=False)]
    return pictures.resized(image, *places, out)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("old", "new"),
    [((37, 50), (16, 16)), ((5, 3), (9, 11)), ((1, 1), (4, 3)), ((8, 1), (3, 5)), ((2, 9), (2, 9)), ((40, 40), (1, 1))],
)
def test_resizing(old, new, channels):
    image = drawn(*old, channels)
    found = natively(image, new)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, resizing._bilinear(image, new))


def test_a_part_of_an_image_is_resized_in_place():
    image, batch = drawn(30, 41, 3), np.full((3, 8, 9, 3), -1, np.float32)
    part = image[3:25, 7:38]
    found = natively(part, (8, 9), batch[1])
    assert np.shares_memory(found, batch)
    np.testing.assert_array_equal(batch[1], resizing._bilinear(np.ascontiguousarray(part), (8, 9)))
    assert (batch[[0, 2]] == -1).all()


def test_a_result_that_cannot_be_written_is_returned():
    image = drawn(12, 12, 3)
    expected = resizing._bilinear(image, (5, 5))
    for out in (np.zeros((5, 5, 3), np.float64), np.zeros((3, 5, 5), np.float32).transpose(1, 2, 0)):
        np.testing.assert_array_equal(natively(image, (5, 5), out), expected)
        assert not out.any()


@pytest.mark.parametrize("image", [drawn(9, 9, 5), drawn(9, 9, 3).astype("float32"), drawn(9, 9, 3)[:, ::2]])
def test_what_is_not_taken(image):
    assert natively(image, (4, 4)) is None
    assert resizing.resized(image, (4, 4)).shape == (4, 4, image.shape[2])


def filtered_back(rows, height, width, channels):
    """Undo the filters as https://www.w3.org/TR/png-3/#9Filters defines them."""
    pixels = np.zeros((height, width * channels), int)
    for y, row in enumerate(np.frombuffer(rows, np.uint8).reshape(height, -1).astype(int)):
        for x, value in enumerate(row[1:]):
            left = pixels[y, x - channels] if x >= channels else 0
            up = pixels[y - 1, x] if y else 0
            corner = pixels[y - 1, x - channels] if y and x >= channels else 0
            nearest = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
            pixels[y, x] = (value + (0, left, up, (left + up) // 2, nearest)[row[0]]) % 256
    return pixels.reshape(height, width, channels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("width", [1, 2, 3, 7])
def test_filters(width, channels):
    rows = drawn(25, 1 + width * channels)
    rows[:, 0] = np.arange(25) * 7 % 5  # each filter in the first row of a picture, and after each other
    for first in range(5):
        part = rows[first:].tobytes()
        pixels = np.empty((25 - first, width, channels), np.uint8)
        assert pictures.unfiltered(part, pixels)
        np.testing.assert_array_equal(pixels, filtered_back(part, *pixels.shape))


def test_damaged_rows():
    pixels = np.empty((2, 3, 3), np.uint8)
    rows = bytes(20)
    assert pictures.unfiltered(rows, pixels)
    assert not pictures.unfiltered(rows[:-1], pixels)
    assert not pictures.unfiltered(rows + b"\0", pixels)
    assert not pictures.unfiltered(bytes(10) + b"\5" + bytes(9), pixels)
    assert not pictures.unfiltered(bytes(2 * 16), np.empty((2, 3, 5), np.uint8))
