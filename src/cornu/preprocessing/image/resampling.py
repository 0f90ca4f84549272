"""Resampling of images under affine maps, equal to `scipy.ndimage.affine_transform` and several times as fast.

The position of each pixel is computed once for all channels, and all channels of a pixel are read at once. With a C++
compiler that is native; else many small images are resampled together.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from cornu.kernels.native import pictures

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


def resample(images: np.ndarray, maps: Maps, order: int = 1, fill_mode: str = "nearest", cval: float = 0) -> None:
    """Apply affine maps to images, in place.

    Args:
        images: ``(n, rows, columns, channels)``.
        maps: A map for each image.
        order: Order of the spline: 0 takes the nearest pixel, 1 is linear, up to 5.
        fill_mode: What is beyond the edges: ``"constant"``, ``"nearest"``, ``"reflect"``, ``"wrap"``, or another mode
            of scipy.
        cval: The value of the constant.
    """
    if order not in (0, 1) or fill_mode not in FILL_MODES or images.dtype != np.float32:
        _resample_by_scipy(images, maps, order, fill_mode, cval)
        return
    finite = np.isfinite(maps.linear).all() and np.isfinite(maps.offset).all()  # other numbers are no places
    if finite and pictures.resampled(images, *maps, order, FILL_MODES.index(fill_mode), cval):
        return
    shape = images.shape[1:3]
    group = max(1, PIXELS // max(1, shape[0] * shape[1]))
    for start in range(0, len(images), group):
        part = slice(start, start + group)
        places = _places(Maps(*(values[part] for values in maps)), shape, fill_mode)
        sample = _nearest(places, shape) if order == 0 else _linear(places, shape)
        for channel in range(images.shape[3]):
            plane = images[part, :, :, channel]
            plane[...] = sample(np.ascontiguousarray(plane).reshape(-1))
        if places.outside is not None:
            images[part][places.outside] = cval


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


def _nearest(places: _Places, shape: tuple[int, ...]) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that gives the nearest pixel of each place in a channel, which it takes as one row."""
    rows, columns = (np.floor(place + 0.5).astype(np.intp) for place in (places.rows, places.columns))
    where = _numbers(rows, columns, shape)
    return lambda plane: plane.take(where, mode="clip")


def _linear(places: _Places, shape: tuple[int, ...]) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that interpolates between the four pixels around each place."""
    (row, below), (column, right) = _corner(places.rows, shape[0]), _corner(places.columns, shape[1])
    corner = _numbers(row, column, shape)
    next_row, next_column = shape[1] * (shape[0] > 1), int(shape[1] > 1)
    corners = [corner, corner + next_column, corner + next_row, corner + (next_row + next_column)]

    def sample(plane: np.ndarray) -> np.ndarray:
        first, second, third, fourth = (plane.take(where, mode="clip") for where in corners)
        return _between(_between(first, second, right), _between(third, fourth, right), below)

    return sample


def _numbers(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the numbers of pixels, counted through all images; the arrays are overwritten."""
    rows += (np.arange(len(rows)) * shape[0])[:, None, None]
    rows *= shape[1]
    rows += columns
    return rows


def _corner(place: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the index of the pixel before each place, and how far behind it the place is, from 0 to 1."""
    first = place.astype(np.intp)
    np.minimum(first, max(size - 2, 0), out=first)
    return first, np.subtract(place, first, dtype=np.float32, casting="same_kind")


def _between(first: np.ndarray, second: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return ``first + part * (second - first)``; both arrays are overwritten."""
    second -= first
    second *= part
    first += second
    return first


def _resample_by_scipy(images: np.ndarray, maps: Maps, order: int, fill_mode: str, cval: float) -> None:
    for image, linear, offset in zip(images, *maps, strict=True):
        for channel in range(images.shape[3]):
            image[:, :, channel] = ndimage.affine_transform(
                image[:, :, channel], linear, offset, order=order, mode=fill_mode, cval=cval
            )
