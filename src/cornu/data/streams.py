"""Batches created on demand: generators, `PyDataset`, torch ``DataLoader``, any iterable."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from cornu.core import processes
from cornu.core.seeds import fresh_seed, random_marks
from cornu.core.tables import is_table
from cornu.data.batch import Batch, OwnBatch, OwnRows, ReadPosition, unpack
from cornu.data.convert import Converter, as_arrays, is_column, map_arrays, rows_in
from cornu.data.weights import with_class_weight


class PyDataset:
    """Base class of datasets with numbered batches (also Keras 2's ``Sequence``).

    A dataset overrides ``__getitem__(index)``, which returns a batch, and ``__len__``, the number of batches; it may
    also override `on_epoch_begin` and `on_epoch_end`.

    Args:
        workers: number of threads that prepare batches; 1 means none.
        use_multiprocessing: kept for Keras's signature; threads are used, since a forked process cannot use JAX.
        max_queue_size: the largest number of prepared batches.

    Follows https://keras.io/api/utils/python_utils/#pydataset-class

    >>> class Squares(PyDataset):
    ...     def __len__(self): return 2
    ...     def __getitem__(self, index): return np.full((4, 1), index), np.full((4, 1), index**2)
    >>> Squares()[1][1].ravel().tolist()
    [1, 1, 1, 1]
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    # For subclasses whose constructor does not call super().__init__().
    workers, use_multiprocessing, max_queue_size = 1, False, 10

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} needs a method __getitem__(self, index) that returns a batch."
        )

    def __len__(self) -> int:
        raise NotImplementedError(
            f"{type(self).__name__} needs a method __len__(self) that returns the number of batches."
        )

    @property
    def num_batches(self) -> int | None:
        """The number of batches; None if it is infinite."""
        return len(self)

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch; override it to shuffle."""


Sequence = PyDataset


class StreamBatches(ReadPosition):
    """Batches from a source that creates them on demand."""

    resident = False
    rows: Any = None  # only arrays have these three
    batch_size: Any = None
    batch: Any = None

    def __init__(
        self,
        source: Any,
        steps: int | None,
        shuffle: bool | str,
        class_weight: Any,
        convert: Converter,
        only_inputs: bool = False,
        choose: Callable[[Batch], Batch] | None = None,
    ) -> None:
        self.source, self.shuffle, self.class_weight, self.choose = source, shuffle, class_weight, choose
        self.convert, self.only_inputs = convert, only_inputs
        self.length = length_of(source)
        self.steps = self.length if steps is None else steps
        # An iterator over images is also a dataset, whose batches have numbers.
        self.restarts = isinstance(source, PyDataset) or not isinstance(source, Iterator)
        self._endless: Iterator | None = None if self.restarts else iter(source)
        self._peeked: list[Batch] = []

    @property
    def example(self) -> Batch:
        """Shapes and dtypes of one batch; the batch that was inspected is still delivered."""
        if not self._peeked:
            iterator, before = self._iterate(), random_marks()
            first = next(iterator, None)
            self.draws = random_marks() != before
            if first is None:
                raise ValueError("There is no data: the generator or dataset yielded no batch.")
            self._peeked.append(first)
            if self._endless is None:
                self._rest: Iterator | None = iterator
        return map_arrays(
            lambda a: jax.ShapeDtypeStruct(a.shape, jax.dtypes.canonicalize_dtype(a.dtype)), self._peeked[0]
        )

    def revise(self, revised: Callable[[Batch], Batch]) -> None:
        """Replace the batch that was inspected by what a function makes of it."""
        self._peeked = [revised(batch) for batch in self._peeked]

    def stream(self) -> Iterator[Batch]:
        """Return an iterator over the batches of one epoch (a generator continues where it stopped)."""
        if self.remember is not None and getattr(self.source, "draws_ahead", False):
            self.forget_example()  # a backup repeats what is drawn from here on
        peeked, self._peeked = self._peeked, []
        if peeked and self._endless is None:
            return itertools.chain(peeked, self._rest or ())
        return itertools.chain(peeked, self._iterate())

    def on_epoch_end(self) -> None:
        """Notify a dataset of the end of an epoch."""
        if hasattr(self.source, "on_epoch_end"):
            self.source.on_epoch_end()

    def forget_example(self) -> None:
        """Drop the inspected batch: a new stream starts at the beginning."""
        self._peeked, self._rest = [], None

    def _iterate(self) -> Iterator[Batch]:
        if self._endless is not None:
            return map(self._convert, self._endless)
        if hasattr(self.source, "on_epoch_begin"):
            self.source.on_epoch_begin()
        if is_indexed(self.source):
            return map(self._convert, self._indexed())
        in_parts = getattr(self.source, "iterate_parts", None)
        if in_parts is not None and processes.count() > 1:
            return map(self._convert, in_parts(lambda: self.part))
        return map(self._convert, iter(self.source))

    def _indexed(self) -> Iterator[Any]:
        numbers: Iterable[int] = range(self.length) if self.length is not None else itertools.count()
        if self.shuffle and self.length is not None:
            numbers = np.random.default_rng(fresh_seed()).permutation(self.length).tolist()
        workers = getattr(self.source, "workers", 1) or 1
        if workers > 1:
            return ahead(self.source.__getitem__, numbers, workers, getattr(self.source, "max_queue_size", 10))
        return (self.source[number] for number in numbers)

    def _convert(self, data: Any) -> Batch:
        if isinstance(data, OwnRows):
            return OwnBatch(*self._convert(data.data))
        batch = unpack(data)
        if isinstance(batch.x, dict) and any(map(_is_single, batch.x.values())):
            raise self._single_samples()
        if self.choose is not None:
            batch = self.choose(batch)
        x = self.convert(batch.x)
        if self.only_inputs:
            return Batch(x)
        y = as_arrays(batch.y, "y")
        weights = with_class_weight(y, as_arrays(batch.sample_weight, "sample_weight"), self.class_weight, whole=False)
        if any(np.ndim(leaf) == 0 for leaf in jax.tree.leaves((x, y))):
            raise self._single_samples()
        rows_in(x, y, weights)
        return Batch(x, y, weights)

    def _single_samples(self) -> ValueError:
        return ValueError(
            f"The {type(self.source).__name__} yields single samples; a model takes batches of them.\n"
            "Batch it first: most data sets have batch(32), and those of torch go into a DataLoader(dataset, 32)."
        )


def _is_single(value: Any) -> bool:
    return isinstance(value, (str, bytes, int, float, np.generic))


def ahead(function: Callable, numbers: Iterable[int], workers: int, window: int) -> Iterator[Any]:
    """Yield ``function(number)`` in order, computed by a pool of threads, at most `window` at once."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="cornu-data")
    try:
        remaining = iter(numbers)
        waiting = [pool.submit(function, number) for number in itertools.islice(remaining, max(window, workers))]
        while waiting:
            result = waiting.pop(0).result()
            waiting.extend(pool.submit(function, number) for number in itertools.islice(remaining, 1))
            yield result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def is_indexed(source: Any) -> bool:
    """Return whether batches are accessed by index."""
    return isinstance(source, PyDataset) or (
        hasattr(source, "__getitem__") and hasattr(source, "__len__") and not hasattr(source, "__iter__")
    )


def is_stream(thing: Any) -> bool:
    """Return whether `thing` yields batches (and is not an array, list or dictionary)."""
    if (
        isinstance(thing, (list, tuple, dict, str, bytes, range))
        or hasattr(thing, "shape")
        or hasattr(thing, "to_numpy")
        or is_column(thing)
        or is_table(thing)
    ):
        return False
    return isinstance(thing, PyDataset) or is_indexed(thing) or hasattr(thing, "__iter__") or hasattr(thing, "__next__")


def length_of(source: Any) -> int | None:
    """Return the number of batches of an epoch, or None if the source does not define it."""
    if isinstance(source, PyDataset):
        return source.num_batches
    try:
        return len(source)
    except (TypeError, NotImplementedError):
        return None
