"""Preparing the next batches while the device computes: a thread that stays a few batches ahead."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def prefetched(items: Iterable[Any], prepare: Callable[[Any], Any], depth: int = 2) -> Iterator[Any]:
    """Yield ``prepare(item)`` for each item, computed by a thread that is at most `depth` items ahead.

    An exception in the thread is raised here, at the item that caused it. Closing the iterator stops the thread.
    """
    ready: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=depth)
    stopped = threading.Event()

    def put(kind: str, value: Any) -> bool:
        while not stopped.is_set():
            try:
                ready.put((kind, value), timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                if not put("item", prepare(item)):
                    return
            put("end", None)
        except BaseException as error:
            put("error", error)

    thread = threading.Thread(target=work, name="cornu-prefetch", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = ready.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        stopped.set()
        if threading.current_thread() is not thread:  # the garbage collector may run in any thread
            thread.join(timeout=5)


class Stream:
    """The batches of a source, prepared by a thread and counted as they are taken.

    Args:
        items: the source.
        prepare: function applied to each item.
        origin: what a backup recorded when the source was opened.
        taken: number of batches taken since then.
        ahead: use a thread. False if the source draws from the global random generators, whose state a backup saves.
    """

    def __init__(
        self,
        items: Iterable[Any],
        prepare: Callable[[Any], Any],
        origin: Any = None,
        taken: int = 0,
        ahead: bool = True,
    ) -> None:
        self.origin, self.taken = origin, taken
        self._ready: Any = prefetched(items, prepare) if ahead else (prepare(item) for item in items)

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> Any:
        item = next(self._ready)
        self.taken += 1
        return item

    def close(self) -> None:
        """Stop the thread, if there is one."""
        self._ready.close()
