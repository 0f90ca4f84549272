"""What a training run returns: the logs of each epoch."""

import time

from cornu.callbacks.base import Callback
from cornu.callbacks.logs import Logs


class History(Callback):
    """Keeps loss and metrics of each epoch in ``history``, a dictionary of lists; ``epoch`` lists their numbers.

    ``seconds`` lists how long each took.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = Logs()
        self.epoch: list[int] = []
        self.seconds: list[float] = []
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
        """Raise TypeError where a checkpoint has put something else than lists into ``history``."""
        if not all(isinstance(values, list) for values in self.history.values()):
            raise TypeError("a history that is no dictionary of lists")


__all__ = [
    "History",
]
