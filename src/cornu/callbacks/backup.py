"""Saving the state of a training run, so that it can resume after it was killed."""

import os
from pathlib import Path
from typing import Any

from cornu.callbacks.base import Callback


class BackupAndRestore(Callback):
    """Saves the whole state of a training run; the same program, restarted after it was killed, resumes there.

    The result is the same as without the interruption, bit for bit: weights, optimizer, random numbers, `History`, and
    the state of other callbacks. Two files are written alternately, and the newest complete one is used. If the disk
    fills up later, training continues with a warning.

    Args:
        backup_dir: folder of the files.
        save_freq: ``"epoch"``, or a number of batches after which the state is saved (at the end of the current block
            of steps).
        double_checkpoint: kept for Keras's signature; two files are written in any case.
        delete_checkpoint: delete the files when training ends.

    Raises:
        ValueError: if the saved state is from another run (data, model, batch size or callbacks differ).
        OSError: if the folder cannot be written.

    Follows https://keras.io/api/callbacks/backup_and_restore/

    >>> backup = BackupAndRestore("backup", save_freq=1000)
    """

    per_batch = False

    def __init__(
        self,
        backup_dir: Any,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        if not os.fspath(backup_dir):
            raise ValueError("BackupAndRestore needs a folder: backup_dir is empty.")
        whole = isinstance(save_freq, int) and not isinstance(save_freq, bool)
        if save_freq != "epoch" and not (whole and int(save_freq) >= 1):
            raise ValueError(
                f"save_freq must be 'epoch' or an integer number of batches, 1 or more; got {save_freq!r}."
            )
        self.backup_dir, self.save_freq = Path(backup_dir), save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint

    def _backup(self) -> Any:
        """Return the `Backup` of a call of `fit`, if it is not the usual one."""
        return None


__all__ = [
    "BackupAndRestore",
]
