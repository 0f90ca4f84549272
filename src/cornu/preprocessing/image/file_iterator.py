"""Iterators over image files, and `DirectoryIterator`: a folder with a subfolder for each class."""

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from cornu.core import spellings
from cornu.core.errors import did_you_mean, listed, unknown
from cornu.core.public import offer
from cornu.core.settings import floatx, standardize_data_format
from cornu.preprocessing.image.augmentation import augmented
from cornu.preprocessing.image.conversion import INTERPOLATIONS, load_pixels
from cornu.preprocessing.image.iterator import Iterator, check_subset, save_batch

_IMPORTED = frozenset(globals())

CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}


class FileIterator(Iterator):
    """Base class of iterators over image files: a subclass sets `filepaths`, `labels` and `sample_weight`."""

    filepaths: Any
    labels: Any
    sample_weight: Any = None
    class_indices: dict[Any, int]
    class_mode: str | None
    allowed_class_modes: tuple[str | None, ...]
    classes: Any
    dtype: Any

    def set_processing_attrs(
        self, image_data_generator: Any, target_size: tuple[int, int], color_mode: str, data_format: str | None,
        save_to_dir: Any, save_prefix: str, save_format: str, subset: str | None, interpolation: str,
        keep_aspect_ratio: bool = False,
    ) -> None:  # fmt: skip
        """Set how files become images.

        Raises ValueError if a word is unknown, or `target_size` is not two positive integers.
        """
        for name, word, words in (
            ("color_mode", color_mode, tuple(CHANNELS)),
            ("interpolation", interpolation, INTERPOLATIONS),
        ):
            if word not in words:
                raise unknown(name, word, words)
        if np.shape(target_size) != (2,) or min(target_size) < 1:
            raise ValueError(f"target_size must be (rows, columns), two positive integers; got {target_size!r}.")
        self.image_data_generator = image_data_generator
        self.target_size = (int(target_size[0]), int(target_size[1]))
        self.color_mode, self.interpolation, self.keep_aspect_ratio = color_mode, interpolation, keep_aspect_ratio
        self.data_format = standardize_data_format(data_format)
        channels = (CHANNELS[color_mode],)
        first = self.data_format == "channels_first"
        self.image_shape = channels + self.target_size if first else self.target_size + channels
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        part = check_subset(subset, image_data_generator)
        self.subset = subset
        self.split = {None: None, "validation": (0, part), "training": (part, 1)}[subset]

    def check_class_mode(self) -> None:
        """Raise ValueError if the class mode is unknown."""
        if self.class_mode not in self.allowed_class_modes:
            raise unknown("class_mode", self.class_mode, self.allowed_class_modes)

    def part_of(self, count: int) -> slice:
        """Return which of `count` files belong to the subset."""
        return slice(None) if self.split is None else slice(*(int(end * count) for end in self.split))

    def _read(self, path: str, image: np.ndarray) -> None:
        """Read an image file into an array; errors name the file."""
        try:
            size, interpolation = self.target_size, self.interpolation
            pixels = load_pixels(path, self.color_mode, size, interpolation, self.keep_aspect_ratio)
        except FileNotFoundError:
            raise FileNotFoundError(
                f"The image {str(path)!r} is gone: it was there when its folder was listed."
            ) from None
        except (OSError, ValueError, SyntaxError, EOFError) as error:  # what Pillow raises for damaged files
            reason = "it is not an image" if type(error).__name__ == "UnidentifiedImageError" else str(error)
            raise ValueError(f"The image {str(path)!r} cannot be read: {reason}. Repair or delete it.") from error
        place = image.transpose(1, 2, 0) if self.data_format == "channels_first" else image
        place[...] = pixels.reshape(place.shape)

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        def read(numbers: range, images: np.ndarray) -> None:
            for image, number in zip(images, index_array[numbers.start : numbers.stop], strict=True):
                self._read(self.filepaths[number], image)

        batch = augmented(self.image_data_generator, read, np.empty((len(index_array), *self.image_shape), self.dtype))
        if self.save_to_dir:
            save_batch(self, batch, index_array, 10_000_000)
        if self.class_mode is None:
            return batch
        weights = () if self.sample_weight is None else (self.sample_weight[index_array],)
        return (batch, self._targets_of(batch, index_array), *weights)

    def _targets_of(self, batch: np.ndarray, indices: np.ndarray) -> Any:
        if self.class_mode == "input":
            return batch.copy()
        if self.class_mode == "multi_output":
            return [column[indices] for column in self.labels]
        if self.class_mode == "raw":
            return self.labels[indices]
        if self.class_mode in ("binary", "sparse"):
            return np.array([self.classes[number] for number in indices], self.dtype)
        targets = np.zeros((len(batch), len(self.class_indices)), self.dtype)
        for row, number in enumerate(indices):
            targets[row, self.classes[number]] = 1
        return targets


class DirectoryIterator(FileIterator):
    """Batches of the images in a folder with a subfolder for each class, changed by an `ImageDataGenerator`.

    Args:
        directory: The folder.
        image_data_generator: The `ImageDataGenerator`.
        target_size: ``(rows, columns)`` that images are resized to.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        classes: Names of the subfolders in the order of their numbers; None takes all, sorted.
        class_mode: What the targets are: ``"categorical"``, one-hot rows; ``"binary"`` and ``"sparse"``, numbers;
            ``"input"``, the images; None for images alone.
        batch_size: Images per batch.
        shuffle: Whether each epoch has another order; otherwise files are sorted.
        seed: As in `Iterator`.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        save_to_dir: Folder to write the changed images to, or None.
        save_prefix, save_format: Beginning and ending of their names.
        follow_links: Whether to enter folders that are links.
        subset: ``"training"`` or ``"validation"``, if the generator has a `validation_split`; the first images of each
            class are for validation.
        interpolation: As in `load_img`.
        keep_aspect_ratio: As in `load_img`.
        dtype: Dtype of the images, by default ``floatx()``.

    Raises:
        FileNotFoundError, NotADirectoryError: The folder does not exist.
        ValueError: It has no images, a class has no folder, or a word is unknown.

    Attributes: `filenames`, `filepaths`, `classes` (the number of each file's class), `class_indices`, `samples`,
    `num_classes`.

    Follows https://keras.io/2.15/api/preprocessing/image/
    """

    allowed_class_modes = ("categorical", "binary", "sparse", "input", None)

    @spellings.old_keywords("DirectoryIterator")
    def __init__(
        self, directory: Any, image_data_generator: Any, target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb", classes: Any = None, class_mode: str | None = "categorical", batch_size: int = 32,
        shuffle: bool = True, seed: int | None = None, data_format: str | None = None, save_to_dir: Any = None,
        save_prefix: str = "", save_format: str = "png", follow_links: bool = False, subset: str | None = None,
        interpolation: str = "nearest", keep_aspect_ratio: bool = False, dtype: Any = None,
    ) -> None:  # fmt: skip
        self.set_processing_attrs(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
            interpolation, keep_aspect_ratio,
        )  # fmt: skip
        self.directory, self.class_mode, self.dtype = directory, class_mode, dtype or floatx()
        self.check_class_mode()
        names = _class_folders(os.fspath(directory), classes)
        files = [_files(os.path.join(directory, name), self.white_list_formats, follow_links) for name in names]
        _check_files(os.fspath(directory), names, files)
        files = [found[self.part_of(len(found))] for found in files]
        self.class_indices, self.num_classes = {name: number for number, name in enumerate(names)}, len(names)
        self.filenames = [os.path.join(name, file) for name, found in zip(names, files, strict=True) for file in found]
        self.classes = np.repeat(np.arange(len(names), dtype="int32"), [len(found) for found in files])
        self.labels = self.classes
        self.filepaths = [os.path.join(directory, file) for file in self.filenames]
        self.samples = len(self.filenames)
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        super().__init__(self.samples, batch_size, shuffle, seed)


def _class_folders(directory: str, classes: Any) -> list[str]:
    if not os.path.exists(directory):
        raise FileNotFoundError(f"There is no folder {directory!r} (the working folder is {os.getcwd()!r}).")
    if not os.path.isdir(directory):
        raise NotADirectoryError(f"{directory!r} is a file: pass the folder that has a folder for each class.")
    there = sorted(name for name in os.listdir(directory) if os.path.isdir(os.path.join(directory, name)))
    for name in classes or ():
        if not os.path.isdir(os.path.join(directory, name)):
            raise ValueError(f"classes has {name!r}, but {directory!r} has no such folder.{did_you_mean(name, there)}")
    return list(classes or there)


def _files(folder: str, endings: tuple[str, ...], follow_links: bool) -> list[str]:
    """Return the image files in a folder and those below it, as paths from it, sorted by folder, then by name."""
    walked = sorted((root, sorted(files)) for root, _, files in os.walk(folder, followlinks=follow_links))
    return [
        os.path.normpath(os.path.join(os.path.relpath(root, folder), file))
        for root, files in walked
        for file in files
        if file.lower().endswith(endings)
    ]


def _check_files(directory: str, names: list[str], files: list[list[str]]) -> None:
    """Raise ValueError for a folder without images; warn of classes without images."""
    endings = Iterator.white_list_formats
    if not any(files):
        loose = any(file.lower().endswith(endings) for file in os.listdir(directory))
        advice = (
            f"Its images need a subfolder, also if they have no classes: move them to {str(Path(directory, 'all'))!r}."
            if loose
            else f"It needs a subfolder for each class, with files {', '.join(endings)}."
        )
        raise ValueError(f"There are no images in the subfolders of {directory!r}. {advice}")
    empty = [name for name, found in zip(names, files, strict=True) if not found]
    if empty:
        warnings.warn(
            f"{directory!r} has folders without images, which count as classes: {listed(empty)}.", stacklevel=4
        )


offer(globals(), _IMPORTED)
