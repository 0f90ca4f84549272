"""Positions of the boxes of a drawing: in rows by depth, with few crossings and straight edges."""

from collections.abc import Hashable
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

ACROSS, ALONG = 26.0, 34.0  # pixels between boxes of a row, and between rows
BEND = 14.0  # width of an edge in the rows that it passes through
SWEEPS = 8

Point = tuple[float, float]


class Layout(NamedTuple):
    """Upper left corners by box, the points through which each edge runs, and the size of all."""

    corners: dict[Hashable, Point]
    routes: list[list[Point]]
    size: Point


def layered(sizes: dict[Hashable, Point], edges: list[tuple[Hashable, Hashable]]) -> Layout:
    """Place boxes of given sizes (width, height) in rows, so that edges run downwards.

    Edges that would close a cycle run upwards; an edge from a box to itself is ignored.

    >>> layered({"a": (40, 10), "b": (40, 10)}, [("a", "b")]).corners
    {'a': (0.0, 0.0), 'b': (0.0, 44.0)}
    """
    keys = list(sizes)
    downwards = _without_circles(keys, edges)
    ranks = _ranks(keys, downwards)
    chains = [_chain(i, source, target, ranks) for i, (source, target) in enumerate(downwards)]
    rows = _rows(keys, chains, ranks)
    widths = {key: sizes[key][0] if key in sizes else BEND for row in rows for key in row}
    neighbours = _neighbours(chains)
    rows = _ordered(rows, neighbours)
    middles = _middles(rows, widths, neighbours)
    left = min((middles[key] - widths[key] / 2 for key in middles), default=0.0)
    heights = [max((sizes[key][1] for key in row if key in sizes), default=0.0) for row in rows]
    tops = [0.0, *accumulate(height + ALONG for height in heights)]
    corners = {
        key: (middles[key] - widths[key] / 2 - left, tops[i] + (heights[i] - sizes[key][1]) / 2)
        for i, row in enumerate(rows)
        for key in row
        if key in sizes
    }
    corners = {key: corners[key] for key in keys}
    bends = {
        key: [(middles[key] - left, tops[i]), (middles[key] - left, tops[i] + heights[i])]
        for i, row in enumerate(rows)
        for key in row
        if key not in sizes
    }
    routes = [_route(edge, chain, corners, sizes, bends) for edge, chain in zip(edges, chains, strict=True)]
    width = max((corner[0] + sizes[key][0] for key, corner in corners.items()), default=0.0)
    width = max([width, *(points[0][0] + BEND / 2 for points in bends.values())])
    return Layout(corners, routes, (width, max(tops[-1] - ALONG, 0.0)))


def _without_circles(keys: list, edges: list) -> list[tuple[Hashable, Hashable]]:
    """Return the edges, with those that lead back to a box above reversed."""
    targets: dict[Hashable, list] = {key: [] for key in keys}
    for source, target in edges:
        targets[source].append(target)
    done: set[Hashable] = set()
    back: set[tuple[Hashable, Hashable]] = set()
    for start in keys:
        path = [(start, iter(targets[start]))] if start not in done else []
        above = {start}
        while path:
            key, rest = path[-1]
            target = next(rest, None)
            if target is None:
                path.pop()
                above.discard(key)
                done.add(key)
            elif target in above:
                back.add((key, target))
            elif target not in done:
                above.add(target)
                path.append((target, iter(targets[target])))
    return [(target, source) if (source, target) in back else (source, target) for source, target in edges]


def _ranks(keys: list, edges: list) -> dict[Hashable, int]:
    """Return the row of each box: below everything that leads to it, and just above what only it leads to."""
    edges = [(source, target) for source, target in edges if source != target]
    ranks = dict.fromkeys(keys, 0)
    for _ in keys:
        changed = [(s, t) for s, t in edges if ranks[t] <= ranks[s]]
        if not changed:
            break
        for source, target in changed:
            ranks[target] = max(ranks[target], ranks[source] + 1)
    entered = {target for _, target in edges}
    for key in keys:  # an input is right above its first consumer
        below = [ranks[target] for source, target in edges if source == key]
        if key not in entered and below:
            ranks[key] = min(below) - 1
    return ranks


def _chain(number: int, source: Hashable, target: Hashable, ranks: dict) -> list[Hashable]:
    """Return the boxes and bends that an edge touches from row to row."""
    bends = [("bend", number, rank) for rank in range(ranks[source] + 1, ranks[target])]
    return [source, *bends, target]


def _rows(keys: list, chains: list, ranks: dict) -> list[list[Hashable]]:
    rows: list[list[Hashable]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for key in keys:
        rows[ranks[key]].append(key)
    for chain in chains:
        for bend in chain[1:-1]:
            rows[bend[2]].append(bend)
    return rows


def _neighbours(chains: list) -> tuple[dict, dict]:
    """Return the neighbours of each box or bend above and below."""
    above: dict[Hashable, list] = {}
    below: dict[Hashable, list] = {}
    for chain in chains:
        for upper, lower in pairwise(chain):
            if upper != lower:
                above.setdefault(lower, []).append(upper)
                below.setdefault(upper, []).append(lower)
    return above, below


def _ordered(rows: list[list], neighbours: tuple[dict, dict]) -> list[list]:
    """Sort each row by the positions of its neighbours, downwards and upwards in turn; keep the fewest crossings."""
    best, fewest = rows, _crossings(rows, neighbours[1])
    for sweep in range(SWEEPS):
        near = neighbours[sweep % 2]
        rows = list(rows)
        for i in range(len(rows)) if sweep % 2 == 0 else reversed(range(len(rows))):
            other = rows[i - 1 if sweep % 2 == 0 else i + 1] if 0 <= i + (sweep % 2) * 2 - 1 < len(rows) else []
            place = {key: position for position, key in enumerate(other)}
            weights = {
                key: float(np.mean([place[one] for one in near[key]])) if near.get(key) and other else float(position)
                for position, key in enumerate(rows[i])
            }
            rows[i] = sorted(rows[i], key=weights.__getitem__)
        crossings = _crossings(rows, neighbours[1])
        if crossings < fewest:
            best, fewest = rows, crossings
    return best


def _crossings(rows: list[list], below: dict) -> int:
    count = 0
    for upper, lower in pairwise(rows):
        place = {key: position for position, key in enumerate(lower)}
        ends = [place[target] for key in upper for target in sorted(below.get(key, []), key=place.__getitem__)]
        count += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
    return count


def _middles(rows: list[list], widths: dict, neighbours: tuple[dict, dict]) -> dict[Hashable, float]:
    """Return the horizontal middle of every box and bend: near its neighbours, without touching the next one."""
    middles: dict[Hashable, float] = {}
    offsets = []
    for row in rows:
        gaps = [(widths[a] + widths[b]) / 2 + ACROSS for a, b in pairwise(row)]
        offsets.append(np.array([0.0, *accumulate(gaps)]) if row else np.zeros(0))
        middle = offsets[-1].mean() if row else 0.0
        middles.update(zip(row, (offsets[-1] - middle).tolist(), strict=True))
    for sweep in range(4 * SWEEPS):
        numbers = range(len(rows)) if sweep % 2 == 0 else reversed(range(len(rows)))
        for i in numbers:
            joined = [[*neighbours[0].get(key, []), *neighbours[1].get(key, [])] for key in rows[i]]
            wanted = [
                np.mean([middles[one] for one in near]) if near else middles[key]
                for key, near in zip(rows[i], joined, strict=True)
            ]
            placed = _rising(np.array(wanted) - offsets[i]) + offsets[i]
            middles.update(zip(rows[i], placed.tolist(), strict=True))
    return middles


def _rising(values: np.ndarray) -> np.ndarray:
    """Return the nearest non-decreasing sequence (least squares)."""
    pools: list[tuple[float, int]] = []
    for value in values:
        pool = (float(value), 1)
        while pools and pools[-1][0] > pool[0]:
            mean, count = pools.pop()
            pool = ((mean * count + pool[0] * pool[1]) / (count + pool[1]), count + pool[1])
        pools.append(pool)
    return np.array([mean for mean, count in pools for _ in range(count)])


def _route(edge: tuple, chain: list, corners: dict, sizes: dict, bends: dict) -> list[Point]:
    """Return the points of an edge from the bottom of its source to the top of its target."""
    source, target = edge
    inner = [point for key in chain[1:-1] for point in bends[key]]
    if chain[0] != source:
        inner.reverse()
    (x1, y1), (width1, height1) = corners[source], sizes[source]
    (x2, y2), (width2, _) = corners[target], sizes[target]
    return [(x1 + width1 / 2, y1 + height1), *inner, (x2 + width2 / 2, y2)]
