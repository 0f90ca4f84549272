"""The long short-term memory, and its cell."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu import activations, initializers
from cornu.core import registry
from cornu.core.layer_options import Identifier, LayerOptions, OtherLayerOptions
from cornu.kernels import recurrent
from cornu.layers.recurrent.cell import Cell, Noise
from cornu.layers.recurrent.gate_defaults import with_gate_defaults
from cornu.layers.recurrent.rnn import RNN, OfCell
from cornu.layers.weight_options import make_weight


@registry.LAYERS.add()
class LSTMCell(Cell):
    """Compute one step of `LSTM`: three gates decide what its memory takes up, keeps, and shows.

    Args:
        units: Size of the outputs and of both states, a positive integer.
        activation: Name or function, for what is taken up and shown; None applies none.
        recurrent_activation: Name or function of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel ``(features, 4 * units)``, whose gates are in the order
            input, forget, cell, output.
        recurrent_initializer: Initial values of the recurrent kernel ``(units, 4 * units)``.
        bias_initializer: Initial values of the bias ``(4 * units,)``.
        unit_forget_bias: Whether the bias of the forget gate starts from one.
        kernel_regularizer: Penalty on the kernel. Likewise `recurrent_regularizer`, `bias_regularizer`.
        kernel_constraint: Projection of the kernel after each update. Likewise `recurrent_constraint`,
            `bias_constraint`.
        dropout: Fraction of the inputs to drop in training, from 0 to 1.
        recurrent_dropout: Fraction of the state to drop in training, from 0 to 1.
        seed: Integer that makes dropout reproducible.
        implementation: 1 gives each gate dropout of its own, as `recurrent_dropout` always does; 0 and 2 do not.
        **kwargs: Arguments of `Layer`.

    Call arguments:
        inputs: ``(batch, features)``.
        states: A list with the two states, each ``(batch, units)``: the last output, and the memory.
        training: Whether to apply dropout.

    Returns:
        The output ``(batch, units)``, and a list with the two new states, of which the first is the output.

    Raises:
        ValueError: `units` is not a positive integer.

    Follows https://keras.io/api/layers/recurrent_layers/lstm_cell/ and Hochreiter and Schmidhuber 1997,
    https://doi.org/10.1162/neco.1997.9.8.1735

    >>> import numpy as np
    >>> output, states = LSTMCell(4)(np.ones((2, 3)), [np.zeros((2, 4)), np.zeros((2, 4))])
    >>> output.shape, len(states)
    ((2, 4), 2)
    """

    computes_all_steps = True
    gates = 4
    _all_steps = staticmethod(recurrent.lstm)

    @with_gate_defaults
    def __init__(
        self,
        units: int,
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
        implementation: int = 2,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        weights = {
            "kernel": (kernel_initializer, kernel_regularizer, kernel_constraint),
            "recurrent": (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            "bias": (bias_initializer, bias_regularizer, bias_constraint),
        }
        self._keep(units, activation, use_bias, weights, (dropout, recurrent_dropout), seed, implementation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.units, self.units]

    def _make_bias(self, width: int) -> Any:
        return make_lstm_bias(self, width)

    def step(self, inputs: jax.Array, states: Sequence[jax.Array], noise: Noise) -> tuple[jax.Array, list[jax.Array]]:
        kernel, recurrent_kernel, bias = self._arrays()
        projected = recurrent.project(inputs, kernel, bias, noise.inputs)
        return recurrent.lstm_step(
            projected, states, recurrent_kernel, noise.states, self.activation, self.recurrent_activation
        )


def make_lstm_bias(cell: Any, width: int) -> Any:
    """Make the bias of an LSTM's cell. With `unit_forget_bias` it has ones for the forget gate, the second of four."""
    initializer, units = cell.bias_initializer, width // 4

    def with_ones_to_forget(shape: Any, dtype: Any = None, **_: Any) -> jax.Array:
        ones = initializers.Ones()((units,), dtype)
        return jnp.concatenate([initializer((units,), dtype), ones, initializer((2 * units,), dtype)])

    chosen = with_ones_to_forget if cell.unit_forget_bias else initializer
    return make_weight(cell, "bias", (width,), initializer=chosen)


@registry.LAYERS.add()
class LSTM(OfCell, RNN):
    """Go over sequences with a long short-term memory: gates decide what it takes up, keeps, and shows.

    Args:
        units: Size of the outputs and of both states, a positive integer.
        activation: Name or function, for what is taken up and shown; None applies none.
        recurrent_activation: Name or function of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel ``(features, 4 * units)``, whose gates are in the order
            input, forget, cell, output.
        recurrent_initializer: Initial values of the recurrent kernel ``(units, 4 * units)``.
        bias_initializer: Initial values of the bias ``(4 * units,)``.
        unit_forget_bias: Whether the bias of the forget gate starts from one.
        kernel_regularizer: Penalty on the kernel. Likewise `recurrent_regularizer`, `bias_regularizer`.
        activity_regularizer: Penalty on the outputs, added to the loss.
        kernel_constraint: Projection of the kernel after each update. Likewise `recurrent_constraint`,
            `bias_constraint`.
        dropout: Fraction of the inputs to drop in training, from 0 to 1; the same ones in all steps.
        recurrent_dropout: Fraction of the state to drop in training, from 0 to 1; the same ones in all steps.
        seed: Integer that makes dropout reproducible.
        return_sequences: Whether to return the outputs of all steps, not of the last one only.
        return_state: Whether to return the last state after the outputs.
        go_backwards: Whether to begin with the last step. Outputs are in the order in which they are computed.
        stateful: Whether the last state of each row is the first one of the same row in the next batch.
        unroll: Whether to compile the steps one after the other instead of as a loop.
        use_cudnn: Accepted for compatibility.
        implementation: 1 gives each gate dropout of its own, as `recurrent_dropout` always does; 0 and 2 do not.
        **kwargs: Arguments of `RNN`, such as `zero_output_for_mask`, and of `Layer`.

    Shapes:
        Inputs ``(batch, time, features)``, mask ``(batch, time)``; outputs ``(batch, units)``, or
        ``(batch, time, units)`` with `return_sequences`.

    Raises:
        ValueError: `units` is not a positive integer.

    Follows https://keras.io/api/layers/recurrent_layers/lstm/

    >>> import numpy as np
    >>> LSTM(4)(np.ones((2, 10, 8))).shape
    (2, 4)
    """

    cell: LSTMCell

    @with_gate_defaults
    def __init__(
        self,
        units: int,
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
        unroll: bool = False,
        use_cudnn: Any = "auto",
        implementation: int = 2,
        **kwargs: Unpack[OtherLayerOptions],
    ) -> None:
        cell = LSTMCell(
            units,
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
            implementation,
            name="lstm_cell",
            **self._of_cell(kwargs),
        )
        flags = (return_sequences, return_state, go_backwards, stateful, unroll)
        super().__init__(cell, *flags, activity_regularizer=activity_regularizer, **kwargs)


__all__ = ["LSTM", "LSTMCell"]
