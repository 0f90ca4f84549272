"""Loops and branches: inner graphs that can use values of the outer graphs."""

from typing import Any

import numpy as np
import onnx
from jax.extend.core import JaxprEqn
from onnx import helper

from cornu.core.jax_internals import scan_counts
from cornu.export.onnx.graph import Graph, value_info
from cornu.export.onnx.shapes import ENDS
from cornu.export.onnx.translator import Translator, Value, translates


def body_of(name: str, graph: Graph, inputs: list[onnx.ValueInfoProto], outputs: list[tuple[str, Any]]) -> Any:
    """Return a finished inner graph; each output is made inside it, under a separate name."""
    infos = []
    for made, aval in outputs:
        own = graph.node("Identity", made)
        infos.append(value_info(own, aval.dtype, [size if isinstance(size, int) else f"{own}_{axis}"
                                                  for axis, size in enumerate(aval.shape)]))  # fmt: skip
    return helper.make_graph(graph.nodes, graph.names.fresh(name), inputs, infos)


def _parameters(graph: Graph, avals: Any) -> tuple[list[Value], list[onnx.ValueInfoProto]]:
    """Return values for the inputs of a body, and their descriptions."""
    names = [graph.names.fresh(f"{graph.prefix}item") for _ in avals]
    values = [Value(aval.shape, aval.dtype, name) for aval, name in zip(avals, names, strict=True)]
    infos = [
        value_info(
            name,
            aval.dtype,
            [size if isinstance(size, int) else f"{name}_{axis}" for axis, size in enumerate(aval.shape)],
        )
        for aval, name in zip(avals, names, strict=True)
    ]
    return values, infos


def _finish(t: Translator, values: list[Value], jaxpr: Any) -> list[tuple[str, Any]]:
    avals = [out.aval for out in jaxpr.outvars]
    return [(t.full(value), aval) for value, aval in zip(values, avals, strict=True)]


@translates("scan")
def scan(t: Translator, equation: JaxprEqn, values: list[Value]) -> list[Value]:
    """ONNX's Scan matches: a state, and rows of inputs and outputs. Without inputs, it becomes a counting Loop."""
    params = equation.params
    consts, state = scan_counts(equation)
    jaxpr = params["jaxpr"].jaxpr
    if len(values) == consts + state:
        return _counted_loop(t, equation, values)
    inner = t.graph.inner()
    parameters, infos = _parameters(inner, [variable.aval for variable in jaxpr.invars[consts:]])
    translator = Translator(inner, t.layer)
    results = translator.run(params["jaxpr"], [*values[:consts], *parameters])
    body = body_of("body", inner, infos, _finish(translator, results, jaxpr))
    backward = int(params["reverse"])
    rows = len(values) - consts - state
    directions = {"scan_input_directions": [backward] * rows}
    if len(results) > state:
        directions["scan_output_directions"] = [backward] * (len(results) - state)
    start = [t.full(value) for value in values[consts:]]
    names = t.graph.nodes_of("Scan", len(results), *start, body=body, num_scan_inputs=rows, **directions)
    return [t.result(equation, name, number=number) for number, name in enumerate(names)]


def _counted_loop(t: Translator, equation: JaxprEqn, values: list[Value]) -> list[Value]:
    params = equation.params
    (consts, state), jaxpr = scan_counts(equation), params["jaxpr"].jaxpr
    inner = t.graph.inner()
    parameters, infos = _parameters(inner, [variable.aval for variable in jaxpr.invars[consts:]])
    translator = Translator(inner, t.layer)
    results = translator.run(params["jaxpr"], [*values[:consts], *parameters])
    go_on = inner.names.fresh("go_on")
    count = inner.names.fresh("count")
    heads = [value_info(count, "int64", []), value_info(go_on, "bool", [])]
    flag = Value((), np.dtype("bool"), go_on)
    outputs = [(go_on, flag), *_finish(translator, results, jaxpr)]
    body = body_of("body", inner, [*heads, *infos], outputs)
    trips = t.graph.node("Squeeze", t.graph.size(params["length"]), t.graph.integers([0]))
    start = [t.full(value) for value in values[consts:]]
    names = t.graph.nodes_of("Loop", len(results), trips, "", *start, body=body)
    if params["reverse"]:
        names[state:] = [_reversed(t, name) for name in names[state:]]
    return [t.result(equation, name, number=number) for number, name in enumerate(names)]


def _reversed(t: Translator, name: str) -> str:
    integers = t.graph.integers
    return t.graph.node("Slice", name, integers([-1]), integers([ENDS[-1]]), integers([0]), integers([-1]))


@translates("while")
def while_(t: Translator, equation: JaxprEqn, values: list[Value]) -> list[Value]:
    params = equation.params
    first, second = params["cond_nconsts"], params["body_nconsts"]
    of_condition, of_body, start = values[:first], values[first : first + second], values[first + second :]
    jaxpr = params["body_jaxpr"].jaxpr
    begin = t.run(params["cond_jaxpr"], [*of_condition, *start])[0]
    inner = t.graph.inner()
    parameters, infos = _parameters(inner, [variable.aval for variable in jaxpr.invars[second:]])
    translator = Translator(inner, t.layer)
    results = translator.run(params["body_jaxpr"], [*of_body, *parameters])
    again = translator.run(params["cond_jaxpr"], [*of_condition, *results])[0]
    heads = [value_info(inner.names.fresh("count"), "int64", []), value_info(inner.names.fresh("before"), "bool", [])]
    flag = Value((), np.dtype("bool"))
    outputs = [(translator.full(again), flag), *_finish(translator, results, jaxpr)]
    body = body_of("body", inner, [*heads, *infos], outputs)
    names = t.graph.nodes_of("Loop", len(results), "", t.full(begin), *[t.full(value) for value in start], body=body)
    return [t.result(equation, name, number=number) for number, name in enumerate(names)]


@translates("cond")
def cond(t: Translator, equation: JaxprEqn, values: list[Value]) -> list[Value]:
    which, *operands = values
    names = _branch(t, t.cast(t.full(which), "int64"), list(equation.params["branches"]), 0, operands)
    return [t.result(equation, name, number=number) for number, name in enumerate(names)]


def _branch(t: Translator, which: str, branches: list[Any], number: int, operands: list[Value]) -> list[str]:
    """Return the branch with a number, or one of those after it."""
    count = len(branches[0].jaxpr.outvars)
    chosen = t.graph.node("LessOrEqual", which, t.graph.constant(number, "int64"))
    bodies = []
    for last in (False, True):
        inner = t.graph.inner()
        translator = Translator(inner, t.layer)
        avals = [out.aval for out in branches[0].jaxpr.outvars]
        if not last or number + 2 == len(branches):
            results = translator.run(branches[number + int(last)], operands)
            outputs = _finish(translator, results, branches[0].jaxpr)
        else:
            outputs = list(zip(_branch(translator, which, branches, number + 1, operands), avals, strict=True))
        bodies.append(body_of("branch", inner, [], outputs))
    return t.graph.nodes_of("If", count, chosen, then_branch=bodies[0], else_branch=bodies[1])
