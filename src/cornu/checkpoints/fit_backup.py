"""Backups of a run: its whole state is saved to a file from time to time, and restored on restart."""

import functools
import inspect
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cornu.callbacks.backup import BackupAndRestore
from cornu.callbacks.list import is_active
from cornu.callbacks.progress import ProgbarLogger
from cornu.checkpoints import fingerprint
from cornu.checkpoints.background_writer import Writer
from cornu.checkpoints.data_position import Reading
from cornu.checkpoints.file import Checkpoint, Generations
from cornu.checkpoints.function_names import ReferencedNames
from cornu.checkpoints.plain_data import Packer, Unpacker, Watched, as_value_errors, restore_random
from cornu.core import processes
from cornu.core.errors import readable
from cornu.core.ownership import is_library, library_classes
from cornu.core.placement import to_device
from cornu.core.seeds import random_states
from cornu.core.tracking import unique
from cornu.core.variable import Variable, write
from cornu.training.backup import Backup, Place

NOT_STATE = ("model", "params", "validation_data")
SHARE = 0.02  # fraction of the training time for copying the state, if it is saved by seconds


class FitBackup(Backup):
    """Saves the state of one `fit` in a folder, and restores it.

    The state is saved every `every` batches, or at the end of each epoch, or (with `seconds`) after that time. With
    `delete` the files are removed when training ends without an error.
    """

    saves = True

    def __init__(
        self, folder: Path, every: int | None = None, seconds: float | None = None, delete: bool = True
    ) -> None:
        self.every, self.seconds, self.delete = every, seconds, delete
        self.generations = Generations(folder)
        self.generations.prepare()
        self.writer = Writer(self.generations.write)
        self._kept, complaints = self.generations.newest()
        for complaint in complaints:
            earlier = (
                "There is no earlier one: training starts from scratch"
                if self._kept is None
                else "The previous one is used"
            )
            warnings.warn(readable(f"{complaint} {earlier}."), stacklevel=4)
        self._number = 0 if self._kept is None else self._kept.content["number"]
        self._steps, self._told, self._last, self._cost = 0, 0, time.monotonic(), 0.0
        if self._kept is not None:
            with as_value_errors(self._where):
                restore_random(Unpacker(self._kept.arrays), self._kept.content["begin"])
        self._begin = random_states()

    def attach(self, model: Any, program: Any, batches: Any, validation: Any, callbacks: Any, settings: dict) -> None:
        """Bind to this run. Raises ValueError if the checkpoint is from another run."""
        self.model, self.program, self.learner = model, program, program.learner
        self.callbacks = [one for one in callbacks.callbacks if not isinstance(one, (ProgbarLogger, BackupAndRestore))]
        self.fingerprint = fingerprint.of_training(model, batches, validation, self.callbacks, settings)
        self.batches, self.validation = batches, validation
        if self._kept is not None:
            with as_value_errors(self._where):
                self._check(self._kept.content)

    def _check(self, content: dict[str, Any]) -> None:
        kept, present = content["fingerprint"], self.fingerprint
        if fingerprint.python_changed(content["versions"]):
            kept, present = ({k: v for k, v in one.items() if "data" in k} for one in (kept, present))
        found = fingerprint.differences(kept, present)
        if found:
            raise ValueError(
                f"The checkpoint in {str(self.generations.folder)!r} is from another run:\n  "
                + "\n  ".join(found[:5])
                + "\nStart the program as it was then, or delete that folder to start from scratch."
            )
        changed = fingerprint.differences(*({k: str(v) for k, v in one.items()} for one in self._versions(content)))
        if changed:
            warnings.warn(
                readable(f"Training continues from a checkpoint made under other conditions ({'; '.join(changed)}): ")
                + "the result may differ in its last bits.",
                stacklevel=5,
            )

    def _versions(self, content: dict[str, Any]) -> tuple[dict, dict]:
        return content["versions"], fingerprint.versions(self.learner.devices)

    @property
    def variables(self) -> list[Variable]:
        """All variables that training changes, in an order that does not depend on the run."""
        return unique([*self.learner.variables, *self.model.variables])

    @property
    def _where(self) -> str:
        return f"The checkpoint in {str(self.generations.folder)!r}"

    # ---- restoring

    def restore(self, callbacks: Any) -> Place | None:
        self.program.prepare_for(self.batches)
        self.readings = [Reading(self.batches)] + (
            [] if self.validation is None else [Reading(self.validation.batches)]
        )
        self.watched = [Watched(callback, {*NOT_STATE, *settings_of(callback)}) for callback in self.callbacks]
        self.referenced = [ReferencedNames(callback) for callback in self.callbacks]
        if self._kept is None:
            return None
        content, unpacker = self._kept.content, Unpacker(self._kept.arrays)
        self._kept = None
        with as_value_errors(self._where):
            place = self._place(content, unpacker)
        if place.step:
            callbacks.on_epoch_begin(place.epoch)
        with as_value_errors(self._where):
            for reading, packed in zip(self.readings, content["readings"], strict=True):
                reading.restore(packed, unpacker)
            self._restore_variables(content, unpacker)
            self._restore_callbacks(content, unpacker)
            self.model.stop_training = place.stopped
            restore_random(unpacker, content["random"])
        return place

    def _place(self, content: dict[str, Any], unpacker: Unpacker) -> Place:
        """Return the position of the training; ValueError if it does not exist."""
        epoch, step, stopped = content["place"]
        whole = [type(number) is int and number >= 0 for number in (epoch, step)]
        most = getattr(self.batches, "steps", None)  # None: the data do not say how many there are
        if not all(whole) or type(stopped) is not bool or (most is not None and step > most):
            raise ValueError(f"{self._where} has the position {content['place']!r:.200}, which does not exist.")
        return Place(epoch, step, unpacker.unpack(content["logs"]), stopped)

    def _restore_callbacks(self, content: dict[str, Any], unpacker: Unpacker) -> None:
        for watched, packed in zip(self.watched, content["callbacks"], strict=True):
            if not is_active(watched.owner):
                continue
            kept = {name: value for name, value in packed["attributes"].items() if name not in watched.skip}
            before = dict(vars(watched.owner))
            unpacker.set_attributes(watched.owner, kept)
            _check_kinds(watched.owner, before)
            restore = getattr(watched.owner, "restore_training_state", None)
            if restore is not None:
                restore(unpacker.unpack(packed["own"]))
        for names, packed in zip(self.referenced, content["surroundings"], strict=True):
            names.restore(packed, unpacker)

    def _restore_variables(self, content: dict[str, Any], unpacker: Unpacker) -> None:
        variables, arrays = self.variables, unpacker.unpack(content["variables"])
        shapes = [(variable.shape, variable._value.dtype) for variable in variables]
        if shapes != [(array.shape, array.dtype) for array in arrays]:
            raise ValueError(
                f"The checkpoint in {str(self.generations.folder)!r} has {len(arrays)} arrays, which are not "
                f"those of this model's {len(variables)} variables. Delete that folder to start from scratch."
            )
        write(variables, [to_device(array, copy=True) for array in arrays])
        for optimizer, numbers in zip(self._optimizers(), content["numbers"], strict=True):
            optimizer._numbers.update(numbers)

    def _optimizers(self) -> list[Any]:
        found = [self.learner.optimizer, *self.learner.own_optimizers]
        for one in found:  # which grows by what it wraps
            found += [one.inner_optimizer] if "inner_optimizer" in vars(one) else []
        return [one for one in {id(one): one for one in found}.values() if hasattr(one, "_numbers")]

    # ---- keeping

    def after_block(self, epoch: int, step: int, read_logs: Callable[[], dict]) -> None:
        self._steps += step - self._told if step > self._told else step
        self._told = step
        due = self.every is not None and self._steps >= self.every
        if self._is_due(due or self._is_time()):
            self._keep(Place(epoch, step, read_logs()))

    def after_epoch(self, epoch: int, logs: dict[str, Any], last: bool) -> None:
        self._told = 0
        each = self.every is None and self.seconds is None
        if last and self.delete:
            return
        if self._is_due(each or last or self._is_time()):
            self._keep(Place(epoch + 1, 0, logs, bool(self.model.stop_training)))

    def _is_time(self) -> bool:
        if self.seconds is None:
            return False
        return time.monotonic() - self._last >= max(self.seconds, self._cost / SHARE)

    def _is_due(self, due: bool) -> bool:
        """Return whether to keep the state now: the first process does, with the others if they hold parts of it."""
        return self.program.agreed(due) if self._in_parts else due and processes.is_first()

    @functools.cached_property
    def _in_parts(self) -> bool:
        arrays = [variable._held for variable in self.variables]
        return not all(one.is_fully_replicated or one.is_fully_addressable for one in arrays)

    def _keep(self, place: Place) -> None:
        began = time.monotonic()
        self._complain()
        self._number += 1
        captured = self.capture(place)
        if processes.is_first():
            self.writer.give(captured)
        self._steps, self._last = 0, time.monotonic()
        self._cost = self._last - began

    def capture(self, place: Place) -> Checkpoint:
        """Return a copy of the whole state."""
        packer = Packer()
        content = {
            "number": self._number,
            "place": [place.epoch, place.step, place.stopped],
            "logs": packer.pack(dict(place.logs)),
            "variables": [packer.pack(variable._value) for variable in self.variables],
            "numbers": [dict(optimizer._numbers) for optimizer in self._optimizers()],
            "random": packer.pack(random_states()),
            "begin": packer.pack(self._begin),
            "readings": [reading.pack(packer, place.step > 0) for reading in self.readings],
            "callbacks": [
                {"attributes": watched.changes(packer), "own": packer.pack(_own_state(watched.owner))}
                for watched in self.watched
            ],
            "surroundings": [names.changes(packer) for names in self.referenced],
            "fingerprint": self.fingerprint,
            "versions": fingerprint.versions(self.learner.devices),
        }
        return Checkpoint(content, packer.arrays)

    def _complain(self) -> None:
        error = self.writer.take_error()
        if error is not None:
            warnings.warn(f"A checkpoint could not be written: {error}. Training continues.", stacklevel=5)

    def finish(self) -> None:
        self.writer.flush()
        if self.delete:
            self.generations.delete()

    def close(self) -> None:
        self.writer.flush()
        self._complain()


def _check_kinds(callback: Any, before: dict[str, Any]) -> None:
    """Raise TypeError if an attribute of a built-in callback has a different type than before."""
    if not is_library(type(callback)):
        return  # attributes of custom callbacks may be anything
    numbers = (int, float, np.generic)
    for name, value in vars(callback).items():
        present = before.get(name)
        alike = isinstance(value, numbers if isinstance(present, numbers) else type(present))
        if present is not None and value is not None and not alike:
            raise TypeError(f"{type(callback).__name__}.{name} is {value!r:.80}")


def settings_of(callback: Any) -> list[str]:
    """Return the arguments of built-in callbacks that are strings or paths, such as file names.

    They are not part of the state: the program decides where files are written, never a checkpoint.
    """
    names = {
        name
        for cls in library_classes(type(callback))
        for name in inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    }
    return [name for name in names if isinstance(getattr(callback, name, None), (str, os.PathLike))]


def _own_state(callback: Any) -> Any:
    keep = getattr(callback, "training_state", None)
    return None if keep is None else keep()
