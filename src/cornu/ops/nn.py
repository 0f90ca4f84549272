"""The part of `keras.ops` that networks consist of: activations, convolutions, pooling, normalizations.

Follows https://keras.io/api/ops/nn/
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import settings
from cornu.core.dtype_policies import array_dtype
from cornu.core.public import offer
from cornu.kernels import adaptive_pooling, convolution, pooling
from cornu.ops.lifting import arrays_first, indices, unary

_IMPORTED = frozenset(globals())

# What other files define and this namespace offers as well.
from cornu.ops.crossentropy import *  # noqa: E402, F403
from cornu.ops.image import depth_to_space, fold, space_to_depth, unfold  # noqa: E402, F401
from cornu.ops.normalization import (  # noqa: E402, F401
    batch_normalization,
    layer_normalization,
    moments,
    normalize,
    rms_normalization,
)

celu = unary(jax.nn.celu)
elu = unary(jax.nn.elu)
glu = unary(jax.nn.glu)
hard_sigmoid = unary(jax.nn.hard_sigmoid)  # relu6(x + 3) / 6
hard_silu = hard_swish = unary(jax.nn.hard_silu)
hard_tanh = unary(jax.nn.hard_tanh)
log_sigmoid = unary(jax.nn.log_sigmoid)
log_softmax = unary(jax.nn.log_softmax)
relu = unary(jax.nn.relu)
relu6 = unary(jax.nn.relu6)
selu = unary(jax.nn.selu)
sigmoid = unary(jax.nn.sigmoid)
silu = swish = unary(jax.nn.silu)
softmax = unary(jax.nn.softmax)
softplus = unary(jax.nn.softplus)
softsign = unary(jax.nn.soft_sign)
sparse_plus = unary(jax.nn.sparse_plus)
sparse_sigmoid = unary(jax.nn.sparse_sigmoid)
squareplus = unary(jax.nn.squareplus)


@arrays_first(1)
def gelu(x: Any, approximate: bool = True) -> jax.Array:
    """Return `x` times the Gaussian distribution function of `x`, with the tanh formula if `approximate`."""
    return jax.nn.gelu(x, approximate)


@arrays_first(1)
def leaky_relu(x: Any, negative_slope: float = 0.2) -> jax.Array:
    """Return `x` if it is positive, else ``negative_slope * x``."""
    return jax.nn.leaky_relu(x, negative_slope)


@arrays_first(1)
def hard_shrink(x: Any, threshold: float = 0.5) -> jax.Array:
    """Return `x` if its absolute value is above `threshold`, else 0.

    Args:
        x: Array.
        threshold: Largest absolute value that becomes 0.

    >>> hard_shrink([-1.0, 0.3, 2.0]).tolist()
    [-1.0, 0.0, 2.0]
    """
    return jnp.where(jnp.abs(x) > threshold, x, 0.0)


@arrays_first(1)
def soft_shrink(x: Any, threshold: float = 0.5) -> jax.Array:
    """Return `x` moved towards 0 by `threshold`, and 0 within it.

    Args:
        x: Array.
        threshold: How far each entry moves.

    >>> soft_shrink([-1.5, 0.3, 2.0]).tolist()
    [-1.0, 0.0, 1.5]
    """
    x = jnp.asarray(x)  # numpy would widen bfloat16
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, 0.0))


@arrays_first(1)
def tanh_shrink(x: Any) -> jax.Array:
    """Return ``x - tanh(x)``.

    >>> tanh_shrink([0.0]).tolist()
    [0.0]
    """
    return x - jnp.tanh(x)


@arrays_first(1)
def threshold(x: Any, threshold: float, default_value: float) -> jax.Array:
    """Return `x` where it is above `threshold`, else `default_value`.

    Args:
        x: Array.
        threshold: Largest entry that is replaced.
        default_value: What replaces it.

    >>> threshold([0.5, 2.0], 1.0, -1.0).tolist()
    [-1.0, 2.0]
    """
    return jnp.where(x > threshold, x, default_value)


@arrays_first(1)
def sparsemax(x: Any, axis: int = -1) -> jax.Array:
    """Return probabilities as `softmax` does, but exactly zero for small values.

    The result is the nearest point to `x` whose entries along `axis` are non-negative and sum to 1. Keras 3.15's
    function of this name returns entries that need not sum to 1; this one follows the paper,
    https://arxiv.org/abs/1602.02068

    Args:
        x: Array.
        axis: The axis along which the probabilities sum to 1.

    >>> sparsemax([2.0, 0.0]).tolist()
    [1.0, 0.0]
    """
    x = jnp.moveaxis(x, axis, -1)
    falling = -jnp.sort(-x, axis=-1)
    sums = jnp.cumsum(falling, axis=-1)
    ranks = jnp.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    count = jnp.sum(1 + ranks * falling > sums, axis=-1, keepdims=True)
    shift = (jnp.take_along_axis(sums, count - 1, axis=-1) - 1) / count.astype(x.dtype)
    return jnp.moveaxis(jnp.maximum(x - shift, 0), -1, axis)


# ---- convolutions and poolings


@arrays_first(2)
def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> jax.Array:
    """Convolve inputs with a kernel.

    Args:
        inputs: ``(batch, *space, channels)``, with one to three spatial dimensions; channels second for
            ``"channels_first"``.
        kernel: ``(*window, channels / groups, filters)``; the number of groups follows from the channels.
        strides, dilation_rate: An integer or one per spatial dimension.
        padding: ``"valid"``, ``"same"``, or ``"causal"`` in one dimension.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Returns:
        An array ``(batch, *new_space, filters)``.

    Raises:
        ValueError: The ranks or channels do not fit, or `padding` is unknown.

    >>> conv(jnp.ones((1, 8, 8, 3)), jnp.ones((3, 3, 3, 16))).shape
    (1, 6, 6, 16)
    """
    data_format = settings.standardize_data_format(data_format)
    channels = inputs.shape[-1 if data_format == "channels_last" else 1]
    groups = channels // kernel.shape[-2]
    return convolution.convolution(inputs, kernel, strides, padding.lower(), dilation_rate, groups, data_format)


@arrays_first(2)
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> jax.Array:
    """Convolve each channel with its own kernels.

    Args:
        inputs: ``(batch, *space, channels)``.
        kernel: ``(*window, channels, multiplier)``.
        strides, padding, data_format, dilation_rate: As in `conv`.

    Returns:
        An array ``(batch, *new_space, channels * multiplier)``.
    """
    data_format = settings.standardize_data_format(data_format)
    return convolution.depthwise_convolution(inputs, kernel, strides, padding.lower(), dilation_rate, data_format)


@arrays_first(3)
def separable_conv(
    inputs: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> jax.Array:  # fmt: skip
    """Convolve each channel with its own kernels, then mix the channels.

    Args:
        inputs: ``(batch, *space, channels)``.
        depthwise_kernel: ``(*window, channels, multiplier)``.
        pointwise_kernel: ``(1, ..., channels * multiplier, filters)``.
        strides, padding, data_format, dilation_rate: As in `conv`.

    Returns:
        An array ``(batch, *new_space, filters)``.
    """
    data_format = settings.standardize_data_format(data_format)
    parts = convolution.depthwise_convolution(
        inputs, depthwise_kernel, strides, padding.lower(), dilation_rate, data_format
    )
    return convolution.convolution(parts, pointwise_kernel, data_format=data_format)


@arrays_first(2)
def conv_transpose(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
    data_format: str | None = None, dilation_rate: Any = 1,
) -> jax.Array:  # fmt: skip
    """Transposed convolution: the gradient of `conv` with respect to its inputs.

    Args:
        inputs: ``(batch, *space, channels)``.
        kernel: ``(*window, filters, channels)``.
        output_padding: Size added at the end of each dimension, or None for Keras's default.
        strides, padding, data_format, dilation_rate: As in `conv`.

    Returns:
        An array ``(batch, *new_space, filters)``.
    """
    data_format = settings.standardize_data_format(data_format)
    return convolution.transposed_convolution(
        inputs, kernel, strides, padding.lower(), output_padding, dilation_rate, data_format
    )


@arrays_first(1)
def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> jax.Array:
    """Return the maximum of each window: ``(batch, *space, channels)`` to ``(batch, *new_space, channels)``.

    >>> max_pool(jnp.ones((1, 8, 8, 3)), 2).shape
    (1, 4, 4, 3)
    """
    return pooling.max_pool(inputs, pool_size, strides, padding.lower(), settings.standardize_data_format(data_format))


@arrays_first(1)
def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> jax.Array:
    """Return the mean of each window: ``(batch, *space, channels)`` to ``(batch, *new_space, channels)``."""
    return pooling.average_pool(
        inputs, pool_size, strides, padding.lower(), settings.standardize_data_format(data_format)
    )


@arrays_first(1)
def adaptive_max_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> jax.Array:
    """Return the maximum of each of `output_size` windows that cover the space."""
    return adaptive_pooling.adaptive_max_pool(inputs, output_size, settings.standardize_data_format(data_format))


@arrays_first(1)
def adaptive_average_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> jax.Array:
    """Return the mean of each of `output_size` windows that cover the space."""
    return adaptive_pooling.adaptive_average_pool(inputs, output_size, settings.standardize_data_format(data_format))


# ---- classes


@arrays_first(1)
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> jax.Array:
    """Return 1 at each integer class and 0 elsewhere, with the classes along a new `axis`.

    A number that is not a class gives zeros only.

    >>> one_hot([0, 2], 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    return jax.nn.one_hot(indices(x), num_classes, axis=axis, dtype=array_dtype(dtype))


@arrays_first(1)
def multi_hot(
    inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False, **kwargs: Any
) -> jax.Array:
    """Return 1 at all integer classes of a row and 0 elsewhere: ``(batch, n)`` to ``(batch, classes)``.

    >>> multi_hot([[0, 2]], 3).tolist()
    [[1.0, 0.0, 1.0]]
    """
    classes = num_classes if num_classes is not None else kwargs["num_tokens"]
    inputs = indices(inputs)
    over = 1 if inputs.ndim > 1 else 0
    return jnp.max(jax.nn.one_hot(inputs, classes, axis=axis, dtype=array_dtype(dtype)), axis=over)


# ---- attention


@arrays_first(5)
def dot_product_attention(
    query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, scale: float | None = None,
    is_causal: bool = False, flash_attention: bool | None = None, attn_logits_soft_cap: float | None = None,
) -> jax.Array:  # fmt: skip
    """Return ``softmax(query @ key.T * scale) @ value`` per head.

    Args:
        query: ``(batch, query_time, heads, size)``.
        key, value: ``(batch, time, heads, size)``.
        bias: Added to the scores ``(batch, heads, query_time, time)``.
        mask: Booleans that broadcast to the scores; False excludes a key.
        scale: Factor of the scores, by default ``1 / sqrt(size)``.
        is_causal: Whether a query sees only keys up to its own time step.
        flash_attention: Accepted; XLA chooses the implementation.
        attn_logits_soft_cap: Bound of the scores, applied with tanh.

    Returns:
        An array ``(batch, query_time, heads, size)``.
    """
    if attn_logits_soft_cap is None:
        return jax.nn.dot_product_attention(query, key, value, bias, mask, scale=scale, is_causal=is_causal)
    # (batch, heads, query_time, time)
    logits = jnp.einsum("bqhd,bkhd->bhqk", query, key) * (scale or 1 / np.sqrt(query.shape[-1]))
    logits = attn_logits_soft_cap * jnp.tanh(logits / attn_logits_soft_cap)
    logits = logits if bias is None else logits + bias
    if is_causal:
        causal = np.tril(np.ones(logits.shape[-2:], bool))
        mask = causal if mask is None else jnp.logical_and(mask, causal)
    logits = logits if mask is None else jnp.where(mask, logits, jnp.finfo(logits.dtype).min)
    return jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(logits), value)


@arrays_first(2)
def psnr(x1: Any, x2: Any, max_val: float) -> jax.Array:
    """Return the peak signal-to-noise ratio of two arrays, in decibels."""
    return 20 * jnp.log10(max_val) - 10 * jnp.log10(jnp.mean(jnp.square(x1 - x2)))


offer(globals(), _IMPORTED)
