"""The wrapper that applies a layer to every time step."""

from typing import Any

import jax
import jax.numpy as jnp

from cornu.core import registry
from cornu.core.layer import Layer
from cornu.core.signature import call_signature
from cornu.core.variable import Seed
from cornu.layers.core import Wrapper


@registry.LAYERS.add()
class TimeDistributed(Wrapper):
    """Apply `layer` to each time step of inputs (batch, steps, ...), with the same weights.

    A mask has the shape (batch, steps). Steps are laid into the batch axis and computed at once, except where that
    would change the meaning: a layer that keeps statistics of its batches (batch normalization) meets the steps one by
    one in training. Raises ValueError for inputs without a time axis. Follows
    https://keras.io/api/layers/recurrent_layers/time_distributed/

    >>> import numpy as np
    >>> from cornu.layers import Dense
    >>> TimeDistributed(Dense(3))(np.ones((2, 10, 8))).shape
    (2, 10, 3)
    """

    supports_masking = True
    keeps_rows_apart = True

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) < 3:
            raise ValueError(
                f"TimeDistributed takes inputs (batch, steps, ...) of at least 3 axes; it was called with shape "
                f"{tuple(input_shape)}."
            )
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: jax.Array, training: bool | None = None, mask: Any = None) -> Any:
        if mask is not None and mask.shape[:2] != inputs.shape[:2]:
            raise ValueError(
                f"TimeDistributed: the mask of inputs of shape {inputs.shape} has shape {inputs.shape[:2]} "
                f"(batch, steps); it got {mask.shape}."
            )
        if training and _keeps_statistics(self.layer):
            return self._step_by_step(inputs, training, mask)
        batch, steps = inputs.shape[:2]
        outputs = self._apply(_folded(inputs), training, None if mask is None else _folded(mask))
        return jax.tree.map(lambda array: array.reshape(batch, steps, *array.shape[1:]), outputs)

    # Shapes are those of inference, where the number of steps may be unknown: no step is taken alone.
    def infer_call(self, args: tuple, kwargs: dict) -> Any:
        return super().infer_call(args[:1], {**kwargs, "training": False})

    def _step_by_step(self, inputs: jax.Array, training: bool, mask: Any) -> Any:
        outputs = [
            self._apply(inputs[:, step], training, None if mask is None else mask[:, step])
            for step in range(inputs.shape[1])
        ]
        return jax.tree.map(lambda *arrays: jnp.stack(arrays, axis=1), *outputs)

    def _apply(self, inputs: jax.Array, training: bool | None, mask: Any) -> Any:
        takes_mask = mask is not None and call_signature(type(self.layer)).takes_mask
        return self.layer(inputs, training=training, **({"mask": mask} if takes_mask else {}))


def _folded(array: jax.Array) -> jax.Array:
    return array.reshape(array.shape[0] * array.shape[1], *array.shape[2:])


def _keeps_statistics(layer: Layer) -> bool:
    """Tell whether a call in training changes more than random keys."""
    own = [variable for part in layer._flatten_layers() for variable in part._own_variables()]
    return any(not variable.trainable and not isinstance(variable, Seed) for variable in own)


__all__ = [
    "TimeDistributed",
]
