"""What the commands about trained models share: reading a model and data, and saying what went wrong in one line."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from cornu.core.errors import did_you_mean
from cornu.datasets import fashion_mnist, mnist
from cornu.saving.files import load_model
from cornu.utils.arrays import to_categorical

DATA_SETS = {"mnist": mnist, "fashion_mnist": fashion_mnist}
SIDE = 28


class UserError(Exception):
    """A mistake in what the user gave, in words; the command ends with code 2."""


def refused(message: Any) -> int:
    """Print an error in one line and return the exit code for it."""
    print(f"cornu: {' '.join(str(message).split())}", file=sys.stderr)
    return 2


def model_from(path: str) -> Any:
    """Return the model in a file."""
    try:
        return load_model(path)
    except (OSError, ValueError, TypeError, KeyError, ImportError) as error:
        said = " ".join(str(error).split())
        named = said if path in said else f"cannot read the model {path!r}: {said}"
        raise UserError(named) from error


def data_from(name: str, part: str = "test") -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and targets: the part ("train", "test") of a data set, or of a .npz file.

    Images of a data set have values from 0 to 1. A file has ``x`` and ``y``, or ``x_test`` and ``y_test``.
    """
    if name in DATA_SETS:
        data = DATA_SETS[name].load_data()
        x, y = data[0] if part == "train" else data[1]
        return x.astype("float32") / 255, y
    if not name.endswith(".npz"):
        raise UserError(f"--data is mnist, fashion_mnist or a .npz file, not {name!r}.{did_you_mean(name, DATA_SETS)}")
    try:
        with np.load(name, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError) as error:
        said = "there is no such file" if not Path(name).exists() else f"it is no file of numpy's ({error})"
        raise UserError(f"cannot read {name!r}: {said}") from error
    for keys in ((f"x_{part}", f"y_{part}"), ("x", "y")):
        if all(key in arrays for key in keys):
            return arrays[keys[0]], arrays[keys[1]]
    raise UserError(
        f"{name!r} has the arrays {', '.join(arrays) or 'none'}; it needs x and y, or x_{part} and y_{part}."
    )


def fitted(model: Any, x: np.ndarray) -> np.ndarray:
    """Return inputs in the shape that a model takes: images flat, with a channel, or as they are."""
    shape = input_shape(model)
    if shape is None or x.shape[1:] == shape:
        return x
    if int(np.prod(x.shape[1:])) == int(np.prod(shape)):
        return x.reshape(-1, *shape)
    if x.shape[1:3] == shape[:2] and len(shape) == 3 and x.ndim == 3:
        return np.repeat(x[..., None], shape[2], axis=3)
    raise UserError(f"the model takes inputs of shape {shape}; the data have shape {x.shape[1:]}.")


def input_shape(model: Any) -> tuple[int, ...] | None:
    """Return the shape of one input of a model; None where it is not known."""
    inputs = model.inputs
    if not inputs:
        return None
    if len(inputs) > 1:
        raise UserError(f"the model has {len(inputs)} inputs; this command takes models of one.")
    shape = tuple(inputs[0].shape[1:])
    return None if None in shape else shape


def targets_for(model: Any, y: np.ndarray) -> np.ndarray:
    """Return class numbers as one-hot rows where the model's loss asks for them."""
    loss = model.loss
    name = loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", "")
    shape = model.outputs[0].shape if model.outputs else ()
    numbers = y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1)
    if numbers and len(shape) == 2 and (shape[1] or 0) > 1 and "sparse" not in str(name):
        return to_categorical(y, shape[1])
    return y
