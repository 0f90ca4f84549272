"""DenseNet121, DenseNet169 and DenseNet201 (https://arxiv.org/abs/1608.06993): each block sees all before it."""

from collections.abc import Sequence
from typing import Any

from cornu import layers
from cornu.applications.base import (
    KERAS_APPLICATIONS,
    Options,
    Published,
    finished,
    images,
    model_function,
    needs_channels_last,
    preprocessing,
    top,
)
from cornu.applications.imagenet_utils import decode_predictions
from cornu.core.public import offer
from cornu.models.model import Functional

GROWTH = 32  # channels that each block adds


def _activated(x: Any, normalization: str, activation: str) -> Any:
    x = layers.BatchNormalization(axis=3, epsilon=1.001e-5, name=normalization)(x)
    return layers.Activation("relu", name=activation)(x)


def _block(x: Any, name: str) -> Any:
    new = _activated(x, f"{name}_0_bn", f"{name}_0_relu")
    new = layers.Conv2D(4 * GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(new)
    new = _activated(new, f"{name}_1_bn", f"{name}_1_relu")
    new = layers.Conv2D(GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(new)
    return layers.Concatenate(axis=3, name=f"{name}_concat")([x, new])


def _transition(x: Any, name: str) -> Any:
    """Halve channels, height and width."""
    x = _activated(x, f"{name}_bn", f"{name}_relu")
    x = layers.Conv2D(x.shape[3] // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _dense_network(options: Options, name: str, blocks: Sequence[int], digests: tuple[str, str]) -> Functional:
    """Return the model with these numbers of blocks in its stages."""
    needs_channels_last("DenseNet")
    inputs = images(options, default_size=224)
    x = layers.ZeroPadding2D(((3, 3), (3, 3)))(inputs)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
    x = _activated(x, "conv1_bn", "conv1_relu")
    x = layers.ZeroPadding2D(((1, 1), (1, 1)))(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, count in enumerate(blocks, start=2):
        x = x if stage == 2 else _transition(x, f"pool{stage - 1}")
        for number in range(1, count + 1):
            x = _block(x, f"conv{stage}_block{number}")
    x = _activated(x, "bn", "relu")
    file = f"{name}_weights_tf_dim_ordering_tf_kernels"
    whole, features = (f"{file}.h5", digests[0]), (f"{file}_notop.h5", digests[1])
    return finished(options, inputs, top(x, options), Published(f"{KERAS_APPLICATIONS}densenet/", whole, features))


@model_function("densenet121")
def DenseNet121(options: Options) -> Functional:
    """The densely connected network with 121 layers, for images of 224x224 (https://arxiv.org/abs/1608.06993)."""
    digests = "9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"
    return _dense_network(options, "densenet121", (6, 12, 24, 16), digests)


@model_function("densenet169")
def DenseNet169(options: Options) -> Functional:
    """The densely connected network with 169 layers, for images of 224x224 (https://arxiv.org/abs/1608.06993)."""
    digests = "d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"
    return _dense_network(options, "densenet169", (6, 12, 32, 32), digests)


@model_function("densenet201")
def DenseNet201(options: Options) -> Functional:
    """The densely connected network with 201 layers, for images of 224x224 (https://arxiv.org/abs/1608.06993)."""
    digests = "1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"
    return _dense_network(options, "densenet201", (6, 12, 48, 32), digests)


preprocess_input = preprocessing("torch")

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]
offer(globals())
