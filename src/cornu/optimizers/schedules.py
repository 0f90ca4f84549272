"""Learning rates that depend on the step: functions of the iteration count, traced into the training program."""

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core import registry, serialization
from cornu.core.public import offer
from cornu.core.serialization import Recorded

_IMPORTED = frozenset(globals())


class LearningRateSchedule(metaclass=Recorded):
    """Base class of learning rate schedules; a custom one overrides ``__call__(step)`` with array functions.

    Follows https://keras.io/api/optimizers/learning_rate_schedules/learning_rate_schedule/

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5**step
    >>> float(Halving()(2))
    0.025
    """

    def __call__(self, step: Any) -> Any:
        """Return the learning rate.

        Args:
            step: the number of updates so far, a scalar array.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method __call__(self, step) that returns a number.")

    def get_config(self) -> dict[str, Any]:
        return serialization.default_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LearningRateSchedule":
        return serialization.construct(cls, config)


def _number(step: Any) -> jax.Array:
    return jnp.asarray(getattr(step, "value", step), dtype=jnp.float32)


def _check_positive(schedule: LearningRateSchedule, name: str, value: float) -> None:
    if value <= 0:
        raise ValueError(f"{type(schedule).__name__} expects a number of steps above 0; got {name}={value}.")


@registry.SCHEDULES.add()
class ExponentialDecay(LearningRateSchedule):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps per factor of `decay_rate`, above 0.
        decay_rate: the factor.
        staircase: round the quotient down, so that the rate falls in steps.
        name: name of the schedule.

    Raises:
        ValueError: if `decay_steps` is not above 0.

    Follows https://keras.io/api/optimizers/learning_rate_schedules/exponential_decay/

    >>> round(float(ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20)), 6)
    0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name
        _check_positive(self, "decay_steps", decay_steps)

    def __call__(self, step: Any) -> jax.Array:
        periods = _number(step) / self.decay_steps
        if self.staircase:
            periods = jnp.floor(periods)
        return self.initial_learning_rate * jnp.power(_number(self.decay_rate), periods)


@registry.SCHEDULES.add()
class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[i]`` up to and including step ``boundaries[i]``, and the last value after the last boundary.

    Args:
        boundaries: increasing steps.
        values: learning rates, one more than boundaries.
        name: name of the schedule.

    Raises:
        ValueError: if the lengths do not fit.

    Follows https://keras.io/api/optimizers/learning_rate_schedules/piecewise_constant_decay/

    >>> schedule = PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.25])
    >>> [float(schedule(step)) for step in (10, 11, 21)]
    [1.0, 0.5, 0.25]
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        self.boundaries, self.values, self.name = list(boundaries), list(values), name
        if len(self.boundaries) != len(self.values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay expects one value more than boundaries; "
                f"got {len(self.boundaries)} boundaries and {len(self.values)} values."
            )

    def __call__(self, step: Any) -> jax.Array:
        step = jnp.asarray(getattr(step, "value", step))
        passed = jnp.sum(step > jnp.asarray(self.boundaries).astype(step.dtype))
        return _number(self.values)[passed]


@registry.SCHEDULES.add()
class PolynomialDecay(LearningRateSchedule):
    """From `initial_learning_rate` to `end_learning_rate` in `decay_steps`, along ``(1 - progress) ** power``.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: number of steps to the end, above 0.
        end_learning_rate: the rate at the end.
        power: exponent of the curve; 1 is linear.
        cycle: decay again over the next multiple of `decay_steps` instead of staying at the end.
        name: name of the schedule.

    Raises:
        ValueError: if `decay_steps` is not above 0.

    Follows https://keras.io/api/optimizers/learning_rate_schedules/polynomial_decay/

    >>> round(float(PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)(5)), 6)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name
        _check_positive(self, "decay_steps", decay_steps)

    def __call__(self, step: Any) -> jax.Array:
        step, steps = _number(step), _number(self.decay_steps)
        if self.cycle:
            steps = steps * jnp.where(step == 0, 1.0, jnp.ceil(step / steps))
        else:
            step = jnp.minimum(step, steps)
        span = _number(self.initial_learning_rate) - _number(self.end_learning_rate)
        return span * jnp.power(1 - step / steps, _number(self.power)) + self.end_learning_rate


@registry.SCHEDULES.add()
class InverseTimeDecay(LearningRateSchedule):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps per unit of decay, above 0.
        decay_rate: how much the divisor grows per unit.
        staircase: round the quotient down, so that the rate falls in steps.
        name: name of the schedule.

    Raises:
        ValueError: if `decay_steps` is not above 0.

    Follows https://keras.io/api/optimizers/learning_rate_schedules/inverse_time_decay/

    >>> round(float(InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)(10)), 6)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name
        _check_positive(self, "decay_steps", decay_steps)

    def __call__(self, step: Any) -> jax.Array:
        periods = _number(step) / self.decay_steps
        if self.staircase:
            periods = jnp.floor(periods)
        return self.initial_learning_rate / (1 + self.decay_rate * periods)


@registry.SCHEDULES.add()
class CosineDecay(LearningRateSchedule):
    """Half a cosine from `initial_learning_rate` down to a fraction of it, optionally after a linear warmup.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: number of steps of the decay, above 0.
        alpha: the final rate, as a fraction of the rate at which the decay starts.
        name: name of the schedule.
        warmup_target: the rate to which the warmup rises, and from which the decay starts; None: no warmup.
        warmup_steps: number of steps of the warmup, before the decay.

    Raises:
        ValueError: if `decay_steps` is not above 0.

    Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983
    Follows https://keras.io/api/optimizers/learning_rate_schedules/cosine_decay/

    >>> round(float(CosineDecay(0.1, decay_steps=10)(5)), 6)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.alpha = initial_learning_rate, decay_steps, alpha
        self.name, self.warmup_target, self.warmup_steps = name, warmup_target, warmup_steps
        _check_positive(self, "decay_steps", decay_steps)

    def __call__(self, step: Any) -> jax.Array:
        step = _number(step)
        if self.warmup_target is None:
            return self._decayed(step, self.initial_learning_rate)
        decayed = self._decayed(step - self.warmup_steps, self.warmup_target)
        rise = _number(self.warmup_target) - _number(self.initial_learning_rate)
        # Without warmup steps the first branch is never selected; the division only has to be valid.
        warming = rise * (step / max(self.warmup_steps, 1)) + self.initial_learning_rate
        return jnp.where(step < self.warmup_steps, warming, decayed)

    def _decayed(self, step: jax.Array, start: float) -> jax.Array:
        progress = jnp.minimum(step, self.decay_steps) / self.decay_steps
        cosine = 0.5 * (1.0 + jnp.cos(math.pi * progress))
        return start * ((1 - self.alpha) * cosine + self.alpha)


@registry.SCHEDULES.add()
class CosineDecayRestarts(LearningRateSchedule):
    """A sequence of cosine decays, each longer than the last and starting at a changed rate.

    Args:
        initial_learning_rate: the rate at step 0.
        first_decay_steps: number of steps of the first decay, above 0.
        t_mul: factor from the length of one decay to that of the next.
        m_mul: factor from the initial rate of one decay to that of the next.
        alpha: the final rate, as a fraction of the initial rate.
        name: name of the schedule.

    Raises:
        ValueError: if `first_decay_steps` is not above 0.

    Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983
    Follows https://keras.io/api/optimizers/learning_rate_schedules/cosine_decay_restarts/

    >>> round(float(CosineDecayRestarts(0.1, first_decay_steps=10)(10)), 6)
    0.1
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name
        _check_positive(self, "first_decay_steps", first_decay_steps)

    def __call__(self, step: Any) -> jax.Array:
        restarts, progress = self._position(_number(step) / self.first_decay_steps)
        cosine = 0.5 * jnp.power(_number(self.m_mul), restarts) * (1.0 + jnp.cos(math.pi * progress))
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)

    def _position(self, periods: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return the number of restarts so far, and the progress (0 to 1) of the current decay."""
        if self.t_mul == 1.0:
            restarts = jnp.floor(periods)
            return restarts, periods - restarts
        growth = _number(self.t_mul)
        restarts = jnp.floor(jnp.log(1.0 - periods * (1.0 - growth)) / jnp.log(growth))
        length = jnp.power(growth, restarts)
        return restarts, (periods - (1.0 - length) / (1.0 - growth)) / length


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Return the config of a schedule as plain data.

    >>> serialize(CosineDecay(0.1, decay_steps=10))["class_name"]
    'CosineDecay'
    """
    return serialization.serialize(learning_rate_schedule)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> LearningRateSchedule:
    """Return the schedule for a config.

    Args:
        config: the config, as `serialize` returns it.
        custom_objects: names of custom classes.

    Raises:
        ValueError: if the class is unknown.

    >>> deserialize(serialize(CosineDecay(0.1, decay_steps=10))).decay_steps
    10
    """
    return serialization.deserialize(config, custom_objects, registry.SCHEDULES)


offer(globals(), _IMPORTED)
