"""The ``.keras`` file of Keras 3: a zip of ``metadata.json``, ``config.json`` and ``model.weights.h5``."""

import datetime
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py

from cornu.core.config import serialize_object
from cornu.saving import compiling, documents, hdf5
from cornu.saving.slots import places
from cornu.saving.source import Source
from cornu.saving.transfer import Transfer
from cornu.saving.weights import read_weights, write_weights

KERAS_VERSION = "3.15.1"  # whose form the file has
METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
MOST_JSON = 1 << 26  # bytes; the config of the largest published models has under a hundredth of it
ENCRYPTED = 0x1
EARLIEST = (1980, 1, 1, 0, 0, 0)  # no time in the entries: equal models give equal files but for the metadata


def write_keras_file(path: Path, model: Any, include_optimizer: bool = True) -> None:
    """Write a model with its weights and, if it is compiled, its optimizer's state and what it was compiled with."""
    entry = serialize_object(model, with_compile_config=False)
    compiled = compiling.compile_config(model) if include_optimizer else None
    if compiled is not None:
        entry["compile_config"] = compiled
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": KERAS_VERSION, "date_saved": now}
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        write_weights(file, model, optimizer=compiled is not None)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in ((METADATA, metadata), (CONFIG, entry)):
            archive.writestr(zipfile.ZipInfo(name, EARLIEST), json.dumps(text))
        archive.writestr(zipfile.ZipInfo(WEIGHTS, EARLIEST), weights.getbuffer())


def read_keras_file(path: Path, custom_objects: dict[str, Any] | None, compile: bool) -> Any:
    """Return the model of a file, compiled as it was unless `compile` is False."""
    with zipfile.ZipFile(path) as archive:
        check_members(path, archive)
        source = Source(path.name, writer_of(archive))
        entry = documents.parse(read_member(archive, CONFIG, MOST_JSON), f"{CONFIG} in {source}")
        compile_config = entry.pop("compile_config", None)
        model = documents.model_of(entry, custom_objects, source)
        with open_weights(archive, model) as file:
            if compile and compile_config:
                compiling.compile_from(model, compile_config, custom_objects, source, optimizer_name(file))
            transfer = Transfer(source)
            read_weights(file, model, transfer, optimizer=compile)
            transfer.apply()
    return model


def optimizer_name(file: h5py.File) -> str | None:
    """Return what the optimizer whose state a file holds is called."""
    group = hdf5.group_at(file, "optimizer/vars")
    return None if group is None else hdf5.text(group, "name")


def read_zipped_weights(path: Path, model: Any, skip_mismatch: bool) -> None:
    """Set a model's weights from those in a ``.keras`` file."""
    with zipfile.ZipFile(path) as archive:
        check_members(path, archive)
        transfer = Transfer(Source(path.name, writer_of(archive)), skip_mismatch)
        with open_weights(archive, model) as file:
            read_weights(file, model, transfer)
            transfer.apply()


def check_members(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise ValueError for a zip with members that a model file does not have, or in forms that it does not have."""
    names = [info.filename for info in archive.infolist()]
    for info in archive.infolist():
        problem = None
        if info.filename not in (METADATA, CONFIG, WEIGHTS) or info.is_dir():
            problem = "which a model file does not have"
        elif names.count(info.filename) > 1:
            problem = "twice"
        elif info.flag_bits & ENCRYPTED or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            problem = "encrypted or packed in an unusual way"
        elif (info.external_attr >> 28) not in (0, 0o10):  # the file type of Unix: anything but a plain file
            problem = "which is no plain file"
        if problem:
            raise ValueError(f"{path.name!r} holds the member {info.filename[:200]!r}, {problem}: refused.")
    missing = [name for name in (CONFIG, WEIGHTS) if name not in names]
    if missing:
        raise ValueError(f"{path.name!r} has no member {missing[0]!r}, so it is no model file; it holds {names[:10]}.")


def read_member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return the bytes of a member; ValueError where there are more than `most`, or they are damaged."""
    info = archive.getinfo(name)
    if info.file_size > most:
        raise ValueError(
            f"The member {name!r} has {info.file_size:,} bytes, more than the {most:,} it may have: refused."
        )
    try:
        with archive.open(info) as file:
            content = file.read(most + 1)
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise ValueError(f"The member {name!r} of {archive.filename!r} is damaged: {error}.") from None
    if len(content) != info.file_size:
        raise ValueError(
            f"The member {name!r} of {archive.filename!r} has not the size that the archive says: refused."
        )
    return content


def writer_of(archive: zipfile.ZipFile) -> str:
    """Return which Keras wrote a file, for messages."""
    if METADATA not in archive.namelist():
        return "an unknown version"
    metadata = documents.parse(read_member(archive, METADATA, MOST_JSON), METADATA)
    return f"Keras {str(metadata.get('keras_version', '(unknown version)'))[:40]}"


def open_weights(archive: zipfile.ZipFile, model: Any) -> h5py.File:
    """Open the weights inside the archive; no more is unpacked than the model's weights and an optimizer can need."""
    found = places(model)
    values = sum(8 * variable.size for place in found for variable in place.variables)
    entries = sum(1 + len(place.variables) for place in found)
    most = 8 * values + (entries << 18) + (1 << 24)
    stored = archive.getinfo(WEIGHTS).compress_size
    content = read_member(archive, WEIGHTS, max(most, stored))
    try:
        return h5py.File(io.BytesIO(content), "r")
    except OSError as error:
        raise ValueError(f"The member {WEIGHTS!r} of {archive.filename!r} cannot be read as HDF5: {error}.") from None
