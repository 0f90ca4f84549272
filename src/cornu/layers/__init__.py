"""The layers, by Keras's names. Each lives in the file of its family, and its docstring names its Keras page."""

from typing import Any

from cornu.core import config, registry
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from cornu.layers.core import Dense, Identity, Lambda, Masking, Wrapper
from cornu.layers.input import Input, InputLayer
from cornu.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from cornu.layers.reshaping import Flatten, Permute, RepeatVector, Reshape


def serialize(layer: Layer) -> dict[str, Any]:
    """Return the config of a layer as plain data, in Keras 3's form."""
    return config.serialize(layer)


def deserialize(config_: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the layer that a config describes; `custom_objects` names classes and functions of one's own."""
    return config.deserialize(config_, custom_objects, registry.LAYERS)


def get(identifier: Any) -> Any:
    """Return a layer for a name, a config or a layer."""
    return config.get(identifier, registry.LAYERS)


__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "Dense",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "Lambda",
    "Layer",
    "LeakyReLU",
    "Masking",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "Wrapper",
    "deserialize",
    "get",
    "serialize",
]
