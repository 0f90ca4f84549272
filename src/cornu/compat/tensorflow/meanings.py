"""Functions of TensorFlow that mean something else than those of the same name in `keras.ops`, or are not there."""

import contextlib
import functools
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import axes, tensor_function
from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.dtypes import array_type, as_dtype
from cornu.compat.tensorflow.inputs import extend
from cornu.compat.tensorflow.sizes import Sizes
from cornu.compat.tensorflow.strings import text_tensor
from cornu.compat.tensorflow.tensors import TensorShape, TensorSpec
from cornu.core import graph
from cornu.core.jax_internals import copied
from cornu.core.scope import NeedsPythonError, scope
from cornu.core.text import holds_text
from cornu.core.variable import Variable, plain
from cornu.data.dataset import EagerArray

_tuple, _slice = tuple, slice  # functions of TensorFlow below have these names


@tensor_function
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> jax.Array:
    """Return entries of `x` or `y`; with the condition alone the places where it is true: (count, axes).

    >>> where([[True, False], [False, True]]).tolist()
    [[0, 0], [1, 1]]
    """
    condition = jnp.asarray(condition)
    if x is None and y is None:
        return jnp.argwhere(on_host(condition))
    return jnp.where(condition.astype(bool), jnp.asarray(x), jnp.asarray(y))


class Unique(NamedTuple):
    """The distinct values in the order of their first appearance, and for each entry the index of its value."""

    y: jax.Array
    idx: jax.Array


class UniqueWithCounts(NamedTuple):
    """`Unique`, and how often each value appears."""

    y: jax.Array
    idx: jax.Array
    count: Any


def unique_with_counts(x: Any, out_idx: Any = "int32", name: str | None = None) -> UniqueWithCounts:
    """Return the distinct values of a vector in the order of their first appearance, their indices and counts."""
    values, first, index, counts = np.unique(on_host(x), return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    rank = np.argsort(order)
    parts = values[order], rank[index.ravel()].astype(array_type(out_idx)), counts[order].astype(array_type(out_idx))
    return UniqueWithCounts(*map(jnp.asarray, parts))


def unique(x: Any, out_idx: Any = "int32", name: str | None = None) -> Unique:
    """Return the distinct values of a vector in the order of their first appearance, and their indices.

    >>> [part.tolist() for part in unique([3, 1, 3])]
    [[3, 1], [0, 1, 0]]
    """
    return Unique(*unique_with_counts(x, out_idx)[:2])


@tensor_function
def norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: Any = False, name: Any = None) -> jax.Array:
    """Return the norm along an axis; of all entries as one vector without `axis`, of matrices with two axes."""
    tensor, axis = jnp.asarray(tensor), axes(axis)
    if ord == "euclidean" or (ord == "fro" and not isinstance(axis, int)):
        return jnp.sqrt(jnp.sum(jnp.square(jnp.abs(tensor)), axis=axis, keepdims=bool(keepdims)))
    if axis is None:
        found = jnp.linalg.norm(tensor.ravel(), ord)
        return found.reshape((1,) * tensor.ndim) if keepdims else found
    return jnp.linalg.norm(tensor, ord, axis, bool(keepdims))


def identity(input: Any, name: str | None = None) -> Any:
    """Return a tensor with the same values that is another object: a source of its own for gradients."""
    if graph.is_symbolic(input):
        return input
    return copied(jnp.asarray(plain(input)))


@tensor_function
def reduce_mean(input_tensor: Any, axis: Any = None, keepdims: Any = False, name: Any = None) -> jax.Array:
    """Return the mean; that of integers is an integer, rounded towards zero, as in TensorFlow.

    >>> int(reduce_mean([1, 2, 2]))
    1
    """
    array = jnp.asarray(input_tensor)
    if not jnp.issubdtype(array.dtype, jnp.integer):
        return jnp.mean(array, axes(axis), keepdims=bool(keepdims))
    total = jnp.sum(array, axes(axis), keepdims=bool(keepdims))
    return jax.lax.div(total, jnp.full_like(total, array.size // max(total.size, 1)))


@tensor_function
def boolean_mask(tensor: Any, mask: Any, axis: int | None = None, name: str = "boolean_mask") -> jax.Array:
    """Return the entries where a mask is true. Their number must be known: a ``tf.function`` is not compiled then."""
    tensor, mask, axis = jnp.asarray(tensor), on_host(mask), axis or 0
    kept = np.flatnonzero(mask)
    shape = (*tensor.shape[:axis], -1, *tensor.shape[axis + mask.ndim :])
    return jnp.take(tensor.reshape(shape), kept, axis=axis)


def _places(indices: Any) -> Any:
    return _tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))


@tensor_function
def gather_nd(params: Any, indices: Any, batch_dims: int = 0, name: Any = None) -> jax.Array:
    """Return entries: each row of `indices` is the place of one (or of a slice)."""
    if batch_dims:
        return jax.vmap(lambda one, at: gather_nd(one, at, batch_dims - 1))(jnp.asarray(params), jnp.asarray(indices))
    return jnp.asarray(params)[_places(indices)]


@tensor_function
def scatter_nd(indices: Any, updates: Any, shape: Sequence[int], name: Any = None) -> jax.Array:
    """Return zeros with values added at places, one for each row of `indices`."""
    updates = jnp.asarray(updates)
    return jnp.zeros(_tuple(int(size) for size in shape), updates.dtype).at[_places(indices)].add(updates)


@tensor_function
def size(input: Any, out_type: Any = "int32", name: Any = None) -> jax.Array:
    """Return the number of entries."""
    return jnp.asarray(jnp.size(input), array_type(out_type))


@tensor_function
def eye(
    num_rows: int, num_columns: int | None = None, batch_shape: Any = None, dtype: Any = "float32", name: Any = None
) -> jax.Array:
    """Return a matrix with ones on its diagonal; many of them with a `batch_shape`."""
    one = jnp.eye(int(num_rows), None if num_columns is None else int(num_columns), dtype=array_type(dtype))
    return jnp.broadcast_to(one, (*_tuple(batch_shape or ()), *one.shape))


def is_tensor(x: Any) -> bool:
    """Return whether something is a tensor or a variable."""
    return isinstance(x, (jax.Array, Variable, EagerArray)) or graph.is_symbolic(x)


def no_op(name: Any = None) -> None:
    """Do nothing."""


def group(*inputs: Any, **_: Any) -> None:
    """Do nothing: what is passed has been computed."""


def control_dependencies(control_inputs: Any) -> contextlib.AbstractContextManager:
    """Return a context without effect: operations run in the order of the program."""
    return contextlib.nullcontext()


@tensor_function
def py_function(func: Callable | None = None, inp: Any = (), Tout: Any = None, name: Any = None, **_: Any) -> Any:
    """Return what a Python function of tensors gives; inside a ``tf.function`` it needs `Tout` and runs on the host.

    Its results must have the shape of the first input there. With `Tout` alone, it decorates the function.
    """
    if func is None:
        return lambda given: functools.wraps(given)(lambda *tensors: py_function(given, tensors, Tout))
    given = [text_tensor(one) if holds_text(one) else jnp.asarray(plain(one)) for one in inp]
    if not any(isinstance(one, jax.core.Tracer) for one in given):
        return _results(func(*given), Tout)
    if scope.mapping or isinstance(Tout, (list, _tuple)) or Tout is None:
        raise NeedsPythonError
    like = jax.ShapeDtypeStruct(given[0].shape, array_type(Tout))
    return jax.pure_callback(lambda *values: np.asarray(func(*map(jnp.asarray, values)), like.dtype), like, *given)


def _results(found: Any, types: Any) -> Any:
    """Return what a function of Python gave as tensors of these dtypes."""
    if isinstance(types, (list, _tuple)):
        several = found if isinstance(found, (list, _tuple)) else [found]
        return [_results(one, kind) for one, kind in zip(several, types, strict=True)]
    if found is None or isinstance(found, jax.Array) or types is None:
        return found
    if holds_text(found):
        return text_tensor(found)
    array = np.asarray(plain(found), None if as_dtype(types) == "string" else array_type(types))
    return jnp.asarray(array) if array.dtype.kind == "f" else array.view(EagerArray)


def numpy_function(func: Callable | None = None, inp: Any = None, Tout: Any = None, name: Any = None, **_: Any) -> Any:
    """Return what a function of numpy arrays gives, as `py_function` does; text comes as bytes.

    With `Tout` alone, it decorates the function.
    """
    if func is None:
        return lambda given: functools.wraps(given)(lambda *tensors: numpy_function(given, tensors, Tout))

    def of_arrays(*tensors: Any) -> Any:
        return func(*(one.numpy() if holds_text(one) else np.asarray(one) for one in tensors))

    return py_function(of_arrays, () if inp is None else inp, Tout)


def identity_n(input: Any, name: Any = None) -> list[Any]:
    """Return tensors with the same values."""
    return [identity(one) for one in input]


def _scattered(kind: str, combine: Callable, about: str) -> Callable:
    """Return a function that combines a tensor with values at places, one for each row of `indices`."""

    @tensor_function
    def call(tensor: Any, indices: Any, updates: Any, name: Any = None) -> jax.Array:
        return combine(jnp.asarray(tensor).at[_places(indices)], jnp.asarray(updates))

    call.__name__, call.__doc__ = (
        f"tensor_scatter_nd_{kind}",
        f"Return {about} at places, one for each row of `indices`.",
    )
    return call


tensor_scatter_nd_update = _scattered("update", lambda at, values: at.set(values), "`tensor` with other values")
tensor_scatter_nd_add = _scattered("add", lambda at, values: at.add(values), "`tensor` with values added")
tensor_scatter_nd_sub = _scattered("sub", lambda at, values: at.add(-values), "`tensor` with values subtracted")
tensor_scatter_nd_max = _scattered("max", lambda at, values: at.max(values), "the larger of `tensor` and other values")
tensor_scatter_nd_min = _scattered("min", lambda at, values: at.min(values), "the smaller of `tensor` and other values")


def tuple(tensors: Any, control_inputs: Any = None, name: Any = None) -> list[Any]:
    """Return tensors as they are: what was passed before has been computed."""
    return list(tensors)


@tensor_function
def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = "bool", name: Any = None) -> jax.Array:
    """Return for each length a row that begins with so many ones; `maxlen` of all, by default the longest.

    >>> sequence_mask([1, 2], dtype="int32").tolist()
    [[1, 0], [1, 1]]
    """
    lengths = jnp.asarray(lengths)
    most = int(np.max(on_host(lengths), initial=0)) if maxlen is None else int(maxlen)
    return (jnp.arange(most) < lengths[..., None]).astype(array_type(dtype))


@tensor_function
def gather(
    params: Any, indices: Any, validate_indices: Any = None, axis: Any = None, batch_dims: int = 0, name: Any = None
) -> jax.Array:
    """Return the parts of `params` at `indices` along an axis; with `batch_dims` of each batch its own."""
    params, indices = jnp.asarray(params), jnp.asarray(indices)
    shared = int(batch_dims) % max(indices.ndim + 1, 1) if batch_dims >= 0 else int(batch_dims) + indices.ndim
    axis = shared if axis is None else int(axis) % params.ndim
    if not shared:
        return jnp.take(params, indices, axis)
    take = jax.vmap(lambda one, at: gather(one, at, axis=axis - 1, batch_dims=shared - 1))
    return take(params, indices)


@tensor_function
def slice(input_: Any, begin: Any, size: Any, name: Any = None) -> jax.Array:
    """Return the part that begins at `begin`; a size of -1 is all that is left."""
    x = jnp.asarray(input_)
    sizes = [int(one) for one in np.ravel(np.asarray(size))]
    starts = jnp.ravel(jnp.asarray(begin))
    if -1 in sizes:
        known = [int(one) for one in np.ravel(on_host(begin))]
        sizes = [whole - at if one == -1 else one for whole, at, one in zip(x.shape, known, sizes, strict=True)]
    return jax.lax.dynamic_slice(x, [*starts], sizes)


def strided_slice(
    input_: Any, begin: Any, end: Any, strides: Any = None, begin_mask: int = 0, end_mask: int = 0,
    ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0, var: Any = None, name: Any = None,
) -> Any:  # fmt: skip
    """Return a slice; bits of the masks say which entries have no beginning or end, and which are not slices."""
    key: list[Any] = []
    for i, (first, last) in enumerate(zip(begin, end, strict=True)):
        step = 1 if strides is None else int(strides[i])
        if ellipsis_mask >> i & 1:
            key.append(Ellipsis)
        elif new_axis_mask >> i & 1:
            key.append(None)
        elif shrink_axis_mask >> i & 1:
            key.append(int(first))
        else:
            bounds = None if begin_mask >> i & 1 else int(first), None if end_mask >> i & 1 else int(last)
            key.append(_slice(*bounds, step))
    whole = input_ if graph.is_symbolic(input_) else jnp.asarray(plain(input_))
    return whole[(*key,)]


@tensor_function
def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: Any = None, batch_axis: Any = None, name: Any = None, seq_dim: Any = None,
    batch_dim: Any = None,
) -> jax.Array:  # fmt: skip
    """Return sequences whose first `seq_lengths` steps are reversed."""
    steps = int(seq_axis if seq_axis is not None else seq_dim or 0)
    rows = int(batch_axis if batch_axis is not None else batch_dim or 0)
    x = jnp.moveaxis(jnp.asarray(input), (rows, steps), (0, 1))
    lengths, at = jnp.asarray(seq_lengths)[:, None], jnp.arange(x.shape[1])
    order = jnp.where(at < lengths, lengths - 1 - at, at)
    found = jnp.take_along_axis(x, order.reshape(*order.shape, *(1,) * (x.ndim - 2)), axis=1)
    return jnp.moveaxis(found, (0, 1), (rows, steps))


def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: Any = None) -> list[jax.Array]:
    """Return the rows of each partition. Their numbers must be known: a ``tf.function`` is not compiled then."""
    return [boolean_mask(data, jnp.asarray(plain(partitions)) == number) for number in range(int(num_partitions))]


@tensor_function
def dynamic_stitch(indices: Any, data: Any, name: Any = None) -> jax.Array:
    """Return rows of several arrays at places of one."""
    places = [np.asarray(one).ravel() for one in indices]
    arrays = [jnp.asarray(one) for one in data]
    rest = arrays[0].shape[np.ndim(indices[0]) :]
    rows = jnp.concatenate([one.reshape(-1, *rest) for one in arrays])
    size = int(max(one.max(initial=-1) for one in places)) + 1
    return jnp.zeros((size, *rest), rows.dtype).at[np.concatenate(places)].set(rows)


def ensure_shape(x: Any, shape: Any, name: Any = None) -> Any:
    """Return a tensor. ValueError unless it has a shape, in which unknown sizes are None."""
    wanted, actual = list(shape), list(x.shape)
    fits = len(wanted) == len(actual) and all(
        None in pair or pair[0] == pair[1] for pair in zip(wanted, actual, strict=True)
    )
    if not fits:
        raise ValueError(f"Shape of tensor {actual} is not compatible with expected shape {wanted}.")
    return x


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """Return the value of a tensor as numpy, or None if only the compiled program knows it."""
    tensor = plain(tensor)
    is_unknown = isinstance(tensor, jax.core.Tracer) or graph.is_symbolic(tensor)
    return None if is_unknown else np.asarray(tensor)[()]


def shape_n(input: Any, out_type: Any = None, name: Any = None) -> list[Any]:
    """Return the shapes of several tensors."""
    return [Sizes(np.shape(plain(one))) for one in input]


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Any:
    """Return the shape of two tensors that are combined."""
    shapes = [[int(size) for size in np.asarray(shape)] for shape in (shape_x, shape_y)]
    return Sizes(np.broadcast_shapes(*map(_tuple, shapes)))


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """Return the shape of two tensors that are combined."""
    return TensorShape(np.broadcast_shapes(_tuple(shape_x), _tuple(shape_y)))


def timestamp(name: Any = None) -> jax.Array:
    """Return the seconds since 1970."""
    return jnp.asarray(time.time())


@tensor_function
def unravel_index(indices: Any, dims: Any, name: Any = None) -> jax.Array:
    """Return the places of flat indices: an axis for each of `dims` first."""
    return jnp.stack(jnp.unravel_index(jnp.asarray(indices), _tuple(int(size) for size in np.asarray(dims))))


@tensor_function
def linspace(start: Any, stop: Any, num: Any, name: Any = None, axis: int = 0) -> jax.Array:
    """Return `num` numbers at equal distances, with both ends."""
    return jnp.linspace(jnp.asarray(start, "float32"), jnp.asarray(stop, "float32"), int(num), axis=int(axis))


@tensor_function
def one_hot(
    indices: Any, depth: Any, on_value: Any = None, off_value: Any = None, axis: int | None = None, dtype: Any = None,
    name: Any = None,
) -> jax.Array:  # fmt: skip
    """Return rows with `on_value` (1) at the index and `off_value` (0) elsewhere, along `axis` (the last by default).

    The dtype is that of the values, float32 without them.
    """
    given = next((one for one in (on_value, off_value) if one is not None), None)
    kind = array_type(dtype if dtype is not None else "float32" if given is None else jnp.asarray(given).dtype)
    hot = jax.nn.one_hot(jnp.asarray(indices), int(depth), axis=-1 if axis is None else int(axis), dtype="bool")
    on, off = 1 if on_value is None else on_value, 0 if off_value is None else off_value
    return jnp.where(hot, jnp.asarray(on, kind), jnp.asarray(off, kind))


def type_spec_from_value(value: Any) -> TensorSpec:
    """Return shape and dtype of a tensor."""
    return TensorSpec.from_tensor(value)


extend(globals())
