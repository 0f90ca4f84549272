import numpy as np
import pytest

import cornu as keras
from cornu import layers
from cornu.preprocessing.pictures import largest_pixel, opened, shrunk

image = pytest.importorskip("PIL.Image")


def test_transparent_parts_are_white_and_shapes_are_as_asked():
    clear = image.new("RGBA", (9, 6), (255, 0, 0, 0))
    assert shrunk(clear, (3, 4), 3).tolist() == np.full((3, 4, 3), 255).tolist()
    assert shrunk(clear, (3, 4), 1).shape == (3, 4, 1)


def test_photos_are_upright_if_asked(tmp_path):
    exif = image.Exif()
    exif[0x0112] = 6  # the camera was turned
    pixels = np.zeros((8, 20, 3), "uint8")
    pixels[:, :10] = 255
    image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif)
    assert opened(tmp_path / "a.jpg", 3).size == (20, 8)
    upright = opened(tmp_path / "a.jpg", 3, upright=True)
    assert upright.size == (8, 20)
    assert np.asarray(upright)[2].mean() > 200


def test_a_large_jpeg_may_be_read_smaller(tmp_path):
    image.new("RGB", (800, 640), "blue").save(tmp_path / "a.jpg")
    small = opened(tmp_path / "a.jpg", 4, least=(64, 64))
    assert 64 <= small.size[1] < 200
    assert opened(tmp_path / "a.jpg", 4).size == (800, 640)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (layers.Rescaling(1 / 255), 255.0),
        (layers.Rescaling(1 / 127.5, offset=-1.0), 255.0),
        (layers.Rescaling(1.0, offset=[-103.9, -116.8, -123.7]), 255.0),
        (layers.Conv2D(1, 1), 1.0),
    ],
)
def test_the_range_that_a_model_takes(first, expected):
    inner = keras.Sequential([keras.Input((4, 4, 3)), first])
    assert largest_pixel(inner) == expected
    assert largest_pixel(keras.Sequential([keras.Input((4, 4, 3)), inner, layers.Flatten()])) == expected
