"""Parts of a recurrent step whose gradients are fast on CPU.

They are derivative rules, so that forward mode, second derivatives and `vmap` work as without them. Milliseconds of
processor time per training step of an LSTM inside a compiled loop, AVX-512, jaxlib 0.12.0; medians of 11 turns:

| batch, time, features, units | 32,80,128,128 | 128,28,28,128 | 32,100,64,64 | 128,40,57,128 | 32,400,16,64 |
|---|---|---|---|---|---|
| plain scan | 23.4 | 20.0 | 6.0 | 38.7 | 27.4 |
| kernels transposed before the loop | | 17.0 | 5.0 | | |
| and gates with a derivative of their own | 15.0 | 15.5 | **5.0** | **27.7** | **18.5** |
| kernels' gradients as one product after the loop (`lstm`) | **12.0** | 17.8 | 5.4 | 30.4 | 24.0 |
| the same by `custom_vjp` | 12.0 | 16.5 | 5.6 | 30.7 | |

With jaxlib 0.10.2, the plain scan, own gates and the product after the loop took 26.5, 18.6, 15.0 for the first shape,
21.9, 17.3, 16.3 for the second, and 6.2, 5.3, 5.2 for the third. A GRU's took 14.7 for the second and 3.4 for the third
with own gates, 18.0 and 3.8 as a plain scan. The machine had other load, so what a second core saves in the product
after the loop is not measured.

Slower: input products of all steps before the loop (5.5 for the third shape; but see `LARGE`), gates computed again in
the backward loop (6.5), two loops of half the batch each (XLA runs loops one after the other), unrolling by 2 or 4,
inputs and state in one product. A sum of the bias's gradient over batch and time took 4.3 ms, a product with ones 0.15.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.custom_derivatives import SymbolicZero

MANY = 6
"""Entries of inputs and state together, per row of a batch, from which one product for the kernels' gradients pays."""


LARGE = 2**16
"""Entries of a kernel from which `lstm` multiplies the inputs of all steps before the loop: with jaxlib 0.10.2 15.6 ms
instead of 17.2 for 32,80,128,128, with 0.12 the same; 5.4 instead of 5.2 for 32,100,64,64."""


class Kernel(NamedTuple):
    """A kernel ``(features, units)`` and its transpose, materialized before a loop for the gradients inside."""

    plain: Array
    transposed: Array


def product(inputs: Array, kernel: Array | Kernel) -> Array:
    """Return ``inputs @ kernel``.

    Args:
        inputs: ``(batch, ..., features)``.
        kernel: ``(features, units)``.
    """
    if not isinstance(kernel, Kernel):
        return inputs @ kernel
    return _product(inputs, *kernel)


def columns(kernel: Array | Kernel, start: int, stop: int) -> Any:
    """Return the columns of a kernel from `start` to `stop`."""
    if not isinstance(kernel, Kernel):
        return kernel[:, start:stop]
    return Kernel(kernel.plain[:, start:stop], kernel.transposed[start:stop])


@jax.custom_jvp
def _product(inputs: Array, kernel: Array, transposed: Array) -> Array:
    return inputs @ kernel


def _product_rule(primals: tuple, tangents: tuple) -> tuple[Array, Any]:
    """Return the derivative. The transpose of its first product is ``upstream @ transposed``."""
    (inputs, _, transposed), (by_inputs, by_kernel, _) = primals, tangents
    out, parts = _product(*primals), []
    if not isinstance(by_inputs, SymbolicZero):
        parts.append(_by_transposed(by_inputs, transposed))
    if not isinstance(by_kernel, SymbolicZero):
        parts.append(inputs @ by_kernel)
    return out, sum(parts[1:], parts[0]) if parts else jnp.zeros_like(out)


_product.defjvp(_product_rule, symbolic_zeros=True)


def _by_transposed(array: Array, transposed: Array) -> Array:
    """Return ``array @ transposed.T``, whose transpose needs no transposition."""
    return lax.dot_general(array, transposed, (((array.ndim - 1,), (1,)), ((), ())))


class _LSTMGates(NamedTuple):
    for_input: Array
    for_forget: Array
    candidate: Array
    for_output: Array


@jax.custom_jvp
def lstm_gates(gates: Array, cell: Array) -> tuple[Array, Array]:
    """Return the new hidden state and cell of an LSTM with tanh and sigmoid.

    Args:
        gates: What the activations are applied to, ``(batch, 4 * units)``.
        cell: ``(batch, units)``.
    """
    i, f, g, o = _lstm_activated(gates)
    cell = f * cell + i * g
    return o * jnp.tanh(cell), cell


def _lstm_activated(gates: Array) -> _LSTMGates:
    i, f, g, o = jnp.split(gates, 4, axis=-1)
    return _LSTMGates(jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o))


class _LSTMFactors(NamedTuple):
    """What a loop keeps of each unit and step for the backward pass."""

    of_input: Array
    of_forget: Array
    of_candidate: Array
    of_output: Array
    of_cell: Array  # in the next cell
    of_shown: Array  # of the next cell in the hidden state


def _lstm_factors(gates: _LSTMGates, cell: Array) -> tuple[tuple[Array, Array], _LSTMFactors]:
    """Return the new hidden state and cell, and the factors of their derivative."""
    i, f, g, o = gates
    after = f * cell + i * g
    shown = jnp.tanh(after)
    factors = _LSTMFactors(
        g * i * (1 - i), cell * f * (1 - f), i * (1 - g * g), shown * o * (1 - o), f, o * (1 - shown * shown)
    )
    return (o * shown, after), factors


def _lstm_linear(factors: _LSTMFactors, by_gates: Array, by_cell: Array) -> tuple[Array, Array]:
    """Return the derivatives of the new hidden state and cell."""
    by_input, by_forget, by_candidate, by_output = jnp.split(by_gates, 4, axis=-1)
    after = factors.of_cell * by_cell
    after += factors.of_input * by_input + factors.of_forget * by_forget + factors.of_candidate * by_candidate
    return factors.of_shown * after + factors.of_output * by_output, after


@lstm_gates.defjvp
def _lstm_gates_rule(primals: tuple, tangents: tuple) -> tuple[tuple, tuple]:
    (gates, cell), (by_gates, by_cell) = primals, tangents
    after, factors = _lstm_factors(_lstm_activated(gates), cell)
    return after, _lstm_linear(factors, by_gates, by_cell)


def has_large_kernels(inputs: Array, kernel: Array) -> bool:
    """Return whether `lstm` is fast: whether adding to the kernels' gradients in each step takes longer.

    Args:
        inputs: ``(batch, time, features)``.
        kernel: ``(features, 4 * units)``.
    """
    return kernel.shape[0] + kernel.shape[1] // 4 >= MANY * inputs.shape[0]


@functools.partial(jax.custom_jvp, nondiff_argnums=(6, 7))
def lstm(
    inputs: Array,
    hidden: Array,
    cell: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None,
    reverse: bool,
    sequences: bool,
) -> tuple[Array | None, Array, Array]:
    """Return all outputs of an LSTM with tanh and sigmoid, if `sequences`, and the last hidden state and cell.

    Args:
        inputs: ``(time, batch, features)``; outputs are ``(time, batch, units)`` in the same order.
        hidden: ``(batch, units)``.
        cell: ``(batch, units)``.
        kernel: ``(features, 4 * units)``.
        recurrent_kernel: ``(units, 4 * units)``.
        bias: ``(4 * units,)`` or None.
        reverse: Whether to begin with the last step.
        sequences: Whether to return all outputs.
    """

    before, project = _projections(inputs, kernel, bias)

    def step(states: tuple[Array, Array], now: Array) -> tuple[tuple[Array, Array], Array | None]:
        states = lstm_gates(project(now) + states[0] @ recurrent_kernel, states[1])
        return states, states[0] if sequences else None

    (hidden, cell), outputs = lax.scan(step, (hidden, cell), before, reverse=reverse)
    return outputs, hidden, cell


def _projections(inputs: Array, kernel: Array, bias: Array | None) -> tuple[Array, Callable[[Array], Array]]:
    """Return what a loop goes over, and a function that gives ``inputs @ kernel + bias`` for one step of it."""

    def project(inputs: Array) -> Array:
        return inputs @ kernel if bias is None else inputs @ kernel + bias

    return (project(inputs), lambda now: now) if kernel.size >= LARGE else (inputs, project)


def _lstm_rule(reverse: bool, sequences: bool, primals: tuple, tangents: tuple) -> tuple[tuple, tuple]:
    """Return the derivative: one product for what weights and inputs add to the gates of all steps, and a linear loop.

    So in the backward pass, which is the transpose, the kernels' gradient is one product after the loop.
    """
    inputs, hidden, cell, kernel, recurrent_kernel, bias = primals
    by_inputs, by_hidden, by_cell, by_kernel, by_recurrent_kernel, by_bias = tangents
    projected, project = _projections(inputs, kernel, bias)
    transposed = recurrent_kernel.T

    def step(states: tuple[Array, Array], now: Array) -> tuple[tuple[Array, Array], tuple]:
        gates = _lstm_activated(project(now) + states[0] @ recurrent_kernel)
        after, factors = _lstm_factors(gates, states[1])
        return after, (after[0] if sequences else None, states[0], factors)

    last, (outputs, before, factors) = lax.scan(step, (hidden, cell), projected, reverse=reverse)
    ones = jnp.ones((*inputs.shape[:2], 1), inputs.dtype)
    pairs = [(inputs, by_kernel), (before, by_recurrent_kernel), (ones, None if bias is None else by_bias)]
    pairs = [(left, right) for left, right in pairs if right is not None and not isinstance(right, SymbolicZero)]
    added: Any = jnp.zeros((), inputs.dtype)
    if pairs:
        right = jnp.concatenate([jnp.atleast_2d(right) for _, right in pairs])
        added = jnp.concatenate([left for left, _ in pairs], axis=-1) @ right
    if not isinstance(by_inputs, SymbolicZero):
        added = added + _by_transposed(by_inputs, kernel.T)
    added = jnp.broadcast_to(added, (*inputs.shape[:2], kernel.shape[-1]))

    def linear(states: tuple[Array, Array], given: tuple) -> tuple[tuple[Array, Array], Array | None]:
        added, factors = given
        states = _lstm_linear(factors, added + _by_transposed(states[0], transposed), states[1])
        return states, states[0] if sequences else None

    first = (_instantiated(by_hidden, hidden), _instantiated(by_cell, cell))
    by_last, by_outputs = lax.scan(linear, first, (added, factors), reverse=reverse)
    return (outputs, *last), (by_outputs, *by_last)


lstm.defjvp(_lstm_rule, symbolic_zeros=True)


def _instantiated(tangent: Any, like: Array) -> Array:
    return jnp.zeros_like(like) if isinstance(tangent, SymbolicZero) else tangent


@jax.custom_jvp
def gru_gates(projected: Array, recurrent: Array, hidden: Array) -> Array:
    """Return the new state of a GRU with tanh and sigmoid, whose reset gate is applied after the product.

    Args:
        projected: Inputs times kernel, ``(batch, 3 * units)``.
        recurrent: State times recurrent kernel, ``(batch, 3 * units)``.
        hidden: ``(batch, units)``.
    """
    update, _, candidate, _ = _gru_activated(projected, recurrent)
    return update * hidden + (1 - update) * candidate


def _gru_activated(projected: Array, recurrent: Array) -> tuple[Array, Array, Array, Array]:
    """Return update gate, reset gate, candidate, and the candidate's part of `recurrent`."""
    update_x, reset_x, candidate_x = jnp.split(projected, 3, axis=-1)
    update_h, reset_h, candidate_h = jnp.split(recurrent, 3, axis=-1)
    reset = jax.nn.sigmoid(reset_x + reset_h)
    return jax.nn.sigmoid(update_x + update_h), reset, jnp.tanh(candidate_x + reset * candidate_h), candidate_h


@gru_gates.defjvp
def _gru_derivative(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    """Return the derivative. A loop keeps five factors of each unit and step for the backward pass."""
    (projected, recurrent, hidden), (by_projected, by_recurrent, by_hidden) = primals, tangents
    update, reset, candidate, candidate_h = _gru_activated(projected, recurrent)
    update_x, reset_x, candidate_x = jnp.split(by_projected, 3, axis=-1)
    update_h, reset_h, candidate_h_by = jnp.split(by_recurrent, 3, axis=-1)
    by_candidate = candidate_x + reset * candidate_h_by + (candidate_h * reset * (1 - reset)) * (reset_x + reset_h)
    by_update = (hidden - candidate) * update * (1 - update)
    by_output = update * by_hidden + by_update * (update_x + update_h)
    by_output += ((1 - update) * (1 - candidate * candidate)) * by_candidate
    return update * hidden + (1 - update) * candidate, by_output
