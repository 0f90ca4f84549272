"""Callbacks that change the learning rate between epochs."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.callbacks.base import Callback
from cornu.callbacks.monitor import comparison, value_of
from cornu.callbacks.progress import say
from cornu.core.spellings import old_keywords
from cornu.core.variable import Variable


def rate_of(model: Any, who: str) -> float:
    """Return the learning rate of the optimizer; TypeError if it follows a schedule."""
    rate = getattr(model.optimizer, "learning_rate", None)
    if rate is None:
        raise ValueError(f"{who} needs an optimizer with a learning rate; the model has {model.optimizer!r}.")
    if not isinstance(rate, (Variable, float)):
        raise TypeError(
            f"{who} sets the learning rate, but the optimizer already follows a schedule: use one or the other."
        )
    return float(np.asarray(rate))


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch to the return value of a function.

    Args:
        schedule: a function of the epoch, numbered from 0, and optionally of the current learning rate.
        verbose: 1 prints each new value.

    Raises:
        TypeError: if the optimizer has a schedule, or if `schedule` is not callable.
        ValueError: if the function does not return a number.

    The logs then include ``learning_rate`` (also found as ``lr``).
    Follows https://keras.io/api/callbacks/learning_rate_scheduler/

    >>> halving = LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate)
    """

    per_replica = True

    def __init__(self, schedule: Callable, verbose: int = 0) -> None:
        if not callable(schedule):
            raise TypeError(f"LearningRateScheduler expects a function of the epoch; got {schedule!r}.")
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        rate = rate_of(self.model, "LearningRateScheduler")
        new = self.schedule(*((epoch, rate) if _takes_two(self.schedule) else (epoch,)))
        if isinstance(new, (str, bool)) or np.size(new) != 1 or not np.isreal(np.asarray(new, object).item()):
            new = None
        if new is None:
            raise ValueError(
                "The function passed to LearningRateScheduler must return the learning rate, one number; "
                f"it did not for epoch {epoch}. Is a `return` missing?"
            )
        self.model.optimizer.learning_rate = float(np.asarray(new).reshape(()))
        if self.verbose > 0:
            say(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {float(np.asarray(new)):g}.")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = rate_of(self.model, "LearningRateScheduler")


def _takes_two(schedule: Callable) -> bool:
    """Return whether a function can be called with two positional arguments."""
    try:
        inspect.signature(schedule).bind(0, 0.1)
    except TypeError:
        return False
    except ValueError:  # a built-in function without a signature
        return True
    return True


class ReduceLROnPlateau(Callback):
    """Multiplies the learning rate by `factor` when `monitor` has not improved for `patience` epochs.

    Args:
        monitor: name of the value to watch.
        factor: below 1.
        patience: epochs without improvement before a reduction.
        verbose: 1 prints each change.
        mode: ``"min"``, ``"max"`` or ``"auto"`` (by the name): which direction is better.
        min_delta: the least change that counts as an improvement.
        cooldown: epochs after a reduction that are not counted.
        min_lr: lower limit of the learning rate.

    Raises:
        ValueError: if `factor` is 1 or more, or `mode` is unknown.

    The logs then include ``learning_rate``. Follows https://keras.io/api/callbacks/reduce_lr_on_plateau/

    >>> plateau = ReduceLROnPlateau("val_loss", factor=0.2, patience=5, min_lr=1e-5)
    """

    per_replica = True

    @old_keywords("ReduceLROnPlateau")
    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau expects a factor below 1; got {factor}.")
        self.monitor, self.mode = monitor, mode
        self.monitor_op = comparison(monitor, mode, "ReduceLROnPlateau")
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.min_delta, self.cooldown, self.min_lr = min_delta, cooldown, min_lr
        self._reset()

    def _reset(self) -> None:
        self.best: float | None = None
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._reset()

    def in_cooldown(self) -> bool:
        """Return whether epochs are currently not counted."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        current = value_of(self.monitor, logs, self.params, "ReduceLROnPlateau")
        rate = rate_of(self.model, "ReduceLROnPlateau")
        if logs is not None:
            logs["learning_rate"] = rate
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current):
            self.best, self.wait = current, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch, rate)

    def _is_improvement(self, current: float) -> bool:
        if self.best is None:
            return True
        signed = self.min_delta if self.monitor_op is np.greater else -self.min_delta
        return bool(self.monitor_op(current, self.best + signed))

    def _reduce(self, epoch: int, rate: float) -> None:
        if rate <= np.float32(self.min_lr):
            return
        new = max(rate * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = new
        if self.verbose > 0:
            say(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new:g}.")
        self.cooldown_counter, self.wait = self.cooldown, 0


__all__ = [
    "LearningRateScheduler",
    "ReduceLROnPlateau",
]
