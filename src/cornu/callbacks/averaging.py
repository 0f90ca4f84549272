"""Evaluation with averaged weights."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from cornu.callbacks.base import Callback
from cornu.core.variable import read, write


class SwapEMAWeights(Callback):
    """Evaluates and predicts with the moving averages kept by an optimizer with ``use_ema=True``.

    Args:
        swap_on_epoch: keep the averages in the model from the end of an epoch to the start of the next, so that
            callbacks listed after this one (`ModelCheckpoint`) save them.

    Raises:
        ValueError: if the optimizer keeps no averages.

    Follows https://keras.io/api/callbacks/swap_ema_weights/

    >>> averaged = SwapEMAWeights(swap_on_epoch=True)
    """

    per_replica = True

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = swap_on_epoch
        self._own: tuple[list, Any] | None = None  # the variables that hold averages now, and their original values

    def _put_averages(self) -> None:
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if not getattr(optimizer, "use_ema", False):
            raise ValueError("SwapEMAWeights needs an optimizer that averages weights: create it with use_ema=True.")
        if self._own is None and optimizer.built:
            variables = list(optimizer._trainable_variables)
            self._own = variables, read(variables)
            optimizer.finalize_variable_values(variables)

    def _put_own(self) -> None:
        if self._own is not None:
            write(*self._own)
            self._own = None

    def training_state(self) -> list | None:
        """Return the original weights while the averages are in their place, for a backup."""
        return None if self._own is None else [np.array(value) for value in self._own[1]]

    def restore_training_state(self, state: list | None) -> None:
        """Restore the original weights from a backup, to be swapped back later."""
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        self._own = None if state is None else (list(optimizer._trainable_variables), tuple(map(jnp.array, state)))

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._own = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._put_own()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.swap_on_epoch:
            self._put_averages()

    def on_test_begin(self, logs: dict | None = None) -> None:
        self._put_averages()

    def on_test_end(self, logs: dict | None = None) -> None:
        self._put_own()

    def on_predict_begin(self, logs: dict | None = None) -> None:
        self._put_averages()

    def on_predict_end(self, logs: dict | None = None) -> None:
        self._put_own()


__all__ = [
    "SwapEMAWeights",
]
