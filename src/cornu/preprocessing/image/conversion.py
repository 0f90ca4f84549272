"""Images as arrays and arrays as images; Pillow (the extra ``image``) is imported when it is used."""

from pathlib import Path
from typing import Any

import numpy as np

from cornu.core import spellings
from cornu.core.atomic_files import replacing
from cornu.core.settings import floatx, standardize_data_format
from cornu.ops.image import resize
from cornu.preprocessing.pictures import fast_pixels, pillow
from cornu.preprocessing.resizing import middle_part

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


@spellings.old_keywords("array_to_img")
def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """Convert an array to a Pillow image.

    Args:
        x: ``(rows, columns, channels)`` with 1, 3 or 4 channels; channels first for ``"channels_first"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        scale: Whether to stretch values so that the smallest is black and the largest white; otherwise they are 0 to
            255.
        dtype: Dtype to compute in, by default ``floatx()``.

    Raises:
        ValueError: The array has another shape.

    Follows https://keras.io/api/data_loading/image/#array_to_img-function

    >>> array_to_img(np.zeros((4, 6, 1))).size
    (6, 4)
    """
    x = np.asarray(x, dtype or floatx())
    if x.ndim != 3:
        raise ValueError(f"array_to_img takes one image with three axes (rows, columns, channels); got {x.shape}.")
    if standardize_data_format(data_format) == "channels_first":
        x = x.transpose(1, 2, 0)
    if scale:
        x = x - x.min()
        x = x / (x.max() or 1) * 255
    channels = x.shape[2]
    if channels not in (1, 3, 4):
        raise ValueError(f"An image has 1, 3 or 4 channels; the array of shape {x.shape} has {channels}.")
    if channels == 1:
        wide = x.max() > 255
        return pillow().fromarray(x[:, :, 0].astype("int32" if wide else "uint8"))
    return pillow().fromarray(x.astype("uint8"))


@spellings.old_keywords("img_to_array")
def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """Convert a Pillow image to an array of values 0 to 255.

    Args:
        img: A Pillow image.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        dtype: Dtype of the result, by default ``floatx()``.

    Returns:
        An array ``(rows, columns, channels)``, or channels first.

    Follows https://keras.io/api/data_loading/image/#img_to_array-function

    >>> img_to_array(array_to_img(np.zeros((4, 6, 3)))).shape
    (4, 6, 3)
    """
    x = np.asarray(img, dtype or floatx())
    if x.ndim == 2:
        x = x[:, :, None]
    if x.ndim != 3:
        raise ValueError(f"img_to_array takes an image with two or three axes; got {x.shape}.")
    return x.transpose(2, 0, 1) if standardize_data_format(data_format) == "channels_first" else x


def save_img(
    path: str | Path, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True,
    **kwargs: Any,
) -> None:  # fmt: skip
    """Write an array as an image file.

    Args:
        path: Path or open file.
        x: The image, as in `array_to_img`.
        data_format, scale: As in `array_to_img`.
        file_format: Format such as ``"png"``, by default from the file name.
        **kwargs: Options of Pillow's ``Image.save``.
    """
    picture = array_to_img(x, data_format, scale)
    if picture.mode == "RGBA" and str(file_format or path).lower().endswith(("jpg", "jpeg")):
        picture = picture.convert("RGB")
    if not isinstance(path, (str, Path)):  # an open file
        picture.save(path, format=file_format, **kwargs)
        return
    with replacing(path) as temporary:
        picture.save(temporary, format=file_format, **kwargs)


def load_img(
    path: Any, color_mode: str = "rgb", target_size: tuple[int, int] | None = None, interpolation: str = "nearest",
    keep_aspect_ratio: bool = False, grayscale: bool = False,
) -> Any:  # fmt: skip
    """Read an image file as a Pillow image.

    Args:
        path: Path or open file.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        target_size: New ``(rows, columns)``, or None to keep the size.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"hamming"``, ``"box"`` or ``"lanczos"``.
        keep_aspect_ratio: Whether to crop the middle before resizing.
        grayscale: Older form of ``color_mode="grayscale"``.

    Raises:
        ValueError: The color mode or interpolation is unknown.

    Follows https://keras.io/api/data_loading/image/#load_img-function
    """
    modes = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}
    color_mode = "grayscale" if grayscale else color_mode
    if color_mode not in modes:
        raise ValueError(f"color_mode must be rgb, rgba or grayscale; got {color_mode!r}.")
    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"interpolation must be one of {', '.join(INTERPOLATIONS)}; got {interpolation!r}.")
    image = pillow()
    picture = image.open(path)
    try:
        picture.load()
    except BaseException:
        picture.close()  # Pillow leaves the file of a damaged picture open
        raise
    if not (color_mode == "grayscale" and picture.mode in ("L", "I;16", "I")):
        picture = picture.convert(modes[color_mode])
    return picture if target_size is None else _resized(picture, target_size, interpolation, keep_aspect_ratio)


def _resized(picture: Any, size: tuple[int, int], interpolation: str, keep_aspect_ratio: bool) -> Any:
    rows, columns = _used_part(picture.size[1], picture.size[0], size, keep_aspect_ratio)
    box = (columns.start, rows.start, columns.stop, rows.stop)
    return picture.resize((size[1], size[0]), getattr(pillow().Resampling, interpolation.upper()), box=box)


def _used_part(height: int, width: int, size: tuple[int, int], keep_aspect_ratio: bool) -> tuple[slice, slice]:
    return middle_part(height, width, size) if keep_aspect_ratio else (slice(0, height), slice(0, width))


def load_pixels(
    path: Any, color_mode: str, target_size: tuple[int, int], interpolation: str, keep_aspect_ratio: bool
) -> np.ndarray:
    """Return the picture that `load_img` returns as an array, usually faster; see there for the arguments.

    Returns:
        ``(rows, columns, channels)`` or ``(rows, columns)``, in memory that this thread's next picture may overwrite.
    """
    channels = {"rgb": 3, "rgba": 4}.get(color_mode)  # Pillow makes its own grey of colors
    pixels = fast_pixels(path, channels) if channels else None
    if pixels is None:
        return np.asarray(load_img(path, color_mode, target_size, interpolation, keep_aspect_ratio))
    if pixels.shape[:2] == target_size:
        return pixels
    if interpolation != "nearest":
        return np.asarray(_resized(pillow().fromarray(pixels), target_size, interpolation, keep_aspect_ratio))
    rows, columns = _used_part(pixels.shape[0], pixels.shape[1], target_size, keep_aspect_ratio)
    return pixels.take(_nearest(rows, target_size[0]), axis=0).take(_nearest(columns, target_size[1]), axis=1)


def _nearest(part: slice, new: int) -> np.ndarray:
    """Return which of the rows or columns in a part Pillow takes, which adds up the distances between them."""
    step = (part.stop - part.start) / new
    return np.add.accumulate([part.start + step / 2, *[step] * (new - 1)]).astype(np.intp)


def smart_resize(
    x: Any, size: tuple[int, int], interpolation: str = "bilinear", data_format: str = "channels_last",
    backend_module: Any = None,
) -> Any:  # fmt: skip
    """Resize images without changing their proportions: the middle is kept, and what sticks out is cropped.

    Args:
        x: ``(height, width, channels)`` or with a batch axis first; channels before height for ``"channels_first"``.
        size: New height and width.
        interpolation: As in `keras.ops.image.resize`.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        backend_module: Accepted for Keras's signature.

    Returns:
        A numpy array for a numpy array, otherwise an array of JAX.

    Raises:
        ValueError: `x` or `size` has another form.

    Follows https://keras.io/api/data_loading/image/

    >>> smart_resize(np.ones((4, 9, 3)), (2, 2)).shape
    (2, 2, 3)
    """
    if len(size) != 2:
        raise ValueError(f"size must be (height, width); got {size!r}.")
    if np.ndim(x) not in (3, 4):
        raise ValueError(f"smart_resize takes an image or a batch of images, 3 or 4 axes; got shape {np.shape(x)}.")
    first = np.ndim(x) - (3 if data_format == "channels_last" else 2)
    height, width = np.shape(x)[first : first + 2]
    rows, columns = middle_part(height, width, size)
    part = x[(slice(None),) * first + (rows, columns)]
    small = resize(part, size, interpolation, data_format=data_format)
    return np.array(small) if isinstance(x, np.ndarray) else small
