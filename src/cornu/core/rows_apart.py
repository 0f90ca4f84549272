"""Whether a layer gives each row of a batch what depends on that row alone, as far as that is known.

Then rows may be added, taken away and computed together. Layers declare it (``keeps_rows_apart``); of functions and
custom layers it is not known.
"""

from collections.abc import Iterable
from typing import Any

from cornu.core import registry
from cornu.core.graph import Node
from cornu.core.layer import Layer
from cornu.core.ownership import declares
from cornu.core.signature import call_signature

#: Methods whose meaning ``keeps_rows_apart`` declares: a class that overrides one of them declares it again.
CALLING = ("__call__", "call", "merge", "compute_mask")


def call_keeps_rows_apart(node: Node) -> bool:
    """Return whether a call of a layer, with the layers inside it, keeps rows apart; of a model, whether it says so."""
    operation = node.operation
    if not isinstance(operation, Layer) or trains(node):
        return False
    ranks = {len(tensor.shape) for tensor in node.inputs}
    inside = ranks | {rank - 1 for rank in ranks if rank > 2}  # TimeDistributed takes an axis away
    return all(
        _declares(layer, ranks if layer is operation else inside)
        for layer in ([operation] if hasattr(type(operation), "_network") else operation._flatten_layers())
    )


def layer_keeps_rows_apart(layer: Layer, rank: int) -> bool:
    """Return whether a layer that gets inputs of `rank` axes keeps rows apart, with all layers and models inside it."""
    parts = layer._flatten_layers()
    networks = [network for part in parts if (network := getattr(part, "_network", None)) is not None]
    return all(_declares(part, [rank]) for part in parts) and all(
        call_keeps_rows_apart(node) for network in networks for node in network.nodes
    )


def _declares(layer: Any, ranks: Iterable[int]) -> bool:
    return (
        declares(layer, "keeps_rows_apart", *CALLING)
        and not layer.stateful
        and is_known(vars(layer).get("activation"))
        and all(layer.batched_rank in (None, rank) for rank in ranks)
        and not any(axis in (0, -rank) for axis in _axes(layer) for rank in ranks)
    )


def trains(node: Node) -> bool:
    """Return whether a call was made with ``training``, by keyword or by position."""
    return bool(call_signature(type(node.operation)).bind(node.args, node.kwargs).get("training"))


def is_known(activation: Any) -> bool:
    """Return whether an activation is one of the library's functions, none, or a layer (which is looked at itself)."""
    return activation is None or isinstance(activation, Layer) or registry.table_of(activation) is registry.ACTIVATIONS


def _axes(layer: Any) -> list[int]:
    """Return the axes along which a layer works, and those along which its activation may."""
    axis = vars(layer).get("axis", -1 if "activation" in vars(layer) else None)
    return [one for one in (axis if isinstance(axis, (list, tuple)) else [axis]) if isinstance(one, int)]
