"""ResNet50V2, ResNet101V2 and ResNet152V2: blocks that activate before they convolve (https://arxiv.org/abs/1603.05027)."""

from typing import Any

from cornu import layers
from cornu.applications.base import Options, model_function, preprocessing
from cornu.applications.imagenet_utils import decode_predictions
from cornu.applications.resnet import Stages, activated, published, residual_network, stages_of
from cornu.core.public import offer
from cornu.models.model import Functional


def _block(x: Any, filters: int, strides: int, projects: bool, name: str) -> Any:
    before = activated(x, f"{name}_preact")
    if projects:
        shortcut = layers.Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(before)
    else:
        shortcut = layers.MaxPooling2D(1, strides=strides)(x) if strides > 1 else x
    x = layers.Conv2D(filters, 1, strides=1, use_bias=False, name=f"{name}_1_conv")(before)
    x = activated(x, f"{name}_1")
    x = layers.ZeroPadding2D(((1, 1), (1, 1)), name=f"{name}_2_pad")(x)
    x = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=f"{name}_2_conv")(x)
    x = activated(x, f"{name}_2")
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    return layers.Add(name=f"{name}_out")([shortcut, x])


def _stages(*blocks: int) -> Stages:
    return stages_of(blocks, _block, last_halves=True)


@model_function("resnet50v2")
def ResNet50V2(options: Options) -> Functional:
    """The residual network of version 2 with 50 layers, for images of 224x224 (https://arxiv.org/abs/1603.05027)."""
    files = published("resnet50v2", "3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917")
    return residual_network(options, _stages(3, 4, 6, 3), True, files)


@model_function("resnet101v2")
def ResNet101V2(options: Options) -> Functional:
    """The residual network of version 2 with 101 layers, for images of 224x224 (https://arxiv.org/abs/1603.05027)."""
    files = published("resnet101v2", "6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5")
    return residual_network(options, _stages(3, 4, 23, 3), True, files)


@model_function("resnet152v2")
def ResNet152V2(options: Options) -> Functional:
    """The residual network of version 2 with 152 layers, for images of 224x224 (https://arxiv.org/abs/1603.05027)."""
    files = published("resnet152v2", "a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33")
    return residual_network(options, _stages(3, 8, 36, 3), True, files)


preprocess_input = preprocessing("tf")

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]
offer(globals())
