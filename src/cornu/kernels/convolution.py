"""Convolutions in one, two and three dimensions, with Keras's semantics.

Each becomes a `Geometry`: explicit padding, strides, dilations of input and kernel, and groups. XLA lowers it natively
on GPU and TPU; on CPU, `convolution_cpu`, `depthwise_cpu` and `grouped_cpu` have faster forms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array

from cornu.core.jax_internals import sums_by_library
from cornu.kernels import depthwise_cpu, grouped_cpu
from cornu.kernels.column_sums import native_sums
from cornu.kernels.compiler import as_one_program, materialized, takes_cpu_forms
from cornu.kernels.geometry import (
    CHANNELS_LAST,
    Geometry,
    Numbers,
    check_format,
    check_padded,
    native,
    output_space,
    per_dimension,
    same_padding,
)
from cornu.kernels.native import channel_sums


@as_one_program("strides", "padding", "dilation", "groups", "data_format", rows={"x": 0})
def convolution(
    x: Array,
    kernel: Array,
    strides: Numbers = 1,
    padding: str = "valid",
    dilation: Numbers = 1,
    groups: int = 1,
    data_format: str = CHANNELS_LAST,
) -> Array:
    """Slide `kernel` over the spatial dimensions of `x`, as Keras's Conv1D, Conv2D and Conv3D do.

    Args:
        x: ``(batch, *space, channels)``, or ``(batch, channels, *space)`` for ``"channels_first"``.
        kernel: ``(*window, channels / groups, filters)`` in either format.
        strides, dilation: An integer, or one per spatial dimension.
        padding: ``"valid"``, ``"same"``, or ``"causal"`` (in one dimension: zeros before the start only).
        groups: Number of blocks of channels that are convolved separately, each into ``filters / groups`` outputs.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Returns:
        ``(batch, *new_space, filters)``, or channels second.

    Raises:
        ValueError: The ranks or channels do not fit, or `padding` or `data_format` is unknown.

    >>> import jax.numpy as jnp
    >>> convolution(jnp.ones((1, 28, 28, 1)), jnp.ones((3, 3, 1, 32))).shape
    (1, 26, 26, 32)
    """
    x, kernel = _promoted(x, kernel)
    rank = _spatial_rank(x, kernel, data_format)
    strides, dilation = per_dimension(strides, rank, "strides"), per_dimension(dilation, rank, "dilation")
    _check_groups(x, kernel, groups, data_format)
    window = _spread(kernel.shape[:rank], dilation)
    pads = _padding(padding, _space(x, data_format), window, strides)
    return _in_format(x, kernel, Geometry(strides, pads, (1,) * rank, dilation, groups), data_format)


def depthwise_convolution(
    x: Array,
    kernel: Array,
    strides: Numbers = 1,
    padding: str = "valid",
    dilation: Numbers = 1,
    data_format: str = CHANNELS_LAST,
) -> Array:
    """Convolve each channel of `x` with its own kernels, as Keras's DepthwiseConv1D and DepthwiseConv2D do.

    Args:
        x: ``(batch, *space, channels)``, or ``(batch, channels, *space)`` for ``"channels_first"``.
        kernel: ``(*window, channels, multiplier)``.
        strides, padding, dilation, data_format: As in `convolution`.

    Returns:
        ``(batch, *new_space, channels * multiplier)``, or channels second.

    >>> import jax.numpy as jnp
    >>> depthwise_convolution(jnp.ones((1, 5, 5, 3)), jnp.ones((3, 3, 3, 2)), padding="same").shape
    (1, 5, 5, 6)
    """
    *window, channels, multiplier = kernel.shape
    flat = jnp.reshape(kernel, (*window, 1, channels * multiplier))  # one group per channel
    return convolution(x, flat, strides, padding, dilation, channels, data_format)


@as_one_program("strides", "padding", "output_padding", "dilation", "data_format", rows={"x": 0})
def transposed_convolution(
    x: Array,
    kernel: Array,
    strides: Numbers = 1,
    padding: str = "valid",
    output_padding: Numbers | None = None,
    dilation: Numbers = 1,
    data_format: str = CHANNELS_LAST,
) -> Array:
    """Return the gradient of `convolution` with respect to its input, as Keras's Conv2DTranspose does.

    Args:
        x: ``(batch, *space, channels)``, or ``(batch, channels, *space)`` for ``"channels_first"``.
        kernel: ``(*window, filters, channels)``: filters come first, as in Keras.
        output_padding: Size added at the end of each dimension; with None, ``"same"`` gives ``space * strides``.
        strides, padding, dilation, data_format: As in `convolution`.

    Returns:
        ``(batch, *new_space, filters)``, or channels second.

    >>> import jax.numpy as jnp
    >>> transposed_convolution(jnp.ones((1, 7, 7, 8)), jnp.ones((3, 3, 4, 8)), strides=2, padding="same").shape
    (1, 14, 14, 4)
    """
    x, kernel = _promoted(x, kernel)
    rank = _spatial_rank(x, kernel, data_format)
    strides, dilation = per_dimension(strides, rank, "strides"), per_dimension(dilation, rank, "dilation")
    extra = (None,) * rank if output_padding is None else per_dimension(output_padding, rank, "output_padding")
    transposed = jnp.swapaxes(jnp.flip(kernel, range(rank)), -1, -2)  # (*window, channels, filters)
    _check_groups(x, transposed, 1, data_format)
    window = _spread(kernel.shape[:rank], dilation)
    pads = tuple(_transposed_padding(padding, *each) for each in zip(window, strides, extra, strict=True))
    return _in_format(x, transposed, Geometry((1,) * rank, pads, strides, dilation), data_format)


@as_one_program()
def add_bias(x: Array, bias: Array) -> Array:
    """Add `bias` ``(channels,)`` to the channels-last `x`, with a gradient that is fast on CPU.

    >>> import jax.numpy as jnp
    >>> add_bias(jnp.zeros((1, 2, 2)), jnp.array([1.0, 2.0])).tolist()
    [[[1.0, 2.0], [1.0, 2.0]]]
    """
    x, bias = _promoted(x, bias)
    if not takes_cpu_forms() or (sums_by_library() and not channel_sums.suits(x)):
        return x + bias
    return _add_bias(x, bias)


@jax.custom_vjp
def _add_bias(x: Array, bias: Array) -> Array:
    return x + bias


def _add_bias_backward(_: None, upstream: Array) -> tuple[Array, Array]:
    """Return the gradients; XLA's own sum over leading axes on CPU is ten times slower than this product with ones."""
    if channel_sums.suits(upstream):
        return upstream, native_sums(upstream)
    (upstream,) = materialized(upstream)
    wide = jnp.reshape(upstream, (-1, math.prod(upstream.shape[-2:])))  # (batch * rows, columns * channels)
    dtype = jnp.promote_types(upstream.dtype, jnp.float32)
    sums = jnp.matmul(jnp.ones(wide.shape[0], upstream.dtype), wide, preferred_element_type=dtype)
    return upstream, sums.reshape(upstream.shape[-2:]).sum(0).astype(upstream.dtype)


_add_bias.defvjp(lambda x, bias: (x + bias, None), _add_bias_backward)


def _in_format(x: Array, kernel: Array, geometry: Geometry, data_format: str) -> Array:
    """Convolve natively, or on CPU in faster forms, which need channels last."""
    check_padded(_space(x, data_format), geometry)
    if not takes_cpu_forms() or not jnp.issubdtype(x.dtype, jnp.floating):
        return native(x, kernel, geometry, data_format == CHANNELS_LAST)
    if data_format == CHANNELS_LAST:
        return _on_cpu(x, kernel, geometry)
    return jnp.moveaxis(_on_cpu(jnp.moveaxis(x, 1, -1), kernel, geometry), -1, 1)


def _on_cpu(x: Array, kernel: Array, geometry: Geometry) -> Array:
    if math.prod((*x.shape, *output_space(x.shape[1:-1], kernel.shape[:-2], geometry), kernel.size)) == 0:
        return native(x, kernel, geometry)
    if geometry.groups == 1:
        return grouped_cpu.whole(x, kernel, geometry)
    form = depthwise_cpu.depthwise if geometry.groups == x.shape[-1] else grouped_cpu.grouped
    return form(x, kernel, geometry)


def _promoted(x: Array, kernel: Array) -> tuple[Array, Array]:
    """Return both in one dtype: as in Keras, integers are convolved as integers."""
    dtype = jnp.result_type(x, kernel)
    dtype = dtype if jnp.issubdtype(dtype, jnp.number) else jnp.result_type(dtype, float)
    return jnp.asarray(x, dtype), jnp.asarray(kernel, dtype)


def _space(x: Array, data_format: str) -> tuple[int, ...]:
    return x.shape[1:-1] if data_format == CHANNELS_LAST else x.shape[2:]


def _spread(window: Sequence[int], dilation: Sequence[int]) -> tuple[int, ...]:
    """Return the extent of a dilated window."""
    return tuple((size - 1) * step + 1 for size, step in zip(window, dilation, strict=True))


def _padding(word: str, space: Sequence[int], window: Sequence[int], strides: Sequence[int]) -> tuple:
    if word == "valid":
        return ((0, 0),) * len(space)
    if word == "causal" and len(space) == 1:
        return ((window[0] - 1, 0),)
    if word != "same":
        raise ValueError(f"padding={word!r}: expected 'valid' or 'same' (or 'causal' in one dimension).")
    return same_padding(space, window, strides)


def _transposed_padding(word: str, window: int, stride: int, extra: int | None) -> tuple[int, int]:
    """Return the zeros around the dilated input for Keras's sizes.

    ``"valid"`` gives ``(size - 1) * stride + window`` and at least ``size * stride``; ``"same"`` gives ``size *
    stride``; `extra` replaces what these add at the end.
    """
    if word == "valid":
        return window - 1, window - 1 + (max(stride - window, 0) if extra is None else extra)
    if word != "same":
        raise ValueError(f"padding={word!r}: a transposed convolution accepts 'valid' or 'same'.")
    total = window + stride - 2 if extra is None else window + window % 2 - 2 + extra
    before = min((total + 1) // 2, window - 1)
    return before, total - before


def _spatial_rank(x: Array, kernel: Array, data_format: str) -> int:
    check_format(data_format)
    if x.ndim not in (3, 4, 5) or kernel.ndim != x.ndim:
        raise ValueError(
            f"A convolution got an input of shape {x.shape} and a kernel of shape {kernel.shape}: "
            "expected an input with batch and channels, a kernel with channels and filters, and 1 to 3 spatial "
            "dimensions in both. Add the missing axis to the input, for example x[..., None] for grey images."
        )
    return x.ndim - 2


def _check_groups(x: Array, kernel: Array, groups: int, data_format: str) -> None:
    channels = x.shape[-1] if data_format == CHANNELS_LAST else x.shape[1]
    if channels != kernel.shape[-2] * groups:
        raise ValueError(
            f"The input of shape {x.shape} has {channels} channels ({data_format}) but the kernel of shape "
            f"{kernel.shape} with groups={groups} takes {kernel.shape[-2] * groups}. Check data_format and groups."
        )
    if kernel.shape[-1] % groups:
        raise ValueError(f"{kernel.shape[-1]} filters cannot be divided into groups={groups}; use a multiple.")
