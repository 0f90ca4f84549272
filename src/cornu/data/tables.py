"""Data sets of Hugging Face, whose rows are dictionaries of columns: read in slices, as columns of numpy arrays."""

import functools
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from cornu.core.errors import listed
from cornu.core.object_arrays import object_array
from cornu.core.seeds import fresh_seed
from cornu.core.tables import ARRAY_FORMATS, format_of
from cornu.data.batch import Batch
from cornu.data.columns import ColumnRule, Columns, is_named
from cornu.data.convert import is_array, to_array
from cornu.data.rows import KEPT_BYTES
from cornu.data.streams import PyDataset

FEW, BLOCK = 64, 1024  # rows that show how large all are, and rows that are read at once


def opened(x: Any, y: Any, sample_weight: Any, rule: ColumnRule, batch_size: int | None, shuffle: Any = False) -> tuple:
    """Return a data set as x, y and sample weights: arrays, or a stream of whole batches as x if it is large.

    Args:
        x: The data set.
        y, sample_weight: Names of columns; or arrays, beside a data set that is not large.
        rule: Chooses the columns.
        batch_size: Rows of a stream's batches; None is 32.
        shuffle: Whether streams shuffle, too.

    Raises:
        ValueError: The names of the columns do not say which are meant, or values do not fit together.
        TypeError: `x` is several data sets.
    """
    if isinstance(x, dict):
        raise TypeError(
            f"x is a dictionary of the data sets {listed(x)}: pass one of them, x[{next(iter(x), 'train')!r}]."
        )
    names = y if is_named(y) else None
    beside = y is not None and names is None
    weights = sample_weight if isinstance(sample_weight, str) else None
    if beside:
        rule = ColumnRule(rule.model, only_inputs=True, known=rule.known)
    found: Any = None
    if hasattr(x, "__len__"):
        if len(x) == 0:
            raise ValueError(f"There is no data: the data set with the columns {listed(x.column_names)} has 0 rows.")
        table = Table(x, rule.columns(_columns_of(x), names, weights))
        found = table.whole()
        stream: Any = None if found is not None else TableBatches(table, batch_size or 32, shuffle is True)
    else:
        stream = TableStream(x, batch_size or 32, lambda given: rule.columns(given, names, weights))
    if found is not None:
        return found.x, y if beside else found.y, found.sample_weight if weights else sample_weight
    if beside or (sample_weight is not None and weights is None):
        raise ValueError(
            "The data set is read batch by batch, so targets and sample weights have to be columns of it: "
            "data = data.add_column('label', y), then fit(data, y='label')."
        )
    return stream, None, None


def _columns_of(source: Any) -> list[str]:
    """Return the names of the columns that a data set gives in its format."""
    given = format_of(source)
    if given.get("type") == "custom":  # a function, which may give other columns
        return list(source[:1])
    names, chosen = list(source.column_names), given.get("columns")
    return names if chosen is None or given.get("output_all_columns") else [name for name in names if name in chosen]


class Table:
    """Columns of a data set whose rows can be read in any order."""

    def __init__(self, source: Any, columns: Columns) -> None:
        self.source, self.columns = source, columns

    def __len__(self) -> int:
        return len(self.source)

    @functools.cached_property
    def _readers(self) -> list[tuple[Any, list[str] | None]]:
        """Views of the data set, in a format each, and the names of the columns to take from them."""
        if format_of(self.source).get("type") in ARRAY_FORMATS:
            return [(self.source, None)]
        features = getattr(self.source, "features", None) or {}
        kinds = {name: str(getattr(features.get(name), "dtype", "")) for name in self.columns.names}
        texts = [name for name, kind in kinds.items() if kind in ("string", "large_string", "binary")]
        others = [name for name in kinds if name not in texts]
        views = ((None, texts), ("numpy", others))
        return [(self.source.with_format(kind, columns=names), names) for kind, names in views if names]

    def read(self, rows: Any) -> Batch:
        """Return some rows: a slice or a list of their numbers."""
        return self.columns.batch(self._arrays(rows))

    def _arrays(self, rows: Any) -> dict[str, Any]:
        """Return some rows of each column."""
        numbers = range(*rows.indices(len(self))) if isinstance(rows, slice) else rows
        found: dict[str, Any] = {}
        for view, names in self._readers:
            part = view[rows]
            found |= {name: as_column(part[name], name, numbers) for name in (names or self.columns.names)}
        return found

    def whole(self) -> Batch | None:
        """Return all rows; None if they are large, or a function makes them each time they are read."""
        if format_of(self.source).get("type") == "custom":
            return None
        first = self._arrays(slice(0, FEW))
        if sum(map(_bytes_of, jax.tree.leaves(first))) / min(FEW, len(self)) * len(self) > KEPT_BYTES:
            return None
        parts = [first, *(self._arrays(slice(start, start + BLOCK)) for start in range(FEW, len(self), BLOCK))]
        return self.columns.batch({name: _joined(name, [part[name] for part in parts]) for name in first})

    def part(self, start: int, stop: int) -> "Table":
        """Return some of the rows as a table."""
        return Table(self.source.select(range(start, stop)), self.columns)


class TableBatches(PyDataset):
    """Batches of a large data set's rows, read when they are needed, in an order of its own each epoch if `shuffle`."""

    def __init__(self, table: Table, batch_size: int, shuffle: bool = False) -> None:
        super().__init__()
        self.table, self.batch_size, self.shuffle = table, batch_size, shuffle
        self._order: np.ndarray | None = None

    def __len__(self) -> int:
        return math.ceil(len(self.table) / self.batch_size)

    def on_epoch_begin(self) -> None:
        """Draw the order of the rows."""
        if self.shuffle:
            self._order = np.random.default_rng(fresh_seed()).permutation(len(self.table))

    def __getitem__(self, index: int) -> Batch:
        start, stop = index * self.batch_size, min((index + 1) * self.batch_size, len(self.table))
        if self._order is None:
            return self.table.read(slice(start, stop))
        return self.table.read(np.sort(self._order[start:stop]).tolist())

    def split(self, fraction: float) -> tuple["TableBatches", "TableBatches"]:
        """Return batches of the rows before the last `fraction` of them, and of these."""
        cut = math.floor(len(self.table) * (1 - fraction))
        before, after = self.table.part(0, cut), self.table.part(cut, len(self.table))
        return TableBatches(before, self.batch_size, self.shuffle), TableBatches(after, self.batch_size)


class TableStream:
    """Batches of a data set that is read from its beginning to its end.

    `choose` returns the columns to take, by the names of all.
    """

    def __init__(self, source: Any, batch_size: int, choose: Callable[[list[str]], Columns]) -> None:
        self.source, self.batch_size, self.choose = source, batch_size, choose

    def __iter__(self) -> Iterator[Batch]:
        start = 0
        for batch in self.source.iter(batch_size=self.batch_size):
            columns = self.choose(list(batch))
            numbers = range(start, start + len(batch[columns.names[0]]))
            yield columns.batch({name: as_column(batch[name], name, numbers) for name in columns.names})
            start = numbers.stop


def as_column(values: Any, name: str, numbers: Any) -> Any:
    """Return a column's values as one array; as a dictionary of arrays if they are dictionaries.

    `numbers` are the row numbers, for messages. Raises ValueError if a value is missing or has another shape.
    """
    if is_array(values) and str(getattr(values, "dtype", "object")) != "object":
        return to_array(values, f"column {name!r}", text=True)
    values = list(values)
    for value, number in zip(values, numbers, strict=True):
        if value is None:
            raise ValueError(
                f"Column {name!r} has None in row {number}.\n"
                "Drop such rows, as with dataset.filter, or replace the value, as with dataset.map."
            )
    first = values[0]
    if isinstance(first, dict):
        return {key: as_column([value.get(key) for value in values], f"{name}.{key}", numbers) for key in first}
    if isinstance(first, (str, bytes)):
        return to_array(object_array(values), f"column {name!r}", text=True)
    return _stacked(values, name, numbers)


def _stacked(values: list, name: str, numbers: Any) -> np.ndarray:
    """Return pictures, tensors, lists or numbers as rows of one array."""
    arrays = [_plain(value, name, number) for value, number in zip(values, numbers, strict=True)]
    for array, number in zip(arrays, numbers, strict=True):
        if array.shape != arrays[0].shape:
            raise _unequal(name, arrays[0], array, (numbers[0], number))
    return np.stack(arrays)


def _plain(value: Any, name: str, number: int) -> np.ndarray:
    return np.asarray(to_array(value, f"Row {number} of column {name!r}", text=True))


def _bytes_of(array: Any) -> int:
    return sum(map(sys.getsizeof, array.flat)) if array.dtype == object else array.nbytes


def _joined(name: str, parts: list[Any]) -> Any:
    """Return parts of a column as one. ValueError if their rows differ in shape."""
    row = 0
    for part in parts:
        for first, leaf in zip(jax.tree.leaves(parts[0]), jax.tree.leaves(part), strict=True):
            if leaf.shape[1:] != first.shape[1:]:
                raise _unequal(name, first[0], leaf[0], (0, row))
        row += len(jax.tree.leaves(part)[0])
    return jax.tree.map(lambda *arrays: np.concatenate(arrays) if len(arrays) > 1 else arrays[0], *parts)


def _unequal(name: str, one: Any, other: Any, rows: tuple[int, int]) -> ValueError:
    """Return the error for two values of a column, in two rows, that differ in shape."""
    advice = "Resize the pictures to one size" if one.ndim > 1 and one.dtype == np.uint8 else "Pad them to one length"
    return ValueError(
        f"The values of column {name!r} differ in shape: {one.shape} in row {rows[0]}, {other.shape} in row {rows[1]}."
        f"\n{advice} first, as with dataset.map(function)."
    )
