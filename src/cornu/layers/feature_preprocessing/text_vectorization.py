"""Texts as sequences of indices, or as vectors of their words."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Unpack

import numpy as np

from cornu.core import registry
from cornu.core.errors import unknown
from cornu.core.graph import holds_symbolic
from cornu.core.layer_options import LayerOptions
from cornu.core.scope import NeedsPythonError
from cornu.core.serialization import construct
from cornu.core.settings import floatx
from cornu.core.spellings import old_keywords
from cornu.core.text import TextStandIn, as_text
from cornu.layers import host
from cornu.layers.adapting import batches_of
from cornu.layers.feature_preprocessing import tokens
from cornu.layers.feature_preprocessing.category_encoding import count_dtype, counted, encoded_by_numpy, encoded_shape
from cornu.layers.feature_preprocessing.index_lookup import refuse_file
from cornu.layers.feature_preprocessing.lookups import StringLookup
from cornu.layers.feature_preprocessing.strings import encoded, joined, strings_of
from cornu.layers.host import HostLayer

LEAST_BYTES = 1 << 12  # of text whose words are looked up as integers: of less, it takes no less time
Found = tuple[np.ndarray, np.ndarray, tuple[int, ...] | None]  # indices, how many each text has, the shape of the texts
CHUNK = 1 << 21  # characters of texts that are counted at once, since their words take far more memory


class Rows(NamedTuple):
    """Tokens of texts: one list for each element of an array of `shape`, or for the only one if `shape` is None."""

    shape: tuple[int, ...] | None
    tokens: list[list[bytes]]


@registry.LAYERS.add()
class TextVectorization(HostLayer):
    """Split texts into words and map these to indices of a vocabulary, which is given or learned by `adapt`.

    Args:
        max_tokens: The largest size of the vocabulary, padding and unknown words included; None has no limit.
        standardize: ``"lower_and_strip_punctuation"``, ``"lower"``, ``"strip_punctuation"``, None, or a function of
            an array of strings.
        split: ``"whitespace"``, ``"character"``, None, or a function from an array of texts to their lists of words.
        ngrams: A width, up to which words are joined, or a tuple of widths.
        output_mode: ``"int"`` (indices; 0 pads shorter texts, 1 is for unknown words), or a vector per text:
            ``"multi_hot"`` (ones), ``"count"`` or ``"tf_idf"`` (counts times the inverse document frequencies).
        output_sequence_length: To how many indices texts are cut or padded; None pads to the longest of a batch.
        pad_to_max_tokens: Whether vectors have the size `max_tokens` although the vocabulary is smaller.
        vocabulary: A list or array of words, or the path of a text file with one per line.
        idf_weights: Inverse document frequencies of `vocabulary`, for the mode ``"tf_idf"``.
        sparse: Accepted; outputs are dense.
        ragged: Whether outputs of the mode ``"int"`` are ragged tensors (of the stand-in for TensorFlow), not padded.
        encoding: How inputs that are bytes are encoded.
        vocabulary_size, has_input_vocabulary: What configs keep: the size that the vocabulary will have, and whether
            `adapt` is refused.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Texts of the shape ``(batch,)`` or ``(batch, 1)``; outputs have the shape ``(batch, length)``, or
        ``(batch, size of the vocabulary)``.

    Raises:
        ValueError: An argument, or the shape of the texts.
        TypeError: A value is not a string.

    Follows https://keras.io/api/layers/preprocessing_layers/text/text_vectorization/

    >>> layer = TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["A cat, a mat.", "The cat!"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'cat', 'a', 'the', 'mat']
    >>> layer(["The cat sat"]).tolist()
    [[4, 2, 1, 0]]
    """

    keeps_rows_apart = True

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable | None = "lower_and_strip_punctuation",
        split: str | Callable | None = "whitespace",
        ngrams: int | Sequence[int] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        vocabulary_size: int | None = None,
        has_input_vocabulary: bool | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        for argument, value, known in (
            ("standardize", standardize, tokens.STANDARDIZED),
            ("split", split, (*tokens.SPLITS, None)),
        ):
            if not callable(value) and (not isinstance(value, (str, type(None))) or value not in known):
                raise unknown(f"{argument} of TextVectorization", value, known)
        if ragged and host.ragged_output is None:
            raise ValueError(
                "TextVectorization(ragged=True): there are no ragged tensors except where tensorflow means Cornu "
                "(`cornu run`, install_as_keras). Without it, outputs are padded with 0."
            )
        self.standardize, self.split, self.ngrams, self.ragged = standardize, split, ngrams, ragged
        self._widths = _widths(ngrams)
        self.encoding = encoding
        self._lookup_layer = StringLookup(
            max_tokens,
            mask_token="",
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
            sparse=sparse,
            encoding=encoding,
            vocabulary_size=vocabulary_size,
            has_input_vocabulary=has_input_vocabulary,
        )
        self.output_mode = self._lookup_layer.output_mode
        self.output_sequence_length = self._checked_length(output_sequence_length)

    def _checked_length(self, length: Any) -> int | None:
        plain = length is None or (isinstance(length, (int, np.integer)) and not isinstance(length, bool))
        if not plain or (length is not None and (self.output_mode != "int" or length < 0)):
            raise ValueError(
                "TextVectorization: `output_sequence_length` must be an integer or None, and is for output_mode='int' "
                f"alone; got {length!r} with output_mode={self.output_mode!r}."
            )
        return None if length is None else int(length)

    # ---- the vocabulary

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the words in order; with those of padding and unknown words, each one's place is its index."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Return the number of indices, those of padding and unknown words included."""
        return self._lookup_layer.vocabulary_size()

    @old_keywords("set_vocabulary")
    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replace the vocabulary: see `StringLookup.set_vocabulary`."""
        self._share_nodes()
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    @old_keywords("adapt")
    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Make the vocabulary of the words in texts: the most frequent ones first, replacing an earlier one.

        Args:
            data: An array or list of texts, a data frame's column, or an iterable of batches of them: a generator, a
                data set, larger than memory too. Of tuples, the first entry counts.
            batch_size: Accepted; it changes nothing.
            steps: How many batches to take; None takes all.

        Raises:
            ValueError: The layer was created with a vocabulary.
            TypeError: The data are not strings.
        """
        self.reset_state()
        for batch in itertools.islice(batches_of(data, "TextVectorization", row_rank=0), steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget the data seen by `update_state`."""
        self._lookup_layer.reset_state()

    def update_state(self, data: Any) -> None:
        """Take a batch of texts into account for `finalize_state`."""
        self._lookup_layer._check_adaptable()
        counts = self._lookup_layer._counts
        texts = self.host_arrays(data)
        strings_of(texts, self)  # names the row of what is not a string
        for part in _parts(texts):
            words = self._words(part) if counts.documents is None else None
            if words is None:
                counts.add(self._rows(part, None).tokens)
            else:
                words.add_to(counts.tokens)

    def _words(self, texts: np.ndarray, least: int = 0) -> tokens.Words | None:
        """Return the words of texts of at least so many bytes; None where other things than white space split them."""
        if self.split != "whitespace" or self._widths is not None or callable(self.standardize):
            return None
        text = joined(strings_of(self._squeezed(texts), self), self)
        return None if len(text) < least else tokens.words_in(text, texts.size, self.standardize)

    def finalize_state(self) -> None:
        """Make the vocabulary from the texts seen since `reset_state`."""
        self._share_nodes()
        self._lookup_layer.finalize_state()

    def _share_nodes(self) -> None:
        """Let the lookup know whether its outputs are part of a model."""
        self._lookup_layer._inbound_nodes = self._inbound_nodes

    # ---- calls

    @property
    def output_dtype(self) -> str:
        """The dtype of the outputs."""
        return self._lookup_layer.output_dtype

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        shape = tuple(input_shape)
        if self.split is not None:
            shape = (*(shape[:-1] if len(shape) > 1 else shape), None)
        if self.output_mode == "int":
            length = self.output_sequence_length
            return shape if length is None or not shape else (*shape[:-1], length)
        depth = self._lookup_layer.depth
        return encoded_shape(shape, "one_hot", depth) if self.output_mode == "one_hot" else (*shape[:-1], depth)

    def call(self, inputs: Any) -> np.ndarray:
        lookup = self._lookup_layer
        depth = lookup.known_depth()
        indices, lengths, row_shape = self._found_words(inputs) or self._found_tokens(inputs)
        shape = (1,) if row_shape is None else row_shape
        if self.output_mode in ("int", "one_hot"):
            padded = self._padded(indices, lengths, row_shape)
            if self.output_mode == "int":
                return padded
            kept = padded if self.split is None else padded[..., None]  # also an axis of words that has the size 1
            return encoded_by_numpy(kept, "one_hot", depth, count_dtype())
        places = np.repeat(np.arange(len(lengths)), lengths) * depth
        known = indices < depth
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        dtype = floatx() if self.output_mode == "tf_idf" else count_dtype()
        found = counted(places[known] + indices[known], len(lengths), depth, mode, dtype).reshape(*shape, depth)
        if self.output_mode == "tf_idf":
            found *= lookup.known_idf_weights()
        return found

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        if not self.ragged or self.output_mode != "int" or holds_symbolic((inputs,), {}):
            return super().__call__(inputs, **kwargs)
        if isinstance(inputs, TextStandIn) or host.ragged_output is None:
            raise NeedsPythonError
        with self.naming():
            self._lookup_layer.known_depth()
            indices, lengths, row_shape = self._found_tokens(self.host_arrays(inputs))
        rows = host.ragged_output(indices, lengths)
        return rows if row_shape else rows[0]

    def _found_tokens(self, texts: Any) -> Found:
        rows = self._rows(texts, self.output_sequence_length)
        indices = self._lookup_layer.indices_of_bytes(list(itertools.chain.from_iterable(rows.tokens)))
        return indices, np.fromiter(map(len, rows.tokens), np.int64, len(rows.tokens)), rows.shape

    def _found_words(self, texts: np.ndarray) -> Found | None:
        """Return the same as `_found_tokens` for much text that white space splits; None for other text."""
        words = self._words(texts, LEAST_BYTES)
        if words is None:
            return None
        indices, lengths = self._lookup_layer.indices_of_words(words), words.numbers
        most = self.output_sequence_length
        if most is not None and lengths.max() > most:
            first = np.cumsum(lengths) - lengths  # the number of each text's first word
            indices = indices[np.arange(len(indices)) - np.repeat(first, lengths) < most]
            lengths = np.minimum(lengths, most)
        return indices, lengths, self._squeezed(texts).shape

    def _padded(self, indices: np.ndarray, lengths: np.ndarray, shape: tuple[int, ...] | None) -> np.ndarray:
        """Return indices as rows of one length."""
        if shape is None:
            return indices.reshape(())
        length = self.output_sequence_length
        size = int(lengths.max(initial=0)) if length is None else length
        fill = 0 if self.output_mode == "int" else -1
        found = np.full((len(lengths), size), fill)
        found[np.arange(size) < lengths[:, None]] = indices
        return found.reshape(*shape, size)

    def _rows(self, texts: Any, most: int | None) -> Rows:
        """Return the tokens of texts, `most` of each."""
        if callable(self.standardize):
            given = np.array(strings_of(texts, self), str).reshape(texts.shape)
            texts = as_text(np.asarray(self.standardize(given)))
        texts = texts if self.split is None else self._squeezed(texts)
        shape: tuple[int, ...] | None = texts.shape
        cut = most if self._widths is None else None
        rows = list(self._split(texts, cut))
        if self.split is None:
            shape = texts.shape[:-1] if texts.ndim else None
        if self._widths is not None:
            rows = [tokens.ngrams(row, self._widths)[:most] for row in rows]
        return Rows(shape, rows)

    def _split(self, texts: np.ndarray, most: int | None) -> Iterator[list[bytes]]:
        flat = self._standardized(texts)
        if callable(self.split):
            given = np.array([text.decode() for text in flat], str).reshape(texts.shape)
            return (encoded(strings_of(np.array(list(row), object), self), self)[:most] for row in self.split(given))
        if self.split is None:
            size = texts.shape[-1] if texts.ndim else 1
            return (flat[i : i + size][:most] for i in range(0, len(flat), size or 1))
        return (tokens.split(text, self.split, most) for text in flat)

    def _standardized(self, texts: np.ndarray) -> list[bytes]:
        """Return texts in UTF-8 after `standardize`; a function has been called before."""
        how = None if callable(self.standardize) else self.standardize
        return [tokens.standardized(text, how) for text in encoded(strings_of(texts, self), self)]

    def _squeezed(self, texts: np.ndarray) -> np.ndarray:
        """Return texts without a last axis of one. ValueError for several texts in a row, which cannot be split."""
        if texts.ndim < 2:
            return texts
        if texts.shape[-1] != 1:
            raise ValueError(
                f"Layer {self.name!r} (TextVectorization) splits texts of the shape (batch,) or (batch, 1); got "
                f"{texts.shape}."
            )
        return texts[..., 0]

    # ---- files

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments with Keras's keys."""
        lookup = self._lookup_layer.get_config()
        config = super().get_config() | {key: lookup[key] for key in ("vocabulary", "idf_weights")}
        config.pop("has_input_vocabulary", None)
        config |= {key: value for key, value in lookup.items() if key == "has_input_vocabulary"}
        return config | {"vocabulary_size": self.vocabulary_size()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TextVectorization":
        """Make a layer from the result of `get_config`. ValueError if it names a file: configs open none."""
        refuse_file(cls, config)
        return construct(cls, config)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Store the idf weights, which Keras keeps among the weights."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: dict[str, Any]) -> None:
        """Set the idf weights. ValueError if they do not fit the vocabulary."""
        self._lookup_layer.load_own_variables(store)

    def assets(self) -> dict[str, str]:
        """Return the text files that go with the config, by their names: the vocabulary, unless the config has it."""
        return self._lookup_layer.assets()

    def load_assets_text(self, assets: dict[str, str]) -> None:
        """Set the vocabulary from the text files of `assets`. ValueError if they do not fit."""
        self._lookup_layer.load_assets_text(assets)

    def save_assets(self, dir_path: Any) -> None:
        """Write the text files of the layer into a folder, as Keras does."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: Any) -> None:
        """Set the vocabulary from the text files in a folder."""
        self._lookup_layer.load_assets(dir_path)


def _widths(ngrams: Any) -> tuple[int, ...] | None:
    """Return the widths of n-grams; ValueError if they are not integers above 0."""
    if ngrams is None:
        return None
    single = isinstance(ngrams, int) and not isinstance(ngrams, bool)
    widths = tuple(range(1, ngrams + 1)) if single else ngrams
    is_plain = isinstance(widths, (tuple, list)) and all(isinstance(one, int) and one > 0 for one in widths)
    if not is_plain or not widths:
        raise ValueError(f"TextVectorization: `ngrams` must be an integer above 0 or a tuple of them; got {ngrams!r}.")
    return tuple(widths)


def _parts(texts: np.ndarray) -> Iterator[np.ndarray]:
    """Return runs of texts with about `CHUNK` characters."""
    if not texts.size:
        return iter(())
    rows = texts.reshape(len(texts), -1) if texts.ndim else texts.reshape(1, 1)
    sizes = [sum(map(len, row)) for row in rows.tolist()]
    ends = np.flatnonzero(np.diff(np.cumsum(sizes) // CHUNK)) + 1
    return iter(np.split(texts, ends) if len(ends) else [texts])


__all__ = ["TextVectorization"]
