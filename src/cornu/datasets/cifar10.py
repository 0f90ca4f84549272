"""CIFAR-10: 60,000 small colour images in ten classes."""

import numpy as np

from cornu.core.public import offer
from cornu.datasets.cifar import column, read_batches
from cornu.datasets.fetch import fetch
from cornu.datasets.splits import Split

_IMPORTED = frozenset(globals())

ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
DIGEST = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
# Keras 3's name, Keras 2's name, the name at the origin.
NAMES = ("cifar-10-batches-py-target_archive", "cifar-10-batches-py.tar.gz", "cifar-10-python.tar.gz")
TRAINING = tuple(f"cifar-10-batches-py/data_batch_{number}" for number in range(1, 6))
TEST = "cifar-10-batches-py/test_batch"


def load_data() -> tuple[Split, Split]:
    """Return CIFAR-10 as ``(x_train, y_train), (x_test, y_test)``.

    Returns:
        uint8 arrays: images ``(50000, 32, 32, 3)`` and ``(10000, 32, 32, 3)`` (channels second if `image_data_format`
        is ``"channels_first"``), labels ``(50000, 1)`` and ``(10000, 1)``: 0 airplane, 1 automobile, 2 bird, 3 cat, 4
        deer, 5 dog, 6 frog, 7 horse, 8 ship, 9 truck.

    Raises:
        ConnectionError: The file is not on this machine and cannot be downloaded.

    The data set is by Alex Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html. Follows
    https://keras.io/api/datasets/cifar10/
    """
    batches = read_batches(fetch(*NAMES, origin=ORIGIN, digest=DIGEST), (*TRAINING, TEST), "labels")
    images = np.concatenate([batches[name][0] for name in TRAINING])
    labels = np.concatenate([column(batches[name][1], "uint8") for name in TRAINING])
    x_test, y_test = batches[TEST]
    return (images, labels), (np.ascontiguousarray(x_test), column(y_test, "uint8"))


offer(globals(), _IMPORTED)
