"""What programs ask of tensors, and JAX's arrays lack: ``x.numpy()``, ``x.get_shape()``, ``x._keras_shape``."""

from typing import Any

import jax
import numpy as np
from jax._src.array import ArrayImpl

from cornu.core.graph import Shape


def install() -> None:
    """Give JAX's arrays, and the stand-ins for them while a program is traced, these methods."""
    if hasattr(ArrayImpl, "get_shape"):
        return
    ArrayImpl.numpy = _numpy
    for kind in (ArrayImpl, jax.core.Tracer):
        kind.get_shape = _get_shape
        kind._keras_shape = property(lambda self: tuple(self.shape))


def _numpy(array: Any) -> np.ndarray:
    """Return the array as numpy's."""
    return np.asarray(array)


def _get_shape(array: Any) -> Shape:
    """Return the shape, which answers ``as_list()``."""
    return Shape(array.shape)
