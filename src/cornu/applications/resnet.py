"""ResNet50, ResNet101 and ResNet152 (https://arxiv.org/abs/1512.03385), and what version 2 shares with them."""

from collections.abc import Callable, Sequence
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

FILTERS = (64, 128, 256, 512)  # of the four stages

Stages = Callable[[Any], Any]  # from the stem's feature maps to the last ones


def published(name: str, whole: str, features: str) -> Published:
    """Return the files of weights of a residual network, from their MD5."""
    file = f"{name}_weights_tf_dim_ordering_tf_kernels"
    return Published(f"{KERAS_APPLICATIONS}resnet/", (f"{file}.h5", whole), (f"{file}_notop.h5", features))


def normalized(x: Any, name: str) -> Any:
    return layers.BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name=name)(x)


def activated(x: Any, prefix: str) -> Any:
    """Return `x` normalized, then through a ReLU."""
    return layers.Activation("relu", name=f"{prefix}_relu")(normalized(x, f"{prefix}_bn"))


def residual_network(options: Options, stages: Stages, activates_first: bool, files: Published) -> Functional:
    """Return a model of a stem, stages and a top; `activates_first` is version 2's order in each block."""
    inputs = images(options, default_size=224)
    x = layers.ZeroPadding2D(((3, 3), (3, 3)), name="conv1_pad")(inputs)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    if not activates_first:
        x = activated(x, "conv1")
    x = layers.ZeroPadding2D(((1, 1), (1, 1)), name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    x = stages(x)
    if activates_first:
        x = activated(x, "post")
    return finished(options, inputs, top(x, options), files)


def _block(x: Any, filters: int, strides: int, projects: bool, name: str) -> Any:
    shortcut = x
    if projects:
        shortcut = layers.Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(x)
        shortcut = normalized(shortcut, f"{name}_0_bn")
    x = activated(layers.Conv2D(filters, 1, strides=strides, name=f"{name}_1_conv")(x), f"{name}_1")
    x = activated(layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x), f"{name}_2")
    x = normalized(layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x), f"{name}_3_bn")
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


def stages_of(blocks: Sequence[int], block: Callable[..., Any], last_halves: bool) -> Stages:
    """Return stages with these numbers of blocks, of which the first projects.

    Args:
        blocks: The numbers.
        block: Function that adds one block.
        last_halves: Whether the last block of each stage but the last one halves height and width, or the first block
            of each but the first one.
    """

    def build(x: Any) -> Any:
        for stage, (filters, count) in enumerate(zip(FILTERS, blocks, strict=True), start=2):
            halving = (count if stage < 5 else None) if last_halves else (1 if stage > 2 else None)
            for number in range(1, count + 1):
                strides = 2 if number == halving else 1
                x = block(x, filters, strides, projects=number == 1, name=f"conv{stage}_block{number}")
        return x

    return build


def _stages(*blocks: int) -> Stages:
    return stages_of(blocks, _block, last_halves=False)


@model_function("resnet50")
def ResNet50(options: Options) -> Functional:
    """The residual network with 50 layers, for images of 224x224 (https://arxiv.org/abs/1512.03385)."""
    files = published("resnet50", "2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626")
    return residual_network(options, _stages(3, 4, 6, 3), False, files)


@model_function("resnet101")
def ResNet101(options: Options) -> Functional:
    """The residual network with 101 layers, for images of 224x224 (https://arxiv.org/abs/1512.03385)."""
    files = published("resnet101", "f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21")
    return residual_network(options, _stages(3, 4, 23, 3), False, files)


@model_function("resnet152")
def ResNet152(options: Options) -> Functional:
    """The residual network with 152 layers, for images of 224x224 (https://arxiv.org/abs/1512.03385)."""
    files = published("resnet152", "100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c")
    return residual_network(options, _stages(3, 8, 36, 3), False, files)


preprocess_input = preprocessing("caffe")

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]
offer(globals())
