"""The matrix product of dense layers, with gradients in the forms that are fastest on the device.

XLA's CPU product reads a matrix that must be transposed with the stride of its rows. That is slow for long strides,
above all at multiples of 2 kB, whose addresses share few cache sets. Microseconds inside a compiled loop, jaxlib
0.10.2, two cores of Zen 3 (docs/design/011-products-on-cpu.md has the whole table):

| gradient w.r.t. | rows, features, units | autodiff's form | form chosen here |
|---|---|---|---|
| inputs | 8, 512, 512 | 489 | 95 |
| | 32, 512, 512 | 798 | 241 |
| | 128, 512, 512 | 1107 | 724 |
| | 128, 2048, 2048 | 35412 | 11535 |
| | 128, 9216, 128 | 5976 | 4072 |
| kernel | 128, 512, 10 | 239 | 44 |
| | 128, 512, 512 | 884 | 726 |
| | 128, 9216, 128 | 5764 | 4954 |
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_derivatives import SymbolicZero

from cornu.core.jax_internals import SLOW_TRANSPOSED_OPERAND
from cornu.kernels.compiler import as_one_program, takes_cpu_forms

NARROW = range(2, 32)
"""Units for which the kernel's gradient is transposed: 163 and 150 us for 32, 197 and 255 us for 64."""
LARGE = 2**16
"""Kernel entries from which transposing it pays: with 128 rows 128 x 128 took 50 us, and transposed 55."""
MEDIUM = 2**14
"""Kernel entries from which transposing upstream pays: with 32 rows 64 x 256 took 39 us, and transposed 23."""
STRIDE = 512
"""Inputs whose row length is a multiple of this are transposed before the kernel's gradient is computed."""


@as_one_program()
def dense_product(inputs: jax.Array, kernel: jax.Array) -> jax.Array:
    """Return ``inputs @ kernel``.

    Args:
        inputs: ``(..., features)``.
        kernel: ``(features, units)``.

    Returns:
        ``(..., units)``.

    >>> dense_product(jnp.ones((2, 3)), jnp.ones((3, 4))).shape
    (2, 4)
    """
    if not takes_cpu_forms() or inputs.dtype != kernel.dtype or inputs.ndim < 2:
        return jnp.matmul(inputs, kernel)
    if kernel.shape[-1] in NARROW:  # the barrier, differentiated, keeps the gradient transposed too
        return _contract(inputs, lax.optimization_barrier(kernel.T), inputs.ndim - 1, 1)
    flat = inputs.reshape(math.prod(inputs.shape[:-1]), inputs.shape[-1])  # (rows, features)
    return _product(flat, kernel).reshape(*inputs.shape[:-1], kernel.shape[-1])


@jax.custom_jvp
def _product(x: jax.Array, w: jax.Array) -> jax.Array:
    return jnp.matmul(x, w)


def _derivative(primals: tuple, tangents: tuple) -> tuple[jax.Array, Any]:
    """Return the derivative as two products, written so that their transposes are the gradients in the forms wanted."""
    (x, w), (dx, dw) = primals, tangents
    parts = [form(*pair) for form, pair in ((_by_inputs, (dx, w)), (_by_kernel, (x, dw))) if not _is_zero(pair)]
    out = _product(x, w)
    return out, sum(parts[1:], parts[0]) if parts else jnp.zeros_like(out)


_product.defjvp(_derivative, symbolic_zeros=True)


def _is_zero(pair: tuple) -> bool:
    return any(isinstance(each, SymbolicZero) for each in pair)


def _by_inputs(dx: jax.Array, w: jax.Array) -> jax.Array:
    """Return ``dx @ w``. Its gradient is ``upstream @ kernel.T``, or ``(kernel @ upstream.T).T`` if that is faster.

    The barriers keep XLA from cancelling the transposes.
    """
    if w.size >= MEDIUM and 2 * dx.shape[0] <= min(w.shape):
        if SLOW_TRANSPOSED_OPERAND:  # its gradient transposes upstream first
            return lax.optimization_barrier(_contract(w, lax.optimization_barrier(dx.T), 0, 0)).T
        return _contract(lax.optimization_barrier(dx.T), w, 0, 0)
    if w.size >= LARGE:
        return _contract(dx, lax.optimization_barrier(w.T), 1, 1)
    return jnp.matmul(dx, w)


def _by_kernel(x: jax.Array, dw: jax.Array) -> jax.Array:
    """Return ``x @ dw``. Its gradient is ``inputs.T @ upstream``."""
    if x.shape[1] % STRIDE == 0:
        return _contract(lax.optimization_barrier(x.T), dw, 0, 0)
    return jnp.matmul(x, dw)


def _contract(a: jax.Array, b: jax.Array, a_axis: int, b_axis: int) -> jax.Array:
    return lax.dot_general(a, b, (((a_axis,), (b_axis,)), ((), ())))
