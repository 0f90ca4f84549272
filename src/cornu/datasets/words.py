"""What IMDB and Reuters share: texts as lists of word numbers, 1 for the most frequent word."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cornu.core.object_arrays import object_array


class Marks(NamedTuple):
    """How word numbers are shifted and marked: arguments of both data sets."""

    num_words: int | None
    skip_top: int
    start_char: int | None
    oov_char: int | None
    index_from: int


def number_words(texts: Iterable[Sequence[int]], marks: Marks) -> list[list[int]]:
    """Return `texts` with each number raised by `index_from`, after `start_char` if there is one."""
    start = [] if marks.start_char is None else [marks.start_char]
    return [start + [word + (marks.index_from or 0) for word in text] for text in texts]


def shorter_than(maxlen: int, texts: Sequence[list[int]], labels: np.ndarray) -> tuple[list[list[int]], np.ndarray]:
    """Return the texts with fewer than `maxlen` numbers, and their labels; ValueError if none is left."""
    kept = [row for row, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        raise ValueError(f"No text is shorter than maxlen={maxlen}: raise maxlen.")
    return [texts[row] for row in kept], labels[kept]


def choose_words(texts: Sequence[list[int]], marks: Marks) -> np.ndarray:
    """Return `texts` as an array of lists, with only the numbers from `skip_top` to below `num_words`.

    The others become `oov_char`, or are removed if it is None. Without `num_words` the limit is the highest number,
    itself excluded, as in Keras.
    """
    limit = marks.num_words or max(max(text, default=0) for text in texts)
    first, other = marks.skip_top, marks.oov_char
    if other is None:
        return object_array([[word for word in text if first <= word < limit] for text in texts])
    return object_array([[word if first <= word < limit else other for word in text] for text in texts])


def read_word_index(path: Path) -> dict[str, int]:
    """Return ``{word: number}``."""
    return json.loads(path.read_text(encoding="utf-8"))
