"""Matrix products and convolutions."""

import string
from collections.abc import Sequence
from typing import Any

import numpy as np
from jax.extend.core import JaxprEqn

from cornu.export.onnx.graph import type_of
from cornu.export.onnx.shapes import ENDS, padded, reshaped, sliced, transposed
from cornu.export.onnx.translator import (
    NoFormError,
    Translator,
    Value,
    is_floating,
    is_static,
    known,
    output_of,
    translates,
    working_type,
)  # fmt: skip


@translates("dot_general")
def dot(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    """A plain matrix product if it is one, else ONNX's Einsum."""
    (left_axes, right_axes), (left_batch, right_batch) = equation.params["dimension_numbers"]
    wanted = output_of(equation).dtype
    dtype = working_type(wanted)
    left, right = (_as_type(t, value, dtype) for value in values)
    batch = len(left_batch)
    in_front = tuple(left_batch) == tuple(right_batch) == tuple(range(batch))
    plain = in_front and len(left_axes) == 1 and len(right.shape) == batch + 2
    if plain and left_axes[0] == len(left.shape) - 1 and (not batch or len(left.shape) == batch + 2):
        order = [*range(batch), right_axes[0], *(axis for axis in range(batch, batch + 2) if axis != right_axes[0])]
        name = t.graph.node("MatMul", t.full(left), t.full(transposed(t, right, order)))
    else:
        equations = _einsum(left, right, left_axes, right_axes, left_batch, right_batch)
        name = t.graph.node("Einsum", t.full(left), t.full(right), equation=equations)
    return t.result(equation, name if type_of(wanted) == dtype else t.cast(name, wanted))


def _as_type(t: Translator, value: Value, dtype: np.dtype) -> Value:
    if type_of(value.dtype) == dtype:
        return value
    if value.known:
        return known(np.asarray(value.whole()).astype(dtype), hint=value.hint)
    return Value(value.shape, dtype, t.cast(t.full(value), dtype))


def _einsum(
    left: Value, right: Value, left_axes: Sequence[int], right_axes: Sequence[int], left_batch: Sequence[int],
    right_batch: Sequence[int],
) -> str:  # fmt: skip
    """Return the product in Einsum's letters: shared axes first, then the remaining axes of each."""
    letters = iter(string.ascii_letters)
    ours, theirs = ([""] * len(value.shape) for value in (left, right))
    for here, there in [*zip(left_batch, right_batch, strict=True), *zip(left_axes, right_axes, strict=True)]:
        ours[here] = theirs[there] = next(letters)
    shared = [ours[axis] for axis in left_batch]
    for names in (ours, theirs):
        for axis, name in enumerate(names):
            if not name:
                names[axis] = next(letters)
                shared.append(names[axis])
    return f"{''.join(ours)},{''.join(theirs)}->{''.join(shared)}"


@translates("conv_general_dilated")
def convolution(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    params, numbers = equation.params, equation.params["dimension_numbers"]
    if params["batch_group_count"] != 1:
        raise NoFormError("a convolution with batch_group_count, which ONNX does not support")
    if not is_floating(values[0]):
        raise NoFormError("a convolution of integers, which ONNX does not support")
    x, kernel = transposed(t, values[0], numbers.lhs_spec), transposed(t, values[1], numbers.rhs_spec)
    space = len(x.shape) - 2
    strides, padding, groups = params["window_strides"], params["padding"], params["feature_group_count"]
    apart, dilation = params["lhs_dilation"] or (1,) * space, params["rhs_dilation"] or (1,) * space
    if any(step > 1 for step in apart) and _can_be_transposed(kernel, strides, padding, apart, dilation, groups):
        name = _transposed_convolution(t, x, kernel, padding, apart, dilation)
    else:
        name, pads = _padded_for_window(t, x, padding, apart, 0)
        name = t.graph.node(
            "Conv", name, t.full(kernel), strides=list(strides), dilations=list(dilation), group=groups, pads=pads
        )
    found = Value([output_of(equation).shape[axis] for axis in numbers.out_spec], x.dtype, name)
    return transposed(t, found, np.argsort(numbers.out_spec).tolist())


def _padded_for_window(
    t: Translator, x: Value, padding: Sequence, apart: Sequence[int], fill: Any
) -> tuple[str, list[int]]:
    """Return the name of `x` and the padding for the operator itself: before all axes, then after all.

    The operator cannot pad by symbolic or negative sizes, or between entries.
    """
    flat = [size for pair in padding for size in pair]
    simple = all(is_static([size]) and size >= 0 for size in flat) and all(step == 1 for step in apart)
    if simple:
        return t.full(x), [int(pair[0]) for pair in padding] + [int(pair[1]) for pair in padding]
    config = [(0, 0, 0)] * 2 + [(low, high, step - 1) for (low, high), step in zip(padding, apart, strict=True)]
    return padded(t, t.full(x), x, t.graph.constant(fill, x.dtype), config), [0] * (2 * len(padding))


def _can_be_transposed(
    kernel: Value, strides: Sequence[int], padding: Sequence, apart: Sequence[int], dilation: Sequence[int], groups: int
) -> bool:
    """Return whether ONNX's ConvTranspose computes it: the padding must be less than the window."""
    if groups != 1 or any(step != 1 for step in strides) or not is_static([s for pair in padding for s in pair]):
        return False
    reach = [(size - 1) * step for size, step in zip(kernel.shape[2:], dilation, strict=True)]
    return all(
        0 <= low <= most and 0 <= high < most + step
        for (low, high), most, step in zip(padding, reach, apart, strict=True)
    )


def _transposed_convolution(
    t: Translator, x: Value, kernel: Value, padding: Sequence, apart: Sequence[int], dilation: Sequence[int]
) -> str:
    """A transposed convolution: ONNX's kernel is (inputs, filters, *window), and flipped."""
    swapped = transposed(t, kernel, [1, 0, *range(2, len(kernel.shape))])
    axes = list(range(2, len(kernel.shape)))
    if swapped.known:
        weights = t.graph.constant(np.flip(np.asarray(swapped.whole()), tuple(axes)), hint=kernel.hint)
    else:
        weights = sliced(t, t.full(swapped), axes, [-1] * len(axes), [ENDS[-1]] * len(axes), [-1] * len(axes))
    reach = [(size - 1) * step for size, step in zip(kernel.shape[2:], dilation, strict=True)]
    before = [most - low for (low, _), most in zip(padding, reach, strict=True)]
    after = [max(most - high, 0) for (_, high), most in zip(padding, reach, strict=True)]
    extra = [max(high - most, 0) for (_, high), most in zip(padding, reach, strict=True)]
    return t.graph.node(
        "ConvTranspose", t.full(x), weights, strides=list(apart), dilations=list(dilation), pads=[*before, *after],
        output_padding=extra,
    )  # fmt: skip


@translates("reduce_window_sum", "reduce_window_max", "reduce_window_min")
def pooling(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    """ONNX's windows go over the last axes of (rows, channels, *space): other axes are joined to the rows."""
    params, value = equation.params, values[0]
    window, apart = params["window_dimensions"], params["base_dilation"]
    spread, steps = params["window_dilation"], params["window_strides"]
    if not is_floating(value):
        raise NoFormError("windows over integers, which ONNX does not support")
    moves = [window[a] != 1 or steps[a] != 1 or apart[a] != 1 or tuple(params["padding"][a]) != (0, 0)
             for a in range(len(window))]  # fmt: skip
    space = [axis for axis, moving in enumerate(moves) if moving]
    others = [axis for axis, moving in enumerate(moves) if not moving]
    if not space:
        return value
    while len(others) > 2:  # joined below
        space.insert(0, others.pop())
    if len(space) > 3:
        raise NoFormError(f"windows over {len(space)} of {len(window)} axes, which ONNX does not support")
    order = [*others, *space]
    x = transposed(t, value, order)
    x = reshaped(t, x, (*x.shape[: len(others)], *(1,) * (2 - len(others)), *x.shape[len(others) :]))
    padding = [params["padding"][axis] for axis in space]
    extent = [(window[axis] - 1) * spread[axis] + 1 for axis in space]
    if any(is_static(pair) and max(pair) >= size for pair, size in zip(padding, extent, strict=True)):
        raise NoFormError("windows that are entirely in the padding, which ONNX does not support")
    arguments = {
        "kernel_shape": [window[axis] for axis in space],
        "strides": [steps[axis] for axis in space],
        "dilations": [spread[axis] for axis in space],
    }
    name = _pooled(t, equation.primitive.name, x, padding, [apart[axis] for axis in space], arguments)
    sizes = [output_of(equation).shape[axis] for axis in order]
    found = Value([*sizes[: len(others)], *(1,) * (2 - len(others)), *sizes[len(others) :]], value.dtype, name)
    return transposed(t, reshaped(t, found, sizes), np.argsort(order).tolist())


def _pooled(
    t: Translator, primitive: str, x: Value, padding: Sequence, apart: Sequence[int], arguments: dict[str, list[int]],
) -> str:  # fmt: skip
    node = t.graph.node
    if primitive == "reduce_window_sum":
        name, pads = _padded_for_window(t, x, padding, apart, 0)
        if any(step > 1 for step in arguments.pop("dilations")):
            raise NoFormError("a sum over windows with dilation, which ONNX does not support")
        mean = node("AveragePool", name, pads=pads, count_include_pad=1, **arguments)
        return node("Mul", mean, t.graph.constant(np.prod(arguments["kernel_shape"]), x.dtype))
    if primitive == "reduce_window_min":
        x = Value(x.shape, x.dtype, node("Neg", t.full(x)))
    name, pads = _padded_for_window(t, x, padding, apart, -np.inf)
    name = node("MaxPool", name, pads=pads, **arguments)
    return node("Neg", name) if primitive == "reduce_window_min" else name
