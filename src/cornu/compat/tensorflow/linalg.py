"""The module ``tf.linalg``.

Follows https://www.tensorflow.org/api_docs/python/tf/linalg
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy.linalg as scipy_linalg
import numpy as np

from cornu.compat.backend.calls import tensor_function
from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.meanings import norm
from cornu.core.variable import plain


def _adjoint(matrix: jax.Array) -> jax.Array:
    return jnp.conj(jnp.swapaxes(matrix, -1, -2))


@tensor_function
def matvec(a: Any, b: Any, transpose_a: bool = False, adjoint_a: bool = False, *_: Any, name: Any = None) -> jax.Array:
    """Return the product of a matrix and a vector."""
    a = jnp.asarray(a)
    a = _adjoint(a) if adjoint_a else jnp.swapaxes(a, -1, -2) if transpose_a else a
    return jnp.matmul(a, jnp.asarray(b)[..., None])[..., 0]


@tensor_function
def matrix_transpose(a: Any, name: Any = None, conjugate: bool = False) -> jax.Array:
    """Return matrices with rows and columns exchanged."""
    a = jnp.swapaxes(jnp.asarray(a), -1, -2)
    return jnp.conj(a) if conjugate else a


@tensor_function
def adjoint(matrix: Any, name: Any = None) -> jax.Array:
    """Return the conjugate transpose of matrices."""
    return _adjoint(jnp.asarray(matrix))


@tensor_function
def band_part(input: Any, num_lower: Any, num_upper: Any, name: Any = None) -> jax.Array:
    """Return matrices with zeros outside of a band: diagonals below and above the main one, all of them if negative.

    >>> band_part(np.ones((3, 3)), 0, 1).tolist()
    [[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    """
    matrix = jnp.asarray(input)
    rows, columns = matrix.shape[-2:]
    distance = jnp.arange(rows)[:, None] - jnp.arange(columns)
    lower, upper = jnp.asarray(num_lower), jnp.asarray(num_upper)
    inside = ((lower < 0) | (distance <= lower)) & ((upper < 0) | (-distance <= upper))
    return jnp.where(inside, matrix, jnp.zeros((), matrix.dtype))


def _diagonals(k: Any) -> tuple[int, int]:
    both = [int(one) for one in np.ravel(on_host(k))]
    return both[0], both[-1]


def _on_diagonal(values: jax.Array, k: int, rows: int, columns: int, padding: Any) -> jax.Array:
    matrix = jnp.full((*values.shape[:-1], rows, columns), padding, values.dtype)
    at = np.arange(values.shape[-1])
    return matrix.at[..., at + max(-k, 0), at + max(k, 0)].set(values)


@tensor_function
def diag(
    diagonal: Any, name: Any = None, k: Any = 0, num_rows: int = -1, num_cols: int = -1, padding_value: Any = 0,
    align: Any = None,
) -> jax.Array:  # fmt: skip
    """Return matrices with a diagonal, of which the `k`-th above (or below) the main one. ValueError for a band."""
    values, (low, high) = jnp.asarray(diagonal), _diagonals(k)
    if low != high:
        raise ValueError(f"tf.linalg.diag makes one diagonal at a time; got k={(low, high)}. Add the matrices up.")
    rows, columns = values.shape[-1] + max(-low, 0), values.shape[-1] + max(low, 0)
    if num_rows < 0 and num_cols < 0:
        rows = columns = max(rows, columns)
    rows, columns = max(rows, int(num_rows)), max(columns, int(num_cols))
    return _on_diagonal(values, low, rows, columns, padding_value)


@tensor_function
def diag_part(input: Any, name: Any = None, k: Any = 0, padding_value: Any = 0, align: Any = None) -> jax.Array:
    """Return a diagonal of matrices. ValueError for a band."""
    low, high = _diagonals(k)
    if low != high:
        raise ValueError(f"tf.linalg.diag_part takes one diagonal at a time; got k={(low, high)}.")
    return jnp.diagonal(jnp.asarray(input), low, -2, -1)


@tensor_function
def set_diag(input: Any, diagonal: Any, name: Any = None, k: Any = 0, align: Any = None) -> jax.Array:
    """Return matrices with other values on a diagonal."""
    matrix, diagonal, (low, _) = jnp.asarray(input), jnp.asarray(diagonal), _diagonals(k)
    at = np.arange(diagonal.shape[-1])
    return matrix.at[..., at + max(-low, 0), at + max(low, 0)].set(diagonal)


@tensor_function
def tensor_diag(diagonal: Any, name: Any = None) -> jax.Array:
    """Return a tensor with values where the first axes have the indices of the last ones."""
    values = jnp.asarray(diagonal)
    return jnp.diag(values.ravel()).reshape(values.shape * 2)


@tensor_function
def tensor_diag_part(input: Any, name: Any = None) -> jax.Array:
    """Return the entries where the first axes have the indices of the last ones."""
    x = jnp.asarray(input)
    half = x.shape[: x.ndim // 2]
    return jnp.diagonal(x.reshape(np.prod(half, dtype=int), -1)).reshape(half)


# ---- equations


@tensor_function
def solve(matrix: Any, rhs: Any, adjoint: bool = False, name: Any = None) -> jax.Array:
    """Return the solution of ``matrix @ x = rhs``."""
    matrix = jnp.asarray(matrix)
    return jnp.linalg.solve(_adjoint(matrix) if adjoint else matrix, jnp.asarray(rhs))


@tensor_function
def inv(input: Any, adjoint: bool = False, name: Any = None) -> jax.Array:
    """Return the inverse of matrices."""
    matrix = jnp.asarray(input)
    return jnp.linalg.inv(_adjoint(matrix) if adjoint else matrix)


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
    gram = _adjoint(matrix) @ matrix + l2_regularizer * jnp.eye(matrix.shape[-1], dtype=matrix.dtype)
    return jnp.linalg.solve(gram, _adjoint(matrix) @ rhs)


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
    return SVD(s, u, _adjoint(v))


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
        return jnp.matmul(_adjoint(self._matrix) if adjoint else self._matrix, _adjoint(x) if adjoint_arg else x)

    __matmul__ = matmul

    def matvec(self, x: Any, adjoint: bool = False, name: Any = None) -> jax.Array:
        """Return the product with a vector."""
        return matvec(self._matrix, x, adjoint_a=adjoint)

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: Any = None) -> jax.Array:
        """Return the solution of the equations with this matrix."""
        rhs = jnp.asarray(plain(rhs))
        return solve(self._matrix, _adjoint(rhs) if adjoint_arg else rhs, adjoint)

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
        values = jnp.asarray(plain(diag))
        super().__init__(_on_diagonal(values, 0, values.shape[-1], values.shape[-1], 0))


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
