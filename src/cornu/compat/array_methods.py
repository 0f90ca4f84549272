"""Methods of tensors that programs use and JAX's arrays lack: ``x.numpy()``, ``x.get_shape()``, ``x._keras_shape``."""

from typing import Any

import jax
import numpy as np

from cornu.core.graph import Shape
from cornu.core.jax_internals import array_class


def install() -> None:
    """Add these methods to JAX's arrays and tracers."""
    array: Any = array_class()
    if hasattr(array, "get_shape"):
        return
    array.numpy = _numpy
    kinds: tuple[Any, ...] = (array, jax.core.Tracer)
    for kind in kinds:
        kind.get_shape = _get_shape
        kind._keras_shape = property(lambda self: tuple(self.shape))


def _numpy(array: Any) -> np.ndarray:
    """Return a copy as a numpy array."""
    return np.array(array)


def _get_shape(array: Any) -> Shape:
    """Return the shape, which has ``as_list()``."""
    return Shape(array.shape)
