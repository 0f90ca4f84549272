"""Loss scaling for mixed precision: steps whose gradients overflow are skipped, and the scale adapts."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from cornu.core import registry, serialization
from cornu.core.control import when
from cornu.core.variable import Variable
from cornu.optimizers.options import Options
from cornu.optimizers.wrapping import WrappingOptimizer


@registry.OPTIMIZERS.add()
class LossScaleOptimizer(WrappingOptimizer):
    """Wraps an optimizer and scales the loss up, so that float16 gradients do not underflow.

    A step with an infinite or NaN gradient changes no weight and halves the scale.

    Args:
        inner_optimizer: the optimizer to wrap, or its name.
        initial_scale: the scale at the start.
        dynamic_growth_steps: number of consecutive finite steps after which the scale doubles.
        name: name of the optimizer.

    Raises:
        ValueError: for an argument that belongs to the inner optimizer.

    Follows https://keras.io/api/optimizers/loss_scale_optimizer/

    >>> import cornu
    >>> weight = cornu.Variable([1.0])
    >>> optimizer = LossScaleOptimizer("sgd", initial_scale=4.0)
    >>> optimizer.apply([jnp.array([jnp.inf])], [weight]); print(weight.numpy(), float(optimizer.dynamic_scale))
    [1.] 2.0
    """

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        _refuse_options(kwargs)
        super().__init__(inner_optimizer, name)
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps
        self.inner_optimizer.loss_scale_factor = None

    def build(self, variables: Sequence[Variable]) -> None:
        if not self.built:
            self.step_counter = self.add_variable((), 0, "int32", name="step_counter")
            self.dynamic_scale = self.add_variable((), self.initial_scale, "float32", name="dynamic_scale")
        super().build(variables)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Update the weights with gradients of the scaled loss, if all are finite."""
        if len(grads) == 0:
            return
        weights = self._weights_of(grads, trainable_variables)
        given = [gradient for gradient in grads if gradient is not None]
        finite = jnp.all(jnp.array([jnp.all(jnp.isfinite(gradient)) for gradient in given]))
        scale = self.dynamic_scale.value
        unscaled = [None if gradient is None else gradient / scale for gradient in grads]
        inner = self.inner_optimizer
        when(finite, lambda: inner.apply(unscaled, weights))
        good_steps = jnp.where(finite, self.step_counter.value + 1, 0)
        grows = good_steps == self.dynamic_growth_steps
        self.step_counter.assign(jnp.where(grows, 0, good_steps))
        self.dynamic_scale.assign(scale * jnp.where(finite, jnp.where(grows, 2.0, 1.0), 0.5))

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss times the current scale."""
        return loss * (self.dynamic_scale.value if self.built else self.initial_scale)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "inner_optimizer": serialization.serialize(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }


def _refuse_options(given: dict[str, Any]) -> None:
    """Raise for arguments that belong to the inner optimizer, unless they have their default values."""
    if not given.pop("dynamic", True):
        raise ValueError("A fixed loss scale needs no LossScaleOptimizer: pass loss_scale_factor=... to the optimizer.")
    silent = {"use_ema": False, "ema_momentum": 0.99, "decay": 0.0}
    for name, value in given.items():
        if name not in Options.__annotations__:
            raise TypeError(f"LossScaleOptimizer has no argument {name!r}.")
        if value != silent.get(name):
            raise ValueError(f"LossScaleOptimizer does not take {name}: pass it to the inner optimizer.")


__all__ = [
    "LossScaleOptimizer",
]
