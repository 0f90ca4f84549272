"""MobileNetV2 (https://arxiv.org/abs/1801.04381): narrow layers joined by residuals, wide depthwise ones in between."""

from typing import Any

from cornu import layers
from cornu.applications import imagenet_utils
from cornu.applications.base import (
    KERAS_APPLICATIONS,
    Options,
    Published,
    channel_axis,
    check_options,
    classifier,
    finished,
    input_of,
    pooled,
    preprocessing,
)
from cornu.applications.imagenet_utils import decode_predictions
from cornu.applications.mobilenet import height_and_width, published_rows, published_shape
from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.core.spellings import old_keywords
from cornu.models.model import Functional

SIZES = (96, 128, 160, 192, 224)  # for which weights are published
ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
#: Filters and strides of the blocks.
BLOCKS = (
    *((16, 1), (24, 2), (24, 1), (32, 2), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1), (64, 1)),
    *((96, 1), (96, 1), (96, 1), (160, 2), (160, 1), (160, 1), (320, 1)),
)


def divisible(number: float, divisor: int = 8) -> int:
    """Return the multiple of `divisor` nearest to a number of channels, but not less than 90% of it.

    >>> divisible(19.2), divisible(3)
    (24, 8)
    """
    near = max(divisor, int(number + divisor / 2) // divisor * divisor)
    return near + divisor if near < 0.9 * number else near


def checked_image_shape(options: Options) -> Any:
    """Return the shape of one image as far as `input_shape` or `input_tensor` gives it, or None.

    Raises ValueError if they contradict each other.
    """
    tensor, shape = options.input_tensor, options.input_shape
    if not hasattr(tensor, "shape"):
        return shape
    if shape is not None:
        pairs = zip(height_and_width(tensor.shape[1:]), height_and_width(shape), strict=True)
        if any(None not in pair and pair[0] != pair[1] for pair in pairs):
            raise ValueError(
                f"input_shape is {tuple(shape)}, but input_tensor has images of shape {tuple(tensor.shape[1:])}.\n"
                "Leave input_shape out."
            )
    return shape or tensor.shape[1:]


def normalized(x: Any, name: str) -> Any:
    return layers.BatchNormalization(axis=channel_axis(-1), epsilon=1e-3, momentum=0.999, name=name)(x)


def _activated(x: Any, normalization: str, activation: str) -> Any:
    return layers.ReLU(6.0, name=activation)(normalized(x, normalization))


def _block(x: Any, filters: int, strides: int, number: int) -> Any:
    inputs, channels = x, x.shape[channel_axis(-1)]
    name = f"block_{number}_" if number else "expanded_conv_"
    if number:
        x = layers.Conv2D(6 * channels, kernel_size=1, padding="same", use_bias=False, name=f"{name}expand")(x)
        x = _activated(x, f"{name}expand_BN", f"{name}expand_relu")
    if strides == 2:
        x = layers.ZeroPadding2D(imagenet_utils.correct_pad(x, 3), name=f"{name}pad")(x)
    padding = "same" if strides == 1 else "valid"
    x = layers.DepthwiseConv2D(3, strides=strides, use_bias=False, padding=padding, name=f"{name}depthwise")(x)
    x = _activated(x, f"{name}depthwise_BN", f"{name}depthwise_relu")
    x = layers.Conv2D(filters, kernel_size=1, padding="same", use_bias=False, name=f"{name}project")(x)
    x = normalized(x, f"{name}project_BN")
    return layers.Add(name=f"{name}add")([inputs, x]) if channels == filters and strides == 1 else x


def _body(x: Any, alpha: float) -> Any:
    x = layers.Conv2D(
        divisible(32 * alpha), kernel_size=3, strides=(2, 2), padding="same", use_bias=False, name="Conv1"
    )(x)
    x = _activated(x, "bn_Conv1", "Conv1_relu")
    for number, (filters, strides) in enumerate(BLOCKS):
        x = _block(x, divisible(int(filters * alpha)), strides, number)
    last = divisible(1280 * alpha) if alpha > 1.0 else 1280
    x = layers.Conv2D(last, kernel_size=1, use_bias=False, name="Conv_1")(x)
    return _activated(x, "Conv_1_bn", "out_relu")


def _published(alpha: float, rows: int | None) -> Published:
    file = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}"
    return Published(f"{KERAS_APPLICATIONS}mobilenet_v2/", (f"{file}.h5", None), (f"{file}_no_top.h5", None))


@old_keywords("MobileNetV2")
def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = imagenet_utils.CLASSES,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Functional:
    """The network MobileNet of version 2, for images of 224x224 (https://arxiv.org/abs/1801.04381).

    Args:
        alpha: Factor on the numbers of filters. Weights of ImageNet are published for 0.35, 0.5, 0.75, 1, 1.3 and 1.4.
        input_shape, include_top, weights, input_tensor, pooling, classes, classifier_activation, name: As in `VGG16`.
            Weights of ImageNet are published for sizes of 96, 128, 160, 192 and 224.

    Raises:
        ValueError: An argument is not valid or does not go with another one, or the weights do not fit.
        ConnectionError: The weights are not on this machine and cannot be downloaded.

    Follows https://keras.io/api/applications/mobilenet/

    >>> MobileNetV2(weights=None, alpha=0.35, input_shape=(32, 32, 3), include_top=False).output_shape
    (None, 1, 1, 1280)
    """
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    check_options(options)
    shape = published_shape(options, checked_image_shape(options), SIZES)
    if weights == "imagenet" and alpha not in ALPHAS:
        raise unknown("alpha with weights='imagenet'", alpha, ALPHAS)
    rows = published_rows(shape, weights, SIZES)
    inputs = input_of(options, shape)
    x = _body(inputs, alpha)
    outputs = classifier(layers.GlobalAveragePooling2D()(x), options) if include_top else pooled(x, options, False)
    named = options._replace(name=f"mobilenetv2_{alpha:0.2f}_{rows}" if name is None else name)
    return finished(named, inputs, outputs, _published(alpha, rows))


preprocess_input = preprocessing("tf")

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]
offer(globals())
