"""TensorFlow's checkpoints, those of ``save_weights("name")`` and of ``tf.train.Checkpoint``: tensors and objects."""

from pathlib import Path
from typing import NamedTuple

from cornu.core.errors import listed
from cornu.saving.object_graph import GRAPH_KEY, Node, parse_graph
from cornu.saving.source import Source
from cornu.saving.tensor_bundle import StoredTensor, read_index, read_text


class Checkpoint(NamedTuple):
    """A checkpoint, its values unread: the tensors by their keys, and the objects that they belong to."""

    source: Source
    tensors: dict[str, StoredTensor]
    nodes: list[Node]

    def tensor(self, number: int) -> StoredTensor | None:
        """Return the tensor of a variable's object, or None; ValueError if it is not an array of numbers."""
        tensor = self.tensors.get(self.nodes[number].key or "")
        if tensor is not None and tensor.dtype is None:
            raise ValueError(
                f"The variable {tensor.key[:200]!r} in {self.source} is not of numbers, or is kept in several slices."
            )
        return tensor


def open_checkpoint(prefix: Path, name: str) -> Checkpoint:
    """Return the checkpoint whose files begin with `prefix`; `name` is it for messages.

    Raises ValueError if it is damaged, or keeps its variables by their names alone, as ``tf.train.Saver`` did.
    """
    tensors = read_index(prefix)
    source = Source(name, "TensorFlow")
    if GRAPH_KEY not in tensors:
        raise ValueError(
            f"The checkpoint {source} keeps variables by their names in a graph of TensorFlow 1 ({listed(tensors)}), "
            "and not the layers that they belong to: Cornu cannot tell which weights they are.\nIn TensorFlow 1, load "
            "it into the model there and write it with model.save_weights('weights.h5')."
        )
    nodes = parse_graph(read_text(tensors[GRAPH_KEY]), f"The object graph of {name!r}")
    return Checkpoint(source, tensors, nodes)
