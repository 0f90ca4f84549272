"""Which backup a call of `fit` uses: that of its callbacks, or that of ``cornu run --resume``."""

from pathlib import Path
from typing import Any

from cornu.callbacks.backup import BackupAndRestore
from cornu.checkpoints.fit_backup import FitBackup
from cornu.training.backup import Backup


class Resuming:
    """The folder for every `fit` of a program, numbered in the order of the calls."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.seconds = 20.0
        self.fits = 0
        self.busy = False

    def start(self, folder: Path, seconds: float) -> None:
        """Save every `fit` from now on."""
        self.folder, self.seconds, self.fits, self.busy = folder, seconds, 0, False

    def stop(self) -> None:
        """Stop saving."""
        self.folder = None


resuming = Resuming()


class NumberedBackup(FitBackup):
    """The backup of one `fit` of a program. A `fit` inside another (in a callback) is part of the outer one."""

    def __init__(self) -> None:
        folder = resuming.folder / f"fit-{resuming.fits + 1:04d}"  # type: ignore[operator]
        super().__init__(folder, seconds=resuming.seconds, delete=False)

    def attach(self, *args: Any) -> None:
        super().attach(*args)
        resuming.fits += 1
        resuming.busy = True

    def close(self) -> None:
        resuming.busy = False
        super().close()


class NoBackup(Backup):
    """For a `fit` that is not saved."""

    def attach(self, *args: Any) -> None:
        """Nothing to restore."""


def backup_for(callbacks: Any) -> Any:
    """Return the backup of a call of `fit` with these callbacks; the random generators are in their state from then."""
    if resuming.folder is not None:
        return NoBackup() if resuming.busy else NumberedBackup()
    given = callbacks if isinstance(callbacks, (list, tuple)) else getattr(callbacks, "callbacks", [callbacks])
    for callback in given:
        if isinstance(callback, BackupAndRestore):
            if (backup := callback._backup()) is not None:
                return backup
            every = None if callback.save_freq == "epoch" else int(callback.save_freq)
            return FitBackup(callback.backup_dir, every, delete=callback.delete_checkpoint)
    return NoBackup()
