"""The gated recurrent unit, and its cell."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax

from cornu import activations
from cornu.core import registry
from cornu.core.layer_options import Identifier, LayerOptions, OtherLayerOptions
from cornu.kernels import recurrent
from cornu.layers.recurrent.cell import Cell, Noise
from cornu.layers.recurrent.gate_defaults import with_gate_defaults
from cornu.layers.recurrent.rnn import RNN, OfCell
from cornu.layers.weight_options import make_weight


@registry.LAYERS.add()
class GRUCell(Cell):
    """Compute one step of `GRU`: two gates decide how much of its state is kept and used.

    Args:
        units: Size of the outputs and of the state, a positive integer.
        activation: Name or function, for the new part of the state; None applies none.
        recurrent_activation: Name or function of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel ``(features, 3 * units)``, whose gates are in the order
            update, reset, candidate.
        recurrent_initializer: Initial values of the recurrent kernel ``(units, 3 * units)``.
        bias_initializer: Initial values of the bias ``(2, 3 * units)``, for inputs and state; ``(3 * units,)``
            without `reset_after`.
        kernel_regularizer: Penalty on the kernel. Likewise `recurrent_regularizer`, `bias_regularizer`.
        kernel_constraint: Projection of the kernel after each update. Likewise `recurrent_constraint`,
            `bias_constraint`.
        dropout: Fraction of the inputs to drop in training, from 0 to 1.
        recurrent_dropout: Fraction of the state to drop in training, from 0 to 1.
        reset_after: Whether the reset gate is applied after the product with the recurrent kernel, not before.
        seed: Integer that makes dropout reproducible.
        implementation: 1 gives each gate dropout of its own, as `recurrent_dropout` always does; 0 and 2 do not.
        **kwargs: Arguments of `Layer`.

    Call arguments:
        inputs: ``(batch, features)``.
        states: A list with the state ``(batch, units)``.
        training: Whether to apply dropout.

    Returns:
        The output ``(batch, units)``, and a list with the new state, which is the same.

    Raises:
        ValueError: `units` is not a positive integer.

    Follows https://keras.io/api/layers/recurrent_layers/gru_cell/ and Cho et al. 2014,
    https://arxiv.org/abs/1406.1078

    >>> import numpy as np
    >>> output, states = GRUCell(4)(np.ones((2, 3)), [np.zeros((2, 4))])
    >>> output.shape, len(states)
    ((2, 4), 1)
    """

    computes_all_steps = True
    gates = 3
    _all_steps = staticmethod(recurrent.gru)

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
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
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
        self.reset_after = bool(reset_after)

    def _make_bias(self, width: int) -> Any:
        return make_weight(self, "bias", (2, width) if self.reset_after else (width,))

    def _arrays(self) -> tuple[Any, ...]:
        """Return the kernels, and the biases of the inputs and of the state."""
        kernel, recurrent_kernel, bias = super()._arrays()
        biases = (bias[0], bias[1]) if bias is not None and self.reset_after else (bias, None)
        return kernel, recurrent_kernel, *biases

    def _functions(self) -> dict[str, Any]:
        return super()._functions() | {"reset_after": self.reset_after}

    def step(self, inputs: jax.Array, states: Sequence[jax.Array], noise: Noise) -> tuple[jax.Array, list[jax.Array]]:
        kernel, recurrent_kernel, bias, recurrent_bias = self._arrays()
        return recurrent.gru_step(
            recurrent.project(inputs, kernel, bias, noise.inputs),
            states,
            recurrent_kernel,
            recurrent_bias,
            noise.states,
            self.activation,
            self.recurrent_activation,
            self.reset_after,
        )


@registry.LAYERS.add()
class GRU(OfCell, RNN):
    """Go over sequences with a gated recurrent unit: gates decide how much of its state is kept and used.

    Args:
        units: Size of the outputs and of the state, a positive integer.
        activation: Name or function, for the new part of the state; None applies none.
        recurrent_activation: Name or function of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel ``(features, 3 * units)``, whose gates are in the order
            update, reset, candidate.
        recurrent_initializer: Initial values of the recurrent kernel ``(units, 3 * units)``.
        bias_initializer: Initial values of the bias ``(2, 3 * units)``, for inputs and state; ``(3 * units,)``
            without `reset_after`.
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
        reset_after: Whether the reset gate is applied after the product with the recurrent kernel, not before.
        use_cudnn: Accepted for compatibility.
        implementation: 1 gives each gate dropout of its own, as `recurrent_dropout` always does; 0 and 2 do not.
        **kwargs: Arguments of `RNN`, such as `zero_output_for_mask`, and of `Layer`.

    Shapes:
        Inputs ``(batch, time, features)``, mask ``(batch, time)``; outputs ``(batch, units)``, or
        ``(batch, time, units)`` with `return_sequences`.

    Raises:
        ValueError: `units` is not a positive integer.

    Follows https://keras.io/api/layers/recurrent_layers/gru/

    >>> import numpy as np
    >>> GRU(4)(np.ones((2, 10, 8))).shape
    (2, 4)
    """

    cell: GRUCell

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
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        implementation: int = 2,
        **kwargs: Unpack[OtherLayerOptions],
    ) -> None:
        cell = GRUCell(
            units,
            activation,
            recurrent_activation,
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
            reset_after,
            seed,
            implementation,
            name="gru_cell",
            **self._of_cell(kwargs),
        )
        flags = (return_sequences, return_state, go_backwards, stateful, unroll)
        super().__init__(cell, *flags, activity_regularizer=activity_regularizer, **kwargs)


__all__ = ["GRU", "GRUCell"]
