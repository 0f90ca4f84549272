"""Saving and loading: which format a file has, or shall have."""

import os
import zipfile
from pathlib import Path
from typing import Any

from cornu.core.atomic_files import replacing
from cornu.saving.hdf5_heaps import HDF5_START

ZIP_START = b"PK\x03\x04"


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True, save_format: str | None = None,
    zipped: bool | None = None,
) -> None:  # fmt: skip
    """Write architecture, weights, and optimizer with its state, into one file.

    ``.keras`` is Keras 3's format; ``.h5`` and ``.hdf5`` Keras 1's and 2's, which Keras 3 reads as well; any other name
    gives ``.h5``'s, as in Keras 2, unless `save_format` is ``"keras"``. The file is replaced as a whole or not at all.
    `include_optimizer` False leaves out what `compile` was given. Raises FileExistsError where `overwrite` is False and
    the file is there, FileNotFoundError where its folder is not.
    Follows https://keras.io/api/models/model_saving_apis/model_saving_and_loading/
    """
    from cornu.saving.h5_file import write_h5_file
    from cornu.saving.keras_file import write_keras_file

    if zipped is False:
        raise ValueError("Cornu writes one file, not a folder: leave zipped out.")
    if save_format not in (None, False, "keras", "h5", "hdf5", "tf"):
        raise ValueError(f"save_format is 'keras' or 'h5'; it is {save_format!r}.")
    name = os.fspath(filepath)
    as_zip = save_format == "keras" if save_format and save_format != "tf" else str(name).endswith(".keras")
    with replacing(filepath, overwrite) as temporary:
        (write_keras_file if as_zip else write_h5_file)(temporary, model, include_optimizer)


def load_model(
    filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Return the model of a ``.keras`` or ``.h5`` file, written by Cornu or by any Keras.

    `custom_objects` gives classes and functions of your own by the names in the file; nothing is ever imported or run
    out of a file, so `safe_mode` changes nothing. With `compile` the model is ready to train on, its optimizer in the
    state that it was in. Raises ValueError that names file, member and layer where the file cannot be read.
    Follows https://keras.io/api/models/model_saving_apis/model_saving_and_loading/
    """
    from cornu.saving.h5_file import read_h5_file
    from cornu.saving.keras_file import read_keras_file
    from cornu.saving.safetensors import is_safetensors

    path = existing(filepath)
    if is_safetensors(path):
        raise ValueError(
            f"{str(path)!r} is a safetensors file: it holds weights only, and no model. Build the model, then call "
            "model.load_weights(...)."
        )
    return (read_keras_file if is_zip(path) else read_h5_file)(path, custom_objects, compile)


def save_weights(model: Any, filepath: Any, overwrite: bool = True, save_format: str | None = None) -> None:
    """Write a model's weights into an HDF5 file, or a ``.safetensors`` file where the name ends so.

    A name that ends in ``.weights.h5`` gives Keras 3's layout, any other Keras 2's; `load_weights` reads all. Raises
    ValueError where the model is not built yet, FileExistsError and FileNotFoundError as `save_model`.
    """
    from cornu.saving.h5_file import write_weights_file
    from cornu.saving.safetensors import SUFFIX, write_safetensors

    check_built(model)
    name = str(os.fspath(filepath))
    with replacing(filepath, overwrite) as temporary:
        if name.endswith(SUFFIX):
            write_safetensors(temporary, model)
        else:
            write_weights_file(temporary, model, layered=not name.endswith(".weights.h5"))


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, by_name: bool = False) -> None:
    """Set a model's weights from a file of weights or a whole-model file of any Keras, or a safetensors file.

    Files of Keras 3 and safetensors are matched by place in the model, older ones layer by layer in order, or with
    `by_name` by the layers' names (others are left as they are). `skip_mismatch` leaves layers that do not fit, with a
    warning. Raises ValueError where the file does not fit; then no weight was changed.
    """
    from cornu.saving.h5_file import read_weights_file
    from cornu.saving.keras_file import read_zipped_weights
    from cornu.saving.safetensors import is_safetensors, read_safetensors

    check_built(model)
    path = existing(filepath)
    if is_safetensors(path):
        if by_name:
            raise ValueError("by_name works for files of Keras 2's layout; safetensors has its weights by place.")
        read_safetensors(path, model, skip_mismatch)
    elif not is_zip(path):
        read_weights_file(path, model, skip_mismatch, by_name)
    elif by_name:
        raise ValueError("by_name works for files of Keras 2's layout; a .keras file has its weights by place.")
    else:
        read_zipped_weights(path, model, skip_mismatch)


def check_built(model: Any) -> None:
    """Raise ValueError for a model without weights yet."""
    if not model.built:
        raise ValueError(
            f"The model {model.name!r} has no weights yet: call it on data, or give its first layer an input_shape."
        )


def existing(filepath: Any) -> Path:
    """Return the path of a file that is there and is one; FileNotFoundError or ValueError in words otherwise."""
    path = Path(os.fspath(filepath))
    if path.is_dir():
        raise ValueError(
            f"{str(path)!r} is a folder. Cornu reads files (.keras, .h5, .safetensors); a SavedModel is a program."
        )
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r} (the working folder is {os.getcwd()!r}).")
    return path


def is_zip(path: Path) -> bool:
    """Tell by its first bytes whether a file is a zip, else HDF5; ValueError for anything else, whatever its name."""
    with path.open("rb") as file:
        start = file.read(8)
    if start == HDF5_START:
        return False
    if start[:4] == ZIP_START and zipfile.is_zipfile(path):
        return True
    raise ValueError(
        f"{str(path)!r} is neither a .keras file (a zip) nor an HDF5 file nor safetensors: it begins with {start!r}, "
        f"and has {path.stat().st_size} bytes."
    )
