"""Arrays from a file to variables: all are checked before one is read, and all read before one is set."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import h5py
import ml_dtypes
import numpy as np

from cornu.core.errors import did_you_mean, one_line, readable
from cornu.core.variable import Variable
from cornu.saving import hdf5
from cornu.saving.gates import Converted, Gates, NewBias
from cornu.saving.source import Source

#: Values beyond those of its variables that a layer may read with a custom ``load_own_variables``.
MOST_STORED = 1_000_000
MOST_NAMED = 5  # weights in a warning


class Transfer:
    """Pairs of variables and arrays; `apply` reads and sets them together, or raises before anything changes.

    The arrays have ``shape``, ``dtype`` and ``size``; `read` gives their values. `model` has the variables.
    """

    def __init__(
        self, source: Source, model: Any, skip_mismatch: bool = False, read: Callable[[Any], Any] = hdf5.read
    ) -> None:
        self.source, self.skip_mismatch, self.read = source, skip_mismatch, read
        self.gates = Gates(model, source)
        self.pairs: list[tuple[Any, Any]] = []
        self.stores: list[tuple[Any, dict[str, h5py.Dataset]]] = []
        self.skipped: list[str] = []

    def add(self, owner: str, variables: list[Variable], arrays: list[h5py.Dataset]) -> bool:
        """Assign `arrays` to `variables` of `owner`; returns whether they fit. ValueError if not (unless skipped)."""
        variables, arrays = self.gates.fitted(variables, arrays)
        problem = mismatch(variables, arrays)
        if problem is None:
            self.gates.note(variables, arrays)
            self.pairs += zip(variables, arrays, strict=True)
        else:
            self.report(f"{owner} {problem}")
        return problem is None

    def add_store(self, layer: Any, arrays: dict[str, h5py.Dataset]) -> None:
        """Let a layer with a custom ``load_own_variables`` load arrays, no larger than its variables together."""
        limit = 16 * sum(variable.size for variable in layer.variables) + MOST_STORED
        if sum(array.size for array in arrays.values()) > limit:
            raise ValueError(
                f"The file {self.source} has more values for layer {layer.name!r} than the layer can hold."
            )
        self.stores.append((layer, arrays))

    def report(self, problem: str) -> None:
        """Raise an error for what does not fit, or warn if mismatches are skipped."""
        if not self.skip_mismatch:
            raise ValueError(f"The file {self.source} does not fit the model: {problem}")
        self.skipped.append(problem)
        text = f"Left unchanged, since the file {self.source} does not fit: {problem}"
        warnings.warn(readable(text), UserWarning, stacklevel=2)

    def add_optimizer(self, name: str, variables: list[Variable], arrays: list[h5py.Dataset]) -> None:
        """Assign arrays to an optimizer's variables; if they do not fit, it starts from scratch, with a warning."""
        problem = mismatch(variables, arrays)
        if problem is None:
            self.pairs += zip(variables, arrays, strict=True)
        else:
            self.leave_optimizer(name, problem)

    def leave_optimizer(self, name: str, problem: str) -> None:
        """Warn that an optimizer starts from scratch, and why."""
        warnings.warn(
            f"The optimizer {one_line(name, 200)!r} starts from scratch: its state in the file {self.source} does "
            f"not fit. It {readable(problem)}",
            UserWarning,
            stacklevel=2,
        )

    def apply(self) -> None:
        """Read the arrays and set the variables."""
        values = [(variable, self._value(array)) for variable, array in self.pairs]
        self._warn_of_numbers(values)
        stores = [(layer, {name: self.read(array) for name, array in arrays.items()}) for layer, arrays in self.stores]
        biases = self.gates.apply()
        with np.errstate(over="ignore"):  # `_warn_of_numbers` has named the weight
            for variable, value in values:
                (biases[id(variable.gated.cell)] if isinstance(variable, NewBias) else variable).assign(value)
        for layer, store in stores:
            layer.load_own_variables(store)

    def _value(self, array: Any) -> Any:
        if isinstance(array, Converted):
            return array.convert(*map(self.read, array.sources))
        return self.read(array)

    def _warn_of_numbers(self, values: list[tuple[Variable, Any]]) -> None:
        """Warn of weights with NaN or infinity, in the file or since their dtype has a smaller range here."""
        broken = []
        for variable, value in values:
            what = _not_finite(value, variable.dtype) if variable.is_weight else None
            if what is not None:
                broken.append(f"{one_line(variable.path, 200)!r} ({what})")
        if broken:
            more = f" and {len(broken) - MOST_NAMED} more" if len(broken) > MOST_NAMED else ""
            warnings.warn(
                f"Weights from the file {self.source} are not finite: {', '.join(broken[:MOST_NAMED])}{more}. The "
                "model's outputs will be NaN or infinite.",
                UserWarning,
                stacklevel=2,
            )


def _not_finite(value: Any, dtype: str) -> str | None:
    """Return what is wrong with the numbers of a weight of `dtype`, or None."""
    value = np.asarray(value)
    if "float" not in dtype or value.dtype.kind not in "fV" or not value.size:
        return None
    with np.errstate(all="ignore"):
        lowest, highest = float(value.min()), float(value.max())  # NaN if there is one, without another array
    if math.isnan(lowest) or math.isnan(highest):
        return "NaN"
    if math.isinf(lowest) or math.isinf(highest):
        return "infinity"
    most = float(ml_dtypes.finfo(dtype).max)
    return f"overflow in {dtype}" if max(-lowest, highest) > most else None


def mismatch(variables: list[Variable], arrays: list[h5py.Dataset]) -> str | None:
    """Return why arrays do not fit variables, or None."""
    if len(variables) != len(arrays):
        ours, theirs = [tuple(v.shape) for v in variables], [tuple(a.shape) for a in arrays]
        return f"has {len(ours)} weights of shapes {ours}; the file has {len(theirs)} of shapes {theirs}."
    for variable, array in zip(variables, arrays, strict=True):
        if tuple(array.shape) != tuple(variable.shape):
            return (
                f"has a weight {variable.name!r} of shape {tuple(variable.shape)}; the file's is {tuple(array.shape)}."
            )
        if not may_take(variable, array):
            return f"has a weight {variable.name!r} of dtype {variable.dtype}; the file's is {array.dtype}."
    return None


def may_take(variable: Variable, array: h5py.Dataset) -> bool:
    """Return whether dtypes match up to precision: floats for floats, integers for integers."""
    kinds = {"f": "float", "V": "float", "i": "int", "u": "int", "b": "bool"}
    ours = "float" if "float" in variable.dtype else "bool" if variable.dtype == "bool" else "int"
    return kinds[array.dtype.kind] == ours


def unknown_layer(name: str, known: Any) -> str:
    """Return the message for weights of a layer that the model lacks."""
    return f"it has weights of a layer {name!r}, which the model does not have.{did_you_mean(name, list(known))}"
