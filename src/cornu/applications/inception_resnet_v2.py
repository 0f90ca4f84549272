"""InceptionResNetV2 (https://arxiv.org/abs/1602.07261): Inception blocks with residuals."""

from collections.abc import Sequence
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
from cornu.layers.merging import CustomScaleLayer
from cornu.models.model import Functional

#: A convolution of a branch: filters and size of the kernel.
Convolution = tuple[int, Any]

#: Kind of block -> the convolutions of its branches.
BRANCHES: dict[str, list[list[Convolution]]] = {
    "block35": [[(32, 1)], [(32, 1), (32, 3)], [(32, 1), (48, 3), (64, 3)]],
    "block17": [[(192, 1)], [(128, 1), (160, [1, 7]), (192, [7, 1])]],
    "block8": [[(192, 1)], [(192, 1), (224, [1, 3]), (256, [3, 1])]],
}


def conv2d_bn(
    x: Any,
    filters: int,
    kernel_size: Any,
    strides: int = 1,
    padding: str = "same",
    activation: str | None = "relu",
    use_bias: bool = False,
    name: str | None = None,
) -> Any:
    """Return `x` convolved, normalized (unless there is a bias), and through an activation (unless it is None)."""
    x = layers.Conv2D(filters, kernel_size, strides=strides, padding=padding, use_bias=use_bias, name=name)(x)
    if not use_bias:
        x = layers.BatchNormalization(axis=channel_axis(), scale=False, name=name and f"{name}_bn")(x)
    return x if activation is None else layers.Activation(activation, name=name and f"{name}_ac")(x)


def _chain(x: Any, convolutions: Sequence[Convolution]) -> Any:
    for filters, kernel_size in convolutions:
        x = conv2d_bn(x, filters, kernel_size)
    return x


def _joined(branches: Sequence[Any], name: str) -> Any:
    return layers.Concatenate(axis=channel_axis(), name=name)(branches)


def _halving_block(x: Any, branches: Sequence[Sequence[Convolution]], name: str) -> Any:
    """Join branches whose last convolution halves height and width, and one that pools."""
    halved = []
    for *convolutions, (filters, kernel_size) in branches:
        halved.append(conv2d_bn(_chain(x, convolutions), filters, kernel_size, strides=2, padding="valid"))
    return _joined([*halved, layers.MaxPooling2D(3, strides=2, padding="valid")(x)], name)


def _residual_block(x: Any, scale: float, kind: str, number: int, activation: str | None = "relu") -> Any:
    name = f"{kind}_{number}"
    joined = _joined([_chain(x, branch) for branch in BRANCHES[kind]], f"{name}_mixed")
    change = conv2d_bn(joined, x.shape[channel_axis()], 1, activation=None, use_bias=True, name=f"{name}_conv")
    x = CustomScaleLayer(scale)([x, change])
    return x if activation is None else layers.Activation(activation, name=f"{name}_ac")(x)


def _stem(x: Any) -> Any:
    x = conv2d_bn(x, 32, 3, strides=2, padding="valid")
    x = conv2d_bn(x, 32, 3, padding="valid")
    x = conv2d_bn(x, 64, 3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = conv2d_bn(x, 80, 1, padding="valid")
    x = conv2d_bn(x, 192, 3, padding="valid")
    x = layers.MaxPooling2D(3, strides=2)(x)
    branches = [_chain(x, branch) for branch in ([(96, 1)], [(48, 1), (64, 5)], [(64, 1), (96, 3), (96, 3)])]
    pooled = conv2d_bn(layers.AveragePooling2D(3, strides=1, padding="same")(x), 64, 1)
    return _joined([*branches, pooled], "mixed_5b")


def _body(x: Any) -> Any:
    for number in range(1, 11):
        x = _residual_block(x, 0.17, "block35", number)
    x = _halving_block(x, [[(384, 3)], [(256, 1), (256, 3), (384, 3)]], "mixed_6a")
    for number in range(1, 21):
        x = _residual_block(x, 0.1, "block17", number)
    x = _halving_block(x, [[(256, 1), (384, 3)], [(256, 1), (288, 3)], [(256, 1), (288, 3), (320, 3)]], "mixed_7a")
    for number in range(1, 10):
        x = _residual_block(x, 0.2, "block8", number)
    x = _residual_block(x, 1.0, "block8", 10, activation=None)
    return conv2d_bn(x, 1536, 1, name="conv_7b")


@model_function("inception_resnet_v2")
def InceptionResNetV2(options: Options) -> Functional:
    """The residual Inception network of version 2, for images of 299x299 (https://arxiv.org/abs/1602.07261)."""
    inputs = images(options, default_size=299, min_size=75)
    x = _body(_stem(inputs))
    published = Published(
        f"{KERAS_APPLICATIONS}inception_resnet_v2/",
        ("inception_resnet_v2_weights_tf_dim_ordering_tf_kernels.h5", "e693bd0210a403b3192acc6073ad2e96"),
        ("inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5", "d19885ff4a710c122648d3b5c3b684e4"),
    )
    return finished(options, inputs, top(x, options, is_named=False), published)


preprocess_input = preprocessing("tf")

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]
offer(globals())
