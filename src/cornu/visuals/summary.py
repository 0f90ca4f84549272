"""The table that `model.summary()` prints."""

from collections.abc import Callable
from typing import Any

from rich.box import HEAVY_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cornu.core.graph import Node, SymbolicTensor, leaves
from cornu.core.layer import Layer


def format_bytes(count: int) -> str:
    """Return a number of bytes in a unit that suits it.

    >>> format_bytes(473128)
    '462.04 KB'
    """
    size = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} TB"


def shape_text(layer: Layer, inside: set[int] | None) -> str:
    """Return the output shape of a layer as text; "?" where it is not known yet."""
    nodes = [node for node in layer._inbound_nodes if inside is None or id(node) in inside]
    if not nodes:
        return "?" if not layer.built or not hasattr(layer, "_seen_structure") else _shapes(layer._seen_structure)
    texts = dict.fromkeys(_shapes(node.outputs) for node in nodes)
    return ", ".join(texts)


def _shapes(structure: Any) -> str:
    tensors = leaves(structure)
    if len(tensors) == 1 and isinstance(structure, SymbolicTensor):
        return str(tuple(tensors[0].shape))
    return str([tuple(tensor.shape) for tensor in tensors])


def connections(layer: Layer, inside: set[int] | None) -> str:
    """Return which layers' outputs a layer takes, one per line."""
    found = []
    for node in layer._inbound_nodes:
        if inside is None or id(node) in inside:
            found += [f"{tensor.node.operation.name}[{tensor.node.number}][{tensor.index}]" for tensor in node.inputs if tensor.node]
    return "\n".join(dict.fromkeys(found)) or "-"


def is_plain_stack(model: Any) -> bool:
    """Tell whether the layers form one line, so that a column of connections says nothing."""
    network = model._network
    if network is None:
        return True
    used: dict[int, int] = {}
    for node in network.nodes:
        if len(node.inputs) > 1 or node.number > 0 and isinstance(node.operation, Layer) and len(_nodes_of(node, network)) > 1:
            return False
        for tensor in node.inputs:
            used[id(tensor)] = used.get(id(tensor), 0) + 1
    return all(count == 1 for count in used.values()) and len(network.flat_inputs) == 1


def _nodes_of(node: Node, network: Any) -> list[Node]:
    return [other for other in network.nodes if other.operation is node.operation]


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: list[float] | None = None,
    print_fn: Callable | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> None:
    """Print the layers of a model, their output shapes and numbers of parameters (see `Model.summary`)."""
    text = summary_text(model, line_length, positions, expand_nested, show_trainable, layer_range)
    if print_fn is None:
        print(text, end="")
    else:
        print_fn(text)


def summary_text(
    model: Any,
    line_length: int | None = None,
    positions: list[float] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> str:
    """Return the summary as text."""
    if not model.built and not model.layers:
        raise ValueError(
            f"Model {model.name!r} is not built yet, so there is nothing to sum up: give the first layer an input_shape, "
            "call model.build(input_shape), or call the model on data."
        )
    wide = not is_plain_stack(model)
    columns = ["Layer (type)", "Output Shape", "Param #"] + (["Connected to"] if wide else [])
    columns += ["Trainable"] if show_trainable else []
    widths = _widths(columns, line_length or (98 if wide else 79), positions)
    table = Table(box=HEAVY_HEAD, show_lines=True, pad_edge=True)
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, width=width - 3, justify="right" if column == "Param #" else "left", overflow="fold")
    for layer, level in _rows(model, expand_nested, layer_range):
        table.add_row(*(escape(cell) for cell in _cells(model, layer, level, wide, show_trainable)))
    console = Console(width=(line_length or (98 if wide else 79)) + 2, no_color=True, highlight=False, force_terminal=False)
    with console.capture() as capture:
        console.print(f"Model: {escape(repr(model.name).replace(chr(39), chr(34)))}", soft_wrap=True)
        console.print(table)
        for line in totals(model):
            console.print(line, soft_wrap=True)
    return capture.get()


def _widths(columns: list[str], total: int, positions: list[float] | None) -> list[int]:
    shares = positions or {3: [0.45, 0.8, 1.0], 4: [0.32, 0.55, 0.7, 1.0], 5: [0.3, 0.5, 0.63, 0.88, 1.0]}[len(columns)]
    if len(shares) != len(columns):
        raise ValueError(f"positions has {len(shares)} entries; the summary has {len(columns)} columns: {columns}.")
    ends = [int(share * total) if share <= 1 else int(share) for share in shares]
    return [max(end - start, 8) for start, end in zip([0, *ends], ends, strict=False)]


def _rows(model: Any, expand_nested: bool, layer_range: Any) -> list[tuple[Layer, int]]:
    layers = _in_range(model.layers, layer_range)
    rows: list[tuple[Layer, int]] = []
    for layer in layers:
        rows.append((layer, 0))
        if expand_nested and hasattr(layer, "_network"):
            rows += [(inner, level + 1) for inner, level in _rows(layer, True, None)]
    return rows


def _in_range(layers: list[Layer], layer_range: Any) -> list[Layer]:
    if layer_range is None:
        return layers
    import re

    ends = [next((i for i, layer in enumerate(layers) if re.match(name, layer.name)), None) for name in layer_range]
    if len(ends) != 2 or None in ends:
        raise ValueError(f"layer_range names a first and a last layer; of {layer_range!r} not both are layers of the model.")
    return layers[ends[0] : ends[1] + 1]


def _cells(model: Any, layer: Layer, level: int, wide: bool, show_trainable: bool) -> list[str]:
    network = model._network
    inside = None if network is None or level else {id(n) for n in network.nodes} | {
        id(tensor.node) for tensor in network.flat_inputs
    }
    count = sum(variable.size for variable in layer.weights)
    cells = ["  " * level + f"{layer.name} ({type(layer).__name__})", shape_text(layer, inside)]
    cells.append(f"{count:,}" if layer.built else "0 (unbuilt)")
    if wide:
        cells.append(connections(layer, inside))
    if show_trainable:
        has_weights = bool(layer.weights)
        cells.append(("Y" if layer.trainable_weights else "N") if has_weights else "-")
    return cells


def totals(model: Any) -> list[str]:
    """Return the lines under the table: parameters in all, those that train, those that do not, the optimizer's."""

    def line(title: str, variables: list) -> str:
        size = sum(variable._value.nbytes for variable in variables)
        return f" {title}: {sum(variable.size for variable in variables):,} ({format_bytes(size)})"

    optimizer = model.optimizer.variables if model.optimizer is not None and model.optimizer.built else []
    trainable, frozen = model.trainable_weights, model.non_trainable_weights
    lines = [line("Total params", [*trainable, *frozen])]
    lines += [line("Trainable params", trainable), line("Non-trainable params", frozen)]
    return lines + ([line("Optimizer params", optimizer)] if optimizer else [])
