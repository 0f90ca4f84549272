"""The wrapper that goes over sequences in both directions."""

from typing import Any

import jax
import jax.numpy as jnp

from cornu.core import registry
from cornu.core.layer import Layer
from cornu.core.ownership import declares
from cornu.core.rows_apart import CALLING
from cornu.core.scope import scope
from cornu.core.serialization import described, keep_left_out
from cornu.core.signature import call_signature
from cornu.kernels.padded_steps import reversed_steps
from cornu.layers.recurrent.rnn import check_sequences, mask_of_outputs, take_apart

MERGES = {
    "concat": lambda forward, backward: jnp.concatenate([forward, backward], axis=-1),
    "sum": lambda forward, backward: forward + backward,
    "mul": lambda forward, backward: forward * backward,
    "ave": lambda forward, backward: (forward + backward) / 2,
    None: lambda forward, backward: (forward, backward),
}
COMMON = ("stateful", "return_sequences", "return_state")


@registry.LAYERS.add()
class Bidirectional(Layer):
    """Go over sequences with two recurrent layers, one from the first step on and one from the last.

    Args:
        layer: A recurrent layer. The two halves are made from its config, with new weights, as ``forward_NAME`` and
            ``backward_NAME``.
        merge_mode: How the outputs are joined: ``"concat"``, ``"sum"``, ``"mul"``, ``"ave"``, or None for both.
        weights: Initial weights, those of the forward half first.
        backward_layer: The recurrent layer for the other direction; None makes it like `layer`.
        **kwargs: Arguments of `Layer`.

    Call arguments:
        sequences: ``(batch, time, features)``, or a list with the initial states behind them.
        initial_state: The first states of the forward half, then those of the backward half, a list.
        mask: Booleans ``(batch, time)``.
        training: Whether the halves train.

    Returns:
        The joined outputs, in the order of the inputs; where `layer` returns its states, those of both halves too.

    Raises:
        TypeError: `layer` or `backward_layer` is not a layer.
        ValueError: `merge_mode` is unknown, both halves go in one direction, or they return different things.

    Follows https://keras.io/api/layers/recurrent_layers/bidirectional/

    >>> import numpy as np
    >>> from cornu.layers import LSTM
    >>> Bidirectional(LSTM(4))(np.ones((2, 10, 8))).shape
    (2, 8)
    """

    supports_masking = True
    keeps_rows_apart = True

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if merge_mode not in MERGES:
            raise ValueError(
                f"Bidirectional joins outputs by one of {', '.join(map(repr, MERGES))}; got merge_mode={merge_mode!r}."
            )
        for given in (layer, backward_layer):
            if given is not None and not (isinstance(given, Layer) and hasattr(given, "go_backwards")):
                raise TypeError(
                    f"Bidirectional wraps a recurrent layer, such as Bidirectional(LSTM(32)); got {given!r} "
                    f"({type(given).__name__})."
                )
        self.merge_mode = merge_mode
        self.forward_layer = _copied(layer, "forward")
        self.backward_layer = backward_layer or _copied(
            layer, "backward", go_backwards=not self.forward_layer.go_backwards
        )
        self._check_halves()
        for half in (self.forward_layer, self.backward_layer):
            half.zero_output_for_mask = half.return_sequences
        if weights is not None:
            self.forward_layer._initial_weights = weights[: len(weights) // 2]
            self.backward_layer._initial_weights = weights[len(weights) // 2 :]
        self.stateful = layer.stateful
        self.return_sequences, self.return_state = layer.return_sequences, layer.return_state
        self.input_spec = layer.input_spec

    def _check_halves(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                f"Bidirectional {self.name!r}: one of its layers must go backwards; {forward.name!r} and "
                f"{backward.name!r} both have go_backwards={forward.go_backwards}. Change it for the second."
            )
        for name in COMMON:
            if getattr(forward, name) != getattr(backward, name):
                raise ValueError(
                    f"Bidirectional {self.name!r}: its layers must agree in {name}; {forward.name!r} has "
                    f"{getattr(forward, name)}, {backward.name!r} has {getattr(backward, name)}."
                )

    @property
    def leaves_steps_out(self) -> bool:
        """Whether steps can be padded: both layers mask them."""
        return all(declares(half, "leaves_steps_out", *CALLING) for half in (self.forward_layer, self.backward_layer))

    @property
    def layer(self) -> Any:
        """The layer that goes forwards."""
        return self.forward_layer

    @property
    def go_backwards(self) -> bool:
        """Whether the first of the layers goes backwards."""
        return self.forward_layer.go_backwards

    # ---- calling

    def __call__(self, sequences: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the layer; initial states may be in a list behind the sequences, as in Keras 2."""
        return super().__call__(take_apart(sequences, kwargs), *args, **kwargs)

    def _check_and_build(self, args: tuple, kwargs: dict[str, Any]) -> None:
        check_sequences(self, call_signature(type(self)).first(args, kwargs))
        super()._check_and_build(args, kwargs)

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None) -> None:
        for half in (self.forward_layer, self.backward_layer):
            if not half.built:
                half.build(sequences_shape)
                half.built = True

    def call(
        self, sequences: jax.Array, initial_state: Any = None, mask: Any = None, training: bool | None = None
    ) -> Any:
        first = self._halved(initial_state)
        halves = []
        for half, states in zip((self.forward_layer, self.backward_layer), first, strict=True):
            signature = call_signature(type(half))
            more = {"mask": mask} if signature.takes_mask else {}
            if signature.takes_training:
                more["training"] = training
            if states is not None:
                more["initial_state"] = states
            halves.append(half(sequences, **more))
        states = [state for half in halves for state in half[1:]] if self.return_state else []
        forward, backward = (half[0] for half in halves) if self.return_state else halves
        if self.return_sequences:
            if getattr(self.backward_layer, "time_major", False):
                backward = jnp.flip(backward, 0)
            else:
                backward = reversed_steps(backward, scope.length)
        joined = MERGES[self.merge_mode](forward, backward)
        if not self.return_state:
            return joined
        return (*joined, *states) if self.merge_mode is None else (joined, *states)

    def _halved(self, initial_state: Any) -> tuple[Any, Any]:
        if initial_state is None:
            return None, None
        states = list(initial_state) if isinstance(initial_state, (list, tuple)) else [initial_state]
        if len(states) % 2:
            raise ValueError(
                f"Bidirectional {self.name!r} takes the initial states of both of its layers, those of "
                f"{self.forward_layer.name!r} first; got {len(states)}."
            )
        return states[: len(states) // 2], states[len(states) // 2 :]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the outputs, which sequences alone have; states have none."""
        mask = mask_of_outputs(self, previous_mask)
        outputs = [mask, mask] if self.merge_mode is None else [mask]
        if self.return_state:
            outputs += [None] * 2 * len(self.forward_layer.state_size)
        return outputs if len(outputs) > 1 else mask

    # ---- states

    @property
    def states(self) -> Any:
        """The states of both layers, if they are stateful."""
        both = [self.forward_layer.states, self.backward_layer.states]
        return None if None in both else [*both[0], *both[1]]

    def reset_states(self, states: Any = None) -> None:
        """Set the states of both layers, to zeros or to given values; see `RNN.reset_states`."""
        for half, values in zip((self.forward_layer, self.backward_layer), self._halved(states), strict=True):
            half.reset_states(values)

    def reset_state(self) -> None:
        """Set the states of both layers to their first ones. Layers that are not stateful have nothing to reset."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    # ---- config

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("weights", None)
        return config | described({"layer": self.forward_layer, "backward_layer": self.backward_layer})


def _copied(layer: Any, direction: str, **changed: Any) -> Any:
    """Return a layer with the config of another and new weights, named after a direction."""
    name = f"{direction}_{layer.name.removeprefix(f'{direction}_')}"
    return keep_left_out(type(layer).from_config(layer.get_config() | {"name": name} | changed), layer)


__all__ = ["Bidirectional"]
