"""Reuters: 11,228 newswires of 1987 as lists of word numbers, in 46 topics."""

import os

import numpy as np

from cornu.core import spellings
from cornu.core.public import offer
from cornu.datasets.arrays import load_npz
from cornu.datasets.fetch import KERAS_FILES, fetch
from cornu.datasets.splits import Split, shuffled, training_rows
from cornu.datasets.words import Marks, choose_words, number_words, read_word_index, shorter_than

_IMPORTED = frozenset(globals())

DIGEST = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
WORD_INDEX_DIGEST = "4d44cc38712099c9e383dc6e5f11a921"
TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


@spellings.old_keywords("load_data")
def load_data(
    path: str | os.PathLike = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Split, Split]:
    """Return Reuters as ``(x_train, y_train), (x_test, y_test)``.

    Args:
        path: File name in ``~/.keras/datasets``.
        num_words: Keep only numbers below this one; None keeps all.
        skip_top: Leave out numbers below this one: the most frequent words.
        maxlen: Keep only texts with fewer numbers than this.
        test_split: Fraction of the rows for testing, at least 0 and less than 1.
        seed: Seed of the shuffle.
        start_char: Number that each text begins with, or None.
        oov_char: Number that replaces words left out; None removes them.
        index_from: Added to the number of each word.

    Returns:
        Arrays of lists of integers, and arrays of topics from 0 to 45.

    Raises:
        ValueError: `maxlen` leaves no text, or `test_split` is out of range.
        ConnectionError: The file is not on this machine and cannot be downloaded.

    Follows https://keras.io/api/datasets/reuters/
    """
    training_rows(0, test_split)  # raise before the download
    marks = Marks(num_words, skip_top, start_char, oov_char, index_from)
    arrays = load_npz(fetch(os.fspath(path), origin=KERAS_FILES + "reuters.npz", digest=DIGEST))
    x, labels = shuffled((arrays["x"], arrays["y"]), np.random.RandomState(seed))
    texts = number_words(x, marks)
    if maxlen:
        texts, labels = shorter_than(maxlen, texts, labels)
    chosen = choose_words(texts, marks)
    rows = training_rows(len(chosen), test_split)
    return (chosen[:rows], labels[:rows]), (chosen[rows:], labels[rows:])


def get_word_index(path: str | os.PathLike = "reuters_word_index.json") -> dict[str, int]:
    """Return ``{word: number}``; `load_data` adds `index_from` to these numbers."""
    origin = KERAS_FILES + "reuters_word_index.json"
    return read_word_index(fetch(os.fspath(path), origin=origin, digest=WORD_INDEX_DIGEST))


def get_label_names() -> tuple[str, ...]:
    """Return the names of the 46 topics, in the order of their numbers.

    >>> get_label_names()[:4]
    ('cocoa', 'grain', 'veg-oil', 'earn')
    """
    return tuple(TOPICS.split())


offer(globals(), _IMPORTED)
