"""`image_dataset_from_directory`: a folder of pictures as a data set for `fit`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.core.settings import standardize_data_format
from cornu.data.zero_copy import FreshArrays
from cornu.preprocessing import resizing
from cornu.preprocessing.file_batches import Files
from cornu.preprocessing.pictures import CHANNELS, pillow, pixels_of
from cornu.utils.folder_datasets import Folder, Kind, datasets_of

#: The files that Keras reads as pictures.
PICTURES = Kind("pictures", (".bmp", ".gif", ".jpeg", ".jpg", ".png"))


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: int | tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Return the pictures in a folder as a data set for `fit`, `evaluate` and `predict`.

    The pictures are read by threads when they are needed. The data set has the attributes `class_names` and
    `file_paths`. It reads ``.png``, ``.jpg``, ``.jpeg``, ``.bmp`` and ``.gif`` (the first frame) with Pillow, and
    faster with the other packages of the extra ``image``.

    Args:
        directory: The folder. With inferred labels, each of its subfolders is a class.
        labels: ``"inferred"``, None for no labels, or a list with an integer for each file, sorted by path.
        label_mode: ``"int"`` (int32), ``"categorical"`` (one-hot), ``"binary"`` (0.0 or 1.0, ``(batch, 1)``) or None.
        class_names: The subfolders to read, in the order of their numbers; by default all, sorted.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        batch_size: Pictures per batch; None gives one picture after another.
        image_size: Height and width of the pictures.
        shuffle: Whether to shuffle the files, and the order of each epoch; otherwise they are sorted by path.
        seed: Seed of the order.
        validation_split: Fraction of the files for validation, the last of the order.
        subset: ``"training"``, ``"validation"``, or ``"both"`` for a list of the two.
        interpolation: ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"area"``, ``"lanczos3"``, ``"lanczos5"``,
            ``"gaussian"`` or ``"mitchellcubic"``.
        follow_links: Whether to enter folders that are links.
        crop_to_aspect_ratio: Whether to crop the middle of a picture rather than change its proportions.
        pad_to_aspect_ratio: Whether to add black margins rather than change its proportions.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        format: ``"tf"`` or ``"grain"``; the result is the same data set.
        verbose: Whether to print the number of files and classes.

    Returns:
        Batches ``(pictures, labels)``, or of pictures without labels: ``(batch, height, width, channels)``, float32
        from 0 to 255 (uint8 for ``"nearest"``).

    Raises:
        FileNotFoundError: There is no such folder; later, a file is gone.
        ValueError: An argument is wrong, or there are no pictures; later, a picture cannot be read.
        ModuleNotFoundError: Pillow is missing.

    Follows https://keras.io/api/data_loading/image/#image_dataset_from_directory-function

    >>> import pathlib, tempfile
    >>> from cornu.utils import save_img
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("cat", "dog"):
    ...         pathlib.Path(folder, name).mkdir()
    ...         save_img(f"{folder}/{name}/1.png", np.zeros((8, 8, 3)))
    ...     data = image_dataset_from_directory(folder, image_size=(4, 4), seed=1)
    ...     print(data.class_names, *[(x.shape, y.shape) for x, y in data])
    Found 2 files belonging to 2 classes.
    ['cat', 'dog'] ((2, 4, 4, 3), (2,))
    """
    folder = Folder(
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
        format, verbose,
    ).checked()  # fmt: skip
    read = _Reading(color_mode, image_size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, data_format)
    pillow()
    return datasets_of(folder, PICTURES, lambda paths, targets: Files(paths, targets, read, read.space))


class _Reading:
    """How a file becomes an array; the arguments are those of `image_dataset_from_directory`."""

    def __init__(
        self, color_mode: str, image_size: Any, interpolation: str, crop: bool, pad: bool, data_format: str | None
    ) -> None:
        if color_mode not in CHANNELS:
            raise ValueError(f"color_mode must be one of {', '.join(map(repr, CHANNELS))}; got {color_mode!r}.")
        self.method = str(interpolation).lower()
        if self.method not in resizing.METHODS:
            known = ", ".join(map(repr, resizing.METHODS))
            raise ValueError(f"interpolation must be one of {known}; got {interpolation!r}.")
        if crop and pad:
            raise ValueError("crop_to_aspect_ratio and pad_to_aspect_ratio exclude each other: pass one of them.")
        self.channels, self.size = CHANNELS[color_mode], _size(image_size)
        self.crop, self.pad = crop, pad
        self.first = standardize_data_format(data_format) == "channels_first"
        height, width = self.size
        self.shape = (self.channels, height, width) if self.first else (height, width, self.channels)
        self.dtype = "uint8" if self.method == "nearest" else "float32"

    def space(self, count: int, arrays: FreshArrays) -> np.ndarray:
        """Return an array for some pictures."""
        return arrays((count, *self.shape), self.dtype)

    def __call__(self, path: str, pictures: np.ndarray, row: int) -> None:
        place = pictures[row].transpose(1, 2, 0) if self.first else pictures[row]
        found = self._resized(pixels_of(path, self.channels), place)
        if found is not place:
            place[...] = found

    def _resized(self, pixels: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Return a picture in the size that is asked for, if possible in its place."""
        if pixels.shape[:2] == self.size and self.method in ("bilinear", "nearest"):
            return pixels  # resizing would return the same numbers
        if self.pad:
            return resizing.padded(pixels, self.size, self.method)
        if self.crop:
            rows, columns = resizing.middle_part(pixels.shape[0], pixels.shape[1], self.size)
            pixels = pixels[rows, columns]
        return resizing.resized(pixels, self.size, self.method, out=place)


def _size(image_size: Any) -> tuple[int, int]:
    pair = (image_size, image_size) if isinstance(image_size, (int, np.integer)) else image_size
    if (
        not isinstance(pair, (tuple, list))
        or len(pair) != 2
        or any(not isinstance(one, int) or one < 1 for one in pair)
    ):
        raise ValueError(f"image_size must be (height, width), such as (128, 128); got {image_size!r}.")
    return int(pair[0]), int(pair[1])
