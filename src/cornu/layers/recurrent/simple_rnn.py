"""The fully connected recurrent layer, and its cell."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax

from cornu.core import registry
from cornu.core.layer_options import Identifier, LayerOptions, OtherLayerOptions
from cornu.kernels import recurrent
from cornu.layers.recurrent.cell import Cell, Noise
from cornu.layers.recurrent.rnn import RNN, OfCell


@registry.LAYERS.add()
class SimpleRNNCell(Cell):
    """Compute one step of `SimpleRNN`: ``activation(inputs @ kernel + bias + state @ recurrent_kernel)``.

    Args:
        units: Size of the outputs and of the state, a positive integer.
        activation: Name or function; None applies none.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel ``(features, units)``.
        recurrent_initializer: Initial values of the recurrent kernel ``(units, units)``.
        bias_initializer: Initial values of the bias ``(units,)``.
        kernel_regularizer: Penalty on the kernel. Likewise `recurrent_regularizer`, `bias_regularizer`.
        kernel_constraint: Projection of the kernel after each update. Likewise `recurrent_constraint`,
            `bias_constraint`.
        dropout: Fraction of the inputs to drop in training, from 0 to 1.
        recurrent_dropout: Fraction of the state to drop in training, from 0 to 1.
        seed: Integer that makes dropout reproducible.
        **kwargs: Arguments of `Layer`.

    Call arguments:
        inputs: ``(batch, features)``.
        states: A list with the state ``(batch, units)``.
        training: Whether to apply dropout.

    Returns:
        The output ``(batch, units)``, and a list with the new state, which is the same.

    Raises:
        ValueError: `units` is not a positive integer.

    Follows https://keras.io/api/layers/recurrent_layers/simple_rnn_cell/

    >>> import numpy as np
    >>> output, states = SimpleRNNCell(4)(np.ones((2, 3)), [np.zeros((2, 4))])
    >>> output.shape, len(states)
    ((2, 4), 1)
    """

    computes_all_steps = True
    _activations = ("activation",)
    _all_steps = staticmethod(recurrent.simple_rnn)

    def __init__(
        self,
        units: int,
        activation: Identifier = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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
        self._keep(units, activation, use_bias, weights, (dropout, recurrent_dropout), seed)
        self.implementation = 2  # there is one gate

    def step(self, inputs: jax.Array, states: Sequence[jax.Array], noise: Noise) -> tuple[jax.Array, list[jax.Array]]:
        kernel, recurrent_kernel, bias = self._arrays()
        projected = recurrent.project(inputs, kernel, bias, noise.inputs)
        return recurrent.simple_rnn_step(projected, states, recurrent_kernel, noise.states, self.activation)


@registry.LAYERS.add()
class SimpleRNN(OfCell, RNN):
    """Go over sequences with a fully connected layer that gets its last output as a second input.

    Args:
        units: Size of the outputs and of the state, a positive integer.
        activation: Name or function; None applies none.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel ``(features, units)``.
        recurrent_initializer: Initial values of the recurrent kernel ``(units, units)``.
        bias_initializer: Initial values of the bias ``(units,)``.
        kernel_regularizer: Penalty on the kernel. Likewise `recurrent_regularizer`, `bias_regularizer`.
        activity_regularizer: Penalty on the outputs, added to the loss.
        kernel_constraint: Projection of the kernel after each update. Likewise `recurrent_constraint`,
            `bias_constraint`.
        dropout: Fraction of the inputs to drop in training, from 0 to 1; the same ones in all steps.
        recurrent_dropout: Fraction of the state to drop in training, from 0 to 1; the same ones in all steps.
        return_sequences: Whether to return the outputs of all steps, not of the last one only.
        return_state: Whether to return the last state after the outputs.
        go_backwards: Whether to begin with the last step. Outputs are in the order in which they are computed.
        stateful: Whether the last state of each row is the first one of the same row in the next batch.
        unroll: Whether to compile the steps one after the other instead of as a loop.
        seed: Integer that makes dropout reproducible.
        **kwargs: Arguments of `RNN`, such as `zero_output_for_mask`, and of `Layer`.

    Shapes:
        Inputs ``(batch, time, features)``, mask ``(batch, time)``; outputs ``(batch, units)``, or
        ``(batch, time, units)`` with `return_sequences`.

    Raises:
        ValueError: `units` is not a positive integer.

    Follows https://keras.io/api/layers/recurrent_layers/simple_rnn/

    >>> import numpy as np
    >>> SimpleRNN(4)(np.ones((2, 10, 8))).shape
    (2, 4)
    """

    cell: SimpleRNNCell

    def __init__(
        self,
        units: int,
        activation: Identifier = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Unpack[OtherLayerOptions],
    ) -> None:
        cell = SimpleRNNCell(
            units,
            activation,
            use_bias,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            kernel_regularizer,
            recurrent_regularizer,
            bias_regularizer,
            kernel_constraint,
            recurrent_constraint,
            bias_constraint,
            dropout,
            recurrent_dropout,
            seed,
            name="simple_rnn_cell",
            **self._of_cell(kwargs),
        )
        flags = (return_sequences, return_state, go_backwards, stateful, unroll)
        super().__init__(cell, *flags, activity_regularizer=activity_regularizer, **kwargs)


__all__ = ["SimpleRNN", "SimpleRNNCell"]
