"""The part of a functional model that runs before its compiled program: with numpy, on strings.

The graph is cut where strings end. What crosses the cut is `HostInputs`: to the program these are the model's inputs.
"""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import jax
import numpy as np

from cornu.core.graph import Node, SymbolicTensor
from cornu.core.text import is_text


@jax.tree_util.register_pytree_node_class
class HostInputs:
    """The values of the tensors at the cut, then the `HostInputs` of the models inside that take strings themselves."""

    def __init__(self, values: Iterable[Any], inner: Iterable["HostInputs"] = ()) -> None:
        self.values, self.inner = tuple(values), tuple(inner)

    def tree_flatten(self) -> tuple[tuple, None]:
        return (self.values, self.inner), None

    @classmethod
    def tree_unflatten(cls, _: None, children: tuple) -> "HostInputs":
        return cls(*children)


class HostPart(NamedTuple):
    """Where a model is cut: what runs on the host, what crosses, and the rest."""

    network: Any  # the `Network`
    nodes: list[Node]  # run on the host
    cut: list[SymbolicTensor]  # numbers that the others need of them and of the model's inputs
    inner: list[Node]  # calls of models that have such a part themselves
    rest: list[Node]  # run in the program, with those in `inner` among them

    def encode(self, inputs: Any) -> HostInputs:
        """Run this part on numpy arrays, strings among them."""
        given = self.network.arrange(inputs)
        values: dict[int, Any] = dict(zip(map(id, self.network.flat_inputs), given, strict=True))
        for node in self.nodes:
            run_on_host(node, values)
        inner = [_part_of(node).encode(*node.arguments(values)[0]) for node in self.inner]
        return HostInputs([np.asarray(values[id(tensor)]) for tensor in self.cut], inner)

    def symbolic(self) -> HostInputs:
        """Return new symbolic tensors like those at the cut."""
        values = [SymbolicTensor(tensor.shape, tensor.dtype) for tensor in self.cut]
        return HostInputs(values, [_part_of(node).symbolic() for node in self.inner])

    def compute_output_spec(self, *_: Any) -> HostInputs:
        """Return symbolic tensors like what `encode` returns."""
        return self.symbolic()

    @property
    def tensors(self) -> list[SymbolicTensor]:
        """The symbolic tensors of all values that cross the cut, in the order of the leaves of `HostInputs`."""
        return [*self.cut, *(tensor for node in self.inner for tensor in _part_of(node).tensors)]

    def start(self, inputs: HostInputs) -> dict[int, Any]:
        """Return the values at the cut by the ids of their tensors; those for models inside, by the ids of calls."""
        values = dict(zip(map(id, self.cut), inputs.values, strict=True))
        return values | dict(zip(map(id, self.inner), inputs.inner, strict=True))


def host_part(network: Any) -> HostPart | None:
    """Return the part of a network that runs on the host; None if there is none.

    Raises ValueError if a layer that trains comes before it, or a model's output is text.
    """
    if network.runs_on_texts:
        return None
    inner = [node for node in network.nodes if _part_of(node) is not None]
    starts = {id(node) for node in network.nodes if _takes_text(node) or _is_first(node)} | {id(node) for node in inner}
    if not starts and all(tensor.dtype != "string" for tensor in network.flat_inputs):
        return None
    before = _before([node for node in network.nodes if id(node) in starts])
    inner = [node for node in inner if id(node) not in before]
    within = {id(node) for node in inner}
    on_host, rest, cut = divided(network, (starts | before) - within, within)
    for node in on_host:
        _check_untrained(node)
    for tensor in cut:
        if tensor.dtype == "string":
            raise ValueError(
                f"The model's output {tensor.name!r} is text; a model computes numbers.\n"
                "Make it without this layer, and call the layer on what predict() returns."
            )
    return HostPart(network, on_host, cut, inner, rest)


def runs_on_texts(network: Any) -> bool:
    """Return whether a layer that trains takes texts, which its code gives to layers for strings.

    Then the model is not cut: its program finds the results of those calls as that of a subclassed model does.
    """
    return any(
        _takes_text(node)
        and not getattr(node.operation, "on_host", False)
        and _part_of(node) is None
        and bool(getattr(node.operation, "trainable_variables", None))
        and node.operation._holds_host_layers()
        for node in network.nodes
    )


def divided(
    network: Any, first: set[int], within: Collection[int] = ()
) -> tuple[list[Node], list[Node], list[SymbolicTensor]]:
    """Return the nodes whose ids are in `first`, the others, and the tensors that these need of what is before them.

    Nodes with ids in `within` need nothing: their inputs reach them in another way.
    """
    rest = [node for node in network.nodes if id(node) not in first]
    made = {id(tensor) for node in rest for tensor in jax.tree.leaves(node.outputs)}
    needed = [tensor for node in rest if id(node) not in within for tensor in node.inputs] + network.flat_outputs
    cut = list({id(tensor): tensor for tensor in needed if id(tensor) not in made}.values())
    return [node for node in network.nodes if id(node) in first], rest, cut


def numpy_part(network: Any) -> tuple[list[Node], list[Node], list[SymbolicTensor]]:
    """Return `divided` behind the last layers that compute with numpy."""
    on_host = [node for node in network.nodes if getattr(node.operation, "on_host", False)]
    return divided(network, {*map(id, on_host), *_before(on_host)})


def _part_of(node: Node) -> Any:
    network = getattr(node.operation, "_network", None)
    return None if network is None else network.host


def _takes_text(node: Node) -> bool:
    return any(tensor.dtype == "string" for tensor in node.inputs)


def _is_first(node: Node) -> bool:
    """Return whether a node and all before it compute with numpy: then nothing has to be handed over to them."""
    if not getattr(node.operation, "on_host", False):
        return False
    sources = [tensor.node for tensor in node.inputs]
    return all(source is None or not source.inputs or _is_first(source) for source in sources)


def _before(nodes: list[Node]) -> set[int]:
    """Return the ids of all nodes that `nodes` depend on."""
    found: set[int] = set()
    waiting = [tensor.node for node in nodes for tensor in node.inputs]
    while waiting:
        node = waiting.pop()
        if node is not None and id(node) not in found:
            found.add(id(node))
            waiting.extend(tensor.node for tensor in node.inputs)
    return found


def _check_untrained(node: Node) -> None:
    if getattr(node.operation, "trainable_variables", None):
        name = node.operation.name
        raise ValueError(
            f"Layer {name!r} ({type(node.operation).__name__}) has weights to train, and its outputs go into a layer "
            "for strings or tables, which runs before training.\nSet its trainable to False, or put it after that."
        )


def run_on_host(node: Node, values: dict[int, Any]) -> None:
    """Call a node's layer on values of numpy, and keep the values of its outputs."""
    args, kwargs = node.arguments(values)
    on_host = getattr(node.operation, "on_host", False)
    result = node.operation.compute(*args) if on_host else node.operation(*args, **kwargs)
    for tensor, value in zip(jax.tree.leaves(node.outputs), jax.tree.leaves(result), strict=True):
        values[id(tensor)] = value


def is_text_input(given: Any, tensor: SymbolicTensor) -> bool:
    """Return whether an input of a model is text; TypeError if only one of the data and the model says so."""
    if is_text(given) != (tensor.dtype == "string") and not isinstance(given, SymbolicTensor):
        came, wants = ("text", "numbers") if is_text(given) else ("numbers", "text")
        raise TypeError(f"The model's input {tensor.name!r} takes {wants} (dtype {tensor.dtype}); got {came}.")
    return tensor.dtype == "string"
