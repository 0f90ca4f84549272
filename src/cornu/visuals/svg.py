"""Charts as SVG text, made without other packages; their colours are the page's CSS variables."""

import itertools
import math
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

LEFT, RIGHT, TOP, BOTTOM = 56.0, 14.0, 12.0, 40.0
_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
MOST_POINTS = 400  # of one curve: more are not visible


class Curve(NamedTuple):
    """A named sequence of points; `kind` is a class of the page's CSS, `deviations` are those of `y`, if it has any."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    kind: str
    deviations: Sequence[float] = ()

    @property
    def edges(self) -> tuple[list[float], list[float]]:
        """The values less and plus their deviations; those without deviations twice."""
        deviations = self.deviations or [0.0] * len(self.y)
        pairs = list(zip(self.y, deviations, strict=True))
        return [y - by for y, by in pairs], [y + by for y, by in pairs]


def number(value: float) -> str:
    """Return a number as text for an axis or a table.

    >>> number(0.98765), number(12345), number(3e-7), number(2)
    ('0.9877', '12,345', '3e-07', '2')
    """
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return round numbers between two limits.

    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return [low]
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def at_ticks(values: Sequence[float]) -> list[str]:
    """Return the labels of ticks, short and with enough digits to distinguish them.

    >>> at_ticks([31_806_000.0, 31_808_000.0]), at_ticks([4486.05, 4486.1]), at_ticks([0.0, 0.5, 1.0])
    (['31,806k', '31,808k'], ['4,486.05', '4,486.1'], ['0', '0.5', '1'])
    """
    largest = max(map(abs, values), default=0.0)
    step = min((b - a for a, b in itertools.pairwise(values)), default=0.0)
    if step <= 0 or largest < 1e-3 or largest >= 1e15:
        return [number(value) for value in values]
    scale, unit = next((pair for pair in _UNITS if largest >= 100 * pair[0]), (1.0, ""))
    digits = max(0, math.ceil(-math.log10(step / scale) - 1e-6))
    words = [f"{value / scale:,.{digits}f}" for value in values]
    words = [word.rstrip("0").rstrip(".") if digits else word for word in words]
    return [word + unit if value else "0" for word, value in zip(words, values, strict=True)]


class Axes:
    """The frame of a chart: converts values to pixels, and draws axes with their names."""

    def __init__(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        labels: tuple[str, str],
        size: tuple[int, int] = (460, 280),
    ) -> None:
        self.x, self.y = _wide(x), _wide(y)
        self.labels, (self.width, self.height) = labels, size

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the position of a point in pixels."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return LEFT + across * (self.width - LEFT - RIGHT), self.height - BOTTOM - up * (self.height - TOP - BOTTOM)

    def chart(
        self, parts: Sequence[str], title: str, whole_x: bool = False, x_words: Callable[[float], str] | None = None
    ) -> str:
        """Return the chart with its content; `title` is for screen readers.

        `whole_x` allows ticks only at integers, `x_words` returns the label of a tick.
        """
        lines = []
        up, across = ticks(*self.y), [tick for tick in ticks(*self.x) if not whole_x or tick == int(tick)]
        for tick, words in zip(up, at_ticks(up), strict=True):
            _, y = self.at(self.x[0], tick)
            lines.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{self.width - RIGHT}"/>')
            lines.append(text("tick", LEFT - 7, y + 4, words, "end"))
        for tick, words in zip(across, map(x_words, across) if x_words else at_ticks(across), strict=True):
            lines.append(text("tick", self.at(tick, self.y[0])[0], self.height - BOTTOM + 17, words))
        middle, side = (LEFT + self.width - RIGHT) / 2, self.height / 2 - 10
        labels = [escape(label) for label in self.labels]
        names = text("axis", middle, self.height - 5, labels[0]) + text("axis", 13, side, labels[1], rotated=True)
        return picture(self.width, self.height, title, [*lines, names, *parts])


def text(kind: str, x: float, y: float, words: str, anchor: str = "middle", rotated: bool = False) -> str:
    """Return a text at a point, with a CSS class of the page."""
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if rotated else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{words}</text>'


def picture(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    """Return an SVG that shrinks with the page."""
    return (
        f'<svg class="chart" viewBox="0 0 {width:.0f} {height:.0f}" style="max-width:{width:.0f}px" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


_ALONE = """.grid{stroke:#dfe4ea}.tick,.axis{fill:#5d6979;font:12px system-ui,Helvetica,Arial,sans-serif}
.curve{fill:none;stroke-width:2}.train{stroke:#2563b0}.held-out{stroke:#d2691e}.dot{stroke:none}.dot.train{fill:#2563b0}
.dot.held-out{fill:#d2691e}.band{stroke:none;fill-opacity:.18}.band.train{fill:#2563b0}
.band.held-out{fill:#d2691e}.ideal{stroke:#5d6979;stroke-dasharray:5 4;fill:none}"""


def alone(chart: str) -> str:
    """Return a chart as a standalone file: on white, with its style included."""
    head, rest = chart.split(">", 1)
    head = head.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return f'{head}><style>{_ALONE}</style><rect width="100%" height="100%" fill="#fff"/>{rest}\n'


def _wide(limits: tuple[float, float]) -> tuple[float, float]:
    low, high = limits
    if not (math.isfinite(low) and math.isfinite(high)):
        return 0.0, 1.0
    if high > low:
        return low, high
    around = abs(low) * 0.1 or 0.5
    return low - around, high + around


def limits(*values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Return the smallest and largest finite value."""
    found = np.concatenate([np.asarray(one, "float64").ravel() for one in values]) if values else np.zeros(0)
    found = found[np.isfinite(found)]
    return (float(found.min()), float(found.max())) if found.size else (0.0, 1.0)


def line_chart(curves: Sequence[Curve], labels: tuple[str, str], title: str) -> str:
    """Return curves in one chart, with a legend under it."""
    low, high = limits(*(edge for curve in curves for edge in curve.edges))
    margin = (high - low) * 0.05
    axes = Axes(limits(*(curve.x for curve in curves)), (low - margin, high + margin), labels)
    parts = [band(one, axes) for one in curves if any(one.deviations)] + [curve(one, axes) for one in curves]
    legend = "".join(f'<span class="key {c.kind}">{escape(c.name)}</span>' for c in curves)
    return axes.chart(parts, title, whole_x=True) + f'<p class="legend">{legend}</p>'


def curve(drawn: Curve, axes: Axes) -> str:
    """Return a line through points, with dots if they are few; it has gaps at non-finite values."""
    step = max(-(-len(drawn.x) // MOST_POINTS), 1)
    points = list(zip(drawn.x, drawn.y, strict=True))
    points = points[::step] + ([points[-1]] if (len(points) - 1) % step else [])
    path, pen = [], "M"
    for x, y in points:
        if math.isfinite(y):
            path.append(f"{pen}{axes.at(x, y)[0]:.1f} {axes.at(x, y)[1]:.1f}")
        pen = "L" if math.isfinite(y) else "M"
    dots = [axes.at(x, y) for x, y in points if math.isfinite(y)] if len(points) <= 30 else []
    marks = "".join(f'<circle class="dot {drawn.kind}" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>' for x, y in dots)
    return f'<path class="curve {drawn.kind}" d="{"".join(path)}"/>{marks}'


def band(drawn: Curve, axes: Axes) -> str:
    """Return the area between a curve less and plus its deviations."""
    low, high = drawn.edges
    points = [*zip(drawn.x, high, strict=True), *reversed([*zip(drawn.x, low, strict=True)])]
    path = [axes.at(x, y) for x, y in points if math.isfinite(y)]
    return f'<path class="band {drawn.kind}" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in path)}Z"/>' if path else ""


def scatter(x: np.ndarray, y: np.ndarray, labels: tuple[str, str], title: str, line: tuple | None = None) -> str:
    """Return points, and a straight line if `line` has its ends."""
    ends = ([line[0][0], line[1][0]], [line[0][1], line[1][1]]) if line else ([], [])
    axes = Axes(limits(x, ends[0]), limits(y, ends[1]), labels)
    good = np.isfinite(x) & np.isfinite(y)
    points = (axes.at(a, b) for a, b in zip(x[good].tolist(), y[good].tolist(), strict=True))
    dots = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in points)
    parts = [f'<path class="points" d="{dots}"/>']
    if line:
        (x1, y1), (x2, y2) = axes.at(*line[0]), axes.at(*line[1])
        parts.append(f'<path class="ideal" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>')
    return axes.chart(parts, title)


def bars(edges: np.ndarray, heights: np.ndarray, labels: tuple[str, str], title: str) -> str:
    """Return a histogram: bars between edges."""
    axes = Axes(limits(edges), (0.0, float(max(heights.max(initial=0), 1))), labels)
    parts = []
    for left, right, height in zip(edges[:-1], edges[1:], heights, strict=True):
        (x1, y1), (x2, y2) = axes.at(left, float(height)), axes.at(right, 0.0)
        parts.append(
            f'<rect class="bar" x="{x1 + 0.5:.1f}" y="{y1:.1f}" width="{max(x2 - x1 - 1, 0.5):.1f}" '
            f'height="{max(y2 - y1, 0):.1f}"/>'
        )
    return axes.chart(parts, title)


def matrix(counts: np.ndarray, names: Sequence[str], title: str) -> str:
    """Return a confusion matrix: rows are the true classes, shaded by their fraction of the row."""
    size, longest = len(names), max(len(name) for name in names)
    cell = 46 if size <= 12 else 30 if size <= 20 else 20
    upright = longest * 7 >= cell  # too long to fit side by side
    left, top = 30 + min(longest, 14) * 7.5, 18 + min(longest, 14) * 7.5 if upright else 26.0
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    parts = []
    for i in range(size):
        y = top + i * cell
        parts.append(text("tick", left - 8, y + cell / 2 + 4, short(names[i]), "end"))
        for j in range(size):
            share, count = float(shares[i, j]), int(counts[i, j])
            words = escape(f"true {names[i]}, predicted {names[j]}: {count} ({share:.1%})")
            cell_parts = _cell((left + j * cell, y), cell, count, share, i == j)
            parts.append(f"<g><title>{words}</title>{cell_parts}</g>")
    for j, name in enumerate(names):
        x = left + (j + 0.5) * cell
        parts.append(text("tick", x + 4 * upright, top - 8, short(name), "start" if upright else "middle", upright))
    side = size * cell
    parts.append(text("axis", left + side / 2, top + side + 18, "predicted"))
    parts.append(text("axis", 12, top + side / 2, "true", rotated=True))
    return picture(left + side + 10, top + side + 26, title, parts)


def _cell(at: tuple[float, float], size: int, count: int, share: float, right: bool) -> str:
    """Return a cell of the matrix: mistakes are shaded more strongly than correct rows, to be visible."""
    (x, y), kind = at, "right" if right else "wrong"
    opacity = 0.0 if not count else 0.12 + 0.88 * share if right else min(0.12 + 5 * share, 1.0)
    cell = f'<rect class="cell" x="{x:.0f}" y="{y:.0f}" width="{size}" height="{size}"/>'
    cell += (
        f'<rect class="{kind}" x="{x + 1:.0f}" y="{y + 1:.0f}" width="{size - 2}" height="{size - 2}" '
        f'fill-opacity="{opacity:.2f}"/>'
    )
    if size >= 30 and count:
        bright = " bright" if opacity > 0.55 else ""
        cell += text(f"count{bright}", x + size / 2, y + size / 2 + 4.5, str(count))
    return cell


def short(name: str, most: int = 14) -> str:
    """Return a name for use in markup, truncated if it is long."""
    return escape(name if len(name) <= most else name[: most - 1] + "…")
