"""The loop over epochs, shared by training and validation."""

import time
from contextlib import closing
from typing import Any

import numpy as np

from cornu.core import processes
from cornu.data.batches import Batches
from cornu.training import checks
from cornu.training.backup import Backup, Place
from cornu.training.interrupt import deferred_interrupts
from cornu.training.pace import Pace
from cornu.training.program import Block, Program

TICK = 0.1  # seconds between readings of the logs in a streamed epoch
TOGETHER = 16  # streamed steps after which several processes agree on whether to stop


def run_epoch(
    program: Program,
    batches: Batches,
    callbacks: Any,
    steps: int | None = None,
    place: Place | None = None,
    backup: Backup | None = None,
) -> dict[str, Any]:
    """Run all batches once (or `steps` of them) and return the final logs.

    Args:
        program: the compiled training or evaluation.
        batches: the data.
        callbacks: has ``every_batch``, ``until_nan``, ``on_batch_begin(step)``, ``on_batch_end(step, logs)`` and
            ``stopped()``.
        steps: number of batches; None runs all.
        place: where to resume inside an epoch.
        backup: notified after each block.
    """
    place = place or Place(0)
    if place.step == 0:
        program.learner.reset_metrics()
    logs: dict[str, Any] = dict(place.logs)
    read, reported, done = None, False, place.step
    looked = time.perf_counter()
    pace = Pace(callbacks.every_batch, rounds=program.rounds)
    for block in program.epoch(batches, pace, steps, place.step, callbacks.until_nan):
        callbacks.on_batch_begin(block.start)
        read, reached = block.run()
        if reached is not None:
            block.stop = _last(reached)
        done = block.stop
        reported = callbacks.every_batch or callbacks.until_nan or _is_due(block, batches, looked)
        if reported:
            logs, looked = read(), time.perf_counter()
            callbacks.on_batch_end(block.stop - 1, logs)
        if _is_stopped(program, batches, callbacks, block):
            break
        if backup is not None:
            backup.after_block(place.epoch, block.stop, read)
    if read is not None and not reported:
        logs = read()
        callbacks.on_batch_end(block.stop - 1, logs)
    if program.spans_processes and not batches.resident:
        processes.check_alike("batches in an epoch", done)
    batches.on_epoch_end()
    return logs


def _last(reached: Any) -> int:
    """Return the step that is next, that of the replica that came furthest if there are several."""
    return max(int(np.max(one)) for one in reached if one is not None) if isinstance(reached, tuple) else int(reached)


def _is_stopped(program: Program, batches: Batches, callbacks: Any, block: Block) -> bool:
    """Return whether training stops after a block. Several processes agree on it: on many streamed steps at once."""
    together = batches.resident or callbacks.every_batch or block.stop % TOGETHER == 0
    return (not program.spans_processes or together) and program.agreed(callbacks.stopped())


def _is_due(block: Block, batches: Batches, looked: float) -> bool:
    return batches.resident or block.start == 0 or time.perf_counter() - looked >= TICK


class Validation:
    """The validation during `fit`: its batches, and the epochs (numbered from 0) in which it runs."""

    def __init__(self, program: Program, batches: Batches, steps: int | None, frequency: Any) -> None:
        self.program, self.batches, self.steps, self.frequency = program, batches, steps, frequency
        program.serve(batches)

    def close(self) -> None:
        self.batches.close()

    def is_due(self, epoch: int) -> bool:
        if isinstance(self.frequency, int):
            return (epoch + 1) % self.frequency == 0
        return epoch + 1 in self.frequency


def fit(
    program: Program,
    batches: Batches,
    callbacks: Any,
    *,
    epochs: int,
    initial_epoch: int = 0,
    steps: int | None = None,
    validation: Validation | None = None,
    backup: Backup | None = None,
) -> None:
    """Train for epochs `initial_epoch` to `epochs`.

    Args:
        program: the compiled training.
        batches: the data.
        callbacks: the `CallbackList` to notify.
        epochs: the number of the last epoch, counted from 1.
        initial_epoch: the first epoch, counted from 0.
        steps: batches per epoch; None runs all.
        validation: runs after the epochs in which it is due.
        backup: may have saved the position of an earlier run; then training resumes there.
    """
    backup = backup or Backup()
    program.serve(batches)
    with processes.together(), deferred_interrupts(), closing(backup), closing(batches), closing(validation or batches):
        callbacks.on_train_begin()
        begin = backup.restore(callbacks) or Place(initial_epoch)
        logs: dict[str, Any] = callbacks.named(begin.logs)
        warned = False
        for epoch in range(begin.epoch, begin.epoch if begin.stopped else epochs):
            place = begin if epoch == begin.epoch and begin.step else Place(epoch)
            if place.step == 0:
                callbacks.on_epoch_begin(epoch)
            watcher = callbacks.for_batches("train")
            logs = callbacks.named(run_epoch(program, batches, watcher, steps, place, backup))
            stopped = program.agreed(callbacks.stopped())
            warned = warned or (not stopped and checks.warn_of_nan(callbacks.of_running(logs), epoch))
            if validation is not None and validation.is_due(epoch) and not stopped:
                logs = logs | _validate(validation, callbacks)
            callbacks.on_epoch_end(epoch, logs)
            stopped = program.agreed(callbacks.stopped())
            backup.after_epoch(epoch, logs, epoch + 1 == epochs or stopped)
            if stopped:
                break
        program.learner.finish_training()
        callbacks.on_train_end(logs)
        backup.finish()


def _validate(validation: Validation, callbacks: Any) -> dict[str, Any]:
    watcher = callbacks.for_batches("test")
    callbacks.on_test_begin()
    logs = callbacks.named(run_epoch(validation.program, validation.batches, watcher, validation.steps))
    callbacks.on_test_end(logs)
    return {f"val_{name}": value for name, value in logs.items()}


def evaluate(program: Program, batches: Batches, callbacks: Any, steps: int | None = None) -> dict[str, Any]:
    """Evaluate all batches and return the logs."""
    with processes.together(), deferred_interrupts(), closing(batches):
        watcher = callbacks.for_batches("test")
        callbacks.on_test_begin()
        logs = callbacks.named(run_epoch(program, batches, watcher, steps))
        callbacks.on_test_end(logs)
    return logs
