"""A position in a training run, and the interface through which `fit` reports it to a backup."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Place(NamedTuple):
    """A position between two blocks of steps, or between two epochs: next is step `step` of epoch `epoch`."""

    epoch: int
    step: int = 0
    logs: dict[str, Any] = {}  # noqa: RUF012 (never changed): logs of the epoch so far, or of the last one
    stopped: bool = False  # a callback has stopped training


class Backup:
    """Notified by `fit` of its progress; this base class saves nothing."""

    saves = False  # whether it keeps a training to resume

    def restore(self, callbacks: Any) -> Place | None:
        """Restore a saved state, after ``on_train_begin``, and return where to continue; None to start from scratch."""
        return None

    def after_block(self, epoch: int, step: int, read_logs: Callable[[], dict]) -> None:
        """Called when step `step` of the epoch is next; `read_logs` returns its logs so far."""

    def after_epoch(self, epoch: int, logs: dict[str, Any], last: bool) -> None:
        """Called after an epoch, callbacks included; `last` says whether it was the final one."""

    def finish(self) -> None:
        """Called when training has completed."""

    def close(self) -> None:
        """Called when training has ended in any way: wait for pending writes."""
