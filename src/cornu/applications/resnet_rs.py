"""ResNet-RS: ResNet with squeeze-and-excitation and a new stem, of tf.keras 2 (https://arxiv.org/abs/2103.07579)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from cornu import initializers, layers
from cornu.applications import imagenet_utils
from cornu.applications.base import (
    KERAS_APPLICATIONS,
    Options,
    channel_axis,
    check_options,
    finished,
    input_of,
    preprocessing,
    top,
)
from cornu.applications.imagenet_utils import decode_predictions
from cornu.applications.variants import INCLUDE_PREPROCESSING, named, published_files
from cornu.core.names import unique_number
from cornu.core.public import offer
from cornu.core.settings import image_data_format
from cornu.models.model import Functional

#: Depth -> height and width of the images that weights were trained on -> digests of the files with top and without.
DIGESTS = {
    50: {160: ("69d9d925319f00a8bdd4af23c04e4102", "90daa68cd26c95aa6c5d25451e095529")},
    101: {
        160: ("544b3434d00efc199d66e9058c7f3379", "82d5b90c5ce9d710da639d6216d0f979"),
        192: ("eb285be29ab42cf4835ff20a5e3b5d23", "f9a0f6b85faa9c3db2b6e233c4eebb5b"),
    },
    152: {
        192: ("8d72a301ed8a6f11a47c4ced4396e338", "5fbf7ac2155cb4d5a6180ee9e3aa8704"),
        224: ("31a46a92ab21b84193d0d71dd8c3d03b", "dc8b2cba2005552eafa3167f00dc2133"),
        256: ("ba6271b99bdeb4e7a9b15c05964ef4ad", "fa79794252dbe47c89130f65349d654a"),
    },
    200: {256: ("a76930b741884e09ce90fa7450747d5f", "bbdb3994718dfc0d1cd45d7eff3f3d9c")},
    270: {256: ("20d575825ba26176b03cb51012a367a8", "2c42ecb22e35f3e23d2f70babce0a2aa")},
    350: {
        256: ("f4a039dc3c421321b7fc240494574a68", "6e44b55025bbdff8f51692a023143d66"),
        320: ("7ccb858cc738305e8ceb3c0140bee393", "ab0c1f9079d2f85a9facbd2c88aa6079"),
    },
    420: {320: ("ae0eb9bed39e64fc8d7e0db4018dc7e8", "fe6217c32be8305b1889657172b98884")},
}
#: Depth -> repeats of the blocks of four groups, rates of dropout before the classifier and at the last block.
SIZES = {
    50: ((3, 4, 6, 3), 0.25, 0.0),
    101: ((3, 4, 23, 3), 0.25, 0.0),
    152: ((3, 8, 36, 3), 0.25, 0.0),
    200: ((3, 24, 36, 3), 0.25, 0.1),
    270: ((4, 29, 53, 4), 0.25, 0.1),
    350: ((4, 36, 72, 4), 0.4, 0.1),
    420: ((4, 44, 87, 4), 0.4, 0.1),
}
FILTERS = (64, 128, 256, 512)
EXPANSION = 4  # filters at the end of a block for each one inside it
CONV_INITIALIZER = initializers.VarianceScaling(2.0, "fan_out", "truncated_normal")


class Style(NamedTuple):
    """What all blocks of a model have in common."""

    momentum: float
    epsilon: float
    activation: Any
    se_ratio: float


def ResNetRS(
    depth: int,
    input_shape: Any = None,
    bn_momentum: float = 0.0,
    bn_epsilon: float = 1e-5,
    activation: Any = "relu",
    se_ratio: float = 0.25,
    dropout_rate: float = 0.25,
    drop_connect_rate: float = 0.2,
    include_top: bool = True,
    block_args: Sequence[dict[str, int]] | None = None,
    model_name: str | None = "resnet-rs",
    pooling: str | None = None,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    classes: int = imagenet_utils.CLASSES,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Functional:
    """ResNet-RS of any depth. `ResNetRS50` describes the other arguments.

    Args:
        depth: Number of layers with weights; it selects the blocks and the weights.
        bn_momentum, bn_epsilon: Momentum and epsilon of batch normalization.
        activation: Activation of all blocks.
        se_ratio: Units of squeeze-and-excitation for each channel inside a block; 0 for none.
        dropout_rate: Rate of dropout before the classifier.
        drop_connect_rate: Rate at which the last blocks drop samples; those before them drop fewer.
        block_args: Dictionaries with ``input_filters`` and ``num_repeats``, one for each group of blocks.
        model_name: Name of the model.

    Follows https://arxiv.org/abs/2103.07579
    """
    size, weights = _size_of_weights(depth, weights)
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, model_name
    )
    check_options(options)
    shape = imagenet_utils.obtain_input_shape(input_shape, 224, 32, image_data_format(), include_top)
    x = inputs = input_of(options, shape)
    if include_preprocessing:
        x = _standardized(x)
    style = Style(bn_momentum, bn_epsilon, activation, se_ratio)
    x = _stem(x, style)
    groups = _groups(depth, block_args)
    for number, (filters, repeats) in enumerate(groups, start=2):
        rate = drop_connect_rate * number / (len(groups) + 1)
        for block in range(repeats):
            strides = 2 if number > 2 and block == 0 else 1
            x = _bottleneck(x, filters, strides, block == 0, style, rate, f"BlockGroup{number}__block_{block}_")
    x = top(x, options, dropout_rate)
    digests = DIGESTS.get(depth, {}).get(size or 0, ("", ""))
    stem = f"resnet-rs-{depth}-i{size}"
    return finished(options, inputs, x, published_files(f"{KERAS_APPLICATIONS}resnet_rs/", stem, digests))


def _size_of_weights(depth: int, weights: Any) -> tuple[int | None, Any]:
    """Return the size of images that ``"imagenet"`` or ``"imagenet-i224"`` asks for, and `weights` without it."""
    sizes = list(DIGESTS.get(depth, ()))
    known = {f"imagenet-i{size}": size for size in sizes} | ({"imagenet": max(sizes)} if sizes else {})
    if isinstance(weights, str) and weights in known:
        return known[weights], "imagenet"
    if isinstance(weights, str) and weights.split("-")[0] == "imagenet":
        raise ValueError(
            f"There are no weights {weights!r} for a ResNet-RS of depth {depth}; there are: "
            f"{', '.join(map(repr, known)) or 'none'}. Pass one of these, None, or a file of weights."
        )
    return None, weights


def _groups(depth: int, block_args: Sequence[dict[str, int]] | None) -> list[tuple[int, int]]:
    """Return filters and repeats of each group of blocks."""
    if block_args is not None:
        return [(args["input_filters"], args["num_repeats"]) for args in block_args]
    if depth not in SIZES:
        raise ValueError(f"ResNetRS knows the depths {', '.join(map(str, SIZES))}; for depth={depth} pass block_args.")
    return list(zip(FILTERS, SIZES[depth][0], strict=True))


def _standardized(x: Any) -> Any:
    x = layers.Rescaling(1 / 255)(x)
    if x.shape[channel_axis()] != 3:
        return x
    mean, variance = [0.485, 0.456, 0.406], [0.229**2, 0.224**2, 0.225**2]
    return layers.Normalization(axis=channel_axis(), mean=mean, variance=variance)(x)


def _stem(x: Any, style: Style) -> Any:
    name = f"stem_{unique_number('stem_')}_stem"
    for number, (filters, strides) in enumerate(((32, 2), (32, 1), (64, 1), (64, 2)), start=1):
        x = _convolution(x, filters, 3, strides, f"{name}_conv_{number}")
        x = _norm(x, style, f"{name}_batch_norm_{number}")
        x = layers.Activation(style.activation, name=f"{name}_act_{number}")(x)
    return x


def _convolution(x: Any, filters: int, size: int, strides: int, name: str) -> Any:
    if strides > 1:
        before = (size - 1) // 2
        x = layers.ZeroPadding2D(((before, size - 1 - before),) * 2)(x)
    return layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        use_bias=False,
        kernel_initializer=CONV_INITIALIZER,
        name=name,
    )(x)


def _norm(x: Any, style: Style, name: str) -> Any:
    return layers.BatchNormalization(channel_axis(), momentum=style.momentum, epsilon=style.epsilon, name=name)(x)


def _bottleneck(
    inputs: Any, filters: int, strides: int, is_projected: bool, style: Style, drop_rate: float, name: str
) -> Any:
    shortcut = _projection(inputs, filters, strides, style, name) if is_projected else inputs
    x = _convolution(inputs, filters, 1, 1, f"{name}_conv_1")
    x = _norm(x, style, f"{name}batch_norm_1")
    x = layers.Activation(style.activation, name=f"{name}_act_1")(x)
    x = _convolution(x, filters, 3, strides, f"{name}_conv_2")
    x = _norm(x, style, f"{name}_batch_norm_2")
    x = layers.Activation(style.activation, name=f"{name}_act_2")(x)
    x = _convolution(x, filters * EXPANSION, 1, 1, f"{name}_conv_3")
    x = _norm(x, style, f"{name}_batch_norm_3")
    if 0 < style.se_ratio < 1:
        x = _squeeze_excite(x, filters * EXPANSION, style.se_ratio, f"{name}_se")
    if drop_rate:
        x = layers.Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x)
    x = layers.Add()([x, shortcut])
    return layers.Activation(style.activation, name=f"{name}_output_act")(x)


def _projection(x: Any, filters: int, strides: int, style: Style, name: str) -> Any:
    if strides == 2:
        x = layers.AveragePooling2D(2, strides=2, padding="same", name=f"{name}_projection_pooling")(x)
    x = _convolution(x, filters * EXPANSION, 1, 1, f"{name}_projection_conv")
    return _norm(x, style, f"{name}_projection_batch_norm")


def _squeeze_excite(x: Any, filters: int, ratio: float, name: str) -> Any:
    options: dict[str, Any] = {"padding": "same", "kernel_initializer": CONV_INITIALIZER}
    shape = (filters, 1, 1) if channel_axis() == 1 else (1, 1, filters)
    scale = layers.GlobalAveragePooling2D(name=f"{name}_se_squeeze")(x)
    scale = layers.Reshape(shape, name=f"{name}_se_reshape")(scale)
    reduced = max(1, int(filters * ratio))
    scale = layers.Conv2D(reduced, 1, activation="relu", name=f"{name}_se_reduce", **options)(scale)
    scale = layers.Conv2D(filters, 1, activation="sigmoid", name=f"{name}_se_expand", **options)(scale)
    return layers.multiply([x, scale], name=f"{name}_se_excite")


def _variant(depth: int) -> Any:
    _, dropout_rate, drop_connect_rate = SIZES[depth]

    def make(
        include_top: bool = True,
        weights: Any = "imagenet",
        classes: int = imagenet_utils.CLASSES,
        input_shape: Any = None,
        input_tensor: Any = None,
        pooling: str | None = None,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
        name: str | None = f"resnet-rs-{depth}",
    ) -> Functional:
        return ResNetRS(
            depth,
            include_top=include_top,
            drop_connect_rate=drop_connect_rate,
            dropout_rate=dropout_rate,
            weights=weights,
            classes=classes,
            input_shape=input_shape,
            input_tensor=input_tensor,
            pooling=pooling,
            classifier_activation=classifier_activation,
            model_name=name,
            include_preprocessing=include_preprocessing,
        )

    sizes = " or ".join(f'``"imagenet-i{size}"``' for size in DIGESTS[depth])
    summary = (
        f"ResNet-RS of depth {depth}, for images with values from 0 to 255 (https://arxiv.org/abs/2103.07579).\n\n"
        f"Its weights are named by the size of the images that they were trained on: {sizes}."
    )
    return named(make, f"ResNetRS{depth}", summary, INCLUDE_PREPROCESSING)


ResNetRS50 = _variant(50)
ResNetRS101 = _variant(101)
ResNetRS152 = _variant(152)
ResNetRS200 = _variant(200)
ResNetRS270 = _variant(270)
ResNetRS350 = _variant(350)
ResNetRS420 = _variant(420)

preprocess_input = preprocessing(None)

__all__ = [
    "ResNetRS",
    "ResNetRS50",
    "ResNetRS101",
    "ResNetRS152",
    "ResNetRS200",
    "ResNetRS270",
    "ResNetRS350",
    "ResNetRS420",
    "decode_predictions",
    "preprocess_input",
]
offer(globals())
