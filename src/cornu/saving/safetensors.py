"""A model's weights in safetensors files; `cornu.saving.tensor_file` implements the format."""

from pathlib import Path
from typing import Any

import numpy as np

from cornu.core.errors import listed
from cornu.core.variable import Variable
from cornu.saving.gates import gates_of
from cornu.saving.source import GATES, Source
from cornu.saving.tensor_file import SUFFIX, is_safetensors, read, read_header, read_metadata, write_arrays
from cornu.saving.transfer import Transfer, unknown_layer
from cornu.saving.variable_paths import Place, is_own, places
from cornu.saving.weights import own_values

__all__ = [
    "SUFFIX",
    "is_safetensors",
    "named_variables",
    "read",
    "read_header",
    "read_safetensors",
    "write_arrays",
    "write_safetensors",
]


def write_safetensors(path: Path, model: Any) -> None:
    """Write a model's weights, each under its layer's path and its own name: ``layers/dense/kernel``.

    Raises ValueError for a weight with a dtype that the format lacks.
    """
    with path.open("wb") as file:
        gates = gates_of(model)
        metadata = {"format": "keras", "writer": "cornu", "model": model.name} | ({GATES: gates} if gates else {})
        write_arrays(file, _values(model), metadata)


def read_safetensors(path: Path, model: Any, skip_mismatch: bool = False) -> None:
    """Set a model's weights from a file, by name; ValueError if it does not fit, and then no weight was changed."""
    with path.open("rb") as file:
        stored = read_header(file, path.name, path.stat().st_size)
        gates = read_metadata(file, path.name).get(GATES)
        transfer = Transfer(Source(path.name, "safetensors", gates), model, skip_mismatch, read)
        expected = named_variables(model)
        for place in places(model, optimizer=False):
            if is_own(place.owner, "load_own_variables"):
                own = {name: stored.pop(name) for name in list(stored) if name.startswith(f"{place.path}/")}
                transfer.add_store(place.owner, {name.rpartition("/")[2]: array for name, array in own.items()})
        missing = [name for name in expected if name not in stored]
        extra = [name for name in stored if name not in expected]
        if missing:
            others = f" It has {listed(extra)}, which the model lacks." if extra else ""
            transfer.report(f"it has no weight {listed(missing)}.{others}")
        elif extra:
            transfer.report(unknown_layer(extra[0], expected))
        for name, variable in expected.items():
            if name in stored:
                transfer.add(f"the model at {name!r}", [variable], [stored[name]])
        transfer.apply()


def named_variables(model: Any) -> dict[str, Variable]:
    """Return the weights of a model by their names in a file, without layers that have custom file methods."""
    return {
        name: variable
        for place in places(model, optimizer=False)
        if not is_own(place.owner, "load_own_variables")
        for name, variable in _named(place).items()
    }


def _named(place: Place) -> dict[str, Variable]:
    """Return the variables of a place by path and name, numbered if a layer has a name twice."""
    found: dict[str, Variable] = {}
    for variable in place.variables:
        name = unnumbered = f"{place.path}/{variable.name}".removeprefix("/")
        number = 0
        while name in found:
            number += 1
            name = f"{unnumbered}_{number}"
        found[name] = variable
    return found


def _values(model: Any) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for place in places(model, optimizer=False):
        if is_own(place.owner, "save_own_variables"):
            found |= {f"{place.path}/{name}": value for name, value in own_values(place).items()}
        else:
            found |= {name: variable.numpy() for name, variable in _named(place).items()}
    return found
