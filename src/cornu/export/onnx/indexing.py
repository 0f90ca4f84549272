"""Operations that gather or scatter entries at computed indices."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax import lax
from jax.extend.core import JaxprEqn

from cornu.export.onnx.graph import type_of
from cornu.export.onnx.shapes import reshaped, transposed
from cornu.export.onnx.translator import NoFormError, Translator, Value, output_of, translates, working_type

FILLS = lax.GatherScatterMode.FILL_OR_DROP
CLIPS = lax.GatherScatterMode.CLIP


class Places:
    """The indices of a gather or scatter: one name for each axis of the operand that they index."""

    def __init__(self, t: Translator, indices: Value, axes: Sequence[int]) -> None:
        self.rank = len(indices.shape) - 1
        self.shape = indices.shape[:-1]
        name = t.cast(t.full(indices), "int64") if type_of(indices.dtype) != np.int64 else t.full(indices)
        last = t.graph.integers([-1])
        self.of = {
            axis: t.graph.node("Squeeze", name, last)
            if len(axes) == 1
            else t.graph.node("Gather", name, t.graph.constant(number, "int64"), axis=-1)
            for number, axis in enumerate(axes)
        }
        self.inside: list[str] = []

    def limit(self, t: Translator, axis: int, room: Any, mode: Any) -> None:
        """Clip the indices of an axis to 0 and `room`; record which were outside if `mode` fills those."""
        node, low = t.graph.node, t.graph.constant(0, "int64")
        high = node("Squeeze", t.graph.size(room), t.graph.integers([0]))
        name = self.of[axis]
        if mode == FILLS:
            above = node("GreaterOrEqual", name, low)
            self.inside.append(node("And", above, node("LessOrEqual", name, high)))
        self.of[axis] = node("Min", node("Max", name, low), high)


@translates("gather")
def gather(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    operand, indices = values
    params, numbers = equation.params, equation.params["dimension_numbers"]
    sizes, mode = params["slice_sizes"], params["mode"]
    places = Places(t, indices, numbers.start_index_map)
    if mode in (FILLS, CLIPS):
        for axis in numbers.start_index_map:
            places.limit(t, axis, operand.shape[axis] - sizes[axis], mode)
    batching = dict(zip(numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True))
    gone = [*numbers.collapsed_slice_dims, *batching]
    offsets = [axis for axis in range(len(operand.shape)) if axis not in gone]
    if len(numbers.start_index_map) == 1 and not batching and gone == list(numbers.start_index_map):
        name, order = _take(t, operand, places, gone[0], offsets)
    else:
        name, order = _take_points(t, operand, places, sizes, batching, offsets)
    # `order` says for each axis of `name` what it is: a batch axis as a number, or an operand axis as text.
    shape = output_of(equation).shape
    target: list[Any] = [None] * len(shape)
    for place, axis in zip(numbers.offset_dims, offsets, strict=True):
        target[place] = f"axis {axis}"
    batch = iter(range(places.rank))
    target = [next(batch) if one is None else one for one in target]
    found_shape = [shape[target.index(one)] for one in order]
    permutation = [order.index(one) for one in target]
    found = transposed(t, Value(found_shape, operand.dtype, name), permutation)
    return _filled(t, equation, found, places, [place for place, one in enumerate(target) if isinstance(one, str)])


def _take(t: Translator, operand: Value, places: Places, axis: int, offsets: list[int]) -> tuple[str, list]:
    """Whole rows along one axis: ONNX's Gather."""
    name = t.graph.node("Gather", t.full(operand), places.of[axis], axis=axis)
    texts = [f"axis {one}" for one in offsets]
    return name, [*texts[:axis], *range(places.rank), *texts[axis:]]


def _take_points(
    t: Translator, operand: Value, places: Places, sizes: Sequence, batching: dict[int, int], offsets: list[int]
) -> tuple[str, list]:
    """Parts along several axes: GatherND with the indexed axes first and every index materialized."""
    points, indexed, wide = _points(t, operand, places, sizes, batching, offsets)
    rest = [axis for axis in range(len(operand.shape)) if axis not in indexed]
    data = t.full(transposed(t, operand, [*indexed, *rest]))
    name = t.graph.node("GatherND", data, points)
    order: list[Any] = [*range(places.rank), *[f"axis {axis}" for axis in [*wide, *rest]]]
    ones = [axis for axis in offsets if axis in indexed and axis not in wide]
    if ones:  # axes with one entry that are kept
        name = t.graph.node("Unsqueeze", name, t.graph.integers([len(order) + number for number in range(len(ones))]))
        order += [f"axis {axis}" for axis in ones]
    return name, order


def _points(
    t: Translator, operand: Value, places: Places, sizes: Sequence, batching: dict[int, int], windows: list[int]
) -> tuple[str, list[int], list[int]]:
    """Return the positions of all entries, the operand's axes that they index, and those along which parts are wide.

    `sizes` are those of a part, `windows` its axes; `batching` says which axis of the indices belongs to an axis of
    the operand. The positions have the indices' axes, then those of the wide parts.
    """
    indexed = [axis for axis in range(len(operand.shape)) if axis in places.of or axis in batching]
    wide = [axis for axis in indexed if axis in windows and not _is_one(sizes[axis])]
    rank = places.rank + len(wide)
    parts = []
    for axis in indexed:
        if axis in batching:
            parts.append(_counted(t, places.shape[batching[axis]], batching[axis], rank))
            continue
        after = list(range(places.rank, rank))
        name = t.graph.node("Unsqueeze", places.of[axis], t.graph.integers(after)) if after else places.of[axis]
        if axis in wide:
            name = t.graph.node("Add", name, _counted(t, sizes[axis], places.rank + wide.index(axis), rank))
        parts.append(name)
    shape = t.graph.integers([*places.shape, *[sizes[axis] for axis in wide]])
    last = t.graph.integers([rank])
    points = [t.graph.node("Unsqueeze", t.graph.node("Expand", part, shape), last) for part in parts]
    return t.graph.node("Concat", *points, axis=-1), indexed, wide


def _is_one(size: Any) -> bool:
    return isinstance(size, (int, np.integer)) and size == 1


def _counted(t: Translator, size: Any, axis: int, rank: int) -> str:
    """Return 0, 1, ... along one of `rank` axes."""
    node, integers = t.graph.node, t.graph.integers
    numbers = node("Range", t.graph.constant(0, "int64"), node("Squeeze", t.graph.size(size), integers([0])),
                   t.graph.constant(1, "int64"))  # fmt: skip
    others = [other for other in range(rank) if other != axis]
    return node("Unsqueeze", numbers, integers(others)) if others else numbers


def _filled(t: Translator, equation: JaxprEqn, found: Value, places: Places, offsets: list[int]) -> Value:
    """Put the fill value where an index was outside the operand."""
    if not places.inside:
        return found
    node = t.graph.node
    inside = places.inside[0]
    for other in places.inside[1:]:
        inside = node("And", inside, other)
    if offsets:
        inside = node("Unsqueeze", inside, t.graph.integers(offsets))
    fill = equation.params["fill_value"]
    dtype = np.dtype(found.dtype)
    if fill is None:  # jax.numpy's default
        fill = np.nan if dtype.kind in "fV" else np.iinfo(dtype).min if dtype.kind == "i" else \
            np.iinfo(dtype).max if dtype.kind == "u" else True  # fmt: skip
    work = working_type(dtype)
    name = t.full(found) if type_of(dtype) == work else t.cast(t.full(found), work)
    name = node("Where", inside, name, t.graph.constant(np.asarray(fill, dtype).astype(work)))
    return t.result(equation, name if type_of(dtype) == work else t.cast(name, dtype))


SCATTERS = {"scatter": "none", "scatter-add": "add", "scatter_add": "add", "scatter-mul": "mul", "scatter_mul": "mul",
            "scatter-min": "min", "scatter_min": "min", "scatter-max": "max", "scatter_max": "max"}  # fmt: skip


@translates(*SCATTERS)
def scatter(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    """Entries or parts of the operand, each at its position; runtimes reject positions outside it."""
    operand, indices, updates = values
    numbers = equation.params["dimension_numbers"]
    places = Places(t, indices, numbers.scatter_dims_to_operand_dims)
    batching = dict(zip(numbers.operand_batching_dims, numbers.scatter_indices_batching_dims, strict=True))
    gone = [*numbers.inserted_window_dims, *batching]
    windows = [axis for axis in range(len(operand.shape)) if axis not in gone]
    place_of = dict(zip(windows, numbers.update_window_dims, strict=True))
    sizes = [updates.shape[place_of[axis]] if axis in place_of else 1 for axis in range(len(operand.shape))]
    points, indexed, wide = _points(t, operand, places, sizes, batching, windows)
    rest = [axis for axis in range(len(operand.shape)) if axis not in indexed]
    batch = [axis for axis in range(len(updates.shape)) if axis not in numbers.update_window_dims]
    ones = [place_of[axis] for axis in windows if axis in indexed and axis not in wide]
    order = [*batch, *[place_of[axis] for axis in [*wide, *rest]]]
    put = transposed(t, updates, [*order, *ones])
    put = reshaped(t, put, [updates.shape[axis] for axis in order])
    data = t.full(transposed(t, operand, [*indexed, *rest]))
    name = t.graph.node("ScatterND", data, points, t.full(put), reduction=SCATTERS[equation.primitive.name])
    found = Value([operand.shape[axis] for axis in [*indexed, *rest]], operand.dtype, name)
    return transposed(t, found, np.argsort([*indexed, *rest]).tolist())


@translates("dynamic_slice")
def dynamic_slice(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    sizes = equation.params["slice_sizes"]
    starts = _starts(t, values[0], values[1 : 1 + len(sizes)], sizes)
    ends = t.graph.node("Add", starts, t.graph.integers(sizes))
    axes = t.graph.integers(list(range(len(sizes))))
    return t.result(equation, t.graph.node("Slice", t.full(values[0]), starts, ends, axes))


def _starts(t: Translator, operand: Value, starts: list[Value], sizes: Sequence) -> str:
    """Return where a part begins, clipped so that the part is inside the operand."""
    node, integers = t.graph.node, t.graph.integers
    names = [node("Reshape", t.cast(t.full(start), "int64"), integers([1])) for start in starts]
    joined = node("Concat", *names, axis=0)
    room = integers([size - part for size, part in zip(operand.shape, sizes, strict=True)])
    return node("Min", node("Max", joined, integers([0] * len(sizes))), room)


@translates("dynamic_update_slice")
def dynamic_update(t: Translator, equation: JaxprEqn, values: list[Value]) -> Value:
    """Concatenate what is before the part, the part, and what is after it, along the one axis where they differ."""
    operand, update = values[:2]
    node, integers = t.graph.node, t.graph.integers
    axes = [axis for axis, size in enumerate(operand.shape) if str(size) != str(update.shape[axis])]
    if not axes:
        return update
    if len(axes) > 1:
        raise NoFormError("an update of an array part along several axes, which Cornu cannot write in ONNX")
    axis = integers(axes)
    starts = _starts(t, operand, values[2:], update.shape)
    start = node("Slice", starts, axis, node("Add", axis, integers([1])))
    end = node("Add", start, t.graph.size(update.shape[axes[0]]))
    whole = t.full(operand)
    before = node("Slice", whole, integers([0]), start, axis)
    after = node("Slice", whole, end, integers([np.iinfo("int64").max]), axis)
    return t.result(equation, node("Concat", before, t.full(update), after, axis=axes[0]))
