"""Convolutions of Keras 1 and 2 whose kernel differs from place to place."""

import itertools
import math
from collections.abc import Sequence
from typing import Any, Unpack

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from cornu import activations
from cornu.core import registry
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.core.layer_options import Identifier, OtherLayerOptions
from cornu.core.settings import standardize_data_format
from cornu.layers.argument_checks import known_size
from cornu.layers.weight_options import keep_options, make_weight
from cornu.layers.window_arguments import channel_axis, padding_word, per_dimension, space_axes


class _LocallyConnected(Layer):
    """What both layers share. Weights have the shape that Keras gives them for each `implementation`."""

    keeps_rows_apart = True
    rank: int
    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        implementation: int = 1,
        **kwargs: Unpack[OtherLayerOptions],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        (self.filters,) = per_dimension(self, "filters", filters, 1)
        self.kernel_size = per_dimension(self, "kernel_size", kernel_size, self.rank)
        self.strides = per_dimension(self, "strides", strides, self.rank)
        self.padding = padding_word(self, padding)
        self.data_format = standardize_data_format(data_format)
        if implementation not in (1, 2, 3):
            raise ValueError(f"{type(self).__name__}: implementation must be 1, 2 or 3; got {implementation!r}.")
        if implementation == 1 and self.padding == "same":
            raise ValueError(
                f"{type(self).__name__}: padding='same' needs implementation=2 or 3. With implementation=1 every place "
                "has a whole window: use padding='valid'."
            )
        self.implementation = implementation
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        keep_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def build(self, input_shape: tuple) -> None:
        axis = channel_axis(self.data_format)
        channels = known_size(self, input_shape, axis)
        axes = space_axes(self.data_format, self.rank)
        space = tuple(known_size(self, input_shape, axis) for axis in axes)
        self._sizes = tuple(map(self._places, space, self.kernel_size, self.strides))
        if min(self._sizes) < 1:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}): a window of {self.kernel_size} does not fit into inputs "
                f"of shape {tuple(input_shape)}. Use a smaller kernel_size or larger inputs."
            )
        self._space, self._input_channels = space, channels
        self.kernel = make_weight(self, "kernel", self._kernel_shape())
        self.bias = make_weight(self, "bias", (*self._sizes, self.filters)) if self.use_bias else None
        # each place has its own weights
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels, **dict(zip(axes, space, strict=True))})

    def _places(self, size: int, window: int, stride: int) -> int:
        return -(-size // stride) if self.padding == "same" else (size - window) // stride + 1

    def _first(self, window: int) -> int:
        """Return how far a window begins before its place."""
        return window // 2 if self.padding == "same" else 0

    def _kernel_shape(self) -> tuple[int, ...]:
        last, places = self.data_format == "channels_last", math.prod(self._sizes)
        if self.implementation == 1:
            return (places, math.prod(self.kernel_size) * self._input_channels, self.filters)
        if self.implementation == 2 and last:
            return (*self._space, self._input_channels, *self._sizes, self.filters)
        if self.implementation == 2:
            return (self._input_channels, *self._space, self.filters, *self._sizes)
        return (int(self._inside()[1].sum()) * self._input_channels * self.filters,)

    def _inside(self) -> tuple[np.ndarray, np.ndarray]:
        """Return, for each place and entry of its window, the number of the input there and whether there is one."""
        number, inside = np.zeros((1, 1), int), np.ones((1, 1), bool)
        for size, window, stride, places in zip(self._space, self.kernel_size, self.strides, self._sizes, strict=True):
            at = np.arange(places)[:, None] * stride - self._first(window) + np.arange(window)  # (places, window)
            number = number[:, None, :, None] * size + np.clip(at, 0, size - 1)[None, :, None, :]
            inside = inside[:, None, :, None] & ((at >= 0) & (at < size))[None, :, None, :]
            number, inside = (each.reshape(places * len(each), -1) for each in (number, inside))
        return number, inside

    def _window_kernels(self) -> Array:
        """Return the kernel ``(places, window, channels, filters)``; entries outside the input meet zeros."""
        kernel, last = jnp.asarray(self.kernel), self.data_format == "channels_last"
        places, window = math.prod(self._sizes), math.prod(self.kernel_size)
        channels, filters = self._input_channels, self.filters
        if self.implementation == 1:
            if last:
                return kernel.reshape(places, window, channels, filters)
            return jnp.swapaxes(kernel.reshape(places, channels, window, filters), 1, 2)
        number, inside = self._inside()
        if self.implementation == 2:
            inputs = math.prod(self._space)
            if last:
                whole = kernel.reshape(inputs, channels, places, filters)
            else:
                whole = jnp.transpose(kernel.reshape(channels, inputs, filters, places), (1, 0, 3, 2))
            return whole[number, :, np.arange(places)[:, None]]
        # All connections are in a row, sorted by the number of the output and then that of the input.
        counts = inside.sum(axis=1)
        before = (np.cumsum(counts) - counts)[:, None, None, None]
        order = np.where(inside, np.cumsum(inside, axis=1) - 1, 0)[:, :, None, None]
        count, total = counts[:, None, None, None], int(counts.sum())
        channel, unit = jnp.arange(channels)[:, None], jnp.arange(filters)
        if last:
            return kernel[(before * filters + unit * count + order) * channels + channel]
        return kernel[(unit * total + before) * channels + channel * count + order]

    def call(self, inputs: Array) -> Array:
        x = inputs if self.data_format == "channels_last" else jnp.moveaxis(inputs, 1, -1)
        edges = [(0, 0, 0)]
        for size, window, stride, places in zip(self._space, self.kernel_size, self.strides, self._sizes, strict=True):
            first = self._first(window)
            edges.append((first, max(0, (places - 1) * stride + window - first - size), 0))
        x = lax.pad(x, jnp.zeros((), x.dtype), [*edges, (0, 0, 0)])
        steps = list(zip(self._sizes, self.strides, strict=True))
        cuts = []
        for start in itertools.product(*map(range, self.kernel_size)):
            cut = (slice(at, at + (n - 1) * step + 1, step) for at, (n, step) in zip(start, steps, strict=True))
            cuts.append(x[(slice(None), *cut)].reshape(x.shape[0], -1, x.shape[-1]))
        # (batch, places, window, channels) x (places, window, channels, filters)
        outputs = jnp.einsum("bpwc,pwcf->bpf", jnp.stack(cuts, axis=2), self._window_kernels())
        outputs = outputs.reshape(x.shape[0], *self._sizes, self.filters)
        bias = None if self.bias is None else jnp.asarray(self.bias)
        if self.data_format == "channels_first":
            outputs = jnp.moveaxis(outputs, -1, 1)
            # Keras reads the same numbers in another order here
            bias = None if bias is None else bias.reshape(self.filters, *self._sizes)
        outputs = outputs if bias is None else outputs + bias
        return outputs if self.activation is None else self.activation(outputs)


@registry.LAYERS.add("locally_connected1d")
class LocallyConnected1D(_LocallyConnected):
    """Convolve sequences with a kernel of its own at each place.

    Args:
        filters: Number of output channels.
        kernel_size: Length of the window.
        strides: Step of the window.
        padding: ``"valid"``, or ``"same"`` with `implementation` 2 or 3.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes the default.
        activation: Name or function; None applies none.
        use_bias: Whether to add a bias, different at each place.
        kernel_*, bias_*, activity_regularizer: As in `Dense`.
        implementation: Layout of the kernel: 1 has ``(places, window * channels, filters)``, 2 a value for each pair
            of an input and an output, 3 a value for each connection, in a row. The layer computes the same.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, time, channels)`` of a fixed length, outputs ``(batch, places, filters)``.

    Raises:
        ValueError: An argument is out of range, or the length of the inputs is unknown.

    Of Keras 1 and 2: https://faroit.com/keras-docs/2.1.2/layers/local/

    >>> import numpy as np
    >>> LocallyConnected1D(3, 2)(np.ones((1, 5, 4))).shape
    (1, 4, 3)
    """

    keeps_rows_apart = True
    rank = 1


@registry.LAYERS.add("locally_connected2d")
class LocallyConnected2D(_LocallyConnected):
    """Convolve images with a kernel of its own at each place.

    Args:
        filters: Number of output channels.
        kernel_size: Height and width of the window, or one number for both.
        strides: Steps of the window.
        padding, data_format, activation, use_bias, kernel_*, bias_*, activity_regularizer, implementation: As in
            `LocallyConnected1D`.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, rows, columns, channels)`` of a fixed size, outputs ``(batch, *places, filters)``.

    Raises:
        ValueError: An argument is out of range, or the size of the inputs is unknown.

    Of Keras 1 and 2: https://faroit.com/keras-docs/2.1.2/layers/local/

    >>> import numpy as np
    >>> LocallyConnected2D(3, 2)(np.ones((1, 5, 4, 2))).shape
    (1, 4, 3, 3)
    """

    keeps_rows_apart = True
    rank = 2


__all__ = [
    "LocallyConnected1D",
    "LocallyConnected2D",
]
