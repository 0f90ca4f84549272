"""`text_dataset_from_directory`: a folder of texts as a data set."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.preprocessing.file_batches import Files
from cornu.utils.folder_datasets import Folder, Kind, contents_of, datasets_of

_TEXTS = Kind("texts", (".txt",))


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Return the texts in a folder, its files ``.txt``, as a data set.

    The files are read by threads when they are needed, as UTF-8; bytes that are not UTF-8 become U+FFFD. The data set
    has the attributes `class_names` and `file_paths`.

    Args:
        directory: The folder. With inferred labels, each of its subfolders is a class.
        labels: ``"inferred"``, None for no labels, or a list with an integer for each file, sorted by path.
        label_mode: ``"int"`` (int32), ``"categorical"`` (one-hot), ``"binary"`` (0.0 or 1.0, ``(batch, 1)``) or None.
        class_names: The subfolders to read, in the order of their numbers; by default all, sorted.
        batch_size: Texts per batch; None gives one text after another.
        max_length: Bytes of a text after which it is cut off.
        shuffle: Whether to shuffle the files, and the order of each epoch; otherwise they are sorted by path.
        seed: Seed of the order.
        validation_split: Fraction of the files for validation, the last of the order.
        subset: ``"training"``, ``"validation"``, or ``"both"`` for a list of the two.
        follow_links: Whether to enter folders that are links.
        format: ``"tf"`` or ``"grain"``; the result is the same data set.
        verbose: Whether to print the number of files and classes.

    Returns:
        Batches ``(texts, labels)``, or of texts without labels: arrays ``(batch,)`` of Python strings (dtype object).

    Raises:
        FileNotFoundError: There is no such folder; later, a file is gone.
        ValueError: An argument is wrong, or there are no texts; later, a file cannot be read.

    Follows https://keras.io/api/data_loading/text/

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, text in (("bad", "Never again."), ("good", "Splendid!")):
    ...         pathlib.Path(folder, name).mkdir()
    ...         _ = pathlib.Path(folder, name, "1.txt").write_text(text)
    ...     data = text_dataset_from_directory(folder, shuffle=False)
    ...     print(data.class_names, *[(x.tolist(), y.tolist()) for x, y in data])
    Found 2 files belonging to 2 classes.
    ['bad', 'good'] (['Never again.', 'Splendid!'], [0, 1])
    """
    folder = Folder(
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
        format, verbose,
    ).checked()  # fmt: skip
    if max_length is not None and (not isinstance(max_length, (int, np.integer)) or max_length < 0):
        raise ValueError(f"max_length must be a number of bytes, or None; got {max_length!r}.")

    def read(path: str, texts: np.ndarray, row: int) -> None:
        texts[row] = contents_of(path, "text", max_length).decode("utf-8", "replace")

    return datasets_of(folder, _TEXTS, lambda paths, targets: Files(paths, targets, read, _space))


def _space(count: int, _: Any) -> np.ndarray:
    return np.empty(count, object)
