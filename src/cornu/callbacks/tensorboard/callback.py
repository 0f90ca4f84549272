"""Logs for TensorBoard, written without TensorFlow."""

import re
import secrets
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from cornu.callbacks.base import Callback
from cornu.callbacks.tensorboard.event_file import EventFile, cut, files_of, histogram, picture, scalar
from cornu.callbacks.tensorboard.event_graph import graph_of
from cornu.callbacks.tensorboard.event_hyperparameters import ended, hyperparameters, started
from cornu.core import processes
from cornu.core.spellings import old_keywords
from cornu.visuals.tiles import weight_colours

PARTS = ("", "train", "validation")  # subfolders of log_dir


class TensorBoard(Callback):
    """Writes loss and metrics for ``tensorboard --logdir logs``.

    The folders ``train`` and ``validation`` hold a curve ``epoch_<name>`` per log.

    Args:
        log_dir: folder of this run; point TensorBoard at its parent.
        histogram_freq: epochs between histograms of the weights; 0 for none.
        write_graph: write the layers and their connections.
        write_images: write an image of each kernel along with the histograms.
        write_steps_per_second: write the speed.
        update_freq: ``"epoch"``, ``"batch"`` or a number of batches after which ``batch_<name>`` is written.
        profile_batch, embeddings_freq, embeddings_metadata: not supported; the first two warn.
        hparams: values by name for the HPARAMS page, in addition to optimizer, learning rate, batch size and the like.

    Raises:
        ValueError: if `update_freq` is something else.

    Follows https://keras.io/api/callbacks/tensorboard/

    >>> board = TensorBoard("logs/first", update_freq=100, hparams={"units": 64})
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
        hparams: dict[str, Any] | None = None,
    ) -> None:
        if update_freq not in ("epoch", "batch") and (not isinstance(update_freq, int) or update_freq < 1):
            raise ValueError(f"update_freq must be 'epoch', 'batch' or a number of batches; got {update_freq!r}.")
        unwritten = {"profile_batch": profile_batch, "embeddings_freq": embeddings_freq}
        if any(unwritten.values()):
            asked = ", ".join(name for name, value in unwritten.items() if value)
            warnings.warn(f"TensorBoard does not write profiles or embeddings; {asked} has no effect.", stacklevel=3)
        self.log_dir, self.histogram_freq, self.write_graph = Path(log_dir), histogram_freq, write_graph
        self.write_steps_per_second, self.update_freq = write_steps_per_second, update_freq
        self.write_images, self.hparams = write_images, dict(hparams or {})
        self.per_batch = update_freq != "epoch"
        self.only_reports = not histogram_freq  # the weights of histograms may be split over processes
        self._files: dict[str, EventFile] = {}
        self._mark = secrets.token_hex(4)
        self._batches = self._batches_before = self._updates_before = 0
        self._fitting = self._graph_due = False
        self._began = 0.0

    def _file(self, part: str) -> EventFile:
        if part not in self._files:
            self._files[part] = EventFile(self.log_dir / part, self._mark)
        return self._files[part]

    def _write(self, part: str, step: int, values: list[bytes]) -> None:
        if values and processes.is_first():
            self._file(part).write(step, values)

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._files, self._fitting = {}, True
        self._batches, self._mark = 0, secrets.token_hex(4)
        self._graph_due = bool(self.write_graph)
        self._write_graph()
        self._write("", 0, [started(hyperparameters(self.model, self.params) | self.hparams)])

    def on_train_end(self, logs: dict | None = None) -> None:
        self._fitting = False
        self._write("", 0, [ended()])

    def _write_graph(self) -> None:
        """Write the model's graph once, as soon as the model is built."""
        if self._graph_due and processes.is_first() and getattr(self.model, "built", False):
            self._file("train").write_graph(graph_of(self.model))
            self._graph_due = False

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._batches_before, self._began = self._batches, time.perf_counter()
        self._updates_before = self._updates()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._batches = self._batches_before + batch + 1
        every = {"epoch": 0, "batch": 1}.get(str(self.update_freq), self.update_freq)
        every = int(every)
        if every and self._batches % every == 0:
            self._write("train", self._batches, _scalars("batch", logs or {}))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._write_graph()
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
            if self.write_images:
                kernels = [v for v in self.model.weights if v.ndim > 1]
                self._write("train", epoch, [picture(f"{v.path}/image", kernel_picture(v.numpy())) for v in kernels])

    def on_test_end(self, logs: dict | None = None) -> None:
        if not self._fitting:
            self._write("validation", self._updates(), _scalars("evaluation", logs or {}, "_vs_iterations"))

    def training_state(self) -> dict[str, Any]:
        """Return the files that this run has written and their sizes, for a backup."""
        return {"mark": self._mark, "sizes": {part: files_of(self.log_dir / part, self._mark) for part in PARTS}}

    def restore_training_state(self, state: dict[str, Any]) -> None:
        """Remove what was written after the backup, which is written again, and continue in new files."""
        mark = state["mark"]
        if not re.fullmatch("[0-9a-f]{8}", mark):
            raise ValueError(f"{str(mark)[:80]!r} is not a valid mark of TensorBoard files.")
        for part in PARTS if processes.is_first() else ():
            for name in files_of(self.log_dir / part, mark):
                cut(self.log_dir / part / name, state["sizes"][part].get(name, 0))
        for file in self._files.values():
            file.take(mark)
        self._mark, self._began, self._updates_before = mark, time.perf_counter(), self._updates()

    def _updates(self) -> int:
        """Return the number of updates of the optimizer."""
        return int(np.asarray(getattr(self.model.optimizer, "iterations", 0)))


def _scalars(prefix: str, logs: dict[str, Any], suffix: str = "") -> list[bytes]:
    return [
        scalar(f"{prefix}_{name}{suffix}", float(np.asarray(value)))
        for name, value in logs.items()
        if np.size(value) == 1
    ]


def kernel_picture(kernel: np.ndarray, most: int = 64) -> np.ndarray:
    """Return weights as colours: a matrix as it is, or the filters of a convolution tiled, at most `most` per row."""
    if kernel.ndim == 2:
        return weight_colours(kernel.T if kernel.shape[0] > kernel.shape[1] else kernel)
    planes = kernel.reshape(*kernel.shape[:2], -1)[..., : most * most]  # (rows, columns, planes)
    rows, columns, count = planes.shape
    across = min(count, most)
    down = -(-count // across)
    sheet = np.zeros((down * (rows + 1), across * (columns + 1)))
    for i in range(count):
        top, left = i // across * (rows + 1), i % across * (columns + 1)
        sheet[top : top + rows, left : left + columns] = planes[..., i]
    return weight_colours(sheet[:-1, :-1])


__all__ = [
    "TensorBoard",
]
