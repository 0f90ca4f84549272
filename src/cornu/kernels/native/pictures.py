"""Pictures on the host: what the native library does faster than numpy and Pillow, with the same results."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

import numpy as np

from cornu.kernels.native import library

MOST_CHANNELS = 4

_ADDRESS, _SIZE = ctypes.c_void_p, ctypes.c_int64


def _declare(loaded: ctypes.CDLL, _: str) -> None:
    resize, unfilter = loaded.resize_bilinear, loaded.unfilter_png
    resize.argtypes = (_ADDRESS, _SIZE, _SIZE, _SIZE, _ADDRESS, _ADDRESS, _SIZE, _ADDRESS, _ADDRESS, _SIZE, _ADDRESS)
    loaded.resample_affine.argtypes = (_ADDRESS, *(_SIZE,) * 4, _ADDRESS, _SIZE, _SIZE, ctypes.c_float)
    unfilter.argtypes = (ctypes.c_char_p, _SIZE, _SIZE, _SIZE, _ADDRESS)


#: Without contraction of products and sums, numbers are rounded as numpy rounds them.
LIBRARY = library.Library(
    "pictures", "the first picture that needs them", _declare, ("pictures.cc",), ("-ffp-contract=off",)
)


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]  # three times as fast as ctypes.data


class Places(NamedTuple):
    """Where new rows or columns are: each between two old ones.

    `pairs` is ``(2, new)`` of int64, `weights` (of the second) ``(new, 1)`` of float32; `addresses` are where their
    numbers begin.
    """

    pairs: np.ndarray
    weights: np.ndarray
    addresses: tuple[int, int]

    @classmethod
    def of(cls, pairs: np.ndarray, weights: np.ndarray) -> Places:
        """Return the places; both arrays must be contiguous."""
        return cls(pairs, weights, (_address(pairs), _address(weights)))


def resized(image: np.ndarray, rows: Places, columns: Places, out: np.ndarray | None = None) -> np.ndarray | None:
    """Return an image ``(height, width, channels)`` resized as `resizing.resized` does, or None if it must do it.

    Args:
        image: 1 to 4 channels of uint8, without gaps between the pixels of a row.
        rows, columns: Where the new ones are.
        out: Where to put the result, if possible.
    """
    _, width, channels = image.shape
    suits = image.dtype == np.uint8 and channels <= MOST_CHANNELS and image.strides[1:] == (channels, 1)
    functions = library.functions_of(LIBRARY) if suits else None
    if functions is None:
        return None
    shape = (len(rows.weights), len(columns.weights), channels)
    if out is None or out.dtype != np.float32 or not out.flags.c_contiguous:
        out = np.empty(shape, np.float32)
    failed = functions.resize_bilinear(
        _address(image), width, channels, image.strides[0], *rows.addresses, shape[0], *columns.addresses, shape[1],
        _address(out),
    )  # fmt: skip
    return None if failed else out


def resampled(images: np.ndarray, linear: np.ndarray, offset: np.ndarray, order: int, fill: int, cval: float) -> bool:
    """Apply affine maps to images in place, as `resampling.resample` does.

    Args:
        images: ``(n, rows, columns, channels)`` of float32.
        linear, offset: The maps, ``(n, 2, 2)`` and ``(n, 2)``.
        order: 0 or 1.
        fill: Number of the fill mode in `resampling.FILL_MODES`.
        cval: The value of the constant.

    Returns:
        Whether that is done; False if the library is not available, or the images are not contiguous.
    """
    suits = images.dtype == np.float32 and images.flags.c_contiguous and images.size
    functions = library.functions_of(LIBRARY) if suits else None
    if functions is None:
        return False
    maps = np.concatenate([linear.reshape(-1, 4), offset], axis=1, dtype=np.float64)  # contiguous
    return not functions.resample_affine(_address(images), *images.shape, _address(maps), order, fill, cval)


def can_unfilter() -> bool:
    """Return whether `unfiltered` is available."""
    return library.available(LIBRARY)


def unfiltered(rows: bytes, pixels: np.ndarray) -> bool:
    """Undo the filters of the rows of a PNG with 8 bits per channel.

    Args:
        rows: For each row, the number of its filter and its bytes.
        pixels: Where to put them, ``(height, width, channels)`` of uint8, contiguous, 1 to 4 channels.

    Returns:
        Whether that is done; False if the rows are damaged or the library is not available.
    """
    height, width, channels = pixels.shape
    functions = library.functions_of(LIBRARY)
    if functions is None or len(rows) != height * (1 + width * channels):
        return False
    return not functions.unfilter_png(rows, height, width * channels, channels, _address(pixels))
