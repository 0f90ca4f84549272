"""TensorFlow's dtypes: names of dtypes with attributes."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.dtype_policies import array_dtype, standardize_dtype

_INTEGERS = "int8 int16 int32 int64 uint8 uint16 uint32 uint64"


class DType(str):
    """The name of a dtype, with the attributes of TensorFlow's dtypes.

    >>> DType("float32"), DType("uint8").max, DType("int32").is_integer
    (tf.float32, 255, True)
    """

    name = property(str)
    base_dtype = real_dtype = property(lambda self: self)
    as_numpy_dtype = property(lambda self: np.object_ if self == "string" else jnp.dtype(str(self)).type)
    is_floating = property(lambda self: "float" in self)
    is_integer = property(lambda self: "int" in self)
    is_unsigned = property(lambda self: self.startswith("uint"))
    is_complex = property(lambda self: self.startswith("complex"))
    is_bool = property(lambda self: self == "bool")
    is_numpy_compatible = True

    @property
    def size(self) -> int:
        """How many bytes a value takes."""
        return 1 if self == "string" else jnp.dtype(str(self)).itemsize

    @property
    def _limits(self) -> Any:
        return jnp.finfo(str(self)) if self.is_floating else jnp.iinfo(str(self))

    @property
    def min(self) -> Any:
        """The smallest value."""
        return False if self.is_bool else self._limits.min

    @property
    def max(self) -> Any:
        """The largest value."""
        return True if self.is_bool else self._limits.max

    @property
    def limits(self) -> tuple[Any, Any]:
        """The values from 0 on: 0, and 1 for floats, the largest for integers."""
        return (0, 1) if self.is_floating else (0, self.max)

    def is_compatible_with(self, other: Any) -> bool:
        """Return whether another dtype is the same."""
        return self == as_dtype(other)

    def __repr__(self) -> str:
        return f"tf.{self!s}"


def as_dtype(type_value: Any) -> DType:
    """Return the dtype of a name, or of a dtype of numpy or Python; numpy's of texts and of objects are strings.

    >>> as_dtype(np.float32), as_dtype(np.str_), as_dtype(np.array(["a"]).dtype)
    (tf.float32, tf.string, tf.string)
    """
    is_text = isinstance(type_value, np.dtype) and type_value.kind in "OSUT"
    if is_text or any(type_value is kind for kind in (str, bytes, object, np.str_, np.bytes_)):
        return DType("string")
    return DType(standardize_dtype(getattr(type_value, "name", type_value)))


def array_type(dtype: Any) -> str:
    """Return the name of the dtype that an array gets: integers have 32 bits, unless JAX computes in 64.

    >>> array_type("int64"), array_type(None)
    ('int32', 'float32')
    """
    return str(jax.dtypes.canonicalize_dtype(array_dtype(getattr(dtype, "name", dtype))))


TYPES = {name: DType(name) for name in f"float16 float32 float64 bfloat16 {_INTEGERS} bool string".split()} | {
    name: DType(name) for name in ("complex64", "complex128")
}
half, double = TYPES["float16"], TYPES["float64"]
globals().update(TYPES)
