"""Models as compiled programs in a file: StableHLO and weights, which run without the model's code.

The file is a zip of ``metadata.json``, ``program.stablehlo`` (from `jax.export`) and ``weights.safetensors``.
"""

import contextlib
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export
from jax.extend.core import jaxpr_as_fun

from cornu.core.atomic_files import replacing
from cornu.core.jax_internals import set_setting, setting
from cornu.export.program import Program, program_of
from cornu.export.trial import read_in_subprocess, read_program
from cornu.saving import documents
from cornu.saving.files import existing
from cornu.saving.safetensors import read, read_header, write_arrays

FORMAT, VERSION = "cornu.stablehlo", 1
METADATA, PROGRAM, WEIGHTS = "metadata.json", "program.stablehlo", "weights.safetensors"
MOST_METADATA = 1 << 22  # bytes
PLATFORMS = ("cpu", "cuda", "tpu")
EARLIEST = (1980, 1, 1, 0, 0, 0)  # a fixed time in the entries: equal models give equal files


def write_stablehlo(filepath: Any, model: Any, input_signature: Any = None) -> None:
    """Write a model's prediction as a program for CPU and, if possible, CUDA and TPU."""
    with _without_paths():
        program = program_of(model, input_signature)
        exported = _exported(program)
    content = bytes(exported.serialize())
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "jax": jax.__version__,
        "calling_convention": exported.calling_convention_version,
        "platforms": list(exported.platforms),
        "model": program.model_name,
        "inputs": [argument._asdict() for argument in program.inputs],
        "output_names": program.output_names,
        "outputs": program.outputs,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    weights = io.BytesIO()
    write_arrays(weights, {name: variable.numpy() for name, variable in _weights(program).items()}, {"format": FORMAT})
    with replacing(filepath) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, data in (
            (METADATA, json.dumps(metadata).encode()),
            (PROGRAM, content),
            (WEIGHTS, weights.getvalue()),
        ):
            archive.writestr(zipfile.ZipInfo(name, EARLIEST), data)


def _weights(program: Program) -> dict[str, Any]:
    """Return the program's variables by unique names, in the program's order."""
    return {f"{number}:{variable.path}": variable for number, variable in enumerate(program.variables)}


@contextlib.contextmanager
def _without_paths() -> Iterator[None]:
    """Keep the paths of source files out of what is written inside a ``with`` block."""
    before = setting("jax_traceback_in_locations_limit")
    set_setting("jax_traceback_in_locations_limit", 0)
    try:
        yield
    finally:
        set_setting("jax_traceback_in_locations_limit", before)


def _exported(program: Program) -> export.Exported:
    values = [jax.ShapeDtypeStruct(v._value.shape, v._value.dtype) for v in program.variables]
    function = jax.jit(jaxpr_as_fun(program.closed))
    try:
        return export.export(function, platforms=PLATFORMS)(*values, *program.structs)
    except NotImplementedError:  # an operation that one of them lacks
        return export.export(function, platforms=PLATFORMS[:1])(*values, *program.structs)


class ExportedModel:
    """A model that was exported to a ``.stablehlo`` file: it predicts, and cannot be trained or changed.

    `input_names`, `output_names` and `platforms` are what the names say; `load` makes one.
    """

    def __init__(self, metadata: dict[str, Any], exported: export.Exported, weights: list[np.ndarray]) -> None:
        self.name, self.platforms = str(metadata["model"]), tuple(exported.platforms)
        self.inputs, self.output_names = metadata["inputs"], list(metadata["output_names"])
        self.input_names = [entry["name"] for entry in self.inputs]
        self._outputs, self._weights = metadata["outputs"], [jax.numpy.asarray(value) for value in weights]
        self._call = jax.jit(exported.call)

    def __call__(self, *inputs: Any) -> Any:
        """Return the outputs for one batch: an array for each input, or a list or dictionary of them."""
        results = self._call(*self._weights, *self._arranged(inputs))
        return jax.tree.map(lambda number: results[number], self._outputs)

    def predict(self, x: Any, batch_size: int | None = None) -> Any:
        """Return the outputs for all rows as numpy arrays, `batch_size` (32) rows at a time."""
        arrays = self._arranged((x,))
        size = batch_size or 32
        rows = [arrays[0][start : start + size].shape[0] for start in range(0, len(arrays[0]), size)]
        starts = np.cumsum([0, *rows[:-1]])
        parts = [self(*[a[start : start + count] for a in arrays]) for start, count in zip(starts, rows, strict=True)]
        return jax.tree.map(lambda *some: np.concatenate([np.asarray(one) for one in some]), *parts)

    def _arranged(self, inputs: tuple) -> list[np.ndarray]:
        """Return the inputs in order and in the program's dtypes; ValueError if they do not fit."""
        given = inputs[0] if len(inputs) == 1 else list(inputs)
        if isinstance(given, dict) and set(given) == set(self.input_names):
            given = [given[name] for name in self.input_names]
        arrays = jax.tree.leaves(given)
        if len(arrays) != len(self.inputs):
            raise ValueError(f"The model {self.name!r} expects {len(self.inputs)} inputs {self.input_names}; "
                             f"got {len(arrays)}.")  # fmt: skip
        arrays = [np.asarray(array) for array in arrays]
        for array, entry in zip(arrays, self.inputs, strict=True):
            shape = entry["shape"]
            if len(shape) != array.ndim or any(
                want not in (None, size) for want, size in zip(shape, array.shape, strict=True)
            ):
                raise ValueError(
                    f"The input {entry['name']!r} of the model {self.name!r} has shape {tuple(shape)} (None is any "
                    f"size); got {array.shape}."
                )
        if (
            len(
                {
                    array.shape[0]
                    for array, entry in zip(arrays, self.inputs, strict=True)
                    if entry["shape"][:1] == [None]
                }
            )
            > 1
        ):
            raise ValueError(f"The inputs have different numbers of rows: {[array.shape[0] for array in arrays]}.")
        return [array.astype(entry["dtype"], copy=False) for array, entry in zip(arrays, self.inputs, strict=True)]

    def __repr__(self) -> str:
        return (
            f"<ExportedModel {self.name!r}: {self.input_names} -> {self.output_names}, for {', '.join(self.platforms)}>"
        )


def load(filepath: Any, trusted: bool = False) -> ExportedModel:
    """Return the model in a ``.stablehlo`` file that `Model.export` wrote; its own code is not needed.

    The compiler's parser is not hardened against malicious files and may crash the process. So the program is read in a
    separate process first, which takes a second or two; `trusted` skips that, for files that you wrote yourself.
    Raises ValueError if the file is not an exported model, was written by a later Cornu, is damaged, crashes the
    process that tries it, or has a program that calls anything but the compiler's own operations. A program may still
    use any amount of memory and time: load only what you would run.

    >>> import cornu, tempfile
    >>> model = cornu.Sequential([cornu.Input((3,)), cornu.layers.Dense(2, kernel_initializer="ones")])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.export(f"{folder}/m.stablehlo")
    ...     again = load(f"{folder}/m.stablehlo", trusted=True)
    >>> again.predict(np.ones((4, 3), "float32"))[0].tolist()
    [3.0, 3.0]
    """
    path = existing(filepath)
    metadata, content, weights = _members(path)
    if hashlib.sha256(content).hexdigest() != metadata["sha256"]:
        raise ValueError(f"{path.name!r} is damaged: its program does not match the file's checksum.")
    what = f"The program in {path.name!r}"
    if not trusted:
        read_in_subprocess(content, what)
    try:
        exported = read_program(content)
    except ValueError as error:
        raise ValueError(f"{what} {error}") from None
    _check_arguments(path, metadata, exported, weights)
    return ExportedModel(metadata, exported, weights)


def _members(path: Path) -> tuple[dict[str, Any], bytes, list[np.ndarray]]:
    """Return the three parts of a file; ValueError if it has others, or compressed ones, which may be of any size."""
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f"{str(path)!r} was not written by model.export(..., format='stablehlo'): it is not a zip with a program."
        )
    with zipfile.ZipFile(path) as archive:
        names = [info.filename for info in archive.infolist()]
        if sorted(names) != sorted([METADATA, PROGRAM, WEIGHTS]):
            hint = " It is a saved model: keras.models.load_model reads it." if "config.json" in names else ""
            raise ValueError(f"{path.name!r} contains {str(names)[:300]}, which is not an exported model.{hint}")
        if any(info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 for info in archive.infolist()):
            raise ValueError(f"{path.name!r} is compressed or flagged as Cornu's files never are: refused.")
        if archive.getinfo(METADATA).file_size > MOST_METADATA:
            raise ValueError(f"{METADATA} in {path.name!r} is larger than {MOST_METADATA:,} bytes: refused.")
        try:
            metadata, content, weights = (archive.read(name) for name in (METADATA, PROGRAM, WEIGHTS))
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise ValueError(f"{path.name!r} is damaged: {error}.") from None
    return _checked(documents.parse(metadata, f"{METADATA} in {path.name!r}"), path), content, _arrays(weights, path)


def _checked(metadata: dict[str, Any], path: Path) -> dict[str, Any]:
    version = metadata.get("version")
    if metadata.get("format") != FORMAT or not isinstance(version, int):
        raise ValueError(f"{METADATA} in {path.name!r} is not the metadata of an exported model.")
    if version > VERSION:
        raise ValueError(
            f"{path.name!r} was written by a later Cornu (version {version} of the format; this one reads {VERSION}): "
            "update Cornu."
        )
    kinds: dict[str, Any] = {
        "model": str,
        "inputs": list,
        "output_names": list,
        "outputs": (int, list, dict),
        "sha256": str,
    }
    for key, kind in kinds.items():
        if not isinstance(metadata.get(key), kind):
            raise ValueError(f"{METADATA} in {path.name!r} has no {key!r} of the right type: the file is damaged.")
    return metadata


def _arrays(content: bytes, path: Path) -> list[np.ndarray]:
    stored = read_header(io.BytesIO(content), f"{WEIGHTS} in {path.name}", len(content))
    found = {name.partition(":")[0]: read(array) for name, array in stored.items()}
    try:
        return [found[str(number)] for number in range(len(stored))]
    except KeyError:
        raise ValueError(f"{WEIGHTS} in {path.name!r} does not have Cornu's names: refused.") from None


def _check_arguments(
    path: Path, metadata: dict[str, Any], exported: export.Exported, weights: list[np.ndarray]
) -> None:
    """Raise ValueError if weights, inputs or outputs are not those of the program."""
    first, rest = exported.in_avals[: len(weights)], exported.in_avals[len(weights) :]
    numbers = jax.tree.leaves(metadata["outputs"])
    if (
        [(value.shape, value.dtype) for value in weights] != [(aval.shape, aval.dtype) for aval in first]
        or len(rest) != len(metadata["inputs"])
        or not all(_describes(*pair) for pair in zip(metadata["inputs"], rest, strict=True))
        or not all(type(number) is int for number in numbers)
        or sorted(numbers) != list(range(len(exported.out_avals)))
        or len(metadata["output_names"]) != len(numbers)
    ):
        raise ValueError(
            f"The program in {path.name!r} does not have the inputs and outputs that the file states: refused."
        )


def _describes(entry: Any, aval: Any) -> bool:
    if (
        not isinstance(entry, dict)
        or not {"name", "shape", "dtype"} <= set(entry)
        or not isinstance(entry["shape"], list)
    ):
        return False
    shape = [size if isinstance(size, int) else None for size in aval.shape]
    return isinstance(entry["name"], str) and entry["dtype"] == aval.dtype.name and entry["shape"] == shape
