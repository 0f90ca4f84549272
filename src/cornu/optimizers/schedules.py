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
    """A learning rate as a function of the step: override ``__call__(step)`` with array functions.

    Follows https://keras.io/api/optimizers/learning_rate_schedules/learning_rate_schedule/

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5**step
    >>> float(Halving()(2))
    0.025
    """

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`, the number of updates made so far (a scalar array)."""
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
        raise ValueError(f"{type(schedule).__name__} got {name}={value}; it takes a number of steps above 0.")


@registry.SCHEDULES.add()
class ExponentialDecay(LearningRateSchedule):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``; `staircase` takes whole quotients only.

    Raises ValueError unless ``decay_steps > 0``.
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

    Raises ValueError unless there is one value more than boundaries.
    Follows https://keras.io/api/optimizers/learning_rate_schedules/piecewise_constant_decay/

    >>> schedule = PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.25])
    >>> [float(schedule(step)) for step in (10, 11, 21)]
    [1.0, 0.5, 0.25]
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        self.boundaries, self.values, self.name = list(boundaries), list(values), name
        if len(self.boundaries) != len(self.values) - 1:
            raise ValueError(
                f"PiecewiseConstantDecay got {len(self.boundaries)} boundaries and {len(self.values)} values; "
                "it takes one value more than boundaries."
            )

    def __call__(self, step: Any) -> jax.Array:
        step = jnp.asarray(getattr(step, "value", step))
        passed = jnp.sum(step > jnp.asarray(self.boundaries).astype(step.dtype))
        return _number(self.values)[passed]


@registry.SCHEDULES.add()
class PolynomialDecay(LearningRateSchedule):
    """From `initial_learning_rate` to `end_learning_rate` in `decay_steps`, along ``(1 - progress) ** power``.

    With `cycle`, the decay starts again over the next multiple of `decay_steps` instead of staying at its end.
    Raises ValueError unless ``decay_steps > 0``.
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
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``; `staircase` takes whole quotients only.

    Raises ValueError unless ``decay_steps > 0``.
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
    """Half a cosine from `initial_learning_rate` down to its `alpha`-th part, perhaps after a linear warm-up.

    With `warmup_target`, the rate first rises from `initial_learning_rate` to it in `warmup_steps`, and decays from it
    in the `decay_steps` that follow. Raises ValueError unless ``decay_steps > 0``.
    Loshchilov and Hutter 2016 (arXiv 1608.03983).
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
        # Without warm-up steps the first branch is never taken; the division only has to be harmless.
        warming = rise * (step / max(self.warmup_steps, 1)) + self.initial_learning_rate
        return jnp.where(step < self.warmup_steps, warming, decayed)

    def _decayed(self, step: jax.Array, start: float) -> jax.Array:
        progress = jnp.minimum(step, self.decay_steps) / self.decay_steps
        cosine = 0.5 * (1.0 + jnp.cos(math.pi * progress))
        return start * ((1 - self.alpha) * cosine + self.alpha)


@registry.SCHEDULES.add()
class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decays one after the other: each `t_mul` times as long as the last and starting at `m_mul` times its rate.

    Raises ValueError unless ``first_decay_steps > 0``. Loshchilov and Hutter 2016 (arXiv 1608.03983).
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
        """Return how many restarts lie behind, and how far (0 to 1) the decay under way has come."""
        if self.t_mul == 1.0:
            restarts = jnp.floor(periods)
            return restarts, periods - restarts
        growth = _number(self.t_mul)
        restarts = jnp.floor(jnp.log(1.0 - periods * (1.0 - growth)) / jnp.log(growth))
        length = jnp.power(growth, restarts)
        return restarts, (periods - (1.0 - length) / (1.0 - growth)) / length


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Return the config of a schedule as plain data."""
    return serialization.serialize(learning_rate_schedule)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> LearningRateSchedule:
    """Return the schedule that `config` describes; ValueError for a class that nobody knows."""
    return serialization.deserialize(config, custom_objects, registry.SCHEDULES)


offer(globals(), _IMPORTED)
