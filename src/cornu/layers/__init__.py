"""The layers under Keras's names.

Read `core.py` first: `Dense` is the shortest complete layer, and `core/layer.py` has the base class. Each family of
layers has one file (`convolution.py`, `pooling.py`, `normalization.py`, ...). `argument_checks.py` and
`window_arguments.py` hold the checks that they share.
"""

from typing import Any

from cornu.core import registry, serialization, spellings
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from cornu.layers.convolution import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from cornu.layers.core import Dense, Identity, Lambda, Masking, Wrapper
from cornu.layers.einsum import EinsumDense
from cornu.layers.embedding import Embedding
from cornu.layers.input import Input, InputLayer
from cornu.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from cornu.layers.normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    SpectralNormalization,
    UnitNormalization,
)
from cornu.layers.padding import Cropping1D, Cropping2D, Cropping3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from cornu.layers.pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from cornu.layers.preprocessing import Rescaling
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
from cornu.layers.time_distributed import TimeDistributed
from cornu.layers.upsampling import UpSampling1D, UpSampling2D, UpSampling3D


def serialize(layer: Layer) -> dict[str, Any]:
    """Return the config of a layer as plain data, in Keras 3's form.

    >>> serialize(Dense(2))["class_name"]
    'Dense'
    """
    return serialization.serialize(layer)


def deserialize(config_: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the layer that a config describes.

    Args:
        config_: What `serialize` returns, or a config of any Keras version.
        custom_objects: Custom classes and functions by name.

    Raises:
        ValueError: The config is malformed, or names an unknown class.

    >>> deserialize(serialize(Dense(2))).units
    2
    """
    return serialization.deserialize(config_, custom_objects, registry.LAYERS)


def get(identifier: Any) -> Any:
    """Return a layer from a name, a config, or a layer (returned as it is)."""
    return serialization.get(identifier, registry.LAYERS)


__getattr__ = spellings.names_of(__name__)

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AlphaDropout",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "BatchNormalization",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "SeparableConv1D",
    "SeparableConv2D",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "get",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
