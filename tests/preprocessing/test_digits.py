import numpy as np
import pytest
from scipy import ndimage

from cornu.datasets import mnist
from cornu.preprocessing.digits import digits_of


@pytest.fixture(scope="module")
def images():
    return mnist.load_data()[1][0][:60]


def sheet(images, places, size=84, shape=(300, 420)):
    """Return ink from 0 to 1 with enlarged images at the places (top, left)."""
    ink = np.zeros(shape)
    for image, (top, left) in zip(images, places, strict=True):
        ink[top : top + size, left : left + size] = ndimage.zoom(image / 255, size / 28, order=1).clip(0, 1)
    return ink


PLACES = [(20, 20), (30, 150), (15, 290), (160, 30), (170, 160), (155, 300)]


def test_images_of_mnist_come_back_as_they_are(images):
    found = np.concatenate([digits_of(image).images for image in images])
    assert found.shape == (60, 28, 28)
    assert found.dtype == np.float32
    assert np.abs(found - images / 255).mean() < 0.01


def test_digits_are_centred_by_mass_in_a_box_of_twenty(images):
    found = digits_of(sheet(images[:6], PLACES)).images
    for image in found:
        assert np.allclose(ndimage.center_of_mass(image), 14, atol=0.6)
        rows, columns = np.nonzero(image > 0.1)
        assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21
        assert image.max() == 1


def test_a_seven_reaches_the_lower_edge_as_those_of_mnist_do():
    """Mass alone decides where a digit lies: one in ten of MNIST's sevens ends in the last row, and a few lost it."""
    images, classes = mnist.load_data()[1]
    low = images[(classes == 7) & (images[:, 27].max(1) > 100)][:20]
    assert len(low) == 20
    for image, found in zip(low, (digits_of(sheet([image], [(20, 20)])).images[0] for image in low), strict=True):
        assert np.allclose(ndimage.center_of_mass(image), 14, atol=0.51)
        assert np.allclose(ndimage.center_of_mass(found), 14, atol=0.6)
        assert abs(last_row(found) - last_row(image / 255)) <= 1
    assert sum(last_row(digits_of(sheet([image], [(20, 20)])).images[0]) == 27 for image in low) > 10


def last_row(image):
    return np.flatnonzero(image.max(1) > 0.1)[-1]


@pytest.mark.parametrize("dark_on_light", [True, False])
@pytest.mark.parametrize("channels", [0, 1, 3])
def test_a_photographed_sheet_is_read_in_order(images, dark_on_light, channels):
    """Uneven light, noise, paper that is not white: the same small images, line by line."""
    ink = sheet(images[:6], PLACES)
    rows, columns = np.mgrid[0:300, 0:420]
    light = 0.95 - 0.4 * columns / 420 - 0.2 * rows / 300
    photo = light * (1 - 0.7 * ink) + np.random.default_rng(0).normal(0, 0.01, ink.shape)
    photo = ((photo if dark_on_light else 1 - photo).clip(0, 1) * 255).astype("uint8")
    photo = np.repeat(photo[..., None], channels, 2) if channels else photo
    boxes, found = digits_of(photo)
    assert len(boxes) == 6
    for (left, top, right, bottom), (at_top, at_left) in zip(boxes, PLACES, strict=True):
        assert at_left <= left < right <= at_left + 84
        assert at_top <= top < bottom <= at_top + 84
    assert np.abs(found - images[:6] / 255).mean() < 0.06


def test_strokes_on_a_transparent_canvas(images):
    ink = sheet(images[:6], PLACES)
    for colour in (0, 255):
        canvas = np.dstack([np.full((300, 420, 3), colour), ink * 255]).astype("uint8")
        assert len(digits_of(canvas).boxes) == 6


def test_pieces_above_each_other_are_one_digit_and_lines_are_not():
    five = np.zeros((120, 200))
    five[20:26, 40:80] = 1  # its bar
    five[30:80, 40:46] = five[74:80, 40:70] = 1
    assert digits_of(five).boxes.tolist() == [[40, 20, 80, 80]]
    two_lines = np.zeros((200, 200))
    two_lines[20:80, 90:98] = two_lines[100:160, 90:98] = 1
    assert len(digits_of(two_lines).boxes) == 2


def test_all_ink_is_one_digit_where_that_is_said(images):
    boxes, found = digits_of(sheet(images[:2], PLACES[:2]), separate=False)
    assert found.shape == (1, 28, 28)
    assert boxes[0][0] < 100 < 150 < boxes[0][2]


def test_a_thin_pen_is_as_bold_as_mnist():
    ring = np.hypot(*(np.mgrid[0:400, 0:400] - 200.0))
    image = digits_of(np.where(abs(ring - 150) < 2, 0, 255).astype("uint8")).images[0]
    assert image[14].max() > 0.9
    assert image.mean() > 0.08


@pytest.mark.parametrize(
    "sheet", [np.full((80, 90), 255, "uint8"), np.zeros((50, 50, 3), "uint8"), np.full((9, 9), np.nan)]
)
def test_an_empty_sheet_has_no_digits(sheet):
    boxes, found = digits_of(sheet)
    assert boxes.shape == (0, 4)
    assert found.shape == (0, 28, 28)


def test_noise_and_the_edge_of_the_sheet_are_no_digits(images):
    noise = 0.9 + np.random.default_rng(0).normal(0, 0.01, (200, 300))
    assert len(digits_of(noise).boxes) == 0
    photo = 0.9 - 0.8 * sheet(images[:6], PLACES)
    photo[:, -12:] = 0.1  # the table
    assert len(digits_of(photo).boxes) == 6


@pytest.mark.parametrize("shape", [(5,), (2, 3, 5), (0, 4), (1, 2, 3, 4)])
def test_what_is_no_picture_is_refused(shape):
    with pytest.raises(ValueError, match=r"got shape"):
        digits_of(np.zeros(shape))


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 2), (28, 28), (3, 2000), (2500, 1800)])
def test_any_size_is_taken(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape).astype("uint8")
    boxes, found = digits_of(picture)
    assert len(boxes) == len(found)
    assert np.isfinite(found).all()
