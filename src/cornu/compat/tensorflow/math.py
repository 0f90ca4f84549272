"""The module ``tf.math``, and the functions of ``tf`` on numbers that `keras.ops` lacks or means otherwise.

Follows https://www.tensorflow.org/api_docs/python/tf/math
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import special

from cornu.compat.backend.calls import axes, tensor_function
from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.dtypes import array_type
from cornu.compat.tensorflow.inputs import extend


def _floats(x: Any) -> jax.Array:
    array = jnp.asarray(x)
    return array if jnp.issubdtype(array.dtype, jnp.inexact) else array.astype("float32")


def _unary(function: Callable, about: str) -> Any:
    @tensor_function
    def call(x: Any, name: Any = None) -> jax.Array:
        return function(_floats(x))

    call.__doc__ = f"Return {about} of each entry."
    return call


def _binary(function: Callable, about: str, first: str = "x", second: str = "y") -> Any:
    @tensor_function
    def compute(x: Any, y: Any) -> jax.Array:
        return function(_floats(x), _floats(y))

    def call(*args: Any, name: Any = None, **kwargs: Any) -> Any:
        given = [*args, *(kwargs[key] for key in (first, second) if key in kwargs)]
        return compute(*given)

    call.__doc__ = f"Return {about}."
    return call


erfcinv = _unary(lambda x: -special.ndtri(x / 2) * np.sqrt(0.5).astype("float32"), "the inverse of erfc")
ndtri = _unary(special.ndtri, "the quantile of the normal distribution")
lgamma = _unary(special.gammaln, "the logarithm of the gamma function")
digamma = _unary(special.digamma, "the derivative of the logarithm of the gamma function")
bessel_i0 = _unary(special.i0, "the modified Bessel function of order 0")
bessel_i1 = _unary(special.i1, "the modified Bessel function of order 1")
bessel_i0e = _unary(special.i0e, "the scaled modified Bessel function of order 0")
bessel_i1e = _unary(special.i1e, "the scaled modified Bessel function of order 1")
expint = _unary(special.expi, "the exponential integral")
spence = _unary(special.spence, "Spence's integral")
log_sigmoid = _unary(jax.nn.log_sigmoid, "the logarithm of the sigmoid")
reciprocal_no_nan = _unary(
    lambda x: jnp.where(x == 0, 0, 1 / jnp.where(x == 0, 1, x)), "1 / x, and 0 where that is infinite,"
)
xlogy = _binary(special.xlogy, "``x * log(y)``, and 0 where x is 0")
xlog1py = _binary(special.xlog1py, "``x * log(1 + y)``, and 0 where x is 0")
xdivy = _binary(lambda x, y: jnp.where(x == 0, 0, x / jnp.where(x == 0, 1, y)), "``x / y``, and 0 where x is 0")
multiply_no_nan = _binary(lambda x, y: jnp.where(y == 0, 0, x * y), "``x * y``, and 0 where y is 0")
igamma = _binary(special.gammainc, "the lower regularized incomplete gamma function", "a", "x")
igammac = _binary(special.gammaincc, "the upper regularized incomplete gamma function", "a", "x")
polygamma = _binary(
    lambda a, x: special.polygamma(a.astype(int), x), "a derivative of the logarithm of the gamma function", "a", "x"
)
zeta = _binary(special.zeta, "the Hurwitz zeta function", "x", "q")
nextafter = _binary(jnp.nextafter, "the next number towards another", "x1", "x2")


@tensor_function
def betainc(a: Any, b: Any, x: Any, name: Any = None) -> jax.Array:
    """Return the regularized incomplete beta function."""
    return special.betainc(_floats(a), _floats(b), _floats(x))


@tensor_function
def lbeta(x: Any, name: Any = None) -> jax.Array:
    """Return the logarithm of the beta function of the last axis."""
    x = _floats(x)
    return jnp.sum(special.gammaln(x), -1) - special.gammaln(jnp.sum(x, -1))


@tensor_function
def rint(x: Any, name: Any = None) -> jax.Array:
    """Return the nearest integers, even ones in the middle."""
    return jnp.rint(_floats(x))


@tensor_function
def truncatediv(x: Any, y: Any, name: Any = None) -> jax.Array:
    """Return the quotient of integers, rounded towards zero."""
    x, y = jnp.broadcast_arrays(jnp.asarray(x), jnp.asarray(y))
    return jax.lax.div(x, y.astype(x.dtype))


@tensor_function
def truncatemod(x: Any, y: Any, name: Any = None) -> jax.Array:
    """Return the rest of a division that rounds towards zero."""
    x, y = jnp.broadcast_arrays(jnp.asarray(x), jnp.asarray(y))
    return jax.lax.rem(x, y.astype(x.dtype))


@tensor_function
def scalar_mul(scalar: Any, x: Any, name: Any = None) -> jax.Array:
    """Return ``scalar * x``."""
    x = jnp.asarray(x)
    return jnp.asarray(scalar, x.dtype) * x


@tensor_function
def complex(real: Any, imag: Any, name: Any = None) -> jax.Array:
    """Return complex numbers."""
    return jax.lax.complex(*jnp.broadcast_arrays(_floats(real), _floats(imag)))


@tensor_function
def polyval(coeffs: Any, x: Any, name: Any = None) -> jax.Array:
    """Return the polynomial with these coefficients, the highest first."""
    x = _floats(x)
    found = jnp.zeros_like(x)
    for one in coeffs:
        found = found * x + jnp.asarray(one)
    return found


# ---- reductions


@tensor_function
def reduce_euclidean_norm(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: Any = None) -> jax.Array:
    """Return the length along axes."""
    array = jnp.asarray(input_tensor)
    found = jnp.sqrt(jnp.sum(jnp.square(_floats(array)), axes(axis), keepdims=bool(keepdims)))
    return found.astype(array.dtype)


@tensor_function
def count_nonzero(
    input: Any = None, axis: Any = None, keepdims: Any = None, dtype: Any = "int64", name: Any = None,
    input_tensor: Any = None,
) -> jax.Array:  # fmt: skip
    """Return how many entries are not zero."""
    array = jnp.asarray(input_tensor if input is None else input)
    return jnp.sum(array != 0, axes(axis), array_type(dtype), keepdims=bool(keepdims))


@tensor_function
def cumulative_logsumexp(
    x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: Any = None
) -> jax.Array:
    """Return running logarithms of sums of exponentials."""
    x = jnp.moveaxis(jnp.asarray(x), axis, 0)
    x = jnp.flip(x, 0) if reverse else x
    if exclusive:
        x = jnp.concatenate([jnp.full_like(x[:1], jnp.finfo(x.dtype).min), x[:-1]])
    found = jax.lax.cumlogsumexp(x)
    return jnp.moveaxis(jnp.flip(found, 0) if reverse else found, 0, axis)


@tensor_function
def bincount(
    arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = "int32",
    name: Any = None, axis: Any = None, binary_output: bool = False,
) -> jax.Array:  # fmt: skip
    """Return how often each number from 0 on appears, in all of `arr` or in each row (``axis=-1``).

    Inside a compiled function the number of counts must be said, by equal `minlength` and `maxlength`.
    """
    arr = jnp.asarray(arr)
    if minlength is not None and maxlength == minlength:
        size = int(maxlength)
    else:
        size = max(int(np.max(on_host(arr), initial=-1)) + 1, int(minlength or 0))
        size = size if maxlength is None else min(size, int(maxlength))
    rows = arr.reshape(-1, arr.shape[-1]) if axis == -1 else arr.reshape(1, -1)
    kind = array_type(dtype) if weights is None else jnp.asarray(weights).dtype
    amounts = jnp.ones(rows.shape, kind) if weights is None else jnp.asarray(weights).reshape(rows.shape)
    where = jnp.broadcast_to(jnp.arange(rows.shape[0])[:, None], rows.shape)
    found = jnp.zeros((rows.shape[0], size), kind).at[where, rows].add(amounts, mode="drop")
    found = (found != 0).astype(kind) if binary_output else found
    return found.reshape(*arr.shape[:-1], size) if axis == -1 else found[0]


@tensor_function
def confusion_matrix(
    labels: Any, predictions: Any, num_classes: int | None = None, weights: Any = None, dtype: Any = "int32",
    name: Any = None,
) -> jax.Array:  # fmt: skip
    """Return how often each label (row) was predicted as each class (column).

    >>> confusion_matrix([0, 1, 1], [0, 1, 0]).tolist()
    [[1, 0], [1, 1]]
    """
    labels, predictions = jnp.asarray(labels), jnp.asarray(predictions)
    size = num_classes or int(max(on_host(labels).max(), on_host(predictions).max())) + 1
    counts = jnp.zeros((size, size), array_type(dtype))
    return counts.at[labels, predictions].add(1 if weights is None else jnp.asarray(weights, array_type(dtype)))


# ---- segments


def _segment_means(data: Any, segment_ids: Any, count: int, power: float) -> jax.Array:
    data, ids = jnp.asarray(data), jnp.asarray(segment_ids)
    sums = _flat_segments(jax.ops.segment_sum, data, ids, count)
    counts = jax.ops.segment_sum(jnp.ones(ids.size, data.dtype), ids.ravel(), count)
    return sums / jnp.maximum(counts, 1).reshape(-1, *(1,) * (sums.ndim - 1)) ** power


def _flat_segments(function: Callable, data: jax.Array, ids: jax.Array, count: int) -> jax.Array:
    return function(data.reshape(-1, *data.shape[ids.ndim :]), ids.ravel(), count)


def _segments(function: Callable, about: str) -> Any:
    @tensor_function
    def call(data: Any, segment_ids: Any, name: Any = None) -> jax.Array:
        data, ids = jnp.asarray(data), jnp.asarray(segment_ids)
        count = int(np.max(on_host(segment_ids), initial=-1)) + 1
        found = function(data, ids, count)
        if function not in (jax.ops.segment_max, jax.ops.segment_min):
            return found
        is_empty = jax.ops.segment_sum(jnp.ones(ids.shape, "int32"), ids, count) == 0
        return jnp.where(is_empty.reshape(-1, *(1,) * (found.ndim - 1)), jnp.zeros((), found.dtype), found)

    call.__doc__ = f"Return the {about} of the rows of each segment; segments are sorted, and empty ones 0."
    return call


segment_sum, segment_prod = _segments(jax.ops.segment_sum, "sum"), _segments(jax.ops.segment_prod, "product")
segment_max, segment_min = _segments(jax.ops.segment_max, "maximum"), _segments(jax.ops.segment_min, "minimum")


def _unsorted_segments(function: Callable, about: str) -> Any:
    @tensor_function
    def call(data: Any, segment_ids: Any, num_segments: Any, name: Any = None) -> jax.Array:
        found = _flat_segments(function, jnp.asarray(data), jnp.asarray(segment_ids), int(num_segments))
        if not jnp.issubdtype(found.dtype, jnp.floating):
            return found
        most = jnp.finfo(found.dtype)
        return jnp.clip(found, most.min, most.max)  # an empty segment has the smallest, or the largest, number

    call.__doc__ = f"Return the {about} of the rows of each segment."
    return call


unsorted_segment_sum = _unsorted_segments(jax.ops.segment_sum, "sum")
unsorted_segment_prod = _unsorted_segments(jax.ops.segment_prod, "product")
unsorted_segment_max = _unsorted_segments(jax.ops.segment_max, "maximum")
unsorted_segment_min = _unsorted_segments(jax.ops.segment_min, "minimum")


@tensor_function
def segment_mean(data: Any, segment_ids: Any, name: Any = None) -> jax.Array:
    """Return the mean of the rows of each segment; segments are sorted."""
    return _segment_means(data, segment_ids, int(np.max(on_host(segment_ids))) + 1, 1.0)


@tensor_function
def unsorted_segment_mean(data: Any, segment_ids: Any, num_segments: Any, name: Any = None) -> jax.Array:
    """Return the mean of the rows of each segment."""
    return _segment_means(data, segment_ids, int(num_segments), 1.0)


@tensor_function
def unsorted_segment_sqrt_n(data: Any, segment_ids: Any, num_segments: Any, name: Any = None) -> jax.Array:
    """Return the sum of the rows of each segment, divided by the root of their number."""
    return _segment_means(data, segment_ids, int(num_segments), 0.5)


# ---- order


def _is_descending(direction: str) -> bool:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"direction must be 'ASCENDING' or 'DESCENDING'; got {direction!r}.")
    return direction == "DESCENDING"


@tensor_function
def sort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: Any = None) -> jax.Array:
    """Return sorted entries; `direction` is ``"ASCENDING"`` or ``"DESCENDING"``."""
    return jnp.sort(jnp.asarray(values), int(axis), descending=_is_descending(direction))


@tensor_function
def argsort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False, name: Any = None
) -> jax.Array:
    """Return the places of the entries in sorted order."""
    return jnp.argsort(jnp.asarray(values), int(axis), descending=_is_descending(direction))


@tensor_function
def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = "int32", name: Any = None
) -> jax.Array:
    """Return where values belong in sorted sequences along the last axis."""
    sequence, values = jnp.asarray(sorted_sequence), jnp.asarray(values)
    if sequence.ndim == 1:
        return jnp.searchsorted(sequence, values, side).astype(array_type(out_type))
    rows = jax.vmap(lambda one, other: jnp.searchsorted(one, other, side))
    found = rows(sequence.reshape(-1, sequence.shape[-1]), values.reshape(-1, values.shape[-1]))
    return found.reshape(values.shape).astype(array_type(out_type))


@tensor_function
def invert_permutation(x: Any, name: Any = None) -> jax.Array:
    """Return the permutation that undoes another."""
    return jnp.argsort(jnp.asarray(x))


@tensor_function
def is_strictly_increasing(x: Any, name: Any = None) -> jax.Array:
    """Return whether each entry is above the one before."""
    return jnp.all(jnp.diff(jnp.ravel(jnp.asarray(x))) > 0)


@tensor_function
def is_non_decreasing(x: Any, name: Any = None) -> jax.Array:
    """Return whether no entry is below the one before."""
    return jnp.all(jnp.diff(jnp.ravel(jnp.asarray(x))) >= 0)


@tensor_function
def histogram_fixed_width(
    values: Any, value_range: Any, nbins: int = 100, dtype: Any = "int32", name: Any = None
) -> jax.Array:
    """Return how many values are in each of `nbins` equal parts of a range; those outside count at its ends."""
    places = histogram_fixed_width_bins(values, value_range, nbins).ravel()
    return jnp.zeros(int(nbins), array_type(dtype)).at[places].add(1)


@tensor_function
def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: int = 100, dtype: Any = "int32", name: Any = None
) -> jax.Array:
    """Return the part of a range, of `nbins` equal ones, in which each value is."""
    values, (low, high) = jnp.asarray(values), jnp.asarray(value_range)
    places = jnp.floor((values - low) / (high - low) * nbins)
    return jnp.clip(places, 0, int(nbins) - 1).astype(array_type(dtype))


# ---- bits


def _bits(function: Callable, about: str) -> Any:
    @tensor_function
    def call(x: Any, y: Any, name: Any = None) -> jax.Array:
        x = jnp.asarray(x)
        return function(x, jnp.asarray(y, x.dtype))

    call.__doc__ = f"Return {about}."
    return call


bitwise_and, bitwise_or = _bits(jnp.bitwise_and, "bits of both"), _bits(jnp.bitwise_or, "bits of either")
bitwise_xor = _bits(jnp.bitwise_xor, "bits of one alone")
left_shift = _bits(jnp.left_shift, "bits moved to higher places")
right_shift = _bits(jnp.right_shift, "bits moved to lower places")


@tensor_function
def invert(x: Any, name: Any = None) -> jax.Array:
    """Return the other bits."""
    return jnp.invert(jnp.asarray(x))


@tensor_function
def bitcast(input: Any, type: Any, name: Any = None) -> jax.Array:
    """Return the same bits as another dtype."""
    return jax.lax.bitcast_convert_type(jnp.asarray(input), array_type(type))


extend(globals())
