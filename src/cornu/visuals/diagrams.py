"""Drawings of models: boxes for layers, arrows for what flows between them, by pydot and Graphviz."""

import shutil
import sys
from html import escape
from pathlib import Path
from typing import Any

from cornu.core.atomic import replacing
from cornu.visuals.graphs import Box, Frame, Show, frame_of


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int | None = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Any:
    """Return a drawing of a model as ``pydot.Dot`` (as ``pydot.Cluster`` if `subgraph`).

    Boxes name the layer's class and, as asked for, its name, shapes, dtype, activation, and whether it is trained.
    `rankdir` is ``"TB"`` (downwards) or ``"LR"``, `expand_nested` draws inner models layer by layer, `dpi` is the
    resolution, `splines` how arrows run. Of a subclassed model, which has no graph, one box is drawn. Raises
    ImportError that names what to install where pydot or Graphviz is missing.
    Follows https://keras.io/api/utils/model_plotting_utils/#modeltodot-function
    """
    pydot = _pydot()
    _check_graphviz()
    show = Show(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable, expand_nested)
    if subgraph:
        graph = pydot.Cluster(graph_name=model.name, style="dashed", label=model.name, labeljust="l")
    else:
        graph = pydot.Dot(graph_name="model", rankdir=rankdir, splines=splines, concentrate="true")
        if dpi is not None:
            graph.set_dpi(dpi)
        graph.set_node_defaults(shape="plaintext", margin="0", fontname="Helvetica")
    _Drawing(pydot, show).model(model, graph)
    return graph


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int | None = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Any:
    """Draw a model into a file, whose extension says the format (png, svg, pdf, ...; png if there is none).

    In a notebook the picture is returned, to be shown. The other arguments are those of `model_to_dot`. Raises
    ImportError that names what to install where pydot or Graphviz is missing.
    Follows https://keras.io/api/utils/model_plotting_utils/#plotmodel-function
    """
    graph = model_to_dot(
        model,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        rankdir=rankdir,
        expand_nested=expand_nested,
        dpi=dpi,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
    )
    path = Path(to_file)
    path = path if path.suffix else path.with_name(f"{path.name}.png")
    with replacing(path) as temporary:
        graph.write(str(temporary), format=path.suffix[1:].lower())
    return _shown(path)


def _shown(path: Path) -> Any:
    """Return what a notebook shows, where one is running."""
    if "IPython" not in sys.modules or path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".svg"):
        return None
    from IPython import display

    return display.SVG(filename=str(path)) if path.suffix.lower() == ".svg" else display.Image(filename=str(path))


def _pydot() -> Any:
    try:
        import pydot
    except ImportError:
        raise ImportError("Drawing a model needs pydot: pip install pydot") from None
    return pydot


def _check_graphviz() -> None:
    if shutil.which("dot") is None:
        raise ImportError(
            "Drawing a model needs the program `dot` of Graphviz, which is not on the PATH: "
            "apt install graphviz (Debian, Ubuntu), brew install graphviz (macOS), or https://graphviz.org/download/"
        )


class _Drawing:
    """Puts models into a graph of pydot; each box has a number of its own."""

    def __init__(self, pydot: Any, show: Show) -> None:
        self.pydot, self.show = pydot, show
        self.numbers = itertools.count()

    def model(self, model: Any, graph: Any) -> Ends:
        """Draw the inside of a model."""
        if hasattr(model, "stack"):
            return self._stack(model, graph)
        if model._network is None:
            return self._box(model, list(model._inbound_nodes), graph)
        return self._network(model._network, graph)

    def _stack(self, model: Any, graph: Any) -> Ends:
        """Draw the layers of a Sequential model, the input left out."""
        inside = _inside(model._network) if model._network is not None else None
        drawn = []
        for layer in model.layers:
            nodes = [node for node in layer._inbound_nodes if inside is not None and id(node) in inside]
            drawn.append(self._operation(layer, nodes, graph))
        for upper, lower in itertools.pairwise(drawn):
            self._edge(upper.exits[0], lower.entries[0], graph)
        if not drawn:
            return self._box(model, [], graph)
        return Ends(drawn[0].entries, drawn[-1].exits)

    def _network(self, network: Any, graph: Any) -> Ends:
        starts = {id(tensor.node): tensor.node for tensor in network.flat_inputs}
        nodes = [*starts.values(), *(node for node in network.nodes if id(node) not in starts)]
        calls: dict[int, list[Node]] = {}
        for node in nodes:
            calls.setdefault(id(node.operation), []).append(node)
        drawn = {key: self._operation(found[0].operation, found, graph) for key, found in calls.items()}
        edges = {}
        for node in nodes:
            for position, tensor in enumerate(node.inputs if id(node) not in starts else ()):
                entries = drawn[id(node.operation)].entries
                entry = entries[position] if position < len(entries) else entries[-1]
                edges[_exit(drawn, tensor), entry] = None
        for source, target in edges:
            self._edge(source, target, graph)
        return Ends(
            [_exit(drawn, tensor) for tensor in network.flat_inputs],
            [_exit(drawn, tensor) for tensor in network.flat_outputs],
        )

    def _operation(self, operation: Any, nodes: list[Node], graph: Any) -> Ends:
        """Draw a layer, or the inside of a model in a frame of its own where nested models are expanded."""
        nested = hasattr(operation, "_network") and (operation._network is not None or hasattr(operation, "stack"))
        if not (self.show.nested and nested):
            return self._box(operation, nodes, graph)
        frame = self.pydot.Cluster(
            graph_name=f"{operation.name}_{next(self.numbers)}", style="dashed", label=operation.name, labeljust="l"
        )
        ends = self.model(operation, frame)
        graph.add_subgraph(frame)
        return ends

    def _box(self, operation: Any, nodes: list[Node], graph: Any) -> Ends:
        number = f"box{next(self.numbers)}"
        graph.add_node(self.pydot.Node(number, label=label(operation, nodes, self.show)))
        return Ends([number], [number])

    def _edge(self, source: str, target: str, graph: Any) -> None:
        graph.add_edge(self.pydot.Edge(source, target))


def _inside(network: Any) -> set[int]:
    return {id(node) for node in network.nodes} | {id(tensor.node) for tensor in network.flat_inputs}


def _exit(drawn: dict[int, Ends], tensor: Any) -> str:
    exits = drawn[id(tensor.node.operation)].exits
    return exits[tensor.index] if tensor.index < len(exits) else exits[-1]


def label(operation: Any, nodes: list[Node], show: Show) -> str:
    """Return what stands in the box of a layer or function, as a table in Graphviz's HTML."""
    kind = type(operation).__name__ if isinstance(operation, Layer) else "function"
    title = f"<b>{escape(operation.name)}</b> ({kind})" if show.names else f"<b>{kind}</b>"
    if not isinstance(operation, Layer) and not show.names:
        title = f"<b>{escape(operation.name)}</b>"
    cells = [f"{what}: <b>{escape(text)}</b>" for what, text in _details(operation, nodes, show)]
    rows = [_row(["<font color='white'>" + title + "</font>"], f"bgcolor='{_color(operation, show)}'")]
    rows += [_row([cell]) for cell in cells]
    table = "".join(rows)
    return f"<<table border='0' cellborder='1' cellspacing='0' cellpadding='8'>{table}</table>>"


def _row(cells: list[str], style: str = "") -> str:
    return "<tr>" + "".join(f"<td {style}>{cell}</td>" for cell in cells) + "</tr>"


def _color(operation: Any, show: Show) -> str:
    """Return the title's colour; green marks what is trained, red what could be and is not."""
    if not show.trainable or not getattr(operation, "weights", []):
        return "black"
    return "forestgreen" if operation.trainable_weights else "firebrick"


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
    """Return what the calls of a layer have, each different one once."""
    lists = [values(node) for node in nodes]
    texts = (str(found[0]) if len(found) == 1 else ", ".join(map(str, found)) for found in lists if found)
    return "; ".join(dict.fromkeys(texts))
