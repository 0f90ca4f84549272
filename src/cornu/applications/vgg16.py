"""VGG16, and what VGG19 shares with it: blocks of convolutions, then two dense layers (https://arxiv.org/abs/1409.1556)."""

from cornu import layers
from cornu.applications.base import (
    KERAS_APPLICATIONS,
    Options,
    Published,
    classifier,
    finished,
    images,
    model_function,
    pooled,
    preprocessing,
)
from cornu.applications.imagenet_utils import decode_predictions
from cornu.core.public import offer
from cornu.models.model import Functional

FILTERS = (64, 128, 256, 512, 512)


def vgg(options: Options, convolutions: tuple[int, ...], published: Published) -> Functional:
    """Return a model of five blocks; `convolutions` has the number of convolutions in each."""
    x = inputs = images(options, default_size=224)
    for block, (filters, count) in enumerate(zip(FILTERS, convolutions, strict=True), start=1):
        for number in range(1, count + 1):
            name = f"block{block}_conv{number}"
            x = layers.Conv2D(filters, (3, 3), activation="relu", padding="same", name=name)(x)
        x = layers.MaxPooling2D((2, 2), strides=(2, 2), name=f"block{block}_pool")(x)
    if options.include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(4096, activation="relu", name="fc1")(x)
        x = layers.Dense(4096, activation="relu", name="fc2")(x)
        x = classifier(x, options)
    else:
        x = pooled(x, options, is_named=False)
    return finished(options, inputs, x, published)


@model_function("vgg16")
def VGG16(options: Options) -> Functional:
    """The VGG network with 16 layers of weights, for images of 224x224 (https://arxiv.org/abs/1409.1556)."""
    published = Published(
        f"{KERAS_APPLICATIONS}vgg16/",
        ("vgg16_weights_tf_dim_ordering_tf_kernels.h5", "64373286793e3c8b2b4e3219cbf3544b"),
        ("vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "6d6bbae143d832006294945121d1f1fc"),
    )
    return vgg(options, (2, 2, 3, 3, 3), published)


preprocess_input = preprocessing("caffe")

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]
offer(globals())
