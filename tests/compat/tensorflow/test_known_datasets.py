"""``tensorflow_datasets.load`` from the data sets of this package."""

import numpy as np
import pytest

from cornu.compat.tensorflow import known_datasets
from cornu.datasets import imdb


def test_mnist_in_all_forms(unpacked_mnist):
    (train, test), info = known_datasets.load(
        "mnist:3.*.*", split=["train[:1%]", "test[-20:]"], as_supervised=True, with_info=True
    )
    assert (len(train), len(test)) == (600, 20)
    image, label = next(iter(train))
    assert (tuple(image.shape), str(image.dtype), int(label)) == ((28, 28, 1), "uint8", 5)
    assert (info.splits["train"].num_examples, info.features["label"].num_classes) == (60000, 10)
    assert info.features["label"].int2str(3) == "3"
    both = known_datasets.load("mnist")
    assert sorted(both) == ["test", "train"]
    assert sorted(next(iter(both["test"]))) == ["image", "label"]
    assert len(known_datasets.load("mnist", split="train[10:20]+test[:5]")) == 15
    batch = known_datasets.load("mnist", split="test[:30]", batch_size=-1)
    assert tuple(batch["image"].shape) == (30, 28, 28, 1)
    shuffled = known_datasets.load("mnist", split="test[:30]", shuffle_files=True, as_supervised=True)
    assert [int(y) for _, y in shuffled] != [int(y) for y in batch["label"]]


def test_reviews_are_texts(monkeypatch):
    monkeypatch.setattr(imdb, "get_word_index", lambda: {"good": 1, "film": 2})
    rows = np.array([[4, 5], [5]], object)
    monkeypatch.setattr(imdb, "load_data", lambda **_: ((rows, np.array([1, 0])), (rows[:1], np.array([1]))))
    found = list(known_datasets.load("imdb_reviews", split="train", as_supervised=True))
    assert [(text.numpy(), int(label)) for text, label in found] == [(b"good film", 1), (b"film", 0)]


def test_others_are_named(unpacked_mnist):
    with pytest.raises(ValueError, match="cats_vs_dogs"):
        known_datasets.load("cats_vs_dogs")
    with pytest.raises(ValueError, match="validation"):
        known_datasets.load("mnist", split="validation")
