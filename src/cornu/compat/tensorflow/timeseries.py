"""`timeseries_dataset_from_array`: the windows of a time series as a `tf.data.Dataset`."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cornu.data.dataset import Dataset


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Dataset:
    """Return batches of windows of a time series, with the targets of the windows.

    Args:
        data: Values ``(time, ...)``.
        targets: ``targets[i]`` belongs to the window that begins at step `i`; None for windows alone.
        sequence_length: Number of time steps in a window.
        sequence_stride: Distance between the beginnings of two windows.
        sampling_rate: Distance between the steps of a window.
        batch_size: Windows per batch; None gives one window after another.
        shuffle: Whether windows come in random order, a different one in each epoch.
        seed: Seed of the random order.
        start_index, end_index: The part of `data` to use.
        format: Accepted for Keras 3; the result is the same data set.

    Returns:
        A data set of ``(windows, targets)``, windows ``(batch, sequence_length, ...)``, or of windows if `targets` is
        None.

    Raises:
        ValueError: A distance or an index is out of range, or no window fits.

    Follows https://keras.io/api/data_loading/timeseries/

    >>> windows = timeseries_dataset_from_array(np.arange(8), np.arange(3, 8), sequence_length=3, batch_size=4)
    >>> [(x.tolist(), y.tolist()) for x, y in windows]
    [([[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]], [3, 4, 5, 6]), ([[4, 5, 6]], [7])]
    """
    series = np.asarray(data)
    _check(len(series), {"sampling_rate": sampling_rate, "sequence_stride": sequence_stride}, start_index, end_index)
    series = series[start_index:end_index]
    wanted = None if targets is None else np.asarray(targets)[start_index:end_index]
    steps = np.arange(sequence_length) * sampling_rate
    windows = len(series) - (sequence_length - 1) * sampling_rate
    windows = windows if wanted is None else min(windows, len(wanted))
    if windows < 1:
        raise ValueError(
            f"timeseries_dataset_from_array: no window of sequence_length={sequence_length} and "
            f"sampling_rate={sampling_rate} fits into {len(series)} steps; use shorter windows or more data."
        )
    starts = np.arange(0, windows, sequence_stride)
    size = batch_size or 1
    first = np.random.randint(2**31) if seed is None else seed

    def iterate() -> Iterator:
        order = np.random.default_rng([first, epoch()]).permutation(starts) if shuffle else starts
        for begin in range(0, len(order), size):
            chosen = order[begin : begin + size]
            x = series[chosen[:, None] + steps]  # (batch, sequence_length, ...)
            yield x if wanted is None else (x, wanted[chosen])

    batches = Dataset(iterate, -(-len(starts) // size))
    epoch = batches.counting_epochs()
    return batches.map(_without_batch) if batch_size is None else batches


def _check(length: int, distances: dict[str, int], start: int | None, end: int | None) -> None:
    for name, distance in distances.items():
        if not 0 < distance < length:
            raise ValueError(f"{name} must be from 1 to {length - 1} for data of {length} steps; got {distance}.")
    if start is not None and not 0 <= start < length:
        raise ValueError(f"start_index must be from 0 to {length - 1} for data of {length} steps; got {start}.")
    if end is not None and not (start or 0) < end < length:
        raise ValueError(
            f"end_index must be from {(start or 0) + 1} to {length - 1} for data of {length} steps and "
            f"start_index={start}; got {end}."
        )


def _without_batch(*element: Any) -> Any:
    rows = tuple(array[0] for array in element)
    return rows if len(rows) > 1 else rows[0]
