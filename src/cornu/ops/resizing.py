"""Resizing of space by interpolation."""

from collections.abc import Sequence

import jax
from jax import Array

from cornu.core.graph import op

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


@op
def resize_space(x: Array, sizes: Sequence[int], axes: Sequence[int], interpolation: str = "bilinear") -> Array:
    """Return `x` with new `sizes` along some `axes`, its values interpolated; larger sizes only repeat or blend values.

    >>> import jax.numpy as jnp
    >>> resize_space(jnp.asarray([0.0, 1.0]), [4], [0]).tolist()
    [0.0, 0.25, 0.75, 1.0]
    """
    shape = list(x.shape)
    for axis, size in zip(axes, sizes, strict=True):
        shape[axis] = size
    return jax.image.resize(x, shape, interpolation, antialias=False)
