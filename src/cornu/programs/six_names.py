"""The names of the package `six` that old programs import, for when it is not installed."""

import builtins
import functools
import io
import itertools
import pickle
import sys
from collections.abc import Iterator
from typing import Any

PY2, PY3 = False, True
string_types, integer_types, class_types, text_type, binary_type = (str,), (int,), (type,), str, bytes
StringIO, BytesIO = io.StringIO, io.BytesIO
range = xrange = builtins.range
zip, map, filter, input = builtins.zip, builtins.map, builtins.filter, builtins.input
zip_longest, reduce, cPickle = itertools.zip_longest, functools.reduce, pickle  # noqa: N816, Python 2's name
moves = sys.modules[__name__]


def iteritems(mapping: Any) -> Iterator:
    """Return an iterator over the items of a dictionary."""
    return iter(mapping.items())


def itervalues(mapping: Any) -> Iterator:
    """Return an iterator over the values of a dictionary."""
    return iter(mapping.values())


def iterkeys(mapping: Any) -> Iterator:
    """Return an iterator over the keys of a dictionary."""
    return iter(mapping)


def u(text: str) -> str:
    """Return the text itself."""
    return text
