"""The ``.keras`` file of Keras 3: a zip of ``metadata.json``, ``config.json``, ``model.weights.h5`` and assets."""

import datetime
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py

from cornu.core.serialization import serialize_object
from cornu.saving import archive as zipped
from cornu.saving import compiling, documents, hdf5
from cornu.saving.archive import CONFIG, EARLIEST, METADATA, WEIGHTS
from cornu.saving.assets import read_assets, set_assets, write_assets
from cornu.saving.class_names import KEY, class_names_of, give
from cornu.saving.gates import gates_of
from cornu.saving.plain_names import with_plain_names
from cornu.saving.source import CORNU, GATES, VERSION
from cornu.saving.transfer import Transfer
from cornu.saving.weights import read_weights, write_weights

KERAS_VERSION = "3.15.1"  # whose format the file has


def write_keras_file(path: Path, model: Any, include_optimizer: bool = True) -> None:
    """Write a model with its weights and, if it is compiled, its optimizer's state and the arguments of compile."""
    with model.sharing():
        entry = serialize_object(model, with_compile_config=False)
    compiled = compiling.compile_config(model) if include_optimizer else None
    if compiled is not None:
        entry["compile_config"] = compiled
    notes = {GATES: gates_of(model), KEY: class_names_of(model)}
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata: dict[str, Any] = {"keras_version": KERAS_VERSION, CORNU: VERSION, "date_saved": now}
    metadata |= {key: note for key, note in notes.items() if note is not None}
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        write_weights(file, model, optimizer=compiled is not None)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in ((METADATA, metadata), (CONFIG, entry)):
            archive.writestr(zipfile.ZipInfo(name, EARLIEST), json.dumps(with_plain_names(text, model)))
        archive.writestr(zipfile.ZipInfo(WEIGHTS, EARLIEST), weights.getvalue())
        write_assets(archive, model)


def read_keras_file(path: Path, custom_objects: dict[str, Any] | None, compile: bool) -> Any:
    """Return the model of a file, compiled as it was unless `compile` is False."""
    with zipped.open_archive(path) as archive:
        source = zipped.source_of(archive, path.name)
        entry = zipped.config_of(archive, str(source))
        names = zipped.metadata_of(archive).get(KEY)
        content, assets = zipped.read_weights_member(archive), read_assets(archive)
    compile_config = entry.pop("compile_config", None)
    with hdf5.open_file(io.BytesIO(content), f"{WEIGHTS} in {path.name!r}", path.stat().st_size) as file:
        budget = hdf5.budget_of(file, bool(custom_objects))
        model = documents.model_of(entry, custom_objects, source, budget)
        if compile and compile_config:
            compiling.compile_from(model, compile_config, custom_objects, source, optimizer_name(file))
        transfer = Transfer(source, model)
        with hdf5.damage(path.name):
            read_weights(file, model, transfer, optimizer=compile)
        transfer.apply()
    set_assets(model, assets, source)
    give(model, names, str(source))
    return model


def optimizer_name(file: h5py.File) -> str | None:
    """Return the name of the optimizer whose state is in a file."""
    group = hdf5.group_at(file, "optimizer/vars")
    return None if group is None else hdf5.text(group, "name")


def read_zipped_weights(path: Path, model: Any, skip_mismatch: bool) -> None:
    """Set a model's weights from those in a ``.keras`` file."""
    with zipped.open_archive(path) as archive:
        source = zipped.source_of(archive, path.name)
        content = zipped.read_weights_member(archive)
    transfer = Transfer(source, model, skip_mismatch)
    with hdf5.open_file(io.BytesIO(content), f"{WEIGHTS} in {path.name!r}", path.stat().st_size) as file:
        with hdf5.damage(path.name):
            read_weights(file, model, transfer)
        transfer.apply()
