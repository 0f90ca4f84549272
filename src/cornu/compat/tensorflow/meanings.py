"""Functions of TensorFlow that mean something else than those of the same name in `keras.ops`, or are not there."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import axes, tensor_function
from cornu.compat.tensorflow.strings import text_tensor
from cornu.core import graph
from cornu.core.jax_internals import copied
from cornu.core.scope import NeedsPythonError, scope
from cornu.core.text import holds_text
from cornu.core.variable import Variable, plain


@tensor_function
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> jax.Array:
    """Return entries of `x` or `y`; with the condition alone the places where it is true: (count, axes).

    >>> where([[True, False], [False, True]]).tolist()
    [[0, 0], [1, 1]]
    """
    condition = jnp.asarray(condition)
    if x is None and y is None:
        return jnp.argwhere(condition)
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
    values, first, index, counts = np.unique(
        np.asarray(plain(x)), return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first)
    rank = np.argsort(order)
    parts = values[order], rank[index.ravel()].astype(str(out_idx)), counts[order].astype(str(out_idx))
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
    """Return the entries where a mask is true. Their number must be known: not inside a compiled function."""
    tensor, mask, axis = jnp.asarray(tensor), jnp.asarray(mask), axis or 0
    kept = np.flatnonzero(np.asarray(mask))
    shape = (*tensor.shape[:axis], -1, *tensor.shape[axis + mask.ndim :])
    return jnp.take(tensor.reshape(shape), kept, axis=axis)


def _places(indices: Any) -> tuple[jax.Array, ...]:
    return tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))


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
    return jnp.zeros(tuple(int(size) for size in shape), updates.dtype).at[_places(indices)].add(updates)


@tensor_function
def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any, name: Any = None) -> jax.Array:
    """Return `tensor` with other values at places, one for each row of `indices`."""
    return jnp.asarray(tensor).at[_places(indices)].set(jnp.asarray(updates))


@tensor_function
def tensor_scatter_nd_add(tensor: Any, indices: Any, updates: Any, name: Any = None) -> jax.Array:
    """Return `tensor` with values added at places, one for each row of `indices`."""
    return jnp.asarray(tensor).at[_places(indices)].add(jnp.asarray(updates))


@tensor_function
def tensor_scatter_nd_sub(tensor: Any, indices: Any, updates: Any, name: Any = None) -> jax.Array:
    """Return `tensor` with values subtracted at places, one for each row of `indices`."""
    return jnp.asarray(tensor).at[_places(indices)].add(-jnp.asarray(updates))


@tensor_function
def size(input: Any, out_type: Any = "int32", name: Any = None) -> jax.Array:
    """Return the number of entries."""
    return jnp.asarray(jnp.size(input), str(out_type))


@tensor_function
def eye(
    num_rows: int, num_columns: int | None = None, batch_shape: Any = None, dtype: Any = "float32", name: Any = None
) -> jax.Array:
    """Return a matrix with ones on its diagonal; many of them with a `batch_shape`."""
    one = jnp.eye(int(num_rows), None if num_columns is None else int(num_columns), dtype=str(dtype))
    return jnp.broadcast_to(one, (*tuple(batch_shape or ()), *one.shape))


def is_tensor(x: Any) -> bool:
    """Return whether something is a tensor or a variable."""
    return isinstance(x, (jax.Array, Variable)) or graph.is_symbolic(x)


def no_op(name: Any = None) -> None:
    """Do nothing."""


def group(*inputs: Any, **_: Any) -> None:
    """Do nothing: what is passed has been computed."""


def control_dependencies(control_inputs: Any) -> contextlib.AbstractContextManager:
    """Return a context without effect: operations run in the order of the program."""
    return contextlib.nullcontext()


def py_function(func: Callable, inp: Any = (), Tout: Any = None, name: Any = None, **_: Any) -> Any:
    """Return what a Python function of tensors gives; inside a ``tf.function`` it needs `Tout` and runs on the host.

    Its results must have the shape of the first input there.
    """
    given = [text_tensor(one) if holds_text(one) else jnp.asarray(plain(one)) for one in inp]
    if not any(isinstance(one, jax.core.Tracer) for one in given):
        return func(*given)
    if scope.mapping:
        raise NeedsPythonError
    like = jax.ShapeDtypeStruct(given[0].shape, str(getattr(Tout, "name", Tout)))
    return jax.pure_callback(lambda *values: np.asarray(func(*map(jnp.asarray, values)), like.dtype), like, *given)


def numpy_function(func: Callable, inp: Any = (), Tout: Any = None, name: Any = None, **_: Any) -> Any:
    """Return what a function of numpy arrays gives, as `py_function` does; text comes as bytes."""

    def of_arrays(*tensors: Any) -> Any:
        return func(*(one.numpy() if holds_text(one) else np.asarray(one) for one in tensors))

    return py_function(of_arrays, inp, Tout)


def gradients(ys: Any, xs: Any, *_: Any, **__: Any) -> Any:
    """Raise RuntimeError, as TensorFlow does where values are computed at once."""
    raise RuntimeError(
        "tf.gradients is not supported when eager execution is enabled.\n"
        "Use tf.GradientTape: with tf.GradientTape() as tape: tape.watch(x); y = ...; then tape.gradient(y, x)."
    )
