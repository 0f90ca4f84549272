"""Recurrent layers as ONNX's own operators RNN, LSTM and GRU, where their form allows it; others are loops."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.core import JaxprEqn

from cornu.export.onnx.graph import type_of
from cornu.export.onnx.translator import NAMED_CALLS, Translator, Value

#: Activation of Cornu -> ONNX's name, and the numbers alpha and beta where it takes them.
ACTIVATIONS: dict[str, tuple[str, float | None, float | None]] = {
    "tanh": ("Tanh", None, None),
    "sigmoid": ("Sigmoid", None, None),
    "relu": ("Relu", None, None),
    "hard_sigmoid": ("HardSigmoid", 1 / 6, 0.5),
    "hard_sigmoid_of_keras_2": ("HardSigmoid", 0.2, 0.5),
    "softsign": ("Softsign", None, None),
    "softplus": ("Softplus", None, None),
}
#: Cell -> operator, number of states, and its gates in ONNX's order, by their places in Cornu's.
OPERATORS = {
    "SimpleRNNCell": ("RNN", 1, (0,)),
    "LSTMCell": ("LSTM", 2, (0, 3, 1, 2)),
    "GRUCell": ("GRU", 1, (0, 1, 2)),
}


def _operator(t: Translator, equation: JaxprEqn, values: list[Value]) -> list[Value] | None:
    """Write a call as one operator; None if it has no such form.

    The operator takes inputs ``(time, batch, features)``, transposed kernels, and one bias for inputs and state.
    """
    kind, *words = equation.params["name"].split("__")
    operator, states, gates = OPERATORS[kind]
    functions = words[: 1 if kind == "SimpleRNNCell" else 2]
    options = words[len(functions) :]
    used, dtype = _used_results(equation), values[0].dtype
    if used is None or type_of(dtype) != dtype or not all(name in ACTIVATIONS for name in functions):
        return None
    inputs, *rest = values
    first, (kernel, recurrent_kernel, *biases) = rest[:states], rest[states:]

    def prepared(inputs: Array, first: list[Array], kernel: Array, recurrent_kernel: Array, biases: list[Array]) -> Any:
        width = kernel.shape[-1]
        both = [*(bias.reshape(width) for bias in biases), *[jnp.zeros((width,), kernel.dtype)] * (2 - len(biases))]
        return (
            jnp.swapaxes(inputs, 0, 1),
            _gates_first(kernel, gates).T[None],
            _gates_first(recurrent_kernel, gates).T[None],
            jnp.concatenate([_gates_first(bias, gates) for bias in both])[None],
            [state[None] for state in first],
        )

    inputs, kernel, recurrent_kernel, bias, *first = _traced(
        t, prepared, inputs, first, kernel, recurrent_kernel, biases
    )
    attributes: dict[str, Any] = {"hidden_size": recurrent_kernel.shape[-1]}
    attributes |= {"direction": "reverse"} if "reverse" in options else {}
    attributes |= {"linear_before_reset": int("reset_after" in options)} if operator == "GRU" else {}
    names = [t.full(one) for one in (inputs, kernel, recurrent_kernel, bias)]
    made = t.graph.nodes_of(
        operator, 1 + states, *names, "", *map(t.full, first), **attributes, **_activations(functions, operator)
    )
    time, batch = inputs.shape[:2]
    shapes = [(time, 1, batch, attributes["hidden_size"]), *[(1, batch, attributes["hidden_size"])] * states]
    results = [Value(shape, dtype, name) for shape, name in zip(shapes, made, strict=True)]

    def finished(steps: Array, *last: Array) -> Any:
        states = [state.reshape(state.shape[1:]) for state in last]
        ordered = jnp.flip(steps, axis=0) if "reverse" in options else steps
        by_batch = jnp.swapaxes(ordered.reshape(ordered.shape[0], *ordered.shape[2:]), 0, 1)
        every = [by_batch if "sequences" in options else states[0], *states]
        return [every[number] for number in used]

    return _traced(t, finished, *results)


def _used_results(equation: JaxprEqn) -> list[int] | None:
    """Return which of a call's results are its outputs: unused ones are gone. None if that cannot be seen."""
    jaxpr = equation.params["jaxpr"].jaxpr
    scopes = {variable: str(inner.source_info.name_stack) for inner in jaxpr.eqns for variable in inner.outvars}
    found = [re.search(r"result_(\d+)$", scopes.get(variable, "")) for variable in jaxpr.outvars]
    return None if None in found else [int(one[1]) for one in found if one]


def _gates_first(array: Array, gates: Sequence[int]) -> Array:
    """Return an array whose last axis holds the gates in ONNX's order."""
    parts = jnp.split(array, len(gates), axis=-1)
    return jnp.concatenate([parts[gate] for gate in gates], axis=-1)


def _traced(t: Translator, function: Callable, *values: Any) -> list[Value]:
    """Translate a function of arrays for some values, in their nesting."""
    flat, tree = jax.tree.flatten(values)
    structs = [jax.ShapeDtypeStruct(value.shape, value.dtype) for value in flat]
    closed = jax.make_jaxpr(lambda *arrays: function(*jax.tree.unflatten(tree, arrays)))(*structs)
    return t.run(closed, flat)


def _activations(functions: Sequence[str], operator: str) -> dict[str, Any]:
    """Return ONNX's attributes for the activations: those of the gates, the new part, and for LSTM of the output."""
    new, *gates = [ACTIVATIONS[name] for name in functions]
    ordered = [*gates, new, *([new] if operator == "LSTM" else [])]
    attributes: dict[str, Any] = {"activations": [name for name, _, _ in ordered]}
    for position, key in ((1, "activation_alpha"), (2, "activation_beta")):
        numbers = [float(one[position]) for one in ordered if one[position] is not None]  # type: ignore[arg-type]
        attributes |= {key: numbers} if numbers else {}
    return attributes


NAMED_CALLS.update(dict.fromkeys(OPERATORS, _operator))
