"""The return value of `fit`: the logs of each epoch."""

import time

from cornu.callbacks.base import Callback
from cornu.callbacks.logs import Logs


class History(Callback):
    """Records loss and metrics of each epoch; `fit` returns it.

    Attributes:
        history: a list of values per name.
        epoch: the epoch numbers, from 0.
        seconds: the duration of each epoch.
        replicas: where several copies of the model trained at once, the ``history`` of each, which may end early; the
            values in ``history`` are then means, with ``deviation``.
        seeds: the seed of each copy; None if the first one drew its random numbers from numpy's global generator.

    Follows https://keras.io/api/callbacks/

    >>> import numpy as np, cornu
    >>> model = cornu.Sequential([cornu.Input((1,)), cornu.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> model.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=2, verbose=0).epoch
    [0, 1]
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = Logs()
        self.epoch: list[int] = []
        self.seconds: list[float] = []
        self.replicas: list[dict[str, list[float]]] = []
        self.seeds: list[int | None] = []
        self._began = 0.0

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.epoch, self.history, self.seconds = [], Logs(), []
        self.model.history = self

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch.append(epoch)
        self.seconds.append(time.perf_counter() - self._began)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def restore_training_state(self, _: None) -> None:
        """Raise TypeError if a checkpoint put anything other than lists into ``history``."""
        if not all(isinstance(values, list) for values in self.history.values()):
            raise TypeError("history is not a dictionary of lists")


__all__ = [
    "History",
]
