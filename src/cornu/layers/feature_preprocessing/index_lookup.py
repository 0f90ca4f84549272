"""What StringLookup and IntegerLookup share: a vocabulary, given or learned, and the outputs made of its indices."""

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from cornu.core.errors import listed, one_line, unknown
from cornu.core.serialization import construct
from cornu.core.settings import floatx
from cornu.core.spellings import old_keywords
from cornu.layers.adapting import batches_of, is_one_batch
from cornu.layers.argument_checks import check_integer
from cornu.layers.feature_preprocessing.category_encoding import (
    MODES,
    checked_mode,
    count_dtype,
    encoded_by_numpy,
    encoded_shape,
)
from cornu.layers.feature_preprocessing.vocabulary import (
    DROPPED,
    UNKNOWN,
    TokenCounts,
    Vocabulary,
    belongs_in_config,
    check_unique,
    read_lines,
    tokens_of,
)
from cornu.layers.host import HostLayer

OOV_METHODS = ("floormod", "farmhash")
VOCABULARY_FILE = "vocabulary.txt"


class IndexLookup(HostLayer):
    """Map tokens to indices of a vocabulary, or indices to tokens: the base of `StringLookup` and `IntegerLookup`.

    A subclass says what tokens are: `vocabulary_dtype`, `_tokens_in`, `_listed_tokens`, `_indices`, `_hashed`.
    """

    vocabulary_dtype: str
    keeps_rows_apart = True

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        sparse: bool,
        pad_to_max_tokens: bool,
        oov_method: str,
        salt: Any,
        vocabulary_size: int | None = None,
        has_input_vocabulary: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{name: value for name, value in kwargs.items() if name not in ("dtype", "trainable")})
        self.max_tokens = None if max_tokens is None else check_integer(self, "max_tokens", max_tokens, 2)
        self.num_oov_indices = check_integer(self, "num_oov_indices", num_oov_indices, 0)
        self.mask_token, self.oov_token = mask_token, oov_token
        self.invert, self.sparse, self.pad_to_max_tokens = invert, sparse, pad_to_max_tokens
        self.output_mode = checked_mode(self, output_mode, (*MODES, "tf_idf"))
        if oov_method not in OOV_METHODS:
            raise unknown(f"oov_method of {type(self).__name__}", oov_method, OOV_METHODS)
        self.oov_method = oov_method
        self.salt = checked_salt(self, salt)
        self._check_arguments(vocabulary, idf_weights)
        self._vocabulary_size = vocabulary_size
        self._has_input_vocabulary = vocabulary is not None if has_input_vocabulary is None else has_input_vocabulary
        self._vocabulary = self._made_vocabulary([])
        self._idf_weights: np.ndarray | None = None
        self._given: tuple[Any, Any] = (None, None)  # vocabulary and idf_weights for the config
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
            is_file = isinstance(vocabulary, (str, Path))  # its words are saved beside the config
            self._given = (None if is_file else _plain(vocabulary), _plain(idf_weights))
        self.reset_state()

    def _check_arguments(self, vocabulary: Any, idf_weights: Any) -> None:
        problem = None
        if self.pad_to_max_tokens and self.max_tokens is None:
            problem = "pad_to_max_tokens=True needs `max_tokens`"
        elif self.invert and self.output_mode != "int":
            problem = f"invert=True needs output_mode='int', not {self.output_mode!r}"
        elif self.invert and self.oov_token is None:
            problem = "invert=True needs an `oov_token`, which stands for unknown indices"
        elif self.sparse and self.output_mode == "int":
            problem = "sparse=True is for other output modes than 'int'"
        elif idf_weights is not None and self.output_mode != "tf_idf":
            problem = f"idf_weights are for output_mode='tf_idf', not {self.output_mode!r}"
        elif self.output_mode == "tf_idf" and vocabulary is not None and idf_weights is None:
            problem = "a vocabulary for output_mode='tf_idf' needs `idf_weights`"
        if problem:
            raise ValueError(f"{type(self).__name__}: {problem}.")

    # ---- what tokens are

    def _tokens_in(self, batch: Any) -> Iterable[Any]:
        """Return the rows of a batch of data as lists of tokens."""
        raise NotImplementedError

    def _listed_tokens(self, vocabulary: Any) -> list[Any]:
        """Return the tokens of a vocabulary as a list; TypeError for other values."""
        raise NotImplementedError

    def _array_of_tokens(self, array: np.ndarray) -> np.ndarray:
        """Return an input as an array of tokens, or of indices with `invert`."""
        return array

    def _indices(self, tokens: np.ndarray) -> np.ndarray:
        """Return the indices of an array of tokens in the vocabulary."""
        raise NotImplementedError

    def _hashed(self, tokens: np.ndarray) -> np.ndarray:
        """Return numbers below `num_oov_indices` for unknown tokens."""
        raise NotImplementedError

    def _made_vocabulary(self, tokens: list[Any]) -> Vocabulary:
        unknown = self._first_oov_index if self.num_oov_indices == 1 else UNKNOWN
        masked = {} if self.mask_token is None else {self.mask_token: 0 if self.output_mode == "int" else DROPPED}
        return Vocabulary(self._as_kept(tokens), self._first_index, unknown, masked)

    def _as_kept(self, tokens: list[Any]) -> Any:
        return tokens

    # ---- the vocabulary

    @property
    def _first_oov_index(self) -> int:
        return int(self.mask_token is not None and self.output_mode == "int")

    @property
    def _first_index(self) -> int:
        return self._first_oov_index + self.num_oov_indices

    @property
    def _special_tokens(self) -> list[Any]:
        return [self.mask_token] * self._first_oov_index + [self.oov_token] * self.num_oov_indices

    @property
    def input_vocabulary(self) -> Any:
        """The vocabulary that the layer was created with, unless it came from a file."""
        return self._given[0]

    @property
    def idf_weights(self) -> np.ndarray | None:
        """The inverse document frequencies of all indices; None if they are not known."""
        return self._idf_weights

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the tokens in order; with the special ones, each one's place is its index."""
        tokens = _plain(self._vocabulary.tokens)
        return self._special_tokens + tokens if include_special_tokens else tokens

    def vocabulary_size(self) -> int:
        """Return the number of indices, those of the mask and of unknown tokens included."""
        return self._vocabulary.size

    @old_keywords("set_vocabulary")
    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replace the vocabulary.

        Args:
            vocabulary: A list or array of tokens, or the path of a text file with one per line. The special tokens
                may come first.
            idf_weights: A number per entry of `vocabulary`, in the mode ``"tf_idf"`` alone.

        Raises:
            ValueError: It is empty, too large, has a token twice or a special one in the middle; or the weights do
                not fit.
            TypeError: An entry is not a token.
        """
        if (idf_weights is None) == (self.output_mode == "tf_idf"):
            needs = "needs" if idf_weights is None else "takes no"
            raise ValueError(f"A vocabulary for output_mode={self.output_mode!r} {needs} `idf_weights`.")
        if isinstance(vocabulary, (str, Path)):
            lines = read_lines(vocabulary)
            vocabulary = tokens_of("\n".join(lines), True, repr(str(vocabulary))) if self._is_integers else lines
        entries = self._listed_tokens(vocabulary)
        if not entries:
            raise ValueError(f"Layer {self.name!r} ({type(self).__name__}) got an empty vocabulary.")
        tokens = self._checked_tokens(entries)
        weights = None
        if idf_weights is not None:
            weights = self._padded(idf_weights, len(entries), needs_front=len(tokens) == len(entries))
        self._replace(tokens, weights)
        if self._given[0] is not None:
            self._given = (entries, _plain(idf_weights))

    @property
    def _is_integers(self) -> bool:
        return self.vocabulary_dtype != "string"

    def _checked_tokens(self, entries: list[Any]) -> list[Any]:
        """Return the tokens of a vocabulary without the special ones at its head; ValueError if they do not fit."""
        first = self._first_index
        tokens = entries[first:] if entries[:first] == self._special_tokens else entries
        check_unique(tokens)
        reserved = [self.mask_token, *([self.oov_token] if self.invert else [])]
        for token in reserved:
            if token is not None and token in tokens:
                raise ValueError(
                    f"A vocabulary for layer {self.name!r} ({type(self).__name__}) has the reserved token {token!r} "
                    f"at place {tokens.index(token)}. Leave the special tokens out, or put them first: "
                    f"{self._special_tokens}."
                )
        size = first + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) takes max_tokens={self.max_tokens}; with the special "
                f"tokens, the vocabulary has {size}."
            )
        return tokens

    def _replace(self, tokens: list[Any], idf_weights: np.ndarray | None) -> None:
        """Set the tokens. RuntimeError if the layer's outputs in a model would have another size."""
        made = self._made_vocabulary(tokens)
        fixed = self._vocabulary_size is not None and self.output_mode != "int" and not self.pad_to_max_tokens
        if fixed and self._inbound_nodes and made.size != self._vocabulary_size:
            raise RuntimeError(
                f"Layer {self.name!r} ({type(self).__name__}) is part of a model, where its outputs have the size "
                f"{self._vocabulary_size}; the new vocabulary has {made.size}. Create the model again, or set "
                "`max_tokens` and pad_to_max_tokens=True."
            )
        self._vocabulary, self._vocabulary_size, self._idf_weights = made, made.size, idf_weights

    def _padded(self, idf_weights: Any, entries: int, needs_front: bool) -> np.ndarray:
        """Return weights for all indices: unknown tokens get the mean, and what `max_tokens` adds gets zeros."""
        weights = np.asarray(idf_weights, "float64")
        if weights.shape != (entries,):
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) takes an idf weight for each of the {entries} entries of "
                f"the vocabulary; got an array of shape {weights.shape}."
            )
        front = self._first_index if needs_front else 0
        weights = np.concatenate([np.full(front, weights.mean()), weights])
        return self._padded_behind(weights.astype(floatx()))

    def _padded_behind(self, weights: np.ndarray) -> np.ndarray:
        back = max((self.max_tokens or 0) - len(weights), 0) if self.pad_to_max_tokens else 0
        return np.concatenate([weights, np.zeros(back, weights.dtype)])

    # ---- learning it

    @old_keywords("adapt")
    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Make the vocabulary of the tokens in data: the most frequent ones first, replacing an earlier one.

        Args:
            data: An array or list of tokens, a data frame's column, or an iterable of batches of them: a generator,
                a data set, larger than memory too. Of tuples, the first entry counts. Each row is a document.
            batch_size: Accepted; it changes nothing.
            steps: How many batches to take; None takes all.

        Raises:
            ValueError: The layer was created with a vocabulary.
            TypeError: The data are not tokens.
        """
        self.reset_state()
        one = is_one_batch(data)
        for batch in itertools.islice(batches_of(data, type(self).__name__, row_rank=0), steps):
            array = self.host_arrays(batch)
            self.update_state(array[:, None] if one and array.ndim == 1 else array)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget the data seen by `update_state`."""
        self._counts = TokenCounts(self.output_mode == "tf_idf")

    def update_state(self, data: Any) -> None:
        """Take a batch of data into account for `finalize_state`. An array of one axis is a single document."""
        self._check_adaptable()
        array = self.host_arrays(data)
        self._count(array.reshape(1, -1) if array.ndim < 2 else array)

    def _check_adaptable(self) -> None:
        if self._has_input_vocabulary:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) has the vocabulary that it was created with; adapt() is "
                "for layers created without one."
            )

    def _count(self, array: np.ndarray) -> None:
        self._counts.add(self._tokens_in(array))

    def finalize_state(self) -> None:
        """Make the vocabulary from the data seen since `reset_state`."""
        counts = self._counts
        self.reset_state()
        if self._has_input_vocabulary or not counts.tokens:
            self._vocabulary_size = self._vocabulary.size
            return
        most = None if self.max_tokens is None else max(self.max_tokens - self._first_index, 0)
        tokens = counts.ranked(self._special_keys, most)
        weights = None
        if self.output_mode == "tf_idf":
            found = counts.idf_weights(tokens)
            mean = found.mean() if len(found) else np.float32(0)
            weights = np.concatenate([np.full(self._first_index, mean, "float32"), found])
            weights = self._padded_behind(weights.astype(floatx()))
        self._replace(self._listed_tokens(tokens), weights)

    @property
    def _special_keys(self) -> list[Any]:
        return [token for token in (self.mask_token, self.oov_token) if token is not None]

    # ---- calls

    @property
    def output_dtype(self) -> str:
        """The dtype of the outputs."""
        if self.invert:
            return self.vocabulary_dtype
        return floatx() if self.output_mode == "tf_idf" else "int64"

    @property
    def depth(self) -> int | None:
        """The size of the last axis of outputs that are not integers; None if it is not known yet."""
        return self.max_tokens if self.pad_to_max_tokens else self._vocabulary_size

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return encoded_shape(input_shape, self.output_mode, self.depth)

    def call(self, inputs: Any) -> np.ndarray:
        inputs = self._array_of_tokens(np.stack(inputs) if isinstance(inputs, (list, tuple)) else inputs)
        if self.invert:
            return self._inverted(inputs)
        depth = self.known_depth()
        indices = self._resolved(inputs, self._indices(inputs))
        if self.output_mode == "int":
            return indices
        if self.output_mode == "tf_idf":
            return encoded_by_numpy(indices, "count", depth, floatx()) * self.known_idf_weights()
        return encoded_by_numpy(indices, self.output_mode, depth, count_dtype())

    def known_depth(self) -> int:
        """Return `depth`; RuntimeError if it is not known yet."""
        if self.output_mode != "int" and self.depth is None:
            raise RuntimeError(
                f"Layer {self.name!r} ({type(self).__name__}) with output_mode={self.output_mode!r} has no vocabulary "
                "yet: call adapt(data) first, or create it with `vocabulary`."
            )
        return self.depth or 0

    def known_idf_weights(self) -> np.ndarray:
        """Return the inverse document frequencies; RuntimeError if they are not known yet."""
        if self._idf_weights is None:
            raise RuntimeError(
                f"Layer {self.name!r} ({type(self).__name__}) with output_mode='tf_idf' has no idf_weights yet: call "
                "adapt(data) first."
            )
        return self._idf_weights

    def _resolved(self, tokens: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """Return indices with those of unknown tokens filled in. ValueError if none is for unknown tokens."""
        unknown = indices == UNKNOWN
        if self.num_oov_indices == 1 or not unknown.any():
            return indices
        missing = tokens[unknown]
        if self.num_oov_indices == 0:
            self._refuse(missing.tolist())
        indices[unknown] = self._hashed(missing) + self._first_oov_index
        return indices

    def _refuse(self, missing: list[Any]) -> NoReturn:
        shown = listed(dict.fromkeys(map(str, missing)))
        raise ValueError(
            f"Layer {self.name!r} ({type(self).__name__}) has num_oov_indices=0, so all inputs must be in its "
            f"vocabulary; these are not: {shown}. Set num_oov_indices=1."
        )

    def _inverted(self, indices: np.ndarray) -> np.ndarray:
        indices = integers_of(indices, self)
        dtype = "int64" if self._is_integers else object
        tokens = self._vocabulary.at(indices, self.oov_token, dtype)
        return tokens if self.mask_token is None else np.where(indices == 0, self.mask_token, tokens).astype(dtype)

    # ---- files

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments with Keras's keys."""
        vocabulary, idf_weights = self._given
        config = super().get_config()
        config.pop("has_input_vocabulary", None)
        if vocabulary is None and self._needs_config():
            whole = None not in self._special_tokens
            vocabulary = self.get_vocabulary(include_special_tokens=whole)
            weights = self._idf_weights
            idf_weights = None if weights is None else weights[: self._vocabulary.size][-len(vocabulary) :].tolist()
            config["has_input_vocabulary"] = self._has_input_vocabulary
        return config | {
            "vocabulary": vocabulary,
            "idf_weights": idf_weights,
            "vocabulary_size": self._vocabulary_size,
            "oov_method": self.oov_method,
            "salt": self.salt,
        }

    def _needs_config(self) -> bool:
        return bool(len(self._vocabulary)) and belongs_in_config(self.get_vocabulary())

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "IndexLookup":
        """Make a layer from the result of `get_config`. ValueError if it names a file: configs open none."""
        refuse_file(cls, config)
        return construct(cls, config)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Store the idf weights, which Keras keeps among the weights."""
        if self._idf_weights is not None:
            store["idf_weights"] = self._idf_weights

    def load_own_variables(self, store: dict[str, Any]) -> None:
        """Set the idf weights. ValueError if they do not fit the vocabulary."""
        unknown = set(store) - ({"idf_weights"} if self.output_mode == "tf_idf" else set())
        if unknown:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) has no weight {one_line(min(unknown), 80)!r}, which the "
                "file has."
            )
        if "idf_weights" not in store:
            return
        weights = np.asarray(store["idf_weights"], floatx())
        if weights.ndim != 1 or self.depth not in (None, len(weights)):
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) has {self.depth or 'a row of'} idf weights; the file has "
                f"an array of shape {weights.shape}."
            )
        self._idf_weights = weights

    def assets(self) -> dict[str, str]:
        """Return the text files that go with the config, by their names: the vocabulary, unless the config has it."""
        if self._given[0] is not None or self._needs_config():
            return {}
        return {VOCABULARY_FILE: "\n".join(map(str, self.get_vocabulary()))}

    def load_assets_text(self, assets: dict[str, str]) -> None:
        """Set the vocabulary from the text files of `assets`. ValueError if they do not fit."""
        if VOCABULARY_FILE not in assets or self._given[0] is not None:
            return
        where = f"the vocabulary of layer {self.name!r}"
        weights, size = self._idf_weights, self._vocabulary_size
        entries = tokens_of(assets[VOCABULARY_FILE], self._is_integers, where, size)
        if not entries:
            return
        tokens = self._checked_tokens(entries)
        found = self._first_index + len(tokens)
        expected = self.max_tokens if self.pad_to_max_tokens else found
        if weights is not None and weights.shape != (expected,):
            raise ValueError(f"The file has {len(weights)} idf weights for {where}, which has {expected} entries.")
        if size is not None and size != found:
            raise ValueError(f"The file has {found} entries in {where}; its config says {size}.")
        self._replace(tokens, weights)

    def save_assets(self, dir_path: Any) -> None:
        """Write the text files of the layer into a folder, as Keras does."""
        for name, text in self.assets().items():
            Path(dir_path, name).write_text(text, encoding="utf-8", newline="")

    def load_assets(self, dir_path: Any) -> None:
        """Set the vocabulary from the text files in a folder."""
        path = Path(dir_path, VOCABULARY_FILE)
        self.load_assets_text({VOCABULARY_FILE: path.read_bytes().decode()} if path.exists() else {})


def refuse_file(cls: type, config: dict[str, Any]) -> None:
    """Raise ValueError for a config whose vocabulary is a file."""
    vocabulary = config.get("vocabulary")
    if isinstance(vocabulary, str):
        raise ValueError(
            f"The config of a {cls.__name__} names the vocabulary file {one_line(vocabulary, 80)!r}: refused, since a "
            "config may come from anyone. Create the layer with the list of its tokens."
        )


def checked_salt(layer: HostLayer, salt: Any) -> list[int] | None:
    """Return the two integers of a salt; ValueError if it is not one integer or two."""
    if salt is None:
        return None
    pair = [salt, salt] if np.ndim(salt) == 0 else list(salt)
    if len(pair) != 2 or not all(isinstance(one, (int, np.integer)) and not isinstance(one, bool) for one in pair):
        raise ValueError(f"{type(layer).__name__}: `salt` must be an integer, or two; got {salt!r}.")
    return [int(one) for one in pair]


def integers_of(array: np.ndarray, layer: HostLayer) -> np.ndarray:
    """Return an array as int64, fractions cut off as in Keras; TypeError for anything but numbers."""
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16" and array.size:
        raise TypeError(f"Layer {layer.name!r} ({type(layer).__name__}) takes integers; got an array of {array.dtype}.")
    return array.astype("int64")


def _plain(values: Any) -> Any:
    return values.tolist() if hasattr(values, "tolist") else values if values is None else list(values)
