"""Text in arrays of numpy: Python strings in arrays of objects, or of a fixed width."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.core.object_arrays import object_array
from cornu.core.scope import NeedsPythonError


class TextStandIn:
    """Stands for the text of a row while a function is traced; a layer that computes with numpy calls `called_by`.

    Anything else that is done with it ends the trace.
    """

    def __init__(self, called_by: Callable[[Any], Any]) -> None:
        self.called_by = called_by

    def _unknown(self, *_: Any) -> Any:
        raise NeedsPythonError

    __eq__ = __ne__ = __bool__ = __str__ = __repr__ = __format__ = __array__ = __iter__ = _unknown
    __hash__ = _unknown


def is_text(array: Any) -> bool:
    """Return whether an array holds strings, or Python objects that may be some."""
    return getattr(getattr(array, "dtype", None), "kind", "") in ("U", "S", "O", "T")


def holds_text(given: Any) -> bool:
    """Return whether `given` is a string, bytes, an array of them, or a list that begins with one.

    >>> holds_text([["a"]]), holds_text(np.array(["a"])), holds_text([1]), holds_text(np.array([1], object))
    (True, True, False, False)
    """
    first = first_in(given)
    if isinstance(first, np.ndarray) and first.dtype.kind == "O":
        return bool(first.size) and isinstance(first.flat[0], (str, bytes))
    return isinstance(first, (str, bytes)) or is_text(first)


def first_in(given: Any) -> Any:
    """Return the first value in nested lists."""
    while isinstance(given, (list, tuple)) and given:
        given = given[0]
    return given


def text_array(given: Any) -> np.ndarray:
    """Return a string, bytes, or nested lists or an array of them as an array of Python strings.

    >>> text_array(["a", b"b"]).tolist()
    ['a', 'b']
    """
    return as_text(np.array(given, object))


def as_text(array: np.ndarray, encoding: str = "utf-8") -> np.ndarray:
    """Return an array of strings with bytes decoded, invalid ones as replacement characters.

    >>> as_text(np.array([b"caf\\xc3\\xa9"])).tolist()
    ['café']
    """
    if array.dtype.kind == "S":
        return np.char.decode(array, encoding, "replace")
    if array.dtype.kind != "O":
        return array
    if bytes not in set(map(type, array.flat)):
        return array
    decoded = [one.decode(encoding, "replace") if isinstance(one, bytes) else one for one in array.ravel()]
    return object_array(decoded, array.shape)
