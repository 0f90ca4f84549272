"""Callbacks that stop training early."""

from typing import Any

import numpy as np

from cornu.callbacks.base import Callback
from cornu.callbacks.monitor import comparison, value_of
from cornu.callbacks.progress import say


class EarlyStopping(Callback):
    """Stops training when `monitor` has not improved for `patience` epochs.

    Args:
        monitor: name of the value to watch; a warning says if the logs lack it.
        min_delta: the least change that counts as an improvement.
        patience: epochs without improvement before training stops.
        verbose: 1 prints what is done.
        mode: ``"min"``, ``"max"`` or ``"auto"`` (by the name): which direction is better.
        baseline: only values better than it reset the patience.
        restore_best_weights: end with the weights of the best epoch, whether training stopped early or not.
        start_from_epoch: epochs before it are ignored.

    Raises:
        ValueError: if `mode` is unknown.

    Follows https://keras.io/api/callbacks/early_stopping/

    >>> stopping = EarlyStopping("val_acc", patience=3, restore_best_weights=True)
    """

    per_replica = True

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        self.monitor, self.mode = monitor, mode
        self.monitor_op = comparison(monitor, mode, "EarlyStopping")
        self.min_delta, self.patience, self.verbose, self.baseline = abs(min_delta), patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best: float | None = None
        self.best_weights: list | None = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._reset()

    def get_monitor_value(self, logs: dict | None) -> float | None:
        """Return the monitored value; override it to watch something else."""
        return value_of(self.monitor, logs, self.params, "EarlyStopping")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self._keep(epoch)
            if self._is_improvement(current, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def _is_improvement(self, value: float, reference: float | None) -> bool:
        if reference is None:
            return True
        signed = self.min_delta if self.monitor_op is np.greater else -self.min_delta
        return bool(self.monitor_op(value - signed, reference))

    def _keep(self, epoch: int) -> None:
        self.best_weights, self.best_epoch = self.model.get_weights(), epoch


class TerminateOnNaN(Callback):
    """Stops training when the loss is NaN or infinite.

    Args:
        raise_error: raise RuntimeError at once, so that no callback's ``on_train_end`` runs.

    Follows https://keras.io/api/callbacks/terminate_on_nan/

    >>> TerminateOnNaN(raise_error=True).on_train_batch_end(3, {"loss": float("nan")})
    Traceback (most recent call last):
    RuntimeError: The loss is nan at batch 4: training was stopped. A smaller learning rate often helps.
    """

    per_batch = False
    per_replica = True
    ends_block_at_nan = True

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._check(f"batch {batch + 1}", logs)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if not getattr(self.model, "stop_training", False):
            self._check(f"the end of epoch {epoch + 1}", logs)

    def _check(self, where: str, logs: Any) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or np.all(np.isfinite(loss)):
            return
        message = f"The loss is {loss} at {where}: training was stopped."
        if self.raise_error:
            raise RuntimeError(f"{message} A smaller learning rate often helps.")
        say(message)
        self.model.stop_training = True


__all__ = [
    "EarlyStopping",
    "TerminateOnNaN",
]
