"""Curves of loss and metrics during training: a figure in a notebook, a small chart on a terminal, a file."""

import io
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from cornu.callbacks.base import Callback
from cornu.callbacks.progress import format_value, is_live, say
from cornu.core.atomic_files import replacing
from cornu.core.error_bars import deviation_of
from cornu.visuals.streams import can_write, in_notebook

BLOCKS, PLAIN = "▁▂▃▄▅▆▇█", "_.-=+*#@"
UNDRAWN = "learning_rate"


class PlotLosses(Callback):
    """Draws the curves of loss and metrics after each epoch, training and validation in one chart.

    A notebook shows a figure that is redrawn, a terminal one line of small blocks per curve; if the output is a file or
    a pipe, the lines are written once, at the end. Figures need matplotlib: the extra ``plot``.

    Args:
        path: file for the figure (``"curves.png"``, ``.svg``, ``.pdf``), written when training ends; None for no file.
        metrics: names of the curves to draw; None draws all.
        figsize: width and height of one chart, in inches.
        every: number of epochs between drawings.

    Raises:
        ValueError: if `every` is not a positive integer.
        ImportError: if a figure is needed and matplotlib is missing.

    >>> curves = PlotLosses(path="curves.svg")
    """

    only_reports = True

    per_batch = False

    def __init__(
        self, path: Any = None, metrics: Any = None, figsize: tuple[float, float] = (5.0, 3.5), every: int = 1
    ) -> None:
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"PlotLosses: every must be a number of epochs, 1 or more; got {every!r}.")
        self.path = None if path is None else Path(os.fspath(path))
        self.metrics, self.figsize, self.every = metrics, figsize, every
        if self.path is not None:
            _figure_class()  # fail now rather than after an hour of training
        self._forget()

    def _forget(self) -> None:
        self._shown: Any = None  # the notebook's display of the figure
        self.epochs: list[int] = []
        self.curves: dict[str, dict[str, list[float | None]]] = {}  # None: missing in that epoch

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._forget()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.epochs.append(epoch + 1)
        for name, value in (logs or {}).items():
            kind, base = ("validation", name[4:]) if name.startswith("val_") else ("training", name)
            if base != UNDRAWN and (self.metrics is None or base in self.metrics):
                points = self.curves.setdefault(base, {}).setdefault(kind, [])
                points += [None] * (len(self.epochs) - 1 - len(points)) + [
                    value if deviation_of(value) else float(value)
                ]
        if len(self.epochs) % self.every == 0:
            self._show()

    def on_train_end(self, logs: dict | None = None) -> None:
        if not self.epochs:
            return
        if not is_live(sys.stdout):
            say("\n".join(self.lines()))
        if self.path is not None:
            with replacing(self.path) as temporary:
                temporary.write_bytes(self._drawn(self.path.suffix[1:] or "png"))
            say(f"Curves saved to {self.path}")

    def _show(self) -> None:
        if in_notebook(sys.stdout):
            from IPython import display

            picture = display.Image(self._drawn("png"))
            if self._shown is None:
                self._shown = display.display(picture, display_id=True)
            else:
                self._shown.update(picture)
        elif is_live(sys.stdout):
            say("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """Return one line per curve: its name, its shape in small blocks, its first and last value."""
        names = [
            (base if kind == "training" else f"val_{base}", [float(point) for point in points if point is not None])
            for base, kinds in self.curves.items()
            for kind, points in kinds.items()
        ]
        widest = max((len(name) for name, _ in names), default=0)
        room = max(shutil.get_terminal_size().columns - widest - 32, 8)
        return [
            f"{name:{widest}}  {sparkline(points, room)}  {_number(points[0])} -> {_number(points[-1])}"
            for name, points in names
        ]

    def figure(self) -> Any:
        """Return the curves so far as a matplotlib figure, one chart per metric."""
        width, height = self.figsize
        charts = len(self.curves) or 1
        figure = _figure_class()(figsize=(width * charts, height), layout="tight")
        axes = figure.subplots(1, charts, squeeze=False)
        for place, (base, kinds) in zip(axes[0], self.curves.items(), strict=False):
            for kind, points in kinds.items():
                known = [(x, y) for x, y in zip(self.epochs, points, strict=False) if y is not None]
                line = "--" if kind == "validation" else "-"
                low, high = (np.array([y + side * deviation_of(y) for _, y in known]) for side in (-1, 1))
                if (low < high).any():
                    place.fill_between([x for x, _ in known], low, high, alpha=0.2)
                place.plot(*zip(*known, strict=True), line, marker="." if len(known) < 30 else "", label=kind)
            place.set(title=base, xlabel="epoch")
            place.xaxis.get_major_locator().set_params(integer=True)
            place.grid(alpha=0.3)
            place.legend()
        return figure

    def _drawn(self, kind: str) -> bytes:
        buffer = io.BytesIO()
        self.figure().savefig(buffer, format=kind)
        return buffer.getvalue()


def sparkline(points: list[float], width: int) -> str:
    """Return numbers as a line of at most `width` blocks, in characters that the output's encoding supports.

    >>> sparkline([1, 2], 10) in ("▁█", "_@")
    True
    """
    marks = BLOCKS if can_write(sys.stdout, BLOCKS) else PLAIN
    if len(points) > width:  # the last of each interval
        points = [points[(index + 1) * len(points) // width - 1] for index in range(width)]
    finite = [point for point in points if point - point == 0]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    scale = (len(marks) - 1) / (high - low) if high > low else 0.0
    return "".join(marks[round((point - low) * scale)] if point - point == 0 else "?" for point in points)


def _number(value: float) -> str:
    return format_value("", value).removeprefix(": ")


def _figure_class() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("Drawing curves needs matplotlib: pip install 'cornu[plot]'") from error
    return Figure


__all__ = [
    "PlotLosses",
]
