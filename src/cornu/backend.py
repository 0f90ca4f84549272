"""Dtypes, settings and names of the array backend: ``keras.backend`` of Keras 3. It is always JAX.

The functions of Keras 1 and 2 (``K.dot``, ``K.function``, ...) are found here as well.
"""

import functools
from typing import Any

from jax import dtypes as jax_dtypes

from cornu.core import names, spellings
from cornu.core.dtype_policies import is_float, standardize_dtype
from cornu.core.graph import is_symbolic
from cornu.core.names import unique_number
from cornu.core.public import offer
from cornu.core.scope import scope
from cornu.core.settings import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)


def clear_session() -> None:
    """Start the numbers in names again: the next Dense layer is called ``dense``."""
    names.forget_names()
    scope.learning_phase = None


def get_uid(prefix: str = "") -> int:
    """Return 1, 2, 3, ... for each call with `prefix`."""
    return unique_number(prefix)


def is_keras_tensor(x: Any) -> bool:
    """Return whether `x` is a symbolic tensor, such as `Input` returns."""
    return is_symbolic(x)


def is_float_dtype(dtype: Any) -> bool:
    """Return whether `dtype` is a floating-point type.

    >>> is_float_dtype("bfloat16"), is_float_dtype("int32")
    (True, False)
    """
    return is_float(standardize_dtype(dtype))


def is_int_dtype(dtype: Any) -> bool:
    """Return whether `dtype` is an integer type, signed or unsigned.

    >>> is_int_dtype("uint8"), is_int_dtype("bool")
    (True, False)
    """
    return standardize_dtype(dtype).startswith(("int", "uint"))


def result_type(*dtypes: Any) -> str:
    """Return the dtype that an operation on arrays of these dtypes gives. Python's ``int`` and ``float`` give way.

    >>> result_type("int32", "float16"), result_type(int, "int8")
    ('float16', 'int8')
    """
    if not dtypes:
        return floatx()
    weak = (bool, int, float)
    known = [dtype if dtype in weak else jax_dtypes.canonicalize_dtype(standardize_dtype(dtype)) for dtype in dtypes]
    return standardize_dtype(jax_dtypes.result_type(*known))


__getattr__ = spellings.names_of(__name__)
__all__ = [
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]
offer(globals(), more=functools.partial(spellings.old_names, __name__))
