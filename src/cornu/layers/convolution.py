"""Convolution layers in one to three dimensions: standard, transposed, depthwise and separable."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax.numpy as jnp
from jax import Array

from cornu import activations
from cornu.core import registry
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.core.layer_options import Identifier, LayerOptions, OtherLayerOptions
from cornu.core.settings import standardize_data_format
from cornu.kernels.convolution import add_bias, convolution, depthwise_convolution, transposed_convolution
from cornu.layers.argument_checks import check_integer, known_size
from cornu.layers.weight_options import keep_options, make_weight
from cornu.layers.window_arguments import channel_axis, check_not_empty, padding_word, per_dimension

Numbers = int | Sequence[int]


class _Convolving(Layer):
    """What all convolution layers share: a window that slides over space, a bias, an activation."""

    rank: int
    _more_paddings: tuple[str, ...] = ()
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any

    def __init__(
        self,
        kernel_size: Numbers,
        strides: Numbers,
        padding: str,
        data_format: str | None,
        dilation_rate: Numbers,
        activation: Any,
        use_bias: bool,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size = per_dimension(self, "kernel_size", kernel_size, self.rank)
        self.strides = per_dimension(self, "strides", strides, self.rank)
        self.dilation_rate = per_dimension(self, "dilation_rate", dilation_rate, self.rank)
        self.padding = padding_word(self, padding, *self._more_paddings)
        self.data_format = standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _make_bias(self, filters: int) -> None:
        self.bias = make_weight(self, "bias", (filters,)) if self.use_bias else None

    def _channels(self, input_shape: Sequence[int | None]) -> int:
        """Return the number of channels, and expect it in every later call."""
        axis = channel_axis(self.data_format)
        channels = known_size(self, input_shape, axis)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _refuse_strides_with_dilation(self) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{type(self).__name__} accepts strides or a dilation_rate above 1, not both; "
                f"got strides={self.strides} and dilation_rate={self.dilation_rate}. Leave one of them at 1."
            )

    def _finish(self, inputs: Array, outputs: Array) -> Array:
        """Add the bias and apply the activation."""
        advice = "The window is larger than the input: use padding='same', a smaller kernel_size, or larger inputs."
        check_not_empty(self, inputs, outputs, advice)
        if self.bias is not None:
            bias = self.bias.value
            if self.data_format == "channels_last":
                outputs = add_bias(outputs, bias)  # on CPU its gradient is far faster than that of `+`
            else:
                outputs = outputs + jnp.reshape(bias, (-1, *(1,) * self.rank))  # (filters, 1, ...)
        return outputs if self.activation is None else self.activation(outputs)


class _Convolution(_Convolving):
    """A standard convolution: each output sums over a window and all channels.

    Args:
        filters: Number of output channels.
        kernel_size: Size of the window, an integer or one per dimension.
        strides: How far the window moves, an integer or one per dimension.
        padding: ``"valid"`` (no padding) or ``"same"`` (outputs keep the size, divided by `strides`).
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        dilation_rate: Distance between the elements of the window.
        groups: Number of blocks of channels that are convolved separately; divides input channels and `filters`.
        activation: Name or function; None applies none.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel ``(*kernel_size, channels // groups, filters)``.
        bias_initializer: Initial values of the bias ``(filters,)``.
        kernel_regularizer: Penalty on the kernel, added to the loss. Likewise `bias_regularizer`.
        activity_regularizer: Penalty on the outputs, added to the loss.
        kernel_constraint: Projection of the kernel after each update. Likewise `bias_constraint`.
        **kwargs: Arguments of `Layer`.
    """

    keeps_rows_apart = True
    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any

    def __init__(
        self,
        filters: int,
        kernel_size: Numbers,
        strides: Numbers = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Numbers = 1,
        groups: int = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Unpack[OtherLayerOptions],
    ) -> None:
        own = (kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        super().__init__(*own, activity_regularizer=activity_regularizer, **kwargs)
        self.filters = check_integer(self, "filters", filters)
        self.groups = check_integer(self, "groups", groups)
        keep_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._refuse_strides_with_dilation()
        if self.filters % self.groups:
            raise ValueError(
                f"{type(self).__name__}: {self.filters} filters cannot be divided into groups={self.groups}. "
                "Use a multiple."
            )

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) cannot divide the {channels} channels of its input of "
                f"shape {tuple(input_shape)} ({self.data_format}) into groups={self.groups}."
            )
        self.kernel = make_weight(self, "kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self._make_bias(self.filters)

    def call(self, inputs: Array) -> Array:
        kernel = self.kernel.value
        outputs = convolution(
            inputs, kernel, self.strides, self.padding, self.dilation_rate, self.groups, self.data_format
        )
        return self._finish(inputs, outputs)


@registry.LAYERS.add()
class Conv1D(_Convolution):
    """Convolve over time or another single dimension.

    Args:
        filters: Number of output channels.
        kernel_size: Length of the window in steps.
        strides: How far the window moves, in steps.
        padding: ``"valid"``, ``"same"``, or ``"causal"`` (an output does not depend on later steps).
        dilation_rate: Distance between the elements of the window.
        groups: Number of blocks of channels that are convolved separately.
        **kwargs: The other arguments of `Conv2D`.

    Shapes:
        Inputs ``(batch, time, channels)``, outputs ``(batch, new_time, filters)``.

    Raises:
        ValueError: `strides` and `dilation_rate` are both above 1, or `groups` does not divide the channels.

    Follows https://keras.io/api/layers/convolution_layers/convolution1d/

    >>> Conv1D(4, 3, padding="causal")(jnp.ones((2, 8, 5))).shape
    (2, 8, 4)
    """

    rank = 1
    _more_paddings = ("causal",)


@registry.LAYERS.add()
class Conv2D(_Convolution):
    """Convolve over images.

    Args:
        filters: Number of output channels.
        kernel_size, strides, dilation_rate: Size of the window, how far it moves, and the distance between its
            elements; each an integer or a pair ``(rows, columns)``.
        padding: ``"valid"`` (no padding) or ``"same"`` (output size = input size / strides, rounded up).
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        groups: Number of blocks of channels that are convolved separately; must divide input channels and `filters`.
        activation, use_bias, kernel_*, bias_*, activity_regularizer: As in `Dense`.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, rows, columns, channels)``, outputs ``(batch, new_rows, new_columns, filters)``; channels come
        second for ``"channels_first"``. The kernel is ``(*kernel_size, channels // groups, filters)``.

    Raises:
        ValueError: `strides` and `dilation_rate` are both above 1, or `groups` does not divide the channels.

    Follows https://keras.io/api/layers/convolution_layers/convolution2d/

    >>> Conv2D(32, 3, activation="relu")(jnp.ones((1, 28, 28, 1))).shape
    (1, 26, 26, 32)
    """

    rank = 2


@registry.LAYERS.add()
class Conv3D(_Convolution):
    """Convolve over volumes. Arguments and errors as in `Conv2D`, with three dimensions.

    Shapes:
        Inputs ``(batch, depth, rows, columns, channels)``, outputs the same with new sizes and `filters` channels.

    Follows https://keras.io/api/layers/convolution_layers/convolution3d/

    >>> Conv3D(2, 3)(jnp.ones((1, 5, 5, 5, 1))).shape
    (1, 3, 3, 3, 2)
    """

    rank = 3


class _TransposedConvolution(_Convolving):
    """A transposed convolution: each input contributes to a window of outputs."""

    keeps_rows_apart = True
    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any

    def __init__(
        self,
        filters: int,
        kernel_size: Numbers,
        strides: Numbers = 1,
        padding: str = "valid",
        output_padding: Numbers | None = None,
        data_format: str | None = None,
        dilation_rate: Numbers = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Unpack[OtherLayerOptions],
    ) -> None:
        own = (kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        super().__init__(*own, activity_regularizer=activity_regularizer, **kwargs)
        self.filters = check_integer(self, "filters", filters)
        keep_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._refuse_strides_with_dilation()
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = per_dimension(self, "output_padding", output_padding, self.rank, least=0)
            if any(extra >= stride for extra, stride in zip(self.output_padding, self.strides, strict=True)):
                raise ValueError(
                    f"{type(self).__name__}: each `output_padding` must be smaller than the stride of its dimension; "
                    f"got output_padding={self.output_padding} and strides={self.strides}."
                )

    def build(self, input_shape: Any) -> None:
        self.kernel = make_weight(self, "kernel", (*self.kernel_size, self.filters, self._channels(input_shape)))
        self._make_bias(self.filters)

    def call(self, inputs: Array) -> Array:
        outputs = transposed_convolution(
            inputs,
            self.kernel.value,
            self.strides,
            self.padding,
            self.output_padding,
            self.dilation_rate,
            self.data_format,
        )
        return self._finish(inputs, outputs)


@registry.LAYERS.add()
class Conv1DTranspose(_TransposedConvolution):
    """Transposed convolution over time. Arguments and errors as in `Conv2DTranspose`, with one dimension.

    Shapes:
        Inputs ``(batch, time, channels)``, outputs ``(batch, new_time, filters)``.

    Follows https://keras.io/api/layers/convolution_layers/convolution1d_transpose/

    >>> Conv1DTranspose(4, 3, strides=2, padding="same")(jnp.ones((2, 8, 5))).shape
    (2, 16, 4)
    """

    rank = 1


@registry.LAYERS.add()
class Conv2DTranspose(_TransposedConvolution):
    """Transposed convolution over images: upsamples them by `strides`, as the gradient of a `Conv2D` does.

    Args:
        filters: Number of output channels.
        kernel_size, strides, dilation_rate: An integer or a pair ``(rows, columns)``.
        padding: ``"valid"`` or ``"same"``.
        output_padding: Rows and columns added at the end of each dimension, smaller than the stride; with None,
            ``padding="same"`` gives exactly ``size * strides``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        activation, use_bias, kernel_*, bias_*, activity_regularizer: As in `Dense`.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, rows, columns, channels)``, outputs ``(batch, new_rows, new_columns, filters)``. The kernel is
        ``(*kernel_size, filters, channels)``.

    Raises:
        ValueError: `strides` and `dilation_rate` are both above 1, or `output_padding` is not below the stride.

    Follows https://keras.io/api/layers/convolution_layers/convolution2d_transpose/

    >>> Conv2DTranspose(8, 3, strides=2, padding="same")(jnp.ones((1, 7, 7, 16))).shape
    (1, 14, 14, 8)
    """

    rank = 2


@registry.LAYERS.add()
class Conv3DTranspose(_TransposedConvolution):
    """Transposed convolution over volumes. Arguments and errors as in `Conv2DTranspose`, with three dimensions.

    Shapes:
        Inputs ``(batch, depth, rows, columns, channels)``, outputs the same with new sizes and `filters` channels.

    Follows https://keras.io/api/layers/convolution_layers/convolution3d_transpose/

    >>> Conv3DTranspose(2, 2, strides=2)(jnp.ones((1, 3, 3, 3, 1))).shape
    (1, 6, 6, 6, 2)
    """

    rank = 3


class _DepthwiseConvolution(_Convolving):
    """A convolution of each channel with its own kernels."""

    keeps_rows_apart = True
    depthwise_initializer: Any
    depthwise_regularizer: Any
    depthwise_constraint: Any

    def __init__(
        self,
        kernel_size: Numbers,
        strides: Numbers = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Numbers = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Unpack[OtherLayerOptions],
    ) -> None:
        own = (kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        super().__init__(*own, activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = check_integer(self, "depth_multiplier", depth_multiplier)
        keep_options(self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        keep_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.kernel = make_weight(self, "depthwise", (*self.kernel_size, channels, self.depth_multiplier), "kernel")
        self._make_bias(channels * self.depth_multiplier)

    def call(self, inputs: Array) -> Array:
        outputs = depthwise_convolution(
            inputs, self.kernel.value, self.strides, self.padding, self.dilation_rate, self.data_format
        )
        return self._finish(inputs, outputs)


@registry.LAYERS.add()
class DepthwiseConv1D(_DepthwiseConvolution):
    """Convolve each channel separately over time. Arguments and errors as in `DepthwiseConv2D`, with one dimension.

    Shapes:
        Inputs ``(batch, time, channels)``, outputs ``(batch, new_time, channels * depth_multiplier)``.

    Follows https://keras.io/api/layers/convolution_layers/depthwise_convolution1d/

    >>> DepthwiseConv1D(3)(jnp.ones((2, 8, 5))).shape
    (2, 6, 5)
    """

    rank = 1


@registry.LAYERS.add()
class DepthwiseConv2D(_DepthwiseConvolution):
    """Convolve each channel of images separately.

    Args:
        kernel_size, strides, dilation_rate: An integer or a pair ``(rows, columns)``.
        padding: ``"valid"`` or ``"same"``.
        depth_multiplier: Number of kernels, and so of output channels, per input channel.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        depthwise_*: Initializer, regularizer and constraint of the kernel.
        activation, use_bias, bias_*, activity_regularizer: As in `Dense`.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, rows, columns, channels)``, outputs ``(batch, new_rows, new_columns, channels * n)`` for a
        `depth_multiplier` of n. The kernel is ``(*kernel_size, channels, n)``.

    Follows https://keras.io/api/layers/convolution_layers/depthwise_convolution2d/

    >>> DepthwiseConv2D(3, depth_multiplier=2)(jnp.ones((1, 8, 8, 4))).shape
    (1, 6, 6, 8)
    """

    rank = 2


class _SeparableConvolution(_Convolving):
    """A depthwise convolution, then a pointwise one that mixes the channels."""

    keeps_rows_apart = True
    depthwise_initializer: Any
    depthwise_regularizer: Any
    depthwise_constraint: Any
    pointwise_initializer: Any
    pointwise_regularizer: Any
    pointwise_constraint: Any

    def __init__(
        self,
        filters: int,
        kernel_size: Numbers,
        strides: Numbers = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Numbers = 1,
        depth_multiplier: int = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Unpack[OtherLayerOptions],
    ) -> None:
        own = (kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        super().__init__(*own, activity_regularizer=activity_regularizer, **kwargs)
        self.filters = check_integer(self, "filters", filters)
        self.depth_multiplier = check_integer(self, "depth_multiplier", depth_multiplier)
        keep_options(self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        keep_options(self, "pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        keep_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        channels, ones = self._channels(input_shape), (1,) * self.rank
        between = channels * self.depth_multiplier
        window = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = make_weight(self, "depthwise", window, "depthwise_kernel")
        self.pointwise_kernel = make_weight(self, "pointwise", (*ones, between, self.filters), "pointwise_kernel")
        self._make_bias(self.filters)

    def call(self, inputs: Array) -> Array:
        # (batch, *space, channels) -> (batch, *new_space, channels * depth_multiplier) -> (batch, *new_space, filters)
        between = depthwise_convolution(
            inputs, self.depthwise_kernel.value, self.strides, self.padding, self.dilation_rate, self.data_format
        )
        outputs = convolution(between, self.pointwise_kernel.value, data_format=self.data_format)
        return self._finish(inputs, outputs)


@registry.LAYERS.add()
class SeparableConv1D(_SeparableConvolution):
    """Depthwise, then pointwise convolution over time. Arguments as in `SeparableConv2D`, with one dimension.

    Shapes:
        Inputs ``(batch, time, channels)``, outputs ``(batch, new_time, filters)``.

    Follows https://keras.io/api/layers/convolution_layers/separable_convolution1d/

    >>> SeparableConv1D(6, 3)(jnp.ones((2, 8, 5))).shape
    (2, 6, 6)
    """

    rank = 1


@registry.LAYERS.add()
class SeparableConv2D(_SeparableConvolution):
    """Depthwise convolution over images, then a pointwise one that mixes the channels.

    Args:
        filters: Number of output channels.
        kernel_size, strides, dilation_rate: An integer or a pair ``(rows, columns)``, of the depthwise convolution.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        depth_multiplier: Number of depthwise kernels per input channel.
        depthwise_*, pointwise_*: Initializer, regularizer and constraint of each kernel.
        activation, use_bias, bias_*, activity_regularizer: As in `Dense`.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, rows, columns, channels)``, outputs ``(batch, new_rows, new_columns, filters)``.

    Follows https://keras.io/api/layers/convolution_layers/separable_convolution2d/

    >>> SeparableConv2D(6, 3)(jnp.ones((1, 8, 8, 3))).shape
    (1, 6, 6, 6)
    """

    rank = 2


__all__ = [
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "SeparableConv1D",
    "SeparableConv2D",
]
