"""IMDB and Reuters: what comes out of the same file is what real Keras gives."""

import importlib
import json

import numpy as np
import pytest

from cornu.datasets import imdb, reuters

ARGUMENTS = [
    {},
    {"num_words": 20},
    {"num_words": 20, "oov_char": None},
    {"num_words": 20, "skip_top": 6},
    {"skip_top": 6, "oov_char": None, "seed": 1},
    {"start_char": None},
    {"start_char": None, "index_from": 0},
    {"index_from": 10, "oov_char": 7, "num_words": 30},
    {"maxlen": 8},
    {"maxlen": 8, "start_char": None, "num_words": 25},
]


def texts(rows, random):
    """Return `rows` random texts as lists of Python ints of different lengths."""
    array = np.empty(rows, object)
    array[:] = [random.integers(1, 50, random.integers(1, 15)).tolist() for _ in range(rows)]
    return array


@pytest.fixture
def files(tmp_path, monkeypatch, real_keras):
    """Put small files of the two data sets where ours and Keras's functions look."""
    random = np.random.default_rng(3)
    np.savez(
        tmp_path / "imdb.npz",
        x_train=texts(30, random),
        y_train=random.integers(0, 2, 30),
        x_test=texts(20, random),
        y_test=random.integers(0, 2, 20),
    )
    np.savez(tmp_path / "reuters.npz", x=texts(40, random), y=random.integers(0, 46, 40))
    (tmp_path / "words.json").write_text(json.dumps({"horn": 1, "corne é": 2}))
    for name in ("imdb", "reuters"):
        theirs = importlib.import_module(f"keras.src.datasets.{name}")
        monkeypatch.setattr(theirs, "get_file", lambda *_, name=name, **__: str(tmp_path / f"{name}.npz"))
        monkeypatch.setattr(f"cornu.datasets.{name}.fetch", lambda path, **_: tmp_path / path)
    return tmp_path


def assert_equal(ours, theirs):
    for (x, y), (their_x, their_y) in zip(ours, theirs, strict=True):
        assert x.dtype == object
        assert [list(text) for text in x] == [list(text) for text in their_x]
        assert np.array_equal(y, their_y)


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_imdb_equals_keras(files, real_keras, arguments):
    assert_equal(imdb.load_data(**arguments), real_keras.datasets.imdb.load_data(**arguments))


@pytest.mark.parametrize("arguments", [*ARGUMENTS, {"test_split": 0.5}], ids=str)
def test_reuters_equals_keras(files, real_keras, arguments):
    assert_equal(reuters.load_data(**arguments), real_keras.datasets.reuters.load_data(**arguments))


def test_label_names_equal_keras(real_keras):
    assert reuters.get_label_names() == tuple(real_keras.datasets.reuters.get_label_names())


@pytest.mark.parametrize("module", [imdb, reuters])
def test_word_index(files, module):
    assert module.get_word_index("words.json") == {"horn": 1, "corne é": 2}


@pytest.mark.parametrize("module", [imdb, reuters])
def test_wrong_arguments(files, module):
    with pytest.raises(ValueError, match="raise maxlen"):
        module.load_data(maxlen=1)
    with pytest.raises(TypeError, match="no argument 'number_words'"):
        module.load_data(number_words=3)


def test_a_split_without_training_rows_is_refused(files):
    with pytest.raises(ValueError, match=r"test_split must be .*got 1"):
        reuters.load_data(test_split=1)
