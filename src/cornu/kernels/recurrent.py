"""Recurrent layers as array programs: one loop over time steps, and the steps of SimpleRNN, LSTM and GRU.

A step has two parts: `project` multiplies inputs with the kernel, of one step or of all; the rest computes the new
states from that and the last states. Arrays of sequences are ``(batch, time, ...)`` outside of the loop.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from cornu.core.jax_internals import TRANSPOSES_LINEAR_LOOPS
from cornu.kernels import recurrent_cpu
from cornu.kernels.compiler import as_one_program, takes_cpu_forms
from cornu.kernels.recurrent_cpu import Kernel, columns, product

Activation = Callable[[Array], Array]


class Loop(NamedTuple):
    """How a loop goes over time steps.

    Args:
        reverse: Whether to begin with the last step. Outputs are in the order in which they are computed.
        unroll: Whether to compile one step after the other instead of a loop.
        sequences: Whether to return the outputs of all steps, not of the last one only.
        zero_masked: Whether the output of a masked step is zero, instead of the one before.
    """

    reverse: bool = False
    unroll: bool = False
    sequences: bool = False
    zero_masked: bool = False


#: The batch's axis in the arguments of a loop.
ROWS = {"inputs": 0, "hidden": 0, "cell": 0, "mask": 0, "input_noise": 1, "noise": 1}


def over_time(
    step: Callable[[Any, Any], tuple[Any, Any]],
    inputs: Any,
    states: Any,
    mask: Array | None,
    loop: Loop,
    first_output: Any = None,
    scan: Callable = lax.scan,
) -> tuple[Any, Any]:
    """Return the outputs and the last states of ``output, states = step(inputs, states)`` over the time axis.

    A masked step keeps the states, and repeats the output of the step before.

    Args:
        step: Computes one time step.
        inputs: An array ``(batch, time, ...)``, or a structure of them.
        states: The first states, each ``(batch, ...)``.
        mask: Booleans ``(batch, time)``, False where a step is masked; None masks none.
        loop: How to go over the steps.
        first_output: What a masked first step repeats. None if the output is the first of the states.
        scan: `jax.lax.scan`, or a function like it.

    Returns:
        The last output ``(batch, ...)``, or all of them ``(batch, time, ...)``; and the last states.
    """
    carries = first_output is not None
    if mask is not None and loop.zero_masked and not carries:
        carries, first_output = True, jnp.zeros_like(states[0])

    def body(carry: tuple[Any, Any], given: tuple[Any, Any]) -> tuple[tuple[Any, Any], Any]:
        (before, last), (now, keep) = carry, given
        output, after = step(now, before)
        if keep is not None:
            after = jax.tree.map(lambda new, old: _where(keep, new, old), after, before)
            repeated = last if carries else before[0]
            output = jax.tree.map(
                lambda new, old: _where(keep, new, jnp.zeros_like(new) if loop.zero_masked else old), output, repeated
            )
        return (after, output if carries else None), output if loop.sequences else None

    by_time = jax.tree.map(time_first, (inputs, None if mask is None else mask.astype(bool)))
    (states, last), outputs = scan(body, (states, first_output), by_time, reverse=loop.reverse, unroll=loop.unroll or 1)
    if not loop.sequences:
        return (last if carries else states[0]), states
    return jax.tree.map(lambda array: time_first(jnp.flip(array, axis=0) if loop.reverse else array), outputs), states


def time_first(array: Array) -> Array:
    """Swap the first two axes, the batch and the time."""
    return jnp.swapaxes(array, 0, 1)


def _where(keep: Array, new: Array, old: Array) -> Array:
    return jnp.where(keep.reshape(keep.shape[:1] + (1,) * (new.ndim - 1)), new, old)


def project(inputs: Array, kernel: Array | Kernel, bias: Array | None, noise: Array | None) -> Array:
    """Return ``inputs @ kernel + bias``.

    Args:
        inputs: ``(batch, ..., features)``.
        kernel: ``(features, gates * units)``.
        bias: ``(gates * units,)`` or None.
        noise: Factors of dropout ``(gates or 1, batch, features)``, the same for all steps; None for none.
    """
    projected = _gated(inputs, kernel, noise)
    return projected if bias is None else projected + bias


def _gated(inputs: Array, kernel: Array | Kernel, noise: Array | None) -> Array:
    """Return ``inputs @ kernel``, with inputs that differ from gate to gate by factors of dropout."""
    if noise is None:
        return product(inputs, kernel)
    noise = noise.reshape(*noise.shape[:2], *(1,) * (inputs.ndim - 2), noise.shape[-1])
    if len(noise) == 1:
        return product(inputs * noise[0], kernel)
    units = (kernel.plain if isinstance(kernel, Kernel) else kernel).shape[-1] // len(noise)
    parts = [columns(kernel, gate * units, (gate + 1) * units) for gate in range(len(noise))]
    products = [product(inputs * factors, part) for factors, part in zip(noise, parts, strict=True)]
    return jnp.concatenate(products, axis=-1)


def _for_loop(kernel: Array) -> Array | Kernel:
    """Return a kernel as the steps of a loop take it: on CPU together with its transpose."""
    return Kernel(kernel, kernel.T) if takes_cpu_forms() else kernel


def _has_own_derivative(kernel: Array | Kernel, activation: Activation, gate: Activation) -> bool:
    """Return whether `recurrent_cpu` has the derivative of the gates: in a loop on CPU, of tanh and sigmoid."""
    usual = activation is jnp.tanh and gate is jax.nn.sigmoid
    return usual and isinstance(kernel, Kernel) and kernel.plain.dtype.itemsize >= 4


def simple_rnn_step(
    projected: Array,
    states: Sequence[Array],
    recurrent_kernel: Array | Kernel,
    noise: Array | None,
    activation: Activation,
) -> tuple[Array, list[Array]]:
    """Return the output and states of one step of SimpleRNN (Elman 1990), from projected inputs ``(batch, units)``."""
    output = activation(projected + _gated(states[0], recurrent_kernel, noise))
    return output, [output]


def lstm_step(
    projected: Array,
    states: Sequence[Array],
    recurrent_kernel: Array | Kernel,
    noise: Array | None,
    activation: Activation,
    recurrent_activation: Activation,
) -> tuple[Array, list[Array]]:
    """Return the output and states of one step of an LSTM, from projected inputs ``(batch, 4 * units)``.

    The gates are in the order input, forget, cell, output. Follows Hochreiter and Schmidhuber 1997,
    https://doi.org/10.1162/neco.1997.9.8.1735
    """
    hidden, cell = states
    gates = projected + _gated(hidden, recurrent_kernel, noise)
    if _has_own_derivative(recurrent_kernel, activation, recurrent_activation):
        hidden, cell = recurrent_cpu.lstm_gates(gates, cell)
        return hidden, [hidden, cell]
    return lstm_states(gates, cell, activation, recurrent_activation)


def lstm_states(
    gates: Array, cell: Array, activation: Activation, recurrent_activation: Activation, axis: int = -1
) -> tuple[Array, list[Array]]:
    """Return the output and states of an LSTM from what its gates get, which are side by side along an axis."""
    for_input, for_forget, candidate, for_output = jnp.split(gates, 4, axis=axis)
    cell = recurrent_activation(for_forget) * cell + recurrent_activation(for_input) * activation(candidate)
    hidden = recurrent_activation(for_output) * activation(cell)
    return hidden, [hidden, cell]


def gru_step(
    projected: Array,
    states: Sequence[Array],
    recurrent_kernel: Array | Kernel,
    recurrent_bias: Array | None,
    noise: Array | None,
    activation: Activation,
    recurrent_activation: Activation,
    reset_after: bool,
) -> tuple[Array, list[Array]]:
    """Return the output and states of one step of a GRU, from projected inputs ``(batch, 3 * units)``.

    The gates are in the order update, reset, candidate. Follows Cho et al. 2014, https://arxiv.org/abs/1406.1078, whose
    first version multiplies with the reset gate after the product (`reset_after`), and whose third before it.
    """
    hidden = states[0]
    units = hidden.shape[-1]
    update_x, reset_x, candidate_x = jnp.split(projected, 3, axis=-1)
    if reset_after:
        recurrent = _gated(hidden, recurrent_kernel, noise)
        if recurrent_bias is not None:
            recurrent = recurrent + recurrent_bias
        if _has_own_derivative(recurrent_kernel, activation, recurrent_activation):
            output = recurrent_cpu.gru_gates(projected, recurrent, hidden)
            return output, [output]
        update_h, reset_h, candidate_h = jnp.split(recurrent, 3, axis=-1)
        reset = recurrent_activation(reset_x + reset_h)
        candidate = activation(candidate_x + reset * candidate_h)
    else:
        several = noise is not None and len(noise) > 1
        first, last = (noise[:2], noise[2:]) if several else (noise, noise)  # type: ignore[index]
        update_h, reset_h = jnp.split(_gated(hidden, columns(recurrent_kernel, 0, 2 * units), first), 2, axis=-1)
        reset = recurrent_activation(reset_x + reset_h)
        candidate = activation(
            candidate_x + _gated(reset * hidden, columns(recurrent_kernel, 2 * units, 3 * units), last)
        )
    update = recurrent_activation(update_x + update_h)
    output = update * hidden + (1 - update) * candidate
    return output, [output]


@as_one_program("activation", "loop", rows=ROWS)
def simple_rnn(
    inputs: Array,
    hidden: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None,
    mask: Array | None,
    input_noise: Array | None,
    noise: Array | None,
    *,
    activation: Activation,
    loop: Loop,
) -> tuple[Array, list[Array]]:
    """Return the outputs and last states of a SimpleRNN over ``(batch, time, features)``."""
    by_inputs, by_states = _for_loop(kernel), _for_loop(recurrent_kernel)

    def step(now: Array, states: Sequence[Array]) -> tuple[Array, list[Array]]:
        return simple_rnn_step(project(now, by_inputs, bias, input_noise), states, by_states, noise, activation)

    return over_time(step, inputs, [hidden], mask, loop)


@as_one_program("activation", "recurrent_activation", "loop", rows=ROWS)
def lstm(
    inputs: Array,
    hidden: Array,
    cell: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None,
    mask: Array | None,
    input_noise: Array | None,
    noise: Array | None,
    *,
    activation: Activation,
    recurrent_activation: Activation,
    loop: Loop,
) -> tuple[Array, list[Array]]:
    """Return the outputs and last states of an LSTM over ``(batch, time, features)``."""
    by_inputs, by_states = _for_loop(kernel), _for_loop(recurrent_kernel)
    usual = _has_own_derivative(by_states, activation, recurrent_activation)
    varies = mask is not None or input_noise is not None or noise is not None or loop.unroll
    if TRANSPOSES_LINEAR_LOOPS and usual and not varies and recurrent_cpu.has_large_kernels(inputs, kernel):
        return _lstm_at_once(inputs, hidden, cell, kernel, recurrent_kernel, bias, loop)

    def step(now: Array, states: Sequence[Array]) -> tuple[Array, list[Array]]:
        projected = project(now, by_inputs, bias, input_noise)
        return lstm_step(projected, states, by_states, noise, activation, recurrent_activation)

    return over_time(step, inputs, [hidden, cell], mask, loop)


def _lstm_at_once(
    inputs: Array,
    hidden: Array,
    cell: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None,
    loop: Loop,
) -> tuple[Array, list[Array]]:
    """Compute what `lstm` does in the form of `recurrent_cpu`."""
    inputs = time_first(inputs)
    outputs, hidden, cell = recurrent_cpu.lstm(
        inputs, hidden, cell, kernel, recurrent_kernel, bias, loop.reverse, loop.sequences
    )
    if outputs is None:
        return hidden, [hidden, cell]
    return time_first(jnp.flip(outputs, axis=0) if loop.reverse else outputs), [hidden, cell]


@as_one_program("activation", "recurrent_activation", "reset_after", "loop", rows=ROWS)
def gru(
    inputs: Array,
    hidden: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None,
    recurrent_bias: Array | None,
    mask: Array | None,
    input_noise: Array | None,
    noise: Array | None,
    *,
    activation: Activation,
    recurrent_activation: Activation,
    reset_after: bool,
    loop: Loop,
) -> tuple[Array, list[Array]]:
    """Return the outputs and last states of a GRU over ``(batch, time, features)``."""
    by_inputs, by_states = _for_loop(kernel), _for_loop(recurrent_kernel)

    def step(now: Array, states: Sequence[Array]) -> tuple[Array, list[Array]]:
        projected = project(now, by_inputs, bias, input_noise)
        return gru_step(
            projected, states, by_states, recurrent_bias, noise, activation, recurrent_activation, reset_after
        )

    return over_time(step, inputs, [hidden], mask, loop)
