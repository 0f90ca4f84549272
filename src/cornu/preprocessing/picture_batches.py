"""Batches of picture files, read by threads while the model trains."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from cornu.data.dataset import Dataset

#: Batches that are being read at once.
_AHEAD = 3
#: Pictures in such a batch if they are wanted one by one.
_PER_BATCH = 16


class PictureFiles(NamedTuple):
    """Files, what is to be learned of each, and how one of them becomes an array.

    `targets` is ``(files, ...)`` or None; `read` returns an array of `shape` and `dtype` for a path.
    """

    paths: list[str]
    targets: np.ndarray | None
    read: Callable[[str], np.ndarray]
    shape: tuple[int, int, int]
    dtype: str = "float32"


def dataset_of(files: PictureFiles, batch_size: int | None, shuffle_seed: int | None) -> Dataset:
    """Return a `Dataset` of pictures, or of pictures and targets, in batches or (for None) one by one.

    With a `shuffle_seed` each epoch has another order.
    """
    size = batch_size or _PER_BATCH
    count = len(files.paths)

    def iterate() -> Iterator:
        order = np.arange(count)
        if shuffle_seed is not None:
            order = np.random.default_rng([shuffle_seed, epoch()]).permutation(count)
        return _batches(files, order, size)

    batches = Dataset(iterate, -(-count // size))
    epoch = batches.counting_epochs()
    return batches if batch_size is not None else Dataset(lambda: iter(batches.unbatch()), count, [batches])


class _Batch(NamedTuple):
    pictures: np.ndarray
    targets: np.ndarray | None
    reading: list[Future]

    def finished(self) -> Any:
        """Wait for the pictures; an error of one is raised here."""
        for one in self.reading:
            one.result()
        return self.pictures if self.targets is None else (self.pictures, self.targets)


def _batches(files: PictureFiles, order: np.ndarray, size: int) -> Iterator:
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    pool = ThreadPoolExecutor(workers, thread_name_prefix="cornu-pictures")
    waiting: deque[_Batch] = deque()
    try:
        for start in range(0, len(order), size):
            waiting.append(_begin(pool, files, order[start : start + size]))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().finished()
        while waiting:
            yield waiting.popleft().finished()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _begin(pool: ThreadPoolExecutor, files: PictureFiles, chosen: np.ndarray) -> _Batch:
    """Let threads read some pictures, each into its own row of a batch."""
    pictures = np.empty((len(chosen), *files.shape), files.dtype)

    def read(row: int, path: str) -> None:
        pictures[row] = files.read(path)

    reading = [pool.submit(read, row, files.paths[number]) for row, number in enumerate(chosen)]
    return _Batch(pictures, None if files.targets is None else files.targets[chosen], reading)
