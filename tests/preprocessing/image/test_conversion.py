import sys

import numpy as np
import pytest

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
