"""The module ``tf.strings``, and the array functions of TensorFlow on text.

Text is an array of numpy of Python strings; ``numpy()`` of it gives bytes, as TensorFlow does.
Follows https://www.tensorflow.org/api_docs/python/tf/strings
"""

import builtins
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.compat.tensorflow.printing import text_of
from cornu.core.object_arrays import object_array
from cornu.core.text import recorded, text_array
from cornu.data.dataset import EagerArray
from cornu.layers.feature_preprocessing.fingerprints import fingerprints, keyed_fingerprints


def text_tensor(given: Any) -> EagerArray:
    """Return a string, bytes, or nested lists or an array of them as a tensor of Python strings."""
    return text_array(given).view(EagerArray)


def _at_values(function: Callable, given: Any) -> Any:
    """Return a function of an array, or of the values of rows of different lengths."""
    return given.with_flat_values(function(given.flat_values)) if hasattr(given, "row_splits") else function(given)


def _each(function: Callable, given: Any, dtype: Any = object) -> Any:
    return _at_values(lambda texts: _each_of(function, texts, dtype), given)


def _each_of(function: Callable, given: Any, dtype: Any) -> Any:
    texts = text_array(given)
    return _tensor([function(text) for text in texts.reshape(-1)], texts.shape).astype(dtype, copy=False)


def _tensor(values: list, shape: tuple[int, ...]) -> EagerArray:
    return object_array(values, shape).view(EagerArray)


@recorded
def lower(input: Any, encoding: str = "", name: Any = None) -> Any:
    """Return texts in lower case: ASCII letters, or all with ``encoding="utf-8"``."""
    return _each(str.lower if encoding else _ascii(str.lower), input)


@recorded
def upper(input: Any, encoding: str = "", name: Any = None) -> Any:
    """Return texts in upper case: ASCII letters, or all with ``encoding="utf-8"``."""
    return _each(str.upper if encoding else _ascii(str.upper), input)


def _ascii(change: Callable[[str], str]) -> Callable[[str], str]:
    table = {code: change(chr(code)) for code in range(128)}
    return lambda text: change(text) if text.isascii() else text.translate(table)


@recorded
def strip(input: Any, name: Any = None) -> Any:
    """Return texts without white space at their ends."""
    return _each(str.strip, input)


@recorded
def length(input: Any, unit: str = "BYTE", name: Any = None) -> Any:
    """Return how many bytes texts have in UTF-8, or with ``unit="UTF8_CHAR"`` how many characters."""
    return _each(lambda text: len(_units(text, unit)), input, np.int32)


def _units(text: str, unit: str) -> Any:
    if unit not in ("BYTE", "UTF8_CHAR"):
        raise ValueError(f"unit must be 'BYTE' or 'UTF8_CHAR'; got {unit!r}.")
    return text if unit == "UTF8_CHAR" or text.isascii() else text.encode()


@recorded
def substr(input: Any, pos: int, len: int, unit: str = "BYTE", name: Any = None) -> Any:
    """Return the parts of texts that begin at `pos`, from the end if it is negative, of at most `len` units."""

    def part(text: str) -> str:
        units = _units(text, unit)
        start = int(pos) if pos >= 0 else max(units.__len__() + int(pos), 0)
        cut = units[start : start + int(len)]
        return cut if isinstance(cut, str) else cut.decode("utf-8", "replace")

    return _each(part, input)


@recorded
def regex_replace(input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: Any = None) -> Any:
    r"""Return texts with what matches a pattern replaced; ``\1`` in `rewrite` is a group, ``\0`` the whole match."""
    found = re.compile(_text(pattern))
    new = re.sub(r"\\(\d)", r"\\g<\1>", _text(rewrite))
    return _each(lambda text: found.sub(new, text, count=0 if replace_global else 1), input)


@recorded
def regex_full_match(input: Any, pattern: Any, name: Any = None) -> Any:
    """Return whether a pattern matches whole texts."""
    found = re.compile(_text(pattern))
    return _each(lambda text: found.fullmatch(text) is not None, input, bool)


def _text(given: Any) -> str:
    return str(text_tensor(given)[()].item()) if not isinstance(given, str) else given


@recorded
def join(inputs: Any, separator: str = "", name: Any = None) -> Any:
    """Return texts joined element by element, with `separator` between them."""
    form = next((one for one in inputs if hasattr(one, "row_splits")), None)
    if form is not None:
        flat = [one.flat_values if hasattr(one, "row_splits") else one for one in inputs]
        return form.with_flat_values(join(flat, separator))
    parts = np.broadcast_arrays(*map(text_array, inputs))
    rows = zip(*(part.reshape(-1) for part in parts), strict=True)
    return _tensor([separator.join(row) for row in rows], parts[0].shape)


@recorded
def reduce_join(inputs: Any, axis: Any = None, keepdims: bool = False, separator: str = "", name: Any = None) -> Any:
    """Return texts joined along an axis, or all of them; also those of rows of different lengths."""
    if hasattr(inputs, "row_splits"):
        rows = [reduce_join(row, axis if axis is None or axis < 0 else axis - 1, False, separator) for row in inputs]
        joined = text_array([np.asarray(row)[()] for row in rows])
        return reduce_join(joined, None, False, separator) if axis is None else joined.view(EagerArray)
    texts = text_array(inputs)
    if axis is None:
        return _tensor([separator.join(texts.reshape(-1))], (1,) * (texts.ndim * keepdims))
    moved = np.moveaxis(texts, axis, -1)
    found = _tensor([separator.join(row) for row in moved.reshape(-1, moved.shape[-1])], moved.shape[:-1])
    return np.expand_dims(found, axis) if keepdims else found


@recorded
def split(input: Any, sep: Any = None, maxsplit: int = -1, name: Any = None) -> Any:
    """Return the parts of a text between separators (None: white space).

    Several texts give a ragged tensor.
    """
    separator = None if sep is None or _text(sep) == "" else _text(sep)
    return _rows(input, lambda text: text.split(separator, maxsplit), "strings.split")


@recorded
def unicode_split(input: Any, input_encoding: str = "UTF-8", name: Any = None, **_: Any) -> Any:
    """Return the characters of a text; several texts give a ragged tensor."""
    return _rows(input, list, "strings.unicode_split")


@recorded
def bytes_split(input: Any, name: Any = None) -> Any:
    """Return the characters of an ASCII text; several texts give a ragged tensor."""
    return _rows(input, list, "strings.bytes_split")


def _rows(given: Any, function: Callable[[str], list[str]], what: str) -> Any:
    return _at_values(lambda texts: _rows_of(texts, function, what), given)


def _rows_of(given: Any, function: Callable[[str], list[str]], what: str) -> Any:
    texts = text_array(given)
    rows = [function(text) for text in texts.reshape(-1)]
    if texts.ndim == 1:
        return make_rows(rows)
    if len({len(row) for row in rows}) > 1:
        raise ValueError(f"tf.{what} takes one text or a vector of texts; got the shape {texts.shape}.")
    size = len(rows[0]) if rows else 0
    return np.array(rows, object).reshape(*texts.shape, size).view(EagerArray)


#: Makes a ragged tensor of lists; `ragged.py` sets it.
make_rows: Callable[[list], Any] = text_tensor


@recorded
def unicode_decode(input: Any, input_encoding: str = "UTF-8", name: Any = None, **_: Any) -> Any:
    """Return the numbers of the characters of a text; of several texts as rows."""
    texts = text_array(input)
    rows = [[ord(letter) for letter in text] for text in texts.reshape(-1)]
    return np.array(rows[0], np.int32).view(EagerArray) if not texts.ndim else make_rows(rows)


def unicode_encode(input: Any, output_encoding: str = "UTF-8", name: Any = None, **_: Any) -> Any:
    """Return the text of the numbers of characters, along the last axis."""
    rows = input.to_list() if hasattr(input, "to_list") else np.asarray(input).tolist()
    if rows and isinstance(rows[0], list):
        return text_tensor(["".join(map(chr, row)) for row in rows])
    return text_tensor("".join(map(chr, rows)))


def ngrams(data: Any, ngram_width: Any, separator: str = " ", **_: Any) -> Any:
    """Return all runs of so many texts of a vector, joined."""
    texts = text_array(data).tolist()
    widths = [ngram_width] if isinstance(ngram_width, int) else list(ngram_width)
    return text_tensor([separator.join(texts[i : i + n]) for n in widths for i in range(len(texts) - n + 1)])


def format(template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: Any = None) -> Any:
    """Return a text with tensors in the places of ``{}``, written as ``tf.print`` does."""
    given = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    parts = template.split(placeholder)
    if len(parts) != len(given) + 1:
        raise ValueError(f"tf.strings.format: the template has {len(parts) - 1} places for {len(given)} tensors.")
    texts = [text_of(one, summarize) for one in given]
    return text_tensor("".join(a + b for a, b in zip(parts, [*texts, ""], strict=True)))


def _buckets(input: Any, num_buckets: int, hashed: Callable) -> Any:
    def numbers(given: Any) -> Any:
        texts = text_array(given)
        found = hashed([str(text).encode() for text in texts.reshape(-1)]) % np.uint64(num_buckets)
        return found.astype(np.int32).reshape(texts.shape).view(EagerArray)

    return _at_values(numbers, input)


@recorded
def to_hash_bucket_fast(input: Any, num_buckets: int, name: Any = None) -> Any:
    """Return numbers from 0 to below `num_buckets`, the same for the same text."""
    return _buckets(input, num_buckets, fingerprints)


@recorded
def to_hash_bucket_strong(input: Any, num_buckets: int, key: Any, name: Any = None) -> Any:
    """Return numbers from 0 to below `num_buckets`, the same for the same text and key of two numbers."""
    return _buckets(input, num_buckets, lambda texts: keyed_fingerprints(texts, key))


@recorded
def to_number(input: Any, out_type: Any = "float32", name: Any = None) -> Any:
    """Return the numbers that texts say. ValueError if one is none."""
    kind = np.dtype(str(out_type))
    return _each(float if kind.kind == "f" else int, input, kind)


def as_string(input: Any, precision: int = -1, scientific: bool = False, name: Any = None, **_: Any) -> Any:
    """Return numbers as texts."""
    form = f".{precision if precision >= 0 else 6}{'e' if scientific else 'f'}"

    def texts(given: Any) -> Any:
        numbers = np.asarray(given)
        write = (lambda one: builtins.format(float(one), form)) if numbers.dtype.kind == "f" else _plainly
        return _tensor([write(one) for one in numbers.reshape(-1)], numbers.shape)

    return _at_values(texts, input)


def _plainly(value: Any) -> str:
    return str(bool(value)).lower() if isinstance(value, np.bool_) else str(value)


def _constant(texts: Any, shape: Any) -> Any:
    if shape is None:
        return texts
    return (np.full(shape, texts.item(), object) if texts.size == 1 else np.reshape(texts, shape)).view(EagerArray)


def _unique(texts: Any) -> Any:
    words = list(dict.fromkeys(texts.tolist()))
    numbers = {word: number for number, word in enumerate(words)}
    return text_tensor(words), np.array([numbers[word] for word in texts.tolist()], np.int32).view(EagerArray)


#: Array function of TensorFlow -> what it does with text.
ON_TEXT: dict[str, Callable] = {
    "constant": lambda value, dtype=None, shape=None, name=None: _constant(text_tensor(value), shape),
    "convert_to_tensor": lambda value, dtype=None, dtype_hint=None, name=None: text_tensor(value),
    "identity": lambda input, name=None: text_tensor(input),
    "reshape": lambda tensor, shape, name=None: np.reshape(text_tensor(tensor), tuple(int(size) for size in shape)),
    "expand_dims": lambda input, axis, name=None: np.expand_dims(text_tensor(input), int(axis)),
    "squeeze": lambda input, axis=None, name=None: np.squeeze(
        text_tensor(input), tuple(axis) if isinstance(axis, list) else axis
    ),
    "concat": lambda values, axis, name=None: np.concatenate([*map(text_array, values)], int(axis)).view(EagerArray),
    "stack": lambda values, axis=0, name=None: np.stack([*map(text_array, values)], int(axis)).view(EagerArray),
    "gather": lambda params, indices, validate_indices=None, axis=0, batch_dims=0, name=None: np.take(
        text_tensor(params), np.asarray(indices), int(axis or 0)
    ).view(EagerArray),
    "where": lambda condition, x=None, y=None, name=None: np.where(np.asarray(condition), x, y).view(EagerArray),
    "boolean_mask": lambda tensor, mask, axis=None, name=None: text_tensor(
        np.compress(np.asarray(mask), text_array(tensor), int(axis or 0))
    ),
    "unique": lambda x, out_idx=None, name=None: _unique(text_array(x)),
    "equal": lambda x, y, name=None: np.equal(text_tensor(x), text_tensor(y)).astype(bool).view(EagerArray),
    "not_equal": lambda x, y, name=None: np.not_equal(text_tensor(x), text_tensor(y)).astype(bool).view(EagerArray),
}
