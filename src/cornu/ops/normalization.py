"""Statistics of arrays, and normalization by them; computed in float32 or wider."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from cornu.core import settings
from cornu.core.graph import op
from cornu.core.variable import plain
from cornu.kernels.column_sums import channel_moments, scaled, spread
from cornu.kernels.compiler import as_one_program

Axes = int | Sequence[int]


def at_least_float32(x: Any) -> Array:
    """Return `x` in its own dtype, or in float32 if that is narrower: sums of 16-bit numbers overflow."""
    x = jnp.asarray(x)
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def along(x: Array, vector: Any, axes: Sequence[int]) -> Array:
    """Return `vector`, which has the sizes of `axes`, reshaped to broadcast along these axes of `x`.

    Scalars, and arrays with all the axes of `x`, are returned unchanged.
    """
    vector = jnp.asarray(vector, x.dtype)
    if vector.ndim in (0, x.ndim):
        return vector
    if tuple(axes) == (x.ndim - 1,):
        return spread(vector, x.shape)
    return jnp.reshape(vector, [size if axis in axes else 1 for axis, size in enumerate(x.shape)])


def axes_of(axis: Axes, rank: int) -> tuple[int, ...]:
    """Return one or several axes, counted from the front and sorted; ValueError for a missing one."""
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for one in axes:
        if not -rank <= one < rank:
            raise ValueError(f"There is no axis {one} in an array of {rank} axes: use one from {-rank} to {rank - 1}.")
    return tuple(sorted(one % rank for one in axes))


@op
def moments(x: Any, axes: Axes, keepdims: bool = False, synchronized: bool = False) -> tuple[Array, Array]:
    """Return mean and variance of `x` over `axes`.

    Args:
        x: The array.
        axes: An axis or several.
        keepdims: Whether to keep them, with size 1.
        synchronized: Accepted; has no effect on one device.

    >>> print(*moments([1.0, 3.0], 0))
    2.0 1.0
    """
    x = jnp.asarray(x)
    return _moments(x, axes_of(axes, x.ndim), keepdims)


@as_one_program("axes", "keepdims")
def _moments(x: Array, axes: tuple[int, ...], keepdims: bool) -> tuple[Array, Array]:
    wide = at_least_float32(x)
    if axes == tuple(range(x.ndim - 1)):
        mean, variance = channel_moments(wide)
        if keepdims:
            mean, variance = (jnp.expand_dims(value, axes) for value in (mean, variance))
    else:
        mean, variance = jnp.mean(wide, axes, keepdims=keepdims), jnp.var(wide, axes, keepdims=keepdims)
    if wide.dtype == x.dtype or not jnp.issubdtype(x.dtype, jnp.inexact):
        return mean, variance
    limit = float(jnp.finfo(jnp.float16).max)
    return tuple(jnp.clip(value, -limit, limit).astype(x.dtype) for value in (mean, variance))  # type: ignore[return-value]


@op
def masked_moments(x: Any, mask: Any, axis: int) -> tuple[Array, Array]:
    """Return mean and variance along `axis`, over the places where `mask` is True.

    Args:
        x: The array.
        mask: Booleans with all axes of `x` but the last.
        axis: Axis of the channels.

    Returns:
        Two vectors ``(channels,)``.
    """
    x = jnp.asarray(x)
    shown = jnp.broadcast_to(jnp.asarray(mask, bool)[..., None], x.shape)
    others = tuple(other for other in range(x.ndim) if other != axis % x.ndim)
    count = jnp.sum(shown.astype(x.dtype), others, keepdims=True) + settings.epsilon()
    mean = jnp.sum(jnp.where(shown, x, 0), others, keepdims=True) / count
    variance = jnp.sum(jnp.where(shown, jnp.square(x - mean), 0), others, keepdims=True) / count
    return jnp.ravel(mean), jnp.ravel(variance)


def _shifted(x: Array, mean: Any, variance: Any, gamma: Any, beta: Any, epsilon: float) -> Array:
    """Return ``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` in one multiply-add per element."""
    factor, shift = _factor_and_shift(mean, variance, gamma, beta, epsilon)
    return x * factor + shift


def _factor_and_shift(mean: Any, variance: Any, gamma: Any, beta: Any, epsilon: float) -> tuple[Array, Array]:
    """Return the scale and offset that normalization amounts to."""
    factor = lax.rsqrt(variance + epsilon)
    if gamma is not None:
        factor = factor * gamma
    shift = -mean * factor
    return factor, shift if beta is None else shift + beta


@op
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Array:
    """Return ``(x - mean) / sqrt(variance + epsilon) * scale + offset``.

    Args:
        x: The array.
        mean, variance: Vectors along `axis`.
        axis: Axis of the channels.
        offset, scale: Vectors along `axis`, or None.
        epsilon: Added to the variance.

    Follows https://arxiv.org/abs/1502.03167

    >>> print(batch_normalization([[3.0]], [1.0], [4.0], -1, epsilon=0.0))
    [[1.]]
    """
    x = jnp.asarray(x)
    return _normalized(x, *plain((mean, variance, scale, offset)), axes=axes_of(axis, x.ndim), epsilon=epsilon)


@as_one_program("axes")
def _normalized(
    x: Array, mean: Any, variance: Any, scale: Any, offset: Any, axes: tuple[int, ...], epsilon: float
) -> Array:
    given: list[Any] = [v if v is None else jnp.asarray(v) for v in (mean, variance, scale, offset)]
    dtype = jnp.result_type(x, *(v for v in given if v is not None))
    x, given = x.astype(dtype), [v if v is None else v.astype(dtype) for v in given]
    if all(v is None or v.ndim == 1 for v in given):  # broadcast only after computing with the vectors
        mean, variance, scale, offset = given
        factor, shift = _factor_and_shift(mean, variance, scale, offset, epsilon)
        if axes == (x.ndim - 1,):
            return scaled(x, factor, shift)
        return x * along(x, factor, axes) + along(x, shift, axes)
    mean, variance, scale, offset = (v if v is None else along(x, v, axes) for v in given)
    return _shifted(x, mean, variance, scale, offset, epsilon)


@op
def layer_normalization(
    x: Any,
    gamma: Any = None,
    beta: Any = None,
    axis: Axes = -1,
    epsilon: float | None = None,
    rms_scaling: bool = False,
) -> Array:
    """Return `x` normalized to mean 0 and variance 1 over `axis`, times `gamma`, plus `beta`.

    Args:
        x: The array.
        gamma, beta: Arrays with the sizes of `axis`, or None.
        axis: An axis or several.
        epsilon: Added to the variance, by default ``cornu.config.epsilon()``.
        rms_scaling: Whether to leave out the mean and `beta`.

    Follows https://arxiv.org/abs/1607.06450

    >>> print(layer_normalization([1.0, 3.0]).round(2))
    [-1.  1.]
    """
    x = jnp.asarray(x)
    epsilon = settings.epsilon() if epsilon is None else epsilon
    return _layer_normalized(x, *plain((gamma, beta)), axes_of(axis, x.ndim), epsilon, rms_scaling)


@as_one_program("axes", "rms_scaling")
def _layer_normalized(
    x: Array, gamma: Any, beta: Any, axes: tuple[int, ...], epsilon: float, rms_scaling: bool
) -> Array:
    dtype, x = x.dtype, at_least_float32(x)
    gamma, beta = (vector if vector is None else along(x, vector, axes) for vector in (gamma, beta))
    mean, variance = jnp.mean(x, axes, keepdims=True), jnp.var(x, axes, keepdims=True)
    if rms_scaling:
        mean, beta = jnp.zeros_like(mean), None
    return _shifted(x, mean, variance, gamma, beta, epsilon).astype(dtype)


@op
def rms_normalization(x: Any, scale: Any = None, axis: Axes = -1, epsilon: float | None = None) -> Array:
    """Return `x` divided by its root mean square over `axis`, times `scale`.

    Args:
        x: The array.
        scale: Array with the sizes of `axis`, or None.
        axis: An axis or several.
        epsilon: Added to the mean square, by default ``cornu.config.epsilon()``.

    Follows https://arxiv.org/abs/1910.07467

    >>> print(rms_normalization([3.0, 3.0]).round(2))
    [1. 1.]
    """
    dtype, x = jnp.asarray(x).dtype, at_least_float32(x)
    axes = axes_of(axis, x.ndim)
    mean_square = jnp.mean(jnp.square(x), axes, keepdims=True)
    result = x * lax.rsqrt(mean_square + (settings.epsilon() if epsilon is None else epsilon))
    return (result if scale is None else result * along(x, scale, axes)).astype(dtype)


@op
def group_normalization(
    x: Any, groups: int, gamma: Any = None, beta: Any = None, axis: int = -1, epsilon: float = 1e-3
) -> Array:
    """Return `x` normalized to mean 0 and variance 1 over each group of channels of each sample.

    Args:
        x: ``(batch, ..., channels)``.
        groups: Number of groups that the channels are divided into.
        gamma, beta: Vectors ``(channels,)``, or None.
        axis: Axis of the channels.
        epsilon: Added to the variance.

    Follows https://arxiv.org/abs/1803.08494
    """
    dtype, x = jnp.asarray(x).dtype, at_least_float32(x)
    (axis,) = axes_of(axis, x.ndim)
    blocks = (groups, x.shape[axis] // groups)
    grouped = jnp.reshape(
        x, (*x.shape[:axis], *blocks, *x.shape[axis + 1 :])
    )  # (batch, ..., groups, channels / groups)
    others = tuple(other for other in range(1, grouped.ndim) if other != axis)
    mean, variance = jnp.mean(grouped, others, keepdims=True), jnp.var(grouped, others, keepdims=True)
    gamma, beta = (
        vector if vector is None else along(grouped, jnp.reshape(jnp.asarray(vector), blocks), (axis, axis + 1))
        for vector in (gamma, beta)
    )
    return jnp.reshape(_shifted(grouped, mean, variance, gamma, beta, epsilon), x.shape).astype(dtype)


@op
def normalize(x: Any, axis: Axes | None = -1, order: int = 2, epsilon: float | None = None) -> Array:
    """Return `x` divided by its norm; zeros stay zeros.

    Args:
        x: The array.
        axis: An axis or several; None takes all.
        order: Order of the norm, a positive integer.
        epsilon: Lower bound of the norm, by default ``cornu.config.epsilon()``.

    Raises:
        ValueError: `order` is not a positive integer.

    >>> print(normalize([3.0, 4.0]))
    [0.6 0.8]
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"The `order` of a norm must be an integer of at least 1; got {order!r}.")
    x = jnp.atleast_1d(jnp.asarray(x))
    x = x if jnp.issubdtype(x.dtype, jnp.inexact) else at_least_float32(x)
    epsilon = settings.epsilon() if epsilon is None else epsilon
    axes = None if axis is None else axes_of(axis, x.ndim)
    if order == 2:
        # The bound is under the root, which also keeps the gradient at zero finite.
        total = jnp.sum(jnp.square(at_least_float32(x)), axes, keepdims=True)
        return (x * lax.rsqrt(jnp.maximum(total, epsilon**2))).astype(x.dtype)
    norm = jnp.sum(jnp.abs(x) ** order, axes, keepdims=True) ** (1 / order)
    return x / jnp.maximum(norm, epsilon)
