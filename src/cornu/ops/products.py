"""The matrix product of dense layers, in the form that is fast where it runs."""

import jax
import jax.numpy as jnp
from jax import lax

from cornu.ops.compiler import takes_cpu_forms

NARROW = range(2, 32)
"""Numbers of columns for which XLA's CPU product for the gradient by the kernel, inputs transposed times upstream, is
slow: 239 us for 128 x 512 inputs and 10 columns, and 44 us when the other way round (jaxlib 0.10.2, two cores of
Zen 3; 1405 and 591 us for 1024 rows, 163 and 150 us for 32 columns, 197 and 255 us for 64). Forward both take the
same time."""


def dense_product(inputs: jax.Array, kernel: jax.Array) -> jax.Array:
    """Return `inputs` (..., features) times `kernel` (features, columns).

    >>> dense_product(jnp.ones((2, 3)), jnp.ones((3, 4))).shape
    (2, 4)
    """
    if not takes_cpu_forms() or kernel.shape[-1] not in NARROW or inputs.dtype != kernel.dtype:
        return jnp.matmul(inputs, kernel)
    # The barrier keeps XLA from undoing the transposition; differentiated, it keeps the gradient turned too.
    turned = lax.optimization_barrier(kernel.T)
    return lax.dot_general(inputs, turned, (((inputs.ndim - 1,), (1,)), ((), ())))
