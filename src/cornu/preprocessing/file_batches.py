"""Batches of files, read by threads while the model trains."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from cornu.core.processor import threads
from cornu.data.batch import OwnRows
from cornu.data.dataset import Dataset
from cornu.data.zero_copy import FreshArrays

#: Batches that are being read at once.
_AHEAD = 3
#: Files that one task of a thread reads.
_PER_TASK = 4
#: Files in such a batch if they are wanted one by one.
_PER_BATCH = 16


#: Which process's rows to read, of how many; None reads all.
Part = Callable[[], tuple[int, int] | None]


class Files(NamedTuple):
    """Files, what is to be learned of each, and how some of them become a batch.

    `targets` is ``(files, ...)`` or None. `space` returns what holds the contents of a number of files: an array, which
    a function of a shape and a dtype makes, or a list if they differ in shape. `read` puts the contents of a path into
    a row of it, and `join` makes a batch of it once it is filled.
    """

    paths: list[str]
    targets: np.ndarray | None
    read: Callable[[str, Any, int], None]
    space: Callable[[int, FreshArrays], Any]
    join: Callable[[Any], np.ndarray] = np.asanyarray


def dataset_of(files: Files, batch_size: int | None, shuffle_seed: int | None) -> Dataset:
    """Return a `Dataset` of the contents of files, or of contents and targets, in batches or (for None) one by one.

    With a `shuffle_seed` each epoch has another order.
    """
    size = batch_size or _PER_BATCH
    count = len(files.paths)

    def batches(part: Part = lambda: None) -> Iterator["_Batch"]:
        order = np.arange(count)
        if shuffle_seed is not None:
            order = np.random.default_rng([shuffle_seed, epoch()]).permutation(count)
        return _batches(files, order, size, part)

    if batch_size is None:
        data = Dataset(lambda: (element for batch in batches() for element in batch.elements()), count)
    else:
        data = Dataset(lambda: (batch.joined(files.join) for batch in batches()), -(-count // size))
        data.iterate_parts = lambda part: (batch.joined(files.join) for batch in batches(part))
    data.batch_size = batch_size
    epoch = data.counting_epochs()
    return data


class _Batch(NamedTuple):
    contents: Any
    targets: np.ndarray | None
    reading: list[Future]
    is_part: bool

    def joined(self, join: Callable[[Any], np.ndarray]) -> Any:
        """Wait for the files; an error of one is raised here."""
        for one in self.reading:
            one.result()
        contents = join(self.contents)
        found = contents if self.targets is None else (contents, self.targets)
        return OwnRows(found) if self.is_part else found

    def elements(self) -> Iterator:
        """Return the files one by one, each as soon as it is read."""
        for row in range(len(self.contents)):
            self.reading[row // _PER_TASK].result()
            yield self.contents[row] if self.targets is None else (self.contents[row], self.targets[row])


def _batches(files: Files, order: np.ndarray, size: int, part: Part) -> Iterator[_Batch]:
    workers = threads() + 1  # while one waits for a file or for Python's lock, the others keep all processors busy
    pool = ThreadPoolExecutor(workers, thread_name_prefix="cornu-files")
    arrays = FreshArrays(kept=2)
    waiting: deque[_Batch] = deque()
    try:
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            number, parts = part() or (0, 1)
            is_part = parts > 1 and len(chosen) % parts == 0 and isinstance(files.space(1, arrays), np.ndarray)
            if is_part:
                chosen = np.split(chosen, parts)[number]
            waiting.append(_begin(pool, files, chosen, files.space(len(chosen), arrays), is_part))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _begin(pool: ThreadPoolExecutor, files: Files, chosen: np.ndarray, contents: Any, is_part: bool) -> _Batch:
    """Let threads read some files, each into its own place of `contents`."""

    def read(start: int) -> None:
        for row in range(start, min(start + _PER_TASK, len(chosen))):
            files.read(files.paths[chosen[row]], contents, row)

    reading = [pool.submit(read, start) for start in range(0, len(chosen), _PER_TASK)]
    return _Batch(contents, None if files.targets is None else files.targets[chosen], reading, is_part)
