"""The part of `Dataset` that regroups elements: windows, groups, padded batches, data sets made of elements."""

import bisect
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from cornu.data.mapping import called, stacked
from cornu.data.rows import Draws

UNKNOWN_CARDINALITY = -2


class Arrangements:
    """Methods of `Dataset` that take several elements to make one, or one to make several."""

    # Of `Dataset`:
    _size: int
    _pass: Callable[[Draws], Iterator]
    _then: Callable[..., Any]
    batch: Callable[..., Any]

    @staticmethod
    def of_list(elements: Sequence[Any]) -> Any:
        """Return the data set of the elements in a list."""
        raise NotImplementedError

    def shard(self, num_shards: int, index: int, name: Any = None) -> Any:
        """Return every `num_shards`-th element, from number `index` on. ValueError if there is no such shard."""
        count, first = int(num_shards), int(index)
        if not 0 <= first < count:
            raise ValueError(f"shard takes an index from 0 to {count - 1}; got {first}.")
        size = max(-(-(self._size - first) // count), 0) if self._size >= 0 else self._size
        return self._then(lambda draws: itertools.islice(self._pass(draws), first, None, count), size)

    def take_while(self, predicate: Callable, name: Any = None) -> Any:
        """Return the elements before the first for which a function is false."""
        return self._then(
            lambda draws: itertools.takewhile(lambda one: bool(called(predicate, one)), self._pass(draws)),
            UNKNOWN_CARDINALITY,
        )

    def unique(self, name: Any = None) -> Any:
        """Return each element once: where it is met first."""

        def iterate(draws: Draws) -> Iterator:
            seen: set[Any] = set()
            for element in self._pass(draws):
                key = element if isinstance(element, str) else np.asarray(element).tobytes()
                if key not in seen:
                    seen.add(key)
                    yield element

        return self._then(iterate, UNKNOWN_CARDINALITY)

    def scan(self, initial_state: Any, scan_func: Callable, name: Any = None) -> Any:
        """Return the outputs of ``scan_func(state, element)``, which gives the next state and an output."""

        def iterate(draws: Draws) -> Iterator:
            state = initial_state
            for element in self._pass(draws):
                state, output = scan_func(state, element)
                yield output

        return self._then(iterate)

    def flat_map(self, map_func: Callable, name: Any = None) -> Any:
        """Return the elements of the data sets that a function makes of the elements, one after the other."""
        return self._then(
            lambda draws: itertools.chain.from_iterable(
                called(map_func, element)._pass(draws) for element in self._pass(draws)
            ),
            UNKNOWN_CARDINALITY,
            keeps_batches=False,
        )

    def interleave(
        self,
        map_func: Callable,
        cycle_length: int | None = None,
        block_length: int = 1,
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        name: Any = None,
    ) -> Any:
        """Return the elements of the data sets that a function makes of the elements, in turns.

        Args:
            map_func: Makes a data set of an element.
            cycle_length: How many data sets take turns; one that is at its end makes room for the next. None: one for
                each processor of TensorFlow's, of which there are two here.
            block_length: How many elements of each are taken at once.
            num_parallel_calls, deterministic: Accepted; the order is always the same.
        """
        turns = 2 if cycle_length is None or int(cycle_length) < 1 else int(cycle_length)

        def iterate(draws: Draws) -> Iterator:
            sources = (iter(called(map_func, element)._pass(draws)) for element in self._pass(draws))
            slots: list[Iterator | None] = [None] * turns
            place, is_end = 0, False
            while not is_end or any(slot is not None for slot in slots):
                current = slots[place]
                if current is None and not is_end:  # an empty slot is filled when its turn comes
                    slots[place] = current = next(sources, None)
                    is_end = current is None
                if current is not None:
                    block = list(itertools.islice(current, int(block_length)))
                    yield from block
                    if len(block) < block_length:
                        slots[place] = None
                place = (place + 1) % turns

        return self._then(iterate, UNKNOWN_CARDINALITY, keeps_batches=False)

    def window(
        self, size: int, shift: int | None = None, stride: int = 1, drop_remainder: bool = False, name: Any = None
    ) -> Any:
        """Return windows of elements, each a data set; of tuples and dictionaries, such structures of data sets.

        Args:
            size: How many elements a window has; the last ones may have fewer, unless `drop_remainder`.
            shift: How many elements later the next window begins; None is `size`.
            stride: Distance of the elements in a window.
            drop_remainder: Whether to leave out shorter windows.
        """
        size, stride = int(size), int(stride)
        step = size if shift is None else int(shift)

        def iterate(draws: Draws) -> Iterator:
            elements, held = self._pass(draws), list[Any]()
            reach = (size - 1) * stride + 1
            while True:
                held += itertools.islice(elements, max(reach - len(held), 0))
                found = held[:reach:stride]
                if not found or (drop_remainder and len(found) < size):
                    return
                yield jax.tree.map(lambda *parts: self.of_list(parts), *found)
                skipped = max(step - len(held), 0)
                held = held[step:]
                for _ in itertools.islice(elements, skipped):
                    pass

        return self._then(iterate, UNKNOWN_CARDINALITY, keeps_batches=False)

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: Any = None,
    ) -> Any:
        """Return batches of elements of different sizes, filled up.

        Args:
            batch_size: Elements of a batch.
            padded_shapes: A shape for each array of an element; None or -1 in it, or instead of it, is the largest size
                in the batch.
            padding_values: What arrays are filled up with, for each or for all; None is 0, or ``""``.
            drop_remainder: Whether to leave out a last batch that is smaller.

        Raises:
            ValueError: An element is larger than its shape.
        """
        size = int(batch_size)
        batched = self._then(
            lambda draws: (
                _padded(rows, padded_shapes, padding_values)
                for rows in grouped(self._pass(draws), size, drop_remainder)
            ),
            number_of_batches(self._size, size, drop_remainder),
        )
        batched.open_rows = None if drop_remainder else size
        return batched

    def bucket_by_sequence_length(
        self,
        element_length_func: Callable,
        bucket_boundaries: Sequence[int],
        bucket_batch_sizes: Sequence[int],
        padded_shapes: Any = None,
        padding_values: Any = None,
        pad_to_bucket_boundary: bool = False,
        no_padding: bool = False,
        drop_remainder: bool = False,
        name: Any = None,
    ) -> Any:
        """Return padded batches of elements of similar length.

        Args:
            element_length_func: Returns the length of an element.
            bucket_boundaries: Lengths at which the next bucket begins.
            bucket_batch_sizes: Batch size of each bucket: one more than boundaries.
            padded_shapes, padding_values, drop_remainder: As for `padded_batch`.
            pad_to_bucket_boundary: Whether batches get the largest length of their bucket.
            no_padding: Whether elements of a batch have one shape already.

        Raises:
            ValueError: The number of batch sizes does not fit, or an element is longer than `pad_to_bucket_boundary`
                allows.
        """
        boundaries, sizes = list(bucket_boundaries), list(bucket_batch_sizes)
        if len(sizes) != len(boundaries) + 1:
            raise ValueError(
                f"{len(boundaries)} bucket_boundaries need {len(boundaries) + 1} bucket_batch_sizes; got {len(sizes)}."
            )

        def batch(number: int, rows: list[Any]) -> Any:
            if no_padding:
                return jax.tree.map(stacked, *rows)
            shapes = padded_shapes
            if pad_to_bucket_boundary:
                if number == len(boundaries):
                    raise ValueError(f"pad_to_bucket_boundary: an element is not shorter than {boundaries[-1]}.")
                shapes = jax.tree.map(
                    lambda leaf: (boundaries[number] - 1, *np.shape(leaf)[1:]) if np.ndim(leaf) else (), rows[0]
                )
            return _padded(rows, shapes, padding_values)

        def iterate(draws: Draws) -> Iterator:
            buckets: list[list[Any]] = [[] for _ in sizes]
            for element in self._pass(draws):
                number = bisect.bisect_right(boundaries, int(called(element_length_func, element)))
                buckets[number].append(element)
                if len(buckets[number]) == sizes[number]:
                    yield batch(number, buckets[number])
                    buckets[number] = []
            for number, rows in enumerate(buckets):
                if rows and not drop_remainder:
                    yield batch(number, rows)

        return self._then(iterate, UNKNOWN_CARDINALITY, keeps_batches=False)

    def group_by_window(
        self, key_func: Callable, reduce_func: Callable, window_size: int | None = None, window_size_func: Any = None,
        name: Any = None,
    ) -> Any:  # fmt: skip
        """Return the elements of ``reduce_func(key, data set)`` of groups of elements with one key.

        A group ends at `window_size` elements, or as many as ``window_size_func(key)`` says.
        """

        def iterate(draws: Draws) -> Iterator:
            groups: dict[int, list[Any]] = {}
            for element in self._pass(draws):
                key = int(called(key_func, element))
                groups.setdefault(key, []).append(element)
                most = int(window_size if window_size_func is None else window_size_func(key))  # type: ignore[arg-type]
                if len(groups[key]) == most:
                    yield from reduce_func(np.int64(key), self.of_list(groups.pop(key)))._pass(draws)
            for key, rows in groups.items():
                yield from reduce_func(np.int64(key), self.of_list(rows))._pass(draws)

        return self._then(iterate, UNKNOWN_CARDINALITY, keeps_batches=False)


def grouped(elements: Iterator, size: int, drop_remainder: bool) -> Iterator[list[Any]]:
    """Yield the elements in lists of `size`; the last may be shorter, or is left out."""
    while rows := list(itertools.islice(elements, size)):
        if len(rows) == size or not drop_remainder:
            yield rows


def number_of_batches(elements: int, size: int, drop_remainder: bool) -> int:
    """Return how many batches there are of a number of elements, which may be infinite or unknown."""
    if elements < 0:
        return elements
    return elements // size if drop_remainder else -(-elements // size)


def _padded(rows: list[Any], shapes: Any, values: Any) -> Any:
    """Return elements as a batch, each array filled up to one shape."""
    columns = [jax.tree.flatten(row) for row in rows]
    tree: Any = columns[0][1]
    wanted = [None] * tree.num_leaves if shapes is None else tree.flatten_up_to(_shapes_as(tree, shapes))
    fillings = _fillings(tree, values)
    batches = [
        _filled([np.asarray(leaves[at]) for leaves, _ in columns], wanted[at], fillings[at])
        for at in range(tree.num_leaves)
    ]
    return jax.tree.unflatten(tree, batches)


def _shapes_as(tree: Any, shapes: Any) -> Any:
    """Return shapes in the structure of elements: a single one is that of the only array."""
    return jax.tree.unflatten(tree, [shapes]) if tree.num_leaves == 1 and _is_shape(shapes) else shapes


def _is_shape(thing: Any) -> bool:
    return not isinstance(thing, dict) and all(one is None or isinstance(one, (int, np.integer)) for one in thing)


def _fillings(tree: Any, values: Any) -> list[Any]:
    if values is None or (np.ndim(values) == 0 and not isinstance(values, (tuple, list, dict))):
        return [values] * tree.num_leaves
    return list(tree.flatten_up_to(values))


def _filled(arrays: list[np.ndarray], wanted: Any, value: Any) -> np.ndarray:
    largest = [max(sizes) for sizes in zip(*(array.shape for array in arrays), strict=True)]
    shape = largest
    if wanted is not None:
        given = [None if size is None or int(size) < 0 else int(size) for size in wanted]
        shape = [most if size is None else size for size, most in zip(given, largest, strict=True)]
        if any(most > size for most, size in zip(largest, shape, strict=True)):
            raise ValueError(f"padded_batch: an element of shape {tuple(largest)} does not fit into {tuple(shape)}.")
    is_text = arrays[0].dtype.kind in "UO"
    filling = ("" if is_text else 0) if value is None else np.asarray(value)[()]
    found = np.full((len(arrays), *shape), filling, object if is_text else arrays[0].dtype)
    for row, array in zip(found, arrays, strict=True):
        if array.ndim:
            row[tuple(map(slice, array.shape))] = array
    if not arrays[0].ndim:
        found[:] = arrays
    return found
