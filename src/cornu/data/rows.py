"""Rows of arrays in some order, mapped by functions: the form of a `Dataset` whose elements are rows of arrays.

The order is a stream of row numbers; what shuffles, repeats, takes or skips changes that stream alone. Rows are read
and mapped in blocks of some thousands, and come out as batches or one by one.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from cornu.core.seeds import fresh_seed
from cornu.data.mapping import MapFunction

#: Bytes of arrays that are read and mapped at once, and the fewest and most rows.
BLOCK_BYTES, FEWEST, MOST = 1 << 22, 64, 4096
#: The most bytes of mapped rows that are computed once for all epochs.
KEPT_BYTES = 1 << 30

Numbers = Iterator[np.ndarray]  # row numbers, in runs of any length


class Draws:
    """The random numbers of one pass over a data set, all from one seed that numpy's generator gives.

    It is drawn when it is first needed, which is near the beginning: so a backup can repeat the pass from there.
    """

    @functools.cached_property
    def generator(self) -> np.random.Generator:
        """The pass's generator."""
        return np.random.default_rng(fresh_seed())

    def words(self) -> np.ndarray:
        """Return the words of a new key."""
        return self.generator.integers(2**32, size=4, dtype=np.uint32)


class Rows:
    """The rows of some arrays in an order, after some functions.

    Args:
        read: Returns a structure of arrays of one length.
        order: Returns the row numbers of a new epoch, by its `Draws`; by default all, in order.
        functions: What is applied to each row.
        permutes: Whether each epoch has all rows, each once.
    """

    def __init__(
        self,
        read: Callable[[], Any],
        order: Callable[[Draws], Numbers] | None = None,
        functions: tuple[MapFunction, ...] = (),
        permutes: bool = True,
    ) -> None:
        self.read, self.functions, self.permutes = read, functions, permutes
        self.given_order = order
        self._computed: Any = None

    @property
    def in_order(self) -> bool:
        """Whether the rows are those of the arrays, one after the other."""
        return self.given_order is None

    def order(self, draws: Draws) -> Numbers:
        """Return the row numbers of a new epoch."""
        return iter([np.arange(_length(self.read()))]) if self.given_order is None else self.given_order(draws)

    def shuffled(self, buffer_size: int, generator: Callable[[Draws], np.random.Generator]) -> "Rows":
        """Return the rows in random order."""
        order = lambda draws: shuffled(self.order(draws), buffer_size, generator(draws))  # noqa: E731
        return Rows(self.read, order, self.functions, self.permutes)

    def repeated(self, count: int | None) -> "Rows":
        """Return the rows `count` times, or endlessly."""
        turns = itertools.count if count is None else functools.partial(range, count)
        order = lambda draws: (run for _ in turns() for run in self.order(draws))  # noqa: E731
        return Rows(self.read, order, self.functions, permutes=False)

    def mapped(self, function: MapFunction) -> "Rows":
        """Return the rows after one more function."""
        return Rows(self.read, self.given_order, (*self.functions, function), self.permutes)

    def selected(self, predicate: MapFunction) -> "Rows | None":
        """Return the rows for which a function is true; None unless that is compiled and depends on each row alone."""
        tested = Rows(self.read, None, (*self.functions, predicate))
        if not _length(self.read()) or not tested.compiles() or not all(one.is_pure for one in tested.functions):
            return None
        is_selected = functools.cache(lambda: _joined(tested._blocks(Draws())).reshape(-1).astype(bool))
        order = lambda draws: (run[is_selected()[run]] for run in self.order(draws))  # noqa: E731
        return Rows(self.read, order, self.functions, permutes=False)

    def part(self, start: int, stop: int | None) -> "Rows":
        """Return some of the rows by their numbers in the order; `stop` None is the end."""
        if self.in_order:
            read = self.read
            return Rows(lambda: jax.tree.map(lambda array: array[start:stop], read()), None, self.functions)
        count = None if stop is None else stop - start
        order = lambda draws: taken(skipped(self.order(draws), start), count)  # noqa: E731
        return Rows(self.read, order, self.functions, permutes=False)

    def computed(self) -> Any:
        """Return all rows as arrays, in the order of the source, mapped once for all epochs.

        None if that would differ from mapping them in each epoch (a function draws random numbers, has variables or is
        not compiled), or if they need over `KEPT_BYTES`.
        """
        if not self.functions:
            return self.read()
        if self._computed is None:
            arrays = self.read()
            blocks = Rows(self.read, None, self.functions)._blocks(Draws())
            first = next(blocks)
            size = sum(leaf.nbytes for leaf in jax.tree.leaves(first)) * _length(arrays) / _length(first)
            if size > KEPT_BYTES or not all(function.is_pure for function in self.functions):
                return None
            self._computed = _joined([first, *blocks])
        return self._computed

    def compiles(self) -> bool:
        """Return whether all functions are compiled. None that is not is called."""
        block = _part(self.read(), 0, FEWEST)
        for function in self.functions:
            if not function.compiles_rows(block):
                return False
            block = function.rows(block, lambda: np.zeros(4, np.uint32))
        return True

    def kept(self) -> "Rows":
        """Return the rows in the order and with the values of the first epoch, which are kept in memory."""
        whole: list[Any] = []

        def read() -> Any:
            if not whole:
                whole.append(_joined(self._blocks(Draws())))
            return whole[0]

        return Rows(read)

    def one_by_one(self, draws: Draws) -> Iterator[Any]:
        """Return the rows, each alone."""
        for block in self._blocks(draws):
            for row in range(_length(block)):
                yield jax.tree.map(lambda array: array[row], block)  # noqa: B023

    def batches(self, size: int, drop_remainder: bool, draws: Draws) -> Iterator[Any]:
        """Return the rows in batches of `size`."""
        for block in self._blocks(draws, size):
            count = _length(block)
            for start in range(0, count, size):
                if start + size <= count or not drop_remainder:
                    yield _part(block, start, start + size)

    def _blocks(self, draws: Draws, multiple: int = 1) -> Iterator[Any]:
        """Return the rows in blocks, whose sizes are the same multiple of a number; the last may be smaller."""
        arrays = self.read()
        available = _length(arrays)
        bytes_of_row = sum(array.nbytes for array in jax.tree.leaves(arrays)) // max(available, 1)
        most = min(max(BLOCK_BYTES // max(bytes_of_row, 1), FEWEST), MOST)
        size = max(most // multiple, 1) * multiple
        for numbers in regrouped(self.order(draws), size):
            # A block of another size would be compiled for itself.
            fills = self.functions and len(numbers) < size <= available
            filled = np.concatenate([numbers, np.full(size - len(numbers), numbers[-1])]) if fills else numbers
            block = jax.tree.map(lambda array: array[_where(filled)], arrays)  # noqa: B023
            functions = list(self.functions)
            while functions and functions[0].compiles_rows(block):
                block = functions.pop(0).rows(block, draws.words)
            block = _part(block, 0, len(numbers)) if fills else block
            if not functions:
                yield block
                continue
            # The others run row by row: few rows at once, since they may take long.
            few = multiple if multiple > 1 else max(function.workers for function in functions)
            for start in range(0, len(numbers), few):
                part = _part(block, start, start + few)
                for function in functions:
                    part = function.rows(part, draws.words)
                yield part


def _joined(blocks: Iterable[Any]) -> Any:
    return jax.tree.map(lambda *parts: np.concatenate(parts), *blocks)


def _part(arrays: Any, start: int, stop: int) -> Any:
    return jax.tree.map(lambda array: array[start:stop], arrays)


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


def in_one(numbers: Numbers) -> np.ndarray:
    """Return all row numbers of an epoch."""
    return np.concatenate([np.arange(0), *numbers]).astype(np.int32)


def taken(numbers: Numbers, count: int | None) -> Numbers:
    """Return the first `count` row numbers, or all."""
    for run in numbers if count is None or count > 0 else ():
        yield run[:count]
        if count is not None:
            count -= len(run)
            if count <= 0:
                return


def skipped(numbers: Numbers, count: int) -> Numbers:
    """Return the row numbers after the first `count`."""
    for run in numbers:
        yield run[count:]
        count = max(count - len(run), 0)
