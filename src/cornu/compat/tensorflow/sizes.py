"""Sizes of tensors, as ``tf.shape`` gives them: integers that compiled functions know, with methods of tensors.

TensorFlow's are tensors. Here a shape is known when a function is traced, so what is computed from sizes alone stays
known, and can be a shape again.
"""

import functools
import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import sizes_in
from cornu.compat.tensorflow.dtypes import DType
from cornu.compat.tensorflow.tensors import TensorShape
from cornu.core.graph import is_symbolic
from cornu.core.jax_internals import array_class, current_watching
from cornu.core.scope import scope
from cornu.core.variable import Variable


class KnownSize(int):
    """A known size: an integer with the methods of a tensor.

    >>> KnownSize(3) + 1, type(KnownSize(3) + 1).__name__, KnownSize(7) / 2
    (4, 'KnownSize', 3.5)
    """

    shape = property(lambda self: TensorShape([]))

    def numpy(self) -> np.int32:
        """Return the number as numpy has it."""
        return np.int32(self)

    def get_shape(self) -> TensorShape:
        """Return the shape: no axes."""
        return self.shape


class Sizes(tuple):
    """Known sizes: a tuple that computes like a tensor.

    >>> Sizes((2, 3)) * 2, Sizes((2, 3))[1:], Sizes((2, 3)).numpy().tolist()
    ((4, 6), (3,), [2, 3])
    """

    dtype = DType("int32")

    def __new__(cls, sizes: Any) -> "Sizes":
        return super().__new__(
            cls, [KnownSize(size) if isinstance(size, (int, np.integer)) else size for size in sizes]
        )

    @property
    def shape(self) -> TensorShape:
        """The shape: the number of sizes."""
        return TensorShape([len(self)])

    def numpy(self) -> np.ndarray:
        """Return the sizes as an array of numpy."""
        return np.array(self, np.int32)

    def get_shape(self) -> TensorShape:
        """Return the shape."""
        return self.shape

    def __getitem__(self, key: Any) -> Any:
        if not hasattr(key, "__index__") and not isinstance(key, slice):  # sizes[None, :], sizes[[0, 2]]
            return jnp.asarray(self.numpy())[key]
        found = super().__getitem__(key)
        return Sizes(found) if isinstance(key, slice) else found

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(tuple(self), dtype or np.int32)


def known(found: Any) -> Any:
    """Return integers of numpy, of none or one axis, as sizes; anything else as it is."""
    array = np.asarray(found)
    if array.dtype.kind not in "iu" or array.ndim > 1:
        return found
    return Sizes(array.tolist()) if array.ndim else KnownSize(array)


def _is_known(value: Any) -> bool:
    return isinstance(value, (int, list, tuple, np.integer)) or (isinstance(value, np.ndarray) and value.ndim <= 1)


def _operator(compute: Callable, swapped: bool) -> Callable:
    def apply(self: Any, other: Any) -> Any:
        if not _is_known(other) or isinstance(other, bool):
            other_first = getattr(type(other), "__array_priority__", None) is not None and not isinstance(other, float)
            if other_first and isinstance(self, int):
                return NotImplemented
            return compute(other, np.asarray(self)) if swapped else compute(np.asarray(self), other)
        one, two = np.asarray(self, np.int64), np.asarray(other)
        found = compute(two, one) if swapped else compute(one, two)
        return known(found) if found.dtype.kind in "iu" else (found if found.ndim else found.item())

    return apply


_OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
for _name in _OPERATORS:
    _compute = getattr(operator, _name)
    for _kind in (Sizes, KnownSize):
        setattr(_kind, f"__{_name}__", _operator(_compute, False))
        setattr(_kind, f"__r{_name}__", _operator(_compute, True))
KnownSize.__neg__ = lambda self: KnownSize(-int(self))  # type: ignore[method-assign]


#: Functions of TensorFlow whose results are known where their arguments are.
KNOWN = (
    "add add_n argsort bincount boolean_mask cast clip_by_value concat confusion_matrix constant convert_to_tensor "
    "count_nonzero cumprod cumsum divide dynamic_partition dynamic_stitch equal expand_dims eye fill floordiv gather "
    "gather_nd greater greater_equal identity less less_equal maximum minimum mod multiply not_equal one_hot pad "
    "range reduce_max reduce_mean reduce_min reduce_prod reduce_sum repeat reshape reverse scatter_nd segment_max "
    "segment_mean segment_min segment_prod segment_sum sequence_mask slice sort split square squeeze stack "
    "strided_slice subtract tile transpose truediv unique unique_with_counts unstack where"
)


def keeping_known(function: Callable) -> Callable:
    """Return a function that gives sizes for sizes, and values of known arrays where a compiled function is traced."""
    joins = function.__name__ in ("stack", "concat")

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if joins and (shape := _unknown_shape(args[0] if args else kwargs.get("values"))) is not None:
            return shape
        arrays = _arrays_in(args, kwargs)
        of_sizes = not arrays and _holds_sizes((args, kwargs))
        if not of_sizes and (not scope.bound or (arrays and current_watching() is not None)):
            return function(*args, **kwargs)
        if any(not isinstance(one, array_class()) for one in arrays):  # tracers, variables, tensors of a model
            return function(*args, **kwargs)
        with jax.ensure_compile_time_eval():
            found = function(*args, **kwargs)
        if not of_sizes:
            return found
        return [_as_known(one) for one in found] if isinstance(found, list) else _as_known(found)

    return call


def _arrays_in(args: tuple, kwargs: dict[str, Any]) -> list[Any]:
    leaves = jax.tree.leaves((args, kwargs), is_leaf=lambda one: isinstance(one, Variable))
    return [one for one in leaves if isinstance(one, (jax.Array, Variable)) or is_symbolic(one)]


def _as_known(found: Any) -> Any:
    return known(found) if hasattr(found, "dtype") else found


def _unknown_shape(parts: Any) -> tuple | None:
    """Return sizes and lists of sizes as one shape if one of them is known only when the model runs."""
    if not isinstance(parts, (list, tuple)) or not sizes_in(parts):
        return None
    return tuple(one for part in parts for one in (part if isinstance(part, (list, tuple)) else [part]))


_MOST = 16  # entries of a list that may be sizes


def _holds_sizes(given: Any) -> bool:
    if isinstance(given, (KnownSize, Sizes)):
        return True
    if isinstance(given, dict):
        return any(map(_holds_sizes, given.values()))
    return isinstance(given, (list, tuple)) and len(given) <= _MOST and any(map(_holds_sizes, given))
