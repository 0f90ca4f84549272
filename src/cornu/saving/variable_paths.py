"""The path of each variable in Keras 3's weights files, such as ``layers/dense_1/vars/0``.

The path follows how the model holds its layers: by attribute (``encoder``), or inside a list or dictionary by the
class name in snake case, numbered if it repeats (``layers/dense``, ``layers/dense_1``).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from cornu.core.layer import Layer
from cornu.core.names import to_snake_case
from cornu.core.tracking import NOT_PARTS
from cornu.core.variable import Variable
from cornu.optimizers import Optimizer

#: Attributes of Cornu's models and layers that a file does not have, or calls ``layers``.
INTERNAL = NOT_PARTS | {"_weights", "graph_layers", "stack", "_input", "_network", "_graph_losses", "_programs"}


class Place(NamedTuple):
    """A layer or optimizer, the path of its group in a file, and its own variables in order."""

    path: str
    owner: Any
    variables: list[Variable]


def places(model: Layer, optimizer: bool = True) -> list[Place]:
    """Return the places of a model, all layers inside it, and (if asked for) its optimizer, each once."""
    found = list(_walk(model, "", set()))
    return [place for place in found if optimizer or not isinstance(place.owner, Optimizer)]


def _walk(owner: Any, path: str, visited: set[int]) -> Iterator[Place]:
    if id(owner) in visited:
        return
    visited.add(id(owner))
    if isinstance(owner, Optimizer):
        yield Place(path, owner, owner.variables)
        children = [("inner_optimizer", vars(owner).get("inner_optimizer"))]
    else:
        yield Place(path, owner, owner.kept_variables())
        children = _children(owner)
    for name, child in children:
        yield from _walk_child(child, f"{path}/{name}" if path else name, visited, set())


def _children(layer: Any) -> list[tuple[str, Any]]:
    """Return the attributes that may hold layers, in the order of the files: private ones last."""
    attributes = {name: value for name, value in vars(layer).items() if name not in INTERNAL}
    first: list[tuple[str, Any]] = []
    if hasattr(layer, "get_layer"):  # a model
        attributes["optimizer"] = layer.optimizer
        listed = getattr(layer, "_network", None) is not None or hasattr(layer, "stack")
        if listed:
            first = [("layers", layer.layers)]
        else:
            attributes["layers"] = layer.layers
    return first + sorted(attributes.items(), key=lambda item: f"~{item[0]}" if item[0].startswith("_") else item[0])


def _walk_child(child: Any, path: str, visited: set[int], containers: set[int]) -> Iterator[Place]:
    if isinstance(child, (Layer, Optimizer)):
        yield from _walk(child, path, visited)
    elif isinstance(child, (list, tuple, dict)) and id(child) not in containers:
        containers.add(id(child))
        used: dict[str, int] = {}
        for item in child.values() if isinstance(child, dict) else child:
            name = _name_in_container(item, used)
            if name:
                yield from _walk_child(item, f"{path}/{name}", visited, containers)


def _name_in_container(item: Any, used: dict[str, int]) -> str | None:
    if isinstance(item, (Layer, Optimizer)):
        name = to_snake_case(type(item).__name__)
    elif isinstance(item, (list, tuple, dict)):
        name = "container"
    else:
        return None
    used[name] = used.get(name, -1) + 1
    return f"{name}_{used[name]}" if used[name] else name


def is_own(owner: Any, method: str) -> bool:
    """Return whether the class of a layer defines one of the file methods itself."""
    return isinstance(owner, Layer) and getattr(type(owner), method) is not getattr(Layer, method)
