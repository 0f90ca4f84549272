"""Rows of arrays in some order, mapped by functions: the form of a `Dataset` whose elements are rows of arrays.

The order is a stream of row numbers; what shuffles, repeats, takes or skips changes that stream alone. Rows are read
and mapped in blocks of some thousands, and come out as batches or one by one.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from cornu.data.mapping import MapFunction

#: Bytes of arrays that are read and mapped at once, and the fewest and most rows.
BLOCK_BYTES, FEWEST, MOST = 1 << 22, 64, 4096

Numbers = Iterator[np.ndarray]  # row numbers, in runs of any length


class Rows:
    """The rows of some arrays in an order, after some functions.

    Args:
        read: Returns a structure of arrays of one length.
        order: Returns the row numbers of a new epoch; by default all, in order.
        functions: What is applied to each row.
    """

    def __init__(
        self,
        read: Callable[[], Any],
        order: Callable[[], Numbers] | None = None,
        functions: tuple[MapFunction, ...] = (),
    ) -> None:
        self.read, self.functions = read, functions
        self.order = order or (lambda: iter([np.arange(_length(read()))]))

    def reordered(self, change: Callable[[Numbers], Numbers]) -> "Rows":
        """Return the rows in an order made from this one."""
        return Rows(self.read, lambda: change(self.order()), self.functions)

    def mapped(self, function: MapFunction) -> "Rows":
        """Return the rows after one more function."""
        return Rows(self.read, self.order, (*self.functions, function))

    def kept(self) -> "Rows":
        """Return the rows in the order and with the values of the first epoch, which are kept in memory."""
        whole: list[Any] = []

        def read() -> Any:
            if not whole:
                whole.append(jax.tree.map(lambda *parts: np.concatenate(parts), *self._blocks()))
            return whole[0]

        return Rows(read)

    def __iter__(self) -> Iterator[Any]:
        for block in self._blocks():
            for row in range(_length(block)):
                yield jax.tree.map(lambda array: array[row], block)  # noqa: B023

    def batches(self, size: int, drop_remainder: bool) -> Iterator[Any]:
        """Return the rows in batches of `size`."""
        for block in self._blocks(size):
            count = _length(block)
            for start in range(0, count, size):
                if start + size <= count or not drop_remainder:
                    yield jax.tree.map(lambda array: array[start : start + size], block)  # noqa: B023

    def _blocks(self, multiple: int = 1) -> Iterator[Any]:
        """Return the rows in blocks, whose sizes are the same multiple of a number; the last may be smaller."""
        arrays = self.read()
        available = _length(arrays)
        bytes_of_row = sum(array.nbytes for array in jax.tree.leaves(arrays)) // max(available, 1)
        most = min(max(BLOCK_BYTES // max(bytes_of_row, 1), FEWEST), MOST)
        size = max(most // multiple, 1) * multiple
        for numbers in regrouped(self.order(), size):
            # A block of another size would be compiled anew.
            fills = self.functions and len(numbers) < size <= available
            filled = np.concatenate([numbers, np.full(size - len(numbers), numbers[-1])]) if fills else numbers
            block = jax.tree.map(lambda array: array[_where(filled)], arrays)  # noqa: B023
            for function in self.functions:
                block = function.rows(block)
            yield jax.tree.map(lambda array: array[: len(numbers)], block) if fills else block  # noqa: B023


def _length(arrays: Any) -> int:
    return len(jax.tree.leaves(arrays)[0])


def _where(numbers: np.ndarray) -> Any:
    """Return row numbers as an index: a slice, which copies nothing, where they are a run."""
    first, last = int(numbers[0]), int(numbers[-1])
    is_run = last - first == len(numbers) - 1 and bool((numbers[1:] > numbers[:-1]).all())
    return slice(first, last + 1) if is_run else numbers


def regrouped(numbers: Numbers, size: int) -> Numbers:
    """Return row numbers in runs of `size`; the last may be shorter.

    >>> [run.tolist() for run in regrouped(iter([np.arange(3), np.arange(3, 5)]), 2)]
    [[0, 1], [2, 3], [4]]
    """
    held = np.arange(0)
    for run in numbers:
        held = np.concatenate([held, run]) if len(held) else run
        whole = len(held) - len(held) % size
        yield from (held[start : start + size] for start in range(0, whole, size))
        held = held[whole:]
    if len(held):
        yield held


def shuffled(numbers: Numbers, buffer_size: int, generator: np.random.Generator) -> Numbers:
    """Return row numbers in random order, as if drawn from a buffer of `buffer_size` that the others fill up."""
    buffer = np.arange(0)
    for run in numbers:
        held = np.concatenate([buffer, run]) if len(buffer) else run
        buffer, rest = held[:buffer_size].copy(), held[buffer_size:]
        out = np.empty_like(rest)
        for at, (place, number) in enumerate(zip(generator.integers(buffer_size, size=len(rest)), rest, strict=True)):
            out[at], buffer[place] = buffer[place], number
        yield out
    yield generator.permutation(buffer)


def taken(numbers: Numbers, count: int) -> Numbers:
    """Return the first `count` row numbers."""
    for run in numbers if count > 0 else ():
        yield run[:count]
        count -= len(run)
        if count <= 0:
            return


def skipped(numbers: Numbers, count: int) -> Numbers:
    """Return the row numbers after the first `count`."""
    for run in numbers:
        yield run[count:]
        count = max(count - len(run), 0)


def sharded(numbers: Numbers, count: int, index: int) -> Numbers:
    """Return every `count`-th row number, from number `index` on."""
    seen = 0
    for run in numbers:
        yield run[(index - seen) % count :: count]
        seen += len(run)


def repeated(order: Callable[[], Numbers], count: int | None) -> Numbers:
    """Return the row numbers of `count` epochs, or endlessly."""
    for _ in range(count) if count is not None else itertools.count():
        yield from order()
