"""Properties of an output stream: whether it is a notebook cell, and which characters its encoding has."""

from typing import Any

from cornu.core.errors import escaped


def in_notebook(stream: Any) -> bool:
    """Return whether the stream is a cell's output, in Jupyter and the like."""
    return type(stream).__module__.startswith("ipykernel")


def can_write(stream: Any, characters: str) -> bool:
    """Return whether the stream's encoding has the characters."""
    try:
        characters.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def printable(stream: Any, text: str) -> str:
    """Return `text` with characters escaped that the stream's encoding lacks, or that a terminal would obey.

    >>> import io
    >>> printable(io.TextIOWrapper(io.BytesIO(), "latin-1"), "Gr\xf6\xdfe \u03b1")
    'Gr\xf6\xdfe \\\\u03b1'
    """
    text, encoding = escaped(text), getattr(stream, "encoding", None)
    if not isinstance(encoding, str):
        return text
    try:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:
        return text
