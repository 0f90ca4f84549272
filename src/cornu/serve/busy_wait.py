"""A short busy wait for the next request, so that sequential requests of one client need not wake the process."""

import asyncio
import os
import time

from cornu.core.processor import threads

#: Seconds for which the event loop looks out after an answer: a client nearby that asks on is back by then.
PATIENCE = 0.0003


class BusyWait:
    """Keeps an event loop turning for a moment after an answer, where the next request is likely to come in that time.

    A process that sleeps until data come is woken up late: on a virtual machine, waking both sides up takes several
    times what reading a request takes. So the loop looks again and again, for at most `PATIENCE` seconds, and only
    where the last request came about as soon after the answer before it: a server with nothing to do sleeps. A machine
    with one core has none to spare for that; nor is it done where a process cannot let others go first (Windows).
    """

    def __init__(self, spare: bool | None = None) -> None:
        self.spare = hasattr(os, "sched_yield") and threads() > 1 if spare is None else spare
        self._answered = 0.0  # when the last answer went
        self._worth = self._looking = False

    def answered(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to look out."""
        self._answered = time.perf_counter()
        if self._worth and not self._looking:
            self._looking = True
            loop.call_soon(self._look, loop)

    def arrived(self) -> None:
        """Note that data came, and whether it would have been worth looking out for them."""
        if self._answered:
            self._worth = self.spare and time.perf_counter() - self._answered < PATIENCE
            self._answered = 0.0

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._looking = bool(self._answered) and time.perf_counter() - self._answered < PATIENCE
        if self._looking:
            os.sched_yield()
            loop.call_soon(self._look, loop)
