"""NASNet Mobile and Large (https://arxiv.org/abs/1707.07012): cells that a search has found, of two kinds."""

from typing import Any, NamedTuple

from cornu import layers
from cornu.applications import imagenet_utils
from cornu.applications.base import (
    KERAS_APPLICATIONS,
    Options,
    Published,
    classifier,
    finished,
    images,
    needs_channels_last,
    pooled,
    preprocessing,
)
from cornu.applications.imagenet_utils import decode_predictions
from cornu.core.public import offer
from cornu.core.spellings import old_keywords
from cornu.models.model import Functional


class Variant(NamedTuple):
    """What the two models differ in.

    Args:
        default_size: Usual height and width.
        filters: Number of filters of the first normal cells; each reducing cell doubles it.
        cells: Number of normal cells in a row.
        stem_filters: Number of filters of the first convolution.
        skips_reduction: Whether the cell after a reducing cell also gets the input of the one before that.
        published: The files of weights.
    """

    default_size: int
    filters: int
    cells: int
    stem_filters: int
    skips_reduction: bool
    published: Published


FOLDER = f"{KERAS_APPLICATIONS}nasnet/"
MOBILE = Variant(
    default_size=224,
    filters=44,
    cells=4,
    stem_filters=32,
    skips_reduction=False,
    published=Published(
        FOLDER,
        ("nasnet_mobile.h5", "020fb642bf7360b370c678b08e0adf61", "NASNet-mobile.h5"),
        ("nasnet_mobile_no_top.h5", "1ed92395b5b598bdda52abe5c0dbfd63", "NASNet-mobile-no-top.h5"),
    ),
)
LARGE = Variant(
    default_size=331,
    filters=168,
    cells=6,
    stem_filters=96,
    skips_reduction=True,
    published=Published(
        FOLDER,
        ("nasnet_large.h5", "11577c9a518f0070763c2b964a382f17", "NASNet-large.h5"),
        ("nasnet_large_no_top.h5", "d81d89dc07e6e56530c4e77faddd61b5", "NASNet-large-no-top.h5"),
    ),
)


def _activated(x: Any, name: str | None = None) -> Any:
    return layers.Activation("relu", name=name)(x)


def _normalized(x: Any, name: str) -> Any:
    return layers.BatchNormalization(axis=-1, momentum=0.9997, epsilon=1e-3, name=name)(x)


def _convolved(x: Any, filters: int, name: str, **options: Any) -> Any:
    convolution = layers.Conv2D(
        filters, (1, 1), padding="same", use_bias=False, kernel_initializer="he_normal", name=name, **options
    )
    return convolution(x)


def _separable(x: Any, filters: int, size: int, name: str, strides: int = 1) -> Any:
    """Return `x` after two separable convolutions, each of ReLU, convolution and normalization."""
    x = _activated(x)
    if strides == 2:
        pad = imagenet_utils.correct_pad(x, size)
        x = layers.ZeroPadding2D(pad, name=f"separable_conv_1_pad_{name}")(x)
    for number, steps, padding in ((1, strides, "valid" if strides == 2 else "same"), (2, 1, "same")):
        x = x if number == 1 else _activated(x)
        convolution = layers.SeparableConv2D(
            filters,
            (size, size),
            strides=(steps, steps),
            padding=padding,
            use_bias=False,
            name=f"separable_conv_{number}_{name}",
        )
        x = _normalized(convolution(x), f"separable_conv_{number}_bn_{name}")
    return x


def _average(x: Any, name: str, strides: int = 1, padding: str = "same") -> Any:
    return layers.AveragePooling2D((3, 3), strides=(strides, strides), padding=padding, name=name)(x)


def _maximum(x: Any, name: str) -> Any:
    return layers.MaxPooling2D((3, 3), strides=(2, 2), padding="valid", name=name)(x)


def _sum(a: Any, b: Any, name: str | None = None) -> Any:
    return layers.Add(name=name)([a, b])


def _fitted(before: Any, x: Any, filters: int, name: str) -> Any:
    """Return `before`, the input of the previous cell (None for the first), with the size of `x` and `filters`."""
    if before is None:
        return x
    if before.shape[2] != x.shape[2]:
        before = _activated(before, f"adjust_relu_1_{name}")
        shifted = layers.ZeroPadding2D(((0, 1), (0, 1)))
        cut = layers.Cropping2D(((1, 0), (1, 0)))
        one = _every_other(before, filters // 2, 1, name)
        two = _every_other(cut(shifted(before)), filters // 2, 2, name)
        before = layers.Concatenate(axis=-1)([one, two])
        return _normalized(before, f"adjust_bn_{name}")
    if before.shape[3] != filters:
        before = _convolved(_activated(before), filters, f"adjust_conv_projection_{name}", strides=(1, 1))
        return _normalized(before, f"adjust_bn_{name}")
    return before


def _every_other(x: Any, filters: int, number: int, name: str) -> Any:
    """Return every other pixel of every other row, projected."""
    pool = layers.AveragePooling2D((1, 1), strides=(2, 2), padding="valid", name=f"adjust_avg_pool_{number}_{name}")
    return _convolved(pool(x), filters, f"adjust_conv_{number}_{name}")


def _projected(x: Any, filters: int, kind: str, name: str) -> Any:
    x = _convolved(_activated(x), filters, f"{kind}_conv_1_{name}", strides=(1, 1))
    return _normalized(x, f"{kind}_bn_1_{name}")


def _normal_cell(x: Any, before: Any, filters: int, name: str) -> Any:
    """Return a cell's output, of the size of its input `x`; `before` is the input of the previous cell."""
    before = _fitted(before, x, filters, name)
    h = _projected(x, filters, "normal", name)
    left = _separable(h, filters, 5, f"normal_left1_{name}")
    right = _separable(before, filters, 3, f"normal_right1_{name}")
    one = _sum(left, right, f"normal_add_1_{name}")
    left = _separable(before, filters, 5, f"normal_left2_{name}")
    right = _separable(before, filters, 3, f"normal_right2_{name}")
    two = _sum(left, right, f"normal_add_2_{name}")
    three = _sum(_average(h, f"normal_left3_{name}"), before, f"normal_add_3_{name}")
    left, right = _average(before, f"normal_left4_{name}"), _average(before, f"normal_right4_{name}")
    four = _sum(left, right, f"normal_add_4_{name}")
    five = _sum(_separable(h, filters, 3, f"normal_left5_{name}"), h, f"normal_add_5_{name}")
    return layers.Concatenate(axis=-1, name=f"normal_concat_{name}")([before, one, two, three, four, five])


def _reducing_cell(x: Any, before: Any, filters: int, name: str) -> Any:
    """Return a cell's output, of half the height and width of its input `x`."""
    before = _fitted(before, x, filters, name)
    h = _projected(x, filters, "reduction", name)
    padded = layers.ZeroPadding2D(imagenet_utils.correct_pad(h, 3), name=f"reduction_pad_1_{name}")(h)
    left = _separable(h, filters, 5, f"reduction_left1_{name}", strides=2)
    right = _separable(before, filters, 7, f"reduction_right1_{name}", strides=2)
    one = _sum(left, right, f"reduction_add_1_{name}")
    left = _maximum(padded, f"reduction_left2_{name}")
    right = _separable(before, filters, 7, f"reduction_right2_{name}", strides=2)
    two = _sum(left, right, f"reduction_add_2_{name}")
    left = _average(padded, f"reduction_left3_{name}", strides=2, padding="valid")
    right = _separable(before, filters, 5, f"reduction_right3_{name}", strides=2)
    three = _sum(left, right, f"reduction_add3_{name}")
    four = _sum(two, _average(one, f"reduction_left4_{name}"))
    left = _separable(one, filters, 3, f"reduction_left4_{name}")
    five = _sum(left, _maximum(padded, f"reduction_right5_{name}"), f"reduction_add4_{name}")
    return layers.Concatenate(axis=-1, name=f"reduction_concat_{name}")([two, three, four, five])


def _body(images: Any, variant: Variant) -> Any:
    filters, cells = variant.filters, variant.cells
    stem = layers.Conv2D(
        variant.stem_filters,
        (3, 3),
        strides=(2, 2),
        padding="valid",
        use_bias=False,
        kernel_initializer="he_normal",
        name="stem_conv1",
    )
    first = _normalized(stem(images), "stem_bn1")
    before, x = first, _reducing_cell(first, None, filters // 4, "stem_1")
    before, x = x, _reducing_cell(x, before, filters // 2, "stem_2")
    for stage in range(3):
        if stage:
            reduced = _reducing_cell(x, before, filters * 2**stage, f"reduce_{stage * cells}")
            before, x = before if variant.skips_reduction else x, reduced
        for number in range(cells):
            name = str(stage * cells + number + (stage > 0))
            before, x = x, _normal_cell(x, before, filters * 2**stage, name)
    return _activated(x)


def _searched_network(options: Options, variant: Variant) -> Functional:
    needs_channels_last("NASNet")
    if options.weights == "imagenet" and options.input_shape is not None and None in options.input_shape:
        raise ValueError(
            f"With weights='imagenet', height and width must be known; input_shape is {tuple(options.input_shape)}."
        )
    inputs = images(options, variant.default_size)
    x = _body(inputs, variant)
    if options.include_top:
        x = classifier(layers.GlobalAveragePooling2D()(x), options)
    else:
        x = pooled(x, options, is_named=False)
    return finished(options, inputs, x, variant.published)


@old_keywords("applications", called="NASNetMobile")
def NASNetMobile(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = imagenet_utils.CLASSES,
    classifier_activation: Any = "softmax",
    name: str | None = "nasnet_mobile",
) -> Functional:
    """The smaller NASNet, for images of 224x224 (https://arxiv.org/abs/1707.07012).

    Args:
        input_shape: Shape of one image, without the batch axis; by default (224, 224, 3).
        include_top, weights, input_tensor, pooling, classes, classifier_activation, name: As in `VGG16`.

    Raises:
        ValueError: An argument is not valid or does not go with another one, or the weights do not fit.
        ConnectionError: The weights are not on this machine and cannot be downloaded.

    Follows https://keras.io/api/applications/nasnet/

    >>> NASNetMobile((32, 32, 3), weights=None, classes=10).output_shape
    (None, 10)
    """
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _searched_network(_with_known_size(options, MOBILE), MOBILE)


@old_keywords("applications", called="NASNetLarge")
def NASNetLarge(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = imagenet_utils.CLASSES,
    classifier_activation: Any = "softmax",
    name: str | None = "nasnet_large",
) -> Functional:
    """The larger NASNet, for images of 331x331 (https://arxiv.org/abs/1707.07012).

    Args:
        input_shape: Shape of one image, without the batch axis; by default (331, 331, 3).
        include_top, weights, input_tensor, pooling, classes, classifier_activation, name: As in `VGG16`.

    Raises:
        ValueError: An argument is not valid or does not go with another one, or the weights do not fit.
        ConnectionError: The weights are not on this machine and cannot be downloaded.

    Follows https://keras.io/api/applications/nasnet/
    """
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    return _searched_network(_with_known_size(options, LARGE), LARGE)


def _with_known_size(options: Options, variant: Variant) -> Options:
    """Return the arguments with a size of images: cells compare that of their inputs."""
    size = variant.default_size
    if options.input_shape is not None or options.input_tensor is not None:
        return options
    return options._replace(input_shape=(size, size, 3))


preprocess_input = preprocessing("tf")

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]
offer(globals())
