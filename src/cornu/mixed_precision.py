"""Mixed precision, 16-bit compute with 32-bit weights: `keras.mixed_precision`.

Follows https://keras.io/api/mixed_precision/

>>> DTypePolicy("mixed_bfloat16").variable_dtype
'float32'
"""

from cornu.core.dtype_policies import DTypePolicy, dtype_policy, set_dtype_policy
from cornu.core.public import offer
from cornu.optimizers import LossScaleOptimizer

Policy = DTypePolicy
global_policy, set_global_policy = dtype_policy, set_dtype_policy

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]
offer(globals())
