"""``tf.data.experimental``: functions that are methods of data sets today, and tables of CSV files."""

import csv
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cornu.compat.tensorflow.files import decode_csv, glob, path_of
from cornu.compat.tensorflow.ragged import ragged_batch
from cornu.data.dataset import Dataset

sample_from_datasets, choose_from_datasets = Dataset.sample_from_datasets, Dataset.choose_from_datasets
save, load, Counter, RandomDataset = Dataset.save, Dataset.load, Dataset.counter, Dataset.random


def unbatch() -> Callable:
    """Return a function for `Dataset.apply` that takes batches apart."""
    return lambda dataset: dataset.unbatch()


def shuffle_and_repeat(buffer_size: int, count: int | None = None, seed: Any = None) -> Callable:
    """Return a function for `Dataset.apply` that shuffles and repeats."""
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


def map_and_batch(map_func: Callable, batch_size: int, *_: Any, drop_remainder: bool = False, **__: Any) -> Callable:
    """Return a function for `Dataset.apply` that changes elements and batches them."""
    return lambda dataset: dataset.map(map_func).batch(batch_size, drop_remainder)


def _applied(method: Callable) -> Callable:
    """Return what makes functions for `Dataset.apply` of a method: it takes the method's arguments."""
    return lambda *args, **kwargs: lambda dataset: method(dataset, *args, **kwargs)


bucket_by_sequence_length = _applied(Dataset.bucket_by_sequence_length)
group_by_window = _applied(Dataset.group_by_window)


def dense_to_ragged_batch(batch_size: int, drop_remainder: bool = False, row_splits_dtype: Any = None) -> Callable:
    """Return a function for `Dataset.apply` that batches elements of different lengths to ragged tensors."""
    return lambda dataset: ragged_batch(dataset, batch_size, drop_remainder)


def prefetch_to_device(device: Any, buffer_size: Any = None) -> Callable:
    """Return a function for `Dataset.apply` that reads ahead."""
    return lambda dataset: dataset.prefetch(buffer_size or 1)


def assert_cardinality(expected_cardinality: int) -> Callable:
    """Return a function for `Dataset.apply` that takes a data set as it is."""
    return lambda dataset: dataset.take(expected_cardinality)


def ignore_errors(log_warning: bool = False) -> Callable:
    """Return a function for `Dataset.apply` that ends at the first element that fails."""

    def apply(dataset: Dataset) -> Dataset:
        def elements() -> Iterator:
            iterator = iter(dataset)
            while True:
                try:
                    yield next(iterator)
                except StopIteration:
                    return
                except Exception:
                    continue

        return Dataset(elements)

    return apply


def get_single_element(dataset: Dataset) -> Any:
    """Return the only element."""
    return dataset.get_single_element()


def CsvDataset(  # noqa: N802
    filenames: Any, record_defaults: Any, compression_type: Any = None, buffer_size: Any = None, header: bool = False,
    field_delim: str = ",", use_quote_delim: bool = True, na_value: str = "", select_cols: Any = None, **_: Any,
) -> Dataset:  # fmt: skip
    """Return the lines of CSV files, each as a tuple of its columns."""
    paths = glob(filenames)

    def rows() -> Iterator:
        for path in paths:
            with open(path, encoding="utf-8", newline="") as file:
                for number, line in enumerate(file):
                    if number or not header:
                        text = line.rstrip("\r\n")
                        defaults = (record_defaults, field_delim, use_quote_delim, na_value, select_cols)
                        yield tuple(np.asarray(one) for one in decode_csv(text, *defaults))

    return Dataset(rows)


def make_csv_dataset(
    file_pattern: Any, batch_size: int, column_names: Any = None, column_defaults: Any = None, label_name: Any = None,
    select_columns: Any = None, field_delim: str = ",", use_quote_delim: bool = True, na_value: str = "",
    header: bool = True, num_epochs: int | None = None, shuffle: bool = True, shuffle_buffer_size: int = 10000,
    shuffle_seed: Any = None, *_: Any, **__: Any,
) -> Dataset:  # fmt: skip
    """Return batches of dictionaries of columns, in their order, and of the label's column with `label_name`.

    Columns are integers, floats or texts: what the values of the files fit, or `column_defaults`.
    """
    rows: list[list[str]] = []
    for path in glob([path_of(one) for one in np.atleast_1d(np.asarray(file_pattern, object))]):
        with open(path, encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file, delimiter=field_delim))
        names = list(column_names or lines[0])
        rows += [line for line in lines[int(header) :] if line]
    columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    chosen = [names[one] if isinstance(one, int) else one for one in select_columns or names]
    table = OrderedDict((name, _typed(columns[name], na_value)) for name in chosen)
    if label_name is not None and label_name not in table:
        raise ValueError(f"label_name={label_name!r} is not a column; there are {', '.join(chosen)}.")
    tensors: Any = table
    if label_name is not None:
        label = table.pop(label_name)
        tensors = (table, label)
    dataset = Dataset.from_tensor_slices(tensors)
    dataset = dataset.shuffle(shuffle_buffer_size, seed=shuffle_seed) if shuffle else dataset
    return dataset.repeat(num_epochs).batch(batch_size)


def _typed(values: list[str], empty: str) -> np.ndarray:
    for kind, fill in (("int32", "0"), ("float32", "0")):
        try:
            return np.array([fill if one in ("", empty) else one for one in values]).astype(kind)
        except ValueError:
            continue
    return np.array(values, object)
