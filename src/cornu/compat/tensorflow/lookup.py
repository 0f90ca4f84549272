"""The module ``tf.lookup``: tables from keys to values, on the host; those of numbers also in compiled functions.

Follows https://www.tensorflow.org/api_docs/python/tf/lookup
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.dtypes import array_type, as_dtype
from cornu.compat.tensorflow.strings import text_tensor
from cornu.core.text import holds_text, recorded, text_array
from cornu.core.variable import plain
from cornu.layers.feature_preprocessing.fingerprints import fingerprints


def _values(given: Any, dtype: Any = None) -> np.ndarray:
    if holds_text(given):
        return text_array(given)
    array = on_host(given)
    return array if dtype is None or as_dtype(dtype) == "string" else array.astype(array_type(dtype))


class KeyValueTensorInitializer:
    """Keys and values of a table."""

    def __init__(
        self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None, name: Any = None
    ) -> None:
        self.keys, self.values = _values(keys, key_dtype), _values(values, value_dtype)
        if self.keys.shape != self.values.shape:
            raise ValueError(f"A table needs as many keys as values; got {self.keys.shape} and {self.values.shape}.")

    def table(self) -> dict[Any, Any]:
        """Return the values by their keys."""
        return dict(zip(self.keys.tolist(), self.values.tolist(), strict=True))


class TextFileIndex:
    """What `TextFileInitializer` reads of a line: its number, or all of it."""

    LINE_NUMBER, WHOLE_LINE = -1, -2


class TextFileInitializer(KeyValueTensorInitializer):
    """Keys and values of a table from the lines of a file."""

    def __init__(
        self, filename: Any, key_dtype: Any, key_index: int, value_dtype: Any, value_index: int,
        vocab_size: int | None = None, delimiter: str = "\t", name: Any = None, value_index_offset: int = 0,
    ) -> None:  # fmt: skip
        lines = Path(str(filename)).read_text(encoding="utf-8").splitlines()[:vocab_size]

        def column(index: int, dtype: Any) -> Any:
            if index == TextFileIndex.LINE_NUMBER:
                return np.arange(len(lines)) + value_index_offset
            texts = lines if index == TextFileIndex.WHOLE_LINE else [line.split(delimiter)[index] for line in lines]
            return text_array(texts) if as_dtype(dtype) == "string" else np.array(texts, array_type(dtype))

        super().__init__(column(key_index, key_dtype), column(value_index, value_dtype), key_dtype, value_dtype)


class StaticHashTable:
    """A table whose content does not change.

    Args:
        initializer: Keys and values.
        default_value: What other keys give.
        name, experimental_is_anonymous: No effect.

    >>> table = StaticHashTable(KeyValueTensorInitializer(["a", "b"], [1, 2]), -1)
    >>> table.lookup(["b", "c"]).tolist()
    [2, -1]
    """

    def __init__(
        self, initializer: Any, default_value: Any, name: Any = None, experimental_is_anonymous: bool = False
    ) -> None:
        self._table = initializer.table()
        self._kinds = initializer.keys.dtype, initializer.values.dtype
        default = plain(default_value)
        self._default = _values(default)[()] if holds_text(default) else np.asarray(default)[()]

    key_dtype = property(lambda self: as_dtype(self._kinds[0]))
    value_dtype = property(lambda self: as_dtype(self._kinds[1]))

    def size(self, name: Any = None) -> jax.Array:
        """Return the number of keys."""
        return jnp.asarray(len(self._table))

    @recorded
    def lookup(self, keys: Any, name: Any = None) -> Any:
        """Return the values for keys."""
        keys = plain(keys)
        if isinstance(keys, jax.core.Tracer) and self._kinds[1].kind != "O" and self._table:
            return self._in_program(keys)
        array = _values(keys)
        found = [self._table.get(key, self._default) for key in array.ravel().tolist()]
        if self._kinds[1].kind == "O":
            return text_tensor(np.array(found, object).reshape(array.shape))
        return jnp.asarray(np.array(found, self._kinds[1]).reshape(array.shape))

    def _in_program(self, keys: jax.Array) -> jax.Array:
        known = np.array(sorted(self._table), self._kinds[0])
        values = jnp.asarray(np.array([self._table[key] for key in known.tolist()], self._kinds[1]))
        at = jnp.clip(jnp.searchsorted(jnp.asarray(known), keys), 0, len(known) - 1)
        return jnp.where(jnp.asarray(known)[at] == keys, values[at], jnp.asarray(self._default, values.dtype))

    __getitem__ = lookup

    def export(self, name: Any = None) -> tuple[Any, Any]:
        """Return all keys and values."""
        parts: list[Any] = [
            np.array(list(one), kind)
            for one, kind in zip((self._table, self._table.values()), self._kinds, strict=True)
        ]
        keys, values = (text_tensor(one) if one.dtype.kind == "O" else jnp.asarray(one) for one in parts)
        return keys, values


class MutableHashTable(StaticHashTable):
    """A table that programs fill (``tf.lookup.experimental.MutableHashTable``)."""

    def __init__(self, key_dtype: Any, value_dtype: Any, default_value: Any, name: Any = None, **_: Any) -> None:
        kinds = [object if as_dtype(one) == "string" else array_type(one) for one in (key_dtype, value_dtype)]
        super().__init__(KeyValueTensorInitializer(np.array([], kinds[0]), np.array([], kinds[1])), default_value)

    def insert(self, keys: Any, values: Any, name: Any = None) -> None:
        """Set the values of keys."""
        self._table.update(zip(_values(keys).ravel().tolist(), _values(values).ravel().tolist(), strict=True))

    def remove(self, keys: Any, name: Any = None) -> None:
        """Remove keys."""
        for key in _values(keys).ravel().tolist():
            self._table.pop(key, None)

    erase = remove


class DenseHashTable(MutableHashTable):
    """A table that programs fill (``tf.lookup.experimental.DenseHashTable``)."""

    def __init__(
        self, key_dtype: Any, value_dtype: Any, default_value: Any, empty_key: Any = None, deleted_key: Any = None,
        **_: Any,
    ) -> None:  # fmt: skip
        super().__init__(key_dtype, value_dtype, default_value)


class StaticVocabularyTable:
    """A table from words to numbers, in which other words get numbers after those, by their fingerprint."""

    def __init__(
        self, initializer: Any, num_oov_buckets: int, lookup_key_dtype: Any = None, name: Any = None, **_: Any
    ) -> None:
        self._words = {} if initializer is None else initializer.table()
        self._buckets = int(num_oov_buckets)

    def size(self, name: Any = None) -> jax.Array:
        """Return how many numbers there are."""
        return jnp.asarray(len(self._words) + self._buckets)

    @recorded
    def lookup(self, keys: Any, name: Any = None) -> jax.Array:
        """Return the numbers of words."""
        words = _values(keys)
        return jnp.asarray(np.array([self._number(word) for word in words.ravel().tolist()], int).reshape(words.shape))

    def _number(self, word: Any) -> int:
        if word in self._words:
            return self._words[word]
        return len(self._words) + int(fingerprints([str(word).encode()])[0] % np.uint64(self._buckets))

    __getitem__ = lookup
