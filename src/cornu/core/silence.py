"""Silence for one thread: a function that is traced twice prints once, and what other threads print is not lost."""

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

_lock = threading.Lock()
_silent: list[int] = []  # threads, each as often as it entered


class _Filter:
    """``sys.stdout`` without what silent threads write."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write, unless this thread is silent."""
        return len(text) if threading.get_ident() in _silent else self.stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Provide a context in which this thread prints nothing.

    >>> with silence():
    ...     print("lost")
    """
    thread = threading.get_ident()
    with _lock:
        _silent.append(thread)
        if not isinstance(sys.stdout, _Filter):
            sys.stdout = _Filter(sys.stdout)
    try:
        yield
    finally:
        with _lock:
            _silent.remove(thread)
            if not _silent and isinstance(sys.stdout, _Filter):
                sys.stdout = sys.stdout.stream
