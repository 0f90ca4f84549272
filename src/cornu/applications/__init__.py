"""Models of images that were trained on ImageNet, as in `keras.applications`.

Read `base.py` first (what all models share), then `vgg16.py` as an example. One file is one architecture.
"""

from cornu.applications import imagenet_utils, vgg16, vgg19
from cornu.applications.vgg16 import VGG16
from cornu.applications.vgg19 import VGG19
from cornu.core import spellings
from cornu.core.public import offer

__getattr__ = spellings.names_of(__name__)

__all__ = ["VGG16", "VGG19", "imagenet_utils", "vgg16", "vgg19"]
offer(globals())
