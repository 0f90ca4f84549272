"""What SavedModel folders of tf.keras say of their models: configs of layers, and what the model was compiled with.

They are in ``keras_metadata.pb``; before tf.keras 2.5 in ``saved_model.pb``, beside the program, which is not read.
"""

from pathlib import Path
from typing import Any, NamedTuple

from cornu.saving.checkpoint_paths import METADATA, PROGRAM
from cornu.saving.json_text import parse
from cornu.saving.object_graph import Node
from cornu.saving.protobuf import Message, Record

MOST_BYTES = 1 << 31  # of a message: no writer of this format makes more
MODELS = ("_tf_keras_model", "_tf_keras_sequential", "_tf_keras_network")
SEQUENCES = ("__tuple__", "TensorShape")


class Described(NamedTuple):
    """What a folder says of an object of Keras: its number in the checkpoint, its kind, and its config."""

    number: int
    kind: str
    config: dict[str, Any]

    @property
    def version(self) -> str | None:
        """Return the version of Keras that wrote it."""
        version = self.config.get("keras_version")
        return version[:40] if isinstance(version, str) else None


def root_of(described: list[Described], path: Path) -> Described:
    """Return the model of a folder, among what `objects_of` returned; ValueError if it holds anything else."""
    root = next((one for one in described if one.number == 0), None)
    if root is None or root.kind not in MODELS:
        kind = "no description by Keras" if root is None else f"an object of the kind {root.kind[:80]!r}"
        raise ValueError(
            f"The SavedModel {path.name!r} holds {kind}, and not a model made of Keras layers: it is a program, which "
            "Cornu does not run.\nBuild the model in a program, and load weights that model.save_weights wrote."
        )
    return root


def objects_of(path: Path) -> list[Described]:
    """Return what a folder says of its Keras objects, the model first."""
    if (path / METADATA).is_file():
        records = [Record(one) for one in Record(_message_in(path / METADATA)).each(1)]
        found = [(record.number(2), record.text(4), record.text(5)) for record in records]
    elif (path / PROGRAM).is_file():
        found = _in_program(_message_in(path / PROGRAM), path)
    else:
        raise ValueError(f"The SavedModel {path.name!r} has no {PROGRAM!r}: its form as text is not read.")
    what = f"The Keras metadata of {path.name!r}"
    return [
        Described(number, kind, _plain(parse(text, what)))
        for number, kind, text in found
        if kind.startswith("_tf_keras_") and text
    ]


def _in_program(message: Message, path: Path) -> list[tuple[int, str, str]]:
    """Return number, kind and metadata of the objects in ``saved_model.pb``, where tf.keras 2.0 to 2.4 kept them."""
    graphs = Record(message).each(2)
    objects = Record(graphs[0]).one(7) if graphs else None
    if objects is None:
        raise ValueError(
            f"The SavedModel {path.name!r} was written by TensorFlow 1: it holds a graph and no layers, and Cornu does "
            "not run it.\nIn TensorFlow 1, write the Keras model with model.save('model.h5')."
        )
    found = []
    for number, node in enumerate(Record(objects).each(1)):
        user_object = Record(node).one(4)
        if user_object is not None:
            record = Record(user_object)
            found.append((number, record.text(1), record.text(3)))
    return found


def _message_in(path: Path) -> Message:
    """Return a file as a message. It is not mapped to memory: a file that shrinks then would end the process."""
    size = path.stat().st_size
    if not 0 < size <= MOST_BYTES:
        raise ValueError(f"The file {path.name!r} has {size:,} bytes; it may have 1 to {MOST_BYTES:,}.")
    with path.open("rb") as file:
        return Message(file.read(size), f"The file {path.name!r}")


def _plain(value: Any) -> Any:
    """Return a config with tuples and shapes as lists; tf.keras wrote them as objects here, and not in other files."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") in SEQUENCES and isinstance(value.get("items"), list):
        return [_plain(item) for item in value["items"]]
    return {key: _plain(item) for key, item in value.items()}


def layers_of(nodes: list[Node], described: list[Described]) -> dict[str, int]:
    """Return the names of a model's layers, each with the number of its object."""
    names = {one.number: one.config.get("name") for one in described}
    found = [number for name, number in nodes[0].children.items() if name.startswith("layer-")]
    return {str(names[number]): number for number in found if isinstance(names.get(number), str)}
