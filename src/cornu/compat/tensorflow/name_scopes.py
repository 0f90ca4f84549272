"""``tf.name_scope``: the names of variables that are made inside begin with it."""

from typing import Any

_open: list[str] = [""]  # from outer to inner, each with those around it


def prefix() -> str:
    """Return what names begin with here: "" or scopes that end in ``/``."""
    return _open[-1]


class NameScope:
    """A context in which variables made by ``tf.Variable`` have names that begin with a scope's.

    >>> with NameScope("a"), NameScope("b") as scope:
    ...     scope, prefix()
    ('a/b/', 'a/b/')
    """

    def __init__(self, name: Any = None, default_name: Any = None, values: Any = None, **_: Any) -> None:
        self._name = str(name or default_name or "")

    @property
    def name(self) -> str:
        """The name, as it was given."""
        return self._name

    def __enter__(self) -> str:
        # A name that ends in "/" is a whole one: that of a scope that was opened before.
        whole = self._name if self._name.endswith("/") else f"{prefix()}{self._name}/" if self._name else ""
        _open.append(whole)
        return whole

    def __exit__(self, *problem: Any) -> None:
        _open.pop()
