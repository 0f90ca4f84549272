"""MNIST: 70,000 handwritten digits. It is part of this package and needs no network."""

import os
import zipfile
from pathlib import Path

import numpy as np

from cornu.core.public import offer
from cornu.datasets.splits import Split, split

_IMPORTED = frozenset(globals())

PACKAGED = Path(__file__).parent / "bundled" / "mnist.zip"
TRAINING_ROWS = 60_000


def load_data(path: str | os.PathLike = "mnist.npz") -> tuple[Split, Split]:
    """Return MNIST as ``(x_train, y_train), (x_test, y_test)``.

    Args:
        path: Keras's name for its download. Nothing is downloaded here, so any name gives the same data.

    Returns:
        uint8 arrays, new and writable at each call: images ``(60000, 28, 28)`` and ``(10000, 28, 28)`` with 0 for paper
        and 255 for ink, labels ``(60000,)`` and ``(10000,)`` from 0 to 9, in the order of the original files.

    The data set is by Yann LeCun, Corinna Cortes and Christopher J. C. Burges, licence CC BY-SA 3.0. Follows
    https://keras.io/api/datasets/mnist/

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, y_train[:5].tolist()
    ((60000, 28, 28), [5, 0, 4, 1, 9])
    """
    os.fspath(path)  # raises TypeError if this cannot be a file name, as elsewhere
    with zipfile.ZipFile(PACKAGED) as archive:  # checks each member's CRC
        ink, darkness, labels = (np.frombuffer(archive.read(name), np.uint8) for name in ("ink", "darkness", "labels"))
    images = np.unpackbits(ink)
    images[images.view(bool)] = darkness  # a bit for each pixel that has ink
    return split(images.reshape(-1, 28, 28), labels, TRAINING_ROWS)


offer(globals(), _IMPORTED)
