"""The part of `keras.ops` about types, loops, branches, slices and scatters.

Follows https://keras.io/api/ops/core/
"""

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from cornu.core.dtype_policies import standardize_dtype
from cornu.core.graph import SymbolicTensor, op
from cornu.core.public import offer
from cornu.core.variable import Variable
from cornu.ops.lifting import array, arrays_first, unary

_IMPORTED = frozenset(globals())

stop_gradient = unary(lax.stop_gradient)


def shape(x: Any) -> tuple:
    """Return the shape as a tuple; of a symbolic tensor, with None for unknown axes."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def dtype(x: Any) -> str:
    """Return the name of an array's type."""
    return standardize_dtype(x.dtype if hasattr(x, "dtype") else jnp.asarray(x).dtype)


def is_tensor(x: Any) -> bool:
    """Tell whether `x` is an array of JAX or a symbolic tensor."""
    return isinstance(x, (jax.Array, SymbolicTensor))


@arrays_first(1)
def cast(x: Any, dtype: Any) -> jax.Array:
    """Return `x` in another type."""
    return jnp.asarray(x, standardize_dtype(dtype))


@arrays_first(1)
def saturate_cast(x: Any, dtype: Any) -> jax.Array:
    """Return `x` in another type, with what lies outside of its range moved to the nearest end."""
    name = standardize_dtype(dtype)
    limits = jnp.finfo(name) if "float" in name else jnp.iinfo(name)
    return jnp.clip(x, limits.min, limits.max).astype(name)


@arrays_first(1)
def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> jax.Array:
    """Return `x` as an array."""
    return jnp.asarray(x, None if dtype is None else standardize_dtype(dtype))


def convert_to_numpy(x: Any) -> np.ndarray:
    """Return `x` as a numpy array."""
    return np.array(x._value if isinstance(x, Variable) else x)


# ---- slices and scatters


@arrays_first(1)
def slice(inputs: Any, start_indices: Sequence, shape: Sequence[int]) -> jax.Array:
    """Return the part of `shape` that starts at `start_indices`; -1 in `shape` takes all the rest."""
    sizes = [
        whole - int(start) if size == -1 else size
        for whole, start, size in zip(inputs.shape, start_indices, shape, strict=True)
    ]
    return lax.dynamic_slice(inputs, list(start_indices), sizes)


@arrays_first(1)
def slice_update(inputs: Any, start_indices: Sequence, updates: Any) -> jax.Array:
    """Return `inputs` with the part that starts at `start_indices` replaced by `updates`."""
    return lax.dynamic_update_slice(jnp.asarray(inputs), jnp.asarray(array(updates)), list(start_indices))


@arrays_first(2)
def scatter(indices: Any, values: Any, shape: Sequence[int]) -> jax.Array:
    """Return zeros of `shape` with `values` added at `indices` (the last axis of them is an index)."""
    return jnp.zeros(shape, jnp.asarray(values).dtype).at[_index(indices)].add(values)


@arrays_first(3)
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> jax.Array:
    """Return `inputs` with `updates` put at `indices`; `reduction` is None, add, max, min or mul."""
    place = jnp.asarray(inputs).at[_index(indices)]
    ways: dict[str | None, Any] = {
        None: place.set,
        "add": place.add,
        "max": place.max,
        "min": place.min,
        "mul": place.mul,
    }
    if reduction not in ways:
        raise ValueError(f"scatter_update: reduction is None, 'add', 'max', 'min' or 'mul'; it got {reduction!r}.")
    return ways[reduction](updates)


def _index(indices: Any) -> tuple:
    return tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))


@arrays_first(1)
def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[jax.Array]:
    """Return the parts of `x` along an axis, as a list."""
    return [jnp.squeeze(part, axis) for part in jnp.split(x, x.shape[axis], axis=axis)]


# ---- loops and branches


def while_loop(cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: int | None = None) -> Any:
    """Call ``body(*loop_vars)`` as long as ``cond(*loop_vars)`` holds; returns what the variables are then."""
    several = isinstance(loop_vars, (list, tuple))
    start = tuple(builtins.map(array, loop_vars)) if several else (array(loop_vars),)

    def go_on(state: tuple) -> Any:
        count, values = state
        more = cond(*values)
        return more if maximum_iterations is None else jnp.logical_and(more, count < maximum_iterations)

    def step(state: tuple) -> tuple:
        count, values = state
        values = body(*values)
        return count + 1, tuple(values) if isinstance(values, (list, tuple)) else (values,)

    start = jax.tree.map(jnp.asarray, start)
    _, result = lax.while_loop(go_on, step, (0, start))
    return type(loop_vars)(result) if isinstance(loop_vars, list) else result if several else result[0]


def fori_loop(lower: int, upper: int, body_fun: Callable, init_val: Any) -> Any:
    """Return the last of ``value = body_fun(i, value)`` for i from `lower` to `upper` - 1."""
    return lax.fori_loop(lower, upper, body_fun, init_val)


def scan(
    f: Callable, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False, unroll: int = 1
) -> tuple:
    """Carry a value through ``carry, y = f(carry, x)`` over the first axis; returns the last carry and all y."""
    return lax.scan(f, init, xs, length=length, reverse=reverse, unroll=unroll)


def associative_scan(f: Callable, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Return running results of an associative function of two, computed in parallel."""
    return lax.associative_scan(f, elems, reverse, axis)


def map(f: Callable, xs: Any) -> Any:
    """Return the results of `f` for each entry of the first axis, one after the other, stacked."""
    return op(lambda values: lax.map(f, jax.tree.map(jnp.asarray, values)))(xs)


def vectorized_map(function: Callable, elements: Any) -> Any:
    """Return the results of `function` for each entry of the first axis, all at once, stacked."""
    return op(lambda values: jax.vmap(function)(jax.tree.map(jnp.asarray, values)))(elements)


@op
def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    """Return what `true_fn()` gives where `pred` holds, else `false_fn()`."""
    if isinstance(pred, (bool, np.bool_)):
        return true_fn() if pred else false_fn()
    return lax.cond(jnp.asarray(array(pred)).astype(bool).reshape(()), true_fn, false_fn)


@op
def switch(index: Any, branches: Sequence[Callable], *operands: Any) -> Any:
    """Return what the branch of number `index` gives for the operands."""
    return lax.switch(array(index), branches, *builtins.map(array, operands))


def custom_gradient(f: Callable) -> Callable:
    """Decorate a function that returns its result and a function of the gradient: ``return y, grad``.

    >>> @custom_gradient
    ... def half(x):
    ...     return x, lambda upstream: upstream * 0.5
    >>> float(jax.grad(half)(3.0))
    0.5
    """

    @jax.custom_vjp
    def call(*args: Any) -> Any:
        return f(*args)[0]

    def forward(*args: Any) -> tuple:
        return call(*args), args

    def backward(args: tuple, upstream: Any) -> tuple:
        gradients = f(*args)[1](upstream)
        return tuple(gradients) if isinstance(gradients, (list, tuple)) else (gradients,)

    call.defvjp(forward, backward)
    return call


def jvp(fun: Callable, primals: Any, tangents: Any, has_aux: bool = False) -> tuple:
    """Return the value of a function and its derivative in a direction."""
    return jax.jvp(fun, tuple(primals), tuple(tangents), has_aux=has_aux)


offer(globals(), _IMPORTED)
