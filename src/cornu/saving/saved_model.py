"""TensorFlow's SavedModel folders, as far as tf.keras wrote them: the model's config, and a checkpoint."""

from pathlib import Path
from typing import Any

from cornu.core.budget import Budget
from cornu.saving import compiling, documents
from cornu.saving.checkpoint_paths import VARIABLES
from cornu.saving.checkpoint_weights import add_weights
from cornu.saving.keras_metadata import Described, objects_of, root_of
from cornu.saving.source import Source
from cornu.saving.tensor_bundle import read
from cornu.saving.tensorflow_checkpoint import open_checkpoint
from cornu.saving.transfer import Transfer

#: Of a custom class a folder may hold a program alone.
INSTEAD = "Or build the model in a program, then load its weights with model.load_weights({!r})."


def read_saved_model(path: Path, custom_objects: dict[str, Any] | None, compile: bool) -> Any:
    """Return the model of a folder, compiled as it was unless `compile` is False."""
    root = root_of(objects_of(path), path)
    source = Source(path.name, f"Keras {root.version or '(unknown version)'}")
    checkpoint = open_checkpoint(path / VARIABLES, path.name)._replace(source=source)
    stored = sum(tensor.size for tensor in checkpoint.tensors.values())
    model = _model(root, custom_objects, source, Budget.of_stored(stored, "folder", bool(custom_objects)))
    training = root.config.get("training_config") if compile else None
    if isinstance(training, dict):
        compiling.compile_from(model, compiling.from_training_config(training), custom_objects, source)
    transfer = Transfer(source, model, read=read)
    add_weights(checkpoint, model, transfer, optimizer=compile)
    transfer.apply()
    return model


def _model(root: Described, custom_objects: dict[str, Any] | None, source: Source, budget: Budget) -> Any:
    """Return the model that a folder describes, with fresh weights; ValueError if it cannot be made from that alone."""
    entry = {key: root.config.get(key) for key in ("class_name", "config")}
    if root.config.get("build_input_shape"):
        entry["build_config"] = {"input_shape": root.config["build_input_shape"]}
    config = entry["config"]
    lists_layers = isinstance(config, list) or (isinstance(config, dict) and "layers" in config)
    try:
        model = documents.model_of(entry, custom_objects, source, budget)
    except ValueError as error:
        if lists_layers:
            raise
        raise ValueError(f"{error}\n{INSTEAD.format(source.name)}") from error
    if not model.built:
        raise ValueError(
            f"The model of {source} has no weights yet, and the folder does not say for which shapes to make them.\n"
            + INSTEAD.format(source.name)
        )
    return model
