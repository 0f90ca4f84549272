"""Methods that show a model: summary, diagram, report. `cornu.visuals` does the drawing."""

from typing import Any


class PictureMethods:
    """The methods that show a model and its training."""

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print the layers with their output shapes and numbers of parameters; notebooks show a table.

        Args:
            line_length: Width in characters.
            positions: Where columns end, as fractions of the width or in characters.
            print_fn: Function that receives the text, by default `print`.
            expand_nested: Whether to list the layers of inner models.
            show_trainable: Whether to add a column that says if a layer is trainable.
            layer_range: First and last layer to show, a pair of names.

        Raises:
            ValueError: The model is not built.

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
        """Return a drawing of the model as SVG. Notebooks show it; ``.save("model.svg")`` writes it.

        No other package is needed. A subclassed model, which has no graph, is drawn as one box.

        Args:
            show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable: What the boxes contain,
                as in `cornu.utils.plot_model`.
            rankdir: ``"TB"`` (top to bottom) or ``"LR"`` (left to right).
            expand_nested: Whether to draw the layers of inner models.

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
        """Write a report about the model to a single HTML file that works offline.

        It has the training curves, the model's diagram, first weights, settings and versions. With data it also shows,
        for classification: confusion matrix, precision and recall, calibration and the most confident errors; for
            regression:
        predicted against true values and residuals.

        Args:
            path: The file to write.
            x, y: Data to evaluate on: arrays, or a stream as `x`.
            history: Training curves to show instead of those of the last `fit`.
            class_names: List of class names, or a dictionary of lists by output.
            title: Title of the page.

        Raises:
            ValueError: The data do not fit the model.

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
