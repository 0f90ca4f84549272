"""Resizing of pictures on the host, with the numbers of ``tf.image.resize``, which Keras resizes pictures with.

A method is a rule for one axis: each new pixel is a weighted mean of old ones. Rows and columns follow each other.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.kernels.native import pictures as native

_STEPS = 1024  # TensorFlow rounds the distances of "bicubic" to these fractions of a pixel


def _cubic(x: np.ndarray, b: float, c: float) -> np.ndarray:
    """Return the cubic filter of Mitchell and Netravali (https://doi.org/10.1145/54852.378514)."""
    near = ((12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + (6 - 2 * b)) / 6
    far = ((-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + (8 * b + 24 * c)) / 6
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(x: np.ndarray, radius: int) -> np.ndarray:
    return np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)


#: Filter -> radius in pixels, and the weight at a distance.
_FILTERS: dict[str, tuple[float, Callable[[np.ndarray], np.ndarray]]] = {
    "bilinear": (1.0, lambda x: np.maximum(1 - x, 0)),
    "bicubic": (2.0, lambda x: _cubic(x, 0, 0.5)),
    "lanczos3": (3.0, lambda x: _lanczos(x, 3)),
    "lanczos5": (5.0, lambda x: _lanczos(x, 5)),
    "gaussian": (1.5, lambda x: np.where(x < 1.5, np.exp(-2 * x**2), 0)),
    "mitchellcubic": (2.0, lambda x: _cubic(x, 1 / 3, 1 / 3)),
}
METHODS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")


def resized(
    image: np.ndarray, size: tuple[int, int], method: str = "bilinear", antialias: bool = False,
    out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Return an image in another size.

    Args:
        image: ``(height, width, channels)``.
        size: New height and width.
        method: One of `METHODS`.
        antialias: Whether to filter before downsampling; ``"nearest"`` and ``"area"`` do not change.
        out: Where the result may be put, which saves a copy if it is.

    Returns:
        float32, for ``"nearest"`` of the dtype of `image`.

    Follows https://www.tensorflow.org/api_docs/python/tf/image/resize

    >>> resized(np.arange(4.0).reshape(1, 4, 1), (1, 2)).ravel().tolist()
    [0.5, 2.5]
    """
    (height, width), (new_height, new_width) = image.shape[:2], size
    if method == "nearest":
        return image.take(_nearest(height, new_height), axis=0).take(_nearest(width, new_width), axis=1)
    if method == "bilinear" and not antialias:
        found = native.resized(image, _places(height, new_height), _places(width, new_width), out)
        return _bilinear(image, size) if found is None else found
    rows = resizing_weights(height, new_height, method, antialias)  # (new_height, height)
    columns = resizing_weights(width, new_width, method, antialias)  # (new_width, width)
    lines = (rows @ image.reshape(height, -1).astype(np.float32)).reshape(new_height, width, -1)
    transposed = columns @ lines.transpose(1, 0, 2).reshape(width, -1)  # (new_width, new_height * channels)
    return np.ascontiguousarray(transposed.reshape(new_width, new_height, -1).transpose(1, 0, 2))


def _centers(old: int, new: int) -> np.ndarray:
    """Return where the centers of new pixels are among the old ones, whose first pixel is from 0 to 1."""
    scale = np.float32(old) / np.float32(new)
    return (np.arange(new, dtype=np.float32) + np.float32(0.5)) * scale


@functools.lru_cache(maxsize=256)
def _nearest(old: int, new: int) -> np.ndarray:
    return np.clip(np.floor(_centers(old, new)).astype(np.int64), 0, old - 1)


@functools.lru_cache(maxsize=256)
def _neighbors(old: int, new: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the two old pixels for each new one, ``(2, new)``, and the weight of the second, ``(new, 1)``."""
    places = _centers(old, new) - np.float32(0.5)
    first = np.floor(places)
    pairs = np.stack([first, first + 1]).astype(np.int64)
    return np.clip(pairs, 0, old - 1), (places - first)[:, None].astype(np.float32)


@functools.lru_cache(maxsize=256)
def _places(old: int, new: int) -> native.Places:
    return native.Places.of(*_neighbors(old, new))


@functools.lru_cache(maxsize=256)
def _neighbors_in_line(old: int, new: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the same for the numbers of a line of pixels, which has all channels of a pixel together."""
    pairs, weights = _neighbors(old, new)
    numbers = (pairs[..., None] * channels + np.arange(channels)).reshape(2, -1)  # (2, new * channels)
    return numbers, np.repeat(weights[:, 0], channels)


def _bilinear(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a mean of four pixels for each new one; those are taken first, so that large pictures cost little."""
    height, width, channels = image.shape
    rows, down = _neighbors(height, size[0])
    (left, right), across = _neighbors_in_line(width, size[1], channels)
    lines = image.reshape(height, -1).take(rows.ravel(), axis=0)  # all upper lines, then all lower ones
    upper, lower = _between(lines.take(left, axis=1), lines.take(right, axis=1), across).reshape(2, size[0], -1)
    return _between(upper, lower, down).reshape(*size, channels)


def _between(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    first, second = first.astype(np.float32, copy=False), second.astype(np.float32)
    second -= first
    second *= weight
    second += first
    return second


@functools.lru_cache(maxsize=256)
def resizing_weights(old: int, new: int, method: str, antialias: bool) -> np.ndarray:
    """Return the weight of each old pixel in each new one, ``(new, old)``."""
    if method == "area":
        return _area(old, new)
    radius, weight_at = _FILTERS[method]
    stretch = max(old / new, 1.0) if antialias else 1.0
    centers = _centers(old, new)[:, None]
    if method == "bicubic" and not antialias:
        first = np.floor(centers - np.float32(0.5))
        centers = first + np.round((centers - np.float32(0.5) - first) * _STEPS) / _STEPS + 0.5
    distances = np.abs(np.arange(old) + 0.5 - centers) / stretch
    weights = np.where(distances <= radius, weight_at(distances), 0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _area(old: int, new: int) -> np.ndarray:
    """Return how much of each new pixel an old one covers."""
    edges = np.arange(new + 1) * (old / new)
    starts, ends = edges[:-1, None], edges[1:, None]
    pixels = np.arange(old)
    covered = np.minimum(pixels + 1, ends) - np.maximum(pixels, starts)
    return (np.maximum(covered, 0) * (new / old)).astype(np.float32)


def middle_part(height: int, width: int, size: tuple[int, int]) -> tuple[slice, slice]:
    """Return the rows and columns of the largest middle part of an image that has the proportions of `size`."""
    rows, columns = size
    part_height = max(min(height, int(width * rows / columns)), 1)
    part_width = max(min(width, int(height * columns / rows)), 1)
    top, left = (height - part_height) // 2, (width - part_width) // 2
    return slice(top, top + part_height), slice(left, left + part_width)


def padded(image: np.ndarray, size: tuple[int, int], method: str = "bilinear") -> np.ndarray:
    """Return a whole image in another size without changing its proportions, with a margin of zeros."""
    (height, width), (rows, columns) = image.shape[:2], size
    ratio = max(width / columns, height / rows)
    inner = max(math.floor(height / ratio), 1), max(math.floor(width / ratio), 1)
    small = resized(image, inner, method)
    top, left = (rows - inner[0]) // 2, (columns - inner[1]) // 2
    margins: Any = ((top, rows - inner[0] - top), (left, columns - inner[1] - left), (0, 0))
    return np.pad(small, margins)
