"""A file's name and writer, for error messages."""

from typing import Any, NamedTuple

from cornu import __version__
from cornu.core.errors import one_line

#: What says in a file that Cornu wrote it, beside the version of Keras whose format the file has.
CORNU = "cornu_version"
VERSION = __version__
#: What says in a file of Cornu what all gates of the model's LSTM and GRU use.
GATES = "cornu_gates"


class Source(NamedTuple):
    """A file by its name, and who wrote it; and what the gates of its LSTM and GRU use, if it says so."""

    name: str
    writer: str
    gates: str | None = None

    def __str__(self) -> str:
        return f"{self.name!r} (written by {self.writer})"


def writer(keras: Any, cornu: Any = None) -> str | None:
    """Return who wrote a file that names these versions; None if it names none.

    >>> writer("3.15.1", "0.1.0")
    'Cornu 0.1.0, Keras 3.15 format'
    """
    if cornu:
        return f"Cornu {_short(cornu)}, Keras {'.'.join(_short(keras).split('.')[:2])} format"
    return f"Keras {_short(keras)}" if keras else None


def _short(version: Any) -> str:
    return one_line(str(version), 40)
