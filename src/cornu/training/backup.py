"""Where a training stands, and what `fit` tells to whatever keeps backups of it."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Place(NamedTuple):
    """A point between two blocks of steps, or between two epochs: what comes next is step `step` of epoch `epoch`."""

    epoch: int
    step: int = 0
    logs: dict[str, Any] = {}  # noqa: RUF012 (never changed): those of the epoch so far, or of the last one
    stopped: bool = False  # a callback has ended the training


class Backup:
    """Told by `fit` where it is; this one keeps nothing."""

    def restore(self, callbacks: Any) -> Place | None:
        """Put a kept state in place, after ``on_train_begin``, and say where to go on; None to begin anew."""
        return None

    def after_block(self, epoch: int, step: int, read_logs: Callable[[], dict]) -> None:
        """Training goes on with step `step` of the epoch; `read_logs` gives its logs so far."""

    def after_epoch(self, epoch: int, logs: dict[str, Any], last: bool) -> None:
        """An epoch has ended, callbacks included; `last` says that none follows."""

    def finish(self) -> None:
        """The training has ended well."""

    def close(self) -> None:
        """The training has ended somehow: wait for what is being written."""
