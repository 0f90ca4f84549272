"""Texts as numbers: words, word indices, bags of words (the `keras.preprocessing.text` of Keras 1 and 2)."""

import hashlib
import json
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from cornu.core import spellings
from cornu.core.errors import unknown
from cornu.core.public import offer

_IMPORTED = frozenset(globals())

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_MODES = ("binary", "count", "freq", "tfidf")


@lru_cache(maxsize=64)
def _tables(filters: str, lower: bool, split: str) -> tuple[dict[int, str], bytes | None]:
    """Return what replaces the filtered characters: for all texts, and for those in ASCII (letters as well)."""
    if len(split) != 1 or not split.isascii():
        return {ord(character): split for character in filters}, None
    ascii_table = (chr(code).lower() if lower else chr(code) for code in range(128))
    single = "".join(split if character in filters else character for character in ascii_table)
    return {ord(character): split for character in filters}, single.encode() + bytes(range(128, 256))


def text_to_word_sequence(
    text: str, filters: str | Sequence[str] = FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """Return the words of a text.

    Args:
        text: The text.
        filters: Characters that separate words as `split` does; the apostrophe is not among them.
        lower: Whether to make all letters lowercase.
        split: What separates words.

    Raises:
        TypeError: `text` is not a string.

    Follows https://keras.io/2.15/api/preprocessing/text/

    >>> text_to_word_sequence("It's a cat, isn't it?")
    ["it's", 'a', 'cat', "isn't", 'it']
    """
    if not isinstance(text, str):
        raise TypeError(f"text_to_word_sequence takes a string; got {type(text).__name__}.")
    table, ascii_table = _tables("".join(filters), lower, split)
    if ascii_table is not None and text.isascii():
        text = text.encode().translate(ascii_table).decode()
    else:
        text = (text.lower() if lower else text).translate(table)
    return list(filter(None, text.split(split)))


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | str | None = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """Return a number from 1 to ``n - 1`` for each word of a text; different words may get the same.

    Args:
        text: The text.
        n: One more than the largest number.
        hash_function: A function of a word, or ``"md5"``. None takes Python's ``hash``, which differs between
            processes unless ``PYTHONHASHSEED`` is set.
        filters, lower, split: As in `text_to_word_sequence`.
        analyzer: A function that returns the words of a text, instead of `text_to_word_sequence`.

    Raises:
        ValueError: `n` is less than 2, or the hash function is unknown.

    >>> hashing_trick("the cat and the dog", 50, hash_function="md5")
    [43, 32, 14, 43, 2]
    """
    if n < 2:
        raise ValueError(f"n must be at least 2, since words get the numbers 1 to n - 1; got {n}.")
    if hash_function == "md5":
        hash_function = _md5
    elif isinstance(hash_function, str):
        raise unknown("hash_function", hash_function, ("md5",))
    number = hash_function or hash
    words = analyzer(text) if analyzer else text_to_word_sequence(text, filters, lower, split)
    return [number(word) % (n - 1) + 1 for word in words]


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


def one_hot(
    text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """Return `hashing_trick` with Python's ``hash``: a number from 1 to ``n - 1`` for each word, not a one-hot vector.

    >>> numbers = one_hot("the cat and the cat", 50)
    >>> numbers[:2] == numbers[3:]
    True
    """
    return hashing_trick(text, n, hash, filters, lower, split, analyzer)


class Tokenizer:
    """Turns texts into sequences of word indices, or into rows of a matrix with a column for each word.

    Index 1 is the most frequent word (or `oov_token`, if there is one); index 0 stands for no word.

    Args:
        num_words: Only the ``num_words - 1`` smallest indices are used; None uses all.
        filters: Characters that separate words, as in `text_to_word_sequence`.
        lower: Whether to make all letters lowercase.
        split: What separates words.
        char_level: Whether each character is a word.
        oov_token: A word that replaces unknown ones, which are left out otherwise.
        analyzer: A function that returns the words of a text, instead of `text_to_word_sequence`.
        document_count: Number of texts that have been counted.

    Texts may be strings, or lists of words.

    Follows https://keras.io/2.15/api/preprocessing/text/

    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["the cat sat", "the dog"])
    >>> tokenizer.texts_to_sequences(["the dog sat", "a cat"])
    [[1, 4, 3], [2]]
    """

    @spellings.old_keywords("Tokenizer")
    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], Iterable[str]] | None = None,
        document_count: int = 0,
    ) -> None:
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.document_count = document_count
        self.word_counts: dict[str, int] = OrderedDict()
        self.word_docs: dict[str, int] = defaultdict(int)
        self.index_docs: dict[int, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def fit_on_texts(self, texts: Iterable[str | list[str]]) -> None:
        """Count the words of texts, in addition to those already counted, and number them by frequency.

        Raises TypeError for a text that is neither a string nor a list of words.
        """
        counts, documents = Counter(self.word_counts), Counter(self.word_docs)
        for words in self._words_of(texts):
            self.document_count += 1
            counts.update(words)
            documents.update(dict.fromkeys(words).keys())
        self.word_counts, self.word_docs = OrderedDict(counts), defaultdict(int, documents)
        words = sorted(counts, key=counts.__getitem__, reverse=True)
        if self.oov_token is not None:
            words.insert(0, self.oov_token)
        self.word_index = dict(zip(words, range(1, len(words) + 1), strict=True))
        self.index_word = {index: word for word, index in self.word_index.items()}
        self.index_docs.update((self.word_index[word], count) for word, count in documents.items())

    def fit_on_sequences(self, sequences: Sequence[Sequence[int]]) -> None:
        """Count in how many sequences each index is, for ``mode="tfidf"`` without `fit_on_texts`."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for index in set(sequence):
                self.index_docs[index] = self.index_docs.get(index, 0) + 1

    def texts_to_sequences(self, texts: Iterable[str | list[str]]) -> list[list[int]]:
        """Return the word indices of each text.

        Raises TypeError for a text that is neither a string nor a list of words.
        """
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[str | list[str]]) -> Iterator[list[int]]:
        """Yield the word indices of each text."""
        index_of, end = self.word_index.get, self.num_words or float("inf")
        replaces = self.oov_token is not None
        other: Any = index_of(self.oov_token)  # type: ignore[arg-type]
        for words in self._words_of(texts):
            indices = map(index_of, words)
            if replaces:
                yield [index if index is not None and index < end else other for index in indices]
            elif self.num_words:
                yield [index for index in indices if index is not None and index < end]
            else:
                yield [index for index in indices if index is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Return the text of each sequence of indices: its words, with spaces between them."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Yield the text of each sequence of indices."""
        end = self.num_words or float("inf")
        other = self.index_word.get(self.word_index.get(self.oov_token, 0))  # type: ignore[arg-type]
        for sequence in sequences:
            words = (self.index_word.get(index) if index < end else None for index in sequence)
            yield " ".join(found for word in words if (found := other if word is None else word) is not None)

    def texts_to_matrix(self, texts: Iterable[str | list[str]], mode: str = "binary") -> np.ndarray:
        """Return a row for each text, as `sequences_to_matrix` does."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> np.ndarray:
        """Return a row for each sequence, with a column for each index.

        Args:
            sequences: Sequences of word indices.
            mode: What stands in a column: ``"binary"``, 1 if the index is there; ``"count"``, how often; ``"freq"``,
                how often for each word of the sequence; ``"tfidf"``, its weight by the texts that were counted.

        Returns:
            An array ``(sequences, num_words)``.

        Raises:
            ValueError: The mode is unknown, an index is negative, or nothing has been counted.
        """
        if mode not in _MODES:
            raise unknown("mode", mode, _MODES)
        if not self.num_words and not self.word_index:
            raise ValueError("How many columns? Give Tokenizer num_words, or call fit_on_texts first.")
        if mode == "tfidf" and not self.document_count:
            raise ValueError('mode="tfidf" needs counted texts: call fit_on_texts or fit_on_sequences first.')
        columns = self.num_words or len(self.word_index) + 1
        lengths = np.array([len(sequence) for sequence in sequences], int)
        indices = np.array([index for sequence in sequences for index in sequence], int)
        if indices.size and indices.min() < 0:
            raise ValueError(f"Word indices must not be negative; got {indices.min()}.")
        places = np.repeat(np.arange(len(lengths)), lengths) * columns + indices
        places, counts = np.unique(places[indices < columns], return_counts=True)
        matrix = np.zeros((len(lengths), columns))
        matrix.ravel()[places] = self._weights(mode, counts, places % columns, lengths[places // columns])
        return matrix

    def _weights(self, mode: str, counts: np.ndarray, indices: np.ndarray, lengths: np.ndarray) -> Any:
        """Return the values of words that occur `counts` times in sequences of some lengths."""
        if mode == "binary":
            return 1
        if mode == "count":
            return counts
        if mode == "freq":
            return counts / lengths
        # Weighting scheme 2 of https://en.wikipedia.org/wiki/Tf-idf
        documents = np.array([self.index_docs.get(index, 0) for index in indices.tolist()], int)
        return (1 + np.log(counts)) * np.log(1 + self.document_count / (1 + documents))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments and what has been counted, the counts as JSON."""
        names = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        config = {name: getattr(self, name) for name in names}
        return config | {name: json.dumps(getattr(self, name)) for name in _COUNTS}

    def to_json(self, **kwargs: Any) -> str:
        """Return class name and config as JSON, for `tokenizer_from_json`; `kwargs` go to ``json.dumps``."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)

    def _words_of(self, texts: Iterable[str | list[str]]) -> Iterator[list[str] | str]:
        for number, text in enumerate(texts):
            if isinstance(text, list):
                yield [word.lower() for word in text] if self.lower else text
            elif not isinstance(text, str):
                raise TypeError(
                    f"Tokenizer takes strings or lists of words; text {number} is {type(text).__name__}: "
                    f"{str(text)[:40]!r}.\nLeave such texts out, or replace them by ''."
                )
            elif self.char_level:
                yield text.lower() if self.lower else text
            elif self.analyzer is not None:
                yield list(self.analyzer(text))
            else:
                yield text_to_word_sequence(text, self.filters, self.lower, self.split)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take a pickle's attributes; those of other versions of Keras lack some, or name them otherwise."""
        Tokenizer.__init__(self)
        state = dict(state)
        if "nb_words" in state:
            state["num_words"] = state.pop("nb_words")
        vars(self).update(state)
        self.index_word = self.index_word or {index: word for word, index in self.word_index.items()}

    def __getattr__(self, name: str) -> Any:
        return spellings.old_attribute(self, name)


_COUNTS = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Return the `Tokenizer` that `Tokenizer.to_json` described.

    Raises ValueError if the text does not describe a tokenizer.

    >>> tokenizer_from_json(Tokenizer(num_words=100).to_json()).num_words
    100
    """
    try:
        config = dict(json.loads(json_string)["config"])
        counts = {name: json.loads(config.pop(name)) for name in _COUNTS}
        for name in ("index_docs", "index_word"):
            counts[name] = {int(index): value for index, value in counts[name].items()}
        tokenizer = Tokenizer(**config)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"This is not the JSON of a Tokenizer ({type(error).__name__}: {str(error)[:200]}).\n"
            "Pass the text that to_json() returned."
        ) from None
    vars(tokenizer).update(counts)
    return tokenizer


__getattr__ = spellings.names_of(__name__)
offer(globals(), _IMPORTED)
