"""One batch of rows."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Batch(NamedTuple):
    """The rows of one step; `y` and `sample_weight` may be None, and each may be a nested structure of arrays.

    `lengths` are the real numbers of time steps of sequences that are padded; None if none are.
    """

    x: Any
    y: Any = None
    sample_weight: Any = None
    lengths: Any = None


class OwnRows(NamedTuple):
    """What a data set yields that reads, of several processes, only this one's rows of a batch."""

    data: Any


class OwnBatch(Batch):
    """A batch of which each process has its own rows."""


def unpack(data: Any) -> Batch:
    """Return ``x``, ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)`` as a `Batch`.

    A list counts as a tuple, since a torch ``DataLoader`` yields lists. Raises ValueError for more than three parts.
    """
    if isinstance(data, Batch):
        return data
    if not isinstance(data, (tuple, list)):
        return Batch(data)
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"A batch must be x, (x, y) or (x, y, sample_weight); got a {type(data).__name__} of {len(data)} parts."
        )
    return Batch(*data)


class ReadPosition:
    """How far the data has been read, for both kinds of batches, so that a backup can continue from there."""

    running: Any = None  # the stream that continues from epoch to epoch
    current: Any = None  # the stream that is being read, whether it continues or not
    reopened: Any = None  # a stream that a backup has advanced, to be read next
    remember: Callable[[], Any] | None = None  # called at each opening, set by a backup
    openings = 0  # number of streams opened so far
    consumed = 0  # batches taken from closed streams
    draws = False  # whether creating a batch draws from the global random generators
    last_order: Any = None  # the row indices of the current epoch
    placement: Any = None  # lays arrays out over several devices; None has one
    part: tuple[int, int] | None = None  # of several processes, which one reads its rows alone, where it can
    pad: Any = None  # pads sequences, as the program that runs the batches wants them; None does not

    def padded(self, batch: Batch) -> Batch:
        """Return a batch as the program that runs it wants it."""
        return batch if self.pad is None else self.pad(batch)

    def leave(self, stream: Any) -> None:
        """Stop reading a stream."""
        stream.close()
        self.consumed += stream.taken
        self.current = None

    def close(self) -> None:
        """Stop the thread that prepares batches, if its stream continues from epoch to epoch."""
        if self.running is not None:
            self.running.close()
            self.running = None
