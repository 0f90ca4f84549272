"""Grouped and three-dimensional convolutions on CPU, as few convolutions in two dimensions or with one group.

XLA's own convolution in groups is a naive loop on CPU. docs/design/010-convolution-on-cpu.md has the measurements.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax

from cornu.kernels import convolution_cpu
from cornu.kernels.compiler import materialized
from cornu.kernels.geometry import Geometry, output_space

BLOCK_CHANNELS = 32
"""Groups with fewer channels are convolved several at a time, with zeros between them in the kernel."""

MOST_BLOCKS = 8
"""Convolutions that groups become at most, since each is compiled on its own."""


def grouped(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Convolve blocks of groups, each with a kernel that has zeros wherever groups do not meet.

    Args:
        x: ``(batch, *space, channels)``.
        kernel: ``(*window, channels / groups, filters)``.
        geometry: How the window moves, and the number of groups.
    """
    groups, channels = geometry.groups, x.shape[-1]
    most = max(1, min(MOST_BLOCKS, channels // BLOCK_CHANNELS))
    blocks = next(count for count in range(min(most, groups), 0, -1) if groups % count == 0)
    kernels = _block_diagonal(kernel, groups, blocks)
    single = geometry._replace(groups=1)
    if blocks == 1:
        return whole(x, kernels[0], single)
    parts = materialized(*jnp.split(x, blocks, axis=-1))
    outputs = [whole(part, kernels[number], single) for number, part in enumerate(parts)]
    return materialized(jnp.concatenate(outputs, axis=-1))[0]


def _block_diagonal(kernel: Array, groups: int, blocks: int) -> Array:
    """Return ``(blocks, *window, channels / blocks, filters / blocks)``, with the groups of a block on its diagonal."""
    *window, channels, filters = kernel.shape
    each = groups // blocks
    apart = jnp.moveaxis(kernel.reshape(*window, channels, blocks, each, filters // groups), -3, 0)
    apart = jnp.moveaxis(apart, -2, -3)[..., None, :]  # (blocks, *window, each, channels, 1, filters / groups)
    diagonal = jnp.eye(each, dtype=bool)[:, None, :, None]
    dense = jnp.where(diagonal, apart, jnp.zeros((), kernel.dtype))
    return dense.reshape(blocks, *window, each * channels, filters // blocks)


def whole(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Convolve with one group; in three dimensions as in two, with the depth of the window among the channels."""
    if x.ndim < 5:
        return convolution_cpu.convolve(x, kernel, geometry)
    images, deep, *_ = x.shape
    depth, *window, channels, filters = kernel.shape
    slices = output_space((deep,), (depth,), _dimensions(geometry, slice(0, 1)))[0]
    (low, high), interior = geometry.padding[0], geometry.input_dilation[0] - 1
    x = lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), (low, high, interior), *((0, 0, 0),) * 3))
    step, reach = geometry.strides[0], (slices - 1) * geometry.strides[0] + 1
    starts = range(0, depth * geometry.kernel_dilation[0], geometry.kernel_dilation[0])
    wide = jnp.concatenate([x[:, start : start + reach : step] for start in starts], axis=-1)
    flat = wide.reshape(images * slices, *wide.shape[2:])  # (images * slices, height, width, depth * channels)
    taps = jnp.moveaxis(kernel, 0, -3).reshape(*window, depth * channels, filters)
    outputs = convolution_cpu.convolve(flat, taps, _dimensions(geometry, slice(1, None)))
    return outputs.reshape(images, slices, *outputs.shape[1:])


def _dimensions(geometry: Geometry, which: slice) -> Geometry:
    strides, padding, input_dilation, kernel_dilation, groups = geometry
    return Geometry(strides[which], padding[which], input_dilation[which], kernel_dilation[which], groups)
