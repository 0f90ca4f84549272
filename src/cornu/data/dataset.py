"""`Dataset`: a chain of iterators over numpy elements, restarted in each epoch; ``tf.data.Dataset`` names it."""

import functools
import glob
import itertools
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from cornu.core.object_arrays import object_array
from cornu.core.placement import to_device
from cornu.core.scope import NeedsPythonError, scope
from cornu.core.seeds import fresh_seed
from cornu.core.text import first_in
from cornu.data import saved
from cornu.data.arrangements import UNKNOWN_CARDINALITY, Arrangements, grouped, number_of_batches
from cornu.data.element_specs import as_array, of_kinds, spec_of
from cornu.data.mapping import MapFunction, called, stacked
from cornu.data.rows import Draws, Rows
from cornu.data.streams import ahead

AUTOTUNE = -1
INFINITE_CARDINALITY = -1


class EagerArray(np.ndarray):
    """A numpy array that programs can use as a tensor: it has ``numpy()``, and so have its rows and single values."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return as_array(found).view(EagerArray) if isinstance(found, (np.generic, str, bytes)) else found

    def __iter__(self) -> Iterator:
        return (self[row] for row in range(len(self)))

    def __str__(self) -> str:
        return str(np.asarray(self))

    def __repr__(self) -> str:
        return repr(np.asarray(self))

    def numpy(self) -> np.ndarray:
        """Return the array as numpy's own; strings as bytes, as TensorFlow does."""
        array = np.asarray(self)
        return _as_bytes(array) if array.dtype.kind in "UO" else array


def _as_bytes(texts: np.ndarray) -> Any:
    encoded = [text.encode() if isinstance(text, str) else text for text in texts.reshape(-1)]
    return object_array(encoded, texts.shape)[()]


def _as_numpy(leaf: Any) -> Any:
    return as_array(leaf).view(EagerArray).numpy()


def _with_methods(leaf: Any) -> Any:
    """Return a tensor: an array of JAX for floats, which gradients can be taken with respect to."""
    if isinstance(leaf, (jax.Array, Dataset)):
        return leaf
    array = as_array(leaf)
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


class BatchedRows(NamedTuple):
    """What the batches of a data set are made of: `total` rows in batches of `size`."""

    rows: Rows
    total: int
    size: int
    drops_remainder: bool


class Dataset(Arrangements):
    """Elements (arrays, or tuples and dictionaries of them) that can be iterated any number of times.

    Made by `from_tensor_slices`, `from_tensors`, `from_generator`, `range` and `zip`; each method returns a new one.
    `fit`, `evaluate` and `predict` take a batched one. Follows https://www.tensorflow.org/api_docs/python/tf/data/Dataset

    >>> [batch.tolist() for batch in Dataset.range(5).map(lambda x: x * 2).batch(2)]
    [[0, 2], [4, 6], [8]]
    """

    draws_ahead = True  # the first element may need more random numbers than its own

    def __init__(
        self, iterate: Callable[[], Iterator], size: int = UNKNOWN_CARDINALITY, sources: Sequence["Dataset"] = ()
    ) -> None:
        self._pass: Callable[[Draws], Iterator] = lambda _: iterate()
        self._size = size
        self._rows: Rows | None = None
        self.batched_rows: BatchedRows | None = None
        #: Returns the batches, with the rows of one process where they can be read alone; None if they cannot.
        self.iterate_parts: Callable[[Callable], Iterator] | None = None
        #: Rows of each element, if `batch` made it.
        self.batch_size: int | None = None
        #: Rows of each batch, if the last one may have fewer: what TensorFlow's shapes say as None.
        self.open_rows: int | None = None
        # One list per random order in the chain, with the number of epochs that it has begun: a backup restores them.
        self._epochs: list[list[int]] = [epochs for source in sources for epochs in source._epochs]

    def _then(
        self, iterate: Callable[[Draws], Iterator], size: int | None = None, keeps_batches: bool = True
    ) -> "Dataset":
        """Return a data set that is made from this one, by default of the same size, and of batches if this one is."""
        found = _of_passes(iterate, self._size if size is None else size, [self])
        found.open_rows = self.open_rows if keeps_batches else None
        return found

    def _iterate(self) -> Iterator:
        """Return the elements of a new pass, as they are."""
        return self._pass(Draws())

    def _then_rows(self, rows: Rows, size: int | None = None) -> "Dataset":
        """Return a data set of the rows of this one, in another form."""
        found = self._then(rows.one_by_one, size)
        found._rows = rows
        return found

    @staticmethod
    def of_rows(rows: Rows, size: int) -> "Dataset":
        """Return the data set of `size` rows of arrays."""
        found = _of_passes(rows.one_by_one, size)
        found._rows = rows
        return found

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
        return Dataset.of_rows(Rows(lambda: tensors), length)

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> "Dataset":
        """Return one element that is all of `tensors`."""
        return Dataset(lambda: iter([jax.tree.map(np.asarray, _without_lists(tensors))]), 1)

    @staticmethod
    def from_generator(
        generator: Callable, output_types: Any = None, output_shapes: Any = None, args: Sequence[Any] | None = None,
        output_signature: Any = None, name: str | None = None,
    ) -> "Dataset":  # fmt: skip
        """Return what a generator function yields; it is called again in each epoch.

        With `output_types` or `output_signature` (dtypes, or what has one, in a structure) parts become such arrays.
        """
        kinds = output_types if output_signature is None else output_signature
        if kinds is None:
            return Dataset(lambda: iter(generator(*(args or ()))))
        return Dataset(lambda: (of_kinds(element, kinds) for element in generator(*(args or ()))))

    @staticmethod
    def counter(start: int = 0, step: int = 1, dtype: Any = "int64", name: str | None = None) -> "Dataset":
        """Return numbers without end."""
        return Dataset(lambda: (np.asarray(number, str(dtype)) for number in itertools.count(start, step)))

    @staticmethod
    def of_list(elements: Sequence[Any]) -> "Dataset":
        """Return the data set of the elements in a list."""
        return Dataset(lambda: iter(elements), len(elements))

    @staticmethod
    def range(*limits: int, output_type: Any = "int64", name: str | None = None) -> "Dataset":
        """Return integers, as Python's ``range`` does."""
        numbers = np.arange(*limits, dtype=str(output_type))
        return Dataset.of_rows(Rows(lambda: numbers), len(numbers))

    @staticmethod
    def random(seed: Any = None, rerandomize_each_iteration: Any = None, name: Any = None) -> "Dataset":
        """Return random integers below 2**32 without end: the same in each epoch, unless others are asked for."""
        seed = fresh_seed() if seed is None and not rerandomize_each_iteration else seed

        def iterate(draws: Draws) -> Iterator:
            number = epoch() if rerandomize_each_iteration else 0
            generator = draws.generator if seed is None else np.random.default_rng([int(seed), number])
            while True:
                yield from generator.integers(2**32, size=1024)

        found = _of_passes(iterate, INFINITE_CARDINALITY)
        epoch = found.counting_epochs()
        return found

    @staticmethod
    def load(
        path: Any, element_spec: Any = None, compression: Any = None, reader_func: Any = None, wait: bool = False
    ) -> "Dataset":
        """Return what `save` wrote; arrays of one shape stay in their files until they are used.

        Args:
            path: The folder.
            element_spec, wait: Not needed.
            compression: As it was saved.
            reader_func: Makes a data set of the data set of shards, of which there is one without a `shard_func`.

        Raises:
            FileNotFoundError: The folder has no data set.
            ValueError: It is damaged, was saved with another compression, or by TensorFlow.
        """
        found = saved.read(path, compression)
        shards = [_loaded(found, name) for name in found.shards]
        if reader_func is not None:
            return reader_func(Dataset.of_list(shards))
        return shards[0] if len(shards) == 1 else Dataset.of_list(shards).interleave(lambda one: one, len(shards) or 1)

    def save(self, path: Any, compression: Any = None, shard_func: Any = None, checkpoint_args: Any = None) -> None:
        """Write all elements into a folder, in place of a data set that was saved there; see `load`.

        Args:
            path: The folder.
            compression: None or ``"GZIP"``.
            shard_func: Returns the number of the shard that an element belongs to.
            checkpoint_args: No effect: a save begins from the start.

        Raises:
            TypeError: An element is not an array, a text, or a tuple or dictionary of them.
            ValueError: The compression is unknown, or elements have different structures.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Dataset.range(5).batch(2).save(folder)
        ...     [batch.tolist() for batch in Dataset.load(folder)]
        [[0, 1], [2, 3], [4]]
        """
        shard_of = None if shard_func is None else lambda element: int(np.asarray(called(shard_func, element)))
        batch_size = self.batch_size or self.open_rows
        saved.write(path, self._iterate(), compression, shard_of, batch_size, self.open_rows is None)

    @staticmethod
    def choose_from_datasets(datasets: Any, choice_dataset: "Dataset", stop_on_empty_dataset: bool = True) -> "Dataset":
        """Return the next element of the data set that each number in `choice_dataset` says."""
        return _of_passes(
            lambda draws: _chosen(datasets, choice_dataset._pass(draws), draws, stop_on_empty_dataset),
            UNKNOWN_CARDINALITY,
            [*datasets, choice_dataset],
        )

    @staticmethod
    def sample_from_datasets(
        datasets: Any, weights: Any = None, seed: Any = None, stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: Any = None,
    ) -> "Dataset":  # fmt: skip
        """Return elements of several data sets at random, in proportion to `weights` (None: alike)."""
        chances = np.full(len(datasets), 1.0) if weights is None else np.asarray(weights, "float64")

        def iterate(draws: Draws) -> Iterator:
            generator = draws.generator if seed is None else np.random.default_rng(seed)
            left = chances.copy()
            sources = [one._pass(draws) for one in datasets]
            while left.any():
                number = int(generator.choice(len(left), p=left / left.sum()))
                element = next(sources[number], _END)
                if element is not _END:
                    yield element
                elif stop_on_empty_dataset:
                    return
                else:
                    left[number] = 0

        return _of_passes(iterate, UNKNOWN_CARDINALITY, datasets)

    @staticmethod
    def list_files(file_pattern: Any, shuffle: Any = None, seed: Any = None, name: Any = None) -> "Dataset":
        """Return the paths of files that match a pattern or several, in random order unless `shuffle` is False.

        ValueError if there is none.
        """
        patterns = [file_pattern] if isinstance(file_pattern, (str, bytes)) else list(file_pattern)
        texts = [one.decode() if isinstance(one, bytes) else str(one) for one in patterns]
        found = sorted(path for pattern in texts for path in glob.glob(pattern))
        if not found:
            raise ValueError(f"There are no files that match {', '.join(map(repr, texts))}.")
        files = Dataset.from_tensor_slices(np.array(found, object))
        return files if shuffle is False else files.shuffle(len(found), seed)

    @staticmethod
    def zip(*datasets: Any, name: str | None = None) -> "Dataset":
        """Return the elements of several data sets together, up to the shortest: in tuples, or in their structure."""
        given = datasets[0] if len(datasets) == 1 else datasets
        tree: Any
        several, tree = jax.tree.flatten(tuple(given) if isinstance(given, list) else given)
        sizes = [one._size for one in several if one._size != INFINITE_CARDINALITY]
        size = INFINITE_CARDINALITY if not sizes else UNKNOWN_CARDINALITY if min(sizes) < 0 else min(sizes)

        def iterate(draws: Draws) -> Iterator:
            return map(tree.unflatten, zip(*(one._pass(draws) for one in several), strict=False))

        return _of_passes(iterate, size, several)

    def map(
        self, map_func: Callable, num_parallel_calls: Any = None, deterministic: Any = None, name: Any = None
    ) -> "Dataset":
        """Return the elements mapped by a function; a tuple's parts are its arguments.

        The function is compiled if it can be traced. If not, `num_parallel_calls` (`AUTOTUNE`: as many as there are
        processors) is the number of threads that call it.
        """
        workers = 1 if num_parallel_calls is None else int(num_parallel_calls)
        workers = workers if workers > 0 else os.cpu_count() or 1
        function = MapFunction(map_func, workers)
        if self._rows is not None:
            return self._then_rows(self._rows.mapped(function))
        if workers == 1:
            return self._then(lambda draws: map(function, self._pass(draws)))
        return self._then(lambda draws: ahead(function, self._pass(draws), workers, 2 * workers))

    def filter(self, predicate: Callable, name: Any = None) -> "Dataset":
        """Return the elements for which a function is true."""
        if self._rows is not None and (rows := self._rows.selected(MapFunction(predicate))) is not None:
            return self._then_rows(rows, UNKNOWN_CARDINALITY)
        chosen = lambda draws: (element for element in self._pass(draws) if bool(called(predicate, element)))  # noqa: E731
        return self._then(chosen, UNKNOWN_CARDINALITY)

    def batch(self, batch_size: int, drop_remainder: bool = False, **_: Any) -> "Dataset":
        """Return stacks of `batch_size` elements; the last may be smaller, or is dropped with `drop_remainder`."""
        size = int(batch_size)
        batches = number_of_batches(self._size, size, drop_remainder)
        if (rows := self._rows) is not None:
            batched = self._then(lambda draws: rows.batches(size, drop_remainder, draws), batches)
            batched.batched_rows = BatchedRows(rows, self._size, size, drop_remainder)
        else:
            batched = self._then(
                lambda draws: (
                    jax.tree.map(stacked, *elements) for elements in grouped(self._pass(draws), size, drop_remainder)
                ),
                batches,
            )
        batched.batch_size = size
        batched.open_rows = None if drop_remainder else size
        return batched

    def unbatch(self, name: Any = None) -> "Dataset":
        """Return the rows of each element."""
        rows = lambda draws: (row for element in self._pass(draws) for row in Dataset.from_tensor_slices(element))  # noqa: E731
        return self._then(rows, UNKNOWN_CARDINALITY, keeps_batches=False)

    def shuffle(
        self, buffer_size: int, seed: Any = None, reshuffle_each_iteration: Any = True, name: Any = None
    ) -> "Dataset":
        """Return the elements in random order, drawn from a buffer of `buffer_size`, different in each epoch."""

        reshuffles = reshuffle_each_iteration is not False
        if seed is None and not reshuffles:
            seed = np.random.randint(2**31)  # one order for all epochs
        size = int(buffer_size)

        def generator(draws: Draws) -> np.random.Generator:
            number = epoch() if reshuffles else 0
            return draws.generator if seed is None else np.random.default_rng([seed, number])

        if self._rows is not None:
            found = self._then_rows(self._rows.shuffled(size, generator))
        else:
            found = self._then(lambda draws: _shuffled(self._pass(draws), size, generator(draws)))
        epoch = found.counting_epochs()
        return found

    def repeat(self, count: int | None = None, name: Any = None) -> "Dataset":
        """Return the elements `count` times, or endlessly."""
        times = None if count is None or count == -1 else int(count)
        size = INFINITE_CARDINALITY if times is None else _times(self._size, times)
        if self._rows is not None:
            return self._then_rows(self._rows.repeated(times), size)
        turns = itertools.count if times is None else functools.partial(range, times)
        return self._then(lambda draws: (element for _ in turns() for element in self._pass(draws)), size)

    def take(self, count: int, name: Any = None) -> "Dataset":
        """Return the first `count` elements; all for -1."""
        if count == -1:
            return self
        count = int(count)
        size = count if self._size == INFINITE_CARDINALITY else min(self._size, count)
        if self._rows is not None:
            return self._then_rows(self._rows.part(0, count), size)
        return self._then(lambda draws: itertools.islice(self._pass(draws), count), size)

    def skip(self, count: int, name: Any = None) -> "Dataset":
        """Return the elements after the first `count`; none for -1."""
        count = int(count)
        if count == -1:
            return self.take(0)
        size = max(self._size - count, 0) if self._size >= 0 else self._size
        if self._rows is not None:
            return self._then_rows(self._rows.part(count, None), size)
        return self._then(lambda draws: itertools.islice(self._pass(draws), count, None), size)

    def concatenate(self, dataset: "Dataset", name: Any = None) -> "Dataset":
        """Return the elements of this, then those of `dataset`."""
        size = self._size + dataset._size if min(self._size, dataset._size) >= 0 else min(self._size, dataset._size)
        both = lambda draws: itertools.chain(self._pass(draws), dataset._pass(draws))  # noqa: E731
        found = _of_passes(both, size, [self, dataset])
        found.open_rows = self.open_rows or dataset.open_rows
        return found

    def enumerate(self, start: int = 0, name: Any = None) -> "Dataset":
        """Return pairs of an index and an element."""
        return self._then(lambda draws: enumerate(self._pass(draws), start))

    def cache(self, *_: Any, **__: Any) -> "Dataset":
        """Return the elements, kept in memory after the first epoch."""
        if self._rows is not None and self._size >= 0 and self._rows.compiles():
            return self._then_rows(self._rows.kept())
        kept: list = []

        def iterate(draws: Draws) -> Iterator:
            if kept:
                yield from kept[0]
                return
            elements = []
            for element in self._pass(draws):
                elements.append(element)
                yield element
            kept.append(elements)

        return self._then(iterate)

    def rebatch(self, batch_size: int, drop_remainder: bool = False, name: Any = None) -> "Dataset":
        """Return the rows of the batches in batches of another size."""
        return self.unbatch().batch(batch_size, drop_remainder)

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
        return NumpyIterator(jax.tree.map(_as_numpy, element) for element in self._iterate())

    @property
    def element_spec(self) -> Any:
        """Shapes and dtypes of the elements, in their structure: those of the first, with a batch of any size."""
        elements = list(itertools.islice(self._iterate(), 2))
        if not elements:
            raise ValueError("The data set has no element, and so no element_spec.")
        return jax.tree.map(lambda *leaves: spec_of(leaves, self.open_rows), *elements)

    def make_one_shot_iterator(self) -> OwnedIterator:
        """Return an iterator over the elements, with ``get_next()``."""
        return OwnedIterator(self)

    make_initializable_iterator = make_one_shot_iterator

    def get_single_element(self, name: Any = None) -> Any:
        """Return the only element. ValueError if there are none or several."""
        found = list(itertools.islice(iter(self), 2))
        if len(found) != 1:
            raise ValueError(f"The data set has {'several elements' if found else 'no element'}, not a single one.")
        return found[0]

    def __iter__(self) -> Iterator:
        return OwnedIterator(self)

    def __len__(self) -> int:
        if self._size < 0:
            raise TypeError("The data set's length is infinite or unknown.")
        return self._size


def _of_passes(each_pass: Callable[[Draws], Iterator], size: int, sources: Sequence[Dataset] = ()) -> Dataset:
    """Return a data set made from `sources`; each pass over it has one origin of random numbers for the whole chain."""
    found = Dataset(lambda: each_pass(Draws()), size, sources)
    found._pass = each_pass
    return found


def _loaded(found: saved.Saved, name: str) -> Dataset:
    """Return the elements of a shard of a saved data set."""
    shard, arrays = found.shards[name], saved.arrays_of(found, name)
    if arrays is None:
        made = Dataset(lambda: saved.elements_of(found, name), shard.size)
        made.open_rows = None if found.drops_remainder else found.batch_size
        return made
    rows = Dataset.of_rows(Rows(lambda: arrays), shard.total or shard.size)
    return rows if shard.rows is None else rows.batch(shard.rows, found.drops_remainder)


def cardinality(dataset: Dataset) -> Any:
    """Return the number of elements of a data set, -1 if infinite, -2 if unknown.

    >>> int(cardinality(Dataset.range(3)))
    3
    """
    return dataset.cardinality()


_END = object()


def _chosen(datasets: Any, numbers: Iterator, draws: Draws, stops: bool) -> Iterator:
    sources = [one._pass(draws) for one in datasets]
    for number in numbers:
        element = next(sources[int(number)], _END)
        if element is not _END:
            yield element
        elif stops:
            return


def _without_lists(tensors: Any) -> Any:
    """TensorFlow treats a list as one array, a tuple or dictionary as several; Python's numbers have 32 bits."""
    if isinstance(tensors, tuple):
        return tuple(map(_without_lists, tensors))
    if isinstance(tensors, dict):
        kind = OrderedDict if isinstance(tensors, OrderedDict) else dict  # an OrderedDict keeps its order in elements
        return kind((key, _without_lists(value)) for key, value in tensors.items())
    array = np.asarray(tensors)
    if type(first_in(tensors)) is float:
        return array.astype(np.float32)
    is_small = type(first_in(tensors)) is int and bool(array.size) and array.dtype == np.int64
    return array.astype(np.int32) if is_small and np.abs(array).max() < 1 << 31 else array


def _times(size: int, count: int) -> int:
    return size * count if size >= 0 else size


def _shuffled(elements: Iterator, buffer_size: int, generator: np.random.Generator) -> Iterator:
    buffer = list(itertools.islice(elements, buffer_size))
    for element in elements:
        place = generator.integers(len(buffer))
        yield buffer[place]
        buffer[place] = element
    order = generator.permutation(len(buffer))
    yield from (buffer[place] for place in order)
