"""MobileNetV3 Small and Large (https://arxiv.org/abs/1905.02244): blocks of version 2 that weigh their channels."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

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
from cornu.applications.mobilenet import height_and_width
from cornu.applications.mobilenet_v2 import checked_image_shape, divisible, normalized
from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.core.settings import image_data_format
from cornu.core.spellings import old_keywords
from cornu.models.model import Functional

USUAL_SIZE, MIN_SIZE = 224, 32
WEIGHING = 0.25  # fraction of the channels in which the others' weights are computed

#: Kind of model -> MD5 of its files with the top and without it.
DIGESTS = {
    "large_224_0.75_float": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "large_224_1.0_float": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "large_minimalistic_224_1.0_float": ("675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973"),
    "small_224_0.75_float": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "small_224_1.0_float": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "small_minimalistic_224_1.0_float": ("99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4"),
}


class Block(NamedTuple):
    """A block: factor on the channels inside it, filters, size of its kernel, strides, and what it computes.

    The minimalistic models have kernels of size 3 and ReLUs everywhere, and weigh no channels.
    """

    expansion: float
    filters: int
    kernel_size: int
    strides: int
    weighs: bool
    hard_swish: bool


SMALL = (
    Block(1, 16, 3, 2, True, False),
    Block(72 / 16, 24, 3, 2, False, False),
    Block(88 / 24, 24, 3, 1, False, False),
    Block(4, 40, 5, 2, True, True),
    Block(6, 40, 5, 1, True, True),
    Block(6, 40, 5, 1, True, True),
    Block(3, 48, 5, 1, True, True),
    Block(3, 48, 5, 1, True, True),
    Block(6, 96, 5, 2, True, True),
    Block(6, 96, 5, 1, True, True),
    Block(6, 96, 5, 1, True, True),
)
LARGE = (
    Block(1, 16, 3, 1, False, False),
    Block(4, 24, 3, 2, False, False),
    Block(3, 24, 3, 1, False, False),
    Block(3, 40, 5, 2, True, False),
    Block(3, 40, 5, 1, True, False),
    Block(3, 40, 5, 1, True, False),
    Block(6, 80, 3, 2, False, True),
    Block(2.5, 80, 3, 1, False, True),
    Block(2.3, 80, 3, 1, False, True),
    Block(2.3, 80, 3, 1, False, True),
    Block(6, 112, 3, 1, True, True),
    Block(6, 112, 3, 1, True, True),
    Block(6, 160, 5, 2, True, True),
    Block(6, 160, 5, 1, True, True),
    Block(6, 160, 5, 1, True, True),
)


class Variant(NamedTuple):
    """What the two models of version 3 differ in, and what a program chooses of them."""

    kind: str
    blocks: Sequence[Block]
    last_filters: int
    alpha: float
    minimalistic: bool
    dropout_rate: float
    include_preprocessing: bool

    @property
    def files(self) -> str:
        """The kind of model in the names of published files."""
        return f"{self.kind}{'_minimalistic' if self.minimalistic else ''}_224_{float(self.alpha)}_float"

    def activation(self, hard_swish: bool = True) -> Callable[[], Any]:
        """Return what makes the layers of an activation."""
        return _hard_swish if hard_swish and not self.minimalistic else layers.ReLU


def _hard_swish() -> Any:
    return layers.Activation("hard_swish")


def _weighed(x: Any, name: str) -> Any:
    """Return `x` with each channel times a weight from 0 to 1, computed from the means of all channels."""
    channels = x.shape[channel_axis(-1)]
    weights = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_avg_pool")(x)
    weights = layers.Conv2D(divisible(channels * WEIGHING), kernel_size=1, padding="same", name=f"{name}_conv")(weights)
    weights = layers.ReLU(name=f"{name}_relu")(weights)
    weights = layers.Conv2D(channels, kernel_size=1, padding="same", name=f"{name}_conv_1")(weights)
    weights = layers.ReLU(6.0)(weights + 3.0) * (1.0 / 6.0)
    return layers.Multiply(name=f"{name}_mul")([x, weights])


def _block(x: Any, block: Block, number: int, variant: Variant) -> Any:
    inputs, channels = x, x.shape[channel_axis(-1)]
    activation = variant.activation(block.hard_swish)
    kernel_size = 3 if variant.minimalistic else block.kernel_size
    filters = divisible(block.filters * variant.alpha)
    name = f"expanded_conv_{number}_" if number else "expanded_conv_"
    if number:
        wide = divisible(channels * block.expansion)
        x = layers.Conv2D(wide, kernel_size=1, padding="same", use_bias=False, name=f"{name}expand")(x)
        x = activation()(normalized(x, f"{name}expand_bn"))
    if block.strides == 2:
        x = layers.ZeroPadding2D(imagenet_utils.correct_pad(x, kernel_size), name=f"{name}depthwise_pad")(x)
    x = layers.DepthwiseConv2D(
        kernel_size,
        strides=block.strides,
        padding="same" if block.strides == 1 else "valid",
        use_bias=False,
        name=f"{name}depthwise",
    )(x)
    x = activation()(normalized(x, f"{name}depthwise_bn"))
    if block.weighs and not variant.minimalistic:
        x = _weighed(x, f"{name}squeeze_excite")
    x = layers.Conv2D(filters, kernel_size=1, padding="same", use_bias=False, name=f"{name}project")(x)
    x = normalized(x, f"{name}project_bn")
    return layers.Add(name=f"{name}add")([inputs, x]) if block.strides == 1 and channels == filters else x


def _body(x: Any, variant: Variant) -> Any:
    activation = variant.activation()
    if variant.include_preprocessing:
        x = layers.Rescaling(scale=1.0 / 127.5, offset=-1.0)(x)
    x = layers.Conv2D(16, kernel_size=3, strides=(2, 2), padding="same", use_bias=False, name="conv")(x)
    x = activation()(normalized(x, "conv_bn"))
    for number, block in enumerate(variant.blocks):
        x = _block(x, block, number, variant)
    wide = divisible(x.shape[channel_axis(-1)] * 6)
    x = layers.Conv2D(wide, kernel_size=1, padding="same", use_bias=False, name="conv_1")(x)
    return activation()(normalized(x, "conv_1_bn"))


def _top(x: Any, options: Options, variant: Variant) -> Any:
    filters = divisible(variant.last_filters * variant.alpha) if variant.alpha > 1.0 else variant.last_filters
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Conv2D(filters, kernel_size=1, padding="same", use_bias=True, name="conv_2")(x)
    x = variant.activation()()(x)
    if variant.dropout_rate > 0:
        x = layers.Dropout(variant.dropout_rate)(x)
    x = layers.Flatten()(layers.Conv2D(options.classes, kernel_size=1, padding="same", name="logits")(x))
    return layers.Activation(options.classifier_activation, name="predictions")(x)


def _image_shape(options: Options) -> tuple[int | None, ...]:
    """Return the shape of images: that of `input_shape`, else of `input_tensor`, else any size."""
    any_size = (3, None, None) if image_data_format() == "channels_first" else (None, None, 3)
    shape = tuple(checked_image_shape(options) or any_size)
    if len(shape) != 3:
        raise ValueError(f"input_shape must have three numbers, such as (224, 224, 3); got {shape}.")
    if any(size is not None and size < MIN_SIZE for size in height_and_width(shape)):
        raise ValueError(f"Height and width must be at least {MIN_SIZE}; input_shape is {shape}.")
    return shape


def _check_published(variant: Variant, shape: Sequence[int | None]) -> None:
    """Raise ValueError if no weights are published for a variant; warn if they are not for images of `shape`."""
    if variant.files not in DIGESTS:
        published = (1.0,) if variant.minimalistic else (0.75, 1.0)
        raise unknown("alpha with weights='imagenet'", variant.alpha, published)
    height, width = height_and_width(shape)
    if (height, width) != (USUAL_SIZE, USUAL_SIZE):
        warnings.warn(
            f"The published weights were trained on images of {USUAL_SIZE}x{USUAL_SIZE}; these are {height}x{width}.",
            stacklevel=4,
        )


def _mobile_network(options: Options, variant: Variant) -> Functional:
    check_options(options)
    shape = _image_shape(options)
    if options.weights == "imagenet":
        _check_published(variant, shape)
    inputs = input_of(options, shape)
    x = _body(inputs, variant)
    outputs = _top(x, options, variant) if options.include_top else pooled(x, options)
    file = f"weights_mobilenet_v3_{variant.files}"
    digests = DIGESTS.get(variant.files, (None, None))
    published = Published(
        f"{KERAS_APPLICATIONS}mobilenet_v3/", (f"{file}.h5", digests[0]), (f"{file}_no_top_v2.h5", digests[1])
    )
    return finished(options, inputs, outputs, published)


@old_keywords("applications", called="MobileNetV3Small")
def MobileNetV3Small(
    input_shape: Any = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    classes: int = imagenet_utils.CLASSES,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
    name: str | None = "MobileNetV3Small",
) -> Functional:
    """The smaller MobileNet of version 3, for images of 224x224 (https://arxiv.org/abs/1905.02244).

    Args:
        alpha: Factor on the numbers of filters. Weights of ImageNet are published for 0.75 and 1.
        minimalistic: Whether to use only what any processor is fast at: kernels of size 3 and ReLUs. Weights of
            ImageNet are published for an `alpha` of 1.
        dropout_rate: Rate of dropout before the classifier.
        include_preprocessing: Whether the model scales images itself; without it, pass values from -1 to 1.
        input_shape, include_top, weights, input_tensor, classes, pooling, classifier_activation, name: As in `VGG16`.

    Raises:
        ValueError: An argument is not valid or does not go with another one, or the weights do not fit.
        ConnectionError: The weights are not on this machine and cannot be downloaded.

    Follows https://keras.io/api/applications/mobilenet/

    >>> MobileNetV3Small((32, 32, 3), weights=None, minimalistic=True, classes=10).output_shape
    (None, 10)
    """
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    variant = Variant("small", SMALL, 1024, alpha, minimalistic, dropout_rate, include_preprocessing)
    return _mobile_network(options, variant)


@old_keywords("applications", called="MobileNetV3Large")
def MobileNetV3Large(
    input_shape: Any = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    classes: int = imagenet_utils.CLASSES,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
    name: str | None = "MobileNetV3Large",
) -> Functional:
    """The larger MobileNet of version 3, for images of 224x224 (https://arxiv.org/abs/1905.02244).

    Args:
        alpha, minimalistic, dropout_rate, include_preprocessing: As in `MobileNetV3Small`.
        input_shape, include_top, weights, input_tensor, classes, pooling, classifier_activation, name: As in `VGG16`.

    Raises:
        ValueError: An argument is not valid or does not go with another one, or the weights do not fit.
        ConnectionError: The weights are not on this machine and cannot be downloaded.

    Follows https://keras.io/api/applications/mobilenet/

    >>> MobileNetV3Large((32, 32, 3), weights=None, include_top=False, pooling="max").output_shape
    (None, 960)
    """
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    variant = Variant("large", LARGE, 1280, alpha, minimalistic, dropout_rate, include_preprocessing)
    return _mobile_network(options, variant)


preprocess_input = preprocessing(None)

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]
offer(globals())
