"""``tensorflow.examples.tutorials.mnist.input_data``: MNIST as TensorFlow 1's tutorials read it."""

from typing import Any, NamedTuple

import numpy as np

from cornu.datasets import mnist


class DataSet:
    """Images (rows, 784) between 0 and 1 and their labels, returned batch by batch in random order."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.images, self.labels = images, labels
        self.epochs_completed, self._position = 0, 0
        self._order = np.arange(len(images))

    @property
    def num_examples(self) -> int:
        """The number of images."""
        return len(self.images)

    def next_batch(self, batch_size: int, fake_data: bool = False, shuffle: bool = True) -> tuple:
        """Return the next images and labels; an epoch's last batch is completed from the next epoch."""
        if self._position == 0 and self.epochs_completed == 0 and shuffle:
            self._order = np.random.permutation(self.num_examples)
        rows = self._order[self._position : self._position + batch_size]
        self._position += len(rows)
        while len(rows) < batch_size:
            self.epochs_completed += 1
            self._order = np.random.permutation(self.num_examples) if shuffle else np.arange(self.num_examples)
            more = self._order[: batch_size - len(rows)]
            self._position, rows = len(more), np.concatenate([rows, more])
        return self.images[rows], self.labels[rows]


class DataSets(NamedTuple):
    """The three parts of MNIST."""

    train: DataSet
    validation: DataSet
    test: DataSet


def read_data_sets(
    train_dir: Any = None, fake_data: bool = False, one_hot: bool = False, dtype: Any = "float32", reshape: bool = True,
    validation_size: int = 5000, seed: Any = None, **_: Any,
) -> DataSets:  # fmt: skip
    """Return MNIST in three parts; the first `validation_size` training images are for validation.

    `one_hot` gives labels as rows of 10, ``reshape=False`` images as (28, 28, 1).
    """

    def part(images: np.ndarray, labels: np.ndarray) -> DataSet:
        scaled = images.astype("float32") / 255
        shape = (-1, 784) if reshape else (-1, 28, 28, 1)
        return DataSet(scaled.reshape(shape), np.eye(10)[labels] if one_hot else labels)

    (x, y), (x_test, y_test) = mnist.load_data()
    return DataSets(
        part(x[validation_size:], y[validation_size:]),
        part(x[:validation_size], y[:validation_size]),
        part(x_test, y_test),
    )
