"""Defaults of LSTM and GRU on which Keras versions disagree: what the program left out, the era or a file decides."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from cornu import activations
from cornu.core import era
from cornu.core.weights import HoldsWeights

Constructor = TypeVar("Constructor", bound=Callable[..., None])
#: What a weights file may decide.
DECIDED = ("recurrent_activation", "reset_after")


def with_gate_defaults(constructor: Constructor, gates: dict[str, tuple[str, Any]] | None = None) -> Constructor:
    """Decorate the ``__init__`` of a layer with gates: arguments that are left out have the defaults of the era.

    ``_left_out`` of the layer has the names of those that a weights file may decide later.

    Args:
        constructor: The ``__init__``.
        gates: Which arguments have other defaults in other eras; None is `era.GATES`.
    """
    gates = era.GATES if gates is None else gates
    names = list(inspect.signature(constructor).parameters)[1:]
    known = [name for name in gates if name in names]

    @functools.wraps(constructor)
    def initialize(self: Any, *args: Any, **kwargs: Any) -> None:
        given = {*names[: len(args)], *kwargs}
        left_out = [name for name in known if name not in given]
        for name in left_out:
            difference, value = gates[name]
            if era.holds(difference):
                kwargs[name] = value
        constructor(self, *args, **kwargs)
        self._left_out = frozenset(left_out) & frozenset(DECIDED)

    return initialize  # type: ignore[return-value]


with_convolutional_gate_defaults = functools.partial(with_gate_defaults, gates=era.GATES_OF_CONVOLUTIONS)


def set_gates(layer: Any, values: dict[str, Any]) -> None:
    """Change `recurrent_activation` and `reset_after` of a layer with gates, or of a cell, also of a built one."""
    cell = getattr(layer, "cell", layer)
    if "recurrent_activation" in values:
        cell.recurrent_activation = activations.get(values["recurrent_activation"])
    if values.get("reset_after", vars(cell).get("reset_after")) != vars(cell).get("reset_after"):
        cell.reset_after = values["reset_after"]
        if vars(cell).get("bias") is not None:
            cell.remake_bias()
    HoldsWeights.revision += 1
    for one in (layer, cell):
        one._arguments.update({name: value for name, value in values.items() if name in one._arguments})
