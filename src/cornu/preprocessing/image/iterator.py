"""Iterators over images: batches without end for programs that loop, batches by number for `fit`."""

import threading
import warnings
from collections.abc import Iterator as Iterates
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cornu.core import spellings
from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.core.settings import floatx, standardize_data_format
from cornu.data.streams import PyDataset
from cornu.preprocessing.image.augmentation import augmented
from cornu.preprocessing.image.conversion import save_img

_IMPORTED = frozenset(globals())


class Iterator(PyDataset):
    """Base class of iterators over images, which override ``_get_batches_of_transformed_samples(index_array)``.

    ``next(iterator)`` returns one batch after the other without end; ``iterator[i]`` is the batch with a number. Before
    each batch, ``numpy.random`` is seeded with `seed` plus the number of batches so far.

    Args:
        n: Number of images.
        batch_size: Images per batch; the last batch of an epoch may have fewer.
        shuffle: Whether each epoch has another order.
        seed: Seed of the order and of all changes; None continues with the state of ``numpy.random``.
        **kwargs: Arguments of `PyDataset`.

    >>> class Numbers(Iterator):
    ...     def _get_batches_of_transformed_samples(self, index_array):
    ...         return index_array
    >>> numbers = Numbers(5, batch_size=2, shuffle=False, seed=None)
    >>> len(numbers), [next(numbers).tolist() for _ in range(4)]
    (3, [[0, 1], [2, 3], [4], [0, 1]])
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if batch_size < 1:
            raise ValueError(f"batch_size must be a positive integer; got {batch_size!r}.")
        self.n, self.batch_size, self.shuffle, self.seed = n, batch_size, shuffle, seed
        self.batch_index = self.total_batches_seen = 0
        self.index_array: Any = None
        self.lock = threading.Lock()
        self.index_generator = self._flow_index()

    def _set_index_array(self) -> None:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _begin_batch(self) -> None:
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)
        self.total_batches_seen += 1

    def __len__(self) -> int:
        return (self.n + self.batch_size - 1) // self.batch_size

    def __getitem__(self, idx: int) -> Any:
        if not 0 <= idx < len(self):
            raise ValueError(f"{type(self).__name__} has the batches 0 to {len(self) - 1}; asked for {idx}.")
        with self.lock:
            self._begin_batch()
            if self.index_array is None:
                self._set_index_array()
            indices = self.index_array[self.batch_size * idx : self.batch_size * (idx + 1)]
        return self._get_batches_of_transformed_samples(indices)

    def on_epoch_end(self) -> None:
        """Choose the order of the next epoch."""
        self._set_index_array()

    def reset(self) -> None:
        """Let `next` continue with the first batch."""
        self.batch_index = 0

    def _flow_index(self) -> Iterates[np.ndarray]:
        self.reset()
        while True:
            self._begin_batch()
            if self.batch_index == 0:
                self._set_index_array()
            start = self.batch_index * self.batch_size
            self.batch_index = self.batch_index + 1 if start + self.batch_size < self.n else 0
            yield self.index_array[start : start + self.batch_size]

    def __iter__(self) -> "Iterator":
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self) -> Any:
        """Return the next batch."""
        with self.lock:
            indices = next(self.index_generator)
        return self._get_batches_of_transformed_samples(indices)

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} needs a method _get_batches_of_transformed_samples(self, index_array) that returns "
            "the batch of the images with these numbers."
        )

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            return spellings.old_attribute(self, name)


def save_batch(iterator: Any, batch: np.ndarray, indices: np.ndarray, largest: int) -> None:
    """Write the images of a batch into the folder that the iterator's `save_to_dir` names.

    Names end with a random number below `largest`, from ``numpy.random``.
    """
    folder = Path(iterator.save_to_dir)
    if not folder.is_dir():
        raise FileNotFoundError(f"save_to_dir={str(folder)!r} is not a folder: create it first.")
    for image, index in zip(batch, indices, strict=True):
        name = f"{iterator.save_prefix}_{index}_{np.random.randint(largest)}.{iterator.save_format}"
        save_img(folder / name, image, iterator.data_format)


def check_subset(subset: str | None, generator: Any) -> float:
    """Return the generator's `validation_split`; ValueError if a subset is unknown, or needs one that is not there."""
    if subset not in (None, "training", "validation"):
        raise unknown("subset", subset, ("training", "validation"))
    part = getattr(generator, "_validation_split", 0.0)
    if subset == "validation" and not part:
        raise ValueError("subset='validation' needs ImageDataGenerator(validation_split=...), a fraction such as 0.2.")
    return part


def check_images(what: str, x: np.ndarray, data_format: str) -> None:
    """Raise ValueError if an array does not have four axes; warn if its channels are not 1, 3 or 4."""
    axis = 1 if data_format == "channels_first" else 3
    if x.ndim != 4:
        example = " For images without channels, pass x[..., None]." if x.ndim == 3 else ""
        raise ValueError(
            f"{what} takes images with four axes (n, rows, columns, channels); got shape {x.shape}.{example}"
        )
    if x.shape[axis] not in (1, 3, 4):
        warnings.warn(
            f"{what}: with data_format={data_format!r}, images have 1, 3 or 4 channels on axis {axis}; got shape "
            f"{x.shape}.",
            stacklevel=4,
        )


class NumpyArrayIterator(Iterator):
    """Batches of images from an array, changed by an `ImageDataGenerator`.

    Args:
        x: Images ``(n, rows, columns, channels)`` or channels second, or a tuple of images and one more input or a list
            of inputs, which are passed on unchanged.
        y: Targets, or None.
        image_data_generator: The `ImageDataGenerator`.
        batch_size: Images per batch.
        shuffle: Whether each epoch has another order.
        sample_weight: Weight of each image, or None.
        seed: As in `Iterator`.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        save_to_dir: Folder to write the changed images to, or None.
        save_prefix, save_format: Beginning and ending of their names.
        subset: ``"training"`` or ``"validation"``, if the generator has a `validation_split`; the first images are for
            validation.
        ignore_class_split: Whether the subsets may have different classes.
        dtype: Dtype of the images, by default ``floatx()``.

    Raises:
        ValueError: Arrays differ in length, images do not have four axes, or a subset lacks a class.

    >>> from cornu.preprocessing.image import ImageDataGenerator
    >>> batches = NumpyArrayIterator(np.zeros((10, 8, 8, 3)), np.arange(10), ImageDataGenerator(), batch_size=4)
    >>> len(batches), batches[2][1].tolist()
    (3, [8, 9])
    """

    @spellings.old_keywords("NumpyArrayIterator")
    def __init__(
        self, x: Any, y: Any, image_data_generator: Any, batch_size: int = 32, shuffle: bool = False,
        sample_weight: Any = None, seed: int | None = None, data_format: str | None = None, save_to_dir: Any = None,
        save_prefix: str = "", save_format: str = "png", subset: str | None = None, ignore_class_split: bool = False,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        self.image_data_generator, self.dtype = image_data_generator, dtype or floatx()
        self.data_format = standardize_data_format(data_format)
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        images, others = x, []
        if isinstance(x, (tuple, list)):
            images = x[0]
            others = [np.asarray(one) for one in (x[1] if isinstance(x[1], list) else [x[1]])]
        self.x, self.x_misc = np.asarray(images, dtype=self.dtype), others
        self.y = None if y is None else np.asarray(y)
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight)
        self._check_lengths()
        check_images("flow", self.x, self.data_format)
        part = check_subset(subset, image_data_generator)
        if subset is not None:
            self._select(subset, int(len(self.x) * part), ignore_class_split)
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _check_lengths(self) -> None:
        names = ["y", "sample_weight", *(f"x[1][{place}]" for place in range(len(self.x_misc)))]
        for name, array in zip(names, [self.y, self.sample_weight, *self.x_misc], strict=True):
            if array is not None and len(array) != len(self.x):
                raise ValueError(f"x has {len(self.x)} images and {name} has {len(array)} rows; they must be equal.")

    def _select(self, subset: str, cut: int, ignore_class_split: bool) -> None:
        """Keep the images before or behind a place."""
        if self.y is not None and not ignore_class_split:
            before, behind = np.unique(self.y[:cut]), np.unique(self.y[cut:])
            if not np.array_equal(before, behind):
                raise ValueError(
                    f"The images for validation have {len(before)} different labels and those for training "
                    f"{len(behind)}: the first images are for validation, and they seem to be sorted by class.\n"
                    "Shuffle x and y first, or pass ignore_class_split=True."
                )
        kept = slice(None, cut) if subset == "validation" else slice(cut, None)
        self.x, self.x_misc = self.x[kept], [one[kept] for one in self.x_misc]
        self.y = None if self.y is None else self.y[kept]
        self.sample_weight = None if self.sample_weight is None else self.sample_weight[kept]

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        def read(numbers: range, images: np.ndarray) -> None:
            np.take(self.x, index_array[numbers.start : numbers.stop], 0, images, "clip")

        batch = augmented(self.image_data_generator, read, np.empty((len(index_array), *self.x.shape[1:]), self.dtype))
        if self.save_to_dir:
            save_batch(self, batch, index_array, 10_000)
        x = [batch, *(one[index_array] for one in self.x_misc)] if self.x_misc else batch
        if self.y is None:
            return x
        weights = () if self.sample_weight is None else (self.sample_weight[index_array],)
        return (x, self.y[index_array], *weights)


offer(globals(), _IMPORTED)
