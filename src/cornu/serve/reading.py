"""JSON with numbers parsed straight into arrays, without a Python object for each.

Without the package pysimdjson, or for an unusual document, orjson reads it.
"""

import math
import re
import threading
from typing import Any

import numpy as np
import orjson

try:
    import simdjson
except ModuleNotFoundError:
    simdjson = None  # type: ignore[assignment]

#: Shorter documents, and lists of fewer numbers, are read by orjson.
_SHORTEST, _FEWEST = 512, 16
#: The parser looks a key up by reading all keys before it; objects with more keys are read by orjson.
_MOST_KEYS = 64
#: Each object and each list of other things than numbers takes some microseconds; orjson reads documents with more.
_MOST_CONTAINERS = 1 << 14
#: The shape of a list is measured again for each of its lists; deeper ones are read by orjson.
_MOST_AXES = 8
#: A parser keeps about ten times a document's bytes for the next one; parsers of longer documents are dropped.
_LONGEST_KEPT = 1 << 20
#: What the parser raises for invalid documents, and for those it cannot represent exactly.
_UNUSUAL = (ValueError, TypeError, RuntimeError, LookupError)
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def loads(body: bytes | memoryview, floats: bool) -> Any:
    """Return the value of a JSON document; ``orjson.JSONDecodeError`` if it is invalid, `DuplicateKeyError` too.

    With `floats`, rectangular lists of many numbers may be float64 arrays. The time is linear in the document's size.

    >>> loads(b'{"instances": [[1, 2], [3, 4]]}', floats=True)
    {'instances': [[1, 2], [3, 4]]}
    >>> import numpy as np
    >>> np.shape(loads(b'{"instances": [' + b"[0.5, 2]," * 99 + b"[3, 4]]}", floats=True)["instances"])
    (100, 2)
    """
    if floats and simdjson is not None and len(body) >= _SHORTEST:
        try:
            return _own.reader.read(bytes(body))
        except _UNUSUAL:  # orjson decides whether it is JSON, and reports what is wrong
            _own.reader.forget()
    found, text = orjson.loads(body), bytes(body)
    if type(found) is not dict or len(found) != text.count(b":"):
        _check_keys(found, text)
    return found


class DuplicateKeyError(ValueError):
    """An object of a document has the same key twice: programs differ in which of the values they take."""


def _check_keys(document: Any, body: bytes) -> None:
    """Raise `DuplicateKeyError` if the objects of a document have fewer keys than its text."""
    expected = body.count(b":")
    if _has_keys(document, expected):
        return
    expected = _STRING.sub(b"", body).count(b":")  # those in strings are not counted
    if not _has_keys(document, expected):
        raise DuplicateKeyError("an object has the same key twice")


def _has_keys(document: Any, expected: int) -> bool:
    """Return whether the objects of a document have as many keys as `expected`; numbers are not read if they do."""
    level, count = [document], 0
    while level and count < expected:
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                count += len(value)
                below += value.values()
            elif isinstance(value, list):
                below += [item for item in value if isinstance(item, dict | list)]
        level = below
    return count == expected


class _Reader:
    """A parser, kept between documents, and how many lists it met in the last one."""

    def __init__(self) -> None:
        self.parser: Any = None
        self.lists = self.containers = 0

    def read(self, body: bytes) -> Any:
        """Return a document; one of several errors if it has more than objects, plain values and such lists."""
        if self.parser is None or len(body) > _LONGEST_KEPT:
            self.parser = simdjson.Parser()
        self.lists = self.containers = 0
        found = self._value(self.parser.parse(body))
        # Numbers come without the lists around them: were there more lists than were counted?
        if self.lists != body.count(b"["):
            raise ValueError("lists among numbers")
        if len(body) > _LONGEST_KEPT:
            self.forget()
        return found

    def forget(self) -> None:
        """Reset for the next document."""
        self.parser = None

    def _value(self, value: Any) -> Any:
        if isinstance(value, simdjson.Object | simdjson.Array):
            self.containers += 1
            if self.containers > _MOST_CONTAINERS:
                raise ValueError("many objects and short lists")
        if isinstance(value, simdjson.Object):
            if len(value) > _MOST_KEYS:
                raise ValueError("many keys")
            found = {key: self._value(value[key]) for key in value}  # `items` would make lists of arrays
            if len(found) < len(value) or any("\0" in key for key in found):  # lookup stops at a NUL in the key
                raise ValueError("keys that cannot be distinguished")
            return found
        if not isinstance(value, simdjson.Array):
            return value
        shape = _shape(value)
        if math.prod(shape) < _FEWEST:
            self.lists += 1
            return [self._value(item) for item in value]
        self._count(value, shape)
        return np.frombuffer(value.as_buffer(of_type="d"), "float64").reshape(shape)

    def _count(self, rows: Any, shape: list[int]) -> None:
        """Count the lists of an array; ValueError if they differ in length."""
        self.lists += 1
        if len(rows) != shape[0]:
            raise ValueError("lists of different lengths")
        if len(shape) > 1:
            for row in rows:
                self._count(row, shape[1:])


class _Own(threading.local):
    """A reader of each thread."""

    def __init__(self) -> None:
        self.reader = _Reader()


_own = _Own()


def _shape(value: Any) -> list[int]:
    """Return an array's shape, judged by its first values; an array that is empty or without numbers has size 0."""
    shape = []
    while isinstance(value, simdjson.Array):
        shape.append(len(value))
        if len(shape) > _MOST_AXES:
            raise ValueError("lists in too many lists")
        value = value[0] if shape[-1] else None
    return shape if isinstance(value, int | float) else [0]
