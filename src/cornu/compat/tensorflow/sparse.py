"""``tf.SparseTensor``: values at indices of a shape, with the common functions of ``tf.sparse``.

Places are known on the host, values are arrays that gradients reach. Results have their places in order.
Follows https://www.tensorflow.org/api_docs/python/tf/sparse
"""

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import axes, tensor_function
from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.dtypes import array_type
from cornu.compat.tensorflow.linalg import matmul
from cornu.compat.tensorflow.nn import embedding_lookup
from cornu.compat.tensorflow.strings import text_tensor
from cornu.compat.tensorflow.tensors import TensorShape
from cornu.core.text import holds_text
from cornu.core.variable import plain
from cornu.data.dataset import EagerArray


@jax.tree_util.register_pytree_node_class
class SparseTensor:
    """Values at indices; the rest is zero. Stand-in for ``tf.SparseTensor``.

    >>> to_dense(SparseTensor([[0, 1]], [5.0], [2, 2])).tolist()
    [[0.0, 5.0], [0.0, 0.0]]
    """

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        self.indices = jnp.asarray(plain(indices))
        self.values = text_tensor(values) if holds_text(values) else jnp.asarray(plain(values))
        self.dense_shape = on_host(dense_shape).astype(np.int32).view(EagerArray)

    def tree_flatten(self) -> tuple:
        """Return its arrays, and its shape."""
        return (self.indices, self.values), tuple(self.dense_shape.tolist())

    @classmethod
    def tree_unflatten(cls, shape: tuple, arrays: Any) -> "SparseTensor":
        """Return the tensor with these arrays."""
        made = object.__new__(cls)
        (made.indices, made.values), made.dense_shape = arrays, np.array(shape, np.int32).view(EagerArray)
        return made

    dtype = property(lambda self: self.values.dtype)

    @property
    def shape(self) -> TensorShape:
        """The shape."""
        return TensorShape(np.asarray(self.dense_shape).tolist())

    def get_shape(self) -> TensorShape:
        """Return the shape."""
        return self.shape

    def with_values(self, new_values: Any) -> "SparseTensor":
        """Return the same places with other values."""
        return SparseTensor(self.indices, new_values, self.dense_shape)

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> "SparseTensor":
        """Return a sparse tensor, or the value of one, as a sparse tensor."""
        return cls(*(getattr(sparse_tensor_value, name) for name in ("indices", "values", "dense_shape")))

    def _with_entries(self, other: Any, compute: Callable[[Any, Any], Any]) -> "SparseTensor":
        whole = jnp.broadcast_to(jnp.asarray(plain(other)), tuple(self.shape))
        return self.with_values(compute(self.values, whole[_places(self)]))

    def __mul__(self, other: Any) -> "SparseTensor":
        return self._with_entries(other, operator.mul)

    def __truediv__(self, other: Any) -> "SparseTensor":
        return self._with_entries(other, operator.truediv)

    __rmul__ = __mul__

    def __repr__(self) -> str:
        parts = (f"{name}={getattr(self, name)!s}" for name in ("indices", "values", "dense_shape"))
        return f"SparseTensor({', '.join(parts)})"

    __str__ = __repr__


def _places(sp: SparseTensor) -> tuple:
    return tuple(jnp.moveaxis(sp.indices, -1, 0))


def _in_order(indices: Any, values: Any, sizes: Any) -> SparseTensor:
    """Return the tensor of entries in any order."""
    places = np.asarray(indices).reshape(-1, len(sizes))
    order = np.lexsort(places.T[::-1])
    return SparseTensor(places[order], values[order], sizes)


def _dense(sp: SparseTensor, fill: Any = 0) -> Any:
    if holds_text(sp.values):
        whole = np.full(tuple(sp.shape), fill or "", object)
        whole[tuple(on_host(sp.indices).T)] = np.asarray(sp.values)
        return text_tensor(whole)
    start = jnp.full(tuple(sp.shape), fill, sp.values.dtype)
    return start.at[_places(sp)].set(sp.values)


def to_dense(sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: Any = None) -> Any:
    """Return the tensor with all its entries; what a `VarLenFeature` gives here has them already."""
    if not isinstance(sp_input, SparseTensor):
        return sp_input
    return _dense(sp_input, 0 if default_value is None else plain(default_value))


def from_dense(tensor: Any, name: Any = None) -> SparseTensor:
    """Return the entries of a tensor that are not zero."""
    array = on_host(tensor)
    places = np.argwhere(array)
    return SparseTensor(places, array[tuple(places.T)], array.shape)


def reorder(sp_input: SparseTensor, name: Any = None) -> SparseTensor:
    """Return the entries in the order of their places."""
    return _in_order(on_host(sp_input.indices), sp_input.values, sp_input.dense_shape)


def reduce_sum(
    sp_input: SparseTensor, axis: Any = None, keepdims: Any = False, output_is_sparse: bool = False, name: Any = None
) -> Any:
    """Return the sum along axes."""
    found = jnp.sum(_dense(sp_input), axes(axis), keepdims=bool(keepdims))
    return from_dense(found) if output_is_sparse else found


def reduce_max(
    sp_input: SparseTensor, axis: Any = None, keepdims: Any = False, output_is_sparse: bool = False, name: Any = None
) -> Any:
    """Return the largest entry along axes, 0 where there is none."""
    kind = sp_input.values.dtype
    least = np.array(-np.inf if np.issubdtype(kind, np.floating) else np.iinfo(kind).min, kind)
    found = jnp.max(_dense(sp_input, least), axes(axis), keepdims=bool(keepdims))
    found = jnp.where(found == least, jnp.zeros((), kind), found)
    return from_dense(found) if output_is_sparse else found


def sparse_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: Any = None
) -> jax.Array:
    """Return the product of a sparse and another matrix."""
    one, other = (_dense(each) if isinstance(each, SparseTensor) else each for each in (sp_a, b))
    return matmul(one, other, adjoint_a=adjoint_a, adjoint_b=adjoint_b)


def reshape(sp_input: SparseTensor, shape: Any, name: Any = None) -> SparseTensor:
    """Return the entries in another shape."""
    flat = np.ravel_multi_index(tuple(on_host(sp_input.indices).T), tuple(sp_input.shape))
    sizes = np.empty(tuple(sp_input.shape), "V0").reshape([int(size) for size in shape]).shape
    return SparseTensor(np.stack(np.unravel_index(flat, sizes), -1), sp_input.values, sizes)


# ---- in other places


def transpose(sp_input: SparseTensor, perm: Any = None, name: Any = None) -> SparseTensor:
    """Return the entries with the axes in another order, reversed by default."""
    order = [int(axis) for axis in (range(len(sp_input.shape))[::-1] if perm is None else on_host(perm))]
    sizes = [sp_input.shape[axis] for axis in order]
    return _in_order(on_host(sp_input.indices)[:, order], sp_input.values, sizes)


def expand_dims(sp_input: SparseTensor, axis: Any = None, name: Any = None) -> SparseTensor:
    """Return the entries with one more axis, by default the last."""
    rank = len(sp_input.shape)
    at = range(rank + 1)[-1 if axis is None else int(axis)]
    sizes = np.insert(np.asarray(sp_input.dense_shape), at, 1)
    return SparseTensor(np.insert(on_host(sp_input.indices), at, 0, 1), sp_input.values, sizes)


def concat(
    axis: Any, sp_inputs: Sequence[SparseTensor], expand_nonconcat_dims: bool = False, name: Any = None
) -> SparseTensor:
    """Return tensors joined along an axis. ValueError if the others differ, unless with `expand_nonconcat_dims`."""
    tensors = list(sp_inputs)
    shapes = np.array([list(one.shape) for one in tensors])
    at = range(shapes.shape[1])[int(axis)]
    starts = np.cumsum(shapes[:, at]) - shapes[:, at]
    sizes = shapes.max(0)
    sizes[at] = shapes[:, at].sum()
    if not expand_nonconcat_dims and not (np.delete(shapes, at, 1) == np.delete(sizes, at)).all():
        raise ValueError(f"tf.sparse.concat: only axis {at} may differ; got the shapes {shapes.tolist()}.")
    moved = [
        on_host(one.indices) + start * (np.arange(len(sizes)) == at) for one, start in zip(tensors, starts, strict=True)
    ]
    return _in_order(np.concatenate(moved), _joined([one.values for one in tensors]), sizes)


def _joined(values: Sequence[Any]) -> Any:
    if any(map(holds_text, values)):
        return text_tensor(np.concatenate([np.asarray(one) for one in values]))
    return jnp.concatenate(values)


def slice(sp_input: SparseTensor, start: Any, size: Any, name: Any = None) -> SparseTensor:
    """Return the part of a tensor from `start` on, of up to `size`."""
    low, most = on_host(start), on_host(size)
    high = np.minimum(low + most, np.asarray(sp_input.dense_shape))
    places = on_host(sp_input.indices)
    inside = ((places >= low) & (places < high)).all(-1)
    return SparseTensor(places[inside] - low, sp_input.values[inside], np.maximum(high - low, 0))


def split(sp_input: SparseTensor, num_split: Any, axis: Any, name: Any = None) -> list[SparseTensor]:
    """Return parts along an axis, of which the first ones are longer by one if they cannot be equal."""
    sizes = np.asarray(sp_input.dense_shape)
    at = range(len(sizes))[int(axis)]
    lengths = [len(part) for part in np.array_split(np.arange(sizes[at]), int(num_split))]
    is_axis = np.arange(len(sizes)) == at
    parts = zip(np.cumsum(lengths) - lengths, lengths, strict=True)
    return [slice(sp_input, start * is_axis, np.where(is_axis, length, sizes)) for start, length in parts]


def retain(sp_input: SparseTensor, to_retain: Any) -> SparseTensor:
    """Return the entries for which a vector is true."""
    kept = on_host(to_retain)
    return SparseTensor(sp_input.indices[kept], sp_input.values[kept], sp_input.dense_shape)


def reset_shape(sp_input: SparseTensor, new_shape: Any = None) -> SparseTensor:
    """Return the entries in a tensor of another shape, by default the smallest that has all of them."""
    least = on_host(sp_input.indices).max(0, initial=-1) + 1
    wanted = least if new_shape is None else on_host(new_shape)
    if (wanted < least).any():
        raise ValueError(f"tf.sparse.reset_shape: the entries need the shape {least.tolist()}; got {wanted.tolist()}.")
    return SparseTensor(sp_input.indices, sp_input.values, wanted)


def fill_empty_rows(sp_input: SparseTensor, default_value: Any, name: Any = None) -> tuple[SparseTensor, np.ndarray]:
    """Return the tensor with a value at the start of each row that had none, and which rows these are."""
    places, rows = on_host(sp_input.indices), int(sp_input.shape[0])
    is_empty = np.bincount(places[:, 0], minlength=rows) == 0
    added = np.zeros((is_empty.sum(), places.shape[1]), places.dtype)
    added[:, 0] = np.flatnonzero(is_empty)
    filling = jnp.full(len(added), plain(default_value), sp_input.values.dtype)
    filled = _in_order(
        np.concatenate([places, added]), jnp.concatenate([sp_input.values, filling]), sp_input.dense_shape
    )
    return filled, is_empty.view(EagerArray)


# ---- with other values


def map_values(op: Callable, *args: Any, **kwargs: Any) -> SparseTensor:
    """Return the same places with a function of the values of sparse tensors."""
    form = next(one for one in (*args, *kwargs.values()) if isinstance(one, SparseTensor))
    value = lambda one: one.values if isinstance(one, SparseTensor) else one  # noqa: E731
    return form.with_values(op(*map(value, args), **{key: value(one) for key, one in kwargs.items()}))


def softmax(sp_input: SparseTensor, name: Any = None) -> SparseTensor:
    """Return the softmax of the entries of each row, as if no others were there."""
    return from_places(sp_input, jax.nn.softmax(_dense(sp_input, -jnp.inf)))


def from_places(sp_input: SparseTensor, whole: jax.Array) -> SparseTensor:
    """Return the same places with the values that another tensor has there."""
    return sp_input.with_values(whole[_places(sp_input)])


def _combined(function: Callable, sp_a: SparseTensor, sp_b: SparseTensor) -> SparseTensor:
    """Return a function of two tensors at the places of both."""
    places = np.unique(np.concatenate([on_host(sp_a.indices), on_host(sp_b.indices)]), axis=0)
    whole = function(_dense(sp_a), _dense(sp_b))
    return SparseTensor(places, whole[tuple(places.T)], sp_a.dense_shape)


def maximum(sp_a: SparseTensor, sp_b: SparseTensor, name: Any = None) -> SparseTensor:
    """Return the larger entry at each place."""
    return _combined(jnp.maximum, sp_a, sp_b)


def minimum(sp_a: SparseTensor, sp_b: SparseTensor, name: Any = None) -> SparseTensor:
    """Return the smaller entry at each place."""
    return _combined(jnp.minimum, sp_a, sp_b)


def add(a: Any, b: Any, threshold: Any = 0) -> Any:
    """Return the sum, which is sparse if both are: then without sums whose size is below a `threshold` above 0."""
    if not (isinstance(a, SparseTensor) and isinstance(b, SparseTensor)):
        one, other = (_dense(each) if isinstance(each, SparseTensor) else jnp.asarray(plain(each)) for each in (a, b))
        return one + other
    found = _combined(jnp.add, a, b)
    return retain(found, np.abs(on_host(found.values)) >= threshold)


def to_indicator(sp_input: SparseTensor, vocab_size: Any, name: Any = None) -> jax.Array:
    """Return whether each number below `vocab_size` is a value of each row."""
    rows = on_host(sp_input.indices)[:, :-1]
    found = np.zeros((*sp_input.shape[:-1], int(vocab_size)), bool)
    found[(*rows.T, on_host(sp_input.values))] = True
    return jnp.asarray(found)


def eye(num_rows: Any, num_columns: Any = None, dtype: Any = "float32", name: Any = None) -> SparseTensor:
    """Return the matrix with ones on its diagonal."""
    rows = int(num_rows)
    columns = rows if num_columns is None else int(num_columns)
    return from_dense(np.eye(rows, columns, dtype=array_type(dtype)))


def bincount(
    values: Any, weights: Any = None, axis: Any = 0, minlength: Any = None, maxlength: Any = None,
    binary_output: bool = False, name: Any = None,
) -> SparseTensor:  # fmt: skip
    """Return how often each number is in each row (`axis` -1), or in the whole tensor (`axis` 0).

    With `weights` their sums, with `binary_output` ones. Numbers of `maxlength` and above do not count.
    """
    array = on_host(values)
    flat = array.reshape(1, -1) if axis in (0, None) else array.reshape(-1, array.shape[-1])
    counted = np.ones(flat.shape, np.int32) if weights is None else on_host(weights).reshape(flat.shape)
    limit = int(np.max(flat, initial=-1)) + 1
    width = max(limit, int(minlength or 0)) if maxlength is None else int(maxlength)
    found, is_met = (
        np.zeros((len(flat), max(width, limit)), counted.dtype),
        np.zeros((len(flat), max(width, limit)), bool),
    )
    rows = np.arange(len(flat))[:, None]
    np.add.at(found, (rows, flat), counted)
    is_met[rows, flat] = True
    found = is_met.astype(np.int32) if binary_output else found
    shape = (width,) if axis in (0, None) else (*array.shape[:-1], width)
    places = np.argwhere(is_met[:, :width].reshape(shape))
    return SparseTensor(places, found[:, :width].reshape(shape)[tuple(places.T)], shape)


# ---- sums of rows


def _by_segment(power: float) -> Callable:
    @tensor_function
    def call(
        data: Any, indices: Any, segment_ids: Any, num_segments: Any = None, name: Any = None, *_: Any
    ) -> jax.Array:
        segments = on_host(segment_ids)
        count = int(np.max(segments, initial=-1)) + 1 if num_segments is None else int(num_segments)
        sums = jax.ops.segment_sum(jnp.asarray(data)[jnp.asarray(indices)], segments, count)
        sizes = np.maximum(np.bincount(segments, minlength=count), 1) ** power
        return sums / sizes.reshape(-1, *[1] * (sums.ndim - 1)).astype(sums.dtype) if power else sums

    return call


segment_sum, segment_mean, segment_sqrt_n = _by_segment(0.0), _by_segment(1.0), _by_segment(0.5)
segment_sum.__doc__ = "Return the sum of the rows `indices` of `data` for each segment."
segment_mean.__doc__ = "Return the mean of the rows `indices` of `data` for each segment."
segment_sqrt_n.__doc__ = (
    "Return the sum of the rows `indices` for each segment, divided by the root of how many they are."
)


def embedding_lookup_sparse(
    params: Any, sp_ids: SparseTensor, sp_weights: SparseTensor | None = None, combiner: str | None = None,
    max_norm: Any = None, name: Any = None, allow_fast_lookup: bool = False,
) -> jax.Array:  # fmt: skip
    """Return the mean (or `combiner`: ``"sum"``, ``"sqrtn"``) of the rows of a table for each row of numbers.

    Rows may be weighted by `sp_weights`; those longer than `max_norm` are scaled down to it.
    """
    combiner = combiner or "mean"
    if combiner not in ("mean", "sum", "sqrtn"):
        raise ValueError(f"combiner must be 'mean', 'sum' or 'sqrtn'; got {combiner!r}.")
    rows, count = on_host(sp_ids.indices)[:, 0], int(sp_ids.shape[0])
    found = embedding_lookup(params, sp_ids.values, max_norm)
    weights = jnp.ones(len(rows), found.dtype) if sp_weights is None else sp_weights.values.astype(found.dtype)
    sums = functools.partial(jax.ops.segment_sum, segment_ids=rows, num_segments=count)
    column = (-1, *[1] * (found.ndim - 1))
    total = sums(found * weights.reshape(column))
    if combiner == "sum":
        return total
    scale = sums(weights) if combiner == "mean" else jnp.sqrt(sums(jnp.square(weights)))
    scale = scale.reshape(column)
    return jnp.where(scale == 0, jnp.zeros((), total.dtype), total / jnp.where(scale == 0, 1, scale))


def safe_embedding_lookup_sparse(
    embedding_weights: Any, sparse_ids: SparseTensor, sparse_weights: SparseTensor | None = None,
    combiner: str | None = "mean", default_id: Any = None, max_norm: Any = None, name: Any = None,
    allow_fast_lookup: bool = False,
) -> jax.Array:  # fmt: skip
    """Return `embedding_lookup_sparse` without negative numbers; rows without any are zeros, or `default_id`'s."""
    is_valid = on_host(sparse_ids.values) >= 0
    if sparse_weights is not None and combiner != "sum":
        is_valid &= on_host(sparse_weights.values) > 0
    ids, is_empty = fill_empty_rows(retain(sparse_ids, is_valid), default_id or 0)
    weights = None if sparse_weights is None else fill_empty_rows(retain(sparse_weights, is_valid), 1.0)[0]
    found = embedding_lookup_sparse(embedding_weights, ids, weights, combiner, max_norm)
    if default_id is not None:
        return found
    return jnp.where(jnp.asarray(is_empty).reshape(-1, *[1] * (found.ndim - 1)), jnp.zeros((), found.dtype), found)
