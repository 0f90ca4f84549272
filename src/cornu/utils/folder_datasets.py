"""What the three functions that make a data set of a folder share: classes, order, parts and labels of files."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from cornu.callbacks.progress import say
from cornu.data.arrays import check_batch_size
from cornu.data.dataset import Dataset
from cornu.preprocessing import folders
from cornu.preprocessing.file_batches import Files, dataset_of
from cornu.utils.arrays import to_categorical

_LABEL_MODES = ("int", "categorical", "binary", None)


class Kind(NamedTuple):
    """A kind of files: the word for several of them, and what their names end in, in lower case."""

    plural: str
    endings: tuple[str, ...]


class Folder(NamedTuple):
    """The arguments that `image_dataset_from_directory` and its siblings share, by their names."""

    directory: Any
    labels: Any
    label_mode: str | None
    class_names: Sequence[str] | None
    batch_size: int | None
    shuffle: bool
    seed: int | None
    validation_split: float | None
    subset: str | None
    follow_links: bool
    format: str
    verbose: bool

    def checked(self) -> "Folder":
        """Return the arguments with what they leave open; without labels there is no label mode, and inversely.

        Raises ValueError if an argument is wrong.
        """
        if self.label_mode not in _LABEL_MODES:
            raise ValueError(
                f"label_mode must be one of {', '.join(map(repr, _LABEL_MODES))}; got {self.label_mode!r}."
            )
        _check_labels(self.labels, self.class_names)
        if self.format not in ("tf", "grain"):
            raise ValueError(f"format must be 'tf' or 'grain'; got {self.format!r}.")
        if self.batch_size is not None:
            check_batch_size(self.batch_size)
        folders.check_split(self.validation_split, self.subset, self.shuffle, self.seed)
        seed = int(np.random.randint(1_000_000)) if self.seed is None else self.seed
        if self.labels is not None and self.label_mode is not None:
            return self._replace(seed=seed)
        if self.class_names is not None:
            raise ValueError("class_names needs labels='inferred' and a label_mode; there are no labels.")
        return self._replace(seed=seed, labels=None, label_mode=None)


def datasets_of(folder: Folder, kind: Kind, files_of: Callable[[list[str], np.ndarray | None], Files]) -> Any:
    """Return the data set of a folder whose arguments are checked, or for ``subset="both"`` a list of two.

    Each has the attributes `class_names` and `file_paths`.

    Args:
        folder: What `Folder.checked` returned.
        kind: Which files to read.
        files_of: Called with paths and targets (or None): how the files are read.

    Raises:
        FileNotFoundError, NotADirectoryError: There is no such folder.
        ValueError: It has no files of this kind, or they do not match the labels.
    """
    order = folder.seed if folder.shuffle else None
    found = folders.listed(
        folder.directory, folder.labels, kind.endings, folder.class_names, order, folder.follow_links
    )
    _report(found, folder, kind)
    training, validation = folders.split(found, folder.validation_split)
    if folder.subset is not None and folder.verbose:
        _report_split(training, validation, folder.subset)

    def make(part: folders.Listed, shuffle_seed: int | None) -> Dataset:
        files = files_of(part.paths, _targets(part, folder.label_mode))
        data: Any = dataset_of(files, folder.batch_size, shuffle_seed)
        data.class_names, data.file_paths = part.class_names, part.paths
        return data

    if folder.subset == "both":
        return [make(training, order), make(validation, None)]
    return make(validation if folder.subset == "validation" else training, order)


def contents_of(path: str, what: str, most: int | None = None) -> bytes:
    """Return a file's bytes, no more than `most`; FileNotFoundError or ValueError name the file and what it was."""
    try:
        with open(path, "rb") as file:
            return file.read() if most is None else file.read(most)
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no {what} {path!r} any more; its folder had it.") from None
    except OSError as error:
        raise ValueError(f"The {what} {path!r} cannot be read: {error.strerror}. Replace or delete it.") from error


def _check_labels(labels: Any, class_names: Sequence[str] | None) -> None:
    if labels is None or (isinstance(labels, str) and labels == "inferred"):
        return
    if not isinstance(labels, (list, tuple, np.ndarray)):
        raise ValueError(f"labels must be 'inferred', None or a list of integers; got {labels!r}.")
    if class_names is not None:
        raise ValueError("class_names needs labels='inferred': with a list, the classes are the sorted labels.")


def _report(found: folders.Listed, folder: Folder, kind: Kind) -> None:
    """Print what was found; warn of a single class, with which a model learns nothing."""
    classes = found.class_names
    if folder.verbose:
        belong = "" if classes is None else f" belonging to {len(classes)} classes"
        say(f"Found {len(found.paths)} files{belong}.")
    if classes is None:
        return
    directory = str(folder.directory)
    if folder.label_mode == "binary" and len(classes) != 2:
        raise ValueError(f"label_mode='binary' needs two classes; {directory!r} has {len(classes)}: {classes[:5]}.")
    if len(classes) == 1:
        warnings.warn(
            f"All {len(found.paths)} {kind.plural} in {directory!r} are of one class, {classes[0]!r}: pass the folder "
            f"whose subfolders are the classes, or label_mode=None for {kind.plural} without labels.",
            stacklevel=4,
        )


def _report_split(training: folders.Listed, validation: folders.Listed, subset: str) -> None:
    for name, part in (("training", training), ("validation", validation)):
        if subset in (name, "both"):
            say(f"Using {len(part.paths)} files for {name}.")


def _targets(part: folders.Listed, label_mode: str | None) -> np.ndarray | None:
    if part.labels is None or label_mode == "int":
        return part.labels
    if label_mode == "categorical":
        return to_categorical(part.labels, len(part.class_names or ()))
    return part.labels.astype("float32")[:, None]
