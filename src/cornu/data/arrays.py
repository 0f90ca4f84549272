"""Batches of arrays in memory (or memory-mapped files)."""

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from cornu.data.batch import Batch, OwnBatch, ReadPosition
from cornu.data.convert import map_arrays, rows_in
from cornu.data.zero_copy import Shared, fresh, on_device

# Arrays above this size stay on the host (or in their file) and are streamed batch by batch.
RESIDENT_BYTES = 4 << 30


class ArrayBatches(ReadPosition):
    """Batches of rows of arrays, in order or reshuffled each epoch. The short last batch is kept.

    Args:
        batch: all rows.
        batch_size: rows per batch; None means 32.
        shuffle: True (all rows), ``"batch"`` (the order of whole batches) or False.

    `rows` is how many an epoch has, of those that are `available`; `together` is the number of batches that an
    evaluation may compute as one.
    """

    together = 1

    def __init__(self, batch: Batch, batch_size: int | None, shuffle: bool | str) -> None:
        self.batch = batch
        self.available = self.rows = rows_in(batch.x, batch.y, batch.sample_weight)
        self.batch_size = check_batch_size(batch_size)
        self.shuffle = shuffle
        self.steps = math.ceil(self.rows / self.batch_size)
        leaves = jax.tree.leaves(batch)
        mapped = any(
            isinstance(leaf, np.memmap) or isinstance(getattr(leaf, "base", None), np.memmap) for leaf in leaves
        )
        self.resident = not mapped and sum(leaf.nbytes for leaf in leaves) <= RESIDENT_BYTES
        self.restarts = True
        self._device: Batch | None = None

    @property
    def example(self) -> Batch:
        """Shapes and dtypes of one batch."""
        size = min(self.batch_size, self.rows)
        return map_arrays(lambda a: jax.ShapeDtypeStruct((size, *a.shape[1:]), _device_dtype(a.dtype)), self.batch)

    @property
    def device_arrays(self) -> Batch:
        """The arrays on the device, transferred once, or shared with the host."""
        if self._device is None:
            self._device = map_arrays(functools.partial(on_device, placement=self.placement), self.padded(self.batch))
        else:
            self._device = jax.tree.map(fresh, self._device, is_leaf=lambda leaf: isinstance(leaf, Shared))
        return self._device

    def revise(self, revised: Callable[[Batch], Batch]) -> None:
        """Replace the rows by what a function makes of them."""
        self.batch = revised(self.batch)

    def order(self) -> np.ndarray | None:
        """Return the row indices of a new epoch, or None for rows in order."""
        self.last_order = self._new_order()
        return self.last_order

    def _new_order(self) -> np.ndarray | None:
        if not self.shuffle:
            return None
        if self.shuffle == "batch":
            starts = np.random.permutation(self.rows // self.batch_size) * self.batch_size
            rows = (starts[:, None] + np.arange(self.batch_size)).reshape(-1)  # (batches, batch_size) -> (rows,)
            return np.concatenate([rows, np.arange(rows.size, self.rows)]).astype(np.int32)
        return np.random.permutation(self.rows).astype(np.int32)

    def stream(self) -> Iterator[Batch]:
        """Return an iterator over the batches of an epoch, as host arrays."""
        order = self.order()
        return (self._rows(order, start) for start in range(0, self.rows, self.batch_size))

    def _rows(self, order: np.ndarray | None, start: int) -> Batch:
        stop = min(start + self.batch_size, self.rows)
        rows: Any = slice(start, stop) if order is None else np.sort(order[start:stop])
        if self.part is not None and (stop - start) % self.part[1] == 0:
            rows = np.split(np.arange(start, stop) if order is None else rows, self.part[1])[self.part[0]]
            return OwnBatch(*map_arrays(lambda array: _host_rows(array, rows), self.batch))
        return map_arrays(lambda array: _host_rows(array, rows), self.batch)

    def on_epoch_end(self) -> None:
        """Does nothing between epochs."""


class OrderedBatches(ArrayBatches):
    """Batches of rows of arrays in an order that a data set draws for each epoch.

    Args:
        batch: all rows.
        batch_size: rows per batch.
        order: returns the row numbers of an epoch; None is all, in order.
        rows: how many rows an epoch has, from the beginning of the order.
        source: the data set, whose state backups keep.
    """

    def __init__(self, batch: Batch, batch_size: int, order: Callable[[], Any] | None, rows: int, source: Any) -> None:
        super().__init__(batch, batch_size, False)
        self.rows, self.steps, self.source = rows, math.ceil(rows / batch_size), source
        self._order_of_epoch = order

    def _new_order(self) -> np.ndarray | None:
        return None if self._order_of_epoch is None else self._order_of_epoch()[: self.rows]


def _host_rows(array: Any, rows: Any) -> np.ndarray:
    """Return some rows as a plain array; float64, which a mapped file may hold, is cast to the dtype of the device."""
    taken = np.asarray(array[rows])
    return taken.astype(_device_dtype(taken.dtype), copy=False)


def _device_dtype(dtype: Any) -> Any:
    return jax.dtypes.canonicalize_dtype(dtype)


def check_batch_size(batch_size: Any) -> int:
    """Return the batch size as int, 32 for None; ValueError if it is not a positive integer."""
    if batch_size is None:
        return 32
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ValueError(f"batch_size must be an integer, 1 or more; got {batch_size!r}.")
    return int(batch_size)


def split_rows(batch: Batch, fraction: float) -> tuple[Batch, Batch]:
    """Return the rows for training and those for validation, the last `fraction` of all rows.

    Raises ValueError if `fraction` is not between 0 and 1, or if one part would be empty.
    """
    if not isinstance(fraction, (int, float)) or not 0 < fraction < 1:
        raise ValueError(f"validation_split must be a fraction between 0 and 1; got {fraction!r}.")
    rows = rows_in(batch.x, batch.y, batch.sample_weight)
    cut = math.floor(rows * (1 - fraction))
    if cut == 0 or cut == rows:
        raise ValueError(f"validation_split={fraction} of {rows} rows leaves no rows for one of the two parts.")
    return map_arrays(lambda array: array[:cut], batch), map_arrays(lambda array: array[cut:], batch)
