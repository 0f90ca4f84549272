"""`DataFrameIterator`: image files and targets that a data frame names."""

import os
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from cornu.core import era, spellings
from cornu.core.errors import did_you_mean, listed
from cornu.core.object_arrays import object_array
from cornu.core.public import offer
from cornu.core.settings import floatx
from cornu.preprocessing.image.file_iterator import FileIterator
from cornu.preprocessing.image.transformations import OLD_PACKAGE

_IMPORTED = frozenset(globals())

#: Class modes whose targets are not numbers of classes.
_WITHOUT_CLASSES = ("input", "multi_output", "raw", None)


class DataFrameIterator(FileIterator):
    """Batches of the images that a data frame names, changed by an `ImageDataGenerator`.

    Args:
        dataframe: A pandas data frame with a row for each image.
        directory: The folder of the files; None if the data frame has whole paths.
        image_data_generator: The `ImageDataGenerator`, or None.
        x_col: Column of the file names.
        y_col: Column of the targets, or a list of columns.
        weight_col: Column of sample weights, or None.
        target_size, color_mode: As in `DirectoryIterator`.
        classes: The classes to use, in the order of their numbers; None takes all, sorted.
        class_mode: What the targets are: ``"categorical"``, one-hot rows (a cell may be a list of classes);
            ``"binary"`` and ``"sparse"``, numbers of classes; ``"raw"``, the cells; ``"multi_output"``, a list of
            arrays, one for each column; ``"input"``, the images; None for images alone.
        batch_size, shuffle, seed, data_format: As in `DirectoryIterator`.
        save_to_dir, save_prefix, save_format: As in `DirectoryIterator`.
        subset: ``"training"`` or ``"validation"``, if the generator has a `validation_split`; the first rows are for
            validation.
        interpolation, keep_aspect_ratio, dtype: As in `DirectoryIterator`.
        validate_filenames: Whether to look for the files first; rows whose file is missing are left out, with a
            warning.

    Raises:
        ValueError, TypeError: A column is missing or holds something else than it should, or no file exists.

    Follows https://keras.io/2.15/api/preprocessing/image/
    """

    allowed_class_modes = ("binary", "categorical", "input", "multi_output", "raw", "sparse", None)

    @spellings.old_keywords("DataFrameIterator")
    def __init__(
        self, dataframe: Any, directory: Any = None, image_data_generator: Any = None, x_col: str = "filename",
        y_col: Any = "class", weight_col: str | None = None, target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb", classes: Any = None, class_mode: str | None = "categorical", batch_size: int = 32,
        shuffle: bool = True, seed: int | None = None, data_format: str | None = None, save_to_dir: Any = None,
        save_prefix: str = "", save_format: str = "png", subset: str | None = None, interpolation: str = "nearest",
        keep_aspect_ratio: bool = False, dtype: Any = None, validate_filenames: bool = True,
    ) -> None:  # fmt: skip
        self.set_processing_attrs(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
            interpolation, keep_aspect_ratio,
        )  # fmt: skip
        self.directory = "" if directory is None else os.fspath(directory)
        self.class_mode, self.dtype = class_mode, dtype or floatx()
        self.check_class_mode()
        _check_columns(dataframe, x_col, y_col, weight_col, class_mode)
        frame = self._existing(dataframe, x_col) if validate_filenames else dataframe
        known = None
        if class_mode not in _WITHOUT_CLASSES:
            frame, known = _with_classes(frame, y_col, classes)
            _check_classes(known, class_mode, y_col)
            self.class_indices = {name: number for number, name in enumerate(known)}
        elif classes:
            warnings.warn(f"classes has no effect with class_mode={class_mode!r}.", stacklevel=3)
        frame = frame.iloc[self.part_of(len(frame))]
        self._take_targets(frame, y_col, weight_col)
        self.filenames = frame[x_col].tolist()
        self.filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        self.samples = len(self.filenames)
        belonging = "" if known is None else f" belonging to {len(known)} classes"
        print(f"Found {self.samples} {'' if validate_filenames else 'non-'}validated image filenames{belonging}.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _existing(self, frame: Any, x_col: str) -> Any:
        """Return the rows whose file is an image that exists."""
        paths = [os.path.join(self.directory, name) for name in frame[x_col]]
        exists = [path.lower().endswith(self.white_list_formats) and os.path.isfile(path) for path in paths]
        missing = [path for path, there in zip(paths, exists, strict=True) if not there]
        if paths and len(missing) == len(paths):
            raise ValueError(
                f"None of the {len(paths)} files in the column {x_col!r} is an existing image: {listed(missing[:3])}."
                "\nPass the folder as directory, and file names with their endings."
            )
        if missing:
            warnings.warn(
                f"{len(missing)} of {len(paths)} files in the column {x_col!r} do not exist or are not images, and are "
                f"left out: {listed(missing)}.",
                stacklevel=4,
            )
        return frame[np.array(exists, bool)]

    def _take_targets(self, frame: Any, y_col: Any, weight_col: str | None) -> None:
        """Keep what the batches need of a data frame."""
        self.sample_weight = None if weight_col is None else frame[weight_col].to_numpy()
        if self.class_mode == "multi_output":
            self.labels = [np.array(frame[column].tolist()) for column in y_col]
        elif self.class_mode == "raw":
            self.labels = frame[y_col].to_numpy()
        elif self.class_mode not in _WITHOUT_CLASSES:
            numbers = self.class_indices
            cells = frame[y_col]
            self.classes = [[numbers[one] for one in cell] if _is_list(cell) else numbers[cell] for cell in cells]
            self.labels = self.classes


def _is_list(cell: Any) -> bool:
    return isinstance(cell, (list, tuple))


def _check_columns(frame: Any, x_col: str, y_col: Any, weight_col: str | None, class_mode: str | None) -> None:
    """Raise ValueError for a missing column, TypeError for one that holds the wrong things."""
    if not hasattr(frame, "columns"):
        raise TypeError(f"flow_from_dataframe takes a pandas data frame; got {type(frame).__name__}.")
    if class_mode == "multi_output" and not isinstance(y_col, list):
        raise TypeError(f"With class_mode='multi_output', y_col is a list of columns; got {y_col!r}.")
    used = {"x_col": [x_col], "weight_col": [] if weight_col is None else [weight_col]}
    used["y_col"] = [] if class_mode in ("input", None) else y_col if isinstance(y_col, list) else [y_col]
    for argument, columns in used.items():
        for column in columns:
            if column not in frame.columns:
                raise ValueError(
                    f"{argument} is {column!r}, and the data frame has no such column."
                    f"{did_you_mean(column, frame.columns)}\nIt has: {listed(map(str, frame.columns))}."
                )
    _check_cells(frame, x_col, (str,), "file names, as strings")
    if class_mode in ("binary", "sparse"):
        _check_cells(frame, y_col, (str,), f"strings with class_mode={class_mode!r}, as from .astype(str)")
    if class_mode == "categorical":
        _check_cells(frame, y_col, (str, list, tuple), "strings or lists of strings, as from .astype(str)")
    if weight_col is not None and frame[weight_col].dtype.kind not in "biuf":
        raise TypeError(f"The column {weight_col!r} must hold numbers; its dtype is {frame[weight_col].dtype}.")


def _check_cells(frame: Any, column: Any, kinds: tuple[type, ...], words: str) -> None:
    for row, cell in zip(frame.index, frame[column], strict=True):
        if not isinstance(cell, kinds):
            raise TypeError(
                f"The column {column!r} must hold {words}; row {row!r} has {cell!r} ({type(cell).__name__})."
            )


def _with_classes(frame: Any, y_col: str, classes: Iterable[str] | None) -> tuple[Any, list[str]]:
    """Return the rows of some classes, in which lists have these classes alone, and the classes."""
    if not classes:
        found = {name for cell in frame[y_col] for name in (cell if _is_list(cell) else [cell])}
        return frame, sorted(found)
    names = sorted(set(classes)) if era.holds(OLD_PACKAGE) else list(dict.fromkeys(classes))
    cells = [
        [name for name in cell if name in names] if _is_list(cell) else cell if cell in names else None
        for cell in frame[y_col]
    ]
    kept = np.array([bool(cell) for cell in cells], bool)
    frame = frame[kept].copy()
    frame[y_col] = object_array([cell for cell in cells if cell])
    return frame, names


def _check_classes(names: list[str], class_mode: str | None, y_col: str) -> None:
    if class_mode == "binary" and len(names) != 2:
        raise ValueError(
            f"class_mode='binary' needs 2 classes; the column {y_col!r} has {len(names)}: {listed(names)}."
        )


offer(globals(), _IMPORTED)
