"""Diagonals of matrices, one or a band of them: ``tf.linalg.diag``, ``diag_part``, ``set_diag``.

Follows https://www.tensorflow.org/api_docs/python/tf/linalg/diag
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import tensor_function
from cornu.compat.tensorflow.control import on_host

ALIGNMENTS = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")


class Band(NamedTuple):
    """Where the entries of the diagonals from `low` to `high` are in a matrix.

    `rows` and `columns` are ``(diagonals, longest)``, the highest diagonal first; `filled` is False where a diagonal is
    shorter than the longest.
    """

    rows: np.ndarray
    columns: np.ndarray
    filled: np.ndarray


def _limits(k: Any) -> tuple[int, int]:
    both = [int(one) for one in np.ravel(on_host(k))]
    if both[0] > both[-1]:
        raise ValueError(f"k must be a diagonal, or the lowest and the highest of a band; got {k!r}.")
    return both[0], both[-1]


def band_of(low: int, high: int, shape: tuple[int, ...], align: Any) -> Band:
    """Return the places of a band. ValueError if it is outside of a matrix of this `shape`, or `align` is unknown.

    `align` says for the diagonals above and those below the main one on which side of a row the shorter ones are.
    """
    align, (height, width) = align or ALIGNMENTS[0], shape
    if align not in ALIGNMENTS:
        raise ValueError(f"align must be one of {', '.join(ALIGNMENTS)}; got {align!r}.")
    if not (-height < low or not low) or not (high < width or not high):
        raise ValueError(f"The diagonals from {low} to {high} are not all in matrices of shape {(height, width)}.")
    above, below = align.split("_")
    numbers = np.arange(high, low - 1, -1)[:, None]
    lengths = np.minimum(height + np.minimum(numbers, 0), width - np.maximum(numbers, 0))
    longest = int(lengths.max())
    is_left = ((numbers >= 0) & (above == "LEFT")) | ((numbers <= 0) & (below == "LEFT"))
    at = np.arange(longest) - np.where(is_left, 0, longest - lengths)  # places along each diagonal
    filled = (at >= 0) & (at < lengths)
    rows, columns = (np.where(filled, at + np.maximum(sign * numbers, 0), 0) for sign in (-1, 1))
    return Band(rows, columns, filled)


def _without_axis(found: Any, low: int, high: int) -> Any:
    return found[..., 0, :] if low == high else found


def with_band(matrix: jax.Array, diagonal: jax.Array, k: Any, align: Any = None) -> jax.Array:
    """Return matrices with other values on a diagonal ``(..., longest)`` or a band ``(..., diagonals, longest)``."""
    low, high = _limits(k)
    band = band_of(low, high, matrix.shape[-2:], align)
    values = diagonal[..., None, :] if low == high else diagonal
    if values.shape[-2:] != band.filled.shape:
        expected = _without_axis(band.filled, low, high).shape
        raise ValueError(f"The diagonals k={k!r} of {matrix.shape} have the shape {expected}; got {diagonal.shape}.")
    return matrix.at[..., band.rows[band.filled], band.columns[band.filled]].set(values[..., band.filled])


@tensor_function
def diag(
    diagonal: Any, name: Any = None, k: Any = 0, num_rows: Any = -1, num_cols: Any = -1, padding_value: Any = 0,
    align: Any = None,
) -> jax.Array:  # fmt: skip
    """Return matrices with given diagonals.

    Args:
        diagonal: ``(..., longest)``, or ``(..., diagonals, longest)`` for a band, the highest diagonal first.
        name: No effect.
        k: Which diagonal above (or below) the main one, or the lowest and the highest of a band.
        num_rows, num_cols: The size; by default the smallest square, or the smallest that fits the other.
        padding_value: What is elsewhere.
        align: Where shorter diagonals are in their rows: see `band_of`.

    Raises:
        ValueError: The diagonals do not fit the size.

    >>> diag([[9, 1, 2], [3, 4, 5]], k=(0, 1)).tolist()
    [[3, 1, 0], [0, 4, 2], [0, 0, 5]]
    """
    values, (low, high) = jnp.asarray(diagonal), _limits(k)
    least = values.shape[-1] - min(high, 0), values.shape[-1] + max(low, 0)
    height, width = (int(on_host(one)) for one in (num_rows, num_cols))
    if height < 0 and width < 0:
        height = width = max(least)
    height, width = (fewest if size < 0 else size for fewest, size in zip(least, (height, width), strict=True))
    batch = values.shape[: -1 if low == high else -2]
    matrix = jnp.full((*batch, height, width), jnp.asarray(padding_value, values.dtype))
    return with_band(matrix, values, k, align)


@tensor_function
def diag_part(input: Any, name: Any = None, k: Any = 0, padding_value: Any = 0, align: Any = None) -> jax.Array:
    """Return a diagonal of matrices, or a band of them, the shorter ones filled up with `padding_value`.

    >>> diag_part([[1, 2], [3, 4]], k=(-1, 0)).tolist()
    [[1, 4], [3, 0]]
    """
    matrix, (low, high) = jnp.asarray(input), _limits(k)
    band = band_of(low, high, matrix.shape[-2:], align)
    padding = jnp.asarray(padding_value, matrix.dtype)
    return _without_axis(jnp.where(band.filled, matrix[..., band.rows, band.columns], padding), low, high)


@tensor_function
def set_diag(input: Any, diagonal: Any, name: Any = None, k: Any = 0, align: Any = None) -> jax.Array:
    """Return matrices with other values on a diagonal, or on a band of them."""
    return with_band(jnp.asarray(input), jnp.asarray(diagonal), k, align)


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


def _three(diagonals: Any, diagonals_format: str) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return the diagonals above, on and below the main one, each ``(..., rows)``."""
    if diagonals_format == "sequence":
        above, main, below = (jnp.asarray(one) for one in diagonals)
        return above, main, below
    stack = jnp.asarray(diagonals)
    if diagonals_format == "matrix":
        stack = diag_part(stack, k=(-1, 1), align="LEFT_RIGHT")
    elif diagonals_format != "compact":
        raise ValueError(f"diagonals_format must be 'compact', 'matrix' or 'sequence'; got {diagonals_format!r}.")
    return stack[..., 0, :], stack[..., 1, :], stack[..., 2, :]


@tensor_function
def tridiagonal_matmul(diagonals: Any, rhs: Any, diagonals_format: str = "compact", name: Any = None) -> jax.Array:
    """Return the product of matrices that have three diagonals with others.

    `diagonals` are ``(..., 3, rows)`` (``"compact"``: above, on and below the main one), a list of the three
    (``"sequence"``), or whole matrices (``"matrix"``).
    """
    above, main, below = (one[..., None] for one in _three(diagonals, diagonals_format))
    x = jnp.asarray(rhs)
    found = main * x
    found = found.at[..., :-1, :].add(above[..., :-1, :] * x[..., 1:, :])
    return found.at[..., 1:, :].add(below[..., 1:, :] * x[..., :-1, :])


@tensor_function
def tridiagonal_solve(
    diagonals: Any, rhs: Any, diagonals_format: str = "compact", transpose_rhs: bool = False,
    conjugate_rhs: bool = False, name: Any = None, *_: Any, **__: Any,
) -> jax.Array:  # fmt: skip
    """Return the solution of equations with matrices that have three diagonals; see `tridiagonal_matmul`."""
    above, main, below = _three(diagonals, diagonals_format)
    x = jnp.asarray(rhs)
    is_vector = x.ndim == main.ndim
    x = jnp.conj(x) if conjugate_rhs else x
    x = x[..., None] if is_vector else jnp.swapaxes(x, -1, -2) if transpose_rhs else x
    found = jax.lax.linalg.tridiagonal_solve(below.at[..., 0].set(0), main, above.at[..., -1].set(0), x)
    return found[..., 0] if is_vector else found


# ---- the two halves of a matrix


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
