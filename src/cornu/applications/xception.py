"""Xception (https://arxiv.org/abs/1610.02357): separable convolutions around which residuals go."""

from typing import Any

from cornu import layers
from cornu.applications.base import (
    KERAS_APPLICATIONS,
    Options,
    Published,
    channel_axis,
    finished,
    images,
    model_function,
    preprocessing,
    top,
)
from cornu.applications.imagenet_utils import decode_predictions
from cornu.core.public import offer
from cornu.models.model import Functional

#: Filters of the two convolutions of each block that halves height and width, by the block's number.
HALVING = {2: (128, 128), 3: (256, 256), 4: (728, 728), 13: (728, 1024)}


def _activated(x: Any, name: str) -> Any:
    return layers.Activation("relu", name=f"{name}_act")(x)


def _normalized(x: Any, name: str | None = None) -> Any:
    return layers.BatchNormalization(axis=channel_axis(-1), name=name)(x)


def _separable(x: Any, filters: int, name: str) -> Any:
    x = layers.SeparableConv2D(filters, (3, 3), padding="same", use_bias=False, name=name)(x)
    return _normalized(x, f"{name}_bn")


def _halving_block(x: Any, number: int) -> Any:
    first, second = HALVING[number]
    name = f"block{number}"
    residual = layers.Conv2D(second, (1, 1), strides=(2, 2), padding="same", use_bias=False)(x)
    residual = _normalized(residual)
    x = x if number == 2 else _activated(x, f"{name}_sepconv1")  # the first has been activated
    x = _separable(x, first, f"{name}_sepconv1")
    x = _separable(_activated(x, f"{name}_sepconv2"), second, f"{name}_sepconv2")
    x = layers.MaxPooling2D((3, 3), strides=(2, 2), padding="same", name=f"{name}_pool")(x)
    return layers.Add()([x, residual])


def _middle_block(x: Any, number: int) -> Any:
    residual = x
    for convolution in (1, 2, 3):
        name = f"block{number}_sepconv{convolution}"
        x = _separable(_activated(x, name), 728, name)
    return layers.Add()([x, residual])


@model_function("xception")
def Xception(options: Options) -> Functional:
    """The network Xception, for images of 299x299 (https://arxiv.org/abs/1610.02357)."""
    x = inputs = images(options, default_size=299, min_size=71)
    for filters, strides, name in ((32, (2, 2), "block1_conv1"), (64, (1, 1), "block1_conv2")):
        x = layers.Conv2D(filters, (3, 3), strides=strides, use_bias=False, name=name)(x)
        x = _activated(_normalized(x, f"{name}_bn"), name)
    for number in range(2, 14):
        x = _halving_block(x, number) if number in HALVING else _middle_block(x, number)
    for filters, name in ((1536, "block14_sepconv1"), (2048, "block14_sepconv2")):
        x = _activated(_separable(x, filters, name), name)
    published = Published(
        f"{KERAS_APPLICATIONS}xception/",
        ("xception_weights_tf_dim_ordering_tf_kernels.h5", "0a58e3b7378bc2990ea3b43d5981f1f6"),
        ("xception_weights_tf_dim_ordering_tf_kernels_notop.h5", "b0042744bf5b25fce3cb969f33bebb97"),
    )
    return finished(options, inputs, top(x, options, is_named=False), published)


preprocess_input = preprocessing("tf")

__all__ = ["Xception", "decode_predictions", "preprocess_input"]
offer(globals())
