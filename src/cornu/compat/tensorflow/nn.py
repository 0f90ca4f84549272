"""The module ``tf.nn``: convolutions, pooling, normalization, losses from logits.

Data have their channels last, or second with a `data_format` that begins with NC.
Follows https://www.tensorflow.org/api_docs/python/tf/nn
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from cornu import activations, ops
from cornu.compat.backend.calls import axes as as_axes
from cornu.compat.backend.calls import tensor_function
from cornu.compat.tensorflow import random
from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.dtypes import array_type
from cornu.core import randomness, registry
from cornu.core.variable import plain
from cornu.kernels import random_bits

# ---- windows


def _format(data_format: Any) -> str:
    return "channels_first" if str(data_format or "").upper().startswith("NC") else "channels_last"


def _space(value: Any, rank: int, data_format: Any) -> tuple[int, ...]:
    """Return one number for each axis of space: of one, of as many, or of those with batch and channels."""
    if value is None:
        return (1,) * rank
    several = [int(one) for one in np.ravel(on_host(value))]
    if len(several) == rank + 2:
        several = several[2:] if _format(data_format) == "channels_first" else several[1:-1]
    return tuple(several * rank if len(several) == 1 else several)


def _padded(x: jax.Array, padding: Any, data_format: Any, fill: float = 0.0) -> tuple[jax.Array, str]:
    """Return the data with explicit padding around them, and the word for the rest."""
    if isinstance(padding, str):
        return x, padding.lower()
    pairs = [tuple(int(one) for one in pair) for pair in padding]
    if len(pairs) != x.ndim:
        around = [(0, 0)] * 2 if _format(data_format) == "channels_first" else [(0, 0)]
        pairs = [*around, *pairs, *([(0, 0)] * (x.ndim - len(around) - len(pairs)))]
    return jnp.pad(x, pairs, constant_values=fill), "valid"


@tensor_function
def convolution(
    input: Any, filters: Any, strides: Any = None, padding: Any = "VALID", data_format: Any = None,
    dilations: Any = None, name: Any = None,
) -> jax.Array:  # fmt: skip
    """Convolve ``(batch, *space, channels)`` with ``(*window, channels / groups, filters)``.

    Args:
        input: One to three axes of space.
        filters: The kernels.
        strides: A number, one for each axis of space, or one for each axis.
        padding: ``"VALID"``, ``"SAME"``, or zeros before and after for each axis.
        data_format: ``"NHWC"`` or ``"NCHW"``, or their likes.
        dilations: As `strides`.
        name: No effect.
    """
    x, filters = jnp.asarray(input), jnp.asarray(filters)
    rank = filters.ndim - 2
    x, word = _padded(x, padding, data_format)
    steps, spread = _space(strides, rank, data_format), _space(dilations, rank, data_format)
    batch, x = _batch_axes(x, rank)
    found = ops.conv(x, filters, steps, word, _format(data_format), spread)
    return found.reshape(*batch, *found.shape[1:])


def _batch_axes(x: jax.Array, rank: int) -> tuple[tuple[int, ...], jax.Array]:
    """Return the sizes of the batch axes, and the data with one of them."""
    batch = x.shape[: x.ndim - rank - 1]
    return batch, x if len(batch) == 1 else x.reshape(-1, *x.shape[len(batch) :])


def conv2d(
    input: Any, filters: Any = None, strides: Any = None, padding: Any = "VALID", data_format: Any = None,
    dilations: Any = None, name: Any = None, filter: Any = None, use_cudnn_on_gpu: Any = None,
) -> Any:  # fmt: skip
    """Convolve pictures; see `convolution`."""
    return convolution(input, filter if filters is None else filters, strides, padding, data_format, dilations)


def conv1d(
    input: Any = None, filters: Any = None, stride: Any = 1, padding: Any = "VALID", data_format: Any = "NWC",
    dilations: Any = None, name: Any = None, value: Any = None,
) -> Any:  # fmt: skip
    """Convolve sequences; see `convolution`."""
    return convolution(value if input is None else input, filters, stride, padding, data_format, dilations)


def conv3d(
    input: Any, filters: Any, strides: Any, padding: Any, data_format: Any = "NDHWC", dilations: Any = None,
    name: Any = None,
) -> Any:  # fmt: skip
    """Convolve volumes; see `convolution`."""
    return convolution(input, filters, strides, padding, data_format, dilations)


@tensor_function
def atrous_conv2d(value: Any, filters: Any, rate: int, padding: Any, name: Any = None) -> jax.Array:
    """Convolve pictures with dilated kernels."""
    return convolution(value, filters, 1, padding, None, rate)


@tensor_function
def conv_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: Any = "SAME", data_format: Any = None,
    dilations: Any = None, name: Any = None,
) -> jax.Array:  # fmt: skip
    """Return the gradient of `convolution` with respect to its input, which has `output_shape`.

    `filters` are ``(*window, channels of the output, channels of the input)``.
    """
    x, filters = jnp.asarray(input), jnp.asarray(filters)
    like = jax.ShapeDtypeStruct(tuple(int(size) for size in np.ravel(output_shape)), x.dtype)

    def forward(y: jax.Array) -> jax.Array:
        return convolution(y, filters, strides, padding, data_format, dilations)

    found = jax.eval_shape(forward, like).shape
    if found != x.shape:
        raise ValueError(
            f"conv_transpose: output_shape {like.shape} means an input of shape {found}; got {tuple(x.shape)}."
        )
    _, pull_back = jax.vjp(forward, jnp.zeros(like.shape, like.dtype))
    return pull_back(x)[0]


conv1d_transpose = conv2d_transpose = conv3d_transpose = conv_transpose


@tensor_function
def depthwise_conv2d(
    input: Any, filter: Any, strides: Any, padding: Any, data_format: Any = None, dilations: Any = None,
    name: Any = None,
) -> jax.Array:  # fmt: skip
    """Convolve each channel with its own kernels: ``(height, width, channels, multiplier)``."""
    x, word = _padded(jnp.asarray(input), padding, data_format)
    steps, spread = _space(strides, 2, data_format), _space(dilations, 2, data_format)
    return ops.depthwise_conv(x, jnp.asarray(filter), steps, word, _format(data_format), spread)


@tensor_function
def separable_conv2d(
    input: Any, depthwise_filter: Any, pointwise_filter: Any, strides: Any, padding: Any, data_format: Any = None,
    dilations: Any = None, name: Any = None,
) -> jax.Array:  # fmt: skip
    """Convolve each channel with its own kernels, then mix the channels."""
    found = depthwise_conv2d(input, depthwise_filter, strides, padding, data_format, dilations)
    return convolution(found, pointwise_filter, 1, "VALID", data_format)


@tensor_function
def pool(
    input: Any, window_shape: Any, pooling_type: str, strides: Any = None, padding: Any = "VALID",
    data_format: Any = None, dilations: Any = None, name: Any = None,
) -> jax.Array:  # fmt: skip
    """Return the maximum (``"MAX"``) or the mean (``"AVG"``) of each window."""
    x = jnp.asarray(input)
    rank, is_max = x.ndim - 2, pooling_type.upper() == "MAX"
    x, word = _padded(x, padding, data_format, -np.inf if is_max else 0.0)
    function = ops.max_pool if is_max else ops.average_pool
    sizes = [_space(one, rank, data_format) for one in (window_shape, strides)]
    return function(x, *sizes, word, _format(data_format))


def max_pool(
    input: Any = None, ksize: Any = None, strides: Any = None, padding: Any = "VALID", data_format: Any = None,
    name: Any = None, value: Any = None,
) -> Any:  # fmt: skip
    """Return the maximum of each window."""
    return pool(value if input is None else input, ksize, "MAX", strides, padding, data_format)


def avg_pool(
    input: Any = None, ksize: Any = None, strides: Any = None, padding: Any = "VALID", data_format: Any = None,
    name: Any = None, value: Any = None,
) -> Any:  # fmt: skip
    """Return the mean of each window."""
    return pool(value if input is None else input, ksize, "AVG", strides, padding, data_format)


max_pool1d = max_pool2d = max_pool3d = max_pool
avg_pool1d = avg_pool2d = avg_pool3d = avg_pool


class MaxPoolWithArgmax(NamedTuple):
    """The maximum of each window, and where it was in the flat picture."""

    output: jax.Array
    argmax: jax.Array


def windows_of(x: jax.Array, ksize: Any, strides: Any, padding: str, rates: Any = 1, fill: float = 0.0) -> jax.Array:
    """Return the windows of pictures: ``(batch, new height, new width, height * width of a window, channels)``."""
    size, steps, spread = (_space(one, 2, None) for one in (ksize, strides, rates))
    reach = [(one - 1) * rate + 1 for one, rate in zip(size, spread, strict=True)]
    space = x.shape[1:3]
    if padding.upper() == "SAME":
        counts = [-(-one // step) for one, step in zip(space, steps, strict=True)]
        totals = [
            max((count - 1) * step + one - whole, 0)
            for count, step, one, whole in zip(counts, steps, reach, space, strict=True)
        ]
        pairs = [(0, 0), *((total // 2, total - total // 2) for total in totals), (0, 0)]
        x = jnp.pad(x, pairs, constant_values=fill)
    counts = [(whole - one) // step + 1 for whole, one, step in zip(x.shape[1:3], reach, steps, strict=True)]
    rows, columns = (
        np.arange(count)[:, None] * step + np.arange(one) * rate
        for count, step, one, rate in zip(counts, steps, size, spread, strict=True)
    )
    found = x[:, rows[:, None, :, None], columns[None, :, None, :], :]  # (batch, rows, columns, *window, channels)
    return found.reshape(*found.shape[:3], -1, x.shape[-1])


@tensor_function
def max_pool_with_argmax(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: Any = "NHWC", output_dtype: Any = "int64",
    include_batch_in_index: bool = False, name: Any = None,
) -> MaxPoolWithArgmax:  # fmt: skip
    """Return the maximum of each window, and its place ``(row * width + column) * channels + channel``."""
    x = jnp.asarray(input)
    places = jnp.arange(math.prod(x.shape[1:])).reshape(1, *x.shape[1:])
    if include_batch_in_index:
        places = jnp.arange(x.size).reshape(x.shape)
    values = windows_of(x, ksize, strides, padding, fill=-np.inf)
    places = jnp.broadcast_to(windows_of(places, ksize, strides, padding, fill=-1), values.shape)
    best = jnp.argmax(values, 3, keepdims=True)
    found = [jnp.take_along_axis(one, best, 3)[:, :, :, 0] for one in (values, places)]
    return MaxPoolWithArgmax(found[0], found[1].astype(array_type(output_dtype)))


@tensor_function
def dilation2d(
    input: Any, filters: Any, strides: Any, padding: str, data_format: Any = "NHWC", dilations: Any = 1,
    name: Any = None,
) -> jax.Array:  # fmt: skip
    """Return the grey dilation of pictures: the maximum of each window plus the filter."""
    filters = jnp.asarray(filters)
    x = windows_of(jnp.asarray(input), filters.shape[:2], strides, padding, dilations, -np.inf)
    return jnp.max(x + filters.reshape(-1, filters.shape[-1]), 3)


def erosion2d(
    value: Any, filters: Any, strides: Any, padding: str, data_format: Any = "NHWC", dilations: Any = 1,
    name: Any = None,
) -> Any:  # fmt: skip
    """Return the grey erosion of pictures: the minimum of each window minus the filter."""
    return -dilation2d(-plain(value), jnp.flip(jnp.asarray(plain(filters)), (0, 1)), strides, padding, None, dilations)


@tensor_function
def depth_to_space(input: Any, block_size: int, data_format: Any = "NHWC", name: Any = None) -> jax.Array:
    """Move channels into blocks of pixels."""
    return ops.depth_to_space(jnp.asarray(input), int(block_size), _format(data_format))


@tensor_function
def space_to_depth(input: Any, block_size: int, data_format: Any = "NHWC", name: Any = None) -> jax.Array:
    """Move blocks of pixels into channels."""
    return ops.space_to_depth(jnp.asarray(input), int(block_size), _format(data_format))


@tensor_function
def space_to_batch(input: Any, block_shape: Any, paddings: Any, name: Any = None) -> jax.Array:
    """Move blocks of space into the batch axis."""
    x, block = jnp.asarray(input), [int(one) for one in np.ravel(on_host(block_shape))]
    pairs = [tuple(int(one) for one in pair) for pair in on_host(paddings)]
    x = jnp.pad(x, [(0, 0), *pairs, *[(0, 0)] * (x.ndim - 1 - len(pairs))])
    rank, (batch, *sizes) = len(block), x.shape
    apart = [part for size, one in zip(sizes, block, strict=False) for part in (size // one, one)]
    order = [*range(2, 2 * rank + 1, 2), 0, *range(1, 2 * rank, 2), *range(2 * rank + 1, x.ndim + rank)]
    x = x.reshape(batch, *apart, *sizes[rank:]).transpose(order)
    return x.reshape(-1, *(size // one for size, one in zip(sizes, block, strict=False)), *sizes[rank:])


@tensor_function
def batch_to_space(input: Any, block_shape: Any, crops: Any, name: Any = None) -> jax.Array:
    """Move parts of the batch axis into blocks of space."""
    x, block = jnp.asarray(input), [int(one) for one in np.ravel(on_host(block_shape))]
    rank, batch = len(block), x.shape[0] // math.prod(block)
    order = [rank, *(axis for i in range(rank) for axis in (rank + 1 + i, i)), *range(2 * rank + 1, x.ndim + rank)]
    y = x.reshape(*block, batch, *x.shape[1:]).transpose(order)
    sizes = [size * one for size, one in zip(x.shape[1:], block, strict=False)]
    y = y.reshape(batch, *sizes, *x.shape[rank + 1 :])
    pairs = on_host(crops)
    return y[(slice(None), *(slice(int(a), size - int(b)) for (a, b), size in zip(pairs, sizes, strict=True)))]


# ---- normalization


@tensor_function
def weighted_moments(x: Any, axes: Any, frequency_weights: Any, keepdims: bool = False, name: Any = None) -> tuple:
    """Return the weighted mean and variance along axes."""
    x, axes = jnp.asarray(x), as_axes(axes)
    weights = jnp.broadcast_to(jnp.asarray(frequency_weights, x.dtype), x.shape)
    total = jnp.sum(weights, axes, keepdims=True)
    mean = jnp.sum(x * weights, axes, keepdims=True) / total
    variance = jnp.sum(jnp.square(x - mean) * weights, axes, keepdims=True) / total
    return tuple(one if keepdims else jnp.squeeze(one, axes) for one in (mean, variance))


@tensor_function
def normalize_moments(counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: Any = None) -> tuple:
    """Return the mean and variance for sums, and sums of squares, of `counts` values moved by `shift`."""
    moved = jnp.asarray(mean_ss) / counts
    mean = moved if shift is None else moved + jnp.asarray(shift)
    return mean, jnp.asarray(variance_ss) / counts - jnp.square(moved)


@tensor_function
def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float, name: Any = None
) -> jax.Array:
    """Return ``scale * (x - mean) / sqrt(variance + variance_epsilon) + offset``."""
    x = jnp.asarray(x)
    factor = jax.lax.rsqrt(jnp.asarray(variance) + variance_epsilon)
    factor = factor if scale is None else factor * jnp.asarray(scale)
    found = (x - jnp.asarray(mean)) * factor
    return (found if offset is None else found + jnp.asarray(offset)).astype(x.dtype)


@tensor_function
def bias_add(value: Any, bias: Any, data_format: Any = None, name: Any = None) -> jax.Array:
    """Return `value` with a number added for each channel."""
    value = jnp.asarray(value)
    bias = jnp.asarray(bias, value.dtype)
    if _format(data_format) == "channels_first":
        bias = bias.reshape(-1, *(1,) * (value.ndim - 2))
    return value + bias


@tensor_function
def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: Any = None, dim: Any = None) -> jax.Array:
    """Return `x` divided by its length along axes, all by default."""
    x = jnp.asarray(x)
    squares = jnp.sum(jnp.square(x), as_axes(dim if axis is None else axis), keepdims=True)
    return x * jax.lax.rsqrt(jnp.maximum(squares, epsilon))


@tensor_function
def local_response_normalization(
    input: Any, depth_radius: int = 5, bias: float = 1, alpha: float = 1, beta: float = 0.5, name: Any = None
) -> jax.Array:
    """Return values divided by a power of the sum of squares of nearby channels."""
    x = jnp.asarray(input)
    square = jnp.pad(jnp.square(x), [(0, 0)] * (x.ndim - 1) + [(depth_radius, depth_radius)])
    sums = sum(square[..., i : i + x.shape[-1]] for i in range(2 * depth_radius + 1))
    return x / (bias + alpha * sums) ** beta


lrn = local_response_normalization


# ---- activations and dropout


@tensor_function
def leaky_relu(features: Any, alpha: Any = 0.2, name: Any = None) -> jax.Array:
    """Return `features`, with those below 0 multiplied by `alpha`."""
    is_default = isinstance(alpha, float) and alpha == 0.2
    options = {} if is_default else {"negative_slope": alpha}  # without any, it runs as one program
    return activations.leaky_relu(jnp.asarray(features), **options)


@tensor_function
def silu(features: Any, beta: Any = 1.0, name: Any = None) -> jax.Array:
    """Return ``features * sigmoid(beta * features)``."""
    features = jnp.asarray(features)
    plain_beta = isinstance(beta, (int, float)) and beta == 1
    return activations.silu(features) if plain_beta else features * jax.nn.sigmoid(beta * features)


swish = silu
registry.stand_in(silu, activations.silu)
registry.stand_in(leaky_relu, activations.leaky_relu)


@tensor_function
def crelu(features: Any, axis: int = -1, name: Any = None) -> jax.Array:
    """Return the positive parts of `features` and of their negatives, joined."""
    features = jnp.asarray(features)
    return jax.nn.relu(jnp.concatenate([features, -features], axis))


@tensor_function
def dropout(
    x: Any, rate: Any = None, noise_shape: Any = None, seed: Any = None, name: Any = None, keep_prob: Any = None
) -> jax.Array:
    """Set a fraction `rate` of the entries to zero, and scale up the rest."""
    rate = 1 - keep_prob if rate is None else rate
    shape = None if noise_shape is None else tuple(None if size is None else int(size) for size in noise_shape)
    return _dropped(jnp.asarray(x), randomness.random_key(seed, moves_on=True), rate, shape)


@tensor_function
def stateless_dropout(
    x: Any, rate: Any, seed: Any, rng_alg: Any = None, noise_shape: Any = None, name: Any = None
) -> jax.Array:
    """Set a fraction `rate` of the entries to zero: the same ones for the same two numbers `seed`."""
    return _dropped(jnp.asarray(x), random.key_of(seed), rate, noise_shape)


def _dropped(x: jax.Array, key: jax.Array, rate: Any, noise_shape: Any) -> jax.Array:
    if isinstance(rate, (int, float)):
        return random_bits.dropout(x, key, rate, noise_shape)
    shape = random_bits.full_noise_shape(x.shape, noise_shape)
    kept = random_bits.uniform(key, shape) >= jnp.asarray(rate, "float32")
    return jnp.where(kept, x / (1 - jnp.asarray(rate, x.dtype)), jnp.zeros((), x.dtype))


# ---- look-ups and scores


class TopK(NamedTuple):
    """The largest entries, and where they are."""

    values: jax.Array
    indices: jax.Array


@tensor_function
def top_k(input: Any, k: Any = 1, sorted: bool = True, index_type: Any = "int32", name: Any = None) -> TopK:
    """Return the `k` largest entries along the last axis, and their places."""
    values, indices = jax.lax.top_k(jnp.asarray(input), int(k))
    return TopK(values, indices.astype(array_type(index_type)))


@tensor_function
def in_top_k(targets: Any, predictions: Any, k: Any, name: Any = None) -> jax.Array:
    """Tell for each row whether the target class is among the `k` largest predictions."""
    return ops.in_top_k(jnp.asarray(targets), jnp.asarray(predictions), int(k))


@tensor_function
def approx_max_k(operand: Any, k: int, reduction_dimension: int = -1, *_: Any, **__: Any) -> TopK:
    """Return the `k` largest entries along an axis, and their places."""
    return TopK(*jax.lax.approx_max_k(jnp.asarray(operand), int(k), reduction_dimension))


@tensor_function
def embedding_lookup(
    params: Any, ids: Any, max_norm: Any = None, name: Any = None, partition_strategy: Any = None
) -> jax.Array:
    """Return the rows of a table; with `max_norm` those that are longer are scaled down to it."""
    params = params[0] if isinstance(params, (list, tuple)) and len(params) == 1 else params
    ids = jnp.asarray(ids)
    rows = jnp.take(jnp.asarray(params), ids, axis=0)
    if max_norm is None:
        return rows
    norms = jnp.linalg.norm(rows, axis=tuple(range(ids.ndim, rows.ndim)), keepdims=True)
    return rows * (max_norm / jnp.maximum(norms, max_norm))


@tensor_function
def zero_fraction(value: Any, name: Any = None) -> jax.Array:
    """Return the fraction of entries that are zero."""
    return jnp.mean(jnp.asarray(value) == 0, dtype="float32")


@tensor_function
def weighted_cross_entropy_with_logits(labels: Any, logits: Any, pos_weight: Any, name: Any = None) -> jax.Array:
    """Return the binary crossentropy of each entry, with a weight for positive labels."""
    labels, logits = jnp.asarray(labels), jnp.asarray(logits)
    weight = 1 + (jnp.asarray(pos_weight) - 1) * labels
    rest = jnp.log1p(jnp.exp(-jnp.abs(logits))) + jax.nn.relu(-logits)
    return (1 - labels) * logits + weight * rest


@tensor_function
def log_poisson_loss(targets: Any, log_input: Any, compute_full_loss: bool = False, name: Any = None) -> jax.Array:
    """Return the Poisson loss of each entry for logarithms of rates."""
    targets, log_input = jnp.asarray(targets), jnp.asarray(log_input)
    found = jnp.exp(log_input) - log_input * targets
    if not compute_full_loss:
        return found
    above = jnp.maximum(targets, 1.0)
    stirling = above * jnp.log(above) - above + 0.5 * jnp.log(2 * np.pi * above)
    return found + jnp.where(targets > 1, stirling, 0.0)


@tensor_function
def ctc_loss(
    labels: Any, logits: Any, label_length: Any, logit_length: Any, logits_time_major: bool = True, unique: Any = None,
    blank_index: int | None = None, name: Any = None,
) -> jax.Array:  # fmt: skip
    """Return the CTC loss of each sequence.

    Logits are ``(time, batch, classes)``, or ``(batch, time, classes)`` if `logits_time_major` is False.
    """
    logits = jnp.asarray(logits)
    logits = jnp.swapaxes(logits, 0, 1) if logits_time_major else logits
    blank = (blank_index or 0) % logits.shape[-1]
    return ops.ctc_loss(jnp.asarray(labels), logits, jnp.asarray(label_length), jnp.asarray(logit_length), blank)


def compute_average_loss(per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None) -> jax.Array:
    """Return the sum of the losses, which may be weighted, divided by the size of the batch."""
    losses = jnp.asarray(plain(per_example_loss))
    losses = losses if sample_weight is None else losses * jnp.asarray(plain(sample_weight))
    return jnp.sum(losses) / (losses.shape[0] if global_batch_size is None else global_batch_size)


def scale_regularization_loss(regularization_loss: Any) -> jax.Array:
    """Return the sum of regularization losses."""
    return jnp.sum(jnp.asarray(plain(regularization_loss)))
