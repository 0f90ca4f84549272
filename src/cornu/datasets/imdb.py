"""IMDB: 50,000 film reviews as lists of word numbers, positive (1) or negative (0)."""

import os

import numpy as np

from cornu.core import spellings
from cornu.core.public import offer
from cornu.datasets.arrays import load_npz
from cornu.datasets.fetch import KERAS_FILES, fetch
from cornu.datasets.splits import Split, shuffled
from cornu.datasets.words import Marks, choose_words, number_words, read_word_index, shorter_than

_IMPORTED = frozenset(globals())

DIGEST = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
WORD_INDEX_DIGEST = "bfafd718b763782e994055a2d397834f"


@spellings.old_keywords("load_data")
def load_data(
    path: str | os.PathLike = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Split, Split]:
    """Return IMDB as ``(x_train, y_train), (x_test, y_test)``.

    Args:
        path: File name in ``~/.keras/datasets``.
        num_words: Keep only numbers below this one; None keeps all.
        skip_top: Leave out numbers below this one: the most frequent words.
        maxlen: Keep only texts with fewer numbers than this.
        seed: Seed of the shuffle.
        start_char: Number that each text begins with, or None.
        oov_char: Number that replaces words left out; None removes them.
        index_from: Added to the number of each word.

    Returns:
        Arrays of lists of integers, and arrays of 0 and 1.

    Raises:
        ValueError: `maxlen` leaves no text.
        ConnectionError: The file is not on this machine and cannot be downloaded.

    Follows https://keras.io/api/datasets/imdb/
    """
    marks = Marks(num_words, skip_top, start_char, oov_char, index_from)
    arrays = load_npz(fetch(os.fspath(path), origin=KERAS_FILES + "imdb.npz", digest=DIGEST))
    random = np.random.RandomState(seed)
    texts, labels = [], []
    for part in ("train", "test"):
        rows, y = shuffled((arrays[f"x_{part}"], arrays[f"y_{part}"]), random)
        x = number_words(rows, marks)
        if maxlen:
            x, y = shorter_than(maxlen, x, y)
        texts.append(x)
        labels.append(y)
    first = len(texts[0])
    chosen = choose_words(texts[0] + texts[1], marks)
    return (chosen[:first], labels[0]), (chosen[first:], labels[1])


def get_word_index(path: str | os.PathLike = "imdb_word_index.json") -> dict[str, int]:
    """Return ``{word: number}``; `load_data` adds `index_from` to these numbers."""
    origin = KERAS_FILES + "imdb_word_index.json"
    return read_word_index(fetch(os.fspath(path), origin=origin, digest=WORD_INDEX_DIGEST))


offer(globals(), _IMPORTED)
