"""The content of a model's drawing: boxes for layers, frames around inner models, and edges between boxes."""

import itertools
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cornu.core.graph import Node, leaves
from cornu.core.layer import Layer


class Show(NamedTuple):
    """What a box shows in addition to the layer's class."""

    shapes: bool = False
    dtype: bool = False
    names: bool = True
    activations: bool = False
    trainable: bool = False
    nested: bool = False


class Box(NamedTuple):
    """A layer or function: its number, title (bold part, rest), details, and what it holds.

    `state` is "trained", "frozen", or "plain" for one without weights.
    """

    number: str
    title: tuple[str, str]
    details: tuple[tuple[str, str], ...]
    state: str


@dataclass
class Frame:
    """An expanded model: boxes and inner frames in order, and edges between numbers of boxes."""

    number: str
    label: str
    parts: "list[Box | Frame]" = field(default_factory=list)
    edges: list[tuple[str, str]] = field(default_factory=list)


class Ends(NamedTuple):
    """The boxes by which a drawn layer or model is entered and left: one for each input and each output."""

    entries: list[str]
    exits: list[str]


def frame_of(model: Any, show: Show) -> Frame:
    """Return the content of a model's drawing; a subclassed model, which has no graph, is one box."""
    frame = Frame("model", model.name)
    _Walk(show).model(model, frame)
    return frame


class _Walk:
    """Traverses a model; each box has a unique number."""

    def __init__(self, show: Show) -> None:
        self.show = show
        self.numbers = itertools.count()

    def model(self, model: Any, frame: Frame) -> Ends:
        """Add the content of a model to a frame."""
        if hasattr(model, "stack"):
            return self._stack(model, frame)
        if model._network is None:
            return self._box(model, list(model._inbound_nodes), frame)
        return self._network(model._network, frame)

    def _stack(self, model: Any, frame: Frame) -> Ends:
        """Add the layers of a Sequential model, without the input."""
        inside = _inside(model._network) if model._network is not None else None
        drawn = []
        for layer in model.layers:
            nodes = [node for node in layer._inbound_nodes if inside is not None and id(node) in inside]
            drawn.append(self._operation(layer, nodes, frame))
        frame.edges += [(upper.exits[0], lower.entries[0]) for upper, lower in itertools.pairwise(drawn)]
        if not drawn:
            return self._box(model, [], frame)
        return Ends(drawn[0].entries, drawn[-1].exits)

    def _network(self, network: Any, frame: Frame) -> Ends:
        starts = {id(tensor.node): tensor.node for tensor in network.flat_inputs}
        nodes = [*starts.values(), *(node for node in network.nodes if id(node) not in starts)]
        calls: dict[int, list[Node]] = {}
        for node in nodes:
            calls.setdefault(id(node.operation), []).append(node)
        drawn = {key: self._operation(found[0].operation, found, frame) for key, found in calls.items()}
        edges: dict[Any, None] = {}
        for node in nodes:
            for position, tensor in enumerate(node.inputs if id(node) not in starts else ()):
                entries = drawn[id(node.operation)].entries
                entry = entries[position] if position < len(entries) else entries[-1]
                edges[_exit(drawn, tensor), entry] = None
        frame.edges += edges
        return Ends(
            [_exit(drawn, tensor) for tensor in network.flat_inputs],
            [_exit(drawn, tensor) for tensor in network.flat_outputs],
        )

    def _operation(self, operation: Any, nodes: list[Node], frame: Frame) -> Ends:
        """Add a layer, or an inner model as a frame if nested models are expanded."""
        nested = hasattr(operation, "_network") and (operation._network is not None or hasattr(operation, "stack"))
        if not (self.show.nested and nested):
            return self._box(operation, nodes, frame)
        inner = Frame(f"{operation.name}_{next(self.numbers)}", operation.name)
        ends = self.model(operation, inner)
        frame.parts.append(inner)
        return ends

    def _box(self, operation: Any, nodes: list[Node], frame: Frame) -> Ends:
        number = f"box{next(self.numbers)}"
        details = tuple(_details(operation, nodes, self.show))
        frame.parts.append(Box(number, _title(operation, self.show.names), details, _state(operation)))
        return Ends([number], [number])


def _inside(network: Any) -> set[int]:
    return {id(node) for node in network.nodes} | {id(tensor.node) for tensor in network.flat_inputs}


def _exit(drawn: dict[int, Ends], tensor: Any) -> str:
    exits = drawn[id(tensor.node.operation)].exits
    return exits[tensor.index] if tensor.index < len(exits) else exits[-1]


def _title(operation: Any, names: bool) -> tuple[str, str]:
    if not isinstance(operation, Layer):
        return operation.name, "(function)" if names else ""
    kind = type(operation).__name__
    return (operation.name, f"({kind})") if names else (kind, "")


def _state(operation: Any) -> str:
    if not getattr(operation, "weights", []):
        return "plain"
    return "trained" if operation.trainable_weights else "frozen"


def _details(operation: Any, nodes: list[Node], show: Show) -> list[tuple[str, str]]:
    found = []
    activation = getattr(operation, "activation", None)
    if show.activations and activation is not None:
        found.append(("Activation", getattr(activation, "__name__", None) or type(activation).__name__))
    if show.shapes:
        inputs = _texts(nodes, lambda node: [tuple(tensor.shape) for tensor in node.inputs])
        outputs = _texts(nodes, lambda node: [tuple(tensor.shape) for tensor in leaves(node.outputs)])
        found += [("Input shape", inputs)] if inputs else []
        found.append(("Output shape", outputs or "?"))
    if show.dtype:
        dtypes = _texts(nodes, lambda node: [tensor.dtype for tensor in leaves(node.outputs)])
        found.append(("Output dtype", dtypes or str(getattr(operation, "compute_dtype", "?"))))
    if show.trainable and getattr(operation, "weights", []):
        found.append(("Trainable", "yes" if operation.trainable_weights else "no"))
    return found


def _texts(nodes: list[Node], values: Any) -> str:
    """Return a property of a layer's calls, without duplicates."""
    lists = [values(node) for node in nodes]
    texts = (str(found[0]) if len(found) == 1 else ", ".join(map(str, found)) for found in lists if found)
    return "; ".join(dict.fromkeys(texts))
