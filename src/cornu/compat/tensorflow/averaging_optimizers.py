"""The optimizers of ``tensorflow_addons`` that wrap another one and keep a second set of weights.

Follows https://github.com/tensorflow/addons/tree/master/tensorflow_addons/optimizers
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from cornu.core import registry, serialization
from cornu.core.variable import Variable, plain
from cornu.optimizers.wrapping import WrappingOptimizer


class _SecondWeights(WrappingOptimizer):
    """Base of the optimizers here: after each step of the inner one, `after_step` sets each weight and its second one.

    Args:
        optimizer: The optimizer to wrap, its name or its config.
        name: Name of the optimizer.
    """

    second = "average"  #: The name of the slot.

    def __init__(self, optimizer: Any, name: str | None = None) -> None:
        super().__init__(optimizer, name)

    def slots(self) -> list[dict[str, Any]]:
        """Return the slot of the second weights, which begin as the weights."""
        return [{self.second: lambda variable: plain(variable)}]

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Update the weights with their gradients, then the second weights of those that have a gradient."""
        if len(grads) == 0:
            return
        weights = self._weights_of(grads, trainable_variables)
        count = plain(self.iterations)
        self.inner_optimizer.apply(grads, weights)
        stepped = plain(self.iterations) > count  # not if gradients are being accumulated
        for gradient, variable in zip(grads, weights, strict=True):
            if gradient is not None:
                slot = self._slots[self.second][id(variable)]
                value, second = self.after_step(count, variable.value, slot.value)
                variable.assign(jnp.where(stepped, value, variable.value))
                slot.assign(jnp.where(stepped, second, slot.value))

    def after_step(self, count: Any, value: Any, second: Any) -> tuple[Any, Any]:
        """Return a weight and its second weight after step number `count`, counted from 0."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"optimizer": serialization.serialize(self.inner_optimizer)}


@registry.register_keras_serializable("Addons")
class Lookahead(_SecondWeights):
    """Every `sync_period` steps weights go back part of the way to where they were (https://arxiv.org/abs/1907.08610).

    Args:
        optimizer: The optimizer to wrap, its name or its config.
        sync_period: Number of steps between two of these.
        slow_step_size: Fraction of the way that is kept.
        name: Name of the optimizer.

    >>> Lookahead("sgd", sync_period=2).sync_period
    2
    """

    second = "slow"

    def __init__(
        self, optimizer: Any, sync_period: int = 6, slow_step_size: float = 0.5, name: str = "Lookahead"
    ) -> None:
        super().__init__(optimizer, name)
        self.sync_period, self.slow_step_size = int(sync_period), float(slow_step_size)

    def after_step(self, count: Any, value: Any, second: Any) -> tuple[Any, Any]:
        """Return the weight and its slow weight, the same where they meet."""
        meets = (count + 1) % self.sync_period == 0
        met = second + self.slow_step_size * (value - second)
        return jnp.where(meets, met, value), jnp.where(meets, met, second)


class _Averages(_SecondWeights):
    """Base of those whose second weights are averages, which the program puts in the place of the weights."""

    def assign_average_vars(self, var_list: Sequence[Variable]) -> None:
        """Set weights to their averages; those that are not trained stay as they are."""
        for variable, average in self._with_averages(var_list):
            variable.assign(average.value)

    def _with_averages(self, variables: Sequence[Variable]) -> list[tuple[Variable, Variable]]:
        slots = self._slots.get(self.second, {})
        return [(variable, slots[id(variable)]) for variable in variables if id(variable) in slots]


@registry.register_keras_serializable("Addons")
class SWA(_Averages):
    """The mean of the weights at some steps; ``assign_average_vars(weights)`` sets them to it.

    Args:
        optimizer: The optimizer to wrap, its name or its config.
        start_averaging: The first step whose weights count, from 0.
        average_period: Number of steps until the next.
        name: Name of the optimizer.
        sequential_update: Accepted; averages always follow the step.

    https://arxiv.org/abs/1803.05407

    >>> SWA("sgd", start_averaging=100).average_period
    10
    """

    def __init__(
        self, optimizer: Any, start_averaging: int = 0, average_period: int = 10, name: str = "SWA",
        sequential_update: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(optimizer, name)
        self.start_averaging, self.average_period = int(start_averaging), int(average_period)

    def after_step(self, count: Any, value: Any, second: Any) -> tuple[Any, Any]:
        """Return the weight, and the mean with the weight in it if its step counts."""
        since = count - self.start_averaging
        counts = (since >= 0) & (since % self.average_period == 0)
        earlier = (jnp.maximum(since, 0) // self.average_period).astype(value.dtype)
        return value, jnp.where(counts, (second * earlier + value) / (earlier + 1), second)


@registry.register_keras_serializable("Addons")
class MovingAverage(_Averages):
    """Exponential averages of the weights, ``decay * average + (1 - decay) * weight`` after each step.

    Args:
        optimizer: The optimizer to wrap, its name or its config.
        average_decay: The decay.
        num_updates: Number of updates so far: the decay is at most ``(1 + num_updates) / (10 + num_updates)``.
        start_step: The first step that is averaged, from 0; before it averages are the weights.
        dynamic_decay: Whether the decay is also at most ``(1 + n) / (10 + n)`` at step n after `start_step`.
        name: Name of the optimizer.
        sequential_update: Accepted; averages always follow the step.

    >>> MovingAverage("sgd", 0.9).average_decay
    0.9
    """

    def __init__(
        self, optimizer: Any, average_decay: float = 0.99, num_updates: int | None = None, start_step: int = 0,
        dynamic_decay: bool = False, name: str = "MovingAverage", sequential_update: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(optimizer, name)
        self.average_decay, self.num_updates = float(average_decay), num_updates
        self.start_step, self.dynamic_decay = int(start_step), bool(dynamic_decay)

    def after_step(self, count: Any, value: Any, second: Any) -> tuple[Any, Any]:
        """Return the weight and its average."""
        decay: Any = self.average_decay if self.num_updates is None else _at_most(self.average_decay, self.num_updates)
        since = (count - self.start_step).astype(value.dtype)
        if self.dynamic_decay:
            decay = _at_most(decay, since)
        decay = jnp.where(since < 0, 0.0, decay).astype(value.dtype)
        return value, decay * second + (1 - decay) * value

    def swap_weights(self) -> None:
        """Exchange the weights and their averages."""
        for variable, average in self._with_averages(self._trainable_variables):
            value = variable.value
            variable.assign(average.value)
            average.assign(value)


def _at_most(decay: Any, steps: Any) -> Any:
    return jnp.minimum(decay, (1.0 + steps) / (10.0 + steps))
