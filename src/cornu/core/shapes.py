"""Shapes, single or nested: of arrays, from JSON, and from ``input_shape=`` and its relatives."""

from typing import Any

import jax
import numpy as np

from cornu.core.graph import Shape, SymbolicTensor
from cornu.core.scope import scope


def shapes_of(structure: Any) -> Any:
    """Return the shapes of arrays or symbolic tensors, in the same nesting."""
    if structure is None:
        return None
    return jax.tree.map(shape_of, structure, is_leaf=lambda leaf: isinstance(leaf, SymbolicTensor))


def plain_shapes(shapes: Any) -> Any:
    """Return several shapes as plain tuples: a custom layer may check ``type(input_shape[0]) is tuple``."""
    return [tuple(shape) for shape in shapes] if isinstance(shapes, list) and not is_shape(shapes) else shapes


def shape_of(leaf: Any) -> Shape:
    """Return one shape; sizes in place of unknown axes are None again while shapes are inferred."""
    shape = getattr(leaf, "shape", ())
    if not scope.probes or not isinstance(leaf, jax.core.Tracer):
        return Shape(shape)
    return Shape(None if size in scope.probes else size for size in shape)


def is_shape(value: Any) -> bool:
    """Return whether `value` is one shape, such as ``(None, 28, 28)``."""
    return isinstance(value, (list, tuple)) and all(
        size is None or isinstance(size, (int, np.integer)) for size in value
    )


def shape_tuples(value: Any) -> Any:
    """Return shapes that JSON converted to lists as tuples, in the same nesting."""
    if is_shape(value):
        return Shape(value)
    if isinstance(value, dict):
        return {key: shape_tuples(item) for key, item in value.items()}
    return [shape_tuples(item) for item in value]


def tensors_of_shapes(shapes: Any, dtype: str) -> Any:
    """Return symbolic tensors of one shape or of nested ones."""
    if is_shape(shapes):
        return SymbolicTensor(shapes, dtype)
    if isinstance(shapes, dict):
        return {key: tensors_of_shapes(value, dtype) for key, value in shapes.items()}
    return [tensors_of_shapes(shape, dtype) for shape in shapes]


def batch_input_shape(kwargs: dict[str, Any]) -> tuple | None:
    """Return the input shape, batch axis included, that ``input_shape``, ``input_dim`` etc. describe, or None."""
    for name in ("batch_input_shape", "batch_shape"):
        if kwargs.get(name) is not None:
            return tuple(kwargs[name])
    shape = kwargs.get("input_shape")
    if shape is None and kwargs.get("input_dim") is not None:
        length = kwargs.get("input_length")
        has_length = "input_length" in kwargs
        shape = (length, kwargs["input_dim"]) if has_length else (kwargs["input_dim"],)
    elif shape is None and kwargs.get("input_length") is not None:
        shape = (kwargs["input_length"],)
    if shape is None:
        return None
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    return (kwargs.get("batch_size"), *shape)
