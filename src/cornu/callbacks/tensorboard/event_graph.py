"""A model as a TensorBoard graph (``graph.proto``): one node per layer, nested models as scopes."""

import re
from collections.abc import Iterator
from typing import Any

from cornu.core.records import field, whole
from cornu.visuals.graphs import Box, Frame, Show, frame_of


def graph_of(model: Any) -> bytes:
    """Return the layers of a model and their inputs, with classes and shapes, as a GraphDef."""
    frame = frame_of(model, Show(shapes=True, nested=True))
    boxes = list(_boxes(frame, ""))
    names = _different({box.number: path for path, box in boxes})
    taken: dict[str, list[str]] = {}
    for source, target in _edges(frame):
        taken.setdefault(target, []).append(names[source])
    nodes = (_node(names[box.number], box, taken.get(box.number, [])) for _, box in boxes)
    return b"".join(field(1, node) for node in nodes) + field(4, whole(1, 22))  # versions: any producer


def _boxes(frame: Frame, scope: str) -> Iterator[tuple[str, Box]]:
    """Yield the path and box of each layer; paths contain only characters that TensorFlow allows in names."""
    for part in frame.parts:
        if isinstance(part, Frame):
            yield from _boxes(part, f"{scope}{_plain(part.label)}/")
        else:
            yield scope + _plain(part.title[0]), part


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip("_-") or "layer"


def _different(paths: dict[str, str]) -> dict[str, str]:
    """Return unique paths: duplicates get a number."""
    found: dict[str, str] = {}
    used: set[str] = set()
    for number, path in paths.items():
        unique, count = path, 1
        while unique in used:
            unique, count = f"{path}_{count}", count + 1
        used.add(unique)
        found[number] = unique
    return found


def _edges(frame: Frame) -> Iterator[tuple[str, str]]:
    yield from frame.edges
    for part in frame.parts:
        if isinstance(part, Frame):
            yield from _edges(part)


def _node(name: str, box: Box, inputs: list[str]) -> bytes:
    kind = re.sub(r"[()]", "", box.title[1]) or "function"
    details = {title.lower().replace(" ", "_"): text for title, text in box.details}
    node = field(1, name.encode()) + field(2, kind.encode())
    node += b"".join(field(3, source.encode()) for source in inputs)
    return node + b"".join(
        field(5, field(1, key.encode()) + field(2, field(2, text.encode()))) for key, text in details.items()
    )
