"""MobileNet (https://arxiv.org/abs/1704.04861), and the choice of published sizes, which version 2 shares."""

import warnings
from collections.abc import Sequence
from typing import Any

from cornu import layers
from cornu.applications import imagenet_utils
from cornu.applications.base import (
    KERAS_APPLICATIONS,
    Options,
    Published,
    channel_axis,
    check_options,
    finished,
    input_of,
    pooled,
    preprocessing,
)
from cornu.applications.imagenet_utils import decode_predictions
from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.core.settings import image_data_format
from cornu.core.spellings import old_keywords
from cornu.models.model import Functional

USUAL_SIZE = 224
SIZES = (128, 160, 192, 224)  # for which weights are published
ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}  # and how files are called
#: Filters and strides of the separable convolutions.
BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)),
    *((512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1)),
)


def height_and_width(shape: Sequence[int | None]) -> tuple[int | None, int | None]:
    """Return height and width from the shape of one image."""
    first = image_data_format() == "channels_first"
    return (shape[1], shape[2]) if first else (shape[0], shape[1])


def published_shape(options: Options, shape: Sequence[int | None] | None, sizes: Sequence[int]) -> tuple:
    """Return the shape of images: where it is one of the published `sizes`, ImageNet's weights go with it.

    `shape` is that of one image as far as it is known.
    """
    height, width = height_and_width(shape) if shape else (None, None)
    default_size = height if height == width and height in sizes else USUAL_SIZE
    return imagenet_utils.obtain_input_shape(
        options.input_shape, default_size or USUAL_SIZE, 32, image_data_format(), options.include_top, options.weights
    )


def published_rows(shape: Sequence[int | None], weights: Any, sizes: Sequence[int]) -> int | None:
    """Return the height of images: that of the published weights if they are asked for."""
    height, width = height_and_width(shape)
    if weights != "imagenet" or (height == width and height in sizes):
        return height
    warnings.warn(
        f"No weights are published for images of {height}x{width}, only for squares of {', '.join(map(str, sizes))}: "
        f"those for {USUAL_SIZE}x{USUAL_SIZE} are loaded.",
        stacklevel=3,
    )
    return USUAL_SIZE


def _activated(x: Any, name: str) -> Any:
    """Return `x` normalized, then through a ReLU up to 6."""
    x = layers.BatchNormalization(axis=channel_axis(-1), name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def _separable(x: Any, filters: int, strides: int, depth_multiplier: int, number: int) -> Any:
    if strides > 1:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    x = layers.DepthwiseConv2D(
        (3, 3),
        padding="same" if strides == 1 else "valid",
        depth_multiplier=depth_multiplier,
        strides=(strides, strides),
        use_bias=False,
        name=f"conv_dw_{number}",
    )(x)
    x = _activated(x, f"conv_dw_{number}")
    pointwise = layers.Conv2D(filters, (1, 1), padding="same", use_bias=False, strides=(1, 1), name=f"conv_pw_{number}")
    return _activated(pointwise(x), f"conv_pw_{number}")


def _top(x: Any, options: Options, dropout: float) -> Any:
    """Return the classifier: a convolution of the mean over height and width."""
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Conv2D(options.classes, (1, 1), padding="same", name="conv_preds")(x)
    x = layers.Reshape((options.classes,), name="reshape_2")(x)
    return layers.Activation(options.classifier_activation, name="predictions")(x)


def _published(alpha: float, rows: int | None) -> Published:
    file = f"mobilenet_{ALPHAS.get(alpha)}_{rows}_tf"
    return Published(f"{KERAS_APPLICATIONS}mobilenet/", (f"{file}.h5", None), (f"{file}_no_top.h5", None))


@old_keywords("applications", called="MobileNet")
def MobileNet(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = imagenet_utils.CLASSES,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Functional:
    """The network MobileNet, for images of 224x224 (https://arxiv.org/abs/1704.04861).

    Args:
        alpha: Factor on the numbers of filters. Weights of ImageNet are published for 0.25, 0.5, 0.75 and 1.
        depth_multiplier: Number of filters of a depthwise convolution for each channel; 1 with weights of ImageNet.
        dropout: Rate of dropout before the classifier.
        input_shape, include_top, weights, input_tensor, pooling, classes, classifier_activation, name: As in `VGG16`.
            Weights of ImageNet are published for sizes of 128, 160, 192 and 224.

    Raises:
        ValueError: An argument is not valid or does not go with another one, or the weights do not fit.
        ConnectionError: The weights are not on this machine and cannot be downloaded.

    Follows https://keras.io/api/applications/mobilenet/

    >>> MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3), classes=10).output_shape
    (None, 10)
    """
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    check_options(options)
    shape = published_shape(options, input_shape, SIZES)
    if weights == "imagenet" and depth_multiplier != 1:
        raise ValueError(f"With weights='imagenet', depth_multiplier must be 1; got {depth_multiplier}.")
    if weights == "imagenet" and alpha not in ALPHAS:
        raise unknown("alpha with weights='imagenet'", alpha, ALPHAS)
    rows = published_rows(shape, weights, SIZES)
    inputs = input_of(options, shape)
    x = layers.Conv2D(int(32 * alpha), (3, 3), padding="same", use_bias=False, strides=(2, 2), name="conv1")(inputs)
    x = _activated(x, "conv1")
    for number, (filters, strides) in enumerate(BLOCKS, start=1):
        x = _separable(x, int(filters * alpha), strides, depth_multiplier, number)
    outputs = _top(x, options, dropout) if include_top else pooled(x, options, is_named=False)
    named = options._replace(name=f"mobilenet_{alpha:0.2f}_{rows}" if name is None else name)
    return finished(named, inputs, outputs, _published(alpha, rows))


preprocess_input = preprocessing("tf")

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]
offer(globals())
