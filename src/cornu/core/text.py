"""Text in arrays of numpy: Python strings in arrays of objects, or of a fixed width."""

import functools
import operator
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from cornu.core.object_arrays import object_array
from cornu.core.scope import NeedsPythonError


class TextStandIn:
    """Stands for text while a function is traced.

    `called_by(function, *args, **kwargs)` says what a function of text gives: layers that compute with numpy call it,
    and functions that are `recorded`. Anything else that is done with the text ends the trace.
    """

    def __init__(self, called_by: Callable[..., Any]) -> None:
        self.called_by = called_by

    def _unknown(self, *_: Any, **__: Any) -> Any:
        raise NeedsPythonError

    __bool__ = __str__ = __repr__ = __format__ = __array__ = __iter__ = __len__ = __hash__ = _unknown

    def __eq__(self, other: object) -> Any:
        return self.called_by(operator.eq, self, other)

    def __ne__(self, other: object) -> Any:
        return self.called_by(operator.ne, self, other)

    def __getitem__(self, place: Any) -> Any:
        return self.called_by(operator.getitem, self, place)

    def __add__(self, other: Any) -> Any:
        return self.called_by(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return self.called_by(operator.add, other, self)


class ShapedStandIn(TextStandIn):
    """A stand-in for an array of texts of a known shape."""

    dtype = np.dtype(object)

    def __init__(self, called_by: Callable[..., Any], shape: tuple) -> None:
        super().__init__(called_by)
        self.shape = tuple(shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)


def stand_in_for_text(*structures: Any) -> TextStandIn | None:
    """Return the first stand-in for text in nested lists, tuples and dictionaries; None if there is none."""
    for one in structures:
        if isinstance(one, TextStandIn):
            return one
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, (list, tuple)) else ()
        if inner and (found := stand_in_for_text(*inner)) is not None:
            return found
    return None


def recorded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function of text: where one is a stand-in, the stand-in says what the function gives."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except NeedsPythonError:
            return called_by_stand_in(function, args, kwargs)

    return call


def called_by_stand_in(function: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
    """Return what the stand-in among some arguments says; raise again what is being handled if there is none."""
    stand_in = stand_in_for_text(args, kwargs)
    if stand_in is None:
        raise  # noqa: PLE0704
    return stand_in.called_by(function, *args, **kwargs)


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


def may_hold_text(given: Any) -> bool:
    """Return whether there may be text in nested data: quickly, and True for what is no array, list or number.

    >>> may_hold_text([np.ones(2), {"a": ["b"]}]), may_hold_text([[1, 2], np.ones(2)])
    (True, False)
    """
    if isinstance(given, np.ndarray):
        return given.dtype.kind in "OUST"
    if isinstance(given, dict):
        return any(map(may_hold_text, given.values()))
    if isinstance(given, (list, tuple)):
        return any(map(may_hold_text, given))
    return not isinstance(given, (jax.Array, int, float, np.generic))


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
