"""Rules that keep moments of the gradients: Adam and its relatives, with Keras's arguments and numerics."""

from typing import Any, Unpack

import jax.numpy as jnp
import numpy as np

from cornu.core import registry
from cornu.core.variable import Variable
from cornu.optimizers.base import Optimizer
from cornu.optimizers.hyper import Hyper
from cornu.optimizers.options import Options, OtherOptions, with_options

Slots = dict[str, Any]


@registry.OPTIMIZERS.add()
class Adam(Optimizer):
    """Adaptive moment estimation.

    Args:
        learning_rate: a number, a schedule or a function.
        beta_1: decay rate of the mean gradient.
        beta_2: decay rate of the mean squared gradient.
        epsilon: the paper's epsilon hat, added outside the root before bias correction; None takes ``epsilon()``.
        amsgrad: divide by the largest mean square so far (https://arxiv.org/abs/1904.09237).
        **options: the other arguments are those of `Optimizer`.

    Kingma and Ba 2014, https://arxiv.org/abs/1412.6980
    Follows https://keras.io/api/optimizers/adam/

    >>> import cornu
    >>> weight = cornu.Variable([1.0])
    >>> Adam(0.5).apply([jnp.array([3.0])], [weight]); print(weight.numpy().round(4))
    [0.5]
    """

    beta_1, beta_2, epsilon = Hyper(complement=True), Hyper(complement=True), Hyper(epsilon=True)

    @with_options
    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        amsgrad: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad

    def slots(self) -> list[Slots]:
        return [{"momentum": 0.0, "velocity": 0.0}, *([{"velocity_hat": 0.0}] if self.amsgrad else [])]

    def update(
        self, gradient: Any, value: Any, rate: Any, momentum: Any, velocity: Any, velocity_hat: Any = None
    ) -> tuple[Any, Slots]:
        rate = rate * jnp.sqrt(1 - jnp.power(self.beta_2, self.step)) / (1 - jnp.power(self.beta_1, self.step))
        momentum = momentum + (gradient - momentum) * self.one_minus("beta_1")
        velocity = velocity + (jnp.square(gradient) - velocity) * self.one_minus("beta_2")
        largest = velocity
        if velocity_hat is not None:
            largest = velocity_hat = jnp.maximum(velocity_hat, velocity)
        new = value - momentum * rate / (jnp.sqrt(largest) + self.epsilon)
        return new, {"momentum": momentum, "velocity": velocity, "velocity_hat": velocity_hat}


@registry.OPTIMIZERS.add("adamw")
class AdamW(Adam):
    """`Adam` with decoupled weight decay.

    Args:
        learning_rate, beta_1, beta_2, epsilon, amsgrad: see `Adam`.
        weight_decay: subtracts ``weight * weight_decay * learning_rate`` before each update.
        **options: the other arguments are those of `Optimizer`.

    Raises:
        ValueError: if `weight_decay` is None.

    Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101
    Follows https://keras.io/api/optimizers/adamw/

    >>> import cornu
    >>> weight = cornu.Variable([1.0])
    >>> AdamW(0.5, weight_decay=0.5).apply([jnp.array([3.0])], [weight]); print(weight.numpy().round(4))
    [0.25]
    """

    @with_options
    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        amsgrad: bool = False,
        **options: Unpack[OtherOptions],
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **options)
        if weight_decay is None:
            raise ValueError("AdamW takes a number as weight_decay; got None. Without weight decay, use Adam.")


@registry.OPTIMIZERS.add()
class Adamax(Optimizer):
    """Adam with the infinity norm of the gradients instead of their mean square (section 7 of the paper).

    Args:
        learning_rate: a number, a schedule or a function. The default is that of the paper and of Keras 2, which
            reproduces published results (Keras 3 takes 0.001).
        beta_1: decay rate of the mean gradient.
        beta_2: decay rate of the infinity norm.
        epsilon: added to the norm; None takes ``epsilon()``.
        **options: the other arguments are those of `Optimizer`.

    Kingma and Ba 2014, https://arxiv.org/abs/1412.6980
    Follows https://keras.io/api/optimizers/adamax/

    >>> import cornu
    >>> weight = cornu.Variable([1.0])
    >>> Adamax(0.5).apply([jnp.array([3.0])], [weight]); print(weight.numpy().round(4))
    [0.5]
    """

    beta_1, beta_2, epsilon = Hyper(complement=True), Hyper(), Hyper(epsilon=True)

    @with_options
    def __init__(
        self,
        learning_rate: Any = 0.002,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def slots(self) -> list[Slots]:
        return [{"momentum": 0.0, "norm": 0.0}]

    def update(self, gradient: Any, value: Any, rate: Any, momentum: Any, norm: Any) -> tuple[Any, Slots]:
        momentum = momentum + (gradient - momentum) * self.one_minus("beta_1")
        norm = jnp.maximum(self.beta_2 * norm, jnp.abs(gradient))
        correction = 1 - jnp.power(self.beta_1, self.step)
        return value - rate * momentum / (correction * (norm + self.epsilon)), {"momentum": momentum, "norm": norm}


@registry.OPTIMIZERS.add()
class Nadam(Optimizer):
    """Adam with Nesterov momentum.

    Args:
        learning_rate: a number, a schedule or a function. The default is that of Keras 2, which reproduces published
            results (Keras 3 takes 0.001).
        beta_1: decay rate of the mean gradient, approached along ``1 - 0.5 * 0.96 ** (schedule_decay * step)``.
        beta_2: decay rate of the mean squared gradient.
        epsilon: added outside the root; None takes ``epsilon()``.
        schedule_decay: 1 as in Keras 3; the paper and Keras 2 use 0.004.
        **options: the other arguments are those of `Optimizer`.

    Dozat 2015, Incorporating Nesterov momentum into Adam.
    Follows https://keras.io/api/optimizers/nadam/

    >>> import cornu
    >>> weight = cornu.Variable([1.0])
    >>> Nadam(0.5, schedule_decay=0.004).apply([jnp.array([3.0])], [weight]); print(weight.numpy().round(2))
    [0.47]
    """

    beta_1, beta_2, epsilon = Hyper(), Hyper(), Hyper(epsilon=True)
    schedule_decay = Hyper()
    ours = Optimizer.ours | {"schedule_decay": 1.0}

    @with_options
    def __init__(
        self,
        learning_rate: Any = 0.002,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        *,
        schedule_decay: float = 1.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1, self.beta_2, self.epsilon, self.schedule_decay = beta_1, beta_2, epsilon, schedule_decay

    def slots(self) -> list[Slots]:
        return [{"momentum": 0.0, "velocity": 0.0}]

    def build(self, variables: Any) -> None:
        super().build(variables)
        if "_product" not in vars(self):
            self._product = self.add_variable((), 1.0, name="momentum_product")

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Optimizer:
        # A config leaves today's value out, and a call in an old program means the old one.
        implied = {"schedule_decay": 1.0} if cls is Nadam else {}
        return super().from_config(implied | config, custom_objects)

    def _scheduled(self, step: Any) -> Any:
        return self.beta_1 * (1.0 - 0.5 * jnp.power(0.96, self.schedule_decay * step))

    def update_all(self, gradients: list, variables: list[Variable], rate: Any) -> None:
        self._product.assign(self._product.value * self._scheduled(self.step))
        super().update_all(gradients, variables, rate)

    def update(self, gradient: Any, value: Any, rate: Any, momentum: Any, velocity: Any) -> tuple[Any, Slots]:
        now, following = self._scheduled(self.step), self._scheduled(self.step + 1)
        product = self._product.value
        # Keras computes these complements after rounding; only so do the slots equal those of its files.
        momentum = momentum + (gradient - momentum) * (1 - jnp.asarray(self.beta_1))
        velocity = velocity + (jnp.square(gradient) - velocity) * (1 - jnp.asarray(self.beta_2))
        mean = following * momentum / (1 - product * following) + (1 - now) * gradient / (1 - product)
        square = velocity / (1 - jnp.power(self.beta_2, self.step))
        new = value - mean * rate / (jnp.sqrt(square) + self.epsilon)
        return new, {"momentum": momentum, "velocity": velocity}


@registry.OPTIMIZERS.add()
class Lamb(Optimizer):
    """Adam with steps scaled to the norm of each weight, for large batches.

    Args:
        learning_rate: a number, a schedule or a function.
        beta_1: decay rate of the mean gradient.
        beta_2: decay rate of the mean squared gradient.
        epsilon: added outside the root; None takes ``epsilon()``.
        **options: the other arguments are those of `Optimizer`.

    You et al. 2019, https://arxiv.org/abs/1904.00962
    Follows https://keras.io/api/optimizers/lamb/

    >>> import cornu
    >>> weight = cornu.Variable([4.0])
    >>> Lamb(0.5).apply([jnp.array([3.0])], [weight]); print(weight.numpy().round(4))
    [2.]
    """

    beta_1, beta_2, epsilon = Hyper(complement=True), Hyper(complement=True), Hyper(epsilon=True)

    @with_options
    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def slots(self) -> list[Slots]:
        return [{"momentum": 0.0, "velocity": 0.0}]

    def update(self, gradient: Any, value: Any, rate: Any, momentum: Any, velocity: Any) -> tuple[Any, Slots]:
        momentum = momentum + (gradient - momentum) * self.one_minus("beta_1")
        velocity = velocity + (jnp.square(gradient) - velocity) * self.one_minus("beta_2")
        mean = momentum / (1.0 - jnp.power(self.beta_1, self.step))
        change = mean / (jnp.sqrt(velocity / (1.0 - jnp.power(self.beta_2, self.step))) + self.epsilon)
        size, length = jnp.sqrt(jnp.sum(jnp.square(value))), jnp.sqrt(jnp.sum(jnp.square(change)))
        ratio = jnp.where((size > 0) & (length > 0), size / length, 1.0)
        return value - ratio * rate * change, {"momentum": momentum, "velocity": velocity}


@registry.OPTIMIZERS.add()
class Lion(Optimizer):
    """Steps of constant size along the sign of the momentum.

    Args:
        learning_rate: a number, a schedule or a function.
        beta_1: weight of the momentum, against the gradient, in the step; above 0 and at most 1.
        beta_2: decay rate of the momentum.
        **options: the other arguments are those of `Optimizer`.

    Raises:
        ValueError: if `beta_1` is out of range.

    Chen et al. 2023, https://arxiv.org/abs/2302.06675
    Follows https://keras.io/api/optimizers/lion/

    >>> import cornu
    >>> weight = cornu.Variable([1.0, 1.0])
    >>> Lion(0.25).apply([jnp.array([3.0, -0.1])], [weight]); print(weight.numpy())
    [0.75 1.25]
    """

    beta_1, beta_2 = Hyper(), Hyper()

    @with_options
    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **options: Unpack[Options]
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1, self.beta_2 = beta_1, beta_2
        if not 0 < self.beta_1 <= 1:
            raise ValueError(f"Lion takes a beta_1 above 0 and at most 1; got {beta_1}.")

    def slots(self) -> list[Slots]:
        return [{"momentum": 0.0}]

    def update(self, gradient: Any, value: Any, rate: Any, momentum: Any) -> tuple[Any, Slots]:
        def mixed(beta: Any) -> Any:
            return momentum * beta + gradient * (1.0 - beta)

        kept = mixed(jnp.asarray(self.beta_2))
        return value - rate * jnp.sign(mixed(jnp.asarray(self.beta_1))), {"momentum": kept}


@registry.OPTIMIZERS.add()
class ScheduleFreeAdamW(Optimizer):
    """Adam that averages the weights instead of lowering the learning rate.

    Args:
        learning_rate: a number, a schedule or a function.
        beta_1: interpolation between the weights and their average.
        beta_2: decay rate of the mean squared gradient.
        epsilon: added outside the root; None takes ``epsilon()``.
        warmup_steps: steps over which the rate rises linearly.
        **options: the other arguments are those of `Optimizer`.

    Defazio et al. 2024, https://arxiv.org/abs/2405.15682
    Follows https://keras.io/api/optimizers/schedule_free_adamw/

    >>> import cornu
    >>> weight = cornu.Variable([1.0])
    >>> ScheduleFreeAdamW(0.5).apply([jnp.array([3.0])], [weight]); print(weight.numpy().round(4))
    [0.5]
    """

    beta_1, beta_2, epsilon = Hyper(), Hyper(), Hyper(epsilon=True)
    warmup_steps = Hyper()

    @with_options
    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-8,
        warmup_steps: int = 0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1, self.beta_2, self.epsilon, self.warmup_steps = beta_1, beta_2, epsilon, warmup_steps

    def slots(self) -> list[Slots]:
        # The momentum slot holds the paper's z, whose initial value is the weight.
        return [{"momentum": lambda variable: np.array(variable), "velocity": 0.0}]

    def update(self, gradient: Any, value: Any, rate: Any, momentum: Any, velocity: Any) -> tuple[Any, Slots]:
        beta_1, beta_2, step = jnp.asarray(self.beta_1), jnp.asarray(self.beta_2), self.step
        if self.has("warmup_steps"):
            rate = rate * jnp.minimum(step / self.warmup_steps, 1.0)
        velocity = velocity + (jnp.square(gradient) - velocity) * (1 - beta_2)
        root = jnp.sqrt(velocity / (1 - jnp.power(beta_2, step))) + self.epsilon
        new = momentum - rate * gradient / root
        average = (value - (1 - beta_1) * momentum) / beta_1
        average = (1 - 1 / step) * average + 1 / step * new
        return (1 - beta_1) * new + beta_1 * average, {"momentum": new, "velocity": velocity}


__all__ = [
    "Adam",
    "AdamW",
    "Adamax",
    "Lamb",
    "Lion",
    "Nadam",
    "ScheduleFreeAdamW",
]
