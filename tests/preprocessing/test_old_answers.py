"""Texts, pairs of words and images are those of keras-preprocessing 1.1.2, and images those of Keras 1.2.2.

With the same seed every word, batch, target and file name is the same; images differ by less than the rounding of
float32. `old_answers.py` asks the questions, of Cornu here and of the old packages in `main`.
"""

import json

import numpy as np
import pytest

from cornu.core import era
from cornu.preprocessing import image, sequence, text
from preprocessing import old_answers


@pytest.fixture(scope="module")
def theirs():
    with np.load(old_answers.FILE) as answers:
        return {name: answers[name] for name in answers.files}


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images") / "files"
    old_answers.write_folder(folder)
    with era.using("2"):
        return old_answers.answers(text, sequence, image, folder)


def assert_equal(one, other, loose=0.0):
    one, other = np.asarray(one), np.asarray(other)
    assert one.shape == other.shape
    if one.dtype.kind in "US":
        assert one.tolist() == other.tolist()
    else:
        assert one.dtype == other.dtype or one.dtype == np.float64
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=loose or 2e-4)


def names_of(first):
    with np.load(old_answers.FILE) as answers:
        names = [name for name in answers.files if name.startswith("1/") == first]
    return sorted(set(names) - {"text", "sequence"})


@pytest.mark.parametrize("name", names_of(first=False))
def test_keras_preprocessing(ours, theirs, name):
    assert_equal(ours[name], theirs[name], loose=1e-3 * name.startswith("whitening"))  # eigenvectors, in float32


@pytest.mark.parametrize("name", ["text", "sequence"])
def test_words(ours, theirs, name):
    mine, old = json.loads(ours[name]), json.loads(str(theirs[name]))
    assert mine == old


def test_nothing_is_left_out(ours, theirs):
    assert set(ours) | {name for name in theirs if name.startswith("1/")} == set(theirs)


@pytest.fixture(scope="module")
def ours_of_1():
    with era.using("1"):
        return old_answers.generator_answers(image, first=True)


@pytest.mark.parametrize("name", names_of(first=True))
def test_keras_1(ours_of_1, theirs, name):
    if name.endswith("/order"):
        assert_equal(ours_of_1[name[2:]][:7], theirs[name][:7])
    else:
        assert_equal(ours_of_1[name[2:]], theirs[name])
