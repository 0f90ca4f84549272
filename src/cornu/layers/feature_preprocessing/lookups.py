"""Strings or integers as indices of a vocabulary, and back."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from cornu.core import registry
from cornu.core.text import as_text
from cornu.layers.feature_preprocessing.fingerprints import fingerprints, keyed_fingerprints
from cornu.layers.feature_preprocessing.index_lookup import IndexLookup, integers_of
from cornu.layers.feature_preprocessing.strings import encoded, strings_of
from cornu.layers.feature_preprocessing.tokens import Words

CHUNK = 1 << 18  # rows of integers that are counted at once


def buckets(strings: list[bytes], count: int, salt: list[int] | None) -> np.ndarray:
    """Return numbers below `count` by the hashes of strings, equal ones hashed once."""
    places: dict[bytes, int] = {}
    numbers = [places.setdefault(one, len(places)) for one in strings]
    distinct = list(places)
    hashes = fingerprints(distinct) if salt is None else keyed_fingerprints(distinct, salt)
    return (hashes % np.uint64(count)).astype("int64")[numbers]


@registry.LAYERS.add()
class StringLookup(IndexLookup):
    """Map strings to indices of a vocabulary, which is given or learned by `adapt`; or indices to strings.

    Args:
        max_tokens: The largest size of the vocabulary, special tokens included; None has no limit.
        num_oov_indices: How many indices there are for unknown strings: with several, a hash chooses; with 0, unknown
            strings are an error.
        mask_token: A string with index 0, which other output modes than ``"int"`` leave out; None for none.
        oov_token: What unknown indices become with `invert`.
        vocabulary: A list or array of strings, or the path of a text file with one per line.
        idf_weights: Inverse document frequencies of `vocabulary`, for the mode ``"tf_idf"``.
        invert: Whether to map indices to strings.
        output_mode: ``"int"``; ``"one_hot"`` (a vector per string); ``"multi_hot"``, ``"count"`` or ``"tf_idf"`` (one
            per row: ones, counts, or counts times the inverse document frequencies).
        pad_to_max_tokens: Whether vectors have the size `max_tokens` although the vocabulary is smaller.
        sparse: Accepted; outputs are dense.
        encoding: How inputs that are bytes are encoded.
        salt: An integer or two: unknown strings are hashed by SipHash with this key, not by FarmHash.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Strings of any shape. The mode ``"int"`` keeps it; see `CategoryEncoding` for the others.

    Raises:
        ValueError: An argument; or, in calls, an unknown string if `num_oov_indices` is 0.
        TypeError: A value is not a string.

    Follows https://keras.io/api/layers/preprocessing_layers/categorical/string_lookup/

    >>> layer = StringLookup(vocabulary=["a", "b"])
    >>> layer([["b", "c"], ["a", "a"]]).tolist()
    [[2, 0], [1, 1]]
    >>> layer.get_vocabulary()
    ['[UNK]', 'a', 'b']
    """

    vocabulary_dtype = "string"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str | None = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        self.encoding = encoding
        oov_method = kwargs.pop("oov_method", "floormod")
        super().__init__(
            max_tokens,
            num_oov_indices,
            mask_token,
            oov_token,
            vocabulary,
            idf_weights,
            invert,
            output_mode,
            sparse,
            pad_to_max_tokens,
            oov_method,
            salt,
            name=name,
            **kwargs,
        )

    def _tokens_in(self, batch: np.ndarray) -> Iterable[list[str]]:
        flat, size = strings_of(batch, self), int(np.prod(batch.shape[1:]))
        return [flat] if self._counts.documents is None else (flat[i : i + size] for i in range(0, len(flat), size))

    def _listed_tokens(self, vocabulary: Any) -> list[str]:
        array = np.asarray(vocabulary if hasattr(vocabulary, "dtype") else np.array(list(vocabulary), object))
        tokens = [str(one) for one in strings_of(as_text(array, self.encoding), self)]
        encoded(tokens, self)  # half a character is refused here, not when the vocabulary is saved
        return tokens

    @property
    def _special_keys(self) -> list[Any]:
        keys = super()._special_keys
        return [*keys, *(key.encode() for key in keys)]  # TextVectorization counts bytes

    def _indices(self, tokens: np.ndarray) -> np.ndarray:
        return self._vocabulary.of_strings(strings_of(tokens, self)).reshape(tokens.shape)

    def _hashed(self, tokens: np.ndarray) -> np.ndarray:
        return buckets(encoded(strings_of(tokens, self), self), self.num_oov_indices, self.salt)

    def indices_of_words(self, words: Words) -> np.ndarray:
        """Return the indices of the words of a text, where one index is for all unknown ones."""
        return self._vocabulary.of_words(words)

    def indices_of_bytes(self, tokens: list[bytes]) -> np.ndarray:
        """Return the indices of strings in UTF-8, as `call` does of strings in the mode ``"int"``."""
        indices = self._vocabulary.of_bytes(tokens)
        return indices if self.num_oov_indices == 1 else self._resolved(np.array(tokens, object), indices)


@registry.LAYERS.add()
class IntegerLookup(IndexLookup):
    """Map integers to indices of a vocabulary, which is given or learned by `adapt`; or indices to integers.

    Args:
        max_tokens: The largest size of the vocabulary, special tokens included; None has no limit.
        num_oov_indices: How many indices there are for unknown integers: with several, `oov_method` chooses; with 0,
            unknown integers are an error.
        mask_token: An integer with index 0, which other output modes than ``"int"`` leave out; None for none.
        oov_token: What unknown indices become with `invert`.
        vocabulary: A list or array of integers, or the path of a text file with one per line.
        vocabulary_dtype: ``"int64"``.
        idf_weights: Inverse document frequencies of `vocabulary`, for the mode ``"tf_idf"``.
        invert: Whether to map indices to integers.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"``, ``"count"`` or ``"tf_idf"``; see `StringLookup`.
        sparse: Accepted; outputs are dense.
        pad_to_max_tokens: Whether vectors have the size `max_tokens` although the vocabulary is smaller.
        oov_method: ``"floormod"`` (the remainder of the integer) or ``"farmhash"`` (a hash of it).
        salt: An integer or two, for ``"farmhash"``: the key of SipHash, which is used then.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Integers of any shape. The mode ``"int"`` keeps it; see `CategoryEncoding` for the others. Integers beyond 32
        bits stay whole: as an array of numpy they may be inputs, and outputs of a layer with `invert`.

    Raises:
        ValueError: An argument; or, in calls, an unknown integer if `num_oov_indices` is 0.
        TypeError: A value is not an integer.

    Follows https://keras.io/api/layers/preprocessing_layers/categorical/integer_lookup/

    >>> layer = IntegerLookup()
    >>> layer.adapt([[12, 7], [12, 3]])
    >>> layer.get_vocabulary()
    [-1, 12, 7, 3]
    >>> layer([[7, 1000]]).tolist()
    [[2, 0]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int | None = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if vocabulary_dtype != "int64":
            raise ValueError(f"IntegerLookup takes vocabulary_dtype='int64'; got {vocabulary_dtype!r}.")
        if salt is not None and oov_method != "farmhash":
            raise ValueError(f"IntegerLookup: `salt` needs oov_method='farmhash', not {oov_method!r}.")
        self.vocabulary_dtype = vocabulary_dtype
        super().__init__(
            max_tokens,
            num_oov_indices,
            mask_token,
            oov_token,
            vocabulary,
            idf_weights,
            invert,
            output_mode,
            sparse,
            pad_to_max_tokens,
            oov_method,
            salt,
            name=name,
            **kwargs,
        )

    def _as_kept(self, tokens: list[int]) -> np.ndarray:
        return np.array(tokens, "int64")

    def _count(self, array: np.ndarray) -> None:
        for start in range(0, len(array), CHUNK):
            rows = integers_of(array[start : start + CHUNK], self)
            if self._counts.documents is not None:
                self._counts.add(rows.reshape(len(rows), -1).tolist())
            else:
                tokens, numbers = np.unique(rows, return_counts=True)
                self._counts.tokens.update(dict(zip(tokens.tolist(), numbers.tolist(), strict=True)))

    def _listed_tokens(self, vocabulary: Any) -> list[int]:
        array = np.asarray(vocabulary)
        if array.dtype.kind not in "iu" and array.size:
            raise TypeError(
                f"Layer {self.name!r} (IntegerLookup) takes a vocabulary of integers; got values of {array.dtype}."
            )
        return array.astype("int64").ravel().tolist()

    def _array_of_tokens(self, array: np.ndarray) -> np.ndarray:
        return integers_of(array, self)

    def _indices(self, tokens: np.ndarray) -> np.ndarray:
        return self._vocabulary.of_integers(tokens)

    def _hashed(self, tokens: np.ndarray) -> np.ndarray:
        if self.oov_method == "floormod":
            return tokens % self.num_oov_indices
        return buckets([b"%d" % one for one in tokens.tolist()], self.num_oov_indices, self.salt)


__all__ = ["IntegerLookup", "StringLookup"]
