"""A short busy wait for the next request, so that sequential requests of one client need not wake the process."""

import asyncio
import os
import time

from cornu.core.processor import threads

#: Seconds that the event loop polls after an answer: a nearby client sends its next request within that time.
PATIENCE = 0.0003


class BusyWait:
    """Keeps an event loop polling briefly after an answer, if the next request is likely to arrive in that time.

    A process that sleeps until data arrives wakes up late: on a virtual machine, waking both sides takes several times
    as long as reading a request. So the loop polls for at most `PATIENCE` seconds, and only if the last request came
    about as soon after the answer before it: an idle server sleeps. It does not poll on a machine with one core, or on
    a system where a process cannot yield to others (Windows).
    """

    def __init__(self, spare: bool | None = None) -> None:
        self.spare = hasattr(os, "sched_yield") and threads() > 1 if spare is None else spare
        self._answered = 0.0  # when the last answer was sent
        self._worth = self._looking = False

    def answered(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to poll."""
        self._answered = time.perf_counter()
        if self._worth and not self._looking:
            self._looking = True
            loop.call_soon(self._look, loop)

    def arrived(self) -> None:
        """Record that data arrived, and whether polling for it would have paid off."""
        if self._answered:
            self._worth = self.spare and time.perf_counter() - self._answered < PATIENCE
            self._answered = 0.0

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._looking = bool(self._answered) and time.perf_counter() - self._answered < PATIENCE
        if self._looking:
            os.sched_yield()
            loop.call_soon(self._look, loop)
