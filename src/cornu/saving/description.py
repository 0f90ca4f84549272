"""What a model file contains, from the file alone: no class is looked up, nothing is built, JAX is not imported."""

import glob
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py

from cornu.core.errors import readable_errors
from cornu.core.names import to_snake_case
from cornu.saving import archive as zipped
from cornu.saving import hdf5, json_text, keras_metadata, object_graph, tensor_bundle, tensorflow_checkpoint
from cornu.saving.checkpoint_paths import checkpoint_prefix, is_saved_model
from cornu.saving.files import is_zip
from cornu.saving.source import CORNU, writer
from cornu.saving.tensor_file import is_safetensors, read_header, read_metadata

MOST_DEPTH = 20  # models inside models
OPTIMIZER = "optimizer"


class ArrayInfo(NamedTuple):
    """An array of a file: its shape, and its value if it is one integer."""

    shape: tuple[int, ...]
    number: int | None

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def _array_info(array: Any, read: Callable[[Any], Any] = hdf5.read) -> ArrayInfo:
    counts = array.shape == () and array.dtype is not None and array.dtype.kind in "iu"
    return ArrayInfo(tuple(array.shape), int(read(array)) if counts else None)


def describe(path: Path) -> dict[str, Any]:
    """Return a file's description: format, writer, layers with shapes, parameters, and arguments of compile.

    Recognizes ``.keras``, ``.h5``, ``.weights.h5``, ``.safetensors``, the JSON of ``to_json``, TensorFlow checkpoints
    and SavedModel folders by content. Raises ValueError for anything else, and for a file that is damaged or malicious.
    """
    with readable_errors():
        prefix = checkpoint_prefix(path)
        if prefix is not None:
            return {"file": path.name, "bytes": _bytes_of(path, prefix)} | (
                _of_saved_model(path, prefix) if is_saved_model(path) else _of_checkpoint(prefix)
            )
        with path.open("rb") as file:
            start = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
        if start[:1] == b"{":
            found = _of_json(path)
        elif is_safetensors(path):
            found = _of_safetensors(path)
        else:
            found = _of_archive(path) if is_zip(path) else _of_hdf5(path)
        return {"file": path.name, "bytes": path.stat().st_size} | found


def _of_json(path: Path) -> dict[str, Any]:
    if path.stat().st_size > json_text.MOST_JSON:
        raise ValueError(
            f"{path.name!r} is a text file of {path.stat().st_size:,} bytes, too long for a model's config."
        )
    entry = json_text.parse(path.read_bytes(), repr(path.name))
    _check_model(entry, path)
    found = _document(
        "architecture only (JSON)", entry.get("keras_version"), entry.get("backend"), None, entry.get(CORNU)
    )
    return found | _architecture(entry, {})


def _of_safetensors(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        stored = read_header(file, path.name, path.stat().st_size)
        metadata = read_metadata(file, path.name)
    shapes: dict[str, list] = {}
    for name, array in stored.items():
        shapes.setdefault(name.rpartition("/")[0], []).append(array.shape)
    layers = [_layer(name, None, None, found) for name, found in shapes.items()]
    found = _document("weights only (safetensors)", None, None) | {"written_by": metadata.get("writer")}
    return found | _total(layers)


def _of_archive(path: Path) -> dict[str, Any]:
    with zipped.open_archive(path) as archive:
        metadata, entry = zipped.metadata_of(archive), zipped.config_of(archive, repr(path.name))
        content = zipped.read_weights_member(archive)
    _check_model(entry, path)
    with hdf5.open_file(io.BytesIO(content), f"{zipped.WEIGHTS} in {path.name!r}", path.stat().st_size) as file:
        arrays = _by_place(file)
    versions, date = (metadata.get("keras_version"), metadata.get(CORNU)), metadata.get("date_saved")
    found = _document("whole model (.keras, Keras 3)", versions[0], None, date, versions[1])
    return found | _architecture(entry, arrays) | _compiled(entry.get("compile_config"), arrays)


def _of_hdf5(path: Path) -> dict[str, Any]:
    with hdf5.open_file(path, path.name) as file, hdf5.damage(path.name):
        config = hdf5.text(file, "model_config")
        top = (
            file
            if hdf5.has(file, "layer_names") or hdf5.has(file, "layer_names0")
            else hdf5.group_at(file, "model_weights")
        )
        version, backend, cornu = (_attribute_text(file, top, name) for name in ("keras_version", "backend", CORNU))
        if top is None:
            arrays = _by_place(file)
            found = _document("weights only (HDF5, Keras 3's layout)", version or "3", backend, None, cornu)
            return found | _total(_rest(arrays, set())) | _compiled(None, arrays)
        shapes = _by_name(top)
        training = hdf5.text(file, "training_config")
        state = hdf5.group_at(file, "optimizer_weights")
        slots = {"optimizer": _listed(state)} if state is not None else {}
    if config is None:
        layers = [_layer(name, None, None, [array.shape for array in found]) for name, found in shapes.items()]
        return _document("weights only (HDF5, Keras 2's layout)", version, backend, None, cornu) | _total(layers)
    entry = json_text.parse(config, f"model_config in {path.name!r}")
    _check_model(entry, path)
    found = _document("whole model (HDF5, Keras 2's layout)", version, backend, None, cornu)
    compiled = json_text.parse(training, f"training_config in {path.name!r}") if training else None
    return found | _architecture(entry, shapes, by_name=True) | _compiled(compiled, slots)


def _document(form: str, version: Any, backend: Any, date: Any = None, cornu: Any = None) -> dict[str, Any]:
    """Return the entries of every file: its format, and who wrote it when."""
    said = [None if text is None else str(text)[:80] for text in (backend, date)]
    return {"format": form, "written_by": writer(version, cornu), "backend": said[0], "saved": said[1]}


def _attribute_text(file: h5py.File, top: h5py.Group | None, name: str) -> str | None:
    found = hdf5.text(file, name)
    return hdf5.text(top, name) if found is None and top is not None else found


def _check_model(entry: dict[str, Any], path: Path) -> None:
    if not isinstance(entry.get("class_name"), str) or not isinstance(entry.get("config"), (dict, list)):
        raise ValueError(f"{path.name!r} does not describe a model: it has no class_name with a config.")


def _by_place(file: h5py.File) -> dict[str, list[ArrayInfo]]:
    """Return the arrays of Keras 3's layout by the paths of their owners."""
    found: dict[str, list[ArrayInfo]] = {}
    for path, array in hdf5.arrays_in(file):
        owner = path.rpartition("/")[0].removesuffix("vars").strip("/")
        found.setdefault(owner.replace("_layer_checkpoint_dependencies", "layers"), []).append(_array_info(array))
    return found


def _by_name(top: h5py.Group) -> dict[str, list[ArrayInfo]]:
    """Return the arrays of Keras 2's layout by the names of the layers."""
    found = {}
    for name in hdf5.names(top, "layer_names"):
        group = hdf5.group_at(top, name)
        if group is None:
            raise ValueError(f"The file lists a layer {name[:200]!r}, but has no group for it.")
        found[name] = _listed(group)
    return found


def _listed(group: h5py.Group) -> list[ArrayInfo]:
    return [_array_info(hdf5.dataset_at(group, name)) for name in hdf5.names(group, "weight_names")]


def _layer(name: str, kind: str | None, inputs: Any, shapes: Any) -> dict[str, Any]:
    """Return the entry of a layer; `shapes` is None if the file has no weights at all."""
    weights = None if shapes is None else [list(shape) for shape in shapes]
    return {
        "name": name,
        "class": kind,
        "input_shape": inputs,
        "weights": weights,
        "parameters": None if weights is None else sum(map(math.prod, weights)),
    }


def _total(layers: list[dict[str, Any]], model: dict[str, Any] | None = None) -> dict[str, Any]:
    known = [layer["parameters"] for layer in layers if layer["parameters"] is not None]
    return {"model": model, "layers": layers, "parameters": sum(known) if known else None}


def _architecture(entry: dict[str, Any], arrays: dict[str, list], by_name: bool = False) -> dict[str, Any]:
    """Return a model's layers in order, each with its weights: by its name, or by its position in the file."""
    config = entry["config"]
    name = config.get("name") if isinstance(config, dict) else None
    model = {"class": entry["class_name"][:200], "name": name if isinstance(name, str) else None}
    taken: set[str] = set()
    layers = list(_layers(entry, "", "", arrays, taken, by_name, 0))
    return _total(layers + _rest(arrays, taken), model)


def _layers(
    entry: dict[str, Any], path: str, names: str, arrays: dict[str, list], taken: set[str], by_name: bool, depth: int
) -> Any:
    """Yield the layers of a model, and after an inner model its layers; `taken` collects the owners of these arrays."""
    used: dict[str, int] = {}
    for inner in _entries(entry):
        kind = to_snake_case(inner["class_name"])
        used[kind] = used.get(kind, -1) + 1
        config = inner["config"] if isinstance(inner["config"], dict) else {}
        name = next((n for n in (inner.get("name"), config.get("name")) if isinstance(n, str)), kind)
        place = f"{path}layers/{kind}_{used[kind]}" if used[kind] else f"{path}layers/{kind}"
        nested = not by_name and depth < MOST_DEPTH and bool(_entries(inner))
        mine = (
            [name]
            if by_name
            else [key for key in arrays if key == place or (not nested and key.startswith(f"{place}/"))]
        )
        taken.update(mine)
        shapes = [array.shape for key in mine for array in arrays.get(key, ())]
        yield _layer(f"{names}{name}", inner["class_name"], _input_shape(inner, config), shapes if arrays else None)
        if nested:
            yield from _layers(inner, f"{place}/", f"{names}{name}/", arrays, taken, by_name, depth + 1)


def _entries(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the layers in a config; none if it is not a model's."""
    config = entry["config"]
    listed = config.get("layers") if isinstance(config, dict) else config
    if not isinstance(listed, list):
        return []
    return [
        one for one in listed if isinstance(one, dict) and isinstance(one.get("class_name"), str) and "config" in one
    ]


def _input_shape(entry: dict[str, Any], config: dict[str, Any]) -> Any:
    built = entry.get("build_config")
    shapes = (
        config.get("batch_shape"),
        config.get("batch_input_shape"),
        built.get("input_shape") if isinstance(built, dict) else None,
    )
    return next((shape for shape in shapes if isinstance(shape, list) and len(shape) <= 16), None)


def _rest(arrays: dict[str, list], taken: set[str]) -> list[dict[str, Any]]:
    """Return the owners of arrays that belong to no layer of the config, except the optimizer's."""
    others = [key for key in arrays if key not in taken and key.split("/")[0] != "optimizer"]
    return [_layer(key or "(the model itself)", None, None, [array.shape for array in arrays[key]]) for key in others]


def _compiled(config: dict[str, Any] | None, arrays: dict[str, list]) -> dict[str, Any]:
    """Return the optimizer, loss and metrics in a file, and how much of the optimizer's state it has."""
    state = [array for key, found in arrays.items() if key.split("/")[0] == "optimizer" for array in found]
    if config is None and not state:
        return {"optimizer": None}
    config = config or {}
    optimizer = config.get("optimizer", config.get("optimizer_config"))
    named = optimizer if isinstance(optimizer, dict) else {"class_name": optimizer}
    settings = named.get("config")
    return {
        "optimizer": {
            "class": named.get("class_name") if isinstance(named.get("class_name"), str) else None,
            "settings": settings if isinstance(settings, dict) else {},
            "state_values": sum(array.size for array in state),
            "steps": state[0].number if state else None,
        },
        **{key: config[key] for key in ("loss", "metrics", "weighted_metrics", "loss_weights") if config.get(key)},
    }


def _bytes_of(path: Path, prefix: Path) -> int:
    """Return how large the files of a checkpoint or a folder are together."""
    files = path.rglob("*") if path.is_dir() else prefix.parent.glob(f"{glob.escape(prefix.name)}.*")
    return sum(file.stat().st_size for file in files if file.is_file())


def _of_saved_model(path: Path, prefix: Path) -> dict[str, Any]:
    described = keras_metadata.objects_of(path)
    root = keras_metadata.root_of(described, path)
    checkpoint = tensorflow_checkpoint.open_checkpoint(prefix, path.name)
    _check_model(root.config, path)
    arrays = {}
    for name, number in keras_metadata.layers_of(checkpoint.nodes, described).items():
        keys = object_graph.variables_below(checkpoint.nodes, number).values()
        tensors = [checkpoint.tensors[key] for key in keys if key in checkpoint.tensors]
        arrays[name] = [_array_info(tensor, tensor_bundle.read) for tensor in tensors]
    found = _document("SavedModel folder (TensorFlow, Keras 2)", root.version, root.config.get("backend"))
    training = root.config.get("training_config")
    compiled = _compiled(training if isinstance(training, dict) else None, _by_owner(checkpoint.tensors))
    return found | _architecture(root.config, arrays, by_name=True) | compiled


def _of_checkpoint(prefix: Path) -> dict[str, Any]:
    owners = _by_owner(tensor_bundle.read_index(prefix))
    layers = [
        _layer(owner or "(the model itself)", None, None, [held.shape for held in found])
        for owner, found in owners.items()
        if owner != OPTIMIZER
    ]
    found = _document("weights only (TensorFlow checkpoint)", None, None) | {"written_by": "TensorFlow"}
    return found | _total(layers) | _compiled(None, owners)


def _by_owner(tensors: dict[str, tensor_bundle.StoredTensor]) -> dict[str, list[ArrayInfo]]:
    """Return the tensors of a checkpoint by the paths of their objects; an optimizer's together, step count first."""
    found: dict[str, list[ArrayInfo]] = {}
    for key, tensor in tensors.items():
        path = key.partition("/.ATTRIBUTES/")[0]
        owner, _, name = path.rpartition("/")
        is_state = "/.OPTIMIZER_SLOT/" in key or owner.split("/")[0] == OPTIMIZER
        if key != object_graph.GRAPH_KEY:
            held = found.setdefault(OPTIMIZER if is_state else owner, [])
            held.insert(0 if name in object_graph.COUNTS else len(held), _array_info(tensor, tensor_bundle.read))
    return found
