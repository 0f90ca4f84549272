"""Utilities of `keras.utils` for batches, configs and the state of the session."""

from typing import Any

from cornu.core import names, serialization
from cornu.core.graph import SymbolicTensor


def clear_session(free_memory: bool = True) -> None:
    """Restart the numbering of names: the next Dense layer is called ``dense``. There is nothing else to clear."""
    names.forget_names()


def is_keras_tensor(x: Any) -> bool:
    """Return whether `x` is a symbolic tensor, such as `Input` returns.

    >>> is_keras_tensor([1.0])
    False
    """
    return isinstance(x, SymbolicTensor)


def serialize_keras_object(obj: Any) -> Any:
    """Return an object as plain data: class name, config, and the name it was registered under.

    >>> import cornu
    >>> serialize_keras_object(cornu.layers.Dense(2))["class_name"]
    'Dense'
    """
    return serialization.serialize(obj)


def deserialize_keras_object(
    config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True, **_: Any
) -> Any:
    """Return the object that a config describes. No code in the config is ever run.

    Args:
        config: The result of `serialize_keras_object`, or a config of any Keras version.
        custom_objects: Custom classes and functions by name.
        safe_mode: Accepted; loading is always safe.

    Raises:
        ValueError: The config is malformed, or names an unknown class.

    >>> import cornu
    >>> deserialize_keras_object(serialize_keras_object(cornu.layers.Dense(2))).units
    2
    """
    return serialization.deserialize(config, custom_objects)


def get_source_inputs(tensor: SymbolicTensor) -> list[SymbolicTensor]:
    """Return the `Input` tensors that a symbolic tensor is computed from, each once."""
    found: dict[int, SymbolicTensor] = {}
    stack, seen = [tensor], set()
    while stack:
        one = stack.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if one.node is None or not one.node.inputs:
            found[id(one)] = one
        else:
            stack.extend(reversed(one.node.inputs))
    return list(found.values())


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return a batch in the form that `fit` takes: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``.

    >>> pack_x_y_sample_weight(1, 2)
    (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return the inputs, targets and weights of a batch, None for missing parts.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if len(data) > 3:
        raise ValueError(f"A batch is x, (x, y) or (x, y, sample_weight); this one has {len(data)} parts.")
    return (*data, None, None)[:3]
