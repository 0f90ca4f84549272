"""The module ``tf.debugging``: assertions about values and shapes.

Inside a compiled function, what is known when it is traced is checked then, and values when it runs.
Follows https://www.tensorflow.org/api_docs/python/tf/debugging
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow.dtypes import array_type
from cornu.compat.tensorflow.errors import InvalidArgumentError
from cornu.compat.tensorflow.strings import text_tensor
from cornu.core.text import holds_text
from cornu.core.variable import plain


def _array(x: Any) -> Any:
    return text_tensor(x) if holds_text(x) else jnp.asarray(plain(x))


def _check(holds: Any, words: str, *arrays: Any) -> None:
    """Raise InvalidArgumentError unless all of `holds` is true, at once or when the compiled function runs."""

    def check(holds: Any, *arrays: Any) -> None:
        if not np.all(holds):
            shown = "\n".join(np.array2string(np.asarray(one), threshold=20) for one in arrays)
            raise InvalidArgumentError(message=f"{words}\n{shown}".rstrip())

    if any(isinstance(one, jax.core.Tracer) for one in (holds, *arrays)):
        jax.debug.callback(check, holds, *arrays)
    else:
        check(holds, *arrays)


def _comparison(compare: Callable, sign: str) -> Any:
    def call(x: Any = None, y: Any = None, message: Any = None, summarize: Any = None, name: Any = None) -> None:
        one, other = _array(x), _array(y)
        said = f"{message or ''} Condition x {sign} y did not hold for:".strip()
        _check(compare(one, other), said, one, other)

    call.__doc__ = f"Raise InvalidArgumentError unless ``x {sign} y`` for all entries."
    return call


assert_equal = _comparison(lambda x, y: x == y, "==")
assert_none_equal = _comparison(lambda x, y: x != y, "!=")
assert_greater, assert_less = _comparison(lambda x, y: x > y, ">"), _comparison(lambda x, y: x < y, "<")
assert_greater_equal = _comparison(lambda x, y: x >= y, ">=")
assert_less_equal = _comparison(lambda x, y: x <= y, "<=")


def assert_near(
    x: Any, y: Any, rtol: Any = None, atol: Any = None, message: Any = None, summarize: Any = None, name: Any = None
) -> None:
    """Raise InvalidArgumentError unless all entries are nearly equal."""
    one, other = _array(x), _array(y)
    least = 10 * float(jnp.finfo(one.dtype).eps) if jnp.issubdtype(one.dtype, jnp.inexact) else 0.0
    near = jnp.abs(one - other) <= (least if atol is None else atol) + (least if rtol is None else rtol) * jnp.abs(
        other
    )
    _check(near, f"{message or ''} x and y are not equal to tolerance:".strip(), one, other)


def _sign(compare: Callable, sign: str) -> Any:
    def call(x: Any, message: Any = None, summarize: Any = None, name: Any = None) -> None:
        array = _array(x)
        _check(compare(array), f"{message or ''} Condition x {sign} 0 did not hold for:".strip(), array)

    call.__doc__ = f"Raise InvalidArgumentError unless ``x {sign} 0`` for all entries."
    return call


assert_positive, assert_negative = _sign(lambda x: x > 0, ">"), _sign(lambda x: x < 0, "<")
assert_non_negative, assert_non_positive = _sign(lambda x: x >= 0, ">="), _sign(lambda x: x <= 0, "<=")


def assert_all_finite(x: Any = None, message: Any = "", name: Any = None, t: Any = None, msg: Any = None) -> Any:
    """Return `x`; InvalidArgumentError if an entry is not finite."""
    array = _array(t if x is None else x)
    _check(jnp.isfinite(array), f"{msg or message} : Tensor had NaN or Inf values:", array)
    return array


def check_numerics(tensor: Any, message: Any = "", name: Any = None) -> Any:
    """Return `tensor`; InvalidArgumentError if an entry is not finite."""
    return assert_all_finite(tensor, message)


def Assert(condition: Any, data: Any = (), summarize: Any = None, name: Any = None) -> None:  # noqa: N802
    """Raise InvalidArgumentError, with `data`, unless a condition is true."""
    _check(plain(condition), "Expected 'tf.Tensor(False, shape=(), dtype=bool)' to be true. Summarized data:", *data)


# ---- shapes and dtypes


def _refuse(condition: bool, message: Any, words: str) -> None:
    if not condition:
        raise ValueError(f"{message}. {words}" if message else words)


def _shape(x: Any) -> tuple:
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def assert_rank(x: Any, rank: Any, message: Any = None, name: Any = None) -> None:
    """Raise ValueError unless `x` has a number of axes."""
    _refuse(len(_shape(x)) == int(rank), message, f"The tensor must have rank {rank}; its shape is {_shape(x)}.")


def assert_rank_at_least(x: Any, rank: Any, message: Any = None, name: Any = None) -> None:
    """Raise ValueError if `x` has fewer axes."""
    _refuse(
        len(_shape(x)) >= int(rank), message, f"The tensor must have rank {rank} or more; its shape is {_shape(x)}."
    )


def assert_rank_in(x: Any, ranks: Any, message: Any = None, name: Any = None) -> None:
    """Raise ValueError unless the number of axes is one of `ranks`."""
    known = [int(rank) for rank in ranks]
    _refuse(len(_shape(x)) in known, message, f"The tensor must have a rank of {known}; its shape is {_shape(x)}.")


def assert_scalar(tensor: Any, message: Any = None, name: Any = None) -> None:
    """Raise ValueError if a tensor has axes."""
    assert_rank(tensor, 0, message)


def assert_shapes(shapes: Any, data: Any = None, summarize: Any = None, message: Any = None, name: Any = None) -> None:
    """Raise ValueError unless tensors have shapes of numbers and names; the same name means the same size."""
    known: dict[Any, int] = {}
    for tensor, wanted in shapes.items() if isinstance(shapes, dict) else shapes:
        wanted = wanted.split() if isinstance(wanted, str) else list(np.ravel(np.array(wanted, object)))
        actual = _shape(tensor)
        wanted = [int(one) if isinstance(one, str) and one.isdigit() else one for one in wanted]
        if wanted[:1] in (["..."], ["*"], [Ellipsis]):
            wanted, actual = wanted[1:], actual[len(actual) - len(wanted) + 1 :]
        fits = len(wanted) == len(actual) and all(
            one in (None, ".") or (one if isinstance(one, (int, np.integer)) else known.setdefault(one, size)) == size
            for one, size in zip(wanted, actual, strict=True)
        )
        _refuse(fits, message, f"A tensor of shape {_shape(tensor)} must have the shape {tuple(wanted)}.")


def _dtype(tensor: Any) -> str:
    return array_type(tensor.dtype if hasattr(tensor, "dtype") else np.asarray(tensor).dtype)


def assert_type(tensor: Any, tf_type: Any, message: Any = None, name: Any = None) -> None:
    """Raise TypeError unless a tensor has a dtype."""
    if _dtype(tensor) != array_type(tf_type):
        raise TypeError(f"{message or ''} The tensor must be {tf_type!r}; it is {_dtype(tensor)}.".strip())


def assert_integer(x: Any, message: Any = None, name: Any = None) -> None:
    """Raise TypeError unless a tensor holds integers."""
    if "int" not in _dtype(x):
        raise TypeError(f"{message or ''} The tensor must hold integers; it is {_dtype(x)}.".strip())


def assert_same_float_dtype(tensors: Any = (), dtype: Any = None) -> Any:
    """Return the dtype of tensors; ValueError if they differ or are no floats."""
    kinds = {_dtype(one) for one in tensors} | ({array_type(dtype)} if dtype else set())
    _refuse(len(kinds) == 1 and "float" in next(iter(kinds)), None, f"The tensors must have one float dtype: {kinds}.")
    return kinds.pop()


def is_numeric_tensor(tensor: Any) -> bool:
    """Return whether something is a tensor of numbers."""
    return hasattr(tensor, "dtype") and not holds_text(tensor) and str(np.dtype(tensor.dtype)) != "bool"
