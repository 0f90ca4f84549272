"""Library-wide settings: ``keras.config``. Follows https://keras.io/api/utils/config_utils/"""

from cornu.core.precision import dtype_policy, set_dtype_policy
from cornu.core.settings import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)


def backend() -> str:
    """Return the name of the array engine, as Keras calls it: always ``"jax"``."""
    return "jax"


__all__ = [
    "backend",
    "dtype_policy",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]
