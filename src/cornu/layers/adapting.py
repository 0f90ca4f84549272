"""The batches of data from which a layer learns its state: what ``adapt`` takes."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cornu.core.errors import listed
from cornu.core.tables import array_batches, called_labels, is_table

CHUNK = 1024  # rows of a data set of TensorFlow's that are taken at once


def batches_of(data: Any, layer: str, row_rank: int = 1) -> Iterator[Any]:
    """Return the batches of data: an array is one, and so is a list of values. TypeError for anything else.

    Of a data set of columns, it is the only one that has not the name of targets.

    Of batches that are tuples, of inputs and targets, these are the inputs. The elements of a data set that are arrays
    of `row_rank` axes are rows; those whose number of rows varies are batches of numbers, each a row. `layer` is the
    name of the layer's class, for the message.
    """
    if is_table(data):
        return _columns(data, layer)
    if is_one_batch(data):
        return iter([data])
    return map(features_of, _elements(data, layer, row_rank))


def _columns(data: Any, layer: str) -> Iterator[Any]:
    """Return batches of the only column that has not the name of targets. ValueError if there are more."""
    for batch in array_batches(data, CHUNK):
        names = [name for name in batch if name not in called_labels(batch)] or list(batch)
        if len(names) > 1:
            raise ValueError(
                f"{layer}.adapt() takes one column; the data set has {listed(batch)}.\n"
                f"Keep the one that is meant: data.select_columns({names[0]!r})."
            )
        yield batch[names[0]]


def _elements(data: Any, layer: str, row_rank: int) -> Iterator[Any]:
    if not hasattr(data, "__iter__"):
        if not hasattr(data, "__getitem__"):
            raise TypeError(f"{layer}.adapt() takes an array or an iterable of batches; got {type(data).__name__}.")
        return (data[number] for number in range(len(data)))  # a PyDataset
    if hasattr(data, "batch") and np.ndim(features_of(next(iter(data), None))) == row_rank:
        return map(_as_column, data) if row_rank and _is_batched(data) else iter(data.batch(CHUNK))
    return iter(data)


def _is_batched(data: Any) -> bool:
    """Return whether the number of rows in the elements of a data set varies."""
    spec = data.element_spec
    return (spec if hasattr(spec, "shape") else features_of(spec)).shape[0] is None


def _as_column(batch: Any) -> Any:
    return np.asarray(features_of(batch))[:, None]


def is_one_batch(data: Any) -> bool:
    """Return whether data are a single batch: an array, a data frame, a string, or a list of values."""
    several = isinstance(data, (list, tuple)) and any(hasattr(features_of(one), "shape") for one in data)
    return hasattr(data, "shape") or isinstance(data, (str, bytes)) or (isinstance(data, (list, tuple)) and not several)


def features_of(batch: Any) -> Any:
    """Return the inputs of a batch, which may be a tuple of inputs and targets."""
    return batch[0] if isinstance(batch, tuple) else batch
