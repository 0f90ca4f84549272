"""Arrays as small pictures inside a page: PNG written with nothing but zlib."""

import base64
import math
import struct
import zlib

import numpy as np

#: Colours of weights: below zero, zero, above zero.
_BELOW, _ZERO, _ABOVE = (np.array(colour, "float64") for colour in ((33, 102, 172), (247, 247, 247), (178, 24, 43)))


def png(pixels: np.ndarray) -> bytes:
    """Return a picture (rows, columns) of grey or (rows, columns, 3) of RGB bytes as a PNG file.

    >>> png(np.zeros((2, 3), "uint8"))[:4]
    b'\\x89PNG'
    """
    height, width = pixels.shape[:2]
    kind = 0 if pixels.ndim == 2 else 2
    rows = np.ascontiguousarray(pixels, "uint8").reshape(height, -1)
    raw = np.hstack([np.zeros((height, 1), "uint8"), rows]).tobytes()  # each line begins with its filter: none

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")


def image_tag(pixels: np.ndarray, words: str, size: int) -> str:
    """Return an ``<img>`` that carries its picture, shown with its longer side `size` pixels long."""
    height, width = pixels.shape[:2]
    scale = size / max(height, width)
    data = base64.b64encode(png(pixels)).decode("ascii")
    return (
        f'<img class="tile" alt="{words}" width="{max(round(width * scale), 1)}" '
        f'height="{max(round(height * scale), 1)}" src="data:image/png;base64,{data}">'
    )


def as_picture(row: np.ndarray, shape: tuple[int, ...] | None) -> np.ndarray | None:
    """Return one input as pixels, stretched from its darkest to its lightest; None if it is not a picture."""
    if shape is None:
        return None
    row = np.nan_to_num(np.asarray(row, "float32")).reshape(shape)
    low, high = float(row.min()), float(row.max())
    pixels = ((row - low) / ((high - low) or 1) * 255).astype("uint8")
    return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels


def picture_shape(shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return rows, columns and channels of inputs that can be shown as pictures, also flat ones that form a square.

    >>> picture_shape((28, 28)), picture_shape((784,)), picture_shape((3072,)), picture_shape((13,))
    ((28, 28, 1), (28, 28, 1), (32, 32, 3), None)
    """
    if len(shape) == 3 and shape[-1] in (1, 3) and min(shape[:2]) > 3:
        return tuple(shape)
    if len(shape) == 3 and shape[0] == 1 and min(shape[1:]) > 7:
        return (shape[1], shape[2], 1)  # channels first
    if len(shape) == 2 and min(shape) > 7:
        return (*shape, 1)
    if len(shape) == 1 and shape[0] >= 64:
        for channels in (1, 3):
            side = math.isqrt(shape[0] // channels)
            if side * side * channels == shape[0]:
                return (side, side, channels)
    return None


def weight_colours(weights: np.ndarray, most: float | None = None) -> np.ndarray:
    """Return numbers (rows, columns) as colours: blue below zero, white at zero, red above."""
    most = most or float(np.nanmax(abs(weights), initial=0)) or 1.0
    share = np.nan_to_num(weights / most).clip(-1, 1)[..., None]
    colour = np.where(share < 0, _ZERO + (_BELOW - _ZERO) * -share, _ZERO + (_ABOVE - _ZERO) * share)
    return colour.round().astype("uint8")


def first_weights(model_layers: list, inputs: tuple[int, ...] | None, most: int = 64) -> tuple[str, list[np.ndarray]]:
    """Return the name of the first layer with a kernel and its weights as pictures, one per unit or filter."""
    for layer in model_layers:
        if hasattr(layer, "layers"):
            found = first_weights(layer.layers, inputs, most)
            if found[1]:
                return found
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        array = np.asarray(kernel, "float32")
        if array.ndim == 4:
            return layer.name, _filters(array, most)
        if array.ndim == 2:
            return layer.name, _units(array, inputs, most)
        return layer.name, []
    return "", []


def _filters(kernel: np.ndarray, most: int) -> list[np.ndarray]:
    """Return the filters of a convolution (rows, columns, channels, filters): with three channels, in colour."""
    kernel = kernel.reshape(*kernel.shape[:3], -1)
    if kernel.shape[2] == 3:
        largest = float(abs(kernel).max()) or 1.0
        return [((kernel[..., i] / largest + 1) * 127.5).astype("uint8") for i in range(min(kernel.shape[3], most))]
    largest = float(abs(kernel).max()) or 1.0
    planes = kernel.transpose(3, 2, 0, 1).reshape(-1, *kernel.shape[:2])
    return [weight_colours(plane, largest) for plane in planes[:most]]


def _units(kernel: np.ndarray, inputs: tuple[int, ...] | None, most: int) -> list[np.ndarray]:
    """Return the weights of each unit of a dense layer, or the whole table if inputs are not pictures."""
    if inputs is None or math.prod(inputs) != kernel.shape[0]:
        return [weight_colours(kernel[:200, :200])]
    units = [kernel[:, i].reshape(inputs).mean(-1) for i in range(min(kernel.shape[1], most))]
    return [weight_colours(unit) for unit in units]
