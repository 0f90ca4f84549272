"""An ONNX graph under construction: nodes, constants, names, and sizes known only at run time."""

import ast
import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from onnx import helper, numpy_helper

#: Dtypes that ONNX runtimes lack on most processors -> the dtype in which the file computes instead.
WIDENED = {
    np.dtype(ml_dtypes.bfloat16): np.dtype("float32"),
    np.dtype(ml_dtypes.float8_e4m3fn): np.dtype("float32"),
    np.dtype(ml_dtypes.float8_e5m2): np.dtype("float32"),
}


def type_of(dtype: Any) -> np.dtype:
    """Return the numpy dtype that a file uses for `dtype` in the model."""
    return WIDENED.get(np.dtype(dtype), np.dtype(dtype))


def type_number(dtype: Any) -> int:
    """Return ONNX's number for a dtype."""
    return helper.np_dtype_to_tensor_dtype(type_of(dtype))


class Names:
    """Unique names and the constants of a whole file; inner graphs share them with the outer one."""

    def __init__(self) -> None:
        self.given: set[str] = set()
        self.counts: dict[str, itertools.count] = {}
        self.constants: list[onnx.TensorProto] = []
        self.by_content: dict[Any, str] = {}
        self.alive: list[Any] = []  # arrays that are known by their id

    def fresh(self, hint: str) -> str:
        """Return `hint`, with a number if it is taken."""
        name = hint
        while name in self.given:
            name = f"{hint}_{next(self.counts.setdefault(hint, itertools.count(1)))}"
        self.given.add(name)
        return name


class Graph:
    """Nodes in running order. `symbols` maps each unknown size to an input and its axis."""

    def __init__(self, symbols: dict[str, tuple[str, int]], outer: "Graph | None" = None) -> None:
        self.symbols, self.outer = symbols, outer
        self.names: Names = Names() if outer is None else outer.names
        self.nodes: list[onnx.NodeProto] = []
        self.prefix: str = "" if outer is None else outer.prefix
        self.kept: dict[Any, Any] = {}

    def inner(self) -> "Graph":
        """Return an empty graph for the body of a loop or branch of this one, whose values it can use."""
        return Graph(self.symbols, self)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return the result of `make`, made once in this graph or an outer one."""
        graph: Graph | None = self
        while graph is not None:
            if key in graph.kept:
                return graph.kept[key]
            graph = graph.outer
        self.kept[key] = make()
        return self.kept[key]

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output; returns the output's name."""
        return self.nodes_of(operator, 1, *inputs, **attributes)[0]

    def nodes_of(self, operator: str, count: int, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node with `count` outputs; returns their names."""
        outputs = [self.names.fresh(f"{self.prefix}{operator}") for _ in range(count)]
        self.nodes.append(helper.make_node(operator, list(inputs), outputs, name=outputs[0], **attributes))
        return outputs

    def constant(self, value: Any, dtype: Any = None, hint: str = "constant") -> str:
        """Return the name of a constant; equal small ones are stored once."""
        array = np.asarray(value, dtype)
        array = np.ascontiguousarray(array, type_of(array.dtype)).reshape(array.shape)
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= 64 else id(value)
        if key not in self.names.by_content:
            name = self.names.fresh(hint)
            self.names.constants.append(numpy_helper.from_array(array, name))
            self.names.by_content[key] = name
            self.names.alive.append(value)
        return self.names.by_content[key]

    def integers(self, numbers: Sequence[Any]) -> str:
        """Return a list of integers, some of which may depend on sizes known only when the program runs."""
        if all(isinstance(number, (int, np.integer)) for number in numbers):
            return self.constant(np.array(numbers, "int64"))
        key = ("integers", tuple(map(str, numbers)))
        return self.once(key, lambda: self._join([self.size(number) for number in numbers]))

    def _join(self, names: list[str]) -> str:
        return names[0] if len(names) == 1 else self.node("Concat", *names, axis=0)

    def size(self, dimension: Any) -> str:
        """Return one size as a list of one number; symbolic ones are parsed from JAX's text form."""
        if isinstance(dimension, (int, np.integer)):
            return self.constant(np.array([dimension], "int64"))
        text = str(dimension).replace("^", "**")
        return self.once(("size", text), lambda: self._computed(ast.parse(text, mode="eval").body))

    def _computed(self, tree: ast.AST) -> str:
        match tree:
            case ast.Constant(value=int(number)):
                return self.constant(np.array([number], "int64"))
            case ast.Name(id=symbol):
                name, axis = self.symbols[symbol]
                return self.once(symbol, lambda: self.node("Shape", name, start=axis, end=axis + 1))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.node("Neg", self._computed(operand))
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))):
                base = self._computed(left)
                return self._product([base] * power)
            case ast.BinOp(left=left, op=operation, right=right):
                operator = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul"}[type(operation)]
                return self.node(operator, self._computed(left), self._computed(right))
            case ast.Call(func=ast.Name(id=function), args=[left, right]):
                return self._called(function, self._computed(left), self._computed(right))
        raise ValueError(f"The size {ast.unparse(tree)!r} cannot be written in ONNX.")

    def _product(self, names: list[str]) -> str:
        result = names[0]
        for name in names[1:]:
            result = self.node("Mul", result, name)
        return result

    def _called(self, function: str, left: str, right: str) -> str:
        if function in ("max", "min"):
            return self.node(function.capitalize(), left, right)
        rest = self.node("Mod", left, right)  # the sign of the divisor, as in Python
        return rest if function == "mod" else self.node("Div", self.node("Sub", left, rest), right)


def scope_name(text: str) -> str:
    """Return a layer's path as a prefix for names."""
    plain = re.sub(r"[^\w./-]", "_", text)
    return f"{plain}/" if plain else ""


def value_info(name: str, dtype: Any, shape: Sequence[Any]) -> onnx.ValueInfoProto:
    """Return the description of an input or output; unknown sizes have their symbols' names."""
    sizes = [int(size) if isinstance(size, (int, np.integer)) else str(size) for size in shape]
    return helper.make_tensor_value_info(name, type_number(dtype), sizes)


def without_unused(nodes: list[onnx.NodeProto], outputs: Sequence[str]) -> list[onnx.NodeProto]:
    """Return the nodes that the outputs need, in their order."""
    needed, kept = set(outputs), []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(inputs_of(node))
    return kept[::-1]


def inputs_of(node: onnx.NodeProto) -> set[str]:
    """Return the names that a node uses, those inside its inner graphs included."""
    found = set(node.input)
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            found.update(output.name for output in attribute.g.output)
            for inner in attribute.g.node:
                found |= inputs_of(inner)
    return found
