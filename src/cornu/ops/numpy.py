"""The numpy part of `keras.ops`: JAX's functions, with code only where Keras's meaning differs.

Follows https://keras.io/api/ops/numpy/
"""

import builtins
import re
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.dtype_policies import array_dtype
from cornu.core.graph import op
from cornu.core.public import offer
from cornu.ops.lifting import array as to_array
from cornu.ops.lifting import arrays_first, binary, lifted, lifted_sequence, sized_by_values, unary, unknown_size
from cornu.ops.lifting import indices as integers

_IMPORTED = frozenset(globals())

from cornu.ops.normalization import normalize  # noqa: E402, F401

abs = unary(jnp.abs)
absolute = unary(jnp.absolute)
add = binary(jnp.add)
all = unary(jnp.all, "x axis keepdims")
allclose = binary(jnp.allclose)
amax = unary(jnp.amax, "x axis keepdims")
amin = unary(jnp.amin, "x axis keepdims")
angle = unary(jnp.angle)
any = unary(jnp.any, "x axis keepdims")
append = binary(jnp.append)
arccos = unary(jnp.arccos)
arccosh = unary(jnp.arccosh)
arcsin = unary(jnp.arcsin)
arcsinh = unary(jnp.arcsinh)
arctan = unary(jnp.arctan)
arctan2 = binary(jnp.arctan2)
arctanh = unary(jnp.arctanh)
argmax = unary(jnp.argmax, "x axis keepdims")
argmin = unary(jnp.argmin, "x axis keepdims")
argpartition = unary(jnp.argpartition)
argsort = unary(jnp.argsort)
array_split = unary(jnp.array_split)
average = unary(jnp.average)
bartlett = unary(jnp.bartlett)
bitwise_and = binary(jnp.bitwise_and)
bitwise_invert = unary(jnp.invert)
bitwise_left_shift = binary(jnp.left_shift)
bitwise_not = unary(jnp.invert)
bitwise_or = binary(jnp.bitwise_or)
bitwise_right_shift = binary(jnp.right_shift)
bitwise_xor = binary(jnp.bitwise_xor)
blackman = unary(jnp.blackman)
broadcast_to = unary(jnp.broadcast_to)
cbrt = unary(jnp.cbrt)
clip = lifted(jnp.clip, 3, "x x_min x_max")
concatenate = lifted_sequence(jnp.concatenate)
conj = unary(jnp.conj)
conjugate = unary(jnp.conjugate)
copy = unary(jnp.copy)
corrcoef = unary(jnp.corrcoef)
correlate = binary(jnp.correlate)
cos = unary(jnp.cos)
cosh = unary(jnp.cosh)
count_nonzero = unary(jnp.count_nonzero, "x axis")
cross = binary(jnp.cross)
cumprod = unary(jnp.cumprod)
cumsum = unary(jnp.cumsum)
deg2rad = unary(jnp.deg2rad)
diag = unary(jnp.diag)
diagflat = unary(jnp.diagflat)
diagonal = unary(jnp.diagonal)
diff = unary(jnp.diff)
digitize = binary(jnp.digitize)
divide = binary(jnp.divide)
dot = binary(jnp.dot)
dsplit = unary(jnp.dsplit)
dstack = lifted_sequence(jnp.dstack)
equal = binary(jnp.equal)
exp = unary(jnp.exp)
exp2 = unary(jnp.exp2)
expand_dims = unary(jnp.expand_dims)
expm1 = unary(jnp.expm1)
fabs = unary(jnp.fabs)
flip = unary(jnp.flip)
fliplr = unary(jnp.fliplr)
flipud = unary(jnp.flipud)
floor_divide = binary(jnp.floor_divide)
fmax = binary(jnp.fmax)
fmin = binary(jnp.fmin)
fmod = binary(jnp.fmod)
gcd = binary(jnp.gcd)
greater = binary(jnp.greater)
greater_equal = binary(jnp.greater_equal)
hamming = unary(jnp.hamming)
hanning = unary(jnp.hanning)
heaviside = binary(jnp.heaviside)
histogram = unary(jnp.histogram)
hsplit = unary(jnp.hsplit)
hstack = lifted_sequence(jnp.hstack)
hypot = binary(jnp.hypot)
i0 = unary(jnp.i0)
imag = unary(jnp.imag)
inner = binary(jnp.inner)
isclose = binary(jnp.isclose)
isfinite = unary(jnp.isfinite)
isin = binary(jnp.isin)
isinf = unary(jnp.isinf)
isnan = unary(jnp.isnan)
isneginf = unary(jnp.isneginf)
isposinf = unary(jnp.isposinf)
isreal = unary(jnp.isreal)
kaiser = unary(jnp.kaiser)
kron = binary(jnp.kron)
lcm = binary(jnp.lcm)
ldexp = binary(jnp.ldexp)
left_shift = binary(jnp.left_shift)
less = binary(jnp.less)
less_equal = binary(jnp.less_equal)
log = unary(jnp.log)
log10 = unary(jnp.log10)
log1p = unary(jnp.log1p)
log2 = unary(jnp.log2)
logaddexp = binary(jnp.logaddexp)
logaddexp2 = binary(jnp.logaddexp2)
logical_and = binary(jnp.logical_and)
logical_not = unary(jnp.logical_not)
logical_or = binary(jnp.logical_or)
logical_xor = binary(jnp.logical_xor)
max = unary(jnp.max, "x axis keepdims initial")
maximum = binary(jnp.maximum)
mean = unary(jnp.mean, "x axis keepdims")
min = unary(jnp.min, "x axis keepdims initial")
minimum = binary(jnp.minimum)
mod = binary(jnp.mod)
moveaxis = unary(jnp.moveaxis)
multiply = binary(jnp.multiply)
nan_to_num = unary(jnp.nan_to_num, "x nan posinf neginf")
nanargmax = unary(jnp.nanargmax, "x axis keepdims")
nanargmin = unary(jnp.nanargmin, "x axis keepdims")
nancumprod = unary(jnp.nancumprod)
nancumsum = unary(jnp.nancumsum)
nanmax = unary(jnp.nanmax, "x axis keepdims")
nanmean = unary(jnp.nanmean, "x axis keepdims")
nanmin = unary(jnp.nanmin, "x axis keepdims")
nanpercentile = binary(jnp.nanpercentile, "x q axis method keepdims")
nanprod = unary(jnp.nanprod, "x axis keepdims")
nanquantile = binary(jnp.nanquantile, "x q axis method keepdims")
nanstd = unary(jnp.nanstd, "x axis keepdims")
nansum = unary(jnp.nansum, "x axis keepdims")
nanvar = unary(jnp.nanvar, "x axis keepdims")
ndim = unary(jnp.ndim)
negative = unary(jnp.negative)
nextafter = binary(jnp.nextafter)
nonzero = unary(sized_by_values(jnp.nonzero))
not_equal = binary(jnp.not_equal)
outer = binary(jnp.outer)
percentile = binary(jnp.percentile, "x q axis method keepdims")
power = binary(jnp.power)
prod = unary(jnp.prod, "x axis keepdims dtype")
ptp = unary(jnp.ptp, "x axis keepdims")
quantile = binary(jnp.quantile, "x q axis method keepdims")
rad2deg = unary(jnp.rad2deg)
ravel = unary(jnp.ravel)
real = unary(jnp.real)
reciprocal = unary(jnp.reciprocal)
repeat = binary(sized_by_values(jnp.repeat))
reshape = unary(jnp.reshape, "x newshape:shape")
right_shift = binary(jnp.right_shift)
roll = unary(jnp.roll)
rot90 = unary(jnp.rot90, "array k axes")
round = unary(jnp.round)
searchsorted = binary(jnp.searchsorted, "sorted_sequence values side")
sign = unary(jnp.sign)
signbit = unary(jnp.signbit)
sin = unary(jnp.sin)
sinc = unary(jnp.sinc)
sinh = unary(jnp.sinh)
size = unary(jnp.size)
sort = unary(jnp.sort)
split = unary(jnp.split)
sqrt = unary(jnp.sqrt)
square = unary(jnp.square)
squeeze = unary(jnp.squeeze)
stack = lifted_sequence(jnp.stack)
std = unary(jnp.std, "x axis keepdims")
subtract = binary(jnp.subtract)
sum = unary(jnp.sum, "x axis keepdims")
swapaxes = unary(jnp.swapaxes)
tan = unary(jnp.tan)
tanh = unary(jnp.tanh)
tensordot = binary(jnp.tensordot)
tile = unary(jnp.tile, "x repeats:reps")
trace = unary(jnp.trace)
transpose = unary(jnp.transpose)
trapezoid = binary(jnp.trapezoid)
tril = unary(jnp.tril)
triu = unary(jnp.triu)
true_divide = binary(jnp.true_divide)
trunc = unary(jnp.trunc)
unravel_index = unary(jnp.unravel_index, "indices shape")
vander = unary(jnp.vander)
var = unary(jnp.var, "x axis keepdims")
vdot = binary(jnp.vdot)
vsplit = unary(jnp.vsplit)
vstack = lifted_sequence(jnp.vstack)


# ---- creation; the default dtype is ``floatx()``


def zeros(shape: Any, dtype: Any = None) -> jax.Array:
    """Return zeros of `shape`; `dtype` is ``floatx()`` by default."""
    return jnp.zeros(shape, array_dtype(dtype))


def ones(shape: Any, dtype: Any = None) -> jax.Array:
    """Return ones of `shape`; `dtype` is ``floatx()`` by default."""
    return jnp.ones(shape, array_dtype(dtype))


def empty(shape: Any, dtype: Any = None) -> jax.Array:
    """Return an array of `shape` with arbitrary values (they are zeros)."""
    return zeros(shape, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> jax.Array:
    """Return an array of `shape` filled with `fill_value`."""
    return jnp.full(shape, to_array(fill_value), array_dtype(dtype))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> jax.Array:
    """Return an N x M matrix with ones on the diagonal `k` and zeros elsewhere."""
    return jnp.eye(N, M, k=k, dtype=array_dtype(dtype))


def identity(n: int, dtype: Any = None) -> jax.Array:
    """Return the identity matrix ``(n, n)``."""
    return jnp.eye(n, dtype=array_dtype(dtype))


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> jax.Array:
    """Return an N x M matrix with ones at and below the diagonal `k`."""
    return jnp.tri(N, M, k, array_dtype(dtype))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> jax.Array:
    """Return the numbers from `start` up to, but not including, `stop`; a single argument is `stop`.

    >>> arange(3).tolist(), arange(1, 6, 2).tolist()
    ([0, 1, 2], [1, 3, 5])
    """
    return jnp.arange(start, stop, step, dtype=None if dtype is None else array_dtype(dtype))


def _spaced(function: Any, parameters: str) -> Any:
    def call(start: Any, stop: Any, **kwargs: Any) -> Any:
        if kwargs.get("dtype") is not None:
            kwargs["dtype"] = array_dtype(kwargs["dtype"])
        return function(start, stop, **kwargs)

    call.__name__, call.__doc__ = function.__name__, function.__doc__
    return binary(call, f"start stop {parameters}")


linspace = _spaced(jnp.linspace, "num endpoint retstep dtype axis")
logspace = _spaced(jnp.logspace, "num endpoint base dtype axis")
geomspace = _spaced(jnp.geomspace, "num endpoint dtype axis")


# ---- creation from an array


def _of_type(dtype: Any) -> str | None:
    return None if dtype is None else array_dtype(dtype)


@arrays_first(1)
def zeros_like(x: Any, dtype: Any = None) -> jax.Array:
    """Return zeros with the shape of `x`."""
    return jnp.zeros_like(x, _of_type(dtype))


@arrays_first(1)
def ones_like(x: Any, dtype: Any = None) -> jax.Array:
    """Return ones with the shape of `x`."""
    return jnp.ones_like(x, _of_type(dtype))


@arrays_first(1)
def empty_like(x: Any, dtype: Any = None) -> jax.Array:
    """Return an array like `x` with arbitrary values (they are zeros)."""
    return jnp.zeros_like(x, _of_type(dtype))


@arrays_first(2)
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> jax.Array:
    """Return an array with the shape of `x`, filled with `fill_value`."""
    return jnp.full_like(x, fill_value, _of_type(dtype))


@arrays_first(1)
def array(x: Any, dtype: Any = None) -> jax.Array:
    """Return `x` as a JAX array."""
    return jnp.asarray(x, _of_type(dtype))


@arrays_first(1)
def view(x: Any, dtype: Any = None) -> jax.Array:
    """Return the bytes of `x` reinterpreted as another dtype."""
    return jnp.asarray(x).view(_of_type(dtype))


# ---- functions whose arguments or result dtypes differ from JAX's


def _giving_floats(function: Any) -> Any:
    def call(x: Any) -> jax.Array:
        return function(x if jnp.issubdtype(jnp.result_type(x), jnp.inexact) else jnp.asarray(x, array_dtype(None)))

    call.__name__, call.__doc__ = function.__name__, f"Return the {function.__name__} of each value, as floats."
    return unary(call)


ceil, floor = _giving_floats(jnp.ceil), _giving_floats(jnp.floor)


def _over_axes(function: Any) -> Any:
    def call(x: Any, axis: Any = None, keepdims: bool = False) -> jax.Array:
        return function(x, tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)

    call.__name__, call.__doc__ = function.__name__, f"Return the {function.__name__} over an axis, or over several."
    return unary(call)


median, nanmedian = _over_axes(jnp.median), _over_axes(jnp.nanmedian)


@arrays_first(3)
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Return `x1` where the condition is true, else `x2`; with the condition alone, the indices where it is true.

    >>> where([True, False], [1, 2], [3, 4]).tolist()
    [1, 4]
    """
    return nonzero(condition) if x1 is None and x2 is None else jnp.where(condition, x1, x2)


@arrays_first(1)
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> jax.Array:
    """Pad `x` with values.

    Args:
        x: The array.
        pad_width: An integer, ``(before, after)``, or one pair per axis.
        mode: ``"constant"``, ``"reflect"``, ``"symmetric"``, or another mode of `numpy.pad`.
        constant_values: The value for ``"constant"``, by default 0.

    >>> pad([1, 2], (1, 0)).tolist()
    [0, 1, 2]
    """
    values = {} if constant_values is None else {"constant_values": constant_values}
    return jnp.pad(x, tuple(map(tuple, pad_width)) if np.ndim(pad_width) == 2 else pad_width, mode=mode, **values)


@arrays_first(2)
def matmul(x1: Any, x2: Any) -> jax.Array:
    """Return the matrix product; that of two int8 arrays is int32.

    >>> matmul([[1, 2], [3, 4]], [1, 1]).tolist()
    [3, 7]
    """
    return jnp.matmul(x1, x2, preferred_element_type=_sum_dtype(x1, x2))


def _sum_dtype(*arrays: Any) -> str | None:
    """Return the dtype for sums of products: int32 if all arrays are int8, else None for the usual one."""
    return "int32" if builtins.all(getattr(x, "dtype", None) == "int8" for x in arrays) else None


@arrays_first(2)
def take(x: Any, indices: Any, axis: int | None = None, mode: str | None = None) -> jax.Array:
    """Return the entries of `x` at indices along an axis; None takes `x` as flat.

    Args:
        x: The array.
        indices: Integers of any shape; floats are cut to integers.
        axis: The axis, or None.
        mode: What an index out of bounds gives, as in `jax.numpy.take`: NaN by default.

    >>> take([[1, 2], [3, 4]], [1, 0], axis=1).tolist()
    [[2, 1], [4, 3]]
    """
    return jnp.take(jnp.asarray(x), integers(indices), axis, mode=mode)


@arrays_first(2)
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> jax.Array:
    """Return the values of `x` at indices along an axis; None takes `x` and the indices as flat.

    >>> take_along_axis([[1, 2], [3, 4]], [[1], [0]], axis=1).tolist()
    [[2], [3]]
    """
    return jnp.take_along_axis(jnp.asarray(x), integers(indices), axis)


@op
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> jax.Array:
    """Sum products of arrays along an einsum equation.

    >>> einsum("ij,j->i", [[1, 2], [3, 4]], [1, 1]).tolist()
    [3, 7]
    """
    arrays = [jnp.asarray(to_array(operand)) for operand in operands]
    return jnp.einsum(subscripts, *arrays, **{"preferred_element_type": _sum_dtype(*arrays)} | kwargs)


@op
def meshgrid(*x: Any, indexing: str = "xy") -> list[jax.Array]:
    """Return coordinate matrices from coordinate vectors."""
    return list(jnp.meshgrid(*map(to_array, x), indexing=indexing))


@arrays_first(2)
def divide_no_nan(x1: Any, x2: Any) -> jax.Array:
    """Divide; the result is 0 if the divisor is 0.

    >>> divide_no_nan([1.0, 2.0], [0.0, 4.0]).tolist()
    [0.0, 0.5]
    """
    dtype = jnp.result_type(x1, x2, float)
    safe = jnp.where(jnp.equal(x2, 0), 1, x2)
    return jnp.where(jnp.equal(x2, 0), 0, jnp.true_divide(x1, safe)).astype(dtype)


@arrays_first(1)
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> jax.Array:
    """Count how often each integer occurs.

    Args:
        x: Non-negative integers ``(values,)`` or ``(batch, values)``.
        weights: Counted instead of 1, of the same shape.
        minlength: Least length of the result. Inside a compiled step it is the length.
        sparse: Must be False.

    Returns:
        Counts ``(length,)`` or ``(batch, length)``.

    >>> bincount([1, 1, 3]).tolist()
    [0, 2, 0, 1]
    """
    if sparse:
        raise ValueError("bincount(sparse=True): Cornu has no sparse tensors; remove the argument.")
    x, weights = jnp.asarray(x), to_array(weights)
    x = x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype("int32")
    if isinstance(x, jax.core.Tracer) and not minlength:
        raise unknown_size("bincount", "minlength")
    length = minlength if isinstance(x, jax.core.Tracer) else builtins.max(minlength, int(x.max(initial=-1)) + 1)
    if x.ndim == 1:
        return jnp.bincount(x, weights=weights, minlength=minlength, length=length)
    ones_or_weights = jnp.ones(x.shape, "int32") if weights is None else jnp.asarray(weights)
    return jax.vmap(lambda row, weight: jnp.zeros(length, weight.dtype).at[row].add(weight))(x, ones_or_weights)


@arrays_first(1)
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """Return the unique values in ascending order, and indices, inverse and counts if requested.

    Inside a compiled step `size` must be passed; missing values are `fill_value`.
    """
    return _unique(x, return_index, return_inverse, return_counts, axis, size=size, fill_value=fill_value)


_unique = sized_by_values(jnp.unique, "size")


@op
def select(condlist: Sequence, choicelist: Sequence, default: Any = 0) -> jax.Array:
    """Return at each place the choice whose condition is the first to be true, else `default`."""
    return jnp.select([to_array(c) for c in condlist], [to_array(c) for c in choicelist], default)


def vectorize(pyfunc: Any, *, excluded: Any = None, signature: str | None = None) -> Any:
    """Return a function of scalars as a function of arrays."""
    return op(jnp.vectorize(pyfunc, excluded=excluded or frozenset(), signature=signature))


@op
def get_item(x: Any, key: Any) -> jax.Array:
    """Return ``x[key]``."""
    return to_array(x)[key]


@arrays_first(2)
def polar(abs_: Any, angle: Any) -> jax.Array:
    """Return complex numbers with these absolute values and angles."""
    return jax.lax.complex(abs_ * jnp.cos(angle), abs_ * jnp.sin(angle))


@arrays_first(1)
def view_as_complex(x: Any) -> jax.Array:
    """Return complex numbers from a last axis of real and imaginary parts: ``(..., 2)`` to ``(...)``."""
    return jax.lax.complex(x[..., 0], x[..., 1])


@arrays_first(1)
def view_as_real(x: Any) -> jax.Array:
    """Return real and imaginary parts along a new last axis: ``(...)`` to ``(..., 2)``."""
    return jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1)


@op
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> jax.Array:
    """Split, transpose and merge axes along a pattern of names.

    Args:
        tensor: The array.
        pattern: Names of the axes before and after ``->``; parentheses group axes that are one axis of the array.
        **axes_lengths: Sizes of axes that do not follow from the shape.

    Raises:
        ValueError: The pattern and the array have different numbers of axes.

    >>> rearrange(jnp.zeros((2, 6, 4)), "b (h w) c -> b c h w", h=2).shape
    (2, 4, 2, 3)
    """
    x = jnp.asarray(to_array(tensor))
    left, right = (
        [re.findall(r"\w+", group) for group in re.findall(r"\([^)]*\)|\w+", side)] for side in pattern.split("->")
    )
    if len(left) != x.ndim:
        raise ValueError(f"rearrange: the pattern {pattern!r} names {len(left)} axes; the array has shape {x.shape}.")
    sizes = dict(axes_lengths)
    for group, size in zip(left, x.shape, strict=True):
        known = int(np.prod([sizes[name] for name in group if name in sizes]))
        sizes |= {name: size // known for name in group if name not in sizes}
    names = [name for group in left for name in group]
    order = [names.index(name) for group in right for name in group]
    split = x.reshape([sizes[name] for name in names]).transpose(order)
    return split.reshape([int(np.prod([sizes[name] for name in group])) for group in right])


offer(globals(), _IMPORTED)
