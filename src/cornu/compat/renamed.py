"""Rows of old functions that are today's under other names, with the names of their arguments.

The tables are `backend/rows.py` and `tensorflow/rows.py`; `backend/from_rows.py` makes functions from them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

_NONE: Mapping[str, Any] = MappingProxyType({})


class Renamed(NamedTuple):
    """How one old function is made from one of today's.

    Args:
        parameters: The old parameters with their defaults, as in a ``def``.
        of: Today's name in `cornu.ops`, or ``module:name``; empty if the old name is also today's.
        renamed: Old parameter -> today's; None for one that is accepted and has no effect.
        always: Today's arguments that the old function did not have, with their values.
        floats: Whether integers and booleans become ``floatx()`` first.
    """

    parameters: str
    of: str = ""
    renamed: Mapping[str, str | None] = _NONE
    always: Mapping[str, Any] = _NONE
    floats: bool = False


def each(names: str, parameters: str, floats: bool = False) -> dict[str, Renamed]:
    """Return rows with the same parameters, one for each name, or ``old=today``, in a text.

    >>> each("abs ceil=ceiling", "x")["ceil"].of
    'ceiling'
    """
    pairs = [name.partition("=") for name in names.split()]
    return {old: Renamed(parameters, of, floats=floats) for old, _, of in pairs}
