"""A folder of pictures as arrays for ``cornu train --images``: which of them train, and which are held out."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cornu.cli.common import UserError
from cornu.core.errors import listed, one_line
from cornu.preprocessing import folders
from cornu.preprocessing.pictures import opened, pillow, shrunk

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_TRAINING, _HELD_OUT = ("train", "training"), ("test", "validation", "val", "valid")
MOST_BYTES = 4 << 30  # of pictures in memory


class Part(NamedTuple):
    """Pictures ``(count, side, side, 3)`` of uint8, and their classes by number."""

    x: np.ndarray
    y: np.ndarray


class Parts(NamedTuple):
    """Files for training, and files that are held out; `held_out` is the name of their folder, if they have one."""

    training: folders.Listed
    test: folders.Listed
    held_out: str | None

    @property
    def class_names(self) -> list[str]:
        return self.training.class_names or []


def parts_of(folder: str, fraction: float, seed: int) -> Parts:
    """Return the parts of a folder with a subfolder per class, or with such folders named train and test.

    Without a folder for it, `fraction` of each class is held out. Raises UserError if there is nothing to learn.
    """
    pillow()
    try:
        inner = {entry.name.lower(): entry.name for entry in os.scandir(folder) if entry.is_dir()}
        training = next((inner[name] for name in _TRAINING if name in inner), None)
        test = next((inner[name] for name in _HELD_OUT if name in inner), None)
        if training is not None and test is not None:
            return _given(folder, training, test)
        if training is not None and len(inner) == 1:
            folder = os.path.join(folder, training)
        found = folders.listed(folder, "inferred", ENDINGS)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(f"cannot train on {folder!r}: {said}") from error
    _check_classes(found, folder)
    rows = [np.flatnonzero(found.labels == number) for number in range(len(found.class_names or ()))]
    generator = np.random.default_rng(seed)
    held = np.concatenate([generator.permutation(row)[: max(round(fraction * len(row)), 1)] for row in rows])
    others = np.setdiff1d(np.arange(len(found.paths)), held)
    return Parts(_chosen(found, others), _chosen(found, np.sort(held)), None)


def _given(folder: str, training: str, test: str) -> Parts:
    first = folders.listed(os.path.join(folder, training), "inferred", ENDINGS)
    _check_classes(first, os.path.join(folder, training), least=1)
    second = folders.listed(os.path.join(folder, test), "inferred", ENDINGS)
    if first.class_names != second.class_names:
        names = set(first.class_names or ()) ^ set(second.class_names or ())
        raise UserError(
            f"{training!r} and {test!r} in {folder!r} have different classes; not in both: {listed(names)}."
        )
    return Parts(first, second, test)


def _check_classes(found: folders.Listed, folder: str, least: int = 2) -> None:
    names: Any = found.class_names
    if len(names) < 2:
        raise UserError(
            f"{folder!r} has pictures of one class only, {names[0]!r}; a classifier needs a folder for each of at "
            "least two."
        )
    counts = np.bincount(found.labels, minlength=len(names))  # type: ignore[arg-type]
    few = [name for name, count in zip(names, counts, strict=True) if count < least]
    if few:
        raise UserError(f"each class needs {least} pictures or more: {listed(few)} in {folder!r} has fewer.")


def _chosen(found: folders.Listed, rows: np.ndarray) -> folders.Listed:
    return found._replace(paths=[found.paths[row] for row in rows], labels=found.labels[rows])  # type: ignore[index]


def sensible_side(paths: list[str]) -> int:
    """Return a side for pictures, by the sizes of some: at most 128, so that training takes minutes, not hours."""
    shorter = []
    for path in paths[:: max(len(paths) // 25, 1)]:
        try:
            with pillow().open(path) as picture:
                shorter.append(min(picture.size))
        except Exception:  # it will be named when it is read
            continue
    typical = float(np.median(shorter)) if shorter else 64.0
    return int(np.clip(16 * round(typical / 16), 32, 128 if typical < 1000 else 160))


def read(files: folders.Listed, side: int) -> Part:
    """Return the pictures of files, those left out that cannot be read, which are named on stderr."""
    count = len(files.paths)
    if count * side * side * 3 > MOST_BYTES:
        raise UserError(
            f"{count:,} pictures of {side} x {side} pixels take over {MOST_BYTES >> 30} GiB: choose a smaller --size."
        )
    pictures, errors = np.empty((count, side, side, 3), "uint8"), [""] * count

    def read_one(row: int) -> None:
        try:
            pictures[row] = shrunk(opened(files.paths[row], 4, upright=True, least=(side, side)), (side, side), 3)
        except (OSError, ValueError) as error:
            errors[row] = str(error)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(read_one, range(count)))
    good = np.array([not error for error in errors])
    _name_broken([error for error in errors if error], files)
    labels: Any = files.labels
    return Part(pictures, labels) if good.all() else Part(pictures[good], labels[good])


def _name_broken(errors: list[str], files: folders.Listed) -> None:
    for error in errors[:5]:
        print(f"cornu: left out: {one_line(error, 300)}", file=sys.stderr)
    if len(errors) > 5:
        print(f"cornu: ... and {len(errors) - 5} more pictures that cannot be read", file=sys.stderr)
    if len(errors) == len(files.paths):
        raise UserError(f"none of the {len(errors)} pictures in {str(Path(files.paths[0]).parent)!r} can be read.")
