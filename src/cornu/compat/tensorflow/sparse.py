"""``tf.SparseTensor``: values at indices of a shape, with the common functions of ``tf.sparse``."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import axes
from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.tensors import TensorShape
from cornu.core.variable import plain
from cornu.data.dataset import EagerArray


@jax.tree_util.register_pytree_node_class
class SparseTensor:
    """Values at indices; the rest is zero. Stand-in for ``tf.SparseTensor``.

    >>> to_dense(SparseTensor([[0, 1]], [5.0], [2, 2])).tolist()
    [[0.0, 5.0], [0.0, 0.0]]
    """

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        self.indices, self.values = jnp.asarray(plain(indices)), jnp.asarray(plain(values))
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

    def __repr__(self) -> str:
        return f"SparseTensor(indices={self.indices}, values={self.values}, dense_shape={self.dense_shape})"


def _dense(sp: SparseTensor, fill: Any = 0) -> jax.Array:
    start = jnp.full(tuple(sp.shape), fill, sp.values.dtype)
    return start.at[tuple(jnp.moveaxis(sp.indices, -1, 0))].set(sp.values)


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
    order = np.lexsort(on_host(sp_input.indices).T[::-1])
    return SparseTensor(sp_input.indices[order], sp_input.values[order], sp_input.dense_shape)


def reduce_sum(sp_input: SparseTensor, axis: Any = None, keepdims: bool = False, **_: Any) -> jax.Array:
    """Return the sum along axes."""
    return jnp.sum(_dense(sp_input), axes(axis), keepdims=bool(keepdims))


def sparse_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: Any = None
) -> jax.Array:
    """Return the product of a sparse and another matrix."""
    one, other = (_dense(each) if isinstance(each, SparseTensor) else jnp.asarray(plain(each)) for each in (sp_a, b))
    return (one.T if adjoint_a else one) @ (other.T if adjoint_b else other)


def reshape(sp_input: SparseTensor, shape: Any, name: Any = None) -> SparseTensor:
    """Return the entries in another shape."""
    flat = np.ravel_multi_index(tuple(on_host(sp_input.indices).T), tuple(sp_input.shape))
    sizes = np.empty(tuple(sp_input.shape), "V0").reshape([int(size) for size in shape]).shape
    return SparseTensor(np.stack(np.unravel_index(flat, sizes), -1), sp_input.values, sizes)
