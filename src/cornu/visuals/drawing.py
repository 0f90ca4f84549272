"""The drawing of a model as SVG, made without Graphviz: `model.diagram()`."""

from html import escape
from typing import Any, NamedTuple

from cornu.core import atomic_files
from cornu.visuals.graphs import Box, Frame, Show, frame_of
from cornu.visuals.layout import Layout, Point, layered

LETTER, LINE, TITLE, PADDING = 7.1, 20.0, 28.0, 12.0
COLOURS = {"trained": "#2f6fb3", "frozen": "#8a6d1f", "plain": "#5d6979"}
MARKED = {"trained": "#2c7a3f", "frozen": "#b3372f", "plain": "#5d6979"}
ARROW, EDGE = 7.0, "#8a929e"  # an arrow's length; a grey that is visible on white and on black


class Diagram:
    """A drawing of a model; a notebook shows it, `save` writes it, ``str`` is its SVG."""

    def __init__(self, svg: str, name: str) -> None:
        self.svg, self.name = svg, name

    def save(self, path: Any) -> None:
        """Write the drawing to an SVG file."""
        atomic_files.write_text(path, self.svg)

    def __str__(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Diagram of model {self.name!r}: show it in a notebook, or .save('model.svg')>"

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return self.svg


def diagram(model: Any, show: Show, rankdir: str = "TB") -> Diagram:
    """Draw a model (see `Model.diagram`)."""
    if rankdir not in ("TB", "LR"):
        raise ValueError(f"rankdir must be 'TB' (downwards) or 'LR' (to the right); got {rankdir!r}.")
    placed = _place(frame_of(model, show), rankdir == "LR")
    parts: list[str] = []
    _draw(placed, (PADDING, PADDING), parts, MARKED if show.trainable else COLOURS)
    width, height = (size + 2 * PADDING for size in placed.size)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-label="Model {escape(model.name)}" '
        'style="max-width:100%;height:auto" font-family="system-ui,Helvetica,Arial,sans-serif" font-size="13">'
    )
    return Diagram("\n".join([head, *parts, "</svg>"]) + "\n", model.name)


class _Placed(NamedTuple):
    """A box, or a frame with the positions of its content."""

    part: Any
    size: Point
    inside: "list[tuple[_Placed, Point]]"
    routes: list[list[Point]]
    sideways: bool


def _place(part: Box | Frame, sideways: bool, outer: bool = True) -> _Placed:
    if isinstance(part, Box):
        return _Placed(part, _box_size(part), [], [], sideways)
    inner = [_place(one, sideways, outer=False) for one in part.parts]
    owner = {number: i for i, one in enumerate(inner) for number in _numbers(one.part)}
    edges = [(owner[source], owner[target]) for source, target in part.edges]
    sizes = {i: one.size[::-1] if sideways else one.size for i, one in enumerate(inner)}
    layout: Layout = layered(sizes, edges)  # type: ignore[arg-type]
    turn = (lambda point: point[::-1]) if sideways else (lambda point: point)
    left, top = (0.0, 0.0) if outer else (PADDING, PADDING + LINE)
    corners = [turn(layout.corners[i]) for i in range(len(inner))]
    inside = [(one, (x + left, y + top)) for one, (x, y) in zip(inner, corners, strict=True)]
    routes = []
    for (source, target), points in zip(part.edges, layout.routes, strict=True):
        route = [(x + left, y + top) for x, y in map(turn, points)]
        route[0] = _anchor(inside[owner[source]], source, 1, sideways) or route[0]
        route[-1] = _anchor(inside[owner[target]], target, 0, sideways) or route[-1]
        routes.append(route)
    width, height = turn(layout.size)
    if not outer:
        width = max(width, len(part.label) * LETTER) + 2 * PADDING
        height += 2 * PADDING + LINE
    return _Placed(part, (width, height), inside, routes, sideways)


def _numbers(part: Box | Frame) -> list[str]:
    if isinstance(part, Box):
        return [part.number]
    return [number for one in part.parts for number in _numbers(one)]


def _anchor(where: tuple[_Placed, Point], number: str, end: int, sideways: bool) -> Point | None:
    """Return where an edge leaves (`end` 1) or enters (0) a box, which may be inside frames."""
    placed, (x, y) = where
    if isinstance(placed.part, Box):
        width, height = placed.size
        if placed.part.number != number:
            return None
        return (x + end * width, y + height / 2) if sideways else (x + width / 2, y + end * height)
    found = (_anchor((one, (x + dx, y + dy)), number, end, sideways) for one, (dx, dy) in placed.inside)
    return next((point for point in found if point is not None), None)


def _box_size(box: Box) -> Point:
    lengths = [len(" ".join(box.title).strip()) + 1, *(len(f"{what}: {text}") for what, text in box.details)]
    below = len(box.details) * LINE + 8 if box.details else 0
    return max(max(lengths) * LETTER + 2 * PADDING, 90.0), TITLE + below


def _draw(placed: _Placed, at: Point, parts: list[str], colours: dict[str, str]) -> None:
    if isinstance(placed.part, Box):
        parts.append(_box(placed.part, at, placed.size, colours))
        return
    for one, (x, y) in placed.inside:
        if not isinstance(one.part, Box):
            parts.append(_frame(one, (at[0] + x, at[1] + y)))
        _draw(one, (at[0] + x, at[1] + y), parts, colours)
    for route in placed.routes:
        parts.append(_edge([(at[0] + x, at[1] + y) for x, y in route], placed.sideways))


def _frame(placed: _Placed, at: Point) -> str:
    (x, y), (width, height) = at, placed.size
    return (
        f'<g class="frame"><rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="8" '
        f'fill="none" stroke="{EDGE}" stroke-dasharray="5 4"/>'
        f'<text x="{x + PADDING:.1f}" y="{y + LINE:.1f}" fill="{EDGE}">{escape(placed.part.label)}</text></g>'
    )


def _box(box: Box, at: Point, size: Point, colours: dict[str, str]) -> str:
    (x, y), (width, height), colour = at, size, colours[box.state]
    first, rest = (escape(text) for text in box.title)
    texts = [
        f'<text x="{x + width / 2:.1f}" y="{y + 18.5:.1f}" fill="#fff" text-anchor="middle">'
        f'<tspan font-weight="600">{first}</tspan> {rest}</text>'
    ]
    for i, (what, text) in enumerate(box.details):
        texts.append(
            f'<text x="{x + PADDING:.1f}" y="{y + TITLE + 17 + i * LINE:.1f}" fill="#1d2530">'
            f'<tspan fill="#5d6979">{escape(what)}:</tspan> {escape(text)}</text>'
        )
    edge = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6" stroke="{colour}"'
    if not box.details:
        return f'<g class="box"><rect {edge} fill="{colour}"/>{texts[0]}</g>'
    bar = f"M{x:.1f} {y + TITLE:.1f}v{6 - TITLE}q0 -6 6 -6h{width - 12:.1f}q6 0 6 6v{TITLE - 6}z"
    return f'<g class="box"><rect {edge} fill="#f4f6f9"/><path d="{bar}" fill="{colour}"/>{"".join(texts)}</g>'


def _edge(points: list[Point], sideways: bool) -> str:
    """Return a smooth line through the points with an arrow at its end."""
    (x, y), end = points[0], points[-1]
    tip = (end[0] - ARROW, end[1]) if sideways else (end[0], end[1] - ARROW)
    path = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in [*points[1:-1], tip]:
        middle = (x + to_x) / 2 if sideways else (y + to_y) / 2
        leaving, entering = ((middle, y), (middle, to_y)) if sideways else ((x, middle), (to_x, middle))
        path.append("C" + " ".join(f"{a:.1f} {b:.1f}" for a, b in (leaving, entering, (to_x, to_y))))
        x, y = to_x, to_y
    head = f"M{end[0]:.1f} {end[1]:.1f}l{-ARROW} -4v8z" if sideways else f"M{end[0]:.1f} {end[1]:.1f}l-4 {-ARROW}h8z"
    return (
        f'<g class="edge"><path d="{" ".join(path)}" fill="none" stroke="{EDGE}" stroke-width="1.4"/>'
        f'<path d="{head}" fill="{EDGE}"/></g>'
    )
