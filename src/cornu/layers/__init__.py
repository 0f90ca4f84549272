"""The layers, by Keras's names. Each lives in the file of its family, and its docstring names its Keras page."""

from typing import Any

from cornu.core import registry, serialization, spellings
from cornu.core.input_spec import InputSpec as InputSpec
from cornu.core.layer import Layer as Layer
from cornu.core.public import offer
from cornu.layers.activation import *
from cornu.layers.convolution import *
from cornu.layers.core import *
from cornu.layers.einsum import *
from cornu.layers.embedding import *
from cornu.layers.input import *
from cornu.layers.merging import *
from cornu.layers.normalization import *
from cornu.layers.padding import *
from cornu.layers.pooling import *
from cornu.layers.preprocessing import *
from cornu.layers.regularization import *
from cornu.layers.reshaping import *
from cornu.layers.time_distributed import *
from cornu.layers.upsampling import *


def serialize(layer: Layer) -> dict[str, Any]:
    """Return the config of a layer as plain data, in Keras 3's form."""
    return serialization.serialize(layer)


def deserialize(config_: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the layer that a config describes; `custom_objects` names classes and functions of one's own."""
    return serialization.deserialize(config_, custom_objects, registry.LAYERS)


def get(identifier: Any) -> Any:
    """Return a layer for a name, a config or a layer."""
    return serialization.get(identifier, registry.LAYERS)


__getattr__ = spellings.names_of(__name__)
offer(globals())
