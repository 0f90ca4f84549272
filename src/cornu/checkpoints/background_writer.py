"""Writing in a thread, while training continues."""

import threading
from collections.abc import Callable
from typing import Any


class Writer:
    """Calls `write` for each object in a thread, one after the other; of several waiting, only for the newest."""

    def __init__(self, write: Callable[[Any], None]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._waiting: Any = None
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._thread is not None

    def give(self, thing: Any) -> None:
        """Have `thing` written; returns at once."""
        with self._lock:
            self._waiting = thing
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="cornu-backup", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Wait until everything is written."""
        while (thread := self._thread) is not None:
            thread.join()

    def take_error(self) -> Exception | None:
        """Return the error since the last call, if any."""
        error, self._error = self._error, None
        return error

    def _work(self) -> None:
        while True:
            with self._lock:
                thing, self._waiting = self._waiting, None
                if thing is None:
                    self._thread = None
                    return
            try:
                self._write(thing)
            except Exception as error:
                self._error = error
