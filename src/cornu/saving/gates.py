"""Weights of layers with gates from files of every Keras: other layouts are converted, and left-out arguments follow.

Keras 1 kept the gates of LSTM and GRU as arrays of their own. CuDNNLSTM and CuDNNGRU of Keras 2 have transposed kernels
and two biases. What a program leaves out, `recurrent_activation` and `reset_after`, had other values in Keras 1 and 2:
the file decides, by its version and the shape of GRU's bias.
"""

import math
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from cornu.core.variable import Variable
from cornu.layers.recurrent.cell import Cell
from cornu.layers.recurrent.conv_lstm import ConvLSTMCell
from cornu.layers.recurrent.gate_defaults import set_gates
from cornu.layers.recurrent.rnn import OfCell
from cornu.saving.source import Source

OLD_GATES, NEW_GATES = "hard_sigmoid_of_keras_2", "sigmoid"
#: Who wrote a file -> whether the gates that its program left out used `OLD_GATES`. TensorFlow 1.14 to 2.1 do not tell.
WRITERS = (
    (r"Keras (1|2\.[0-2])(\.\d+)*", True),
    (r"an unknown version", True),  # weights files of Keras 1
    (r"Keras 2\.[01]\.\d+-tf", True),
    (r"Keras 2\.2\.4-tf", None),
    (r"Keras \d.*", False),
)
#: Order of today's gates among the arrays of Keras 1, which has input, cell, forget, output in an LSTM.
ORDER_OF_KERAS_1 = {4: (0, 2, 1, 3), 3: (0, 1, 2)}


class Converted(NamedTuple):
    """An array to be made from arrays of a file; it has their ``dtype``, and the ``shape`` and ``size`` to be."""

    sources: tuple[Any, ...]
    convert: Callable[..., np.ndarray]
    shape: tuple[int, ...]

    @property
    def dtype(self) -> Any:
        return self.sources[0].dtype

    @property
    def size(self) -> int:
        return math.prod(self.shape)


class NewBias:
    """The bias that a GRU cell will have when its `reset_after` is changed."""

    is_weight = True

    def __init__(self, gated: "Gated", shape: tuple[int, ...]) -> None:
        self.gated, self.shape = gated, shape
        bias = gated.cell.bias
        self.name, self.path, self.dtype = bias.name, bias.path, bias.dtype


class Gated:
    """A cell with gates, and the layer whose arguments it has: the cell itself, or the LSTM or GRU around it."""

    def __init__(self, cell: Any, layer: Any) -> None:
        self.cell, self.layer = cell, layer
        self.left_out: frozenset[str] = getattr(layer, "_left_out", frozenset())

    @property
    def variables(self) -> list[Variable]:
        own = (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)
        return [variable for variable in own if variable is not None]

    def other_bias(self, shape: tuple[int, ...]) -> NewBias | None:
        """Return the bias of the other kind of GRU if that has a shape, and the program left it to the file."""
        bias, units = self.cell.bias, self.cell.units
        other = (3 * units,) if bias is not None and len(bias.shape) == 2 else (2, 3 * units)
        fits = bias is not None and "reset_after" in self.left_out and tuple(shape) == other
        return NewBias(self, other) if fits else None


class Gates:
    """The layers with gates of a model that takes weights from a file."""

    def __init__(self, model: Any, source: Source) -> None:
        self.source, self.changes = source, {}  # type: ignore[var-annotated]
        self._by_variable: dict[int, Gated] = {}
        layers = model._flatten_layers()
        owners = {id(layer.cell): layer for layer in layers if isinstance(layer, OfCell)}
        for cell in layers:
            if isinstance(cell, Cell) and cell.gates > 1 and cell.built:
                gated = Gated(cell, owners.get(id(cell), cell))
                self._by_variable |= {id(variable): gated for variable in gated.variables}

    def fitted(self, variables: Sequence[Variable], arrays: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Return variables and the arrays of a file for them, in today's layout."""
        if not any(id(variable) in self._by_variable for variable in variables):
            return list(variables), list(arrays)
        ours: list[Any] = []
        theirs: list[Any] = []
        waiting, rest = list(variables), list(arrays)
        while waiting:
            gated = self._by_variable.get(id(waiting[0]))
            own = gated.variables if gated is not None else []
            together = gated is not None and [*map(id, waiting[: len(own)])] == [*map(id, own)]
            count = len(own) if together else 1
            found, rest = _converted(gated.cell, rest, count) if gated is not None and together else _first(rest, count)
            ours += waiting[:count]
            theirs += found
            waiting = waiting[count:]
        theirs += rest
        return [self._placed(one, array) for one, array in zip(ours, theirs, strict=False)] + ours[
            len(theirs) :
        ], theirs

    def _placed(self, variable: Variable, array: Any) -> Any:
        """Return a variable, or the one that will take its place if the array needs it."""
        gated = self._by_variable.get(id(variable))
        other = gated.other_bias(array.shape) if gated is not None and variable is gated.cell.bias else None
        return variable if other is None else other

    def note(self, variables: Sequence[Any], arrays: Sequence[Any]) -> None:
        """Decide what the program left out of the layers that will have these arrays."""
        for variable, array in zip(variables, arrays, strict=True):
            gated = variable.gated if isinstance(variable, NewBias) else self._by_variable.get(id(variable))
            if gated is None or not gated.left_out:
                continue
            changes = self.changes.setdefault(id(gated), (gated, {}))[1]
            old = self._uses_old_gates(gated, variable, array)
            if "reset_after" in gated.left_out and isinstance(variable, NewBias):
                changes["reset_after"] = len(variable.shape) == 2
            if "recurrent_activation" in gated.left_out and old is not None:
                changes["recurrent_activation"] = OLD_GATES if old else NEW_GATES

    def _uses_old_gates(self, gated: Gated, variable: Any, array: Any) -> bool | None:
        if isinstance(array, Converted):
            return array.convert is _joined
        if self.source.gates in (OLD_GATES, NEW_GATES):
            return self.source.gates == OLD_GATES
        if isinstance(gated.cell, ConvLSTMCell):
            return re.fullmatch(r"Keras [3-9].*", self.source.writer) is None
        for pattern, old in WRITERS:
            if re.fullmatch(pattern, self.source.writer):
                if old is not None:
                    return old
                break
        is_bias = isinstance(variable, NewBias) or variable is gated.cell.bias
        return len(array.shape) == 1 if is_bias and gated.cell.gates == 3 else None

    def apply(self) -> dict[int, Variable]:
        """Change the layers, and say so; return the new biases of cells by the cells' ids."""
        biases: dict[int, Variable] = {}
        said: dict[str, list[str]] = {}
        for gated, changes in self.changes.values():
            cell = gated.cell
            now = getattr(cell.recurrent_activation, "__name__", None), vars(cell).get("reset_after")
            changed = {name: value for name, value in changes.items() if value not in now}
            if not changed:
                continue
            set_gates(gated.layer, changed)
            said.setdefault(", ".join(f"{name}={value!r}" for name, value in sorted(changed.items())), []).append(
                repr(gated.layer.name)
            )
            biases[id(cell)] = cell.bias
        if said:
            layers = "; ".join(f"{', '.join(names)} with {values}" for values, names in said.items())
            warnings.warn(
                f"Since the file {self.source} means it and the program does not say it, these layers now compute as "
                f"then: {layers}.",
                UserWarning,
                stacklevel=4,
            )
        return biases


def _first(arrays: list[Any], count: int) -> tuple[list[Any], list[Any]]:
    return arrays[:count], arrays[count:]


def _converted(cell: Any, arrays: list[Any], count: int) -> tuple[list[Any], list[Any]]:
    """Return the arrays of a cell in today's layout, and those after them."""
    gates, units = cell.gates, cell.units
    kernel, recurrent = (tuple(variable.shape) for variable in (cell.kernel, cell.recurrent_kernel))
    wide, narrow = gates * units, [(*kernel[:-1], units), (*recurrent[:-1], units), (units,)]
    shapes = [tuple(array.shape) for array in arrays]
    if cell.bias is not None and shapes[: 3 * gates] == narrow * gates:  # Keras 1
        order = ORDER_OF_KERAS_1[gates]
        joined = [
            Converted(tuple(arrays[3 * gate + part] for gate in order), _joined, (*narrow[part][:-1], wide))
            for part in range(3)
        ]
        return joined, arrays[3 * gates :]
    if cell.bias is not None and shapes[:3] == [kernel, recurrent, (2 * wide,)]:  # CuDNN
        bias = (wide,) if gates == 4 else (2, wide)
        forms = [
            (from_cudnn_kernel(gates), kernel),
            (from_cudnn_recurrent(gates), recurrent),
            (sum_of_halves if gates == 4 else in_two_rows, bias),
        ]
        return [Converted((array,), *form) for array, form in zip(arrays, forms, strict=False)], arrays[3:]
    return _first(arrays, count)


def _joined(*gates: np.ndarray) -> np.ndarray:
    return np.concatenate(gates, axis=-1)


def from_cudnn_kernel(gates: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that converts the kernel of a CuDNN layer: of each gate, the values are those of the
    transposed kernel.
    """

    def convert(kernel: np.ndarray) -> np.ndarray:
        blocks = np.split(kernel, gates, axis=1)  # (features, units), with the values of (units, features)
        return np.concatenate([block.reshape(block.shape[::-1]).T for block in blocks], axis=1)

    return convert


def from_cudnn_recurrent(gates: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that transposes each gate's recurrent kernel of a CuDNN layer."""
    return lambda kernel: np.concatenate([block.T for block in np.split(kernel, gates, axis=1)], axis=1)


def sum_of_halves(bias: np.ndarray) -> np.ndarray:
    """Return the bias of an LSTM from the two of CuDNNLSTM, one after the other."""
    return bias.reshape(2, -1).sum(axis=0)


def in_two_rows(bias: np.ndarray) -> np.ndarray:
    """Return the biases of a GRU with `reset_after` from those of CuDNNGRU, one after the other."""
    return bias.reshape(2, -1)


def gates_of(model: Any) -> str | None:
    """Return what all gates of a model use, for a file of its weights, if it is the default of some Keras."""
    cells: list[Any] = [layer for layer in model._flatten_layers() if isinstance(layer, Cell) and layer.gates > 1]
    found = {getattr(cell.recurrent_activation, "__name__", None) for cell in cells}
    return next((name for name in (OLD_GATES, NEW_GATES) if found == {name}), None)
