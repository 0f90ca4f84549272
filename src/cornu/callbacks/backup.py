"""Keeping where a training stands, so that it can be killed and taken up again."""

import os
from pathlib import Path
from typing import Any

from cornu.callbacks.base import Callback


class BackupAndRestore(Callback):
    """Keeps the whole state of a training in `backup_dir`; the same program, killed and started again, goes on there.

    It ends then as if it had never been killed, bit for bit: weights, optimizer, random numbers, `History`, and what
    the other callbacks remember. `save_freq` is ``"epoch"``, or a number of batches after which the state is kept, in
    the middle of an epoch too (at the end of the block of steps that is running). Two files are kept in turn, whether
    or not `double_checkpoint` asks for it, and the newest whole one is taken. They are deleted when the training ends,
    unless `delete_checkpoint` is False. Raises ValueError where the training is another one than that which was kept
    (data, model, batch size, callbacks), OSError where the folder cannot be written. A disk that is full later on gives
    a warning, and training goes on.
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
            raise ValueError(f"save_freq is 'epoch' or a whole number of batches, 1 or more; it is {save_freq!r}.")
        self.backup_dir, self.save_freq = Path(backup_dir), save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint


__all__ = [
    "BackupAndRestore",
]
