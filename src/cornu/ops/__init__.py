"""The functions of `keras.ops`, for arrays, lists, variables and symbolic tensors.

Each file offers what it defines, see the foot of it. Follows https://keras.io/api/ops/
"""

from cornu.core.public import offer
from cornu.ops import image as image
from cornu.ops import linalg as linalg
from cornu.ops import nn as nn
from cornu.ops import numpy as numpy
from cornu.ops.core import *
from cornu.ops.crossentropy import *
from cornu.ops.image import depth_to_space as depth_to_space
from cornu.ops.image import fold as fold
from cornu.ops.image import space_to_depth as space_to_depth
from cornu.ops.image import unfold as unfold
from cornu.ops.linalg import *
from cornu.ops.math import *
from cornu.ops.nn import *
from cornu.ops.numpy import *

offer(globals(), modules=["image", "linalg", "nn", "numpy"])
