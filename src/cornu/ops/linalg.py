"""The linear algebra of `keras.ops`: JAX's functions for anything array-like.

Follows https://keras.io/api/ops/linalg/
"""

from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.public import offer
from cornu.ops.lifting import arrays_first, unary

_IMPORTED = frozenset(globals())

det = unary(jnp.linalg.det)
eig = unary(jnp.linalg.eig)
eigh = unary(jnp.linalg.eigh)
inv = unary(jnp.linalg.inv)
lu_factor = unary(jax.scipy.linalg.lu_factor)
matrix_rank = unary(jnp.linalg.matrix_rank)
norm = unary(jnp.linalg.norm)
pinv = unary(jnp.linalg.pinv)
qr = unary(jnp.linalg.qr)
slogdet = unary(jnp.linalg.slogdet)


@arrays_first(1)
def cholesky(x: Any, upper: bool = False) -> jax.Array:
    """Return the Cholesky factor of positive definite matrices ``(..., n, n)``, lower triangular unless `upper`."""
    return jnp.linalg.cholesky(x, upper=upper)


@arrays_first(1)
def cholesky_inverse(x: Any, upper: bool = False) -> jax.Array:
    """Return the inverse of the matrix whose Cholesky factor is `x`."""
    unit = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    inverse = jax.scipy.linalg.solve_triangular(x, unit, lower=not upper)
    return inverse @ inverse.mT if upper else inverse.mT @ inverse


@arrays_first(1)
def logdet(x: Any) -> jax.Array:
    """Return the logarithm of the absolute value of the determinant."""
    return jnp.linalg.slogdet(x)[1]


@arrays_first(2)
def lstsq(a: Any, b: Any, rcond: float | None = None) -> jax.Array:
    """Return the least-squares solution x of ``a @ x = b``."""
    return jnp.linalg.lstsq(a, b, rcond)[0]


@arrays_first(2)
def solve(a: Any, b: Any) -> jax.Array:
    """Return x with ``a @ x == b``. `b` is a vector if it has one axis fewer than `a`.

    >>> solve(jnp.array([[2.0, 0.0], [0.0, 4.0]]), jnp.array([2.0, 8.0])).tolist()
    [1.0, 2.0]
    """
    if b.ndim == a.ndim - 1:
        return jnp.linalg.solve(a, b[..., None])[..., 0]
    return jnp.linalg.solve(a, b)


@arrays_first(2)
def solve_triangular(a: Any, b: Any, lower: bool = False) -> jax.Array:
    """Return x with ``a @ x == b`` for a triangular `a`."""
    if b.ndim == a.ndim - 1:
        return jax.scipy.linalg.solve_triangular(a, b[..., None], lower=lower)[..., 0]
    return jax.scipy.linalg.solve_triangular(a, b, lower=lower)


@arrays_first(1)
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Return the singular value decomposition, or only the singular values if not `compute_uv`."""
    return jnp.linalg.svd(x, full_matrices=full_matrices, compute_uv=compute_uv)


@arrays_first(2)
def cdist(x: Any, y: Any) -> jax.Array:
    """Return the distances between rows of `x` ``(..., m, d)`` and of `y` ``(..., n, d)``: ``(..., m, n)``.

    >>> cdist(jnp.zeros((1, 2)), jnp.array([[3.0, 4.0]])).tolist()
    [[5.0]]
    """
    return jnp.linalg.norm(x[..., :, None, :] - y[..., None, :, :], axis=-1)


offer(globals(), _IMPORTED)
