"""Methods of tf.keras's optimizers that Keras 3 lacks."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from cornu.compat.tensorflow.tape import GradientTape


def compute_gradients(
    self: Any, loss: Any, var_list: Any = None, grad_loss: Any = None, tape: Any = None, **_: Any
) -> list[tuple[Any, Any]]:
    """Return the gradients of a loss with their variables.

    Args:
        self: The optimizer.
        loss: A function without arguments, or a tensor that `tape` recorded.
        var_list: The variables, or a function that returns them; None: all that the function reads.
        grad_loss: Weights of the loss's entries.
        tape: The tape of the tensor. ValueError without one.
    """
    if not callable(loss) and tape is None:
        raise ValueError("A loss that is a tensor needs its tape: optimizer.minimize(loss, variables, tape=tape).")
    if callable(loss):
        with tape or GradientTape() as tape:
            loss = loss()
    variables = var_list() if callable(var_list) else var_list
    variables = tape.watched_variables() if variables is None else variables
    variables = list(variables) if isinstance(variables, (list, tuple)) else [variables]
    gradients = tape.gradient(loss, variables, output_gradients=grad_loss)
    return list(zip(gradients, variables, strict=True))


def minimize(
    self: Any,
    loss: Any,
    var_list: Any = None,
    grad_loss: Any = None,
    name: str | None = None,
    tape: Any = None,
    **_: Any,
) -> Any:
    """Update variables by the gradients of a loss; returns the number of updates. Arguments as `compute_gradients`."""
    self.apply_gradients(compute_gradients(self, loss, var_list, grad_loss, tape))
    return self.iterations


def get_scaled_loss(self: Any, loss: Any) -> Any:
    """Return a loss, or a function of none that gives it, times the scale of a `LossScaleOptimizer`."""
    return (lambda: self.scale_loss(loss())) if callable(loss) else self.scale_loss(loss)


def get_unscaled_gradients(self: Any, grads: Sequence[Any]) -> list[Any]:
    """Return the gradients of a scaled loss divided by the scale; from now on `apply` takes such."""
    vars(self)["apply"] = functools.partial(_apply_unscaled, self)
    scale = self.scale_loss(jnp.ones(()))
    return [None if one is None else jnp.asarray(one) / scale for one in grads]


def _apply_unscaled(self: Any, grads: Sequence[Any], trainable_variables: Any = None) -> None:
    """Apply gradients that were divided by the scale: the optimizer divides again, as Keras 3 does."""
    scale = self.scale_loss(jnp.ones(()))
    type(self).apply(self, [None if one is None else one * scale for one in grads], trainable_variables)


METHODS: dict[str, Callable] = {
    function.__name__: function for function in (minimize, compute_gradients, get_scaled_loss, get_unscaled_gradients)
}
