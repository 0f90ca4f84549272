"""VGG19 (https://arxiv.org/abs/1409.1556): VGG16 with more convolutions in its last three blocks."""

from cornu.applications.base import KERAS_APPLICATIONS, Options, Published, model_function, preprocessing
from cornu.applications.imagenet_utils import decode_predictions
from cornu.applications.vgg16 import vgg
from cornu.core.public import offer
from cornu.models.model import Functional


@model_function("vgg19")
def VGG19(options: Options) -> Functional:
    """The VGG network with 19 layers of weights, for images of 224x224 (https://arxiv.org/abs/1409.1556)."""
    published = Published(
        f"{KERAS_APPLICATIONS}vgg19/",
        ("vgg19_weights_tf_dim_ordering_tf_kernels.h5", "cbe5617147190e668d6c5d5026f83318"),
        ("vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", "253f8cb515780f3b799900260a226db6"),
    )
    return vgg(options, (2, 2, 4, 4, 4), published)


preprocess_input = preprocessing("caffe")

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]
offer(globals())
