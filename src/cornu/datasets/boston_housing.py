"""The Boston housing prices, 506 rows."""

import os

import numpy as np

from cornu.core.public import offer
from cornu.datasets.fetch import KERAS_FILES, fetch
from cornu.datasets.splits import Split, shuffled, split, training_rows

_IMPORTED = frozenset(globals())

DIGEST = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(
    path: str | os.PathLike = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[Split, Split]:
    """Return the Boston housing data as ``(x_train, y_train), (x_test, y_test)``.

    One of its columns counts people by the colour of their skin, on the assumption that this determines prices. Prefer
    `california_housing` for anything but the study of such data.

    Args:
        path: File name in ``~/.keras/datasets``.
        test_split: Fraction of the rows for testing, at least 0 and less than 1.
        seed: Seed of the shuffle.

    Returns:
        float64 arrays: features ``(n, 13)`` of a neighbourhood, and median prices ``(n,)`` in 1000 dollars.

    Raises:
        ValueError: `test_split` is out of range.
        ConnectionError: The file is not on this machine and cannot be downloaded.

    Follows https://keras.io/api/datasets/boston_housing/
    """
    training_rows(0, test_split)  # raise before the download
    found = fetch(os.fspath(path), origin=KERAS_FILES + "boston_housing.npz", digest=DIGEST)
    with np.load(found, allow_pickle=False) as arrays:
        x, y = shuffled((arrays["x"], arrays["y"]), np.random.RandomState(seed))
    return split(x, y, training_rows(len(x), test_split))


offer(globals(), _IMPORTED)
