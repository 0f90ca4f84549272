"""EfficientNetV2 B0 to B3, S, M and L: its first blocks have one convolution instead of two (https://arxiv.org/abs/2104.00298)."""

import math
from typing import Any, NamedTuple

from cornu import initializers, layers
from cornu.applications import imagenet_utils
from cornu.applications.base import KERAS_APPLICATIONS, Options, channel_axis, finished, images, preprocessing, top
from cornu.applications.efficientnet import (
    CONV_INITIALIZER,
    DENSE_INITIALIZER,
    conv_norm,
    residual,
    squeeze_excite,
)
from cornu.applications.imagenet_utils import decode_predictions
from cornu.applications.variants import INCLUDE_PREPROCESSING, check_repeats, named, published_size
from cornu.core.public import offer
from cornu.models.model import Functional

DIGESTS = {
    "b0": ("21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff"),
    "b1": ("069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37"),
    "b2": ("424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb"),
    "b3": ("1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856"),
    "-s": ("e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070"),
    "-m": ("a3bf6aa3276309f4fc6a34aa114c95cd", "1b8dc055df72dde80d614482840fe342"),
    "-l": ("27e6d408b53c7ebc868fefa357689935", "b0b66b5c863aef5b46e8608fe1711615"),
}
#: Size -> width and depth coefficients, height and width of images.
SIZES = {
    "b0": (1.0, 1.0, 224),
    "b1": (1.0, 1.1, 240),
    "b2": (1.1, 1.2, 260),
    "b3": (1.2, 1.4, 300),
    "s": (1.0, 1.0, 384),
    "m": (1.0, 1.0, 480),
    "l": (1.0, 1.0, 480),
}


class Block(NamedTuple):
    """Several inverted residuals with one number of filters; the keys of `blocks_args`.

    Args:
        conv_type: 0 for an expansion followed by a depthwise convolution, 1 for one convolution instead of both.
    """

    conv_type: int
    num_repeat: int
    strides: int
    expand_ratio: int
    input_filters: int
    output_filters: int
    se_ratio: float = 0.0
    kernel_size: int = 3


_SMALL = (
    Block(1, 1, 1, 1, 32, 16),
    Block(1, 2, 2, 4, 16, 32),
    Block(1, 2, 2, 4, 32, 48),
    Block(0, 3, 2, 4, 48, 96, 0.25),
    Block(0, 5, 1, 6, 96, 112, 0.25),
    Block(0, 8, 2, 6, 112, 192, 0.25),
)
#: Name of a model -> its blocks, for ``blocks_args="default"``.
BLOCKS = {f"efficientnetv2-b{number}": _SMALL for number in range(4)} | {
    "efficientnetv2-s": (
        Block(1, 2, 1, 1, 24, 24),
        Block(1, 4, 2, 4, 24, 48),
        Block(1, 4, 2, 4, 48, 64),
        Block(0, 6, 2, 4, 64, 128, 0.25),
        Block(0, 9, 1, 6, 128, 160, 0.25),
        Block(0, 15, 2, 6, 160, 256, 0.25),
    ),
    "efficientnetv2-m": (
        Block(1, 3, 1, 1, 24, 24),
        Block(1, 5, 2, 4, 24, 48),
        Block(1, 5, 2, 4, 48, 80),
        Block(0, 7, 2, 4, 80, 160, 0.25),
        Block(0, 14, 1, 6, 160, 176, 0.25),
        Block(0, 18, 2, 6, 176, 304, 0.25),
        Block(0, 5, 1, 6, 304, 512, 0.25),
    ),
    "efficientnetv2-l": (
        Block(1, 4, 1, 1, 32, 32),
        Block(1, 7, 2, 4, 32, 64),
        Block(1, 7, 2, 4, 64, 96),
        Block(0, 10, 2, 4, 96, 192, 0.25),
        Block(0, 19, 1, 6, 192, 224, 0.25),
        Block(0, 25, 2, 6, 224, 384, 0.25),
        Block(0, 7, 1, 6, 384, 640, 0.25),
    ),
}


class Style(NamedTuple):
    """What all blocks of a model have in common."""

    activation: Any
    momentum: float


def EfficientNetV2(
    width_coefficient: float,
    depth_coefficient: float,
    default_size: int,
    dropout_rate: float = 0.2,
    drop_connect_rate: float = 0.2,
    depth_divisor: int = 8,
    min_depth: int = 8,
    bn_momentum: float = 0.9,
    activation: Any = "swish",
    blocks_args: Any = "default",
    name: str = "efficientnetv2",
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = imagenet_utils.CLASSES,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
    weights_name: str | None = None,
) -> Functional:
    """EfficientNetV2 of any size. `EfficientNetV2B0` describes the other arguments.

    Args:
        width_coefficient, depth_coefficient: Factors of the numbers of filters and of blocks.
        default_size: Usual height and width of images.
        dropout_rate: Rate of dropout before the classifier.
        drop_connect_rate: Rate at which the last block drops samples; the blocks before it drop fewer.
        depth_divisor, min_depth: Numbers of filters are rounded to a multiple of the former, at least the latter.
        bn_momentum: Momentum of batch normalization.
        activation: Activation of all blocks.
        blocks_args: Dictionaries with the fields of `Block`, or ``"default"`` for those that go with the name.
        weights_name: Size whose weights ``"imagenet"`` are: ``"b0"`` to ``"b3"``, ``"-s"``, ``"-m"`` or ``"-l"``.

    Follows https://arxiv.org/abs/2104.00298
    """
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    known_name = name if weights_name is None else f"efficientnetv2-{weights_name.strip('-')}"
    blocks = _blocks(blocks_args, known_name)
    published = _published(weights_name, options)
    check_repeats("EfficientNetV2", [block.num_repeat for block in blocks])

    def width(filters: int) -> int:
        rounded = int(filters * width_coefficient + depth_divisor / 2) // depth_divisor * depth_divisor
        return int(max(min_depth or depth_divisor, rounded))

    x = inputs = images(options, default_size)
    if include_preprocessing:
        x = _standardized(x, known_name)
    style = Style(activation, bn_momentum)
    x = conv_norm(x, width(blocks[0].input_filters), 3, "stem_", bn_momentum, strides=2)
    x = layers.Activation(activation, name="stem_activation")(x)
    total, done = sum(block.num_repeat for block in blocks), 0
    for number, block in enumerate(blocks, start=1):
        block = block._replace(input_filters=width(block.input_filters), output_filters=width(block.output_filters))
        for position in range(math.ceil(depth_coefficient * block.num_repeat)):
            if position:
                block = block._replace(strides=1, input_filters=block.output_filters)
            rate = drop_connect_rate * done / total
            x = _inverted_residual(x, block, style, rate, f"block{number}{chr(97 + position)}_")
            done += 1
    x = conv_norm(x, width(1280), 1, "top_", bn_momentum)
    x = layers.Activation(activation, name="top_activation")(x)
    zeros = initializers.Constant(0.0)
    x = top(x, options, dropout_rate, kernel_initializer=DENSE_INITIALIZER, bias_initializer=zeros)
    return finished(options, inputs, x, published)


def _blocks(blocks_args: Any, name: str) -> tuple[Block, ...]:
    if blocks_args != "default":
        return tuple(Block(**args) for args in blocks_args)
    if name not in BLOCKS:
        raise ValueError(f"EfficientNetV2 knows blocks for {', '.join(BLOCKS)}; for {name!r}, pass blocks_args.")
    return BLOCKS[name]


def _published(size: str | None, options: Options) -> Any:
    prefix = "efficientnetv2" if size and size.startswith("-") else "efficientnetv2-"
    return published_size(size, options, f"{KERAS_APPLICATIONS}efficientnet_v2/", prefix, DIGESTS)


def _standardized(x: Any, name: str) -> Any:
    """Scale images: in the B sizes as in the first EfficientNet, in the others to -1 to 1."""
    if not name.split("-")[-1].startswith("b") or x.shape[channel_axis()] != 3:
        return layers.Rescaling(1 / 128, offset=-1)(x)
    x = layers.Rescaling(1 / 255)(x)
    mean, variance = [0.485, 0.456, 0.406], [0.229**2, 0.224**2, 0.225**2]
    return layers.Normalization(axis=channel_axis(), mean=mean, variance=variance)(x)


def _inverted_residual(inputs: Any, block: Block, style: Style, drop_rate: float, name: str) -> Any:
    expand = _fused if block.conv_type else _apart
    x = expand(inputs, block, style, name)
    filters = block.input_filters * block.expand_ratio
    x = squeeze_excite(x, filters, block.input_filters * block.se_ratio, block.se_ratio, style.activation, name)
    is_first = bool(block.conv_type) and block.expand_ratio == 1
    size, strides = (block.kernel_size, block.strides) if is_first else (1, 1)
    x = conv_norm(x, block.output_filters, size, f"{name}project_", style.momentum, strides=strides)
    if is_first:
        x = layers.Activation(style.activation, name=f"{name}project_activation")(x)
    if block.strides == 1 and block.input_filters == block.output_filters:
        x = residual(inputs, x, drop_rate, name)
    return x


def _fused(x: Any, block: Block, style: Style, name: str) -> Any:
    """Expand by one convolution; without an expansion, the projection is the only convolution."""
    if block.expand_ratio == 1:
        return x
    filters = block.input_filters * block.expand_ratio
    x = conv_norm(x, filters, block.kernel_size, f"{name}expand_", style.momentum, strides=block.strides)
    return layers.Activation(style.activation, name=f"{name}expand_activation")(x)


def _apart(x: Any, block: Block, style: Style, name: str) -> Any:
    """Expand by a 1x1 convolution, followed by a depthwise one."""
    if block.expand_ratio != 1:
        x = conv_norm(x, block.input_filters * block.expand_ratio, 1, f"{name}expand_", style.momentum)
        x = layers.Activation(style.activation, name=f"{name}expand_activation")(x)
    x = layers.DepthwiseConv2D(
        block.kernel_size,
        strides=block.strides,
        padding="same",
        use_bias=False,
        depthwise_initializer=CONV_INITIALIZER,
        name=f"{name}dwconv2",
    )(x)
    x = layers.BatchNormalization(channel_axis(), momentum=style.momentum, name=f"{name}bn")(x)
    return layers.Activation(style.activation, name=f"{name}activation")(x)


def _variant(size: str) -> Any:
    width, depth, default_size = SIZES[size]

    def make(
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = imagenet_utils.CLASSES,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
        name: str = f"efficientnetv2-{size}",
    ) -> Functional:
        return EfficientNetV2(
            width,
            depth,
            default_size,
            name=name,
            include_top=include_top,
            weights=weights,
            input_tensor=input_tensor,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
            include_preprocessing=include_preprocessing,
            weights_name=size if size.startswith("b") else f"-{size}",
        )

    summary = (
        f"EfficientNetV2-{size.upper()}, for images of {default_size}x{default_size} with values from 0 to 255 "
        "(https://arxiv.org/abs/2104.00298)."
    )
    return named(make, f"EfficientNetV2{size.upper()}", summary, INCLUDE_PREPROCESSING)


EfficientNetV2B0 = _variant("b0")
EfficientNetV2B1 = _variant("b1")
EfficientNetV2B2 = _variant("b2")
EfficientNetV2B3 = _variant("b3")
EfficientNetV2S = _variant("s")
EfficientNetV2M = _variant("m")
EfficientNetV2L = _variant("l")

preprocess_input = preprocessing(None)

__all__ = [
    "EfficientNetV2",
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "decode_predictions",
    "preprocess_input",
]
offer(globals())
