"""EfficientNet B0 to B7: inverted residuals with squeeze-and-excitation, scaled together (https://arxiv.org/abs/1905.11946)."""

import math
from typing import Any, NamedTuple

from cornu import initializers, layers
from cornu.applications import imagenet_utils
from cornu.applications.base import Options, channel_axis, finished, images, preprocessing, top
from cornu.applications.imagenet_utils import decode_predictions
from cornu.applications.variants import check_repeats, named, published_size
from cornu.core.public import offer
from cornu.models.model import Functional

FOLDER = "https://storage.googleapis.com/keras-applications/"
DIGESTS = {
    "b0": ("902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
    "b1": ("1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
    "b2": ("b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    "b3": ("ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
    "b4": ("18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
    "b5": ("ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"),
    "b6": ("165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"),
    "b7": ("8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
}
#: Size -> width and depth coefficients, height and width of images, dropout rate.
SIZES = {
    "b0": (1.0, 1.0, 224, 0.2),
    "b1": (1.0, 1.1, 240, 0.2),
    "b2": (1.1, 1.2, 260, 0.3),
    "b3": (1.2, 1.4, 300, 0.3),
    "b4": (1.4, 1.8, 380, 0.4),
    "b5": (1.6, 2.2, 456, 0.4),
    "b6": (1.8, 2.6, 528, 0.5),
    "b7": (2.0, 3.1, 600, 0.5),
}

CONV_INITIALIZER = initializers.VarianceScaling(2.0, "fan_out", "truncated_normal")
DENSE_INITIALIZER = initializers.VarianceScaling(1 / 3, "fan_out", "uniform")
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


class Block(NamedTuple):
    """Several inverted residuals with one number of filters; the keys of `blocks_args`."""

    kernel_size: int
    repeats: int
    filters_in: int
    filters_out: int
    expand_ratio: int
    id_skip: bool = True
    strides: int = 1
    se_ratio: float = 0.25


BLOCKS = (
    Block(3, 1, 32, 16, 1),
    Block(3, 2, 16, 24, 6, strides=2),
    Block(5, 2, 24, 40, 6, strides=2),
    Block(3, 3, 40, 80, 6, strides=2),
    Block(5, 3, 80, 112, 6),
    Block(5, 4, 112, 192, 6, strides=2),
    Block(3, 1, 192, 320, 6),
)


def EfficientNet(
    width_coefficient: float,
    depth_coefficient: float,
    default_size: int,
    dropout_rate: float = 0.2,
    drop_connect_rate: float = 0.2,
    depth_divisor: int = 8,
    activation: Any = "swish",
    blocks_args: Any = "default",
    name: str | None = "efficientnet",
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = imagenet_utils.CLASSES,
    classifier_activation: Any = "softmax",
    weights_name: str | None = None,
) -> Functional:
    """EfficientNet of any size. `EfficientNetB0` describes the other arguments.

    Args:
        width_coefficient, depth_coefficient: Factors of the numbers of filters and of blocks.
        default_size: Usual height and width of images.
        dropout_rate: Rate of dropout before the classifier.
        drop_connect_rate: Rate at which the last block drops samples; the blocks before it drop fewer.
        depth_divisor: What numbers of filters are rounded to a multiple of.
        activation: Activation of all blocks.
        blocks_args: Dictionaries with the fields of `Block`, or ``"default"``.
        weights_name: Size whose weights ``"imagenet"`` are: ``"b0"`` to ``"b7"``.

    Follows https://arxiv.org/abs/1905.11946
    """
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    published = published_size(weights_name, options, FOLDER, "efficientnet", DIGESTS)
    blocks = BLOCKS if blocks_args == "default" else [Block(**args) for args in blocks_args]
    check_repeats("EfficientNet", [block.repeats for block in blocks])
    x = inputs = images(options, default_size)

    def width(filters: int) -> int:
        return rounded_filters(filters * width_coefficient, depth_divisor)

    x = _stem(_standardized(x, weights), width(32), activation)
    repeats = [math.ceil(depth_coefficient * block.repeats) for block in blocks]
    done = 0
    for number, (block, times) in enumerate(zip(blocks, repeats, strict=True), start=1):
        block = block._replace(filters_in=width(block.filters_in), filters_out=width(block.filters_out))
        for position in range(times):
            if position:
                block = block._replace(strides=1, filters_in=block.filters_out)
            rate = drop_connect_rate * done / sum(repeats)
            x = _inverted_residual(x, block, activation, rate, f"block{number}{chr(97 + position)}_")
            done += 1
    x = conv_norm(x, width(1280), 1, "top_")
    x = layers.Activation(activation, name="top_activation")(x)
    x = top(x, options, dropout_rate, kernel_initializer=DENSE_INITIALIZER)
    return finished(options, inputs, x, published)


def rounded_filters(filters: float, divisor: int) -> int:
    """Return the nearest multiple of `divisor`, but at least 90% of `filters`."""
    rounded = max(divisor, int(filters + divisor / 2) // divisor * divisor)
    return int(rounded + divisor if rounded < 0.9 * filters else rounded)


def _standardized(x: Any, weights: Any) -> Any:
    """Scale images. The published weights come from a program that divided by the variance, not by its root."""
    x = layers.Rescaling(1 / 255)(x)
    x = layers.Normalization(axis=channel_axis())(x)
    if weights == "imagenet":
        x = layers.Rescaling([1 / math.sqrt(deviation) for deviation in IMAGENET_DEVIATION])(x)
    return x


def _stem(x: Any, filters: int, activation: Any) -> Any:
    x = layers.ZeroPadding2D(imagenet_utils.correct_pad(x, 3), name="stem_conv_pad")(x)
    x = conv_norm(x, filters, 3, "stem_", strides=2, padding="valid")
    return layers.Activation(activation, name="stem_activation")(x)


def conv_norm(x: Any, filters: int, size: int, prefix: str, momentum: float = 0.99, **options: Any) -> Any:
    """Return a convolution without bias, with batch normalization; they are named `prefix` and conv or bn."""
    options = {"padding": "same"} | options
    x = layers.Conv2D(
        filters, size, use_bias=False, kernel_initializer=CONV_INITIALIZER, name=f"{prefix}conv", **options
    )(x)
    return layers.BatchNormalization(channel_axis(), momentum=momentum, name=f"{prefix}bn")(x)


def _inverted_residual(inputs: Any, block: Block, activation: Any, drop_rate: float, name: str) -> Any:
    x, filters = inputs, block.filters_in * block.expand_ratio
    if block.expand_ratio != 1:
        x = conv_norm(x, filters, 1, f"{name}expand_")
        x = layers.Activation(activation, name=f"{name}expand_activation")(x)
    if block.strides == 2:
        padding = imagenet_utils.correct_pad(x, block.kernel_size)
        x = layers.ZeroPadding2D(padding, name=f"{name}dwconv_pad")(x)
    x = layers.DepthwiseConv2D(
        block.kernel_size,
        strides=block.strides,
        padding="valid" if block.strides == 2 else "same",
        use_bias=False,
        depthwise_initializer=CONV_INITIALIZER,
        name=f"{name}dwconv",
    )(x)
    x = layers.BatchNormalization(channel_axis(), name=f"{name}bn")(x)
    x = layers.Activation(activation, name=f"{name}activation")(x)
    x = squeeze_excite(x, filters, block.filters_in * block.se_ratio, block.se_ratio, activation, name)
    x = conv_norm(x, block.filters_out, 1, f"{name}project_")
    if block.id_skip and block.strides == 1 and block.filters_in == block.filters_out:
        x = residual(inputs, x, drop_rate, name)
    return x


def squeeze_excite(x: Any, filters: int, reduced: float, ratio: float, activation: Any, name: str) -> Any:
    """Return `x` with each channel scaled by what two dense layers make of the means of all channels.

    Args:
        x: Feature maps with `filters` channels.
        filters: Their number.
        reduced: Number of units of the first of these layers.
        ratio: For `x` unchanged, a number that is not above 0 and up to 1.
        activation: Activation of the first layer.
        name: Prefix of the names of layers.

    Follows https://arxiv.org/abs/1709.01507
    """
    if not 0 < ratio <= 1:
        return x
    options: dict[str, Any] = {"padding": "same", "kernel_initializer": CONV_INITIALIZER}
    shape = (filters, 1, 1) if channel_axis() == 1 else (1, 1, filters)
    scale = layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    scale = layers.Reshape(shape, name=f"{name}se_reshape")(scale)
    scale = layers.Conv2D(max(1, int(reduced)), 1, activation=activation, name=f"{name}se_reduce", **options)(scale)
    scale = layers.Conv2D(filters, 1, activation="sigmoid", name=f"{name}se_expand", **options)(scale)
    return layers.multiply([x, scale], name=f"{name}se_excite")


def residual(inputs: Any, x: Any, drop_rate: float, name: str) -> Any:
    """Return the sum of `inputs` and `x`, which training drops for some samples."""
    if drop_rate > 0:
        x = layers.Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return layers.add([x, inputs], name=f"{name}add")


def _variant(size: str) -> Any:
    width, depth, default_size, dropout = SIZES[size]

    def make(
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = imagenet_utils.CLASSES,
        classifier_activation: Any = "softmax",
        name: str | None = f"efficientnet{size}",
        **options: Any,
    ) -> Functional:
        given: dict[str, Any] = {"dropout_rate": dropout, "weights_name": size} | options
        return EfficientNet(
            width,
            depth,
            default_size,
            **given,
            name=name,
            include_top=include_top,
            weights=weights,
            input_tensor=input_tensor,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
        )

    summary = (
        f"EfficientNet-{size.upper()}, for images of {default_size}x{default_size} with values from 0 to 255 "
        "(https://arxiv.org/abs/1905.11946)."
    )
    return named(make, f"EfficientNet{size.upper()}", summary, "\n    **options: Other arguments of `EfficientNet`.")


EfficientNetB0 = _variant("b0")
EfficientNetB1 = _variant("b1")
EfficientNetB2 = _variant("b2")
EfficientNetB3 = _variant("b3")
EfficientNetB4 = _variant("b4")
EfficientNetB5 = _variant("b5")
EfficientNetB6 = _variant("b6")
EfficientNetB7 = _variant("b7")

preprocess_input = preprocessing(None)

__all__ = [
    "EfficientNet",
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "decode_predictions",
    "preprocess_input",
]
offer(globals())
