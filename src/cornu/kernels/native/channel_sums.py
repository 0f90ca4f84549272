"""Statistics of each channel over all positions, as calls of the native library, which reads an array once."""

from __future__ import annotations

from jax import Array

from cornu.kernels.native import calls

LEAST_NUMBERS = 1 << 16
"""Numbers in an array below which XLA's sums are as fast."""


def suits(*arrays: Array) -> bool:
    """Return whether the functions below are faster than XLA's sums, and available, for `arrays` of one shape."""
    first = arrays[0]
    return first.ndim > 1 and first.size >= LEAST_NUMBERS and calls.takes(*arrays)


def moments(x: Array) -> tuple[Array, Array]:
    """Return mean and variance over all axes but the last, ``(channels,)`` each."""
    return calls.called("channel_moments", [x.shape[-1:]] * 2, x)


def sums(x: Array) -> Array:
    """Return the sums over all axes but the last, ``(channels,)``."""
    return calls.called("channel_sums", x.shape[-1:], x)


def sums_and_products(a: Array, b: Array) -> tuple[Array, Array]:
    """Return the sums of `a` and of ``a * b`` over all axes but the last, ``(channels,)`` each."""
    return calls.called("channel_products", [a.shape[-1:]] * 2, a, b)
