"""Requests that arrive together are computed together: one queue, and one batch at a time, per model."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from cornu.serve.limits import Limits, RequestError
from cornu.serve.metrics import Metrics
from cornu.serve.served_model import ServedModel

#: Seconds: a faster batch is computed in the event loop's thread, because handing it over would take longer.
QUICK = 0.0008
#: The same with a single client, whose next request cannot arrive meanwhile.
QUICK_FOR_ONE = 0.005

_log = logging.getLogger("cornu.serve")


class Job:
    """One request's rows. `tell` is called once with their outputs or a `RequestError`, unless the job is dropped."""

    __slots__ = ("arrays", "bytes", "key", "over", "rows", "tell", "timer")

    def __init__(self, arrays: list[np.ndarray], key: tuple, tell: Callable[[Any], None]) -> None:
        self.arrays, self.rows, self.tell = arrays, len(arrays[0]), tell
        self.bytes = sum(array.nbytes for array in arrays)
        self.key = key  # rows of different shapes cannot share a batch
        self.over = False
        self.timer: asyncio.TimerHandle | None = None

    def end(self, found: Any) -> None:
        """Deliver the result, unless the job is over already."""
        if not self.over:
            self.drop()
            self.tell(found)

    def drop(self) -> None:
        """Drop the job: its result is no longer delivered."""
        self.over = True
        if self.timer is not None:
            self.timer.cancel()


class Batcher:
    """The queue of one model.

    A batch starts at the end of an event loop iteration, with every request that arrived in it; while one is computed
    in the model's thread, the next gathers. If the last batch held several requests, the next waits up to
    ``limits.gather`` seconds for more. A single client never waits.
    """

    def __init__(self, served: ServedModel, limits: Limits, metrics: Metrics) -> None:
        self.served, self.limits, self.metrics = served, limits, metrics
        self.queue: deque[Job] = deque()
        self.waiting = self.bytes = 0  # rows in the queue, and their size
        self.drawings = 0
        self._busy = self._crowded = self._stopping = self._closed = False
        self._start: asyncio.Handle | None = None
        self._thread = ThreadPoolExecutor(1, f"cornu-{served.name}")
        self._artist = ThreadPoolExecutor(1, f"cornu-{served.name}-pictures")

    def put(self, arrays: list[np.ndarray], tell: Callable[[Any], None]) -> Job:
        """Queue the rows of one request for `tell`; `RequestError` (422, 429, 503) if they are rejected."""
        rows, loop = len(arrays[0]), asyncio.get_running_loop()
        if self._closed:
            raise self.limits.stopping()
        job = Job(arrays, self.served.admit(arrays), tell)
        if self.waiting + rows > self.limits.queue or (self.waiting and self.bytes + job.bytes > self.limits.bodies):
            raise RequestError(429, f"Too many rows wait for the model {self.served.name!r}; try again in a second.")
        self.queue.append(job)
        self.waiting += rows
        self.bytes += job.bytes
        job.timer = loop.call_later(self.limits.seconds, self._give_up, job)
        self._schedule(loop)
        return job

    def at_once(self, arrays: list[np.ndarray]) -> Any:
        """Return the outputs for the rows of a single client, or a `RequestError`; None if they must be queued.

        They are queued if others wait or are being computed, and if computing takes long.
        """
        rows = len(arrays[0])
        if self._closed or self._busy or self.queue or rows > self.limits.queue or self._is_slow(rows, QUICK_FOR_ONE):
            return None
        self.served.admit(arrays)
        self.metrics.batch(self.served.name, rows, 1)
        try:
            return self.served.compute(arrays)
        except Exception as error:
            return _failed(error, 1)

    async def submit(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Return the outputs for the rows of one request; `RequestError` (500, 504) if that fails or times out."""
        answer = asyncio.get_running_loop().create_future()
        job = self.put(arrays, answer.set_result)
        try:
            found = await answer
        finally:
            job.drop()
        if isinstance(found, RequestError):
            raise found
        return found

    def _give_up(self, job: Job) -> None:
        job.end(RequestError(504, f"The model did not answer within {self.limits.seconds:g} seconds."))

    async def apart(self, function: Any, *args: Any) -> Any:
        """Run a function that reads a picture in a separate thread; `RequestError` (429) if too many wait."""
        if self.drawings >= self.limits.drawings:
            raise RequestError(429, "Too many pictures wait to be read; try again in a second.")
        self.drawings += 1

        def apart() -> Any:  # in the other thread
            if self._stopping:
                raise self.limits.stopping()
            return function(*args)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._artist, apart)
        finally:
            self.drawings -= 1

    def stop(self) -> None:
        """Read no more of the pictures that wait."""
        self._stopping = True

    async def close(self) -> None:
        """Finish the waiting requests and accept no more."""
        self._stopping = self._closed = True
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

    def _is_slow(self, rows: int, quick: float = QUICK) -> bool:
        return self.served.expected_seconds(rows) > quick

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Compute one batch: in this thread if it is quick, else in the model's."""
        self._start = None
        jobs = self._next_jobs()
        if not jobs:
            return
        rows = sum(job.rows for job in jobs)
        self.metrics.batch(self.served.name, rows, len(jobs))
        arrays = jobs[0].arrays if len(jobs) == 1 else _joined(jobs)
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

    def _next_jobs(self) -> list[Job]:
        """Take requests from the queue for one batch, at least one; cancelled requests are left out."""
        jobs: list[Job] = []
        rows, most = 0, self.served.sizes[-1]
        while self.queue:
            job = self.queue[0]
            if jobs and (rows + job.rows > most or job.key != jobs[0].key):
                break
            self.queue.popleft()
            self.waiting -= job.rows
            self.bytes -= job.bytes
            if not job.over:
                jobs.append(job)
                rows += job.rows
        self._crowded = len(jobs) > 1
        return jobs

    def _finish(self, loop: asyncio.AbstractEventLoop, jobs: list[Job], done: asyncio.Future) -> None:
        self._busy = False
        error = done.exception()
        if error is None:
            _deliver(jobs, done.result())
        else:
            _fail(jobs, error)
        if self.queue:
            self._schedule(loop)


def _joined(jobs: list[Job]) -> list[np.ndarray]:
    return [np.concatenate(parts) for parts in zip(*(job.arrays for job in jobs), strict=True)]


def _deliver(jobs: list[Job], outputs: list[np.ndarray]) -> None:
    start = 0
    for job in jobs:
        job.end(outputs if len(jobs) == 1 else [output[start : start + job.rows] for output in outputs])
        start += job.rows


def _fail(jobs: list[Job], error: BaseException) -> None:
    refusal = _failed(error, len(jobs))
    for job in jobs:
        job.end(refusal)


def _failed(error: BaseException, requests: int) -> RequestError:
    _log.error("A batch of %d requests failed", requests, exc_info=error)
    return RequestError(500, f"Running the model failed: {type(error).__name__}.")
