"""The arguments that layers take beside their own, written once for type checkers and editors."""

from collections.abc import Callable
from typing import Any, TypedDict

#: What stands for a function or object, such as an activation: its name, its config, or it itself.
Identifier = str | dict[str, Any] | Callable[..., Any] | None


class OtherLayerOptions(TypedDict, total=False):
    """The `LayerOptions` of a layer that names its activity regularizer among its own arguments."""

    name: str | None
    trainable: bool
    dtype: Any
    autocast: bool
    input_shape: Any
    batch_input_shape: Any
    batch_shape: Any
    input_dim: int
    input_length: int | None
    batch_size: int | None
    weights: Any
    dynamic: bool


class LayerOptions(OtherLayerOptions, total=False):
    """The arguments of `Layer`, and those that give the first layer of a model the shape of its data."""

    activity_regularizer: Any
