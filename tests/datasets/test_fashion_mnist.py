"""Fashion-MNIST: out of Debian's package where installed, else out of the cache or the network."""

import gzip
import hashlib
import struct

import numpy as np
import pytest

from cornu.datasets import fashion_mnist


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.mark.skipif(not fashion_mnist.DEBIAN_PACKAGE.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_debian_package(home, no_network):
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    assert (x_train.shape, x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert np.bincount(y_train).tolist() == [6000] * 10
    arrays = (x_train, y_train, x_test, y_test)
    for digest, array in zip(fashion_mnist.FILES.values(), arrays, strict=True):
        assert hashlib.sha256(idx(array)).hexdigest() == digest
        assert array.flags.writeable


def test_download(home, site, monkeypatch):
    random = np.random.default_rng(1)
    shapes = ((6, 28, 28), (6,), (2, 28, 28), (2,))
    arrays = [random.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]
    for name, array in zip(fashion_mnist.FILES, arrays, strict=True):
        (site.folder / name).write_bytes(gzip.compress(idx(array)))
        monkeypatch.setitem(fashion_mnist.FILES, name, hashlib.sha256(idx(array)).hexdigest())
    monkeypatch.setattr(fashion_mnist, "DEBIAN_PACKAGE", home / "not-installed")
    monkeypatch.setattr(fashion_mnist, "KERAS_FILES", f"{site.url}/")
    for _ in range(2):
        (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    for ours, array in zip((x_train, y_train, x_test, y_test), arrays, strict=True):
        assert np.array_equal(ours, array)
    assert len(site.requests) == 4
    assert (home / "datasets" / "fashion-mnist" / "train-images-idx3-ubyte.gz").is_file()
