"""Operations that move, repeat or slice entries."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax.extend.core import JaxprEqn

from cornu.export.onnx.translator import Translator, Value, is_static, output_of, translates, working_type

ENDS = {-1: np.iinfo("int64").min, 1: np.iinfo("int64").max}


def transposed(t: Translator, value: Value, permutation: Sequence[int]) -> Value:
    """Return a value with its axes transposed."""
    permutation = tuple(int(axis) for axis in permutation)
    shape = [value.shape[axis] for axis in permutation]
    if permutation == tuple(range(len(permutation))):
        return value
    if value.known and np.ndim(value.array) == len(shape):
        array = np.asarray(value.array).transpose(permutation)
        return Value(shape, value.dtype, array=array, hint=value.hint)
    if value.known:  # one number for all entries
        return Value(shape, value.dtype, array=value.array)
    return Value(shape, value.dtype, t.graph.node("Transpose", t.loose(value), perm=permutation), narrow=value.narrow)


def reshaped(t: Translator, value: Value, shape: Sequence[Any]) -> Value:
    """Return a value in another shape; at most one unknown size is left for ONNX to infer."""
    shape = tuple(shape)
    if value.known and is_static(shape):
        return Value(shape, value.dtype, array=np.reshape(value.whole(), shape), hint=value.hint)
    if shape == value.shape:
        return value
    symbolic = [not is_static([size]) for size in shape]
    sizes = [-1 if unknown else size for size, unknown in zip(shape, symbolic, strict=True)]
    single = sum(symbolic) <= 1 and 0 not in sizes
    target = t.graph.integers(sizes if single else shape)
    return Value(shape, value.dtype, t.graph.node("Reshape", t.full(value), target, allowzero=int(0 in sizes)))


@translates("transpose")
def transpose(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    return transposed(t, values[0], equation.params["permutation"])


@translates("reshape")
def reshape(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    return reshaped(t, values[0], equation.params["new_sizes"])


@translates("squeeze")
def squeeze(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    value, axes = values[0], equation.params["dimensions"]
    name = t.graph.node("Squeeze", _ranked(t, value), t.graph.integers([axis % len(value.shape) for axis in axes]))
    return t.result(equation, name, value.narrow)


def _ranked(t: Translator, value: Value) -> str:
    """Return a name with the value's rank, broadcast or not."""
    return t.full(value) if value.known and np.ndim(value.array) != len(value.shape) else t.loose(value)


@translates("expand_dims")
def expand_dims(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    axes = t.graph.integers(equation.params["dimensions"])
    return t.result(equation, t.graph.node("Unsqueeze", _ranked(t, values[0]), axes), values[0].narrow)


@translates("broadcast_in_dim")
def broadcast(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    """Only axes of size one are added: the operators that use the value broadcast it."""
    value, shape = values[0], equation.params["shape"]
    places = equation.params["broadcast_dimensions"]
    if value.known and np.ndim(value.array) == len(value.shape):
        sizes = [1] * len(shape)
        for place, size in zip(places, np.shape(value.array), strict=True):
            sizes[place] = size
        return Value(shape, value.dtype, array=np.reshape(np.asarray(value.array), sizes), hint=value.hint)
    if value.known:
        return Value(shape, value.dtype, array=value.array)
    added = [axis for axis in range(len(shape)) if axis not in places]
    name = t.graph.node("Unsqueeze", t.loose(value), t.graph.integers(added)) if added else t.loose(value)
    whole = all(shape[axis] == 1 for axis in added) and all(
        shape[place] == size for place, size in zip(places, value.shape, strict=True)
    )
    return t.result(equation, name, value.narrow or not whole)


@translates("concatenate")
def concatenate(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    return t.result(equation, t.graph.node("Concat", *map(t.full, values), axis=equation.params["dimension"]))


@translates("stack")
def stack(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    axis = equation.params["axis"]
    names = [t.graph.node("Unsqueeze", t.full(value), t.graph.integers([axis])) for value in values]
    return t.result(equation, t.graph.node("Concat", *names, axis=axis))


@translates("tile")
def tile(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    return t.result(equation, t.graph.node("Tile", t.full(values[0]), t.graph.integers(equation.params["reps"])))


@translates("split")
def split(t: Translator, equation: JaxprEqn, values: list[Value]) -> list[Value]:
    sizes = equation.params["sizes"]
    names = t.graph.nodes_of(
        "Split", len(sizes), t.full(values[0]), t.graph.integers(sizes), axis=equation.params["axis"]
    )
    return [t.result(equation, name, number=number) for number, name in enumerate(names)]


def sliced(t: Translator, name: str, axes: Sequence[int], starts: Any, ends: Any, steps: Any = None) -> str:
    """Return a part of an array."""
    integers = t.graph.integers
    steps = [1] * len(axes) if steps is None else steps
    return t.graph.node("Slice", name, integers(starts), integers(ends), integers(axes), integers(steps))


@translates("slice")
def slice_(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    starts, limits = equation.params["start_indices"], equation.params["limit_indices"]
    steps = equation.params["strides"] or (1,) * len(starts)
    size = values[0].shape
    axes = [a for a in range(len(starts)) if not (is_static([starts[a]]) and starts[a] == 0 and steps[a] == 1
                                                  and limits[a] == size[a])]  # fmt: skip
    parts = [[numbers[axis] for axis in axes] for numbers in (starts, limits, steps)]
    name = sliced(t, t.full(values[0]), axes, *parts) if axes else t.full(values[0])
    return t.result(equation, name)


@translates("rev")
def reverse(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    axes = equation.params["dimensions"]
    count = len(axes)
    return t.result(equation, sliced(t, t.full(values[0]), axes, [-1] * count, [ENDS[-1]] * count, [-1] * count))


@translates("pad")
def pad(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    name = padded(t, t.full(values[0]), values[0], t.loose(values[1]), equation.params["padding_config"])
    return t.result(equation, name)


def padded(t: Translator, name: str, value: Value, fill: str, config: Sequence[tuple[Any, Any, int]]) -> str:
    """Return an array padded before, after and between the entries of each axis; negative padding crops it."""
    dtype = working_type(value.dtype)
    if dtype != value.dtype and np.dtype(value.dtype) != np.bool_:
        inner = padded(t, t.cast(name, dtype), Value(value.shape, dtype), t.cast(fill, dtype), config)
        return t.cast(inner, value.dtype)
    for axis, (_, _, between) in enumerate(config):
        if between:
            name = _spread(t, name, len(config), axis, between, fill)
    low, high = [pair[0] for pair in config], [pair[1] for pair in config]
    if any(not is_static([size]) or size > 0 for size in (*low, *high)):
        before, after = ([max(size, 0) if is_static([size]) else size for size in sizes] for sizes in (low, high))
        name = t.graph.node("Pad", name, t.graph.integers([*before, *after]), fill)
    cut = [axis for axis in range(len(config)) for size in [(low[axis], high[axis])]
           if any(is_static([one]) and one < 0 for one in size)]  # fmt: skip
    if cut:
        starts = [max(-low[axis], 0) if is_static([low[axis]]) else 0 for axis in cut]
        ends = [high[axis] if is_static([high[axis]]) and high[axis] < 0 else ENDS[1] for axis in cut]
        name = sliced(t, name, cut, starts, ends)
    return name


def _spread(t: Translator, name: str, rank: int, axis: int, between: int, fill: str) -> str:
    """Return an array with `between` entries inserted after each but the last entry of an axis."""
    node, integers = t.graph.node, t.graph.integers
    wide = node("Unsqueeze", name, integers([axis + 1]))
    after = [0] * (rank + 1)
    after[axis + 1] = between
    wide = node("Pad", wide, integers([0] * (rank + 1) + after), fill)
    # Joining two axes: 0 keeps the sizes before them, and those after them are unchanged.
    sizes = node("Shape", name)
    count = node("Mul", node("Slice", sizes, integers([axis]), integers([axis + 1])), integers([between + 1]))
    parts = [node("Slice", sizes, integers([0]), integers([axis]))] if axis else []
    parts.append(count)
    parts += [node("Slice", sizes, integers([axis + 1]), integers([rank]))] if axis + 1 < rank else []
    joined = node("Reshape", wide, node("Concat", *parts, axis=0))
    return node("Slice", joined, integers([0]), integers([-between]), integers([axis]))


@translates("iota")
def count_up(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    shape, axis, dtype = equation.params["shape"], equation.params["dimension"], equation.params["dtype"]
    graph = t.graph
    size = graph.node("Squeeze", graph.size(shape[axis]), graph.integers([0]))
    numbers = graph.node("Range", graph.constant(0, "int64"), size, graph.constant(1, "int64"))
    others = [other for other in range(len(shape)) if other != axis]
    name = graph.node("Unsqueeze", t.cast(numbers, dtype), graph.integers(others)) if others else t.cast(numbers, dtype)
    return t.result(equation, name, narrow=any(shape[other] != 1 for other in others))


@translates("dim_as_value")
def size_as_value(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    size = t.graph.node("Squeeze", t.graph.size(equation.params["dim"]), t.graph.integers([0]))
    return t.result(equation, t.cast(size, output_of(equation).dtype))
