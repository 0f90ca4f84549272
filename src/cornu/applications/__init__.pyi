# Written by scripts/stubs; a test compares.

from cornu.applications import imagenet_utils as imagenet_utils
from cornu.applications import vgg16 as vgg16
from cornu.applications import vgg19 as vgg19
from cornu.applications.vgg16 import VGG16 as VGG16
from cornu.applications.vgg19 import VGG19 as VGG19
