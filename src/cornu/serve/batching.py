"""Requests that arrive together are computed together: one queue and one batch at a time for each model."""

import asyncio
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from cornu.serve.limits import Limits, RequestError
from cornu.serve.metrics import Metrics
from cornu.serve.served import ServedModel

#: A batch that takes less is computed by the thread that also reads requests: handing it over would take longer.
QUICK = 0.0008

_log = logging.getLogger("cornu.serve")


class _Job(NamedTuple):
    arrays: list[np.ndarray]
    rows: int
    key: tuple  # rows of different shapes cannot share a batch
    answer: asyncio.Future


class Batcher:
    """The queue of one model.

    A batch starts at the end of the event loop's turn, with all that arrived in it; while one is computed in the
    model's thread, the next gathers. Where the last batch held several requests, the next waits up to ``limits.gather``
    seconds for more, so that a lone client never waits.
    """

    def __init__(self, served: ServedModel, limits: Limits, metrics: Metrics) -> None:
        self.served, self.limits, self.metrics = served, limits, metrics
        self.queue: deque[_Job] = deque()
        self.waiting = self.bytes = 0  # rows in the queue, and their size
        self.drawings = 0
        self._busy = self._crowded = self._closed = False
        self._start: asyncio.Handle | None = None
        self._thread = ThreadPoolExecutor(1, f"cornu-{served.name}")
        self._artist = ThreadPoolExecutor(1, f"cornu-{served.name}-pictures")

    async def submit(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Return the outputs for the rows of one request; `RequestError` (429, 503, 504) where that takes too long."""
        rows, loop = len(arrays[0]), asyncio.get_running_loop()
        if self._closed:
            raise RequestError(503, "The server is shutting down.")
        size = sum(array.nbytes for array in arrays)
        if self.waiting + rows > self.limits.queue or (self.waiting and self.bytes + size > self.limits.bodies):
            raise RequestError(429, f"Too many rows wait for the model {self.served.name!r}; try again in a second.")
        job = _Job(arrays, rows, self.served.admit(arrays), loop.create_future())
        self.queue.append(job)
        self.waiting += rows
        self.bytes += size
        self._schedule(loop)
        timer = loop.call_later(self.limits.seconds, self._give_up, job)
        try:
            return await job.answer
        finally:
            timer.cancel()

    def _give_up(self, job: _Job) -> None:
        if not job.answer.done():
            error = RequestError(504, f"The model gave no answer within {self.limits.seconds:g} seconds.")
            job.answer.set_exception(error)

    async def apart(self, function: Any, *args: Any) -> Any:
        """Run a function that reads a picture, in a thread of its own; `RequestError` (429) where too many wait."""
        if self.drawings >= self.limits.drawings:
            raise RequestError(429, "Too many pictures wait to be read; try again in a second.")
        self.drawings += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._artist, function, *args)
        finally:
            self.drawings -= 1

    async def close(self) -> None:
        """Finish what waits, and take no more."""
        self._closed = True
        while self.queue or self._busy:
            await asyncio.sleep(0.005)
        self._thread.shutdown()
        self._artist.shutdown()

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._busy:
            return
        full = self.waiting >= self.served.sizes[-1]
        if self._start is not None:
            if not (full and isinstance(self._start, asyncio.TimerHandle)):
                return
            self._start.cancel()
        if self._crowded and not full and self._is_slow(self.waiting):
            self._start = loop.call_later(self.limits.gather, self._run, loop)
        else:
            self._start = loop.call_soon(self._run, loop)

    def _is_slow(self, rows: int) -> bool:
        return self.served.expected_seconds(rows) > QUICK

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Compute one batch: here if it is quick, else in the model's thread."""
        self._start = None
        jobs = self._next_jobs()
        if not jobs:
            return
        rows = sum(job.rows for job in jobs)
        self.metrics.batch(self.served.name, rows, len(jobs))
        arrays = [np.concatenate(parts) for parts in zip(*(job.arrays for job in jobs), strict=True)]
        if self._is_slow(rows):
            self._busy = True
            future = loop.run_in_executor(self._thread, self.served.compute, arrays)
            future.add_done_callback(lambda done: self._finish(loop, jobs, done))
            return
        try:
            _deliver(jobs, self.served.compute(arrays))
        except Exception as error:
            _fail(jobs, error)
        if self.queue:
            self._schedule(loop)

    def _next_jobs(self) -> list[_Job]:
        """Take from the queue what fits into one batch, at least one request; those who gave up are left out."""
        jobs: list[_Job] = []
        rows, most = 0, self.served.sizes[-1]
        while self.queue:
            job = self.queue[0]
            if jobs and (rows + job.rows > most or job.key != jobs[0].key):
                break
            self.queue.popleft()
            self.waiting -= job.rows
            self.bytes -= sum(array.nbytes for array in job.arrays)
            if not job.answer.done():
                jobs.append(job)
                rows += job.rows
        self._crowded = len(jobs) > 1
        return jobs

    def _finish(self, loop: asyncio.AbstractEventLoop, jobs: list[_Job], done: asyncio.Future) -> None:
        self._busy = False
        error = done.exception()
        if error is None:
            _deliver(jobs, done.result())
        else:
            _fail(jobs, error)
        if self.queue:
            self._schedule(loop)


def _deliver(jobs: list[_Job], outputs: list[np.ndarray]) -> None:
    start = 0
    for job in jobs:
        if not job.answer.done():
            job.answer.set_result([output[start : start + job.rows] for output in outputs])
        start += job.rows


def _fail(jobs: list[_Job], error: BaseException) -> None:
    _log.error("A batch of %d requests failed", len(jobs), exc_info=error)
    for job in jobs:
        if not job.answer.done():
            job.answer.set_exception(RequestError(500, f"The model could not be computed: {type(error).__name__}."))
