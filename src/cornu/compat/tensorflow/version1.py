"""Functions that TensorFlow 1 alone has (``tf.compat.v1``), beside those whose keywords differ."""

from typing import Any

import jax
import jax.numpy as jnp

from cornu.compat.backend.calls import tensor_function
from cornu.compat.tensorflow.functions import cast
from cornu.compat.tensorflow.images import resize
from cornu.compat.tensorflow.sparse import SparseTensor, to_dense


def to_float(x: Any, name: Any = None) -> Any:
    """Return a tensor as float32."""
    return cast(x, "float32")


def to_double(x: Any, name: Any = None) -> Any:
    """Return a tensor as float64."""
    return cast(x, "float64")


def to_int32(x: Any, name: Any = None) -> Any:
    """Return a tensor as int32."""
    return cast(x, "int32")


to_int64 = to_int32


@tensor_function
def div(x: Any, y: Any, name: Any = None) -> jax.Array:
    """Return the quotient, of integers rounded down."""
    x, y = jnp.asarray(x), jnp.asarray(y)
    return x / y if jnp.issubdtype(jnp.result_type(x, y), jnp.inexact) else x // y


def assign(ref: Any, value: Any, *_: Any, **__: Any) -> Any:
    """Set a variable; returns it."""
    return ref.assign(value)


def assign_add(ref: Any, value: Any, *_: Any, **__: Any) -> Any:
    """Add to a variable; returns it."""
    return ref.assign_add(value)


def assign_sub(ref: Any, value: Any, *_: Any, **__: Any) -> Any:
    """Subtract from a variable; returns it."""
    return ref.assign_sub(value)


def make_one_shot_iterator(dataset: Any, *_: Any) -> Any:
    """Return an iterator of a data set, with ``get_next``."""
    return dataset.make_one_shot_iterator()


def sparse_to_dense(
    sparse_indices: Any, output_shape: Any, sparse_values: Any, default_value: Any = 0, *_: Any, **__: Any
) -> jax.Array:
    """Return a tensor with values at indices, and `default_value` elsewhere."""
    indices = jnp.asarray(sparse_indices)
    indices = indices.reshape(-1, 1) if indices.ndim < 2 else indices
    values = jnp.broadcast_to(jnp.asarray(sparse_values), indices.shape[:1])
    return to_dense(SparseTensor(indices, values, output_shape), default_value)


def _resized(method: str) -> Any:
    def call(images: Any, size: Any, align_corners: bool = False, name: Any = None, **_: Any) -> Any:
        if align_corners:
            raise ValueError("align_corners=True of TensorFlow 1 is not here: TensorFlow 2 dropped it.")
        return resize(images, size, method)

    call.__doc__ = f"Return pictures of another size by the method {method!r}, with the pixels of TensorFlow 2."
    return call


resize_bilinear, resize_nearest_neighbor = _resized("bilinear"), _resized("nearest")
resize_bicubic, resize_area = _resized("bicubic"), _resized("area")
