"""CIFAR-100: 60,000 small colour images in a hundred classes and twenty groups."""

import numpy as np

from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.datasets.cifar import column, read_batches
from cornu.datasets.fetch import fetch
from cornu.datasets.splits import Split

_IMPORTED = frozenset(globals())

ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
DIGEST = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
# Keras 3's name, Keras 2's name (which is the name at the origin, too).
NAMES = ("cifar-100-python-target_archive", "cifar-100-python.tar.gz")
MEMBERS = ("cifar-100-python/train", "cifar-100-python/test")


def load_data(label_mode: str = "fine") -> tuple[Split, Split]:
    """Return CIFAR-100 as ``(x_train, y_train), (x_test, y_test)``.

    Args:
        label_mode: ``"fine"`` for the 100 classes, ``"coarse"`` for the 20 groups.

    Returns:
        uint8 images ``(50000, 32, 32, 3)`` and ``(10000, 32, 32, 3)`` (channels second if `image_data_format` is
        ``"channels_first"``), and int64 labels ``(50000, 1)`` and ``(10000, 1)``.

    Raises:
        ValueError: `label_mode` is unknown.
        ConnectionError: The file is not on this machine and cannot be downloaded.

    The data set is by Alex Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html. Follows
    https://keras.io/api/datasets/cifar100/
    """
    if label_mode not in ("fine", "coarse"):
        raise unknown("label_mode", label_mode, ("fine", "coarse"))
    batches = read_batches(fetch(*NAMES, origin=ORIGIN, digest=DIGEST), MEMBERS, f"{label_mode}_labels")
    train, test = ((np.ascontiguousarray(x), column(y, "int64")) for x, y in (batches[name] for name in MEMBERS))
    return train, test


offer(globals(), _IMPORTED)
