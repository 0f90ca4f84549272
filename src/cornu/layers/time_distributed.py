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
    """Apply a layer to each time step, with the same weights.

    All steps are folded into the batch axis and computed together. A layer that tracks batch statistics (such as
    `BatchNormalization`) is called step by step in training.

    Args:
        layer: The layer to apply.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, time, ...)``, outputs ``(batch, time, *output_shape)`` of the layer; mask ``(batch, time)``.

    Raises:
        ValueError: The inputs have no time axis, or the mask has another shape.

    Follows https://keras.io/api/layers/recurrent_layers/time_distributed/

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
                f"TimeDistributed takes inputs (batch, time, ...) with at least 3 axes; got shape {tuple(input_shape)}."
            )
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: jax.Array, training: bool | None = None, mask: Any = None) -> Any:
        if mask is not None and mask.shape[:2] != inputs.shape[:2]:
            raise ValueError(
                f"TimeDistributed: the mask of inputs of shape {inputs.shape} must have shape {inputs.shape[:2]} "
                f"(batch, time); got {mask.shape}."
            )
        if training and _keeps_statistics(self.layer):
            return self._step_by_step(inputs, training, mask)
        batch, steps = inputs.shape[:2]
        outputs = self._apply(_folded(inputs), training, None if mask is None else _folded(mask))  # (batch * time, ...)
        return jax.tree.map(lambda array: array.reshape(batch, steps, *array.shape[1:]), outputs)

    # Infer shapes as at inference: the number of steps may be unknown, so steps cannot be called one by one.
    def infer_call(self, args: tuple, kwargs: dict) -> Any:
        return super().infer_call(args[:1], {**kwargs, "training": False})

    def _step_by_step(self, inputs: jax.Array, training: bool, mask: Any) -> Any:
        outputs = [
            self._apply(inputs[:, step], training, None if mask is None else mask[:, step])
            for step in range(inputs.shape[1])
        ]
        return jax.tree.map(lambda *arrays: jnp.stack(arrays, axis=1), *outputs)  # (batch, time, ...)

    def _apply(self, inputs: jax.Array, training: bool | None, mask: Any) -> Any:
        takes_mask = mask is not None and call_signature(type(self.layer)).takes_mask
        return self.layer(inputs, training=training, **({"mask": mask} if takes_mask else {}))


def _folded(array: jax.Array) -> jax.Array:
    return array.reshape(array.shape[0] * array.shape[1], *array.shape[2:])


def _keeps_statistics(layer: Layer) -> bool:
    """Tell whether a training call changes variables other than random seeds."""
    own = [variable for part in layer._flatten_layers() for variable in part._own_variables()]
    return any(not variable.trainable and not isinstance(variable, Seed) for variable in own)


__all__ = [
    "TimeDistributed",
]
