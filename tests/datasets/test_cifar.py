"""CIFAR: read out of the archive as distributed, by the restricted unpickler, in Keras's form."""

import hashlib
import importlib
import io
import pickle
import struct
import tarfile

import numpy as np
import pytest

from cornu.core import settings
from cornu.datasets import cifar10, cifar100

ROWS = 4


class Python2Pickler(pickle._Pickler):
    """Pickles texts and bytes as Python 2 did, in which the two were one; the distributed files are of that kind."""

    def save_text(self, text):
        data = text.encode("latin1") if isinstance(text, str) else text
        self.write(pickle.BINSTRING + struct.pack("<i", len(data)) + data)

    dispatch = pickle._Pickler.dispatch | {str: save_text, bytes: save_text}


def batch(random, *label_keys):
    """Return one pickled batch, with bytes as keys as in the files (they were written by Python 2)."""
    content = {key: random.integers(0, 100, ROWS).tolist() for key in label_keys}
    stream = io.BytesIO()
    pictures = random.integers(0, 256, (ROWS, 3072), dtype=np.uint8)
    Python2Pickler(stream, protocol=2).dump({b"data": pictures, **content})
    return stream.getvalue()


def write_archive(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


@pytest.fixture
def archives(home, no_network, monkeypatch):
    """Put small archives into the cache, under the names that Keras 3 and Keras 2 give them; return the batches."""
    random = np.random.default_rng(11)
    ten = {name: batch(random, b"labels") for name in (*cifar10.TRAINING, cifar10.TEST)}
    hundred = {name: batch(random, b"fine_labels", b"coarse_labels") for name in cifar100.MEMBERS}
    folder = home / "datasets"
    folder.mkdir(parents=True)
    for module, name, members in ((cifar10, cifar10.NAMES[0], ten), (cifar100, cifar100.NAMES[1], hundred)):
        write_archive(folder / name, members)
        monkeypatch.setattr(module, "DIGEST", hashlib.sha256((folder / name).read_bytes()).hexdigest())
    return ten | hundred


def test_cifar10(archives):
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert x_train.shape == (5 * ROWS, 32, 32, 3)
    assert (y_train.shape, y_train.dtype, y_test.dtype) == ((5 * ROWS, 1), np.uint8, np.uint8)
    third = pickle.loads(archives["cifar-10-batches-py/data_batch_3"], encoding="bytes")
    assert y_train[2 * ROWS : 3 * ROWS, 0].tolist() == third[b"labels"]
    # each row of a batch is the 1024 reds, then the greens, then the blues
    assert np.array_equal(x_train[2 * ROWS, 0, :, 1], third[b"data"][0, 1024:1056])
    assert np.array_equal(
        x_test[1, 31, 31], pickle.loads(archives[cifar10.TEST], encoding="bytes")[b"data"][1, 1023::1024]
    )


def test_channels_first(archives, monkeypatch):
    last = cifar10.load_data()
    monkeypatch.setitem(settings._settings, "image_data_format", "channels_first")
    first = cifar10.load_data()
    for (x_last, _), (x_first, _) in zip(last, first, strict=True):
        assert np.array_equal(x_first.transpose(0, 2, 3, 1), x_last)


@pytest.mark.parametrize("label_mode", ["fine", "coarse"])
def test_cifar100_equals_keras(archives, home, real_keras, monkeypatch, tmp_path, label_mode):
    for name, content in archives.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    theirs = importlib.import_module("keras.src.datasets.cifar100")
    monkeypatch.setattr(theirs, "get_file", lambda **_: str(tmp_path))
    expected = theirs.load_data(label_mode)
    for part, their_part in zip(cifar100.load_data(label_mode), expected, strict=True):
        for array, their_array in zip(part, their_part, strict=True):
            assert array.dtype == their_array.dtype
            assert np.array_equal(array, their_array)


def test_wrong_label_mode(no_network):
    with pytest.raises(ValueError, match=r"'fin'.*Did you mean 'fine'"):
        cifar100.load_data("fin")


def test_an_archive_without_a_batch_is_named(archives, home, monkeypatch):
    path = home / "datasets" / cifar10.NAMES[0]
    write_archive(path, {cifar10.TEST: archives[cifar10.TEST]})
    monkeypatch.setattr(cifar10, "DIGEST", hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(ValueError, match="no member cifar-10-batches-py/data_batch_1"):
        cifar10.load_data()
