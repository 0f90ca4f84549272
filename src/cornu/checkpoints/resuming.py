"""Which backup a call of `fit` uses: that of its callbacks, or of ``cornu run --resume``."""

from pathlib import Path
from typing import Any

from cornu.callbacks.backup import BackupAndRestore
from cornu.checkpoints.fit_backup import FitBackup
from cornu.training.backup import Backup


class Resuming:
    """The folder of a program whose every `fit` is kept: numbered in the order in which they are called."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.seconds = 20.0
        self.fits = 0
        self.busy = False

    def start(self, folder: Path, seconds: float) -> None:
        """Keep every `fit` from now on."""
        self.folder, self.seconds, self.fits, self.busy = folder, seconds, 0, False

    def stop(self) -> None:
        """Keep no `fit` any more."""
        self.folder = None


resuming = Resuming()


class NumberedBackup(FitBackup):
    """The backup of one `fit` of a program. A `fit` inside of another (of a callback) is part of the outer one."""

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
    """For a `fit` of which nothing is kept."""

    def attach(self, *args: Any) -> None:
        """Nothing to take."""


def backup_for(callbacks: Any) -> Any:
    """Return the backup of a call of `fit` with these callbacks; the random generators are as they were then."""
    if resuming.folder is not None:
        return NoBackup() if resuming.busy else NumberedBackup()
    given = callbacks if isinstance(callbacks, (list, tuple)) else getattr(callbacks, "callbacks", [callbacks])
    for callback in given:
        if isinstance(callback, BackupAndRestore):
            every = None if callback.save_freq == "epoch" else int(callback.save_freq)
            return FitBackup(callback.backup_dir, every, delete=callback.delete_checkpoint)
    return NoBackup()
