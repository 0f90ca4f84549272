"""Fashion-MNIST: 70,000 images of clothes in MNIST's format."""

import gzip
from pathlib import Path

import numpy as np

from cornu.core.public import offer
from cornu.datasets.fetch import KERAS_FILES, fetch
from cornu.datasets.splits import Split

_IMPORTED = frozenset(globals())

DEBIAN_PACKAGE = Path("/usr/share/datasets/fashion-mnist")  # of the package dataset-fashion-mnist

# SHA-256 of the decompressed files: the compression differs between distributors.
FILES = {
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


def load_data() -> tuple[Split, Split]:
    """Return Fashion-MNIST as ``(x_train, y_train), (x_test, y_test)``.

    It is read from Debian's package ``dataset-fashion-mnist`` if that is installed, else downloaded once.

    Returns:
        uint8 arrays: images ``(60000, 28, 28)`` and ``(10000, 28, 28)``, labels ``(60000,)`` and ``(10000,)``: 0
        T-shirt, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 ankle boot.

    Raises:
        ConnectionError: The files are not on this machine and cannot be downloaded.

    The data set is by Zalando SE, MIT licence, https://arxiv.org/abs/1708.07747. Follows
    https://keras.io/api/datasets/fashion_mnist/
    """
    x_train, y_train, x_test, y_test = (_read_idx(_find(name)) for name in FILES)
    return (x_train, y_train), (x_test, y_test)


def _find(name: str) -> Path:
    installed = DEBIAN_PACKAGE / name
    if installed.is_file():
        return installed
    return fetch(
        name, origin=KERAS_FILES + name, digest=FILES[name], subfolder="datasets/fashion-mnist", opener=gzip.open
    )


def _read_idx(path: Path) -> np.ndarray:
    """Return the uint8 array of an IDX file: 2 zero bytes, dtype 8, number of axes, each size in 4 bytes, the data."""
    with gzip.open(path, "rb") as stream:
        content = stream.read()
    axes = content[3]
    shape = np.frombuffer(content, ">u4", count=axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape).copy()


offer(globals(), _IMPORTED)
