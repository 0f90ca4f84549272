"""The part of `keras.ops` that networks are made of: activations, convolutions, poolings, normalizations.

Follows https://keras.io/api/ops/nn/
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import settings
from cornu.core.dtype_policies import standardize_dtype
from cornu.core.public import offer
from cornu.kernels import adaptive_pooling, convolution, pooling
from cornu.ops.lifting import arrays_first, unary

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
    """Return ``x`` times the normal distribution function of ``x``, by the tanh formula where `approximate`."""
    return jax.nn.gelu(x, approximate)


@arrays_first(1)
def leaky_relu(x: Any, negative_slope: float = 0.2) -> jax.Array:
    """Return x, and ``negative_slope * x`` below zero."""
    return jax.nn.leaky_relu(x, negative_slope)


@arrays_first(1)
def hard_shrink(x: Any, threshold: float = 0.5) -> jax.Array:
    """Return `x` where its size is above `threshold`, else 0."""
    return jnp.where(jnp.abs(x) > threshold, x, 0.0)


@arrays_first(1)
def soft_shrink(x: Any, threshold: float = 0.5) -> jax.Array:
    """Return `x` moved towards 0 by `threshold`, and 0 where its size is below it."""
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, 0.0))


@arrays_first(1)
def tanh_shrink(x: Any) -> jax.Array:
    """Return ``x - tanh(x)``."""
    return x - jnp.tanh(x)


@arrays_first(1)
def threshold(x: Any, threshold: float, default_value: float) -> jax.Array:
    """Return `x` where it is above `threshold`, else `default_value`."""
    return jnp.where(x > threshold, x, default_value)


@arrays_first(1)
def sparsemax(x: Any, axis: int = -1) -> jax.Array:
    """Return probabilities as `softmax` does, but with zeros for small values (https://arxiv.org/abs/1602.02068).

    It is the nearest point to `x` whose entries over `axis` are not negative and sum to 1. (Keras 3.15's function of
    this name gives entries that need not sum to 1; this one follows the paper.)
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
    """Convolve; the groups follow from the channels of inputs and kernel."""
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
    """Convolve each channel with its own kernels."""
    data_format = settings.standardize_data_format(data_format)
    return convolution.depthwise_convolution(inputs, kernel, strides, padding.lower(), dilation_rate, data_format)


@arrays_first(3)
def separable_conv(
    inputs: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> jax.Array:  # fmt: skip
    """Convolve each channel with its own kernels, then mix the channels."""
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
    """Spread each input over a window: the gradient of `conv`."""
    data_format = settings.standardize_data_format(data_format)
    return convolution.transposed_convolution(
        inputs, kernel, strides, padding.lower(), output_padding, dilation_rate, data_format
    )


@arrays_first(1)
def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> jax.Array:
    """Return the largest value of each window."""
    return pooling.max_pool(inputs, pool_size, strides, padding.lower(), settings.standardize_data_format(data_format))


@arrays_first(1)
def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> jax.Array:
    """Return the mean of each window."""
    return pooling.average_pool(
        inputs, pool_size, strides, padding.lower(), settings.standardize_data_format(data_format)
    )


@arrays_first(1)
def adaptive_max_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> jax.Array:
    """Return the largest value of each of `output_size` parts of space."""
    return adaptive_pooling.adaptive_max_pool(inputs, output_size, settings.standardize_data_format(data_format))


@arrays_first(1)
def adaptive_average_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> jax.Array:
    """Return the mean of each of `output_size` parts of space."""
    return adaptive_pooling.adaptive_average_pool(inputs, output_size, settings.standardize_data_format(data_format))


# ---- classes


@arrays_first(1)
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> jax.Array:
    """Return a one at each class number, zeros elsewhere; a number outside of the classes gives zeros only."""
    return jax.nn.one_hot(x, num_classes, axis=axis, dtype=standardize_dtype(dtype))


@arrays_first(1)
def multi_hot(
    inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False, **kwargs: Any
) -> jax.Array:
    """Return ones at all class numbers of a row, zeros elsewhere."""
    classes = num_classes if num_classes is not None else kwargs["num_tokens"]
    inputs = jnp.asarray(inputs)
    over = 1 if inputs.ndim > 1 else 0
    return jnp.max(jax.nn.one_hot(inputs, classes, axis=axis, dtype=standardize_dtype(dtype)), axis=over)


# ---- attention


@arrays_first(5)
def dot_product_attention(
    query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, scale: float | None = None,
    is_causal: bool = False, flash_attention: bool | None = None, attn_logits_soft_cap: float | None = None,
) -> jax.Array:  # fmt: skip
    """Return ``softmax(query @ key) @ value``, for inputs of shape (batch, length, heads, size)."""
    if attn_logits_soft_cap is None:
        return jax.nn.dot_product_attention(query, key, value, bias, mask, scale=scale, is_causal=is_causal)
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
    """Return the ratio of the largest possible signal to the difference of two arrays, in decibels."""
    return 20 * jnp.log10(max_val) - 10 * jnp.log10(jnp.mean(jnp.square(x1 - x2)))


offer(globals(), _IMPORTED)
