"""Saving and loading: which format a file has, or will have."""

import inspect
import os
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

from cornu.core import registry
from cornu.core.atomic_files import replacing
from cornu.core.errors import readable_errors
from cornu.saving.checkpoint_paths import checkpoint_prefix, is_saved_model
from cornu.saving.hdf5_heaps import HDF5_START

ZIP_START = b"PK\x03\x04"
FILE_OBJECT = "a file object"  # what messages call it


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True, save_format: str | None = None,
    zipped: bool | None = None,
) -> None:  # fmt: skip
    """Write the architecture, weights, and optimizer with its state to one file.

    The file is replaced completely or not at all.

    Args:
        model: The model.
        filepath: ``.keras`` is Keras 3's format; ``.h5`` and ``.hdf5`` are Keras 1's and 2's, which Keras 3 reads too.
            Any other name gives ``.h5``'s format, as in Keras 2, unless `save_format` is ``"keras"``. A file object,
            such as ``io.BytesIO()``, takes ``.keras`` unless `save_format` says otherwise.
        overwrite: Whether to replace an existing file.
        include_optimizer: Whether to write the arguments of `compile` and the optimizer's state.
        save_format: ``"keras"`` or ``"h5"``, by default from the file name.
        zipped: Must not be False: Cornu writes one file, not a folder.

    Raises:
        FileExistsError: The file exists, and `overwrite` is False.
        FileNotFoundError: Its folder does not exist.
        ValueError: The format is unknown.

    Follows https://keras.io/api/models/model_saving_apis/model_saving_and_loading/
    """
    from cornu.saving.h5_file import write_h5_file
    from cornu.saving.keras_file import write_keras_file

    if zipped is False:
        raise ValueError("Cornu writes one file, not a folder: leave zipped out.")
    if save_format not in (None, False, "keras", "h5", "hdf5", "tf"):
        raise ValueError(f"save_format must be 'keras' or 'h5'; got {save_format!r}.")
    to_object = hasattr(filepath, "write")
    name = "model.keras" if to_object else os.fspath(filepath)
    as_zip = save_format == "keras" if save_format and save_format != "tf" else str(name).endswith(".keras")
    write = write_keras_file if as_zip else write_h5_file
    warn_of_functions(model)
    if to_object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            write(path, model, include_optimizer)
            filepath.write(path.read_bytes())
        return
    with replacing(filepath, overwrite) as temporary:
        write(temporary, model, include_optimizer)


def warn_of_functions(model: Any) -> None:
    """Warn of functions in a model that its file will only name."""
    functions = [(layer, vars(layer).get("function")) for layer in model._flatten_layers()]
    named = [
        f"{layer.name!r} ({function.__name__})"
        for layer, function in functions
        if type(layer).__name__ == "Lambda"
        and inspect.isfunction(function)
        and registry.registered_name(function) is None
    ]
    if named:
        warnings.warn(
            f"The file will not hold the functions of the Lambda layers {', '.join(named)}, only their names: "
            "pass them in custom_objects when you load it, or decorate them with register_keras_serializable().",
            UserWarning,
            stacklevel=4,
        )


def load_model(
    filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Return the model of a ``.keras`` or ``.h5`` file, written by Cornu or any Keras version, or of a SavedModel.

    Of a SavedModel folder, which ``model.save`` of tf.keras 2 wrote, the layers' configs and the variables are read,
    and never the program in it.

    Args:
        filepath: The file, or a file object that is open for reading bytes.
        custom_objects: Custom classes and functions by their names in the file.
        compile: Whether to compile the model as it was, with the state of its optimizer.
        safe_mode: Accepted; nothing is ever imported or run from a file.

    Raises:
        ValueError: The file cannot be read; the message names the file, member and layer. So for a SavedModel of
            anything but Keras layers.
        FileNotFoundError: There is no such file.

    Follows https://keras.io/api/models/model_saving_apis/model_saving_and_loading/

    >>> import cornu, tempfile
    >>> model = cornu.Sequential([cornu.layers.Input((4,)), cornu.layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/model.keras")
    ...     load_model(f"{folder}/model.keras").output_shape
    (None, 2)
    """
    from cornu.saving.h5_file import read_h5_file
    from cornu.saving.keras_file import read_keras_file
    from cornu.saving.safetensors import is_safetensors
    from cornu.saving.saved_model import read_saved_model

    with readable_errors():
        if hasattr(filepath, "read"):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / FILE_OBJECT
                path.write_bytes(filepath.read())
                try:
                    return load_model(path, custom_objects, compile, safe_mode)
                except ValueError as error:
                    raise ValueError(str(error).replace(str(path), FILE_OBJECT)) from error
        path = existing(filepath)
        if is_saved_model(path):
            return read_saved_model(path, custom_objects, compile)
        if checkpoint_prefix(path) is not None:
            raise ValueError(
                f"{str(path)!r} is a TensorFlow checkpoint: it holds weights only, and no model. Build the model, "
                "then call model.load_weights(...)."
            )
        if is_safetensors(path):
            raise ValueError(
                f"{str(path)!r} is a safetensors file: it has weights only, not a model. Build the model, then call "
                "model.load_weights(...)."
            )
        return (read_keras_file if is_zip(path) else read_h5_file)(path, custom_objects, compile)


def save_weights(model: Any, filepath: Any, overwrite: bool = True, save_format: str | None = None) -> None:
    """Write a model's weights to an HDF5 file, or to a ``.safetensors`` file, by the file name.

    A name ending in ``.weights.h5`` gives Keras 3's layout, any other Keras 2's; `load_weights` reads all of them.

    Args:
        model: The model.
        filepath: The file.
        overwrite: Whether to replace an existing file.
        save_format: Accepted; the file name decides.

    Raises:
        ValueError: The model is not built.
        FileExistsError, FileNotFoundError: As for `save_model`.
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


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, by_name: bool = False) -> Any:
    """Set a model's weights from a weights file or whole model of any Keras version, or a safetensors file.

    Args:
        model: The model.
        filepath: The file. Of a TensorFlow checkpoint, the beginning that its files share
            (``"ckpt"`` for ``ckpt.index``), or the folder with a file ``checkpoint``; or a SavedModel folder.
        skip_mismatch: Whether to skip layers that do not fit, with a warning.
        by_name: For files in Keras 2's layout: match layers by name instead of by order, and leave others unchanged.

    Returns:
        For a TensorFlow checkpoint a status with TensorFlow's ``expect_partial()``, ``assert_consumed()``; else None.

    Raises:
        ValueError: The file does not fit; then no weight was changed.
    """
    from cornu.saving.checkpoint_weights import read_checkpoint
    from cornu.saving.h5_file import read_weights_file
    from cornu.saving.keras_file import read_zipped_weights
    from cornu.saving.safetensors import is_safetensors, read_safetensors

    with readable_errors():
        check_built(model)
        path = existing(filepath)
        prefix = checkpoint_prefix(path)
        if prefix is not None:
            if by_name:
                raise ValueError("by_name works for files of Keras 2's layout; a checkpoint has its weights by object.")
            return read_checkpoint(path, prefix, model, skip_mismatch)
        if is_safetensors(path):
            if by_name:
                raise ValueError(
                    "by_name works for files in Keras 2's layout; safetensors files store weights by path."
                )
            read_safetensors(path, model, skip_mismatch)
        elif not is_zip(path):
            read_weights_file(path, model, skip_mismatch, by_name)
        elif by_name:
            raise ValueError("by_name works for files in Keras 2's layout; a .keras file stores weights by path.")
        else:
            read_zipped_weights(path, model, skip_mismatch)
        return None


def check_built(model: Any) -> None:
    """Raise ValueError if a model has no weights yet."""
    if not model.built:
        raise ValueError(
            f"The model {model.name!r} has no weights yet: call it on data, or give its first layer an input_shape."
        )


def existing(filepath: Any) -> Path:
    """Return the path of an existing file, SavedModel folder or checkpoint; FileNotFoundError or ValueError if none."""
    path = Path(os.fspath(filepath))
    if checkpoint_prefix(path) is not None:
        return path
    if path.is_dir():
        raise ValueError(
            f"{str(path)!r} is a folder, but neither a SavedModel nor one with a TensorFlow checkpoint. Cornu reads "
            "files (.keras, .h5, .safetensors) too."
        )
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r} (the working folder is {os.getcwd()!r}).")
    return path


def is_zip(path: Path) -> bool:
    """Return by its first bytes whether a file is a zip or HDF5; ValueError for anything else, whatever its name."""
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
