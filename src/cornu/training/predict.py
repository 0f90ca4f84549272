"""Prediction: blocks of whole batches in one compiled loop, the remaining rows padded to a few fixed shapes."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from cornu.data.arrays import ArrayBatches
from cornu.data.batches import Batches
from cornu.data.zero_copy import parts_in_place
from cornu.training.program import Predictor, with_others

# The most whole batches that one compiled call runs; smaller powers of two are compiled as needed.
MOST_STEPS = 256
# The most bytes of inputs of a call. They are copied, into memory that is at hand if it is not much: images are
# predicted up to 2.5 times as fast as all at once.
MOST_BYTES = 1 << 22


def predict(
    predictor: Predictor, batches: Batches, callbacks: Any, steps: int | None = None, together: int | None = None
) -> Any:
    """Return the outputs for all rows as numpy arrays.

    Args:
        predictor: the compiled prediction.
        batches: the data.
        callbacks: the `CallbackList` to notify.
        steps: number of batches; None runs all.
        together: number of rows to compute at once, if larger batches are allowed: the batch size times a power of two.

    Raises:
        ValueError: if a stream contains no batch.
    """
    watcher = callbacks.for_batches("predict")
    callbacks.on_predict_begin()
    with with_others(predictor.learner):
        if isinstance(batches, ArrayBatches) and batches.resident and steps is None and not watcher.every_batch:
            larger = together or 0
            calls = _in_pieces(batches, larger) if larger > batches.batch_size else _by_batches(batches)
            outputs = _resident(predictor, batches, watcher, calls)
        else:
            outputs = _streamed(predictor, batches, watcher, steps)
    callbacks.on_predict_end()
    if len(outputs.parts) == 1 and not outputs.placed:
        given, found = batches.batch.x if isinstance(batches, ArrayBatches) else None, outputs.parts[0]
        return jax.tree.map(np.array, found) if given is None else predictor.owned(found, given)
    return outputs.together()


class _Outputs:
    """The outputs of all calls. They go to their place in the result at once, so that their own memory is used again.

    `rows` is how many rows the result has; None if that is not known.
    """

    def __init__(self, rows: int | None) -> None:
        self.rows = rows
        self.parts: list[Any] = []  # of outputs that are not in their place
        self.placed = 0  # rows that are
        self._whole: Any = None

    def add(self, outputs: Any) -> None:
        """Take the outputs of a call, numpy arrays in any structure."""
        if self._whole is None and self.rows is not None and not self._are_all(outputs):
            self._whole = jax.tree.map(self._like, outputs)
        if self.parts or self._whole is None or not self._place(outputs):
            self.parts.append(outputs)

    def _are_all(self, outputs: Any) -> bool:
        leaves = jax.tree.leaves(outputs)
        return bool(leaves) and all(np.shape(leaf)[:1] == (self.rows,) for leaf in leaves)

    def _like(self, part: Any) -> np.ndarray:
        return np.empty((self.rows or 0, *np.shape(part)[1:]), part.dtype)

    def _place(self, outputs: Any) -> bool:
        """Copy outputs to the rows after those that are placed; returns whether they fit there."""
        leaves, tree = jax.tree.flatten(outputs)
        whole, expected = jax.tree.flatten(self._whole)
        if not leaves:
            return False
        stop = self.placed + (len(leaves[0]) if leaves[0].ndim else 0)
        places = [array[self.placed : stop] for array in whole]
        if bool(tree != expected) or any(  # type: ignore[operator]
            leaf.shape != place.shape or leaf.dtype != place.dtype for leaf, place in zip(leaves, places, strict=True)
        ):
            return False  # a step of the user's own may return anything
        for leaf, place in zip(leaves, places, strict=True):
            place[...] = leaf
        self.placed = stop
        return True

    def together(self) -> Any:
        """Return all outputs, one after the other."""
        if self.placed == self.rows:
            return self._whole
        placed = [jax.tree.map(lambda array: array[: self.placed], self._whole)] if self.placed else []
        return jax.tree.map(lambda *parts: np.concatenate(parts), *placed, *self.parts)


class _Call(NamedTuple):
    """Rows from `start` to before `stop` for one compiled call: whole batches of `size` rows, or a padded rest (0)."""

    start: int
    stop: int
    size: int


def _by_batches(batches: Any) -> Iterator[_Call]:
    """Yield 256, 128, ... whole batches at a time, then the remaining rows."""
    size, start = batches.batch_size, 0
    most = _most_rows(batches) // size
    while batches.rows - start >= size:
        stop = start + _power(min(most, (batches.rows - start) // size)) * size
        yield _Call(start, stop, size)
        start = stop
    if start < batches.rows:
        yield _Call(start, batches.rows, 0)


def _in_pieces(batches: Any, most: int) -> Iterator[_Call]:
    """Yield chunks of `most` rows, several per call, then smaller ones, each a power of two or padded to the next."""
    start, most_chunks = 0, max(1, _most_rows(batches) // most)
    while start < batches.rows:
        left = batches.rows - start
        count = _power(min(left // most, most_chunks))
        rows = count * most or _piece(left, batches.batch_size)
        yield _Call(start, start + rows, most if count else 0)
        start += rows


def _resident(predictor: Predictor, batches: Any, watcher: Any, calls: Iterable[_Call]) -> _Outputs:
    """Run the calls one after another."""
    outputs, batch = _Outputs(batches.rows), batches.batch_size
    with contextlib.closing(parts_in_place(batches.batch.x, list(calls))) as inputs:
        for (start, stop, size), x in inputs:
            watcher.on_batch_begin(start // batch)
            outputs.add(predictor.on_many(x, (stop - start) // size, size) if size else predictor.on_padded(x))
            watcher.on_batch_end(-(-stop // batch) - 1, {})
            if watcher.stopped():
                break
    return outputs


def _most_rows(batches: Any) -> int:
    """Return how many rows one call may compute: whole batches, at least one."""
    size = batches.batch_size
    one = sum(array.nbytes // max(1, len(array)) for array in jax.tree.leaves(batches.batch.x)) * size
    return max(1, min(MOST_STEPS, MOST_BYTES // max(1, one))) * size


def _power(count: int) -> int:
    """Return the largest power of two that is not larger; 0 for 0.

    >>> _power(6), _power(0)
    (4, 0)
    """
    return 1 << (count.bit_length() - 1) if count else 0


def _piece(left: int, size: int) -> int:
    """Return all remaining rows if padding adds less than a third to them, or if they are few; otherwise most of them.

    >>> _piece(100, 32), _piece(70, 32), _piece(7, 32)
    (100, 64, 7)
    """
    whole = _power(left)
    return left if left <= size or 2 * left > 3 * whole else whole


def _streamed(predictor: Predictor, batches: Batches, watcher: Any, steps: int | None) -> _Outputs:
    outputs = _Outputs(None)
    for step, batch in enumerate(batches.stream()):
        if steps is not None and step >= steps:
            break
        watcher.on_batch_begin(step)
        found = predictor.on_padded(batch.x)
        outputs.add(found)
        watcher.on_batch_end(step, {"outputs": found})
        if watcher.stopped():
            break
    if not outputs.parts:
        raise ValueError("There is no data to predict for: the stream yielded no batch.")
    return outputs
