"""Vocabularies: the index of each token, the tokens that are most frequent in data, and the text file of Keras."""

import collections
import contextlib
import contextvars
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cornu.core.errors import listed, one_line
from cornu.layers.feature_preprocessing.integer_table import IntegerTable
from cornu.layers.feature_preprocessing.tokens import SHORT, Words, as_integers

UNKNOWN = -1  # the index of a token that a vocabulary does not have
DROPPED = int(np.iinfo("int64").max)  # that of the mask where it counts for nothing
LONGEST_INTEGER = 20  # characters

_in_configs = contextvars.ContextVar("_in_configs", default=False)


class Indices(dict):
    """Indices by tokens; `otherwise` for all other tokens."""

    def __init__(self, items: Iterable[tuple[Any, int]], otherwise: int) -> None:
        super().__init__(items)
        self.otherwise = otherwise

    def __missing__(self, _: Any) -> int:
        return self.otherwise

    def of(self, tokens: Sequence[Any]) -> np.ndarray:
        """Return the indices of tokens."""
        return np.fromiter(map(self.__getitem__, tokens), np.int64, len(tokens))


class Vocabulary:
    """Tokens in order: strings, or integers as an array. The index of the first is `first`.

    `unknown` is the index of other tokens, except for those in `masked`, which has their indices.
    """

    def __init__(self, tokens: Any, first: int, unknown: int = UNKNOWN, masked: dict[Any, int] | None = None) -> None:
        self.tokens = tokens
        self.first, self.unknown, self.masked = first, unknown, masked or {}
        self._by_string: Indices | None = None
        self._by_bytes: Indices | None = None
        self._by_integer: IntegerTable | None = None
        self._by_word: IntegerTable | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    def __getstate__(self) -> dict[str, Any]:
        tables = ("_by_string", "_by_bytes", "_by_integer", "_by_word")  # made again at the first call
        return vars(self) | dict.fromkeys(tables)

    @property
    def size(self) -> int:
        """How many tokens there are, with the special ones before `first`."""
        return self.first + len(self.tokens)

    def of_strings(self, strings: Sequence[str]) -> np.ndarray:
        """Return the indices of strings."""
        if self._by_string is None:
            self._by_string = self._indices(self.tokens, self.masked)
        return self._by_string.of(strings)

    def of_bytes(self, strings: Sequence[bytes]) -> np.ndarray:
        """Return the indices of strings in UTF-8."""
        return self._of_encoded().of(strings)

    def _of_encoded(self) -> Indices:
        if self._by_bytes is None:
            masked = {token.encode(): index for token, index in self.masked.items()}
            self._by_bytes = self._indices([token.encode() for token in self.tokens], masked)
        return self._by_bytes

    def of_words(self, words: Words) -> np.ndarray:
        """Return the indices of the words of texts."""
        if self._by_word is None:
            short = {token: index for token, index in self._of_encoded().items() if 0 < len(token) <= SHORT}
            short = {token: index for token, index in short.items() if b"\0" not in token}
            indices = np.fromiter(short.values(), np.int64, len(short))
            self._by_word = IntegerTable(as_integers(list(short)), indices, self.unknown)
        found = self._by_word.of(words.integers)
        found[words.long_places] = self.of_bytes(words.long)
        return found

    def _indices(self, tokens: Sequence[Any], masked: dict[Any, int]) -> Indices:
        found = Indices(zip(tokens, range(self.first, self.size), strict=True), self.unknown)
        found.update(masked)
        return found

    def of_integers(self, integers: np.ndarray) -> np.ndarray:
        """Return the indices of integers."""
        if self._by_integer is None:
            self._by_integer = IntegerTable(self.tokens, np.arange(self.first, self.size), self.unknown)
        found = self._by_integer.of(integers)
        for token, index in self.masked.items():
            found[integers == token] = index
        return found

    def at(self, indices: np.ndarray, otherwise: Any, dtype: Any) -> np.ndarray:
        """Return the tokens at indices; `otherwise` at those that have none."""
        table = np.empty(len(self.tokens) + 1, dtype)
        table[:-1], table[-1] = self.tokens, otherwise
        places = indices - self.first
        found = np.empty(indices.shape, dtype)
        found[...] = table[np.where((places >= 0) & (places < len(self.tokens)), places, len(self.tokens))]
        return found


class TokenCounts:
    """How often each token is in data and, if asked for, in how many documents."""

    def __init__(self, of_documents: bool) -> None:
        self.tokens: collections.Counter = collections.Counter()
        self.documents: collections.Counter | None = collections.Counter() if of_documents else None
        self.number_of_documents = 0

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Count the tokens of documents."""
        for row in rows:
            self.tokens.update(row)
            self.number_of_documents += 1
            if self.documents is not None:
                self.documents.update(set(row))

    def ranked(self, left_out: Iterable[Any], most: int | None) -> list[Any]:
        """Return the tokens by falling frequency, equally frequent ones in falling order; `most` of them."""
        left_out = set(left_out)
        items = [item for item in self.tokens.items() if item[0] not in left_out]
        items.sort(reverse=True)
        items.sort(key=lambda item: item[1], reverse=True)
        return [token for token, _ in items[:most]]

    def idf_weights(self, tokens: Sequence[Any]) -> np.ndarray:
        """Return the inverse document frequencies of tokens."""
        documents: dict[Any, int] = self.documents or {}
        total = self.number_of_documents
        return np.array([math.log(1 + total / (1 + documents.get(token, 0))) for token in tokens], "float32")


def check_unique(tokens: Sequence[Any]) -> None:
    """Raise ValueError for a vocabulary that has a token twice."""
    if len(set(tokens)) < len(tokens):
        repeated = [str(token) for token, count in collections.Counter(tokens).items() if count > 1]
        raise ValueError(f"A vocabulary has each token once; these are repeated: {listed(repeated)}.")


def read_lines(path: Any) -> list[str]:
    """Return the tokens in a text file, one per line. ValueError if there is no such file, or it is not text."""
    try:
        text = Path(path).read_bytes().decode()
    except (FileNotFoundError, IsADirectoryError):
        raise ValueError(f"The vocabulary file {str(path)!r} does not exist.") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"The vocabulary file {str(path)!r} is not text in UTF-8: {error}.") from None
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return lines[:-1] if lines[-1] == "" else lines


@contextlib.contextmanager
def vocabularies_in_configs() -> Iterator[None]:
    """Let configs in a ``with`` block have the vocabularies: where no file goes with them."""
    before = _in_configs.set(True)
    try:
        yield
    finally:
        _in_configs.reset(before)


def belongs_in_config(tokens: Sequence[Any]) -> bool:
    """Return whether a vocabulary must be in a config: without a file beside it, or if Keras's would not hold it."""
    return _in_configs.get() or not fits_lines(tokens)


def fits_lines(tokens: Sequence[Any]) -> bool:
    """Return whether Keras reads these tokens again if they are written one per line."""
    whole = all(
        isinstance(token, int) or (isinstance(token, str) and len(f"{token}.".splitlines()) == 1) for token in tokens
    )
    return whole and not (tokens and tokens[-1] == "")


def tokens_of(text: str, is_integers: bool, where: str, size: int | None = None) -> list[Any]:
    """Return the tokens in the text of an asset, one per line. ValueError if integers are expected and one is not.

    Empty lines at the end are no tokens, unless `size` says how many there are.
    """
    lines = text.split("\n")
    while len(lines) > (size or 0) and lines and lines[-1].rstrip("\r") == "":
        lines.pop()
    if not is_integers:
        return lines
    for number, line in enumerate(lines):
        if not (len(line) <= LONGEST_INTEGER and line.removeprefix("-").isdecimal() and abs(int(line)) < 2**63):
            raise ValueError(f"Line {number + 1} of {where} is {one_line(line, 80)!r}; expected an integer.")
    return [int(line) for line in lines]
