"""Saving the model during training."""

import os
from pathlib import Path
from typing import Any

from cornu.callbacks.base import Callback
from cornu.callbacks.logs import Logs
from cornu.callbacks.monitor import comparison, value_of
from cornu.callbacks.progress import say
from cornu.core.spellings import old_keywords
from cornu.training.replica_files import replica_path


class ModelCheckpoint(Callback):
    """Saves the model, or its weights, after each epoch or every few batches.

    Args:
        filepath: path that may contain ``{epoch}`` (from 1), ``{batch}`` and names of logs with formats, such as
            ``"weights.{epoch:02d}-{val_acc:.2f}.h5"``; missing folders are created.
        monitor: name of the value to watch.
        verbose: 1 prints what is done.
        save_best_only: save only when `monitor` has improved.
        save_weights_only: write a file for ``model.load_weights``.
        mode: ``"min"``, ``"max"`` or ``"auto"`` (by the name): which direction is better.
        save_freq: ``"epoch"`` or a number of batches, counted across epochs.
        initial_value_threshold: the value to improve on at the start.
        period: number of epochs between saves, for ``save_freq="epoch"``.

    Of several replicas of a model, each has a file: ``best.keras``, ``best.replica-1.keras``, and so on.

    Raises:
        ValueError: if an argument is out of range.
        KeyError: if `filepath` names a log that does not exist.

    Follows https://keras.io/api/callbacks/model_checkpoint/

    >>> best = ModelCheckpoint("best.keras", monitor="val_acc", save_best_only=True)
    """

    per_batch = False
    per_replica = True

    @old_keywords("ModelCheckpoint")
    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        period: int = 1,
    ) -> None:
        for name, number in (("period", period), ("save_freq", 1 if save_freq == "epoch" else save_freq)):
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                alternative = "'epoch' or " if name == "save_freq" else ""
                raise ValueError(f"{name} must be {alternative}an integer, 1 or more; got {number!r}.")
        self.filepath = os.fspath(filepath)
        self.monitor, self.mode, self.verbose = monitor, mode, verbose
        self.monitor_op: Any = comparison(monitor, mode, "ModelCheckpoint") if save_best_only else None
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.save_freq, self.period = save_freq, period
        self.best = self.initial_value_threshold = initial_value_threshold
        self.epochs_since_last_save = self._batches_since = self._epoch = 0
        self.per_batch = save_freq != "epoch"

    def for_replica(self, replica: int) -> None:
        """Write files of another name: several replicas of a model train, and this is the copy for one of them."""
        self.filepath = replica_path(self.filepath, replica)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        if self.save_freq == "epoch":
            return
        self._batches_since += 1
        if self._batches_since >= int(self.save_freq):
            self._batches_since = 0
            self._save(self._epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.epochs_since_last_save += 1
        if self.save_freq == "epoch" and self.epochs_since_last_save >= self.period:
            self.epochs_since_last_save = 0
            self._save(epoch, None, logs)

    def _save(self, epoch: int, batch: int | None, logs: dict | None) -> None:
        path = self.path_for(epoch, batch, logs)
        if not self.save_best_only:
            self._write(path, f"Epoch {epoch + 1}: saving model to {path}")
            return
        current = value_of(self.monitor, logs, self.params, "ModelCheckpoint(save_best_only=True)")
        if current is None:
            return
        if self.best is not None and not self.monitor_op(current, self.best):
            if self.verbose > 0:
                say(f"Epoch {epoch + 1}: {self.monitor} did not improve from {self.best:.5f}")
            return
        before = "None" if self.best is None else f"{self.best:.5f}"
        self.best = current
        improved = f"{self.monitor} improved from {before} to {current:.5f}"
        self._write(path, f"Epoch {epoch + 1}: {improved}, saving model to {path}")

    def _write(self, path: str, message: str) -> None:
        if self.verbose > 0:
            say(message)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def path_for(self, epoch: int, batch: int | None, logs: dict | None) -> str:
        """Return the file name for an epoch (from 0), a batch (from 0, or None) and its logs."""
        values = Logs({**(logs or {}), "epoch": epoch + 1})
        if batch is not None:
            values["batch"] = batch + 1
        try:
            return self.filepath.format_map(values)
        except KeyError as error:
            missing, names = _missing_name(error), ", ".join(map(str, values))
            raise KeyError(
                f"The file name {self.filepath!r} contains {missing}, which is not among the logs: {names}."
            ) from None


def _missing_name(error: KeyError) -> str:
    """Return the missing name: the first word of the message of `Logs`."""
    return str(error.args[0]).split(" is not among")[0]


__all__ = [
    "ModelCheckpoint",
]
