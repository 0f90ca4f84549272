"""A model's methods that show it: summary, diagram, report; the drawing is done in `cornu.visuals`."""

from typing import Any


class PictureMethods:
    """The part of a model that shows what it is and what it has learned."""

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print the layers, their output shapes and numbers of parameters; a notebook shows them as a table.

        `line_length` is the width in characters, `positions` where columns end, `print_fn` is given the text,
        `expand_nested` shows layers of inner models, `show_trainable` adds a column, `layer_range` names the first and
        the last layer to show. Raises ValueError before the model is built.
        Follows https://keras.io/api/models/model/#summary-method
        """
        from cornu.visuals.summary import print_summary

        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def diagram(
        self,
        show_shapes: bool = True,
        show_dtype: bool = False,
        show_layer_names: bool = True,
        rankdir: str = "TB",
        expand_nested: bool = False,
        show_layer_activations: bool = True,
        show_trainable: bool = False,
    ) -> Any:
        """Return a drawing of the model, as SVG: a notebook shows it, ``.save("model.svg")`` writes it.

        Nothing has to be installed for it. `rankdir` is ``"TB"`` (downwards) or ``"LR"`` (to the right),
        `expand_nested` draws inner models layer by layer; the others say what stands in the boxes, as in
        `cornu.utils.plot_model`. Of a subclassed model, which has no graph, one box is drawn.

        >>> import cornu
        >>> from cornu import layers
        >>> model = cornu.Sequential([layers.Input((4,)), layers.Dense(2)], name="small")
        >>> model.diagram()
        <Diagram of model 'small': show it in a notebook, or .save('model.svg')>
        """
        from cornu.visuals.drawing import diagram
        from cornu.visuals.graphs import Show

        show = Show(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable, expand_nested)
        return diagram(self, show, rankdir)

    def report(
        self,
        path: Any,
        x: Any = None,
        y: Any = None,
        *,
        history: Any = None,
        class_names: Any = None,
        title: Any = None,
    ) -> None:
        """Write a report of the model into one HTML file that needs no network.

        Its curves of training are those of the last `fit`, or of `history`. On the rows of `x` and `y` (arrays, or a
        stream as `x`) it shows, for classes: confusion matrix, precision and recall, calibration and the most confident
        mistakes (inputs that are images as pictures); for numbers: predicted against true, residuals. Then comes the
        drawing of the model, its first weights, settings and versions. `class_names` lists the names of the classes
        (a dictionary by output, where there are several). Raises ValueError where data and model do not fit.

        >>> import cornu, tempfile
        >>> from cornu import layers
        >>> model = cornu.Sequential([layers.Input((4,)), layers.Dense(2)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.report(f"{folder}/report.html")
        """
        from cornu.visuals.report import write_report

        write_report(self, path, x, y, history, class_names, title)

    def _repr_html_(self) -> str | None:
        from cornu.visuals.summary import summary_html

        return summary_html(self) if self.layers else None  # type: ignore[attr-defined]
