"""What the commands for trained models share: reading models and data, and errors in one line."""

import math
import sys
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from cornu.core.errors import did_you_mean, one_line
from cornu.datasets import fashion_mnist, mnist
from cornu.saving.files import load_model
from cornu.utils.arrays import to_categorical

DATA_SETS = {"mnist": mnist, "fashion_mnist": fashion_mnist}
SIDE = 28


class UserError(Exception):
    """An error in the user's input; the command ends with code 2."""


def refused(message: Any) -> int:
    """Print an error in one line and return the exit code for it."""
    print(f"cornu: {one_line(' '.join(str(message).split()))}", file=sys.stderr)
    return 2


def model_from(path: str) -> Any:
    """Return the model in a file."""
    try:
        return load_model(path)
    except (OSError, ValueError, TypeError, KeyError, ImportError) as error:
        said = " ".join(str(error).split())
        named = said if path in said else f"cannot read the model {path!r}: {said}"
        raise UserError(named) from error


def data_for(model: Any, name: str, part: str = "test") -> tuple[Any, Any]:
    """Return inputs in the model's shape, and targets: the part ("train" or "test") of a data set or file.

    Images of a data set have values from 0 to 1. A .npz file has ``x`` and ``y``, or ``x_test`` and ``y_test``; for a
    model with several inputs or outputs, it has an array for each, by name.
    """
    if name in DATA_SETS:
        data = DATA_SETS[name].load_data()
        x, y = data[0] if part == "train" else data[1]
        return fitted(model, x.astype("float32") / 255), y
    if not name.endswith(".npz"):
        raise UserError(
            f"--data must be mnist, fashion_mnist or a .npz file; got {name!r}.{did_you_mean(name, DATA_SETS)}"
        )
    arrays = arrays_from(name)
    x, y = inputs_from(model, arrays, name, part), _targets_from(model, arrays, name, part)
    rows = {len(array) for found in (x, y) for array in (found.values() if isinstance(found, dict) else [found])}
    if len(rows) > 1:
        raise UserError(f"the arrays in {name!r} differ in their number of rows: {sorted(rows)}.")
    return x, y


def arrays_from(name: str) -> dict[str, np.ndarray]:
    """Return the arrays in a .npz file."""
    try:
        with Path(name).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, TypeError, BadZipFile) as error:  # a single array is no `with`
        said = "there is no such file" if not Path(name).exists() else f"it is not a numpy .npz file ({error})"
        raise UserError(f"cannot read {name!r}: {said}") from error
    for key, array in arrays.items():
        if array.ndim == 0:
            raise UserError(f"the array {key!r} in {name!r} is a single value; it needs one row per sample.")
    return arrays


def inputs_from(model: Any, arrays: dict[str, np.ndarray], file: str, part: str = "test") -> Any:
    """Return a model's inputs from a file's arrays: one array, or a dictionary for several inputs."""
    names = [*model.input_names] if model.inputs else []
    if len(names) < 2:
        return fitted(model, _one(arrays, [f"x_{part}", "x", *names], file))
    found = {name: _one(arrays, [f"{name}_{part}", name], file, names) for name in names}
    shapes = dict(zip(names, (tuple(one.shape[1:]) for one in model.inputs), strict=True))
    return {name: _in_shape(array, shapes[name], f"the model's input {name!r} has") for name, array in found.items()}


def _targets_from(model: Any, arrays: dict[str, np.ndarray], file: str, part: str) -> Any:
    names = [*model.output_names] if model.outputs else []
    if len(names) < 2:
        return _one(arrays, [f"y_{part}", "y", *names], file)
    return {name: _one(arrays, [f"{name}_{part}", name], file, names) for name in names}


def _one(arrays: dict[str, np.ndarray], keys: list[str], file: str, needed: list[str] | None = None) -> np.ndarray:
    """Return the first array of a file that has one of the given names."""
    for key in keys:
        if key in arrays:
            return arrays[key]
    wanted = f"{', '.join(needed)}, one for each" if needed else f"x and y, or {keys[0]}"
    raise UserError(f"{file!r} has the arrays {', '.join(arrays) or 'none'}; it needs {wanted}.")


def fitted(model: Any, x: np.ndarray) -> np.ndarray:
    """Return inputs in the shape of a single-input model: images flat, with a channel, or as they are."""
    shape = input_shape(model)
    return x if shape is None else _in_shape(x, shape, "the model takes inputs of")


def _in_shape(x: np.ndarray, shape: tuple[int | None, ...], taker: str) -> np.ndarray:
    """Return rows in a shape (None matches any size): flattened, with a channel added, or as they are."""
    have = x.shape[1:]
    if len(have) == len(shape) and all(want in (None, size) for size, want in zip(have, shape, strict=True)):
        return x
    if None not in shape and math.prod(have) == math.prod(shape):  # type: ignore[arg-type]
        return x.reshape(-1, *shape)
    if have[:2] == shape[:2] and len(shape) == 3 and len(have) == 2:
        return np.repeat(x[..., None], shape[2] or 1, axis=3)
    raise UserError(f"{taker} shape {shape}; the data has shape {have}.")


def input_shape(model: Any) -> tuple[int, ...] | None:
    """Return the shape of one input of a model; None if it is not known."""
    inputs = model.inputs
    if not inputs:
        return None
    if len(inputs) > 1:
        raise UserError(
            f"the model has {len(inputs)} inputs: give a .npz file with an array for each, named "
            f"{', '.join(model.input_names)}."
        )
    shape = tuple(inputs[0].shape[1:])
    return None if None in shape else shape


def targets_for(model: Any, y: Any) -> Any:
    """Return class numbers as one-hot rows if the model's loss needs them; several outputs stay as they are."""
    if isinstance(y, dict):
        return y
    loss = model.loss
    name = loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", "")
    shape: tuple[Any, ...] = model.outputs[0].shape if model.outputs else ()
    numbers = y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1)
    if numbers and len(shape) == 2 and (shape[1] or 0) > 1 and "sparse" not in str(name):
        return to_categorical(y, shape[1])
    return y
