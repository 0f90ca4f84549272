"""Reductions, cumulative operations and sorting."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import JaxprEqn

from cornu.export.onnx.graph import type_of
from cornu.export.onnx.translator import Translator, Value, output_of, translates, working_type

REDUCTIONS = {
    "reduce_sum": "ReduceSum", "reduce_max": "ReduceMax", "reduce_min": "ReduceMin", "reduce_prod": "ReduceProd",
    "reduce_or": "ReduceMax", "reduce_and": "ReduceMin",
}  # fmt: skip


@translates(*REDUCTIONS)
def reduce(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    axes = equation.params["axes"]
    if not axes:
        return values[0]
    dtype, wanted = working_type(values[0].dtype), type_of(output_of(equation).dtype)
    name = t.full(values[0])
    name = name if type_of(values[0].dtype) == dtype else t.cast(name, dtype)
    name = t.graph.node(REDUCTIONS[equation.primitive.name], name, t.graph.integers(axes), keepdims=0)
    return t.result(equation, name if wanted == dtype else t.cast(name, wanted))


@translates("argmax", "argmin")
def position(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    operator = "ArgMax" if equation.primitive.name == "argmax" else "ArgMin"
    dtype = working_type(values[0].dtype)
    name = t.full(values[0]) if type_of(values[0].dtype) == dtype else t.cast(t.full(values[0]), dtype)
    name = t.graph.node(operator, name, axis=equation.params["axes"][0], keepdims=0)
    return t.result(equation, t.cast(name, equation.params["index_dtype"]))


@translates("cumsum")
def running_sum(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    dtype, wanted = working_type(values[0].dtype), type_of(values[0].dtype)
    name = t.full(values[0]) if wanted == dtype else t.cast(t.full(values[0]), dtype)
    axis = t.graph.constant(equation.params["axis"], "int64")
    name = t.graph.node("CumSum", name, axis, reverse=int(equation.params["reverse"]))
    return t.result(equation, name if wanted == dtype else t.cast(name, wanted))


COMBINED: dict[str, Callable[[Any, Any], Any]] = {
    "cumprod": lax.mul,
    "cummax": lax.max,
    "cummin": lax.min,
    "cumlogsumexp": jnp.logaddexp,
}


@translates(*COMBINED)
def running(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    """ONNX has only running sums: the others are traced as a loop over the axis, which is then translated."""
    axis, backward = equation.params["axis"], equation.params["reverse"]
    combine = COMBINED[equation.primitive.name]
    edge = -1 if backward else 0

    def loop(x: jax.Array) -> jax.Array:
        rows = jnp.moveaxis(x, axis, 0)

        def step(carry: jax.Array, row: jax.Array) -> tuple[jax.Array, jax.Array]:
            total = combine(carry, row).astype(row.dtype)
            return total, total

        rest = rows[:-1] if backward else rows[1:]
        found = lax.scan(step, rows[edge], rest, reverse=backward)[1]
        parts = [found, rows[edge:]] if backward else [rows[:1], found]
        return jnp.moveaxis(jnp.concatenate(parts), 0, axis)

    struct = jax.ShapeDtypeStruct(values[0].shape, values[0].dtype)
    return t.run(jax.make_jaxpr(loop)(struct), values)[0]


@translates("sort")
def sort(t: Translator, equation: JaxprEqn, values: list[Value]) -> list[Value]:
    """Sort all operands by the first. ONNX's TopK keeps equal entries in their order."""
    axis = equation.params["dimension"]
    values_name, places = _top(t, values[0], values[0].shape[axis], axis, largest=False)
    names = [values_name]
    names += [t.graph.node("GatherElements", t.full(value), places, axis=axis) for value in values[1:]]
    return [t.result(equation, name, number=number) for number, name in enumerate(names)]


@translates("top_k")
def top_k(t: Translator, equation: JaxprEqn, values: list[Value]) -> list[Value]:
    axis = equation.params.get("axis", -1) % len(values[0].shape)
    name, places = _top(t, values[0], equation.params["k"], axis, largest=True)
    places = t.cast(places, output_of(equation, 1).dtype)
    return [t.result(equation, name), t.result(equation, places, number=1)]


def _top(t: Translator, value: Value, count: Any, axis: int, largest: bool) -> tuple[str, str]:
    dtype = working_type(value.dtype)
    name = t.full(value) if type_of(value.dtype) == dtype else t.cast(t.full(value), dtype)
    name, places = t.graph.nodes_of("TopK", 2, name, t.graph.size(count), axis=axis, largest=int(largest), sorted=1)
    return name if type_of(value.dtype) == dtype else t.cast(name, value.dtype), places
