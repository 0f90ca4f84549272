"""Convolution layers in one to three dimensions: plain, transposed, depthwise and separable."""

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
from cornu.layers.argument_checks import known_size, whole_number
from cornu.layers.weight_options import keep_options, make_weight
from cornu.layers.window_arguments import channel_axis, check_not_empty, padding_word, per_dimension

Numbers = int | Sequence[int]


class _Convolving(Layer):
    """What all convolution layers share: a window that moves over space, a bias, an activation."""

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
        """Return the number of channels, and expect it from now on."""
        axis = channel_axis(self.data_format)
        channels = known_size(self, input_shape, axis)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _refuse_strides_with_dilation(self) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{type(self).__name__} takes strides or a dilation_rate above 1, not both; "
                f"it got strides={self.strides} and dilation_rate={self.dilation_rate}. Leave one of them at 1."
            )

    def _finish(self, inputs: Array, outputs: Array) -> Array:
        """Return `outputs` with bias and activation."""
        advice = "The window is larger than the input: take padding='same', a smaller kernel_size, or larger inputs."
        check_not_empty(self, inputs, outputs, advice)
        if self.bias is not None:
            bias = self.bias.value
            if self.data_format == "channels_last":
                outputs = add_bias(outputs, bias)  # its gradient is far faster on CPU than a plain sum's
            else:
                outputs = outputs + jnp.reshape(bias, (-1, *(1,) * self.rank))
        return self.activation(outputs)


class _Convolution(_Convolving):
    """A convolution: each output sums up a window over all channels."""

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
        self.filters = whole_number(self, "filters", filters)
        self.groups = whole_number(self, "groups", groups)
        keep_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._refuse_strides_with_dilation()
        if self.filters % self.groups:
            raise ValueError(
                f"{type(self).__name__}: {self.filters} filters cannot be divided into groups={self.groups}; "
                "take a multiple."
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
    """Convolution over time, or another single dimension: inputs ``(batch, steps, channels)``.

    `filters` is the number of outputs per place and `kernel_size` the length of the window. `padding` is ``"valid"``,
    ``"same"``, or ``"causal"`` (an output sees no later step). `groups` convolves blocks of channels apart.
    ValueError where both `strides` and `dilation_rate` are above 1, or where `groups` does not divide.
    Follows https://keras.io/api/layers/convolution_layers/convolution1d/

    >>> Conv1D(4, 3, padding="causal")(jnp.ones((2, 8, 5))).shape
    (2, 8, 4)
    """

    rank = 1
    _more_paddings = ("causal",)


@registry.LAYERS.add()
class Conv2D(_Convolution):
    """Convolution over images: inputs ``(batch, rows, columns, channels)``, channels second for ``channels_first``.

    `filters` is the number of outputs per place and `kernel_size` the size of the window. `strides` moves it in steps,
    `dilation_rate` spreads it, `groups` convolves blocks of channels apart. `padding` is ``"valid"`` or ``"same"``.
    ValueError where both `strides` and `dilation_rate` are above 1, or where `groups` does not divide.
    Follows https://keras.io/api/layers/convolution_layers/convolution2d/

    >>> Conv2D(32, 3, activation="relu")(jnp.ones((1, 28, 28, 1))).shape
    (1, 26, 26, 32)
    """

    rank = 2


@registry.LAYERS.add()
class Conv3D(_Convolution):
    """Convolution over volumes: inputs ``(batch, depth, rows, columns, channels)``. Otherwise as `Conv2D`.

    Follows https://keras.io/api/layers/convolution_layers/convolution3d/

    >>> Conv3D(2, 3)(jnp.ones((1, 5, 5, 5, 1))).shape
    (1, 3, 3, 3, 2)
    """

    rank = 3


class _TransposedConvolution(_Convolving):
    """The transposed convolution: each input is spread over a window of outputs."""

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
        self.filters = whole_number(self, "filters", filters)
        keep_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._refuse_strides_with_dilation()
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = per_dimension(self, "output_padding", output_padding, self.rank, least=0)
            if any(extra >= stride for extra, stride in zip(self.output_padding, self.strides, strict=True)):
                raise ValueError(
                    f"{type(self).__name__}: each `output_padding` is smaller than the stride of its dimension; "
                    f"it got output_padding={self.output_padding} and strides={self.strides}."
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
    """Transposed convolution over ``(batch, steps, channels)``; arguments as in `Conv2DTranspose`.

    Follows https://keras.io/api/layers/convolution_layers/convolution1d_transpose/

    >>> Conv1DTranspose(4, 3, strides=2, padding="same")(jnp.ones((2, 8, 5))).shape
    (2, 16, 4)
    """

    rank = 1


@registry.LAYERS.add()
class Conv2DTranspose(_TransposedConvolution):
    """Transposed convolution over images, which makes them larger by `strides`: the way back of a `Conv2D`.

    `output_padding` is added at the end of each dimension and must be smaller than the stride; None makes
    ``padding="same"`` give exactly ``size * strides``. ValueError where `strides` and `dilation_rate` are both above 1.
    Follows https://keras.io/api/layers/convolution_layers/convolution2d_transpose/

    >>> Conv2DTranspose(8, 3, strides=2, padding="same")(jnp.ones((1, 7, 7, 16))).shape
    (1, 14, 14, 8)
    """

    rank = 2


@registry.LAYERS.add()
class Conv3DTranspose(_TransposedConvolution):
    """Transposed convolution over volumes; arguments as in `Conv2DTranspose`.

    Follows https://keras.io/api/layers/convolution_layers/convolution3d_transpose/

    >>> Conv3DTranspose(2, 2, strides=2)(jnp.ones((1, 3, 3, 3, 1))).shape
    (1, 6, 6, 6, 2)
    """

    rank = 3


class _DepthwiseConvolution(_Convolving):
    """A convolution of each channel with kernels of its own."""

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
        self.depth_multiplier = whole_number(self, "depth_multiplier", depth_multiplier)
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
    """Convolution of each channel apart, over ``(batch, steps, channels)``; arguments as in `DepthwiseConv2D`.

    Follows https://keras.io/api/layers/convolution_layers/depthwise_convolution1d/

    >>> DepthwiseConv1D(3)(jnp.ones((2, 8, 5))).shape
    (2, 6, 5)
    """

    rank = 1


@registry.LAYERS.add()
class DepthwiseConv2D(_DepthwiseConvolution):
    """Convolution of each channel of an image apart, with `depth_multiplier` kernels for each.

    Follows https://keras.io/api/layers/convolution_layers/depthwise_convolution2d/

    >>> DepthwiseConv2D(3, depth_multiplier=2)(jnp.ones((1, 8, 8, 4))).shape
    (1, 6, 6, 8)
    """

    rank = 2


class _SeparableConvolution(_Convolving):
    """A depthwise convolution, then a mixing of the channels at each place."""

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
        self.filters = whole_number(self, "filters", filters)
        self.depth_multiplier = whole_number(self, "depth_multiplier", depth_multiplier)
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
        between = depthwise_convolution(
            inputs, self.depthwise_kernel.value, self.strides, self.padding, self.dilation_rate, self.data_format
        )
        outputs = convolution(between, self.pointwise_kernel.value, data_format=self.data_format)
        return self._finish(inputs, outputs)


@registry.LAYERS.add()
class SeparableConv1D(_SeparableConvolution):
    """Depthwise convolution over ``(batch, steps, channels)``, then a mixing of channels into `filters` outputs.

    Follows https://keras.io/api/layers/convolution_layers/separable_convolution1d/

    >>> SeparableConv1D(6, 3)(jnp.ones((2, 8, 5))).shape
    (2, 6, 6)
    """

    rank = 1


@registry.LAYERS.add()
class SeparableConv2D(_SeparableConvolution):
    """Depthwise convolution over images, then a mixing of channels into `filters` outputs.

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
