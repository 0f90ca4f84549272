"""The layers under Keras's names.

Read `core.py` first: `Dense` is the shortest complete layer, and `core/layer.py` has the base class. Each family of
layers has one file (`convolution.py`, `pooling.py`, `normalization.py`, ...). `argument_checks.py` and
`window_arguments.py` hold the checks that they share.
"""

from typing import Any

from cornu.core import registry, serialization, spellings
from cornu.core.input_spec import InputSpec as InputSpec
from cornu.core.layer import Layer as Layer
from cornu.core.public import offer
from cornu.layers.activation import *
from cornu.layers.attention import *
from cornu.layers.convolution import *
from cornu.layers.core import *
from cornu.layers.einsum import *
from cornu.layers.embedding import *
from cornu.layers.feature_preprocessing import *
from cornu.layers.image_preprocessing import *
from cornu.layers.input import *
from cornu.layers.locally_connected import *
from cornu.layers.merging import *
from cornu.layers.multi_head_attention import *
from cornu.layers.normalization import *
from cornu.layers.padding import *
from cornu.layers.pooling import *
from cornu.layers.preprocessing import *
from cornu.layers.recurrent import *
from cornu.layers.regularization import *
from cornu.layers.reshaping import *
from cornu.layers.residual import *
from cornu.layers.spectrograms import *
from cornu.layers.standardization import *
from cornu.layers.time_distributed import *
from cornu.layers.upsampling import *


def serialize(layer: Layer) -> dict[str, Any]:
    """Return the config of a layer as plain data, in Keras 3's form.

    >>> serialize(Dense(2))["class_name"]
    'Dense'
    """
    return serialization.serialize(layer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the layer that a config describes.

    Args:
        config: What `serialize` returns, or a config of any Keras version.
        custom_objects: Custom classes and functions by name.

    Raises:
        ValueError: The config is malformed, or names an unknown class.

    >>> deserialize(serialize(Dense(2))).units
    2
    """
    return serialization.deserialize(config, custom_objects, registry.LAYERS)


def get(identifier: Any) -> Any:
    """Return a layer from a name, a config, or a layer (returned as it is)."""
    return serialization.get(identifier, registry.LAYERS)


__getattr__ = spellings.names_of(__name__)
offer(globals())
