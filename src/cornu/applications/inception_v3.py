"""InceptionV3 (https://arxiv.org/abs/1512.00567): blocks of parallel branches, whose channels are joined."""

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
from cornu.models.model import Functional

#: A convolution of a branch: filters, and height and width of its kernel.
Convolution = tuple[int, int, int]


def conv2d_bn(
    x: Any,
    filters: int,
    num_row: int,
    num_col: int,
    padding: str = "same",
    strides: tuple[int, int] = (1, 1),
    name: str | None = None,
) -> Any:
    """Return `x` convolved with kernels of `num_row` by `num_col`, normalized, and through a ReLU."""
    convolution_name, normalization_name = (None, None) if name is None else (f"{name}_conv", f"{name}_bn")
    x = layers.Conv2D(
        filters, (num_row, num_col), strides=strides, padding=padding, use_bias=False, name=convolution_name
    )(x)
    x = layers.BatchNormalization(axis=channel_axis(), scale=False, name=normalization_name)(x)
    return layers.Activation("relu", name=name)(x)


def _chain(x: Any, convolutions: Sequence[Convolution]) -> Any:
    for filters, height, width in convolutions:
        x = conv2d_bn(x, filters, height, width)
    return x


def _joined(branches: Sequence[Any], name: str | None = None) -> Any:
    return layers.Concatenate(axis=channel_axis(), name=name)(branches)


def _pooled_branch(x: Any, filters: int) -> Any:
    return conv2d_bn(layers.AveragePooling2D((3, 3), strides=(1, 1), padding="same")(x), filters, 1, 1)


def _block(x: Any, branches: Sequence[Sequence[Convolution]], pool_filters: int, name: str) -> Any:
    """Join branches of convolutions and one that pools."""
    return _joined([*(_chain(x, branch) for branch in branches), _pooled_branch(x, pool_filters)], name)


def _halving_block(x: Any, branches: Sequence[Sequence[Convolution]], name: str) -> Any:
    """Join branches whose last convolution halves height and width, and one that pools."""
    halved = []
    for *convolutions, last in branches:
        halved.append(conv2d_bn(_chain(x, convolutions), *last, padding="valid", strides=(2, 2)))
    return _joined([*halved, layers.MaxPooling2D((3, 3), strides=(2, 2))(x)], name)


def _wide_block(x: Any, number: int) -> Any:
    """Join branches of which two end in a pair of convolutions, along height and along width."""
    one = conv2d_bn(x, 320, 1, 1)
    three = conv2d_bn(x, 384, 1, 1)
    three = _joined([conv2d_bn(three, 384, 1, 3), conv2d_bn(three, 384, 3, 1)], f"mixed9_{number}")
    double = _chain(x, [(448, 1, 1), (384, 3, 3)])
    double = _joined([conv2d_bn(double, 384, 1, 3), conv2d_bn(double, 384, 3, 1)])
    return _joined([one, three, double, _pooled_branch(x, 192)], f"mixed{9 + number}")


def _stem(x: Any) -> Any:
    x = conv2d_bn(x, 32, 3, 3, strides=(2, 2), padding="valid")
    x = conv2d_bn(x, 32, 3, 3, padding="valid")
    x = conv2d_bn(x, 64, 3, 3)
    x = layers.MaxPooling2D((3, 3), strides=(2, 2))(x)
    x = conv2d_bn(x, 80, 1, 1, padding="valid")
    x = conv2d_bn(x, 192, 3, 3, padding="valid")
    return layers.MaxPooling2D((3, 3), strides=(2, 2))(x)


def _body(x: Any) -> Any:
    small = [[(64, 1, 1)], [(48, 1, 1), (64, 5, 5)], [(64, 1, 1), (96, 3, 3), (96, 3, 3)]]
    for number, pool_filters in enumerate((32, 64, 64)):
        x = _block(x, small, pool_filters, f"mixed{number}")
    x = _halving_block(x, [[(384, 3, 3)], [(64, 1, 1), (96, 3, 3), (96, 3, 3)]], "mixed3")
    for number, n in enumerate((128, 160, 160, 192), start=4):
        seven = [(n, 1, 1), (n, 1, 7), (192, 7, 1)]
        double = [(n, 1, 1), (n, 7, 1), (n, 1, 7), (n, 7, 1), (192, 1, 7)]
        x = _block(x, [[(192, 1, 1)], seven, double], 192, f"mixed{number}")
    seven = [(192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3)]
    x = _halving_block(x, [[(192, 1, 1), (320, 3, 3)], seven], "mixed8")
    return _wide_block(_wide_block(x, 0), 1)


@model_function("inception_v3")
def InceptionV3(options: Options) -> Functional:
    """The Inception network of version 3, for images of 299x299 (https://arxiv.org/abs/1512.00567)."""
    inputs = images(options, default_size=299, min_size=75)
    x = _body(_stem(inputs))
    published = Published(
        f"{KERAS_APPLICATIONS}inception_v3/",
        ("inception_v3_weights_tf_dim_ordering_tf_kernels.h5", "9a0d58056eeedaa3f26cb7ebd46da564"),
        ("inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5", "bcbd6486424b2319ff4ef7d526e38f63"),
    )
    return finished(options, inputs, top(x, options, is_named=False), published)


preprocess_input = preprocessing("tf")

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]
offer(globals())
