"""Elementwise operations. Values stay unbroadcast as long as possible, since ONNX broadcasts by itself."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jax.extend.core import JaxprEqn

from cornu.export.onnx.graph import type_of
from cornu.export.onnx.translator import NoFormError, Translator, Value, is_boolean, output_of, translates, working_type

DIRECT = {
    "neg": "Neg", "sign": "Sign", "floor": "Floor", "ceil": "Ceil", "abs": "Abs", "exp": "Exp", "log": "Log",
    "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin", "acos": "Acos", "atan": "Atan", "sinh": "Sinh",
    "cosh": "Cosh", "tanh": "Tanh", "asinh": "Asinh", "acosh": "Acosh", "atanh": "Atanh", "logistic": "Sigmoid",
    "sqrt": "Sqrt", "erf": "Erf", "add": "Add", "add_any": "Add", "sub": "Sub", "mul": "Mul", "div": "Div",
    "pow": "Pow", "max": "Max", "min": "Min",
}  # fmt: skip
COMPARISONS = {"eq": "Equal", "lt": "Less", "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual",
               "eq_to": "Equal", "lt_to": "Less", "le_to": "LessOrEqual"}  # fmt: skip
LOGIC = {"and": "And", "or": "Or", "xor": "Xor", "max": "Or", "min": "And", "mul": "And", "add": "Or"}
BITS = {"and": "BitwiseAnd", "or": "BitwiseOr", "xor": "BitwiseXor"}
AWAY_FROM_ZERO = 0  # lax.RoundingMethod


def _narrow(values: list[Value]) -> bool:
    """Return whether a result is narrower than its shape: it is if all values with its shape are."""
    rank = max(len(value.shape) for value in values)
    return all(value.narrow for value in values if len(value.shape) == rank)


def _operands(t: Translator, values: list[Value], dtype: np.dtype) -> list[str]:
    """Return the names of operands in the dtype of the computation."""
    return [t.loose(v) if type_of(v.dtype) == dtype else t.cast(t.loose(v), dtype) for v in values]


def _finished(t: Translator, equation: JaxprEqn, name: str, dtype: np.dtype, values: list[Value]) -> Value:
    wanted = type_of(output_of(equation).dtype)
    return t.result(equation, name if wanted == dtype else t.cast(name, wanted), _narrow(values))


@translates(*DIRECT)
def direct(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    """One operator; booleans have separate operators, short integers are computed as longer ones."""
    primitive = equation.primitive.name
    if is_boolean(values[0]) and primitive in LOGIC:
        return logic(t, equation, values)
    dtype = working_type(values[0].dtype)
    return _finished(t, equation, t.graph.node(DIRECT[primitive], *_operands(t, values, dtype)), dtype, values)


@translates("and", "or", "xor")
def logic(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    table = LOGIC if is_boolean(values[0]) else BITS
    return t.result(equation, t.graph.node(table[equation.primitive.name], *map(t.loose, values)), _narrow(values))


@translates("not")
def negation(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    operator = "Not" if is_boolean(values[0]) else "BitwiseNot"
    return t.result(equation, t.graph.node(operator, t.loose(values[0])), values[0].narrow)


@translates(*COMPARISONS, "ne")
def comparison(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    names = _operands(t, values, working_type(values[0].dtype))
    name = t.graph.node(COMPARISONS.get(equation.primitive.name, "Equal"), *names)
    if equation.primitive.name == "ne":
        name = t.graph.node("Not", name)
    return t.result(equation, name, _narrow(values))


@translates("rem")
def remainder(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    dtype = working_type(values[0].dtype)
    return _finished(t, equation, t.graph.node("Mod", *_operands(t, values, dtype), fmod=1), dtype, values)


@translates("clamp")
def clamp(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    dtype = working_type(values[1].dtype)
    low, x, high = _operands(t, values, dtype)
    return _finished(t, equation, t.graph.node("Min", t.graph.node("Max", x, low), high), dtype, [values[1]])


@translates("convert_element_type")
def conversion(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    wanted = output_of(equation).dtype
    same = type_of(wanted) == type_of(values[0].dtype)
    name = t.loose(values[0]) if same else t.cast(t.loose(values[0]), wanted)
    return t.result(equation, name, values[0].narrow)


#: These are hints for the compiler only; narrower dtypes are computed in float32 in ONNX.
NOTES = ("copy", "copy_p", "stop_gradient", "reduce_precision", "optimization_barrier", "pvary", "name", "device_put",
         "sharding_constraint")  # fmt: skip


@translates(*NOTES)
def same(t: Translator, equation: JaxprEqn, values: list[Value]) -> list[Value]:
    return values


@translates("select_n")
def select(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    """The first case where `which` is 0 or False, the second where it is 1 or True, and so on."""
    which, *cases = values
    dtype = working_type(cases[0].dtype)
    names = _operands(t, cases, dtype)
    name = names[0]
    for number, case in enumerate(names[1:], 1):
        chosen = t.loose(which)
        if not is_boolean(which):
            chosen = t.graph.node("Equal", chosen, t.graph.constant(number, which.dtype))
        name = t.graph.node("Where", chosen, case, name)
    return _finished(t, equation, name, dtype, cases if _is_number(which) else [which, *cases])


def _is_number(value: Value) -> bool:
    return not value.shape


Formula = Callable[[Callable[..., str], Callable[[Any], str], str], str]


def _log1p(node: Callable[..., str], number: Callable[[Any], str], x: str) -> str:
    """log(1 + x) that keeps its precision near 0 (Kahan): with u = 1 + x, it is log(u) * x / (u - 1)."""
    u = node("Add", x, number(1))
    quotient = node("Mul", node("Log", u), node("Div", x, node("Sub", u, number(1))))
    found = node("Where", node("Equal", u, number(1)), x, quotient)
    return node("Where", node("IsInf", u), u, found)


def _expm1(node: Callable[..., str], number: Callable[[Any], str], x: str) -> str:
    """exp(x) - 1 that keeps its precision near 0 (Kahan): with u = exp(x), it is (u - 1) * x / log(u)."""
    u = node("Exp", x)
    less = node("Sub", u, number(1))
    quotient = node("Mul", less, node("Div", x, node("Log", u)))
    found = node("Where", node("Equal", u, number(1)), x, quotient)
    plain = node("Or", node("IsInf", u), node("Equal", less, number(-1)))
    return node("Where", plain, less, found)


def _round_away(node: Callable[..., str], number: Callable[[Any], str], x: str) -> str:
    return node("Mul", node("Sign", x), node("Floor", node("Add", node("Abs", x), number(0.5))))


FORMULAS: dict[str, Formula] = {
    "log1p": _log1p,
    "expm1": _expm1,
    "rsqrt": lambda node, number, x: node("Reciprocal", node("Sqrt", x)),
    "cbrt": lambda node, number, x: node("Mul", node("Sign", x), node("Pow", node("Abs", x), number(1 / 3))),
    "square": lambda node, number, x: node("Mul", x, x),
    "log2": lambda node, number, x: node("Div", node("Log", x), number(np.log(2))),
    "one_minus_square": lambda node, number, x: node("Mul", node("Sub", number(1), x), node("Add", number(1), x)),
    "exp2": lambda node, number, x: node("Pow", number(2), x),
    "erfc": lambda node, number, x: node("Sub", number(1), node("Erf", x)),
    "is_finite": lambda node, number, x: node("Not", node("Or", node("IsInf", x), node("IsNaN", x))),
}


@translates(*FORMULAS)
def formula(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    return _by_formula(t, equation, values[0], FORMULAS[equation.primitive.name])


def _by_formula(t: Translator, equation: JaxprEqn, value: Value, compute: Formula) -> Value:
    dtype = working_type(value.dtype)
    name = compute(t.graph.node, lambda number: t.graph.constant(number, dtype), _operands(t, [value], dtype)[0])
    made = np.dtype("bool") if equation.primitive.name == "is_finite" else dtype
    return _finished(t, equation, name, made, [value])


@translates("round")
def rounding(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    if int(equation.params["rounding_method"]) == AWAY_FROM_ZERO:
        return _by_formula(t, equation, values[0], _round_away)
    return _by_formula(t, equation, values[0], lambda node, number, x: node("Round", x))


@translates("integer_pow")
def integer_power(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    power = equation.params["y"]
    if power == 2:
        return _by_formula(t, equation, values[0], FORMULAS["square"])
    return _by_formula(t, equation, values[0], lambda node, number, x: node("Pow", x, number(power)))


@translates("polynomial")
def polynomial(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    """A polynomial by Horner's rule; coefficients start with the constant term."""
    dtype = working_type(values[0].dtype)
    x, *coefficients = _operands(t, values, dtype)
    name = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        name = t.graph.node("Add", t.graph.node("Mul", name, x), coefficient)
    return _finished(t, equation, name, dtype, values)


@translates("atan2")
def angle(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    """The angle of (x, y): atan(y / x), plus or minus pi where x is negative."""
    y, x = map(t.loose, values)
    node, number = t.graph.node, lambda value: t.graph.constant(value, values[0].dtype)
    half_turn = node("Where", node("Less", y, number(0)), number(-np.pi), number(np.pi))
    shift = node("Where", node("Less", x, number(0)), half_turn, number(0))
    found = node("Add", node("Atan", node("Div", y, x)), shift)
    nowhere = node("And", node("Equal", x, number(0)), node("Equal", y, number(0)))
    return t.result(equation, node("Where", nowhere, number(0), found), _narrow(values))


@translates("shift_left", "shift_right_logical")
def shift(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    if np.dtype(values[0].dtype).kind != "u":
        raise NoFormError("a shift of signed integers, which ONNX does not support")
    direction = "LEFT" if equation.primitive.name == "shift_left" else "RIGHT"
    name = t.graph.node("BitShift", *map(t.loose, values), direction=direction)
    return t.result(equation, name, _narrow(values))
