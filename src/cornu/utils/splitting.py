"""`split_dataset`: one set of data as two."""

import random
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from cornu.data.convert import is_array
from cornu.data.dataset import INFINITE_CARDINALITY, Dataset
from cornu.data.mapping import stacked

_BACKENDS = (None, "jax", "numpy", "openvino", "tensorflow", "torch")
_WHOLE = (int, np.integer)


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """Return the first and the last samples of data as two data sets.

    All samples are kept in memory, except those of a torch data set.

    Args:
        dataset: An array, a list or tuple of arrays of one length, a `Dataset`, or a ``torch.utils.data.Dataset``. A
            batched `Dataset` is split by samples, and both parts are batched again.
        left_size: Fraction of the samples (a float below 1) or number of samples (an integer) of the first part; None
            for all that `right_size` leaves.
        right_size: The same for the second part.
        shuffle: Whether to shuffle the samples first.
        seed: Seed of their order.
        preferred_backend: ``"torch"`` for data sets of torch, another name for a `Dataset`; None decides by `dataset`.

    Returns:
        Two `Dataset`, whose elements are rows (or tuples of them), or two ``torch.utils.data.Subset``.

    Raises:
        TypeError: `dataset` is of another kind, or a size is not a number.
        ValueError: A part would be empty, or both together larger than the data; or lengths differ.
        ModuleNotFoundError: torch is asked for and missing.

    Follows https://keras.io/api/utils/python_utils/#split_dataset-function

    >>> left, right = split_dataset(np.arange(5), left_size=0.6)
    >>> [int(x) for x in left], [int(x) for x in right]
    ([0, 1, 2], [3, 4])
    """
    if preferred_backend not in _BACKENDS:
        raise ValueError(f"preferred_backend must be one of {_BACKENDS}; got {preferred_backend!r}.")
    is_torch = _is_torch(dataset)
    if preferred_backend == "torch" or (is_torch and preferred_backend is None):
        return _split_torch(dataset if is_torch else _rows_of(dataset)[0], left_size, right_size, shuffle, seed)
    rows, batch_size = _rows_of(dataset)
    count = len(jax.tree.leaves(rows)[0])
    left, right = _sizes(left_size, right_size, count)
    order = _order(count, shuffle, seed)
    parts = (_part(rows, order[:left]), _part(rows, order[count - right :]))
    first, second = (part if batch_size is None else part.batch(batch_size) for part in parts)
    return first, second


def _is_torch(dataset: Any) -> bool:
    kinds = type(dataset).__mro__
    return any(kind.__name__ == "Dataset" and kind.__module__.startswith("torch.utils.data") for kind in kinds)


def _rows_of(dataset: Any) -> tuple[Any, int | None]:
    """Return all samples as arrays, or tuples and dictionaries of them, and the batch size of the data set."""
    if isinstance(dataset, Dataset):
        return _stacked(list(_samples(dataset))), dataset.batch_size
    if _is_torch(dataset):
        return _stacked([jax.tree.map(np.asarray, dataset[row]) for row in range(len(dataset))]), None
    if is_array(dataset) and np.ndim(dataset) > 0:
        rows: Any = np.asarray(dataset)
        lengths = {len(rows)}
    elif isinstance(dataset, (list, tuple)):
        rows = _arrays(dataset)
        lengths = {len(array) for array in rows}
    else:
        raise TypeError(
            f"split_dataset expects an array, a list or tuple of arrays, a Dataset or a torch Dataset; got a "
            f"{type(dataset).__name__}."
        )
    if len(lengths) > 1:
        raise ValueError(f"split_dataset expects arrays of one length; got {', '.join(map(str, sorted(lengths)))}.")
    if lengths == {0} or not lengths:
        raise ValueError("split_dataset expects at least one sample; the data are empty.")
    return rows, None


def _arrays(several: Sequence) -> tuple[np.ndarray, ...]:
    for place, one in enumerate(several):
        if not is_array(one) or np.ndim(one) == 0:
            raise ValueError(
                f"split_dataset expects a list of arrays, all of one length; number {place} is a "
                f"{type(one).__name__}. Pass numpy.array(...) for one array."
            )
    return tuple(np.asarray(one) for one in several)


def _samples(dataset: Dataset) -> Any:
    if int(dataset.cardinality()) == INFINITE_CARDINALITY:
        raise ValueError("split_dataset cannot split an endless data set: split it before repeat().")
    return (dataset if dataset.batch_size is None else dataset.unbatch())._iterate()


def _stacked(samples: list) -> Any:
    if not samples:
        raise ValueError("split_dataset expects at least one sample; the data set is empty.")
    try:
        rows = jax.tree.map(stacked, *samples)
    except ValueError as error:
        raise ValueError(f"split_dataset expects samples of one shape and structure. ({error})") from None
    return _without_lists(rows)


def _without_lists(rows: Any) -> Any:
    return tuple(map(_without_lists, rows)) if isinstance(rows, (list, tuple)) else rows


def _part(rows: Any, chosen: np.ndarray) -> Dataset:
    return Dataset.from_tensor_slices(jax.tree.map(lambda array: array[chosen], rows))


def _order(count: int, shuffle: bool, seed: int | None) -> np.ndarray:
    """Return the numbers of the samples in the order that Keras gives them: that of Python's own generator."""
    order = list(range(count))
    if shuffle:
        random.Random(random.randint(0, 1_000_000) if seed is None else seed).shuffle(order)
    return np.array(order)


def _sizes(left: float | None, right: float | None, count: int) -> tuple[int, int]:
    """Return how many samples each part has, of `count`."""
    if left is None and right is None:
        raise ValueError("split_dataset needs left_size or right_size, or both.")
    for name, given in (("left_size", left), ("right_size", right)):
        if given is not None and (isinstance(given, bool) or not isinstance(given, (*_WHOLE, float, np.floating))):
            raise TypeError(f"{name} must be a fraction, a number of samples or None; got {given!r}.")
    first, second = _size("left_size", left, count), _size("right_size", right, count)
    first = count - second if left is None else first
    second = count - first if right is None else second
    if first + second > count:
        raise ValueError(
            f"left_size={left} and right_size={right} are {first} and {second} samples, together more than {count}."
        )
    if not first or not second:
        raise ValueError(
            f"left_size={left} and right_size={right} of {count} samples leave one part empty ({first} and {second})."
        )
    return first, second


def _size(name: str, given: float | None, count: int) -> int:
    if given is None:
        return 0
    is_whole = isinstance(given, _WHOLE)
    if not 0 < given < (count if is_whole else 1):
        raise ValueError(
            f"{name} must be a fraction between 0 and 1, or an integer from 1 to {count - 1} for {count} samples; got "
            f"{given!r}."
        )
    return int(given) if is_whole else round(given * count)


def _split_torch(data: Any, left: Any, right: Any, shuffle: bool, seed: int | None) -> tuple[Any, Any]:
    """Return two subsets of a torch data set, or of the arrays of one."""
    try:
        import torch
    except ModuleNotFoundError:
        raise ModuleNotFoundError("preferred_backend='torch' needs PyTorch: pip install torch", name="torch") from None
    if not _is_torch(data):
        data = torch.utils.data.TensorDataset(*map(torch.from_numpy, jax.tree.leaves(data)))
    first, second = _sizes(left, right, len(data))
    order = torch.arange(len(data))
    if shuffle:
        generator = torch.Generator()
        if seed is None:
            generator.seed()
        else:
            generator.manual_seed(seed)
        order = torch.randperm(len(data), generator=generator)
    chosen = order.tolist()
    subset = torch.utils.data.Subset
    return subset(data, chosen[:first]), subset(data, chosen[len(chosen) - second :])
