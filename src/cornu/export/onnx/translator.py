"""From the primitives of a traced model to ONNX: the values in progress, and the table of translations."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal

from cornu.core.jax_internals import CALLS, UnknownFormError, check_parameters, inner_program
from cornu.export.onnx.graph import Graph, scope_name, type_number, type_of

#: Known values are computed during export, unless the result is larger than this and than its operands.
MOST_FOLDED = 1 << 20  # bytes

#: Name of a primitive -> its translation: a function of translator, equation and values that returns the value(s).
TABLE: dict[str, Callable[["Translator", JaxprEqn, list["Value"]], Any]] = {}


def translates(*primitives: str) -> Callable[[Callable], Callable]:
    """Decorate the translation of some primitives."""

    def decorate(function: Callable) -> Callable:
        TABLE.update(dict.fromkeys(primitives, function))
        return function

    return decorate


#: First word of the name of a call (`kernels.compiler.as_named_call`) -> its translation, which may be None.
NAMED_CALLS: dict[str, Callable[["Translator", JaxprEqn, list["Value"]], "list[Value] | None"]] = {}


class NoFormError(Exception):
    """Something has no form in ONNX; the message says what, and `layer` is the path of the layer that uses it."""

    def __init__(self, message: str, layer: str = "") -> None:
        super().__init__(message)
        self.layer = layer


class Value:
    """An array during translation: known now (`array`), or computed by the graph (`name`).

    Either may be narrower than `shape`: of the same rank, with sizes of one that broadcast to it, or a single number.
    """

    def __init__(
        self, shape: Sequence[Any], dtype: Any, name: str | None = None, array: Any = None, narrow: bool = False,
        hint: str = "constant",
    ) -> None:  # fmt: skip
        self.shape, self.dtype = tuple(shape), dtype
        self.name, self.array, self.narrow, self.hint = name, array, narrow, hint
        if array is not None:
            self.narrow = tuple(array.shape) != self.shape

    @property
    def known(self) -> bool:
        return self.array is not None

    def whole(self) -> Any:
        """Return the array of a known value in its full shape."""
        return np.broadcast_to(np.asarray(self.array), self.shape) if self.narrow else self.array


class Translator:
    """Walks through a program and builds its graph; `layer` is the path of the current operation's layer."""

    def __init__(self, graph: Graph, layer: str = "") -> None:
        self.graph, self.layer = graph, layer

    def run(self, closed: ClosedJaxpr | Jaxpr, arguments: list[Value]) -> list[Value]:
        """Translate a program; returns the values of its outputs."""
        jaxpr = getattr(closed, "jaxpr", closed)
        environment: dict[Any, Value] = {}
        consts = [known(const) for const in getattr(closed, "consts", [])]
        environment.update(zip(jaxpr.constvars, consts, strict=True))
        environment.update(zip(jaxpr.invars, arguments, strict=True))

        def value(atom: Any) -> Value:
            aval: Any = atom.aval
            return known(atom.val, aval.dtype) if isinstance(atom, Literal) else environment[atom]

        for equation in jaxpr.eqns:
            results = self._translate(equation, [value(atom) for atom in equation.invars])
            environment.update(zip(equation.outvars, results, strict=True))
        return [value(atom) for atom in jaxpr.outvars]

    def _translate(self, equation: JaxprEqn, values: list[Value]) -> list[Value]:
        name = equation.primitive.name
        around = self.layer
        self.layer = "/".join(filter(None, [around, str(equation.source_info.name_stack)]))
        self.graph.prefix = scope_name(self.layer)
        try:
            check_parameters(equation)
            called = equation.params.get("name") if name in CALLS else None
            if isinstance(called, str) and called.partition("__")[0] in NAMED_CALLS:
                found = NAMED_CALLS[called.partition("__")[0]](self, equation, values)
                if found is not None:
                    return found
            if name in CALLS:
                return self.run(inner_program(equation), values)
            if can_be_folded(equation, values):
                results = equation.primitive.bind(*[one.whole() for one in values], **equation.params)
                return [known(one) for one in (results if equation.primitive.multiple_results else [results])]
            if name not in TABLE:
                raise NoFormError(f"the operation {name!r}, which Cornu cannot write in ONNX")
            found = TABLE[name](self, equation, values)
            return found if isinstance(found, list) else [found]
        except UnknownFormError as error:
            raise NoFormError(str(error), self.layer) from error
        except NoFormError as error:
            error.layer = error.layer or self.layer
            raise
        finally:
            self.layer = around
            self.graph.prefix = scope_name(around)

    # ---- names of values in the graph

    def loose(self, value: Value) -> str:
        """Return a name that broadcasts to the value's shape."""
        if value.known:
            return self.graph.constant(value.array, hint=value.hint)
        assert value.name is not None
        return value.name

    def full(self, value: Value) -> str:
        """Return a name in the value's full shape."""
        if not value.narrow:
            return self.loose(value)
        key = ("full", id(value))
        self.graph.kept.setdefault("values", []).append(value)  # so that its id is not reused
        return self.graph.once(
            key, lambda: self.graph.node("Expand", self.loose(value), self.graph.integers(value.shape))
        )

    def cast(self, name: str, dtype: Any) -> str:
        """Return `name` cast to another dtype."""
        return self.graph.node("Cast", name, to=type_number(dtype))

    def result(self, equation: JaxprEqn, name: str, narrow: bool = False, number: int = 0) -> Value:
        """Return an output of an equation that is computed under `name`."""
        aval = output_of(equation, number)
        return Value(aval.shape, aval.dtype, name, narrow=narrow)


def output_of(equation: JaxprEqn, number: int = 0) -> Any:
    """Return shape and dtype of an output of an equation."""
    return equation.outvars[number].aval


def known(array: Any, dtype: Any = None, hint: str = "constant") -> Value:
    """Return a value that is known during export."""
    if not hasattr(array, "shape") or dtype is not None:
        array = np.asarray(array, dtype)
    elif not jax.dtypes.issubdtype(array.dtype, jax.dtypes.extended):  # random keys stay as they are
        array = np.asarray(array)
    return Value(array.shape, array.dtype, array=array, hint=hint)


def can_be_folded(equation: JaxprEqn, values: list[Value]) -> bool:
    """Return whether an equation has known operands and its results are worth keeping in the file."""
    if not all(value.known for value in values) or equation.primitive.name in ("broadcast_in_dim", "dim_as_value"):
        return False
    avals: list[Any] = [out.aval for out in equation.outvars]
    if not all(is_static(aval.shape) for aval in avals) or equation.effects:
        return False
    taken = sum(_bytes(value.shape, value.dtype) for value in values if not value.narrow)
    return sum(_bytes(aval.shape, aval.dtype) for aval in avals) <= max(MOST_FOLDED, taken)


def is_static(shape: Sequence[Any]) -> bool:
    """Return whether all sizes of a shape are numbers."""
    return all(isinstance(size, (int, np.integer)) for size in shape)


def _bytes(shape: Sequence[int], dtype: Any) -> int:
    return math.prod(shape) * getattr(dtype, "itemsize", 8)


def is_boolean(value: Value) -> bool:
    """Return whether a value is boolean."""
    return np.dtype(value.dtype) == np.bool_


def is_floating(value: Value) -> bool:
    """Return whether a value is floating point."""
    return jax.numpy.issubdtype(value.dtype, np.floating)


def working_type(dtype: Any) -> np.dtype:
    """Return the dtype in which runtimes can compute: longer ones for short integers and booleans."""
    dtype = type_of(dtype)
    if dtype.kind in "bui" and dtype.itemsize < 4:
        return np.dtype("int32")
    return np.dtype("int64") if dtype.kind == "u" else dtype
