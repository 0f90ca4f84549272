"""What data sets of Hugging Face look like from outside: tables whose rows are dictionaries, and streams of them."""

import collections.abc

import numpy as np


class Feature:
    def __init__(self, dtype):
        self.dtype = dtype


class Column(collections.abc.Sequence):
    """A column: slices are read when they are asked for."""

    def __init__(self, source, column_name):
        self.source, self.column_name = source, column_name

    def __len__(self):
        return len(self.source[self.column_name])

    def __getitem__(self, place):
        return self.source[self.column_name][place]


class Table:
    """A `datasets.Dataset` of columns that are lists or arrays; `reads` are the rows that were asked for."""

    def __init__(self, kind=None, chosen=None, function=None, /, **columns):
        self.columns, self.kind, self.chosen, self.function = columns, kind, chosen, function
        self.reads = []

    @property
    def column_names(self):
        return list(self.columns)

    @property
    def features(self):
        return {name: Feature("string" if isinstance(one[0], str) else "float") for name, one in self.columns.items()}

    @property
    def format(self):
        columns = self.column_names if self.chosen is None else self.chosen
        return {"type": self.kind, "format_kwargs": {}, "columns": columns, "output_all_columns": False}

    def with_format(self, kind, columns=None, output_all_columns=False):
        found = Table(kind, columns, **self.columns)
        found.reads = self.reads
        return found

    def with_transform(self, function):
        return Table("custom", None, function, **self.columns)

    def select(self, rows):
        found = {name: [one[row] for row in rows] for name, one in self.columns.items()}
        return Table(self.kind, self.chosen, self.function, **found)

    def iter(self, batch_size):
        return (self[start : start + batch_size] for start in range(0, len(self), batch_size))

    def __iter__(self):
        return (self[row] for row in range(len(self)))

    def __len__(self):
        return len(next(iter(self.columns.values())))

    def __getitem__(self, key):
        if isinstance(key, str):
            return Column(self.columns, key)
        self.reads.append(key)
        names = self.format["columns"]
        rows = range(len(self))[key] if isinstance(key, (slice, int)) else key
        if isinstance(rows, int):
            return {name: self.columns[name][rows] for name in names}
        found = {name: [self.columns[name][row] for row in rows] for name in names}
        if self.function is not None:
            return self.function(found)
        return {name: as_numpy(one) if self.kind == "numpy" else one for name, one in found.items()}


class Stream:
    """A `datasets.IterableDataset`, which does not tell its columns."""

    column_names = features = None

    def __init__(self, table):
        self.table = table

    def with_format(self, kind):
        return Stream(self.table.with_format(kind))

    def iter(self, batch_size):
        return self.table.iter(batch_size)

    def __iter__(self):
        return iter(self.table)


class Splits(dict):
    """A `datasets.DatasetDict`."""

    @property
    def column_names(self):
        return {name: one.column_names for name, one in self.items()}

    def with_format(self, kind):
        return Splits({name: one.with_format(kind) for name, one in self.items()})


def as_numpy(values):
    if isinstance(values[0], dict):
        return np.array(values, object)
    try:
        return np.asarray([np.asarray(value) for value in values])
    except ValueError:  # of several shapes
        found = np.empty(len(values), object)
        found[:] = [np.asarray(value) for value in values]
        return found
