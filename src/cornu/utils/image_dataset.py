"""`image_dataset_from_directory`: a folder of pictures as a data set for `fit`."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.callbacks.progress import say
from cornu.core.settings import standardize_data_format
from cornu.data.arrays import check_batch_size
from cornu.data.dataset import Dataset
from cornu.preprocessing import folders, resizing
from cornu.preprocessing.picture_batches import PictureFiles, dataset_of
from cornu.preprocessing.pictures import CHANNELS, pillow, pixels_of
from cornu.utils.arrays import to_categorical

#: The files that Keras reads as pictures.
ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_LABEL_MODES = ("int", "categorical", "binary", None)


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
    `file_paths`. It reads ``.png``, ``.jpg``, ``.jpeg``, ``.bmp`` and ``.gif`` (the first frame) with Pillow.

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
    if label_mode not in _LABEL_MODES:
        raise ValueError(f"label_mode must be one of {', '.join(map(repr, _LABEL_MODES))}; got {label_mode!r}.")
    if labels is not None and label_mode is not None:
        _check_labels(labels, class_names)
    elif class_names is not None and labels is None:
        raise ValueError("class_names needs labels='inferred'; got labels=None.")
    if format not in ("tf", "grain"):
        raise ValueError(f"format must be 'tf' or 'grain'; got {format!r}.")
    if batch_size is not None:
        check_batch_size(batch_size)
    folders.check_split(validation_split, subset, shuffle, seed)
    read = _Reading(color_mode, image_size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, data_format)
    pillow()
    seed = int(np.random.randint(1_000_000)) if seed is None else seed
    found = folders.listed(directory, labels, ENDINGS, class_names, seed if shuffle else None, follow_links)
    _report(found, directory, label_mode, verbose)
    training, validation = folders.split(found, validation_split)
    if subset is not None and verbose:
        _report_split(training, validation, subset)
    make = lambda part, again: _dataset(part, label_mode, read, batch_size, seed if again else None)  # noqa: E731
    if subset == "both":
        return [make(training, shuffle), make(validation, False)]
    return make(validation if subset == "validation" else training, shuffle)


def _check_labels(labels: Any, class_names: Sequence[str] | None) -> None:
    if isinstance(labels, str) and labels == "inferred":
        return
    if not isinstance(labels, (list, tuple, np.ndarray)):
        raise ValueError(f"labels must be 'inferred', None or a list of integers; got {labels!r}.")
    if class_names is not None:
        raise ValueError("class_names needs labels='inferred': with a list, the classes are the sorted labels.")


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

    def __call__(self, path: str) -> np.ndarray:
        pixels = pixels_of(path, self.channels)
        if self.pad:
            pixels = resizing.padded(pixels, self.size, self.method)
        else:
            if self.crop:
                rows, columns = resizing.middle_part(pixels.shape[0], pixels.shape[1], self.size)
                pixels = pixels[rows, columns]
            pixels = resizing.resized(pixels, self.size, self.method)
        return pixels.transpose(2, 0, 1) if self.first else pixels


def _size(image_size: Any) -> tuple[int, int]:
    pair = (image_size, image_size) if isinstance(image_size, (int, np.integer)) else image_size
    if (
        not isinstance(pair, (tuple, list))
        or len(pair) != 2
        or any(not isinstance(one, int) or one < 1 for one in pair)
    ):
        raise ValueError(f"image_size must be (height, width), such as (128, 128); got {image_size!r}.")
    return int(pair[0]), int(pair[1])


def _report(found: folders.Listed, directory: Any, label_mode: str | None, verbose: bool) -> None:
    """Print what was found; warn of a single class, with which a model learns nothing."""
    classes = found.class_names
    if verbose:
        belong = "" if classes is None else f" belonging to {len(classes)} classes"
        say(f"Found {len(found.paths)} files{belong}.")
    if classes is None or label_mode is None:
        return
    if label_mode == "binary" and len(classes) != 2:
        raise ValueError(
            f"label_mode='binary' needs two classes; {str(directory)!r} has {len(classes)}: {classes[:5]}."
        )
    if len(classes) == 1:
        warnings.warn(
            f"All {len(found.paths)} pictures in {str(directory)!r} are of one class, {classes[0]!r}: pass the folder "
            "whose subfolders are the classes, or label_mode=None for pictures without labels.",
            stacklevel=3,
        )


def _report_split(training: folders.Listed, validation: folders.Listed, subset: str) -> None:
    for name, part in (("training", training), ("validation", validation)):
        if subset in (name, "both"):
            say(f"Using {len(part.paths)} files for {name}.")


def _dataset(
    part: folders.Listed, label_mode: str | None, read: _Reading, batch_size: int | None, shuffle_seed: int | None
) -> Dataset:
    targets = None if label_mode is None else part.labels
    if targets is not None and label_mode == "categorical":
        targets = to_categorical(targets, len(part.class_names or ()))
    elif targets is not None and label_mode == "binary":
        targets = targets.astype("float32")[:, None]
    data: Any = dataset_of(PictureFiles(part.paths, targets, read, read.shape, read.dtype), batch_size, shuffle_seed)
    data.class_names, data.file_paths = part.class_names, part.paths
    return data
