"""Shuffling and splitting of rows, shared by several data sets."""

from collections.abc import Sequence

import numpy as np

Split = tuple[np.ndarray, np.ndarray]


def split(x: np.ndarray, y: np.ndarray, rows: int) -> tuple[Split, Split]:
    """Return the first `rows` rows of `x` and `y`, and the rest, as copies."""
    return (x[:rows].copy(), y[:rows].copy()), (x[rows:].copy(), y[rows:].copy())


def training_rows(rows: int, test_split: float) -> int:
    """Return how many of `rows` rows are for training; ValueError unless ``0 <= test_split < 1``."""
    if not 0 <= test_split < 1:
        raise ValueError(f"test_split must be at least 0 and less than 1; got {test_split}.")
    return int(rows * (1 - test_split))


def shuffled(arrays: Sequence[np.ndarray], random: np.random.RandomState) -> list[np.ndarray]:
    """Return `arrays` with their rows in one random order, the same that Keras's `seed` gives."""
    order = np.arange(len(arrays[0]))
    random.shuffle(order)
    return [array[order] for array in arrays]
