"""Functions of old `keras.preprocessing` that today's Keras lacks."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.preprocessing.image.resampling import Maps, resample
from cornu.preprocessing.text import FILTERS

_ENDINGS = ("jpg", "jpeg", "bmp", "png", "ppm", "tif", "tiff")


def list_pictures(directory: Any, ext: str | Sequence[str] = _ENDINGS) -> list[str]:
    """Return the paths of the image files in a folder and those below it (``keras.preprocessing.image``).

    `ext` are their endings: a sequence, one, or several with ``|`` between them, as in Keras 1.
    """
    endings = tuple(f".{one}" for one in (ext.split("|") if isinstance(ext, str) else ext))
    return [
        os.path.join(root, file)
        for root, _, files in os.walk(directory)
        for file in files
        if file.lower().endswith(endings)
    ]


def transform_matrix_offset_center(matrix: Any, x: float, y: float) -> np.ndarray:
    """Return the 3x3 matrix of a map about the middle of x rows and y columns (``keras.preprocessing.image``).

    >>> transform_matrix_offset_center(np.diag([2.0, 2.0, 1.0]), 3, 3)[:2, 2].tolist()
    [-2.0, -2.0]
    """
    there, back = np.eye(3), np.eye(3)
    there[:2, 2] = x / 2 + 0.5, y / 2 + 0.5
    back[:2, 2] = -there[:2, 2]
    return there @ np.asarray(matrix) @ back


def apply_transform(
    x: Any, transform_matrix: Any, channel_axis: int = 0, fill_mode: str = "nearest", cval: float = 0.0
) -> np.ndarray:
    """Return an image under the map of a 3x3 matrix, each pixel the nearest one (``keras.preprocessing.image``).

    >>> apply_transform(np.arange(4.0).reshape(1, 2, 2), np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1]])).tolist()
    [[[1.0, 1.0], [3.0, 3.0]]]
    """
    image, matrix = np.array(x), np.asarray(transform_matrix, float)
    maps = Maps(matrix[None, :2, :2], matrix[None, :2, 2])
    resample(np.moveaxis(image, channel_axis, -1)[None], maps, 0, fill_mode, cval)
    return image


def base_filter() -> str:
    """Return the characters that separate words (``keras.preprocessing.text`` of Keras 1.0).

    >>> "," in base_filter(), "'" in base_filter()
    (True, False)
    """
    return FILTERS
