"""`Dataset`: a chain of iterators over numpy elements, restarted in each epoch; ``tf.data.Dataset`` names it."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from cornu.core.placement import to_device
from cornu.core.scope import NeedsPythonError, scope

AUTOTUNE = -1
INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = -1, -2


class EagerArray(np.ndarray):
    """A numpy array that programs can use as a tensor: it has ``numpy()``, and so have its rows and single values."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return np.asarray(found).view(EagerArray) if isinstance(found, np.generic) else found

    def numpy(self) -> np.ndarray:
        """Return the array as numpy's own."""
        return np.asarray(self)


class EagerText(str):
    """A text that programs can use as a tensor of TensorFlow, whose ``numpy()`` gives bytes: it has ``decode()``."""

    __slots__ = ()

    def numpy(self) -> "EagerText":
        """Return the text itself."""
        return self

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the text, which is decoded already."""
        return str(self)


def _with_methods(leaf: Any) -> Any:
    """Return a tensor: an array of JAX for floats, which gradients can be taken with respect to."""
    if isinstance(leaf, (jax.Array, EagerText)):
        return leaf
    array = np.asarray(leaf)
    if array.dtype != np.float32:
        return array.view(EagerArray)
    return to_device(array, copy=False if getattr(leaf, "is_fresh", False) else None)


class OwnedIterator:
    """An iterator over a data set; inside a ``tf.function`` that is being traced it cannot go on."""

    def __init__(self, dataset: "Dataset") -> None:
        self._elements = dataset._iterate()

    def __iter__(self) -> "OwnedIterator":
        return self

    def __next__(self) -> Any:
        if scope.meet is not None:
            raise NeedsPythonError
        return jax.tree.map(_with_methods, next(self._elements))

    get_next = __next__


class NumpyIterator:
    """An iterator that also has ``next()``, as that of TensorFlow has."""

    def __init__(self, elements: Iterator) -> None:
        self._elements = elements

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        return next(self._elements)

    next = __next__


class Dataset:
    """Elements (arrays, or tuples and dictionaries of them) that can be iterated any number of times.

    Made by `from_tensor_slices`, `from_tensors`, `from_generator`, `range` and `zip`; each method returns a new one.
    `fit`, `evaluate` and `predict` take a batched one. Follows https://www.tensorflow.org/api_docs/python/tf/data/Dataset

    >>> [batch.tolist() for batch in Dataset.range(5).map(lambda x: x * 2).batch(2)]
    [[0, 2], [4, 6], [8]]
    """

    def __init__(
        self, iterate: Callable[[], Iterator], size: int = UNKNOWN_CARDINALITY, sources: Sequence["Dataset"] = ()
    ) -> None:
        self._iterate, self._size = iterate, size
        #: Rows of each element, if `batch` made it.
        self.batch_size: int | None = None
        # One list per random order in the chain, with the number of epochs that it has begun: a backup restores them.
        self._epochs: list[list[int]] = [epochs for source in sources for epochs in source._epochs]

    def _then(self, iterate: Callable[[], Iterator], size: int | None = None) -> "Dataset":
        """Return a data set that is made from this one, by default of the same size."""
        return Dataset(iterate, self._size if size is None else size, [self])

    def counting_epochs(self) -> Callable[[], int]:
        """Return a function that counts, from 0, the epochs of a random order in this data set."""
        begun = [0]
        self._epochs.append(begun)

        def count() -> int:
            begun[0] += 1
            return begun[0] - 1

        return count

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> "Dataset":
        """Return the rows of arrays of one length; ValueError if the lengths differ."""
        tensors = jax.tree.map(np.asarray, _without_lists(tensors))
        lengths = {len(array) for array in jax.tree.leaves(tensors)}
        if len(lengths) != 1:
            raise ValueError(f"from_tensor_slices expects arrays of equal length; got {sorted(lengths)}.")
        (length,) = lengths
        return Dataset(lambda: (_row(tensors, row) for row in range(length)), length)

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> "Dataset":
        """Return one element that is all of `tensors`."""
        return Dataset(lambda: iter([jax.tree.map(np.asarray, _without_lists(tensors))]), 1)

    @staticmethod
    def from_generator(generator: Callable, *_: Any, args: tuple = (), **__: Any) -> "Dataset":
        """Return what a generator function yields; it is called again in each epoch."""
        return Dataset(lambda: iter(generator(*args)))

    @staticmethod
    def range(*limits: int, output_type: Any = "int64", name: str | None = None) -> "Dataset":
        """Return integers, as Python's ``range`` does."""
        return Dataset(lambda: (np.asarray(one, str(output_type)) for one in range(*limits)), len(range(*limits)))

    @staticmethod
    def zip(*datasets: Any, name: str | None = None) -> "Dataset":
        """Return tuples of the elements of several data sets, up to the shortest."""
        several = tuple(datasets[0]) if len(datasets) == 1 and isinstance(datasets[0], (tuple, list)) else datasets
        sizes = [one._size for one in several if one._size != INFINITE_CARDINALITY]
        size = INFINITE_CARDINALITY if not sizes else UNKNOWN_CARDINALITY if min(sizes) < 0 else min(sizes)
        return Dataset(lambda: zip(*several, strict=False), size, several)

    def map(
        self, map_func: Callable, num_parallel_calls: Any = None, deterministic: Any = None, name: Any = None
    ) -> "Dataset":
        """Return the elements mapped by a function; a tuple's parts are its arguments."""
        return self._then(lambda: (_call(map_func, element) for element in self._iterate()))

    def filter(self, predicate: Callable, name: Any = None) -> "Dataset":
        """Return the elements for which a function is true."""
        chosen = lambda: (element for element in self._iterate() if bool(_call(predicate, element)))  # noqa: E731
        return self._then(chosen, UNKNOWN_CARDINALITY)

    def batch(self, batch_size: int, drop_remainder: bool = False, **_: Any) -> "Dataset":
        """Return stacks of `batch_size` elements; the last may be smaller, or is dropped with `drop_remainder`."""
        size = int(batch_size)
        whole, rest = divmod(self._size, size)
        batches = whole + bool(rest and not drop_remainder) if self._size >= 0 else self._size
        batched = self._then(lambda: _batches(self._iterate(), size, drop_remainder), batches)
        batched.batch_size = size
        return batched

    def unbatch(self, name: Any = None) -> "Dataset":
        """Return the rows of each element."""
        rows = lambda: (row for element in self._iterate() for row in Dataset.from_tensor_slices(element))  # noqa: E731
        return self._then(rows, UNKNOWN_CARDINALITY)

    def shuffle(
        self, buffer_size: int, seed: Any = None, reshuffle_each_iteration: Any = True, name: Any = None
    ) -> "Dataset":
        """Return the elements in random order, drawn from a buffer of `buffer_size`, different in each epoch."""

        def iterate() -> Iterator:
            first = np.random.randint(2**31) if seed is None else seed
            generator = np.random.default_rng([first, epoch() if reshuffle_each_iteration is not False else 0])
            return _shuffled(self._iterate(), int(buffer_size), generator)

        shuffled = self._then(iterate)
        epoch = shuffled.counting_epochs()
        return shuffled

    def repeat(self, count: int | None = None, name: Any = None) -> "Dataset":
        """Return the elements `count` times, or endlessly."""
        if count is None or count == -1:
            return self._then(
                lambda: (element for _ in itertools.count() for element in self._iterate()), INFINITE_CARDINALITY
            )
        return self._then(
            lambda: (element for _ in range(count) for element in self._iterate()), _times(self._size, count)
        )

    def take(self, count: int, name: Any = None) -> "Dataset":
        """Return the first `count` elements."""
        count = int(count)
        size = count if self._size == INFINITE_CARDINALITY else min(self._size, count)
        return self._then(lambda: itertools.islice(self._iterate(), count), size)

    def skip(self, count: int, name: Any = None) -> "Dataset":
        """Return the elements after the first `count`."""
        count = int(count)
        size = max(self._size - count, 0) if self._size >= 0 else self._size
        return self._then(lambda: itertools.islice(self._iterate(), count, None), size)

    def concatenate(self, dataset: "Dataset", name: Any = None) -> "Dataset":
        """Return the elements of this, then those of `dataset`."""
        size = self._size + dataset._size if min(self._size, dataset._size) >= 0 else min(self._size, dataset._size)
        return Dataset(lambda: itertools.chain(self._iterate(), dataset._iterate()), size, [self, dataset])

    def enumerate(self, start: int = 0, name: Any = None) -> "Dataset":
        """Return pairs of an index and an element."""
        return self._then(lambda: enumerate(self._iterate(), start))

    def cache(self, *_: Any, **__: Any) -> "Dataset":
        """Return the elements, kept in memory after the first epoch."""
        kept: list = []

        def iterate() -> Iterator:
            if kept:
                yield from kept[0]
                return
            elements = []
            for element in self._iterate():
                elements.append(element)
                yield element
            kept.append(elements)

        return self._then(iterate)

    def prefetch(self, *_: Any, **__: Any) -> "Dataset":
        """Return the data set itself: training prefetches anyway."""
        return self

    with_options = prefetch

    def cardinality(self) -> Any:
        """Return the number of elements, -1 if infinite, -2 if unknown."""
        return _with_methods(self._size)

    def apply(self, transformation_func: Callable) -> Any:
        """Return what a function makes of the data set."""
        return transformation_func(self)

    def reduce(self, initial_state: Any, reduce_func: Callable, name: Any = None) -> Any:
        """Return ``reduce_func(state, element)`` of all elements, one after the other, from `initial_state` on."""
        for element in self:
            initial_state = reduce_func(initial_state, element)
        return initial_state

    def as_numpy_iterator(self) -> "NumpyIterator":
        """Return an iterator over the elements as numpy arrays."""
        return NumpyIterator(jax.tree.map(np.asarray, element) for element in self._iterate())

    def __iter__(self) -> Iterator:
        return OwnedIterator(self)

    def __len__(self) -> int:
        if self._size < 0:
            raise TypeError("The data set's length is infinite or unknown.")
        return self._size


def cardinality(dataset: Dataset) -> Any:
    """Return the number of elements of a data set, -1 if infinite, -2 if unknown.

    >>> int(cardinality(Dataset.range(3)))
    3
    """
    return dataset.cardinality()


def _call(function: Callable, element: Any) -> Any:
    return function(*element) if isinstance(element, tuple) else function(element)


def _row(tensors: Any, row: int) -> Any:
    return jax.tree.map(lambda array: array[row], tensors)


def _without_lists(tensors: Any) -> Any:
    """TensorFlow treats a list as one array, a tuple or dictionary as several."""
    if isinstance(tensors, tuple):
        return tuple(map(_without_lists, tensors))
    if isinstance(tensors, dict):
        return {key: _without_lists(value) for key, value in tensors.items()}
    return np.asarray(tensors)


def _times(size: int, count: int) -> int:
    return size * count if size >= 0 else size


def _batches(elements: Iterator, size: int, drop_remainder: bool) -> Iterator:
    while rows := list(itertools.islice(elements, size)):
        if len(rows) == size or not drop_remainder:
            yield jax.tree.map(stacked, *rows)


def stacked(*rows: Any) -> np.ndarray:
    """Return elements as the rows of one array, texts as one of Python objects."""
    if isinstance(rows[0], EagerText):  # an array of fixed width would be as wide as the longest text
        return np.array(rows, object)
    return np.stack([np.asarray(row) for row in rows])


def _shuffled(elements: Iterator, buffer_size: int, generator: np.random.Generator) -> Iterator:
    buffer = list(itertools.islice(elements, buffer_size))
    for element in elements:
        place = generator.integers(len(buffer))
        yield buffer[place]
        buffer[place] = element
    order = generator.permutation(len(buffer))
    yield from (buffer[place] for place in order)
