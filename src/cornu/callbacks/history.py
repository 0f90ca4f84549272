"""What a training run returns: the logs of each epoch."""

from cornu.callbacks.base import Callback
from cornu.callbacks.logs import Logs


class History(Callback):
    """Keeps loss and metrics of each epoch in ``history``, a dictionary of lists; ``epoch`` lists their numbers."""

    def __init__(self) -> None:
        self.history: Logs = Logs()
        self.epoch: list[int] = []

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.epoch, self.history = [], Logs()
        self.model.history = self

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
