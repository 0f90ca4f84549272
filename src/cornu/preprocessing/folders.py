"""Folders of files for training: which files there are, in which order, of which class, and in which part."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Listed(NamedTuple):
    """Files with their classes. `labels` is None, or one integer per file; `class_names` is None without labels."""

    paths: list[str]
    labels: np.ndarray | None
    class_names: list[str] | None

    def part(self, files: slice) -> "Listed":
        """Return some of the files."""
        return self._replace(paths=self.paths[files], labels=None if self.labels is None else self.labels[files])


def listed(
    directory: Any,
    labels: Any,
    endings: tuple[str, ...],
    class_names: Sequence[str] | None = None,
    shuffle_seed: int | None = None,
    follow_links: bool = False,
) -> Listed:
    """Return the files in a folder in Keras's order: by class and name, or shuffled as Keras shuffles with a seed.

    Args:
        directory: The folder.
        labels: ``"inferred"``: each subfolder is a class; None for no labels; or a label for each file.
        endings: What the files' names end in, in lower case.
        class_names: The subfolders to read, in the order of their numbers.
        shuffle_seed: None leaves the files sorted.
        follow_links: Whether to enter folders that are links.

    Raises:
        FileNotFoundError, NotADirectoryError: There is no such folder.
        ValueError: No file in it ends so, a class has no folder, or there are not as many labels as files.
    """
    folder = _existing(os.fspath(directory))
    names = _class_folders(folder, class_names) if _is_inferred(labels) else [""]
    by_class = [_files(folder, name, endings, follow_links) for name in names]
    paths = [path for files in by_class for path in files]
    if not paths:
        raise ValueError(f"There is no file {' or '.join(endings)} in {str(directory)!r}{_others(folder, endings)}.")
    if _is_inferred(labels):
        _warn_of_empty(directory, names, by_class)
        numbers = np.repeat(np.arange(len(names), dtype=np.int32), [len(files) for files in by_class])
        found = Listed(paths, numbers, names)
    elif labels is None:
        found = Listed(paths, None, None)
    else:
        found = Listed(paths, _as_labels(labels, len(paths), directory), [str(one) for one in sorted(set(labels))])
    return found if shuffle_seed is None else _shuffled(found, shuffle_seed)


def _is_inferred(labels: Any) -> bool:
    return isinstance(labels, str) and labels == "inferred"


def _existing(folder: str) -> str:
    if not os.path.exists(folder):
        raise FileNotFoundError(f"There is no folder {folder!r} (the working folder is {os.getcwd()!r}).")
    if not os.path.isdir(folder):
        raise NotADirectoryError(f"{folder!r} is a file: pass the folder that contains the classes' folders.")
    return folder


def _class_folders(folder: str, class_names: Sequence[str] | None) -> list[str]:
    with os.scandir(folder) as entries:
        there = sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    if not there:
        raise ValueError(
            f"{folder!r} has no subfolders: each class needs a folder of its own. For files without classes pass "
            "labels=None."
        )
    if class_names is None:
        return there
    missing = [name for name in class_names if name not in there]
    if missing:
        raise ValueError(f"class_names has {missing}, which are not subfolders of {folder!r}; it has {there}.")
    return list(class_names)


def _files(folder: str, name: str, endings: tuple[str, ...], follow_links: bool) -> list[str]:
    """Return the files of a class, those of each folder sorted and the folders sorted by their paths."""
    walked = os.walk(os.path.join(folder, name), followlinks=follow_links)
    return [
        os.path.join(root, file)
        for root, _, files in sorted(walk[:3] for walk in walked)
        for file in sorted(files)
        if file.lower().endswith(endings)
    ]


def _others(folder: str, endings: tuple[str, ...]) -> str:
    """Return which files a folder has instead, as the end of a sentence."""
    files = (file for _, _, files in os.walk(folder) for file in files)
    others = sorted({Path(file).suffix.lower() for file in files if not file.startswith(".")} - {"", *endings})
    return f"; it has {', '.join(others[:5])}, which Keras does not read either" if others else ""


def _warn_of_empty(directory: Any, names: list[str], by_class: list[list[str]]) -> None:
    empty = [name for name, files in zip(names, by_class, strict=True) if not files]
    if empty:
        shown = ", ".join(map(repr, empty[:5]))
        warnings.warn(
            f"{str(directory)!r} has {len(empty)} folders without files for a class: {shown}. "
            "Their classes are kept, as in Keras; delete the folders to drop them.",
            stacklevel=4,
        )


def _as_labels(labels: Any, files: int, directory: Any) -> np.ndarray:
    found = np.asarray(labels)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise ValueError(f"labels must be a list of integers, one per file; got {str(labels)[:60]!r}.")
    if len(found) != files:
        raise ValueError(f"labels has {len(found)} labels; {str(directory)!r} has {files} files.")
    return found.astype(np.int32)


def _shuffled(found: Listed, seed: int) -> Listed:
    """Return the files in the order into which Keras shuffles them: numpy's, of generators with the same seed."""
    order = np.arange(len(found.paths))
    np.random.RandomState(seed).shuffle(order)
    labels = None if found.labels is None else found.labels[order]
    return found._replace(paths=[found.paths[place] for place in order], labels=labels)


def check_split(validation_split: float | None, subset: str | None, shuffle: bool, seed: int | None) -> None:
    """Raise ValueError if the arguments for a split contradict each other."""
    if subset not in (None, "training", "validation", "both"):
        raise ValueError(f"subset must be 'training', 'validation', 'both' or None; got {subset!r}.")
    if bool(validation_split) != (subset is not None):
        raise ValueError("validation_split and subset belong together: pass both or neither.")
    if validation_split and not 0 < validation_split < 1:
        raise ValueError(f"validation_split must be a fraction between 0 and 1; got {validation_split!r}.")
    if validation_split and shuffle and seed is None:
        raise ValueError(
            "A split of shuffled files needs a seed, the same for both parts, so that no file is in both: pass "
            "seed=1, for example."
        )


def split(found: Listed, validation_split: float | None) -> tuple[Listed, Listed]:
    """Return the files for training and the last fraction, for validation.

    Raises ValueError if one of the two would be empty.
    """
    cut = len(found.paths) - int((validation_split or 0) * len(found.paths))
    if validation_split and not 0 < cut < len(found.paths):
        raise ValueError(
            f"validation_split={validation_split} of {len(found.paths)} files leaves no file for one of the two parts."
        )
    return found.part(slice(0, cut)), found.part(slice(cut, None))
