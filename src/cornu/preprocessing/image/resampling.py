"""Resampling of images under affine maps, equal to `scipy.ndimage.affine_transform` and several times as fast.

The position of each pixel is computed once for all channels, and all channels of a pixel are read at once. Many small
images are resampled together.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import ndimage

#: Pixels that are resampled together: few enough for the processor's cache, many enough for numpy.
PIXELS = 1 << 13
FILL_MODES = ("constant", "nearest", "reflect", "wrap")


class Maps(NamedTuple):
    """Affine maps from places in the result to places in the image: ``linear @ place + offset``.

    `linear` is ``(n, 2, 2)``, `offset` ``(n, 2)``; places are (row, column).
    """

    linear: np.ndarray
    offset: np.ndarray

    def are_identity(self) -> bool:
        """Return whether all maps leave images as they are."""
        return bool((self.linear == np.eye(2)).all() and not self.offset.any())


def resampled(images: np.ndarray, maps: Maps, order: int = 1, fill_mode: str = "nearest", cval: float = 0) -> np.ndarray:
    """Return images under affine maps.

    Args:
        images: ``(n, rows, columns, channels)``.
        maps: A map for each image.
        order: Order of the spline: 0 takes the nearest pixel, 1 is linear, up to 5.
        fill_mode: What is beyond the edges: ``"constant"``, ``"nearest"``, ``"reflect"``, ``"wrap"``, or another mode
            of scipy.
        cval: The value of the constant.

    Returns:
        A new array of the same shape and dtype.
    """
    if order not in (0, 1) or fill_mode not in FILL_MODES or images.dtype != np.float32:
        return _by_scipy(images, maps, order, fill_mode, cval)
    result = np.empty(images.shape, np.float32)
    group = max(1, PIXELS // (images.shape[1] * images.shape[2]))
    for start in range(0, len(images), group):
        part = slice(start, start + group)
        places = _places(Maps(*(values[part] for values in maps)), images.shape[1:3], fill_mode)
        for first in range(0, images.shape[3], 4):  # channels, four at a time
            channels = slice(first, first + 4)
            found = (_nearest if order == 0 else _linear)(_Pixels(images[part, :, :, channels]), places)
            result[part, :, :, channels] = found[..., : images.shape[3] - first]
        if places.outside is not None:
            result[part][places.outside] = cval
    return result


class _Places(NamedTuple):
    """Where pixels come from: `rows` and `columns` ``(n, rows, columns)``, within the image, and what was outside."""

    rows: np.ndarray
    columns: np.ndarray
    outside: np.ndarray | None


def _places(maps: Maps, shape: tuple[int, ...], fill_mode: str) -> _Places:
    outside = None
    found = []
    for axis, size in enumerate(shape):
        linear, offset = maps.linear[:, axis, :, None], maps.offset[:, axis, None]
        by_row = offset + linear[:, 0] * np.arange(shape[0])
        by_column = linear[:, 1] * np.arange(shape[1])
        place = by_row[:, :, None] + by_column[:, None, :]
        if fill_mode == "constant":
            beyond = (place < 0) | (place > size - 1)
            outside = beyond if outside is None else outside | beyond
        elif fill_mode != "nearest":
            place = _BACK[fill_mode](place, size)
        found.append(np.clip(place, 0, size - 1, out=place))
    return _Places(found[0], found[1], outside)


def _reflected(place: np.ndarray, size: int) -> np.ndarray:
    """Return places in the image and its mirror images, edges twice: ``d c b a | a b c d | d c b a``."""
    place = place % (2 * size)
    return np.where(place >= size, 2 * size - 1 - place, place)


def _wrapped(place: np.ndarray, size: int) -> np.ndarray:
    """Return places in the repeated image, whose last pixel is the first of the next one, as scipy repeats it."""
    period = max(size - 1, 1)
    turns = np.trunc(place / period)
    return np.where(place < 0, place - (turns - 1) * period, np.where(place > size - 1, place - turns * period, place))


_BACK: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {"reflect": _reflected, "wrap": _wrapped}


def _nearest(pixels: "_Pixels", places: _Places) -> np.ndarray:
    rows, columns = (np.floor(place + 0.5).astype(np.int32) for place in (places.rows, places.columns))
    return pixels.at(rows, columns)


def _linear(pixels: "_Pixels", places: _Places) -> np.ndarray:
    height, width = pixels.shape
    (row, below), (column, right) = _corner(places.rows, height), _corner(places.columns, width)
    upper, lower = (
        _between(pixels.at(next_row, column), pixels.at(next_row, column + (width > 1)), right)
        for next_row in (row, row + (height > 1))
    )
    return _between(upper, lower, below)


def _corner(place: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the index of the pixel before each place, and how far behind it the place is, from 0 to 1."""
    first = np.minimum(place.astype(np.int32), max(size - 2, 0))
    return first, (place - first).astype(np.float32)[..., None]


def _between(first: np.ndarray, second: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return ``first + part * (second - first)``; both arrays are overwritten."""
    second -= first
    second *= part
    first += second
    return first


class _Pixels:
    """Images with up to 4 channels, all of which are read at once; 3 channels have a fourth one beside them."""

    def __init__(self, images: np.ndarray) -> None:
        count, *self.shape, channels = images.shape
        self.channels = 4 if channels == 3 else channels
        pixels = np.zeros((*images.shape[:3], self.channels), np.float32)
        pixels[..., :channels] = images
        item = {1: np.float32, 2: np.complex64, 4: np.complex128}[self.channels]  # as wide as a pixel
        self.flat = pixels.view(item).reshape(-1)
        self.start = (np.arange(count, dtype=np.int32) * np.int32(np.prod(self.shape)))[:, None, None]

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the pixels at some places of each image, ``(n, rows, columns, channels)``."""
        where = rows * np.int32(self.shape[1])
        where += columns
        where += self.start
        return self.flat.take(where, mode="clip").view(np.float32).reshape(*where.shape, self.channels)


def _by_scipy(images: np.ndarray, maps: Maps, order: int, fill_mode: str, cval: float) -> np.ndarray:
    result = np.empty_like(images, order="C")
    for image, linear, offset, found in zip(images, *maps, result, strict=True):
        for channel in range(images.shape[3]):
            found[:, :, channel] = ndimage.affine_transform(
                image[:, :, channel], linear, offset, order=order, mode=fill_mode, cval=cval
            )
    return result
