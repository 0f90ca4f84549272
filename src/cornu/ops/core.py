"""The part of `keras.ops` about dtypes, loops, branches, slices and scatters.

Follows https://keras.io/api/ops/core/
"""

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from cornu.core import control
from cornu.core.dtype_policies import array_dtype, is_float, standardize_dtype
from cornu.core.graph import SymbolicTensor, is_symbolic, op, symbolic_leaves
from cornu.core.public import offer
from cornu.core.text import holds_text, text_array
from cornu.core.variable import Variable, plain
from cornu.ops.lifting import array, arrays_first, unary
from cornu.ops.lifting import indices as integers

_IMPORTED = frozenset(globals())

stop_gradient = unary(lax.stop_gradient, "variable")


def shape(x: Any) -> tuple:
    """Return the shape as a tuple, with None for unknown axes of a symbolic tensor.

    >>> shape([[1, 2], [3, 4], [5, 6]])
    (3, 2)
    """
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def dtype(x: Any) -> str:
    """Return the dtype's name, such as ``"float32"``."""
    return standardize_dtype(x.dtype if hasattr(x, "dtype") else jnp.asarray(x).dtype)


def is_tensor(x: Any) -> bool:
    """Return whether `x` is a JAX array or a symbolic tensor."""
    return isinstance(x, (jax.Array, SymbolicTensor))


@arrays_first(1)
def cast(x: Any, dtype: Any) -> jax.Array:
    """Return `x` with another dtype.

    >>> cast([1.7, 2.2], "int32").tolist()
    [1, 2]
    """
    return jnp.asarray(x, array_dtype(dtype))


@arrays_first(1)
def saturate_cast(x: Any, dtype: Any) -> jax.Array:
    """Return `x` with another dtype; values outside its range become the nearest bound.

    >>> saturate_cast([300.0, -5.0], "uint8").tolist()
    [255, 0]
    """
    x, name = jnp.asarray(x), array_dtype(dtype)
    (least, most), (lower, upper) = _limits(x.dtype.name), _limits(name)
    return jnp.clip(x, max(least, lower), min(most, upper)).astype(name)


def _limits(dtype: str) -> tuple[Any, Any]:
    """Return the least and the greatest value of a dtype."""
    if dtype == "bool":
        return 0, 1
    info = jnp.finfo(dtype) if is_float(dtype) else jnp.iinfo(dtype)
    return (float(info.min), float(info.max)) if is_float(dtype) else (int(info.min), int(info.max))


@arrays_first(1)
def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> jax.Array:
    """Return `x` as a JAX array; text as an array of numpy, since no device holds it.

    Args:
        x: Array, list, number or variable.
        dtype: Dtype of the result, by default that of `x`.
        sparse, ragged: Accepted; arrays are always dense.
    """
    if holds_text(x):
        return text_array(x)  # type: ignore[return-value]
    return jnp.asarray(x, None if dtype is None else array_dtype(dtype))


def convert_to_numpy(x: Any) -> np.ndarray:
    """Return `x` as a numpy array."""
    return np.array(x._value if isinstance(x, Variable) else x)


# ---- slices and scatters


@arrays_first(1)
def slice(inputs: Any, start_indices: Sequence, shape: Sequence[int]) -> jax.Array:
    """Return the part of `inputs` that starts at `start_indices` and has `shape`; -1 in `shape` takes the rest.

    >>> slice([1, 2, 3, 4], [1], [2]).tolist()
    [2, 3]
    """
    sizes = [
        whole - int(start) if size == -1 else size
        for whole, start, size in zip(inputs.shape, start_indices, shape, strict=True)
    ]
    return lax.dynamic_slice(inputs, list(start_indices), sizes)


@arrays_first(1)
def slice_update(inputs: Any, start_indices: Sequence, updates: Any) -> jax.Array:
    """Return `inputs` with the part that starts at `start_indices` replaced by `updates`.

    >>> slice_update([1, 2, 3, 4], [1], [7, 8]).tolist()
    [1, 7, 8, 4]
    """
    return lax.dynamic_update_slice(jnp.asarray(inputs), jnp.asarray(array(updates)), list(start_indices))


@arrays_first(2)
def scatter(indices: Any, values: Any, shape: Sequence[int]) -> jax.Array:
    """Return zeros of `shape` with `values` added at `indices`.

    Args:
        indices: Integers ``(..., n)``; each row is the index of an element or a part.
        values: What to add, one for each row.
        shape: Shape of the result.

    >>> scatter([[0], [2]], [5, 7], (4,)).tolist()
    [5, 0, 7, 0]
    """
    return jnp.zeros(shape, jnp.asarray(values).dtype).at[_index(indices)].add(values)


@arrays_first(3)
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> jax.Array:
    """Return `inputs` with `updates` written at `indices`.

    Args:
        inputs: The array.
        indices: Integers ``(..., n)``, as in `scatter`.
        updates: What to write, one for each row of `indices`.
        reduction: None replaces; ``"add"``, ``"max"``, ``"min"`` or ``"mul"`` combines with the old value.

    Raises:
        ValueError: `reduction` is none of these.

    >>> scatter_update([1, 2, 3], [[1]], [9]).tolist()
    [1, 9, 3]
    """
    place = jnp.asarray(inputs).at[_index(indices)]
    ways: dict[str | None, Any] = {
        None: place.set,
        "add": place.add,
        "max": place.max,
        "min": place.min,
        "mul": place.mul,
    }
    if reduction not in ways:
        raise ValueError(f"scatter_update: reduction must be None, 'add', 'max', 'min' or 'mul'; got {reduction!r}.")
    return ways[reduction](updates)


def _index(indices: Any) -> tuple:
    return tuple(jnp.moveaxis(integers(indices), -1, 0))


@arrays_first(1)
def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[jax.Array]:
    """Return the parts of `x` along an axis, as a list."""
    return [jnp.squeeze(part, axis) for part in jnp.split(x, x.shape[axis], axis=axis)]


# ---- loops and branches, whose functions may assign to variables


@op
def while_loop(cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: int | None = None) -> Any:
    """Call ``body(*loop_vars)`` while ``cond(*loop_vars)`` is true.

    Args:
        cond: Function of the variables that returns a boolean.
        body: Function of the variables that returns their new values, of the same shapes and dtypes.
        loop_vars: One array, or a list or tuple of them.
        maximum_iterations: Upper bound of the number of calls.

    Returns:
        The final values, in the structure of `loop_vars`.

    >>> [int(i) for i in while_loop(lambda i, n: i < n, lambda i, n: (i + 2, n), (0, 5))]
    [6, 5]
    """
    several = isinstance(loop_vars, (list, tuple))
    start = tuple(builtins.map(array, loop_vars)) if several else (array(loop_vars),)

    def still_running(state: tuple) -> Any:
        count, values = state
        more = cond(*values)
        return more if maximum_iterations is None else jnp.logical_and(more, count < maximum_iterations)

    def step(state: tuple) -> tuple:
        count, values = state
        values = body(*values)
        return count + 1, tuple(values) if isinstance(values, (list, tuple)) else (values,)

    _, result = control.while_loop(still_running, step, (0, start))
    return type(loop_vars)(result) if isinstance(loop_vars, list) else result if several else result[0]


@op
def fori_loop(lower: int, upper: int, body_fun: Callable, init_val: Any) -> Any:
    """Return the last value of ``value = body_fun(i, value)`` for i from `lower` to `upper` - 1.

    >>> int(fori_loop(0, 4, lambda i, total: total + i, 0))
    6
    """
    return control.fori_loop(lower, upper, body_fun, init_val)


@op
def scan(
    f: Callable, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False, unroll: int = 1
) -> tuple:
    """Carry a value through ``carry, y = f(carry, x)`` for each x along the first axis.

    Args:
        f: Function ``(carry, x) -> (carry, y)``.
        init: The first carry.
        xs: Arrays ``(time, ...)``; None calls `f` with None `length` times.
        length: Number of steps, needed only without `xs`.
        reverse: Whether to go from the last step to the first.
        unroll: Number of steps per iteration of the compiled loop.

    Returns:
        The last carry, and all y stacked: ``(time, ...)``.

    >>> total, sums = scan(lambda carry, x: (carry + x, carry + x), 0, jnp.array([1, 2, 3]))
    >>> int(total), sums.tolist()
    (6, [1, 3, 6])
    """
    return control.scan(f, init, xs, length, reverse, unroll)


@op
def associative_scan(f: Callable, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Return the cumulative results of an associative function of two arguments, computed in parallel."""
    return lax.associative_scan(f, jax.tree.map(jnp.asarray, plain(elems)), reverse, axis)


@op
def map(f: Callable, xs: Any) -> Any:
    """Apply `f` to each entry of the first axis in turn, and stack the results."""
    return control.scan(lambda _, x: ((), f(x)), (), jax.tree.map(jnp.asarray, plain(xs)))[1]


@op
def vectorized_map(function: Callable, elements: Any) -> Any:
    """Apply `function` to all entries of the first axis at once, and stack the results."""
    return jax.vmap(function)(jax.tree.map(jnp.asarray, plain(elements)))


def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    """Return ``true_fn()`` if `pred` is true, else ``false_fn()``, as arrays.

    Args:
        pred: A boolean. If it is symbolic, both functions may use symbolic tensors: then both are computed.
        true_fn, false_fn: Functions without arguments whose results have the same structure, shapes and dtypes.

    >>> int(cond(True, lambda: 1, lambda: 2))
    1
    """
    try:
        return _cond(pred, true_fn, false_fn)
    except TypeError:
        results = (true_fn(), false_fn()) if is_symbolic(pred) else ()
        if not symbolic_leaves(results):
            raise
    return _chosen(pred, *results)


@op
def _cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    known = isinstance(pred, (bool, np.bool_))
    chosen = pred if known else jnp.asarray(array(pred)).reshape(())
    result = control.cond(chosen, true_fn, false_fn)
    return jax.tree.map(lambda leaf: leaf if is_symbolic(leaf) else jnp.asarray(leaf), result)


@op
def _chosen(pred: Any, true_result: Any, false_result: Any) -> Any:
    return jax.tree.map(lambda one, other: jnp.where(jnp.reshape(pred, ()), one, other), true_result, false_result)


@op
def switch(index: Any, branches: Sequence[Callable], *operands: Any) -> Any:
    """Return the result of branch number `index` for the operands."""
    return control.switch(array(index), branches, *builtins.map(array, operands))


def custom_gradient(f: Callable) -> Callable:
    """Decorate a function that returns its result and a function of the upstream gradient: ``return y, grad``.

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
    return op(call)


@op
def jvp(fun: Callable, primals: Any, tangents: Any, has_aux: bool = False) -> tuple:
    """Return the value of a function and its directional derivative."""
    return jax.jvp(fun, tuple(primals), tuple(tangents), has_aux=has_aux)


offer(globals(), _IMPORTED)
