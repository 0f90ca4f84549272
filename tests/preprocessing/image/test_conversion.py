import sys

import numpy as np
import pytest
from PIL import Image

from cornu.preprocessing.image import conversion
from cornu.preprocessing.image.conversion import INTERPOLATIONS, load_pixels
from cornu.utils import array_to_img, img_to_array, load_img, save_img


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("scale", [True, False])
def test_pictures_equal_keras(real_keras, channels, data_format, scale):
    x = np.random.rand(*((channels, 5, 7) if data_format == "channels_first" else (5, 7, channels))) * 200
    ours, theirs = array_to_img(x, data_format, scale), real_keras.utils.array_to_img(x, data_format, scale)
    assert ours.mode == theirs.mode
    assert np.array_equal(np.asarray(ours), np.asarray(theirs))
    back = img_to_array(ours, data_format)
    assert np.array_equal(back, real_keras.utils.img_to_array(theirs, data_format))
    assert back.dtype == "float32"


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"color_mode": "grayscale"},
        {"target_size": (6, 4), "interpolation": "bilinear"},
        {"target_size": (4, 9), "keep_aspect_ratio": True},
        {"color_mode": "rgba"},
    ],
)
def test_files_equal_keras(real_keras, tmp_path, arguments):
    file = tmp_path / "a.png"
    save_img(file, np.random.rand(10, 12, 3))
    ours, theirs = load_img(file, **arguments), real_keras.utils.load_img(file, **arguments)
    assert np.array_equal(np.asarray(ours), np.asarray(theirs))


@pytest.mark.parametrize("mode", ["rgb", "rgba", "grayscale"])
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("keep", [False, True])
def test_pixels_are_those_of_the_picture(tmp_path, mode, interpolation, keep):
    pixels = np.random.default_rng(0).integers(0, 256, (31, 45, 4), np.uint8)
    picture = Image.fromarray(pixels)
    for name, kind in (("a.jpg", "RGB"), ("b.png", "RGBA"), ("c.png", "RGB"), ("d.png", "L"), ("e.jpg", "L")):
        picture.convert(kind).save(tmp_path / name)
        for size in ((31, 45), (14, 9), (50, 47), (1, 1)):
            arguments = (tmp_path / name, mode, size, interpolation, keep)
            np.testing.assert_array_equal(load_pixels(*arguments), np.asarray(load_img(*arguments)))


def test_nearest_pixels_are_those_of_pillow():
    drawn = np.random.default_rng(0)
    for _ in range(200):
        start, stop, new = (int(one) for one in drawn.integers((0, 400, 1), (399, 900, 700)))
        numbers = Image.fromarray(np.arange(stop, dtype=np.int32)[None])
        expected = np.asarray(numbers.resize((new, 1), Image.Resampling.NEAREST, box=(start, 0, stop, 1)))[0]
        np.testing.assert_array_equal(conversion._nearest(slice(start, stop), new), expected)


def test_mistakes_are_clear(monkeypatch):
    with pytest.raises(ValueError, match="three axes"):
        array_to_img(np.zeros((3, 3)))
    with pytest.raises(ValueError, match="1, 3 or 4 channels"):
        array_to_img(np.zeros((3, 3, 2)))
    with pytest.raises(ValueError, match="color_mode"):
        load_img("a.png", color_mode="blue")
    with pytest.raises(ValueError, match="nearest, bilinear"):
        load_img("a.png", interpolation="soft")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ModuleNotFoundError, match=r"cornu\[image\]"):
        array_to_img(np.zeros((3, 3, 1)))
