"""The convolutional long short-term memory in one to three dimensions, and its cell."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu import activations
from cornu.core import registry
from cornu.core.input_spec import InputSpec
from cornu.core.layer_options import Identifier, LayerOptions, OtherLayerOptions
from cornu.core.settings import standardize_data_format
from cornu.kernels.conv_lstm import Window, conv_lstm, conv_lstm_step
from cornu.kernels.recurrent import Loop
from cornu.layers.argument_checks import check_integer, known_size
from cornu.layers.recurrent.cell import Cell, Noise
from cornu.layers.recurrent.gate_defaults import with_convolutional_gate_defaults
from cornu.layers.recurrent.lstm import make_lstm_bias
from cornu.layers.recurrent.rnn import RNN, OfCell, option_of_cell
from cornu.layers.weight_options import make_weight
from cornu.layers.window_arguments import channel_axis, padding_word, per_dimension, space_axes

Numbers = int | Sequence[int]


@registry.LAYERS.add()
class ConvLSTMCell(Cell):
    """Compute one step of `ConvLSTM1D`, `ConvLSTM2D` or `ConvLSTM3D`.

    Args:
        rank: Number of spatial dimensions, 1 to 3.
        filters: Number of channels of the outputs and of both states.
        kernel_size: Size of the window, an integer or one per dimension.
        strides: How far the window moves over the inputs. Over the state it moves by one.
        padding: ``"valid"`` or ``"same"``, of the inputs. That of the state is ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        dilation_rate: Distance between the elements of the window over the inputs.
        activation: Name or function, for what is taken up and shown; None applies none.
        recurrent_activation: Name or function of the gates.
        use_bias: Whether to add a bias.
        kernel_*, recurrent_*, bias_*: Initializer, regularizer and constraint of each weight.
        unit_forget_bias: Whether the bias of the forget gate starts from one.
        dropout: Fraction of the inputs to drop in training, from 0 to 1.
        recurrent_dropout: Fraction of the state to drop in training, from 0 to 1.
        seed: Integer that makes dropout reproducible.
        **kwargs: Arguments of `Layer`.

    Call arguments:
        inputs: ``(batch, *space, channels)``, or channels second.
        states: A list with the two states, each ``(batch, *new_space, filters)``: the last output, and the memory.
        training: Whether to apply dropout.

    Returns:
        The output ``(batch, *new_space, filters)``, and a list with the two new states.

    Raises:
        ValueError: `filters` is not a positive integer, or `strides` and `dilation_rate` are both above 1.

    >>> import numpy as np
    >>> cell = ConvLSTMCell(2, 4, 3, padding="same")
    >>> zeros = np.zeros((2, 8, 8, 4))
    >>> output, states = cell(np.ones((2, 8, 8, 1)), [zeros, zeros])
    >>> output.shape, len(states)
    ((2, 8, 8, 4), 2)
    """

    computes_all_steps = True  # each gate with dropout of its own, as in Keras
    sizes_states_by_inputs = True
    gates = 4

    @with_convolutional_gate_defaults
    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Numbers,
        strides: Numbers = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Numbers = 1,
        activation: Identifier = "tanh",
        recurrent_activation: Identifier = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        weights = {
            "kernel": (kernel_initializer, kernel_regularizer, kernel_constraint),
            "recurrent": (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            "bias": (bias_initializer, bias_regularizer, bias_constraint),
        }
        self.rank = check_integer(self, "rank", rank)
        self.filters = check_integer(self, "filters", filters)
        self._keep(filters, activation, use_bias, weights, (dropout, recurrent_dropout), seed, implementation=1)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.kernel_size = per_dimension(self, "kernel_size", kernel_size, self.rank)
        self.strides = per_dimension(self, "strides", strides, self.rank)
        self.dilation_rate = per_dimension(self, "dilation_rate", dilation_rate, self.rank)
        self.padding = padding_word(self, padding)
        self.data_format = standardize_data_format(data_format)
        self._refuse_strides_with_dilation()
        self.state_size = [self.filters, self.filters]  # their whole shapes once it is built

    def _refuse_strides_with_dilation(self) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "A convolutional LSTM accepts strides or a dilation_rate above 1, not both; got strides="
                f"{self.strides} and dilation_rate={self.dilation_rate}. Leave one of them at 1."
            )

    def build(self, input_shape: tuple) -> None:
        channels = known_size(self, input_shape, channel_axis(self.data_format))
        width = self.gates * self.filters
        self.kernel = make_weight(self, "kernel", (*self.kernel_size, channels, width))
        self.recurrent_kernel = make_weight(
            self, "recurrent", (*self.kernel_size, self.filters, width), name="recurrent_kernel"
        )
        self.bias = self._make_bias(width) if self.use_bias else None
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={channel_axis(self.data_format): channels})
        self._space = tuple(input_shape[axis] for axis in self._space_axes())
        self.output_size = self._state_shape(self._space)
        self.state_size = [self.output_size, self.output_size]

    def _make_bias(self, width: int) -> Any:
        return make_lstm_bias(self, width)

    def sequences_spec(self) -> InputSpec:
        axis = -1 if self.data_format == "channels_last" else 2
        return InputSpec(ndim=self.rank + 3, axes={axis: self.kernel.shape[-2]} if self.built else None)

    def _space_axes(self) -> tuple[int, ...]:
        return space_axes(self.data_format, self.rank)

    def _state_shape(self, space: Sequence[Any]) -> tuple[Any, ...]:
        """Return the shape of a row of the states, for inputs of the given spatial sizes; None for unknown ones."""
        new = [self._output_length(axis, size) for axis, size in enumerate(space)]
        return (*new, self.filters) if self.data_format == "channels_last" else (self.filters, *new)

    def _output_length(self, axis: int, size: int | None) -> int | None:
        if size is None:
            return None
        reach = (self.kernel_size[axis] - 1) * self.dilation_rate[axis] if self.padding == "valid" else 0
        length = (size - reach - 1) // self.strides[axis] + 1
        if isinstance(length, int) and length <= 0:
            raise ValueError(
                f"A convolutional LSTM with kernel_size={self.kernel_size} and padding='valid' has no output for "
                f"inputs whose spatial dimension {axis} has size {size}: the window is larger.\n"
                "Use padding='same', a smaller kernel_size, or larger inputs."
            )
        return length

    def _space_of(self, shape: Sequence[Any] | None) -> tuple[Any, ...]:
        """Return the spatial sizes of inputs of a given shape, else those that the cell was built with."""
        space = self._space if shape is None else tuple(shape[axis] for axis in self._space_axes())
        if None in space:
            raise ValueError(
                f"{type(self).__name__} needs to know the spatial sizes of its inputs for states of zeros; it knows "
                f"{space}.\nSet them in Input(shape=...), or give the initial states."
            )
        return space

    def get_initial_state(self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> list[Any]:
        """Return states of zeros, each ``(batch_size, *new_space, filters)``, or channels second.

        Args:
            inputs: The inputs of a step, which give the spatial sizes, and the batch size if `batch_size` is None.
            batch_size: Size of the batch.
            dtype: A dtype; None is the layer's compute dtype.
        """
        batch = inputs.shape[0] if batch_size is None else batch_size
        shape = self._state_shape(self._space_of(None if inputs is None else inputs.shape))
        return [jnp.zeros((batch, *shape), dtype or self.compute_dtype) for _ in range(2)]

    def _sizes(self, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        fits = len(shape) == self.rank + 2 and shape[channel_axis(self.data_format)] == self.kernel.shape[-2]
        space = self._space_of(None if None not in self._space and not fits else shape)
        channels = self.kernel.shape[-2]
        inputs = (*space, channels) if self.data_format == "channels_last" else (channels, *space)
        return inputs, self._state_shape(space)

    def _window(self) -> Window:
        return Window(self.strides, self.padding, self.dilation_rate, self.data_format)

    def step(self, inputs: jax.Array, states: Sequence[jax.Array], noise: Noise) -> tuple[jax.Array, list[jax.Array]]:
        kernel, recurrent_kernel, bias = self._arrays()
        functions = (self.activation, self.recurrent_activation)
        return conv_lstm_step(inputs, states, kernel, recurrent_kernel, bias, *noise, *functions, self._window())

    def run(
        self, inputs: jax.Array, states: Sequence[jax.Array], mask: jax.Array | None, noise: Noise, loop: Loop
    ) -> tuple[jax.Array, list[jax.Array]]:
        return conv_lstm(
            inputs,
            *states,
            *self._arrays(),
            mask,
            *noise,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
            window=self._window(),
            loop=loop,
        )


class _ConvLSTM(OfCell, RNN):
    """A convolutional LSTM of any rank: the recurrent layer of a `ConvLSTMCell`."""

    cell: ConvLSTMCell
    rank: int

    @with_convolutional_gate_defaults
    def __init__(
        self,
        filters: int,
        kernel_size: Numbers,
        strides: Numbers = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Numbers = 1,
        activation: Identifier = "tanh",
        recurrent_activation: Identifier = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Unpack[OtherLayerOptions],
    ) -> None:
        cell = ConvLSTMCell(
            self.rank,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            recurrent_activation,
            use_bias,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            unit_forget_bias,
            kernel_regularizer,
            recurrent_regularizer,
            bias_regularizer,
            kernel_constraint,
            recurrent_constraint,
            bias_constraint,
            dropout,
            recurrent_dropout,
            seed,
            name="conv_lstm_cell",
            **self._of_cell(kwargs),
        )
        flags = (return_sequences, return_state, go_backwards, stateful)
        super().__init__(cell, *flags, activity_regularizer=activity_regularizer, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"unroll": self.unroll}


for _name in ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate"):
    setattr(_ConvLSTM, _name, option_of_cell(_name))


@registry.LAYERS.add()
class ConvLSTM1D(_ConvLSTM):
    """Go over sequences of rows with an LSTM whose products are convolutions. Arguments as in `ConvLSTM2D`.

    Shapes:
        Inputs ``(batch, time, rows, channels)``; outputs ``(batch, new_rows, filters)``, or with `return_sequences`
        ``(batch, time, new_rows, filters)``.

    Follows https://keras.io/api/layers/recurrent_layers/conv_lstm1d/

    >>> import numpy as np
    >>> ConvLSTM1D(4, 3, padding="same")(np.ones((2, 5, 8, 1))).shape
    (2, 8, 4)
    """

    rank = 1


@registry.LAYERS.add()
class ConvLSTM2D(_ConvLSTM):
    """Go over sequences of images with an LSTM whose products are convolutions.

    Args:
        filters: Number of channels of the outputs and of both states.
        kernel_size, strides, dilation_rate: Size of the window, how far it moves over the inputs, and the distance
            between its elements there; each an integer or a pair ``(rows, columns)``. Over the state, the window moves
            by one and is not dilated.
        padding: ``"valid"`` or ``"same"``, of the inputs. That of the state is ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        activation: Name or function, for what is taken up and shown; None applies none.
        recurrent_activation: Name or function of the gates.
        use_bias: Whether to add a bias.
        kernel_*, recurrent_*, bias_*: Initializer, regularizer and constraint of the kernel
            ``(*kernel_size, channels, 4 * filters)``, of the recurrent kernel ``(*kernel_size, filters, 4 * filters)``,
            whose gates are in the order input, forget, cell, output, and of the bias ``(4 * filters,)``.
        unit_forget_bias: Whether the bias of the forget gate starts from one.
        activity_regularizer: Penalty on the outputs, added to the loss.
        dropout: Fraction of the inputs to drop in training, from 0 to 1; the same ones in all steps.
        recurrent_dropout: Fraction of the state to drop in training, from 0 to 1; the same ones in all steps.
        seed: Integer that makes dropout reproducible.
        return_sequences, return_state, go_backwards, stateful: As in `LSTM`.
        **kwargs: Arguments of `RNN`, such as `unroll` and `zero_output_for_mask`, and of `Layer`.

    Shapes:
        Inputs ``(batch, time, rows, columns, channels)``, mask ``(batch, time)``; outputs ``(batch, new_rows,
        new_columns, filters)``, or with `return_sequences` ``(batch, time, new_rows, new_columns, filters)``. With
        ``"channels_first"``, channels and filters come before the rows.

    Raises:
        ValueError: `filters` is not a positive integer, `strides` and `dilation_rate` are both above 1, or the window
            is larger than the images.

    Follows https://keras.io/api/layers/recurrent_layers/conv_lstm2d/ and Shi et al. 2015,
    https://arxiv.org/abs/1506.04214

    >>> import numpy as np
    >>> ConvLSTM2D(4, 3, padding="same", return_sequences=True)(np.ones((2, 5, 8, 8, 1))).shape
    (2, 5, 8, 8, 4)
    """

    rank = 2


@registry.LAYERS.add()
class ConvLSTM3D(_ConvLSTM):
    """Go over sequences of volumes with an LSTM whose products are convolutions. Arguments as in `ConvLSTM2D`.

    Shapes:
        Inputs ``(batch, time, depth, rows, columns, channels)``; outputs without the time, or with it
        (`return_sequences`), with new sizes and `filters` channels.

    Follows https://keras.io/api/layers/recurrent_layers/conv_lstm3d/

    >>> import numpy as np
    >>> ConvLSTM3D(2, 2)(np.ones((1, 3, 4, 4, 4, 1))).shape
    (1, 3, 3, 3, 2)
    """

    rank = 3


__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "ConvLSTMCell"]
