"""The functions of `keras.ops.image`, for arrays, lists, variables and symbolic tensors.

Each file is one kind: sizes, colors, filters, warps. Follows https://keras.io/api/ops/image/
"""

from cornu.core.public import offer
from cornu.ops.image.colors import *
from cornu.ops.image.filters import *
from cornu.ops.image.sizes import *
from cornu.ops.image.sizes import enlarge as enlarge
from cornu.ops.image.warps import *

offer(globals(), ("offer", "enlarge"))
