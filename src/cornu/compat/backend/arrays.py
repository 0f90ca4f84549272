"""The functions of `keras.backend` about shapes, products and elementwise mathematics that `cornu.ops` does not have.

Follows https://keras.io/2.2.4 ``keras.backend`` as programs of that time use it.
"""

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu import ops
from cornu.compat.backend.calls import floats, tensor_function
from cornu.core import settings
from cornu.ops import image

# ---- one value for each element


@tensor_function
def sqrt(x: Any) -> jax.Array:
    """Return the square root; 0 for negative numbers, which rounding may cause."""
    return jnp.sqrt(jnp.maximum(floats(x), 0))


@tensor_function
def clip(x: Any, min_value: Any, max_value: Any) -> jax.Array:
    """Clip to a range; None leaves an end open."""
    if max_value is not None and min_value is not None and isinstance(max_value, (int, float)):
        max_value = max_value if isinstance(min_value, jax.Array) or max_value >= min_value else min_value
    return jnp.clip(x, min_value, max_value)


def cast_to_floatx(x: Any) -> Any:
    """Return `x` as an array of the default float dtype: numpy unless it is a tensor."""
    return (
        tensor_function(ops.cast)(x, settings.floatx())
        if hasattr(x, "node") or isinstance(x, jax.Array)
        else np.asarray(x, settings.floatx())
    )


# ---- products


@tensor_function
def batch_dot(x: Any, y: Any, axes: Any = None) -> jax.Array:
    """Multiply sample by sample along one axis of each: (batch, rest of x, rest of y), at least two axes.

    `axes` is one number for both, or two; None means the last of `x` and the second to last of `y`.
    """
    x, y = jnp.asarray(x), jnp.asarray(y)
    if axes is None:
        axes = (x.ndim - 1, y.ndim - 1 if y.ndim == 2 else y.ndim - 2)
    first, second = (axes, axes) if isinstance(axes, int) else axes
    names_x, names_y = list(range(x.ndim)), [0, *range(x.ndim, x.ndim + y.ndim - 1)]
    names_y[second % y.ndim] = first % x.ndim
    rest = [name for name in (*names_x[1:], *names_y[1:]) if name != first % x.ndim]
    result = jnp.einsum(x, names_x, y, names_y, [0, *rest])
    return result[:, None] if result.ndim == 1 else result


# ---- shapes


@tensor_function
def reshape(x: Any, shape: Sequence[Any]) -> jax.Array:
    """Return the same values in another shape; -1 or None is the remaining size."""
    return jnp.reshape(jnp.asarray(x), [-1 if size is None else int(size) for size in shape])


@tensor_function
def batch_flatten(x: Any) -> jax.Array:
    """Return rows of one axis."""
    x = jnp.asarray(x)
    return x.reshape(x.shape[0], math.prod(x.shape[1:]))


@tensor_function
def repeat(x: Any, n: int) -> jax.Array:
    """Repeat each row: (rows, size) becomes (rows, n, size)."""
    return jnp.repeat(jnp.asarray(x)[:, None], n, axis=1)


@tensor_function
def slice(x: Any, start: Sequence[int], size: Sequence[int]) -> jax.Array:
    """Return the slice of a size that begins at `start`; -1 means all the rest."""
    x = jnp.asarray(x)
    ends = [
        whole if length == -1 else first + length for whole, first, length in zip(x.shape, start, size, strict=True)
    ]
    return x[tuple(map(_slice, start, ends))]


def _slice(first: int, end: int) -> Any:
    return np.s_[first:end]


@tensor_function
def gather(reference: Any, indices: Any) -> jax.Array:
    """Return the entries of the first axis at `indices`."""
    return jnp.take(jnp.asarray(reference), jnp.asarray(indices, "int32"), axis=0)


@tensor_function
def one_hot(indices: Any, num_classes: int) -> jax.Array:
    """Return one-hot rows for class numbers, which may be floats."""
    return ops.one_hot(jnp.asarray(indices).astype("int32"), num_classes)


# ---- images and sequences


@tensor_function
def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str | None = None, interpolation: str = "nearest"
) -> jax.Array:
    """Enlarge images by integer factors, by repeating (nearest) or bilinear interpolation."""
    return image.enlarge(x, (height_factor, width_factor), data_format, interpolation)


@tensor_function
def resize_volumes(
    x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str | None = None
) -> jax.Array:
    """Enlarge volumes by integer factors, by repeating."""
    return image.enlarge(x, (depth_factor, height_factor, width_factor), data_format)


@tensor_function
def temporal_padding(x: Any, padding: tuple[int, int] = (1, 1)) -> jax.Array:
    """Add zeros before and after the steps."""
    return jnp.pad(x, ((0, 0), tuple(padding), (0, 0)))


def _spatial_padding(x: Any, padding: Sequence, data_format: str | None) -> jax.Array:
    pairs = [tuple(pair) for pair in padding]
    last = settings.standardize_data_format(data_format) == "channels_last"
    return jnp.pad(x, [(0, 0), *pairs, (0, 0)] if last else [(0, 0), (0, 0), *pairs])


@tensor_function
def spatial_2d_padding(x: Any, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> jax.Array:
    """Add zeros around images."""
    return _spatial_padding(x, padding, data_format)


@tensor_function
def spatial_3d_padding(x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None) -> jax.Array:
    """Add zeros around volumes."""
    return _spatial_padding(x, padding, data_format)
