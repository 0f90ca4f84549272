"""Which object of a TensorFlow checkpoint belongs to which layer and variable of a model.

As in TensorFlow, names decide: those of attributes; ``layer-2`` and ``layer_with_weights-1`` for the layers of
Sequential and functional models; numbers in lists and keys in dictionaries.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from cornu.core.layer import Layer
from cornu.core.variable import Seed, Variable
from cornu.saving.object_graph import Node, variables_below
from cornu.saving.variable_paths import INTERNAL

#: What tf.keras saves beside a model's own parts: state of training and metrics, and lists of what is there anyway.
BESIDE = frozenset(
    (
        *("optimizer", "keras_api", "signatures", "variables", "trainable_variables", "non_trainable_variables"),
        *("regularization_losses", "save_counter", "_random_generator", "_metrics", "loss_tracker"),
    )
)

#: Attribute of today's layers -> its names in tf.keras.
OLD_NAMES = {"kernel": ("depthwise_kernel",)}


class Matching:
    """The variables of a model and the objects of a checkpoint that have their values, beginning at the object `root`.

    `found` has the variables by their numbers; `owners` the layers that were found, each with its object's number.
    """

    def __init__(self, nodes: list[Node], root: int, model: Layer) -> None:
        self.nodes, self.root, self.model = nodes, root, model
        self.found: dict[int, Variable] = {}
        self.owners: dict[int, int] = {}
        self._places: dict[int, int] = {}  # id of a variable -> number of its object
        self._beside: set[int] = set()
        self._containers: set[tuple[int, int]] = set()
        self._match(model, root)

    def place(self, variable: Variable) -> int | None:
        """Return the number of a variable's object, or None."""
        return self._places.get(id(variable))

    def missing(self) -> list[Variable]:
        """Return the weights that the checkpoint does not have."""
        return [variable for variable in self.model.weights if id(variable) not in self._places]

    def unused(self) -> dict[int, str]:
        """Return the variables of the checkpoint, below the model, that the model does not have."""
        held = variables_below(self.nodes, self.root, frozenset(self._beside))
        return {number: key for number, key in held.items() if number not in self.found}

    def _match(self, thing: Any, number: int) -> None:
        """Match a layer, variable, list or dictionary with an object, then its parts with that object's."""
        node = self.nodes[number]
        if isinstance(thing, Variable):
            if node.key is not None and not isinstance(thing, Seed):
                self.found.setdefault(number, thing)
                self._places.setdefault(id(thing), number)
            return
        if isinstance(thing, Layer):
            if id(thing) in self.owners:
                return
            self.owners[id(thing)] = number
            self._beside.update(node.children[name] for name in BESIDE if name in node.children)
        elif not isinstance(thing, (list, tuple, dict)):
            if node.key is None:  # a metric, or an optimizer
                self._beside.add(number)
            return
        elif (id(thing), number) in self._containers:
            return
        self._containers.add((id(thing), number))
        for names, part in _parts(thing):
            known = next((node.children[name] for name in names if name in node.children), None)
            if known is not None:
                self._match(part, known)


def _parts(thing: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the parts of a layer, list or dictionary, each with the names that it may have in a checkpoint."""
    if isinstance(thing, dict):
        yield from (((str(key),), part) for key, part in thing.items())
    elif isinstance(thing, (list, tuple)):
        yield from (((str(place),), part) for place, part in enumerate(thing))
    else:
        if getattr(thing, "_network", None) is not None or hasattr(thing, "stack"):
            yield from _numbered(thing.layers)
        for name, part in vars(thing).items():
            if name not in INTERNAL and not isinstance(part, (str, int, float, type(None))):
                yield (name, *OLD_NAMES.get(name, ())), part
        yield from (((variable.name,), variable) for variable in thing._weights)


def _numbered(layers: Iterable[Layer]) -> Iterator[tuple[tuple[str, ...], Layer]]:
    with_weights = 0
    for place, layer in enumerate(layers):
        names: tuple[str, ...] = (f"layer-{place}",)
        if layer.weights:
            names, with_weights = (f"layer_with_weights-{with_weights}", *names), with_weights + 1
        yield names, layer
