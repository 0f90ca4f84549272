"""The California housing prices of 1990, 20,640 rows."""

import os

import numpy as np

from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.datasets.fetch import KERAS_FILES, fetch
from cornu.datasets.splits import Split, shuffled, split, training_rows

_IMPORTED = frozenset(globals())

DIGEST = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
ROWS = {"small": 600, "large": None}


def load_data(
    version: str = "large",
    path: str | os.PathLike = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> tuple[Split, Split]:
    """Return the California housing data as ``(x_train, y_train), (x_test, y_test)``.

    Args:
        version: ``"large"`` for all 20,640 rows, ``"small"`` for 600 of them.
        path: File name in ``~/.keras/datasets``.
        test_split: Fraction of the rows for testing, at least 0 and less than 1.
        seed: Seed of the shuffle.

    Returns:
        Arrays: features ``(n, 8)`` of a block of houses, and median prices ``(n,)`` in dollars.

    Raises:
        ValueError: `version` is unknown, or `test_split` is out of range.
        ConnectionError: The file is not on this machine and cannot be downloaded.

    Follows https://keras.io/api/datasets/california_housing/
    """
    if version not in ROWS:
        raise unknown("version", version, tuple(ROWS))
    training_rows(0, test_split)  # raise before the download
    found = fetch(os.fspath(path), origin=KERAS_FILES + "california_housing.npz", digest=DIGEST)
    with np.load(found, allow_pickle=False) as arrays:
        x, y = (arrays[name][: ROWS[version]] for name in ("x", "y"))
    x, y = shuffled((x, y), np.random.RandomState(seed))
    return split(x, y, training_rows(len(x), test_split))


offer(globals(), _IMPORTED)
