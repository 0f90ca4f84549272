"""ConvNeXt Tiny to XLarge: convolutions arranged as in a vision transformer (https://arxiv.org/abs/2201.03545)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu import layers
from cornu.applications import imagenet_utils
from cornu.applications.base import (
    KERAS_APPLICATIONS,
    Options,
    finished,
    images,
    needs_channels_last,
    pooled,
    preprocessing,
)
from cornu.applications.imagenet_utils import decode_predictions
from cornu.applications.variants import INCLUDE_PREPROCESSING, named, published_size
from cornu.core.names import unique_number
from cornu.core.public import offer
from cornu.layers.residual import LayerScale, StochasticDepth
from cornu.models.model import Functional
from cornu.models.sequential import Sequential

DIGESTS = {
    "tiny": (
        "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    ),
    "small": (
        "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
        "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
    ),
    "base": (
        "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
        "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
    ),
    "large": (
        "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
        "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
    ),
    "xlarge": (
        "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
        "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
    ),
}
#: Size -> numbers of blocks of the four stages, and their numbers of filters.
SIZES = {
    "tiny": ((3, 3, 9, 3), (96, 192, 384, 768)),
    "small": ((3, 3, 27, 3), (96, 192, 384, 768)),
    "base": ((3, 3, 27, 3), (128, 256, 512, 1024)),
    "large": ((3, 3, 27, 3), (192, 384, 768, 1536)),
    "xlarge": ((3, 3, 27, 3), (256, 512, 1024, 2048)),
}
MEAN = [0.485 * 255, 0.456 * 255, 0.406 * 255]
VARIANCE = [(0.229 * 255) ** 2, (0.224 * 255) ** 2, (0.225 * 255) ** 2]


def ConvNeXt(
    depths: Sequence[int],
    projection_dims: Sequence[int],
    drop_path_rate: float = 0.0,
    layer_scale_init_value: float | None = 1e-6,
    default_size: int = 224,
    name: str = "convnext",
    include_preprocessing: bool = True,
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = imagenet_utils.CLASSES,
    classifier_activation: Any = "softmax",
    weights_name: str | None = None,
) -> Functional:
    """ConvNeXt of any size. `ConvNeXtTiny` describes the other arguments.

    Args:
        depths: Numbers of blocks of the four stages.
        projection_dims: Their numbers of filters.
        drop_path_rate: Rate at which the last block drops samples; the blocks before it drop fewer.
        layer_scale_init_value: First value of the factors of each block; None for none.
        default_size: Usual height and width of images.
        weights_name: Size whose weights ``"imagenet"`` are, such as ``"convnext_tiny"``.

    Follows https://arxiv.org/abs/2201.03545
    """
    needs_channels_last("ConvNeXt")
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    size = weights_name and weights_name.removeprefix("convnext_")
    published = published_size(size, options, f"{KERAS_APPLICATIONS}convnext/", "convnext_", DIGESTS)
    x = inputs = images(options, default_size)
    if include_preprocessing and x.shape[-1] == 3:
        x = layers.Normalization(mean=MEAN, variance=VARIANCE, name=f"{name}_prestem_normalization")(x)
    rates = np.linspace(0, drop_path_rate, sum(depths)).tolist()
    for stage, (depth, filters) in enumerate(zip(depths, projection_dims, strict=True)):
        x = _downsampling(stage, filters, name)(x)
        for number in range(depth):
            block = ConvNeXtBlock(filters, rates.pop(0), layer_scale_init_value, f"{name}_stage_{stage}_block_{number}")
            x = block(x)
    return finished(options, inputs, _head(x, options), published)


def _downsampling(stage: int, filters: int, name: str) -> Sequential:
    """Return the model before a stage, which makes images smaller: the stem, or one between two stages."""
    if stage == 0:
        convolution = layers.Conv2D(filters, 4, strides=4, name=f"{name}_stem_conv")
        norm = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_stem_layernorm")
        return Sequential([convolution, norm], name=f"{name}_stem")
    number = stage - 1
    norm = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_downsampling_layernorm_{number}")
    convolution = layers.Conv2D(filters, 2, strides=2, name=f"{name}_downsampling_conv_{number}")
    return Sequential([norm, convolution], name=f"{name}_downsampling_block_{number}")


def ConvNeXtBlock(
    projection_dim: int,
    drop_path_rate: float = 0.0,
    layer_scale_init_value: float | None = 1e-6,
    name: str | None = None,
) -> Any:
    """Return a function that applies a block to feature maps: a depthwise convolution, then two dense layers.

    Args:
        projection_dim: Number of filters.
        drop_path_rate: Rate at which training drops samples.
        layer_scale_init_value: First value of the factors of the channels; None for none.
        name: Prefix of the names of layers.
    """
    prefix = name or f"prestem{unique_number('prestem')}"

    def apply(inputs: Any) -> Any:
        x = layers.Conv2D(projection_dim, 7, padding="same", groups=projection_dim, name=f"{prefix}_depthwise_conv")(
            inputs
        )
        x = layers.LayerNormalization(epsilon=1e-6, name=f"{prefix}_layernorm")(x)
        x = layers.Dense(4 * projection_dim, name=f"{prefix}_pointwise_conv_1")(x)
        x = layers.Activation("gelu", name=f"{prefix}_gelu")(x)
        x = layers.Dense(projection_dim, name=f"{prefix}_pointwise_conv_2")(x)
        if layer_scale_init_value is not None:
            x = LayerScale(layer_scale_init_value, projection_dim, name=f"{prefix}_layer_scale")(x)
        if drop_path_rate:
            x = StochasticDepth(drop_path_rate, name=f"{prefix}_stochastic_depth")(x)
        else:
            x = layers.Activation("linear", name=f"{prefix}_identity")(x)
        return inputs + x

    return apply


def _head(x: Any, options: Options) -> Any:
    if not options.include_top:
        return layers.LayerNormalization(epsilon=1e-6)(pooled(x, options, is_named=False))
    name = options.name
    x = layers.GlobalAveragePooling2D(name=f"{name}_head_gap")(x)
    x = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_head_layernorm")(x)
    return layers.Dense(options.classes, activation=options.classifier_activation, name=f"{name}_head_dense")(x)


def _variant(name_of_size: str) -> Any:
    size = name_of_size.lower()
    depths, filters = SIZES[size]

    def make(
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = imagenet_utils.CLASSES,
        classifier_activation: Any = "softmax",
        name: str = f"convnext_{size}",
    ) -> Functional:
        return ConvNeXt(
            depths,
            filters,
            name=name,
            include_preprocessing=include_preprocessing,
            include_top=include_top,
            weights=weights,
            input_tensor=input_tensor,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
            weights_name=f"convnext_{size}",
        )

    summary = (
        f"ConvNeXt-{name_of_size}, for images of 224x224 with values from 0 to 255 (https://arxiv.org/abs/2201.03545)."
    )
    return named(make, f"ConvNeXt{name_of_size}", summary, INCLUDE_PREPROCESSING)


ConvNeXtTiny = _variant("Tiny")
ConvNeXtSmall = _variant("Small")
ConvNeXtBase = _variant("Base")
ConvNeXtLarge = _variant("Large")
ConvNeXtXLarge = _variant("XLarge")

preprocess_input = preprocessing(None)

__all__ = [
    "ConvNeXt",
    "ConvNeXtBase",
    "ConvNeXtBlock",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "LayerScale",
    "StochasticDepth",
    "decode_predictions",
    "preprocess_input",
]
offer(globals())
