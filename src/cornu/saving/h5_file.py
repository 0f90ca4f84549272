"""HDF5 files: whole models in the format of Keras 1 and 2, and weights in either layout."""

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from cornu.core.serialization import serialize_object
from cornu.layers.feature_preprocessing.vocabulary import vocabularies_in_configs
from cornu.saving import compiling, documents, hdf5
from cornu.saving.class_names import KEY, as_text, from_text, give
from cornu.saving.h5_config import old_form
from cornu.saving.layer_groups import KERAS_VERSION, read_layer_groups, write_gates, write_layer_groups
from cornu.saving.optimizer_state import read_optimizer, write_optimizer
from cornu.saving.plain_names import with_plain_names
from cornu.saving.source import CORNU, GATES, VERSION, Source, writer
from cornu.saving.transfer import Transfer
from cornu.saving.weights import read_weights, write_weights


def write_h5_file(path: Path, model: Any, include_optimizer: bool = True) -> None:
    """Write a whole model as Keras 2 did, with the optimizer's variables in Keras 3's order."""
    with model.sharing(), vocabularies_in_configs():
        entry = old_form(serialize_object(model, with_compile_config=False))
    compiled = compiling.compile_config(model) if include_optimizer else None
    with new_file(path) as file:
        # As bytes: Keras 2 decodes them itself.
        file.attrs["keras_version"], file.attrs["backend"] = KERAS_VERSION.encode(), b"tensorflow"
        file.attrs[CORNU] = VERSION.encode()
        file.attrs["model_config"] = json.dumps(with_plain_names(entry, model)).encode()
        names = as_text(model)
        if names is not None:
            file.attrs[KEY] = names.encode()
        write_layer_groups(file.create_group("model_weights"), model)
        if compiled is not None:
            training = with_plain_names(compiling.to_training_config(compiled), model)
            file.attrs["training_config"] = json.dumps(training).encode()
            write_optimizer(file, model.optimizer)


def read_h5_file(path: Path, custom_objects: dict[str, Any] | None, compile: bool) -> Any:
    """Return the model of a file, compiled as it was unless `compile` is False."""
    with hdf5.open_file(path, path.name) as file:
        source = source_of(file, path.name)
        config, groups = hdf5.text(file, "model_config"), hdf5.group_at(file, "model_weights")
        if config is None or groups is None:
            raise ValueError(
                f"The file {source} has weights only, not a model. Build the model, then call model.load_weights(...)."
            )
        entry = documents.parse(config, f"model_config in {source}")
        budget = hdf5.budget_of(groups, bool(custom_objects))
        model = documents.model_of(entry, custom_objects, source, budget, groups)
        transfer = Transfer(source, model)
        with hdf5.damage(path.name):
            read_layer_groups(groups, model, transfer)
        training = hdf5.text(file, "training_config") if compile else None
        if training is not None:
            parsed = compiling.from_training_config(documents.parse(training, f"training_config in {source}"))
            state = hdf5.group_at(file, "optimizer_weights")
            compiling.compile_from(model, parsed, custom_objects, source)
            if state is not None:
                with hdf5.damage(path.name):
                    read_optimizer(state, model.optimizer, transfer)
        transfer.apply()
        give(model, from_text(hdf5.text(file, KEY)), str(source))
    return model


def write_weights_file(path: Path, model: Any, layered: bool) -> None:
    """Write only weights: with `layered` in Keras 2's layout, else in Keras 3's."""
    with new_file(path) as file:
        if layered:
            write_layer_groups(file, model)
        else:
            file.attrs["keras_version"], file.attrs[CORNU] = KERAS_VERSION.encode(), VERSION.encode()
            write_gates(file, model)
            write_weights(file, model, optimizer=model.compiled and model.optimizer is not None)


def read_weights_file(path: Path, model: Any, skip_mismatch: bool, by_name: bool) -> None:
    """Set a model's weights from an HDF5 file of either layout, or a whole-model file."""
    with hdf5.open_file(path, path.name) as file:
        with hdf5.damage(path.name):
            groups = layer_groups(file)
            transfer = Transfer(source_of(file, path.name), model, skip_mismatch)
            if groups is not None:
                read_layer_groups(groups, model, transfer, by_name)
            elif by_name:
                raise ValueError(f"by_name works for files in Keras 2's layout; {path.name!r} stores weights by path.")
            else:
                read_weights(file, model, transfer)
        transfer.apply()


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[h5py.File]:
    """Yield an empty HDF5 file that is made in memory and written when the block ends.

    The HDF5 library itself crashes the process, or leaves files open, if the disk is full.
    """
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        yield file
    path.write_bytes(content.getvalue())  # no copy, and no view that a failed write keeps alive


def layer_groups(file: h5py.File) -> h5py.Group | None:
    """Return the group that contains the layers' groups in Keras 2's layout, or None for Keras 3's."""
    listed = hdf5.has(file, "layer_names") or hdf5.has(file, "layer_names0")
    return file if listed else hdf5.group_at(file, "model_weights")


def source_of(file: h5py.File, name: str) -> Source:
    """Return a file's name, which Keras version wrote it, or that Cornu did, and what its gates use."""
    weights = hdf5.group_at(file, "model_weights")
    for group in (file, weights):
        said = None if group is None else writer(hdf5.text(group, "keras_version"), hdf5.text(group, CORNU))
        if said:
            gates = next((hdf5.text(one, GATES) for one in (weights, file) if one is not None), None)
            return Source(name, said, gates)
    layered = any(hdf5.group_at(file, name) is not None for name in ("vars", "layers"))
    return Source(name, "Keras 3" if layered else "an unknown version")
