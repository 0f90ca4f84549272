"""A model's weights, and the state of its optimizer, from TensorFlow's checkpoints."""

from pathlib import Path
from typing import Any

from cornu.core.errors import did_you_mean, listed
from cornu.core.layer import Layer
from cornu.core.variable import Variable
from cornu.saving.checkpoint_paths import is_saved_model
from cornu.saving.object_matching import BESIDE, Matching
from cornu.saving.tensor_bundle import StoredTensor, read
from cornu.saving.tensorflow_checkpoint import Checkpoint, open_checkpoint
from cornu.saving.tensorflow_optimizer import is_optimizer, read_optimizer
from cornu.saving.transfer import Transfer, mismatch

PART = "\nload_weights(..., skip_mismatch=True) loads what fits and leaves the rest, as TensorFlow does."


class LoadStatus:
    """What `load_weights` returns for a checkpoint, as in TensorFlow: whether all of the model and the file fitted.

    Without ``skip_mismatch=True`` nothing is ever left out: a checkpoint that does not fit is a ValueError before.
    """

    def __init__(self, skipped: list[str]) -> None:
        self.skipped = skipped

    def expect_partial(self) -> "LoadStatus":
        """Return the status: what was left out was said by warnings."""
        return self

    def assert_consumed(self) -> "LoadStatus":
        """Return the status; AssertionError if anything was left out."""
        if self.skipped:
            raise AssertionError(f"The checkpoint was loaded in part: {self.skipped[0]}")
        return self

    assert_existing_objects_matched = assert_consumed
    assert_nontrivial_match = expect_partial


def read_checkpoint(path: Path, prefix: Path, model: Any, skip_mismatch: bool = False) -> LoadStatus:
    """Set a model's weights, and the state of its optimizer, from a checkpoint whose files begin with `prefix`.

    `path` is what the user gave. Raises ValueError if the checkpoint does not fit.
    """
    checkpoint = open_checkpoint(prefix, path.name if is_saved_model(path) else prefix.name)
    transfer = Transfer(checkpoint.source, model, skip_mismatch, read)
    add_weights(checkpoint, model, transfer)
    transfer.apply()
    return LoadStatus(transfer.skipped)


def add_weights(checkpoint: Checkpoint, model: Any, transfer: Transfer, optimizer: bool = True) -> None:
    """Add to `transfer` what a checkpoint holds for a model, and for its optimizer if it is compiled."""
    matching = _matching(checkpoint, model)
    for layer in model._flatten_layers():
        _add_layer(layer, matching, checkpoint, transfer)
    unused = sorted(matching.unused().values())
    if unused:
        transfer.report(f"it has weights that the model does not have: {listed(unused)}.{_advice(transfer)}")
    if optimizer and model.compiled and model.optimizer is not None:
        number = _optimizer_of(matching)
        if number is not None:
            model.optimizer.prepare(model.trainable_variables)
            read_optimizer(number, matching, checkpoint, model.optimizer, transfer)


def _add_layer(layer: Layer, matching: Matching, checkpoint: Checkpoint, transfer: Transfer) -> None:
    """Add a layer's own weights; complain of those that the checkpoint does not have."""
    own = layer.kept_variables()
    places = [(variable, matching.place(variable)) for variable in own]
    tensors = [(variable, None if place is None else checkpoint.tensor(place)) for variable, place in places]
    missing = [variable.name for variable, tensor in tensors if tensor is None]
    if missing:
        number = matching.owners.get(id(layer))
        there = "no such layer" if number is None else listed(checkpoint.nodes[number].children) or "nothing"
        transfer.report(
            f"it has no weight {listed(missing)} of layer {layer.name!r}; it has {there} there.{_advice(transfer)}"
        )
        return
    transfer.add(f"layer {layer.name!r}", own, [tensor for _, tensor in tensors])


def _advice(transfer: Transfer) -> str:
    return "" if transfer.skip_mismatch else PART


def _matching(checkpoint: Checkpoint, model: Any) -> Matching:
    """Return how a model and a checkpoint belong together: as the whole, or as one of the objects that it holds."""
    whole = Matching(checkpoint.nodes, 0, model)
    children = checkpoint.nodes[0].children
    if whole.found or not model.weights or "layer-0" in children:
        return whole
    parts = {
        name: Matching(checkpoint.nodes, number, model)
        for name, number in children.items()
        if number and name not in BESIDE and not is_optimizer(checkpoint.nodes[number])
    }
    parts = {name: part for name, part in parts.items() if part.found}
    fitting = {name: part for name, part in parts.items() if _fits(part, checkpoint)} or parts
    if model.name in parts:
        return parts[model.name]
    if len({part.root for part in fitting.values()}) == 1:
        return next(iter(fitting.values()))
    if fitting:
        raise ValueError(
            f"The checkpoint {checkpoint.source} holds several objects that the model may be: {listed(fitting)}.\n"
            "Give the model the name of one of them: Sequential(..., name=...)."
        )
    names = [name for name in children if name not in BESIDE]
    raise ValueError(
        f"The checkpoint {checkpoint.source} does not fit the model: none of its objects ({listed(names) or 'none'}) "
        f"has weights of the model {model.name!r}.{did_you_mean(model.name, names)}"
    )


def _fits(matching: Matching, checkpoint: Checkpoint) -> bool:
    """Return whether each weight of the model has a value, and each value a weight."""
    pairs: list[tuple[Variable, StoredTensor | None]]
    pairs = [(variable, checkpoint.tensor(number)) for number, variable in matching.found.items()]
    complete = not matching.missing() and not matching.unused()
    return complete and all(tensor is not None and mismatch([variable], [tensor]) is None for variable, tensor in pairs)


def _optimizer_of(matching: Matching) -> int | None:
    """Return the number of the model's optimizer: its own, or the one that was saved beside it."""
    nodes, root = matching.nodes, matching.root
    for number in dict.fromkeys((root, 0)):
        children = nodes[number].children
        if "optimizer" in children and is_optimizer(nodes[children["optimizer"]]):
            return children["optimizer"]
    beside = {name: number for name, number in nodes[0].children.items() if is_optimizer(nodes[number])}
    called = [name for name, number in nodes[0].children.items() if number == root]
    mine = [
        number
        for name, number in beside.items()
        if any(slot.variable in matching.found for slot in nodes[number].slots) or any(part in name for part in called)
    ]
    return next((numbers[0] for numbers in (mine, list(beside.values())) if len(numbers) == 1), None)
