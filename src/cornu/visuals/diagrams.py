"""Drawings of models: boxes for layers, arrows for tensors, by pydot and Graphviz."""

import shutil
import sys
from html import escape
from pathlib import Path
from typing import Any

from cornu.core.atomic_files import replacing
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

    Boxes show the layer's class and optionally its name, shapes, dtype, activation, and whether it is trained.
    `rankdir` is ``"TB"`` (downwards) or ``"LR"``, `expand_nested` draws inner models layer by layer, `dpi` is the
    resolution, `splines` the shape of arrows. A subclassed model, which has no graph, is one box. Raises ImportError
    that says what to install if pydot or Graphviz is missing.
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
    _fill(graph, frame_of(model, show), show, pydot)
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
    """Draw a model to a file; the extension chooses the format (png, svg, pdf, ...; png if there is none).

    In a notebook the picture is returned, to be shown. The other arguments are those of `model_to_dot`. Raises
    ImportError that says what to install if pydot or Graphviz is missing.
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
    """Return the picture for a notebook, if one is running."""
    if "IPython" not in sys.modules or path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".svg"):
        return None
    from IPython import display

    return display.SVG(filename=str(path)) if path.suffix.lower() == ".svg" else display.Image(filename=str(path))


def _pydot() -> Any:
    try:
        import pydot
    except ImportError:
        raise ImportError(
            "Drawing a model needs pydot: pip install pydot. Without it, model.diagram() draws it as SVG."
        ) from None
    return pydot


def _check_graphviz() -> None:
    if shutil.which("dot") is None:
        raise ImportError(
            "Drawing a model needs the program `dot` of Graphviz, which is not on the PATH. "
            "Without it, model.diagram() draws the model as SVG. To install Graphviz: "
            "apt install graphviz (Debian, Ubuntu) or brew install graphviz (macOS); for others, see "
            "https://graphviz.org/download/."
        )


def _fill(graph: Any, frame: Frame, show: Show, pydot: Any) -> None:
    """Add the boxes, inner frames and edges of a frame to a pydot graph."""
    for part in frame.parts:
        if isinstance(part, Box):
            graph.add_node(pydot.Node(part.number, label=_label(part, show)))
        else:
            inner = pydot.Cluster(graph_name=part.number, style="dashed", label=part.label, labeljust="l")
            _fill(inner, part, show, pydot)
            graph.add_subgraph(inner)
    for source, target in frame.edges:
        graph.add_edge(pydot.Edge(source, target))


def _label(box: Box, show: Show) -> str:
    """Return the content of a box, as a table in Graphviz's HTML."""
    first, rest = box.title
    title = f"<b>{escape(first)}</b> {escape(rest)}".rstrip()
    cells = [f"{what}: <b>{escape(text)}</b>" for what, text in box.details]
    rows = [_row(f"<font color='white'>{title}</font>", f"bgcolor='{_color(box, show)}'")]
    table = "".join(rows + [_row(cell) for cell in cells])
    return f"<<table border='0' cellborder='1' cellspacing='0' cellpadding='8'>{table}</table>>"


def _row(cell: str, style: str = "") -> str:
    return f"<tr><td {style}>{cell}</td></tr>"


def _color(box: Box, show: Show) -> str:
    """Return the title's colour; green marks trained layers, red frozen ones."""
    if not show.trainable or box.state == "plain":
        return "black"
    return "forestgreen" if box.state == "trained" else "firebrick"
