"""Picture files as arrays of pixels, read by Pillow (the extra ``image``), which is imported when it is used."""

import os
from typing import Any

import numpy as np

from cornu.preprocessing.decoders import decoded

CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
#: Weights of red, green and blue, and what lets Pillow cut fractions off, as libpng does, and not round.
_BRIGHTNESS = (0.299, 0.587, 0.114, -0.498)
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def pillow() -> Any:
    """Return the module ``PIL.Image``; without it, the error names the command that installs it."""
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise ModuleNotFoundError("Images need the package Pillow: pip install 'cornu[image]'", name="PIL") from None
    return Image


def opened(path: Any, channels: int, upright: bool = False, least: tuple[int, int] | None = None) -> Any:
    """Return a picture file as a Pillow image in grey (1 channel), RGB (3) or RGBA (4).

    Transparency is dropped, not blended; 16 bits become the upper 8; an animation is its first frame.

    Args:
        path: The file.
        channels: 1, 3 or 4.
        upright: Whether to turn a photo as its camera was held (EXIF), as browsers do and Keras does not.
        least: Rows and columns that are enough: a large JPEG may be decoded at a half, quarter or eighth of its size.

    Raises:
        FileNotFoundError: The file is gone.
        ValueError: It cannot be read as a picture.
    """
    image = pillow()
    try:
        with image.open(path) as picture:
            is_jpeg = picture.format in ("JPEG", "MPO")
            if is_jpeg and (channels == 1 or least):  # grey is stored as such; smaller is faster
                picture.draft("L" if channels == 1 else "RGB", least and least[::-1])
            if picture.mode.startswith("I"):
                picture = image.fromarray((np.asarray(picture) >> 8).astype("uint8"))
            found = _converted(picture, channels)
            return _upright(found, picture) if upright else found
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no picture {str(path)!r} any more; its folder had it.") from None
    except Exception as error:  # Pillow raises errors of many kinds for damaged files
        said = "its format is not known" if type(error).__name__ == "UnidentifiedImageError" else str(error)
        raise ValueError(f"The picture {str(path)!r} cannot be read: {said}. Replace or delete it.") from error


def _converted(picture: Any, channels: int) -> Any:
    if picture.mode == _MODES[channels]:
        picture.load()
        return picture
    if channels > 1 or picture.mode in ("1", "LA"):
        return picture.convert(_MODES[channels])
    return picture.convert("RGB").convert("L", _BRIGHTNESS)


def _upright(picture: Any, source: Any) -> Any:
    from PIL import ImageOps

    picture.info |= {"exif": source.getexif().tobytes()}
    return ImageOps.exif_transpose(picture)


def shrunk(picture: Any, size: tuple[int, ...], channels: int) -> np.ndarray:
    """Return a Pillow image in RGBA as pixels ``(height, width, channels)`` of uint8: smooth, transparency on white."""
    image = pillow()
    small = picture.resize((size[1], size[0]), image.Resampling.BILINEAR)
    white = image.new("RGBA", small.size, "white")
    pixels = np.asarray(image.alpha_composite(white, small).convert(_MODES[channels]))
    return pixels[..., None] if channels == 1 else pixels


def pixels_of(path: Any, channels: int) -> np.ndarray:
    """Return the pixels of a picture file, ``(height, width, channels)`` of uint8; see `opened` for what is raised.

    They are TensorFlow's, of JPEGs only if a fast decoder takes them, and may be in memory that this thread's next
    picture overwrites.
    """
    found = fast_pixels(path, channels, as_tensorflow=True)
    if found is not None:
        return found
    picture = opened(path, channels)
    return np.frombuffer(picture.tobytes(), np.uint8).reshape(picture.height, picture.width, channels)


def fast_pixels(path: Any, channels: int, as_tensorflow: bool = False) -> np.ndarray | None:
    """Return the pixels of a file that one of the fast `decoders` takes, otherwise None."""
    return decoded(_contents(path), channels, pillow().MAX_IMAGE_PIXELS, as_tensorflow)


def _contents(path: Any) -> bytes:
    """Return a file's contents, or nothing if it cannot be read; `open` would take four more calls of the system."""
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            return os.read(file, os.fstat(file).st_size)
        finally:
            os.close(file)
    except OSError:
        return b""


def largest_pixel(model: Any) -> float:
    """Return the value of white that a model takes: 255 if it begins by rescaling pixels itself, otherwise 1."""
    for layer in model.layers:
        kind = type(layer).__name__
        if hasattr(layer, "layers"):
            return largest_pixel(layer)
        if kind == "Rescaling":
            return 255.0 if np.all(np.abs(layer.scale) < 0.1) or np.any(np.abs(layer.offset) > 2) else 1.0
        if kind != "InputLayer":
            return 255.0 if kind == "Normalization" else 1.0
    return 1.0
