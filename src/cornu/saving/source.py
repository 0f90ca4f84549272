"""A file's name and writer, for error messages."""

from typing import NamedTuple


class Source(NamedTuple):
    """A file by its name, and who wrote it."""

    name: str
    writer: str

    def __str__(self) -> str:
        return f"{self.name!r} (written by {self.writer})"
