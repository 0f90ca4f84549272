"""MNIST out of the package: the original bytes, fresh arrays, no network."""

import hashlib
import runpy
import struct
from pathlib import Path

import numpy as np
import pytest

from cornu.datasets import mnist

# SHA-256 of the four original files, uncompressed, each with its IDX header.
ORIGINALS = {
    "train-images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def idx_file(array: np.ndarray) -> bytes:
    """Return `array` as an IDX file: 2 zero bytes, 8 for uint8, the number of axes, each axis, the data."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture(scope="module")
def loaded():
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    return dict(zip(ORIGINALS, (x_train, y_train, x_test, y_test), strict=True))


@pytest.mark.parametrize("name", ORIGINALS)
def test_arrays_are_the_original_files(loaded, name):
    assert hashlib.sha256(idx_file(loaded[name])).hexdigest() == ORIGINALS[name]


def test_shapes_and_types(loaded):
    assert [array.shape for array in loaded.values()] == [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)]
    assert {array.dtype for array in loaded.values()} == {np.dtype("uint8")}


def test_arrays_are_fresh_and_writable(loaded):
    (x_train, _), (_, y_test) = mnist.load_data()
    x_train[:] = 1
    y_test[:] = 1
    (again, _), (_, labels) = mnist.load_data("any_name.npz")
    assert np.array_equal(again, loaded["train-images"])
    assert np.array_equal(labels, loaded["t10k-labels"])


def test_needs_no_network_and_no_cache(home, no_network):
    mnist.load_data()
    assert not home.exists()


def test_path_must_be_a_file_name():
    with pytest.raises(TypeError):
        mnist.load_data(path=3)


def test_equals_the_file_that_keras_downloads(loaded, shared):
    with np.load(shared / "data" / "mnist.npz") as theirs:
        for name, array in zip(("x_train", "y_train", "x_test", "y_test"), loaded.values(), strict=True):
            assert np.array_equal(theirs[name], array)


def test_licence_and_authors_lie_beside_the_file():
    text = (mnist.PACKAGED.parent / "LICENSE.md").read_text(encoding="utf-8")
    for part in ("Yann LeCun", "Corinna Cortes", "Christopher J. C. Burges", "CC BY-SA 3.0"):
        assert part in text


def test_pack_mnist_makes_what_load_data_reads(tmp_path, monkeypatch):
    random = np.random.default_rng(2)
    pictures = random.integers(0, 256, (5, 28, 28), dtype=np.uint8) * random.integers(0, 2, (5, 28, 28), dtype=np.uint8)
    labels = np.arange(5, dtype=np.uint8)
    np.savez(tmp_path / "small.npz", x_train=pictures[:3], y_train=labels[:3], x_test=pictures[3:], y_test=labels[3:])
    script = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "pack_mnist.py"))
    script["pack"](tmp_path / "small.npz", tmp_path / "small.zip")
    monkeypatch.setattr(mnist, "PACKAGED", tmp_path / "small.zip")
    monkeypatch.setattr(mnist, "TRAINING_ROWS", 3)
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert np.array_equal(np.concatenate([x_train, x_test]), pictures)
    assert np.array_equal(np.concatenate([y_train, y_test]), labels)
    assert len(x_train) == 3
