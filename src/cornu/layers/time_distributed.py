"""The wrapper that applies a layer to every time step."""

from typing import Any

import jax
import jax.numpy as jnp

from cornu.core import control, registry
from cornu.core.rows_apart import layer_keeps_rows_apart
from cornu.core.scope import changed
from cornu.core.seeds import random_marks
from cornu.core.signature import call_signature
from cornu.core.steps_apart import keeps_statistics
from cornu.core.variable import restored
from cornu.layers.core import Wrapper


@registry.LAYERS.add()
class TimeDistributed(Wrapper):
    """Apply a layer to each time step, with the same weights.

    All steps are computed at once if that gives the same result: for layers of the library they are folded into the
    batch. A layer that changes state (batch normalization in training, a counter) is called step by step.

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

    @property
    def keeps_steps_apart(self) -> bool:
        """Whether each step of the outputs depends on the same step of the inputs alone, and no state on any."""
        return all(layer_keeps_rows_apart(self.layer, rank) for rank in range(2, 6))

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) < 3:
            raise ValueError(
                f"TimeDistributed takes inputs (batch, time, ...) with at least 3 axes; got shape {tuple(input_shape)}."
            )
        apart = layer_keeps_rows_apart(self.layer, len(input_shape) - 1)
        batch = None if apart else input_shape[0]  # None: the steps are laid into the batch
        super().build((batch, *input_shape[2:]))

    def call(self, inputs: jax.Array, training: bool | None = None, mask: Any = None) -> Any:
        with changed(length=None):  # it is that of the axis that is taken away
            return self._over_time(inputs, training, mask)

    def _over_time(self, inputs: jax.Array, training: bool | None, mask: Any) -> Any:
        if mask is not None and mask.shape[:2] != inputs.shape[:2]:
            raise ValueError(
                f"TimeDistributed: the mask of inputs of shape {inputs.shape} must have shape {inputs.shape[:2]} "
                f"(batch, time); got {mask.shape}."
            )
        if training and keeps_statistics(self.layer._flatten_layers()):
            return self._step_by_step(inputs, training, mask)
        if not layer_keeps_rows_apart(self.layer, inputs.ndim - 1):
            return self._each_step(inputs, training, mask)
        batch, steps = inputs.shape[:2]
        outputs = self._apply(_folded(inputs), training, None if mask is None else _folded(mask))  # (batch * time, ...)
        return jax.tree.map(lambda array: array.reshape(batch, steps, *array.shape[1:]), outputs)

    def _each_step(self, inputs: jax.Array, training: bool | None, mask: Any) -> Any:
        """Compute the steps at once but apart from each other, unless the layer turns out to change some state."""

        def apply(inputs: jax.Array, mask: Any) -> tuple:
            return self._apply_and_take_losses(inputs, training, mask)

        if inputs.shape[1]:
            before = random_marks()
            with restored() as assigned:
                results = jax.vmap(apply, in_axes=(1, None if mask is None else 1))(inputs, mask)
            if not assigned and random_marks() == before:
                return self._with_losses(results)
        return self._step_by_step(inputs, training, mask)

    def _step_by_step(self, inputs: jax.Array, training: bool | None, mask: Any) -> Any:
        """Compute one step after the other: in one compiled loop, or in Python where nothing is compiled."""
        if not isinstance(inputs, jax.core.Tracer):
            masks = [None if mask is None else mask[:, step] for step in range(inputs.shape[1])]
            steps = [self._apply(inputs[:, step], training, masks[step]) for step in range(inputs.shape[1])]
            return jax.tree.map(lambda *arrays: jnp.stack(arrays, axis=1), *steps)

        def step(_: Any, given: tuple) -> tuple:
            return (), self._apply_and_take_losses(given[0], training, given[1])

        by_time = jax.tree.map(lambda array: jnp.swapaxes(array, 0, 1), (inputs, mask))  # (steps, batch, ...)
        return self._with_losses(control.scan(step, (), by_time)[1])

    def _apply(self, inputs: jax.Array, training: bool | None, mask: Any) -> Any:
        takes_mask = mask is not None and call_signature(type(self.layer)).takes_mask
        return self.layer(inputs, training=training, **({"mask": mask} if takes_mask else {}))

    def _apply_and_take_losses(self, inputs: jax.Array, training: bool | None, mask: Any) -> tuple:
        """Return the outputs of one step, and the losses that it added to layers inside, which belong to its trace."""
        before = {id(part): list(part._losses) for part in self.layer._flatten_layers()}
        outputs = self._apply(inputs, training, mask)
        losses = []
        for part in self.layer._flatten_layers():
            kept = before.get(id(part), [])
            losses.append([loss for loss in part._losses[len(kept) :] if not callable(loss)])
            part._losses = kept
        return outputs, losses

    def _with_losses(self, results: tuple) -> Any:
        """Return the outputs with the steps as their second axis, and give each layer the losses of all steps."""
        outputs, losses = results
        for part, added in zip(self.layer._flatten_layers(), losses, strict=True):
            part._losses += [loss.sum(axis=0) for loss in added]
        return jax.tree.map(lambda array: jnp.swapaxes(array, 0, 1), outputs)


def _folded(array: jax.Array) -> jax.Array:
    return array.reshape(array.shape[0] * array.shape[1], *array.shape[2:])


__all__ = [
    "TimeDistributed",
]
