"""Logs for TensorBoard, written without TensorFlow."""

import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from cornu.callbacks.base import Callback
from cornu.callbacks.event_file import EventFile, histogram, scalar
from cornu.core.hooks import old_keywords


class TensorBoard(Callback):
    """Writes loss and metrics into `log_dir`, in the files that ``tensorboard --logdir logs`` shows.

    ``train`` and ``validation`` in it hold a curve ``epoch_<name>`` for each log. With `update_freq` ``"batch"`` or a
    number of batches, ``batch_<name>`` is written that often too. Every `histogram_freq` epochs the distribution of
    each weight is written. `write_steps_per_second` adds the speed. Graphs are not written, as in Keras on JAX; images,
    profiles and embeddings are not either, and asking for them warns.
    Follows https://keras.io/api/callbacks/tensorboard/

    >>> board = TensorBoard("logs", update_freq=100)
    """

    per_batch = False

    @old_keywords("TensorBoard")
    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        if update_freq not in ("epoch", "batch") and (not isinstance(update_freq, int) or update_freq < 1):
            raise ValueError(f"update_freq is 'epoch', 'batch' or a number of batches; it is {update_freq!r}.")
        unwritten = {"write_images": write_images, "profile_batch": profile_batch, "embeddings_freq": embeddings_freq}
        if any(unwritten.values()):
            asked = ", ".join(name for name, value in unwritten.items() if value)
            warnings.warn(f"TensorBoard writes scalars and histograms; {asked} has no effect.", stacklevel=3)
        self.log_dir, self.histogram_freq, self.write_graph = Path(log_dir), histogram_freq, write_graph
        self.write_steps_per_second, self.update_freq = write_steps_per_second, update_freq
        self.per_batch = update_freq != "epoch"
        self._files: dict[str, EventFile] = {}
        self._batches = self._batches_before = self._updates_before = 0
        self._fitting = False
        self._began = 0.0

    def _write(self, part: str, step: int, values: list[bytes]) -> None:
        if part not in self._files:
            self._files[part] = EventFile(self.log_dir / part)
        if values:
            self._files[part].write(step, values)

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._files, self._fitting = {}, True
        self._batches = 0

    def on_train_end(self, logs: dict | None = None) -> None:
        self._fitting = False

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._batches_before, self._began = self._batches, time.perf_counter()
        self._updates_before = self._updates()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._batches = self._batches_before + batch + 1
        every = {"epoch": 0, "batch": 1}.get(self.update_freq, self.update_freq)
        if every and self._batches % every == 0:
            self._write("train", self._batches, _scalars("batch", logs or {}))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = dict(logs or {})
        validated = {name.removeprefix("val_"): value for name, value in logs.items() if name.startswith("val_")}
        trained = {name: value for name, value in logs.items() if not name.startswith("val_")}
        rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
        if rate is not None:
            trained.setdefault("learning_rate", rate)
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._began
            trained["steps_per_second"] = (self._updates() - self._updates_before) / seconds
        self._write("train", epoch, _scalars("epoch", trained))
        if validated:
            self._write("validation", epoch, _scalars("epoch", validated))
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write("train", epoch, [histogram(f"{v.path}/histogram", v.numpy()) for v in self.model.weights])

    def on_test_end(self, logs: dict | None = None) -> None:
        if not self._fitting:
            self._write("validation", self._updates(), _scalars("evaluation", logs or {}, "_vs_iterations"))

    def _updates(self) -> int:
        """Return how many updates the optimizer has made."""
        return int(np.asarray(getattr(self.model.optimizer, "iterations", 0)))


def _scalars(prefix: str, logs: dict[str, Any], suffix: str = "") -> list[bytes]:
    return [
        scalar(f"{prefix}_{name}{suffix}", float(np.asarray(value)))
        for name, value in logs.items()
        if np.size(value) == 1
    ]
