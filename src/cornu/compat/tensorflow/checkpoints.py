"""``tf.train.Checkpoint`` and ``CheckpointManager``: objects of a program in safetensors files.

A checkpoint ``folder/ckpt-1`` is the file ``folder/ckpt-1.safetensors``; the file ``checkpoint`` in the folder names
the newest one. TensorFlow's own checkpoints are read into models.
Follows https://www.tensorflow.org/guide/checkpoint
"""

import contextlib
import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cornu.compat.tensorflow.errors import NotFoundError
from cornu.compat.tensorflow.files import path_of
from cornu.compat.tensorflow.module import Module
from cornu.core.atomic_files import replacing
from cornu.core.errors import listed
from cornu.core.layer import Layer
from cornu.core.variable import Variable
from cornu.optimizers import Optimizer
from cornu.saving.checkpoint_paths import NEWEST, STATE, checkpoint_prefix
from cornu.saving.checkpoint_weights import read_checkpoint
from cornu.saving.tensor_file import SUFFIX, read, read_header, write_arrays
from cornu.saving.variable_paths import places

_COUNTER = "save_counter"


def _parts(thing: Any, path: str, visited: set[int]) -> Iterator[tuple[str, Any, list[Variable]]]:
    """Yield what holds variables: its path, the layer or optimizer (or None), and its variables."""
    if id(thing) in visited:
        return
    visited.add(id(thing))
    if isinstance(thing, Variable):
        yield path, None, [thing]
    elif isinstance(thing, Layer):
        for place in places(thing, optimizer=False):
            yield f"{path}/{place.path}".rstrip("/"), place.owner, place.variables
    elif isinstance(thing, Optimizer):
        yield path, thing, thing.variables
    else:
        for name, part in _children(thing):
            yield from _parts(part, f"{path}/{name}".lstrip("/"), visited)


def _children(thing: Any) -> list[tuple[str, Any]]:
    if isinstance(thing, dict):
        return [(str(key), part) for key, part in thing.items()]
    if isinstance(thing, (list, tuple)):
        return [(str(number), part) for number, part in enumerate(thing)]
    if isinstance(thing, (Module, Checkpoint)):
        return [(name, part) for name, part in sorted(vars(thing).items()) if not name.startswith("_")]
    return []


def _state_of(thing: Any) -> Any:
    """Return the variable that is the state of a generator or the like; anything else as it is."""
    state = getattr(thing, "state", None)
    return state if isinstance(state, Variable) else thing


class Checkpoint:
    """Saves and restores variables, models, optimizers and modules. Stand-in for ``tf.train.Checkpoint``.

    Args:
        root: An object whose parts are saved as this checkpoint's own.
        kwargs: Objects by name; also lists and dictionaries of them.

    What has no variables yet when it is restored gets its values when it is built, a module when it gets the variable.

    >>> import tempfile
    >>> step = Variable(3.0)
    >>> checkpoint = Checkpoint(step=step)
    >>> path = checkpoint.save(tempfile.mkdtemp() + "/ckpt")
    >>> _ = step.assign(0.0); _ = checkpoint.restore(path)
    >>> float(step), path[-6:]
    (3.0, 'ckpt-1')
    """

    def __init__(self, root: Any = None, **kwargs: Any) -> None:
        self._root = root
        self.__dict__.update(kwargs)
        self._counter = Variable(0, dtype="int32", trainable=False, name=_COUNTER)

    @property
    def save_counter(self) -> Variable:
        """How often `save` was called."""
        return self._counter

    def _places(self) -> list[tuple[str, Any, list[Variable]]]:
        visited: set[int] = set()
        held: dict[str, Any] = {} if self._root is None else {"root": self._root}
        held |= dict(_children(self))
        held = {name: _state_of(part) for name, part in held.items()}
        return [(_COUNTER, None, [self._counter]), *_parts(held, "", visited)]

    def write(self, file_prefix: Any, options: Any = None) -> str:
        """Write the file; returns its path without the ending."""
        path = path_of(file_prefix)
        arrays = {
            f"{place}/{number}": variable.numpy()
            for place, _, variables in self._places()
            for number, variable in enumerate(variables)
        }
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with replacing(Path(path + SUFFIX)) as temporary, temporary.open("wb") as file:
            write_arrays(file, {name: np.asarray(array) for name, array in arrays.items()}, {"writer": "cornu"})
        return path

    def save(self, file_prefix: Any, options: Any = None) -> str:
        """Write a numbered file, ``prefix-1`` and so on; returns its path without the ending."""
        path = self.write(f"{path_of(file_prefix)}-{self._count()}")
        _write_state(Path(path).parent, [Path(path).name])
        return path

    def _count(self) -> int:
        """Count one more call of `save`; returns the new number."""
        self._counter.assign_add(1)
        return int(self._counter.numpy())

    def read(self, save_path: Any, options: Any = None) -> "Status":
        """Restore from a file of `write`."""
        path = path_of(save_path)
        file = Path(path + SUFFIX)
        if not file.exists():
            return self._read_tensorflow(path)
        with file.open("rb") as opened:
            stored = read_header(opened, file.name, file.stat().st_size)
            arrays = {name: read(one) for name, one in stored.items()}
        return Status(self._take(arrays), arrays)

    def restore(self, save_path: Any, options: Any = None) -> "Status":
        """Restore from a file of `save`, or from TensorFlow's checkpoint of a model; None does nothing."""
        return Status([], {}) if save_path is None else self.read(save_path)

    def _take(self, arrays: dict[str, np.ndarray]) -> list[str]:
        """Assign what there is, give the rest to what is not built; returns and removes what nothing took."""
        missing = _assign(self._places(), arrays)
        if arrays:
            roots = {} if self._root is None else {"root": self._root}
            for path, module in _modules(roots | dict(_children(self)), "", set()):
                module._deferred = functools.partial(_assign_later, path, arrays)
        return missing

    def _read_tensorflow(self, path: str) -> "Status":
        prefix = checkpoint_prefix(Path(path))
        if prefix is None:
            raise NotFoundError(message=f"Unsuccessful TensorSliceReader constructor: no checkpoint {path!r}.")
        models = [one for one in [self._root, *vars(self).values()] if isinstance(one, Layer)]
        if len(models) != 1:
            raise ValueError(
                f"{prefix.name!r} is TensorFlow's checkpoint, which Cornu reads into one model; this Checkpoint has "
                f"{len(models)}.\nUse model.load_weights({path!r}) for each."
            )
        read_checkpoint(Path(path), prefix, models[0], skip_mismatch=False)
        return Status([], {})


def _modules(thing: Any, path: str, visited: set[int]) -> Iterator[tuple[str, Module]]:
    """Yield the modules in something, with their paths."""
    if id(thing) not in visited:
        visited.add(id(thing))
        if isinstance(thing, Module):
            yield path, thing
        for name, part in _children(thing):
            yield from _modules(part, f"{path}/{name}".lstrip("/"), visited)


def _assign(places: Sequence[tuple[str, Any, list[Variable]]], arrays: dict[str, np.ndarray]) -> list[str]:
    """Assign to variables, and remove from `arrays`, what there is for them; returns what is missing."""
    missing = []
    for place, owner, variables in places:
        own = _numbered(arrays, place)
        for name in [f"{place}/{number}" for number in range(len(own))]:
            arrays.pop(name)
        _check_shapes(place, variables, own)
        missing += [f"{place}/{number}" for number in range(len(own), len(variables))]
        for variable, array in zip(variables, own, strict=False):
            variable.start_from(array)
        if len(own) > len(variables):
            _promise(owner, place, own)
    return missing


def _assign_later(path: str, arrays: dict[str, np.ndarray], name: str, value: Any) -> None:
    """Give an attribute that a module gets after it was restored its values."""
    if arrays:
        _assign(list(_parts(value, f"{path}/{name}", set())), arrays)


def _numbered(arrays: dict[str, np.ndarray], place: str) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    while (name := f"{place}/{len(found)}") in arrays:
        found.append(arrays[name])
    return found


def _check_shapes(place: str, variables: Sequence[Variable], arrays: Sequence[np.ndarray]) -> None:
    for variable, array in zip(variables, arrays, strict=False):
        if tuple(variable.shape) != array.shape:
            raise ValueError(
                f"The checkpoint has the shape {array.shape} for {place!r} ({variable.name}), which has "
                f"{tuple(variable.shape)} here."
            )


def _promise(owner: Any, place: str, arrays: list[np.ndarray]) -> None:
    """Let a layer or an optimizer that is not built take these values when it is."""
    if isinstance(owner, Layer) and not owner.built:
        method, held = "add_weight", owner.kept_variables
    elif isinstance(owner, Optimizer):
        method, held = "add_variable", lambda: owner.variables
    else:
        raise ValueError(f"The checkpoint has {len(arrays)} variables for {place!r}, which has fewer here.")
    make = getattr(type(owner), method)

    def add(shape: Any = (), initializer: Any = None, *args: Any, **kwargs: Any) -> Variable:
        number, sizes = len(held()), (shape,) if isinstance(shape, int) else tuple(shape or ())
        fits = number < len(arrays) and arrays[number].shape == sizes
        first = (lambda *_, **__: arrays[number]) if fits else initializer
        return make(owner, shape, first, *args, **kwargs)

    vars(owner)[method] = add


class Status:
    """What was restored: `assert_consumed` and its relatives check that it was all."""

    def __init__(self, missing: list[str], unused: dict[str, np.ndarray]) -> None:
        self._missing, self._unused = missing, unused

    def assert_consumed(self) -> "Status":
        """Return the status; AssertionError if something was not in the checkpoint, or only there."""
        if self._unused:
            raise AssertionError(f"Nothing took these values of the checkpoint: {listed(sorted(self._unused))}.")
        return self.assert_existing_objects_matched()

    def assert_existing_objects_matched(self) -> "Status":
        """Return the status; AssertionError if a variable was not in the checkpoint."""
        if self._missing:
            raise AssertionError(f"The checkpoint has no values for {listed(self._missing)}.")
        return self

    def assert_nontrivial_match(self) -> "Status":
        """Return the status."""
        return self

    def expect_partial(self) -> "Status":
        """Return the status: differences are all right."""
        return self

    initialize_or_restore = run_restore_ops = lambda self, session=None: None


# ---- the newest ones


def _write_state(folder: Path, names: Sequence[str]) -> None:
    lines = [f'model_checkpoint_path: "{names[-1]}"', *(f'all_model_checkpoint_paths: "{name}"' for name in names)]
    with replacing(folder / STATE) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


_ALL = re.compile(r'^\s*all_model_checkpoint_paths\s*:\s*"([^"\n]*)"', re.MULTILINE)


def _state(folder: Path) -> list[str]:
    """Return the names of the checkpoints that a folder's file lists, the newest last."""
    with contextlib.suppress(OSError):
        content = (folder / STATE).read_text(encoding="utf-8")
        newest = NEWEST.search(content)
        names = [name for name in _ALL.findall(content) if newest is None or name != newest[1]]
        return [Path(name).name for name in (*names, *([newest[1]] if newest else []))]
    return []


def _exists(folder: Path, name: str) -> bool:
    return (folder / (name + SUFFIX)).is_file() or (folder / f"{name}.index").is_file()


def latest_checkpoint(checkpoint_dir: Any, latest_filename: Any = None) -> str | None:
    """Return the path of the newest checkpoint in a folder, or None."""
    folder = Path(path_of(checkpoint_dir))
    names = _state(folder)
    return str(folder / names[-1]) if names and _exists(folder, names[-1]) else None


def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """Return the names and shapes of what a checkpoint of `Checkpoint` holds."""
    path = Path(path_of(ckpt_dir_or_file))
    file = Path((latest_checkpoint(path) if path.is_dir() else str(path)) + SUFFIX)  # type: ignore[operator]
    with file.open("rb") as opened:
        return [(name, list(one.shape)) for name, one in read_header(opened, file.name, file.stat().st_size).items()]


class CheckpointManager:
    """Keeps the last checkpoints of a folder, and deletes older ones.

    Args:
        checkpoint: The `Checkpoint`.
        directory: The folder.
        max_to_keep: How many are kept; None: all.
        keep_checkpoint_every_n_hours, step_counter, init_fn: No effect.
        checkpoint_name: Beginning of the names.
        checkpoint_interval: With `step_counter`: how many steps lie between two.
    """

    def __init__(
        self, checkpoint: Checkpoint, directory: Any, max_to_keep: int | None = None,
        keep_checkpoint_every_n_hours: Any = None, checkpoint_name: str = "ckpt", step_counter: Any = None,
        checkpoint_interval: int | None = None, init_fn: Any = None,
    ) -> None:  # fmt: skip
        self._checkpoint, self.directory = checkpoint, path_of(directory)
        self._most, self._name, self._init_fn = max_to_keep, checkpoint_name, init_fn
        self._steps, self.checkpoint_interval = step_counter, checkpoint_interval
        self._names = [name for name in _state(Path(self.directory)) if _exists(Path(self.directory), name)]
        self._last_step: int | None = None

    checkpoint = property(lambda self: self._checkpoint)

    @property
    def checkpoints(self) -> list[str]:
        """The paths of the checkpoints, the newest last."""
        return [str(Path(self.directory) / name) for name in self._names]

    @property
    def latest_checkpoint(self) -> str | None:
        """The path of the newest checkpoint, or None."""
        return self.checkpoints[-1] if self._names else None

    def save(self, checkpoint_number: Any = None, check_interval: bool = True, options: Any = None) -> str | None:
        """Write a checkpoint, with the next number by default; returns its path."""
        if self._steps is not None and self.checkpoint_interval and check_interval:
            step = int(self._steps)
            if self._last_step is not None and step < self._last_step + self.checkpoint_interval:
                return None
            self._last_step = step
        counted = self._checkpoint._count()
        number = counted if checkpoint_number is None else int(checkpoint_number)
        path = self._checkpoint.write(str(Path(self.directory) / f"{self._name}-{number}"))
        self._names = [*(name for name in self._names if name != Path(path).name), Path(path).name]
        while self._most is not None and len(self._names) > self._most:
            (Path(self.directory) / (self._names.pop(0) + SUFFIX)).unlink(missing_ok=True)
        _write_state(Path(self.directory), self._names)
        return path

    def restore_or_initialize(self) -> str | None:
        """Restore the newest checkpoint and return its path; without one call `init_fn` and return None."""
        if self.latest_checkpoint is None:
            if self._init_fn is not None:
                self._init_fn()
            return None
        self._checkpoint.restore(self.latest_checkpoint)
        return self.latest_checkpoint
