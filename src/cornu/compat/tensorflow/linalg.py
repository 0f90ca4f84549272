"""The module ``tf.linalg``.

Follows https://www.tensorflow.org/api_docs/python/tf/linalg
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy.linalg as scipy_linalg

from cornu.compat.backend.calls import tensor_function
from cornu.compat.tensorflow import diagonals
from cornu.compat.tensorflow.meanings import norm
from cornu.core.variable import plain


def _oriented(matrix: Any, transpose: Any = False, adjoint: Any = False) -> jax.Array:
    """Return matrices, transposed or, with `adjoint`, transposed and conjugated."""
    matrix = jnp.asarray(matrix)
    matrix = jnp.swapaxes(matrix, -1, -2) if transpose or adjoint else matrix
    return jnp.conj(matrix) if adjoint else matrix


@tensor_function
def matmul(
    a: Any, b: Any, transpose_a: Any = False, transpose_b: Any = False, adjoint_a: Any = False, adjoint_b: Any = False,
    a_is_sparse: Any = False, b_is_sparse: Any = False, output_type: Any = None, name: str | None = None,
) -> jax.Array:  # fmt: skip
    """Return the matrix product; the last two axes of `a` or `b` may be swapped first."""
    return jnp.matmul(_oriented(a, transpose_a, adjoint_a), _oriented(b, transpose_b, adjoint_b))


@tensor_function
def matvec(a: Any, b: Any, transpose_a: bool = False, adjoint_a: bool = False, *_: Any, name: Any = None) -> jax.Array:
    """Return the product of a matrix and a vector."""
    return jnp.matmul(_oriented(a, transpose_a, adjoint_a), jnp.asarray(b)[..., None])[..., 0]


@tensor_function
def matrix_transpose(a: Any, name: Any = None, conjugate: bool = False) -> jax.Array:
    """Return matrices with rows and columns exchanged."""
    return _oriented(a, True, conjugate)


@tensor_function
def adjoint(matrix: Any, name: Any = None) -> jax.Array:
    """Return the conjugate transpose of matrices."""
    return _oriented(matrix, adjoint=True)


# ---- equations


@tensor_function
def solve(matrix: Any, rhs: Any, adjoint: bool = False, name: Any = None) -> jax.Array:
    """Return the solution of ``matrix @ x = rhs``."""
    matrix = jnp.asarray(matrix)
    return jnp.linalg.solve(_oriented(matrix, adjoint=adjoint), jnp.asarray(rhs))


@tensor_function
def inv(input: Any, adjoint: bool = False, name: Any = None) -> jax.Array:
    """Return the inverse of matrices."""
    matrix = jnp.asarray(input)
    return jnp.linalg.inv(_oriented(matrix, adjoint=adjoint))


@tensor_function
def triangular_solve(matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: Any = None) -> jax.Array:
    """Return the solution of equations with a triangular matrix."""
    return scipy_linalg.solve_triangular(
        jnp.asarray(matrix), jnp.asarray(rhs), lower=bool(lower), trans="C" if adjoint else "N"
    )


@tensor_function
def cholesky_solve(chol: Any, rhs: Any, name: Any = None) -> jax.Array:
    """Return the solution of equations, from the Cholesky factor of their matrix."""
    return scipy_linalg.cho_solve((jnp.asarray(chol), True), jnp.asarray(rhs))


@tensor_function
def lstsq(matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True, name: Any = None) -> jax.Array:
    """Return the least squares solution, with a penalty on its squares."""
    matrix, rhs = jnp.asarray(matrix), jnp.asarray(rhs)
    if isinstance(l2_regularizer, (int, float)) and not l2_regularizer:
        return jnp.matmul(jnp.linalg.pinv(matrix), rhs)
    gram = _oriented(matrix, adjoint=True) @ matrix + l2_regularizer * jnp.eye(matrix.shape[-1], dtype=matrix.dtype)
    return jnp.linalg.solve(gram, _oriented(matrix, adjoint=True) @ rhs)


# ---- decompositions


class SVD(NamedTuple):
    """Singular values, left and right singular vectors (in columns)."""

    s: jax.Array
    u: jax.Array
    v: jax.Array


@tensor_function
def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: Any = None) -> Any:
    """Return singular values, and left and right vectors with `compute_uv`."""
    if not compute_uv:
        return jnp.linalg.svd(jnp.asarray(tensor), compute_uv=False)
    u, s, v = jnp.linalg.svd(jnp.asarray(tensor), full_matrices=bool(full_matrices))
    return SVD(s, u, _oriented(v, adjoint=True))


@tensor_function
def eigvals(tensor: Any, name: Any = None) -> jax.Array:
    """Return the eigenvalues of matrices, as complex numbers."""
    return jnp.linalg.eigvals(jnp.asarray(tensor))


@tensor_function
def eigvalsh(tensor: Any, name: Any = None) -> jax.Array:
    """Return the eigenvalues of symmetric matrices."""
    return jnp.linalg.eigvalsh(jnp.asarray(tensor))


@tensor_function
def expm(input: Any, name: Any = None) -> jax.Array:
    """Return the exponential of matrices."""
    return scipy_linalg.expm(jnp.asarray(input))


@tensor_function
def sqrtm(input: Any, name: Any = None) -> jax.Array:
    """Return the root of a matrix; of a real one its real part."""
    matrix = jnp.asarray(input)
    found = scipy_linalg.sqrtm(matrix)
    return found if jnp.iscomplexobj(matrix) else jnp.real(found)


@tensor_function
def logm(input: Any, name: Any = None) -> jax.Array:
    """Return the logarithm of matrices that have as many eigenvectors as rows."""
    values, vectors = jnp.linalg.eig(jnp.asarray(input))
    return vectors @ (jnp.log(values)[..., None] * jnp.linalg.inv(vectors))


class LogDeterminant(NamedTuple):
    """Sign and logarithm of a determinant."""

    sign: jax.Array
    log_abs_determinant: jax.Array


@tensor_function
def slogdet(input: Any, name: Any = None) -> LogDeterminant:
    """Return the sign and the logarithm of determinants."""
    return LogDeterminant(*jnp.linalg.slogdet(jnp.asarray(input)))


class LU(NamedTuple):
    """Both triangular factors in one matrix, and the order of its rows."""

    lu: jax.Array
    p: jax.Array


@tensor_function
def lu(input: Any, output_idx_type: Any = "int32", name: Any = None) -> LU:
    """Return the triangular factors of matrices, and the order of their rows."""
    found, _, order = jax.lax.linalg.lu(jnp.asarray(input))
    return LU(found, order)


@tensor_function
def lu_reconstruct(lower_upper: Any, perm: Any, validate_args: bool = False, name: Any = None) -> jax.Array:
    """Return the matrices that have these triangular factors and this order of rows."""
    factors = jnp.asarray(lower_upper)
    product = jnp.matmul(jnp.tril(factors, -1) + jnp.eye(factors.shape[-1], dtype=factors.dtype), jnp.triu(factors))
    return jnp.take_along_axis(product, jnp.argsort(jnp.asarray(perm), -1)[..., None], -2)


@tensor_function
def lu_solve(lower_upper: Any, perm: Any, rhs: Any, validate_args: bool = False, name: Any = None) -> jax.Array:
    """Return the solution of equations, from the triangular factors of their matrix."""
    factors, order = jnp.asarray(lower_upper), jnp.asarray(perm)
    x = jnp.take_along_axis(jnp.asarray(rhs), order[..., None], -2)
    half = scipy_linalg.solve_triangular(factors, x, lower=True, unit_diagonal=True)
    return scipy_linalg.solve_triangular(factors, half)


@tensor_function
def lu_matrix_inverse(lower_upper: Any, perm: Any, validate_args: bool = False, name: Any = None) -> jax.Array:
    """Return the inverse of matrices, from their triangular factors."""
    factors = jnp.asarray(lower_upper)
    return lu_solve(factors, perm, jnp.broadcast_to(jnp.eye(factors.shape[-1], dtype=factors.dtype), factors.shape))


@tensor_function
def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: Any = None) -> tuple[jax.Array, jax.Array]:
    """Return `tensor` divided by its norm, and the norm."""
    tensor = jnp.asarray(tensor)
    length = norm(tensor, ord, axis, True)
    return tensor / length, length


# ---- operators


class LinearOperator:
    """A linear map with a matrix. Stand-in for TensorFlow's classes of operators, which avoid the matrix."""

    def __init__(self, matrix: Any, *_: Any, name: Any = None, **__: Any) -> None:
        self._matrix = jnp.asarray(plain(matrix))

    shape = property(lambda self: self._matrix.shape)
    dtype = property(lambda self: self._matrix.dtype)

    def to_dense(self, name: Any = None) -> jax.Array:
        """Return the matrix."""
        return self._matrix

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: Any = None) -> jax.Array:
        """Return the product with a matrix."""
        x = jnp.asarray(plain(x))
        return jnp.matmul(_oriented(self._matrix, adjoint=adjoint), _oriented(x, adjoint=adjoint_arg))

    __matmul__ = matmul

    def matvec(self, x: Any, adjoint: bool = False, name: Any = None) -> jax.Array:
        """Return the product with a vector."""
        return matvec(self._matrix, x, adjoint_a=adjoint)

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: Any = None) -> jax.Array:
        """Return the solution of the equations with this matrix."""
        rhs = jnp.asarray(plain(rhs))
        return solve(self._matrix, _oriented(rhs, adjoint=adjoint_arg), adjoint)

    def determinant(self, name: Any = None) -> jax.Array:
        """Return the determinant."""
        return jnp.linalg.det(self._matrix)

    def log_abs_determinant(self, name: Any = None) -> jax.Array:
        """Return the logarithm of the determinant."""
        return jnp.linalg.slogdet(self._matrix)[1]

    def diag_part(self, name: Any = None) -> jax.Array:
        """Return the diagonal."""
        return jnp.diagonal(self._matrix, 0, -2, -1)

    def trace(self, name: Any = None) -> jax.Array:
        """Return the sum of the diagonal."""
        return jnp.trace(self._matrix, 0, -2, -1)


LinearOperatorFullMatrix = LinearOperator


class LinearOperatorDiag(LinearOperator):
    """A linear map with a diagonal matrix."""

    def __init__(self, diag: Any, *_: Any, name: Any = None, **__: Any) -> None:
        super().__init__(diagonals.diag(diag))


class LinearOperatorLowerTriangular(LinearOperator):
    """A linear map with a lower triangular matrix."""

    def __init__(self, tril: Any, *_: Any, name: Any = None, **__: Any) -> None:
        super().__init__(jnp.tril(jnp.asarray(plain(tril))))


class LinearOperatorIdentity(LinearOperator):
    """The map that changes nothing."""

    def __init__(self, num_rows: int, batch_shape: Any = None, dtype: Any = "float32", **_: Any) -> None:
        super().__init__(
            jnp.broadcast_to(jnp.eye(int(num_rows), dtype=str(dtype)), (*(batch_shape or ()), *(int(num_rows),) * 2))
        )
