"""Ctrl-C during training: never between reading and writing the variables, so that the model stays usable."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class _Interrupts:
    """Whether Ctrl-C must be delayed, and whether one is pending."""

    def __init__(self) -> None:
        self.busy = False
        self.pending = False

    def handle(self, signum: int, frame: FrameType | None) -> None:
        if not self.busy:
            raise KeyboardInterrupt
        self.pending = True


_interrupts = _Interrupts()


@contextlib.contextmanager
def deferred_interrupts() -> Iterator[None]:
    """Within this block, Ctrl-C waits for the end of an `uninterrupted` section; other threads are not affected."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _interrupts.handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _interrupts.busy = _interrupts.pending = False


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay Ctrl-C until this block has ended. Only the main thread receives it."""
    if threading.get_ident() != threading.main_thread().ident:
        yield
        return
    _interrupts.busy = True
    try:
        yield
    finally:
        _interrupts.busy = False
        if _interrupts.pending:
            _interrupts.pending = False
            raise KeyboardInterrupt
