"""What the cells of recurrent layers share: their weights and options, and dropout that lasts for a whole sequence."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from cornu import activations
from cornu.core import registry
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.core.scope import scope
from cornu.core.variable import Seed, plain
from cornu.kernels.compiler import as_named_call
from cornu.kernels.random_bits import dropout
from cornu.kernels.recurrent import Loop
from cornu.layers.argument_checks import check_integer, known_size, number_of
from cornu.layers.weight_options import keep_options, make_weight

_ELEMENTARY = {id(activations.tanh): jnp.tanh, id(activations.sigmoid): jax.nn.sigmoid}


class Noise(NamedTuple):
    """Factors of dropout for all steps of a sequence: ``(gates or 1, batch, size)``, or None where nothing drops."""

    inputs: jax.Array | None = None
    states: jax.Array | None = None


class Cell(Layer):
    """The base of `SimpleRNNCell`, `LSTMCell` and `GRUCell`: one step of a recurrent layer.

    A subclass sets `gates`, `_activations` (the names of its activations) and `_all_steps` (the program of a sequence),
    and defines `step`.
    """

    keeps_rows_apart = True
    gates = 1
    _activations: tuple[str, ...] = ("activation", "recurrent_activation")
    _all_steps: Callable[..., Any]
    dropout: float
    recurrent_dropout: float
    implementation = 2  # 1: each gate has dropout of its own
    state_size: Any
    output_size: Any
    bias_initializer: Any
    recurrent_activation: Any

    def _keep(
        self,
        units: Any,
        activation: Any,
        use_bias: bool,
        weights: dict[str, tuple[Any, Any, Any]],
        rates: tuple[Any, Any],
        seed: int | None,
        implementation: int = 2,
    ) -> None:
        """Keep the arguments that all cells have; `weights` are initializer, regularizer and constraint by weight."""
        self.units = check_integer(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        for weight, options in weights.items():
            keep_options(self, weight, *options)
        self.dropout, self.recurrent_dropout = (min(1.0, max(0.0, number_of(rate or 0.0))) for rate in rates)
        self.implementation = 1 if self.recurrent_dropout else implementation
        self.seed = seed
        if self.dropout or self.recurrent_dropout:
            self.seed_generator = Seed(seed)
        self.state_size = self.output_size = self.units

    def build(self, input_shape: tuple) -> None:
        width = self.gates * self.units
        self.kernel = make_weight(self, "kernel", (known_size(self, input_shape), width))
        self.recurrent_kernel = make_weight(self, "recurrent", (self.units, width), name="recurrent_kernel")
        self.bias = self._make_bias(width) if self.use_bias else None

    def remake_bias(self) -> None:
        """Make the bias again, after its form has changed."""
        old: Any = self.bias
        self._weights = [weight for weight in self._weights if weight is not old]
        self.bias = new = self._make_bias(self.gates * self.units)
        new.path, new._frozen, new._trains = old.path, old._frozen, old._trains

    def _make_bias(self, width: int) -> Any:
        return make_weight(self, "bias", (width,))

    def sequences_spec(self) -> InputSpec:
        """Return what sequences the recurrent layer of this cell takes."""
        return InputSpec(ndim=3, axes={-1: self.kernel.shape[0]} if self.built else None)

    def get_initial_state(self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> list[Any]:
        """Return states of zeros, each ``(batch_size, units)``.

        Args:
            inputs: The inputs of a step; the batch size is theirs if `batch_size` is None.
            batch_size: Size of the batch.
            dtype: A dtype; None is the layer's compute dtype.
        """
        sizes = self.state_size if isinstance(self.state_size, (list, tuple)) else [self.state_size]
        batch = inputs.shape[0] if batch_size is None else batch_size
        return [jnp.zeros((batch, size), dtype or self.compute_dtype) for size in sizes]

    def call(self, inputs: jax.Array, states: Any, training: bool = False) -> tuple[Any, Any]:
        several = isinstance(states, (list, tuple))
        noise = (scope.noise or {}).get(id(self)) or self.draw_noise(inputs.shape, training)
        output, after = self.step(inputs, states if several else [states], noise)
        return output, (after if several else after[0])

    def step(self, inputs: jax.Array, states: Sequence[jax.Array], noise: Noise) -> tuple[jax.Array, list[jax.Array]]:
        """Return the output ``(batch, units)`` and the new states for inputs ``(batch, features)``."""
        raise NotImplementedError

    def run(
        self, inputs: jax.Array, states: Sequence[jax.Array], mask: jax.Array | None, noise: Noise, loop: Loop
    ) -> tuple[jax.Array, list[jax.Array]]:
        """Return the outputs and last states for sequences ``(batch, time, features)``."""
        program = functools.partial(
            self._all_steps,
            mask=mask,
            input_noise=noise.inputs,
            noise=noise.states,
            loop=loop,
            **self._functions(),
        )
        return as_named_call(self._name_in_exports(mask, noise, loop), program, inputs, *states, *self._arrays())

    def _name_in_exports(self, mask: Any, noise: Noise, loop: Loop) -> str | None:
        """Return the name by which an export recognizes what `run` computes: what it is, activations, and options."""
        found = [getattr(self, name) for name in self._activations]
        ours = all(registry.table_of(function) is registry.ACTIVATIONS for function in found)
        if mask is not None or noise != Noise() or loop.unroll or not ours:
            return None
        options = {
            "reverse": loop.reverse,
            "sequences": loop.sequences,
            "reset_after": getattr(self, "reset_after", False),
        }
        words = [*(function.__name__ for function in found), *(word for word, holds in options.items() if holds)]
        return "__".join([type(self).__name__, *words])

    def _functions(self) -> dict[str, Any]:
        """Return the activations as the kernels take them, by argument: JAX's own functions where they are the same."""
        found = {name: getattr(self, name) for name in self._activations}
        return {name: _ELEMENTARY.get(id(function), function) for name, function in found.items()}

    def draw_noise(self, shape: tuple[int, ...], training: bool) -> Noise:
        """Return the factors of dropout for the sequences of a batch; the same for all steps (Gal and Ghahramani 2016,
        https://arxiv.org/abs/1512.05287).

        Args:
            shape: The shape of one step of the recurrent layer's inputs, ``(batch, ...)``.
            training: Whether there is dropout at all.
        """
        if not training or not (self.dropout or self.recurrent_dropout):
            return Noise()
        inputs, states = self._sizes(shape)
        return Noise(
            self._factors(self.dropout, shape[0], inputs), self._factors(self.recurrent_dropout, shape[0], states)
        )

    def _sizes(self, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the shapes of a row of the cell's inputs and of a row of a state."""
        return (self.kernel.shape[0],), (self.units,)

    def _factors(self, rate: float, batch: int, size: tuple[int, ...]) -> jax.Array | None:
        if not 0 < rate < 1:
            return None
        ones = jnp.ones((self.gates if self.implementation == 1 else 1, batch, *size), self.compute_dtype)
        return dropout(ones, self.seed_generator.next(), rate)

    def _arrays(self) -> tuple[Any, ...]:
        """Return the weights as the kernels take them."""
        return plain(self.kernel), plain(self.recurrent_kernel), plain(self.bias)


def noise_of(layer: Layer, shape: tuple[int, ...], training: Any) -> dict[int, Noise]:
    """Return the dropout of all cells inside a layer for the sequences of a batch, by the cells' ids.

    Args:
        layer: The cell of a recurrent layer.
        shape: The shape of one step of the inputs, ``(batch, ...)``.
        training: Whether there is dropout at all.
    """
    if not training:
        return {}
    cells = [part for part in layer._flatten_layers() if isinstance(part, Cell) and part.built]
    return {id(cell): cell.draw_noise(shape, training) for cell in cells}
