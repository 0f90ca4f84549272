"""The table that `model.summary()` prints."""

import html
import io
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rich.box import HEAVY_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cornu.core.errors import one_line
from cornu.core.graph import Node, SymbolicTensor, leaves
from cornu.core.layer import Layer
from cornu.core.shapes import is_shape
from cornu.visuals.streams import can_write, in_notebook, printable

#: Ends of columns, as fractions of the line, and its length, by the number of columns without "Trainable".
_SHARES = {3: (0.45, 0.8, 1.0), 4: (0.3, 0.56, 0.74, 1.0)}
_LENGTHS = {3: 88, 4: 108}
LONGEST_NAME = 200  # characters of a name that are shown
_JUSTIFIED: dict[str, Any] = {"Param #": "right", "Trainable": "center"}


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


def shape_text(operation: Any, network: Any) -> str:
    """Return the output shape of a layer as text; "?" if it is not yet known."""
    nodes = nodes_in(network, operation)
    if nodes:
        return ", ".join(dict.fromkeys(_shapes(node.outputs) for node in nodes))
    if not operation.built:
        return "?"
    if hasattr(operation, "_seen_structure"):
        return _shapes(operation._seen_structure)
    shape: Any = getattr(operation, "_build_shape", None)
    if not is_shape(shape):
        return "?"
    try:
        return str(tuple(operation.compute_output_shape((None, *shape[1:]))))
    except Exception:  # a custom layer whose code fails on another call: the table omits its shape
        return "?"


def nodes_in(network: Any, operation: Any) -> list[Node]:
    """Return the calls of an operation in `network` (all of them if it is None)."""
    if network is None:
        return list(operation._inbound_nodes)
    inside = {id(node) for node in network.nodes} | {id(tensor.node) for tensor in network.flat_inputs}
    return [node for node in operation._inbound_nodes if id(node) in inside]


def _shapes(structure: Any) -> str:
    tensors = leaves(structure)
    if len(tensors) == 1 and isinstance(structure, SymbolicTensor):
        return str(tuple(tensors[0].shape))
    return str([tuple(tensor.shape) for tensor in tensors])


def connections(operation: Any, network: Any) -> str:
    """Return the inputs of a layer: which outputs of which calls of which layers."""
    tensors = [tensor for node in nodes_in(network, operation) for tensor in node.inputs]
    sources = [(tensor, tensor.node) for tensor in tensors if tensor.node is not None]
    found = (f"{_shown(node.operation)}[{_call_number(node, network)}][{tensor.index}]" for tensor, node in sources)
    return ", ".join(dict.fromkeys(found)) or "-"


def _call_number(node: Node, network: Any) -> int:
    calls = nodes_in(network, node.operation)
    return calls.index(node) if node in calls else node.number


def is_plain_stack(model: Any) -> bool:
    """Return whether the layers form a chain, so that a column of connections is redundant."""
    network = model._network
    if network is None:
        return True
    used: dict[int, int] = {}
    for node in network.nodes:
        if len(node.inputs) > 1 or (isinstance(node.operation, Layer) and len(nodes_in(network, node.operation)) > 1):
            return False
        for tensor in node.inputs:
            used[id(tensor)] = used.get(id(tensor), 0) + 1
    return all(count == 1 for count in used.values()) and len(network.flat_inputs) == 1


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
    if print_fn is not None:  # as in Keras 3, one call with the whole text
        print_fn(summary_text(model, line_length, positions, expand_nested, show_trainable, layer_range))
        return
    text = summary_text(model, line_length, positions, expand_nested, show_trainable, layer_range, sys.stdout)
    if in_notebook(sys.stdout):
        from IPython.display import display

        table = summary_html(model, expand_nested, show_trainable, layer_range)
        display({"text/plain": text, "text/html": table}, raw=True)
        return
    print(printable(sys.stdout, text), end="")


def summary_text(
    model: Any,
    line_length: int | None = None,
    positions: list[float] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
    stream: Any = None,
) -> str:
    """Return the summary as text, in characters that the encoding of `stream` has (any if it is None)."""
    if not model.built and not model.layers:
        raise ValueError(
            f"Model {model.name!r} is not built yet, so it has no summary: give the first layer an "
            "input_shape, call model.build(input_shape), or call the model on data."
        )
    wide = not is_plain_stack(model)
    columns = _columns(wide, show_trainable)
    width = line_length or _line_length(len(columns) - show_trainable, show_trainable)
    table = Table(box=HEAVY_HEAD, show_lines=True, width=width)
    shortened: Any = "ellipsis" if stream is None or can_write(stream, "…") else "crop"
    for column, size in zip(columns, _widths(columns, width, positions, show_trainable), strict=True):
        overflow: Any = shortened if column == "Trainable" else "fold"
        table.add_column(column, width=size, justify=_JUSTIFIED.get(column, "left"), overflow=overflow)
    for row in _rows(model, expand_nested, layer_range):
        table.add_row(*(escape(cell) for cell in _cells(row, wide, show_trainable)))
    console = Console(
        file=stream or io.StringIO(),
        width=width,
        no_color=True,
        highlight=False,
        force_terminal=False,
        force_jupyter=False,
    )
    with console.capture() as capture:
        console.print(f"Model: {escape(repr(_shown(model)).replace(chr(39), chr(34)))}", soft_wrap=True)
        console.print(table)
        for line in totals(model):
            console.print(line, soft_wrap=True)
    return capture.get()


def summary_html(model: Any, expand_nested: bool = False, show_trainable: bool = False, layer_range: Any = None) -> str:
    """Return the summary as an HTML table, which takes its colours from the page around it."""
    wide = not is_plain_stack(model)
    columns = _columns(wide, show_trainable)
    line = "border-bottom:1px solid rgba(128,128,128,.35);padding:.25em .8em;white-space:nowrap;text-align:"
    sides = ["right" if column == "Param #" else "left" for column in columns]
    head = "".join(f'<th style="{line}{side}">{column}</th>' for column, side in zip(columns, sides, strict=True))
    rows = (_cells(row, wide, show_trainable) for row in _rows(model, expand_nested, layer_range))
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{line}{side}">{_in_html(c)}</td>' for c, side in zip(row, sides, strict=True))
        + "</tr>"
        for row in rows
    )
    foot = "<br>".join(html.escape(text.strip()) for text in totals(model))
    return (
        f'<div class="cornu-summary" style="overflow-x:auto"><p>Model: <b>{html.escape(_shown(model))}</b></p>'
        f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        f"<p>{foot}</p></div>"
    )


def _shown(operation: Any) -> str:
    return one_line(operation.name, LONGEST_NAME)


def _in_html(cell: str) -> str:
    text = cell.lstrip(" ")
    return "&emsp;" * ((len(cell) - len(text)) // 3) + html.escape(text)


def _columns(wide: bool, show_trainable: bool) -> list[str]:
    columns = ["Layer (type)", "Output Shape", "Param #"] + (["Connected to"] if wide else [])
    return columns + (["Trainable"] if show_trainable else [])


def _line_length(columns: int, show_trainable: bool) -> int:
    """Return Keras's line length, limited by the terminal's width."""
    return min(_LENGTHS[columns] + 12 * show_trainable, max(shutil.get_terminal_size().columns - 4, 40))


def _widths(columns: list[str], total: int, positions: Sequence[float] | None, show_trainable: bool) -> list[int]:
    wanted = len(columns) - show_trainable
    shares = list(positions or _SHARES[wanted])
    if len(shares) == wanted and show_trainable:
        shares = [share * 0.9 for share in shares] + [1.0]
    if len(shares) != len(columns):
        raise ValueError(f"positions has {len(shares)} entries; the summary has {len(columns)} columns: {columns}.")
    ends = [int(share * total) if share <= 1 else int(share) for share in shares]
    return [max(end - start, 5) for start, end in zip([0, *ends], ends, strict=False)]


class _Row(NamedTuple):
    """A line of the table: a layer or function, how deep in nested models, and its graph."""

    operation: Any
    level: int
    network: Any


def _rows(model: Any, expand_nested: bool, layer_range: Any, level: int = 0) -> list[_Row]:
    rows: list[_Row] = []
    for operation in _in_range(operations(model), layer_range):
        rows.append(_Row(operation, level, model._network))
        if expand_nested and hasattr(operation, "_network"):
            rows += _rows(operation, True, None, level + 1)
    return rows


def operations(model: Any) -> list[Any]:
    """Return the layers of a model in order, and if it is functional, the functions of its graph."""
    network = model._network
    if network is None:
        return model.layers
    functions = {id(n.operation): n.operation for n in network.nodes if not isinstance(n.operation, Layer)}
    if not functions:
        return model.layers
    return sorted([*model.layers, *functions.values()], key=lambda one: -network.depths.get(id(one), 0))


def _in_range(layers: list[Layer], layer_range: Any) -> list[Layer]:
    if layer_range is None:
        return layers
    if not isinstance(layer_range, (list, tuple)) or len(layer_range) != 2:
        raise ValueError(f"layer_range must be a pair, the names of the first and the last layer; got {layer_range!r}.")
    first, last = ([i for i, layer in enumerate(layers) if re.match(name, layer.name)] for name in layer_range)
    if not first or not last or first[0] > last[-1]:
        names = ", ".join(layer.name for layer in layers)
        raise ValueError(f"layer_range={layer_range!r} does not name two layers in order. There are: {names}.")
    return layers[first[0] : last[-1] + 1]


def _cells(row: _Row, wide: bool, show_trainable: bool) -> list[str]:
    operation, level, network = row
    kind = type(operation).__name__ if isinstance(operation, Layer) else "function"
    weights = getattr(operation, "weights", [])
    cells = [
        ("   " * level + "└ " if level else "") + f"{_shown(operation)} ({kind})",
        shape_text(operation, network),
    ]
    built = getattr(operation, "built", True)
    cells.append(f"{sum(variable.size for variable in weights):,}" if built else "0 (unbuilt)")
    if wide:
        cells.append(connections(operation, network))
    if show_trainable:
        cells.append(("Y" if operation.trainable_weights else "N") if weights else "-")
    return cells


def totals(model: Any) -> list[str]:
    """Return the lines below the table: total, trainable, non-trainable and optimizer parameters."""

    def line(title: str, variables: list) -> str:
        size = sum(variable._value.nbytes for variable in variables)
        return f" {title}: {sum(variable.size for variable in variables):,} ({format_bytes(size)})"

    optimizer = model.optimizer.variables if model.optimizer is not None and model.optimizer.built else []
    trainable, frozen = model.trainable_weights, model.non_trainable_weights
    lines = [line("Total params", [*trainable, *frozen])]
    lines += [line("Trainable params", trainable), line("Non-trainable params", frozen)]
    return lines + ([line("Optimizer params", optimizer)] if optimizer else [])
