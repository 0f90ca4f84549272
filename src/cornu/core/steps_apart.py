"""Which time steps of a model's sequences may be padded, since what it computes of the others stays the same.

Sequences are ``(batch, time, ...)``. Some layers treat each step by itself (they declare ``keeps_steps_apart``), others
leave out the steps from some number on (``leaves_steps_out``). A plan follows the sequences through the layers of a
model, and says for each layer how many steps are real; of functions and custom layers it is not known.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from cornu.core.graph import Node, leaves
from cornu.core.layer import Layer
from cornu.core.ownership import declares
from cornu.core.rows_apart import CALLING, is_known, trains
from cornu.core.signature import call_signature
from cornu.core.variable import Seed

#: Methods of a model that see whole batches.
STEPS = ("train_step", "test_step", "predict_step", "total_loss", "compute_loss", "compute_metrics")


class Plan(NamedTuple):
    """Where the padded sequences of a network are. Lengths have numbers: that of the input they come from.

    Args:
        inputs: For each input, the number of its length; None if it is not padded.
        outputs: The same for each output.
        inside: By the ids of nodes: the number of the length of a layer's sequences, or the plan of a model inside.
        equal: Pairs of lengths that have to be equal.
    """

    inputs: tuple[int | None, ...]
    outputs: tuple[int | None, ...]
    inside: dict[int, Any]
    equal: tuple[tuple[int, int], ...] = ()


class Lengths(NamedTuple):
    """The plan of the network that is running, and the real numbers of steps, by their numbers."""

    plan: Plan
    values: Sequence[Any]

    def at(self, node: Node) -> dict[str, Any]:
        """Return what the scope of a node's call has: lengths for a model, the length for a layer."""
        found = self.plan.inside.get(id(node))
        if isinstance(found, Plan):
            return {"lengths": Lengths(found, self.values), "length": None}
        return {"lengths": None, "length": None if found is None else self.values[found]}

    def of_output(self, position: int) -> Any:
        """Return the real number of steps of an output of the network; None if it is not padded."""
        number = self.plan.outputs[position]
        return None if number is None else self.values[number]


class _MixedError(Exception):
    """Raised at a call that may mix steps."""

    def __init__(self, lengths: set[int]) -> None:
        self.lengths = lengths


def plan_for(model: Any, training: bool) -> Plan | None:
    """Return the plan of a model, or None if none of its inputs may be padded."""
    network = getattr(model, "_network", None)
    if network is None or network.runs_on_texts or not declares(model, "keeps_steps_apart", *CALLING, *STEPS):
        return None
    if getattr(model, "_graph_losses", None) or getattr(model, "_graph_metrics", None):
        return None
    wanted = [_has_unknown_steps(network, tensor) for tensor in network.program_inputs]
    while any(wanted):
        given = [number if padded else None for number, padded in enumerate(wanted)]
        equal: set[tuple[int, int]] = set()
        try:
            plan = _followed(network, given, training, equal)
            pairs = zip(network.flat_outputs, plan.outputs, strict=True)
            without_features = {number for tensor, number in pairs if number is not None and tensor.ndim < 3}
            if without_features:
                raise _MixedError(without_features)
        except _MixedError as found:
            wanted = [padded and number not in found.lengths for number, padded in enumerate(wanted)]
        else:
            return plan._replace(equal=tuple(sorted(equal)))
    return None


def _has_unknown_steps(network: Any, tensor: Any) -> bool:
    return tensor.ndim > 1 and (network.any_size or tensor.shape[1] is None)


def _followed(network: Any, given: Sequence[int | None], training: bool, equal: set) -> Plan:
    """Return the plan of a network whose inputs have lengths of these numbers; note those that have to be `equal`."""
    pairs = zip(network.program_inputs, given, strict=True)
    known = {id(tensor): number for tensor, number in pairs if number is not None}
    inside: dict[int, Any] = {}
    for node in network.program_nodes:
        lengths = {known[id(tensor)] for tensor in node.inputs if id(tensor) in known}
        if not lengths:
            continue
        if hasattr(type(node.operation), "_network"):
            plan = inside[id(node)] = _of_model(node, known, training, equal)
            outputs: Sequence[int | None] = plan.outputs
        elif isinstance(node.operation, Layer) and _fits(node, known, training):
            inside[id(node)] = number = min(lengths)
            equal.update((number, other) for other in lengths - {number})
            outputs = _of_outputs(node.operation, number, len(leaves(node.outputs)))
        else:
            raise _MixedError(lengths)
        for tensor, length in zip(leaves(node.outputs), outputs, strict=True):
            if length is not None:
                known[id(tensor)] = length
    return Plan(tuple(given), tuple(known.get(id(tensor)) for tensor in network.flat_outputs), inside)


def _of_model(node: Node, known: dict[int, int], training: bool, equal: set) -> Plan:
    model = node.operation
    network = model._network
    lengths = {known[id(tensor)] for tensor in node.inputs if id(tensor) in known}
    known_steps = network is not None and network.host is None and declares(model, "keeps_steps_apart", *CALLING)
    if not known_steps or getattr(model, "_graph_losses", None):
        raise _MixedError(lengths)
    given = network.arrange(call_signature(type(model)).first(node.args, node.kwargs))
    numbers = [known.get(id(tensor)) for tensor in given]
    fixed = any(
        number is not None and not _has_unknown_steps(network, tensor)
        for number, tensor in zip(numbers, network.flat_inputs, strict=True)
    )
    if fixed or set(numbers) - {None} != lengths:
        raise _MixedError(lengths)
    return _followed(network, numbers, training or trains(node), equal)


def _of_outputs(layer: Any, number: int, count: int) -> list[int | None]:
    """Return the numbers of the lengths of a layer's outputs. Recurrent layers have sequences before their states."""
    sequences = count
    if not declares(layer, "keeps_steps_apart", *CALLING):
        sequences = 0
        if getattr(layer, "return_sequences", False):
            sequences = 2 if vars(layer).get("merge_mode", "") is None else 1
    return [number if index < sequences else None for index in range(count)]


def _fits(node: Node, known: dict[int, int], training: bool) -> bool:
    """Return whether a layer's call keeps the padded steps of its sequences out of everything else."""
    layer: Any = node.operation
    parts = layer._flatten_layers()
    padded = [tensor for tensor in node.inputs if id(tensor) in known]
    if any(getattr(part, "activity_regularizer", None) is not None for part in parts):
        return False
    if declares(layer, "leaves_steps_out", *CALLING):
        first = call_signature(type(layer)).first(node.args, node.kwargs)
        return len(padded) == 1 and padded[0] is first
    counts = (training or trains(node)) and keeps_statistics(parts)
    return _keeps_steps_apart(layer, padded[0].ndim) and _may_merge(node, known) and not counts


def _may_merge(node: Node, known: dict[int, int]) -> bool:
    """Return whether inputs that are not padded are the same for all steps, and the others have as many axes."""
    rank = max(tensor.ndim for tensor in node.inputs)
    return all(
        tensor.ndim == rank if id(tensor) in known else tensor.ndim < rank or tensor.shape[1] == 1
        for tensor in node.inputs
    )


def _keeps_steps_apart(layer: Any, rank: int) -> bool:
    activation, noise = vars(layer).get("activation"), vars(layer).get("noise_shape")
    axis = vars(layer).get("axis", -1 if "activation" in vars(layer) else None)
    axes = axis if isinstance(axis, (list, tuple)) else [axis]
    return (
        declares(layer, "keeps_steps_apart", *CALLING)
        and not layer.stateful
        and (_keeps_steps_apart(activation, rank) if isinstance(activation, Layer) else is_known(activation))
        and not {1, 1 - rank} & {one for one in axes if isinstance(one, int)}
        and (noise is None or len(noise) < 2 or noise[1] in (1, None))
    )


def keeps_statistics(parts: Sequence[Any]) -> bool:
    """Return whether a training call of layers changes variables other than random seeds, such as moving averages."""
    own = [variable for part in parts for variable in part._own_variables()]
    return any(not variable.made_trainable and not isinstance(variable, Seed) for variable in own)
