"""Rules for single elements: gradient descent and scaling by past squares, each with Keras's arguments and numbers."""

from typing import Any, Unpack

import jax.numpy as jnp

from cornu.core import registry
from cornu.optimizers.base import Optimizer
from cornu.optimizers.hyper import Hyper
from cornu.optimizers.options import Options, with_options

Slots = dict[str, Any]


@registry.OPTIMIZERS.add()
class SGD(Optimizer):
    """Gradient descent, ``weight -= learning_rate * gradient``, with momentum and Nesterov's momentum.

    With `momentum` (0 to 1): ``m = momentum * m - learning_rate * gradient; weight += m``; with `nesterov`,
    ``weight += momentum * m - learning_rate * gradient``. The other arguments are `Optimizer`'s.
    Follows https://keras.io/api/optimizers/sgd/

    >>> import cornu
    >>> weight = cornu.Variable([1.0])
    >>> SGD(0.5).apply([jnp.array([1.0])], [weight]); print(weight.numpy())
    [0.5]
    """

    momentum = Hyper(slot="momentum")

    @with_options
    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.momentum, self.nesterov = momentum, nesterov
        if not 0 <= self.momentum <= 1:
            raise ValueError(f"SGD takes a momentum between 0 and 1; it got {momentum}.")

    def slots(self) -> list[Slots]:
        return [{"momentum": 0.0}] if self.has("momentum") else []

    def update(self, gradient: Any, value: Any, rate: Any, momentum: Any = None) -> tuple[Any, Slots]:
        if momentum is None:
            return value - rate * gradient, {}
        momentum = self.momentum * momentum - rate * gradient
        change = self.momentum * momentum - rate * gradient if self.nesterov else momentum
        return value + change, {"momentum": momentum}


@registry.OPTIMIZERS.add("rmsprop")
class RMSprop(Optimizer):
    """Gradients divided by the root of their moving mean square (Tieleman and Hinton 2012).

    `rho` keeps the mean square; `centered` takes the square of the mean off it; `epsilon` is added under the root.
    With `momentum`, a running sum of the steps is taken instead of the step. The other arguments are `Optimizer`'s.
    Follows https://keras.io/api/optimizers/rmsprop/
    """

    rho, momentum, epsilon = Hyper(complement=True), Hyper(slot="momentum"), Hyper(epsilon=True)

    @with_options
    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float | None = 1e-7,
        centered: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def slots(self) -> list[Slots]:
        optional = {"momentum": self.has("momentum"), "average_gradient": self.centered}
        return [{"velocity": 0.0}, *({name: 0.0} for name, kept in optional.items() if kept)]

    def update(
        self, gradient: Any, value: Any, rate: Any, velocity: Any, momentum: Any = None, average_gradient: Any = None
    ) -> tuple[Any, Slots]:
        velocity = self.rho * velocity + self.one_minus("rho") * jnp.square(gradient)
        variance = velocity
        if average_gradient is not None:
            average_gradient = self.rho * average_gradient + self.one_minus("rho") * gradient
            variance = velocity - jnp.square(average_gradient)
        change = rate * gradient / jnp.sqrt(variance + self.epsilon)
        if momentum is not None:
            change = momentum = self.momentum * momentum + change
        return value - change, {"velocity": velocity, "momentum": momentum, "average_gradient": average_gradient}


@registry.OPTIMIZERS.add()
class Adadelta(Optimizer):
    """Steps as large as the recent steps over the recent gradients (Zeiler 2012, arXiv 1212.5701).

    `rho` keeps both mean squares, and `epsilon` is added under both roots. The default learning rate is the paper's
    1.0, as in Keras 1 and 2: the results published for bare ``Adadelta()`` come true only with it (Keras 3 takes
    0.001). The other arguments are `Optimizer`'s.
    Follows https://keras.io/api/optimizers/adadelta/
    """

    rho, epsilon = Hyper(complement=True), Hyper(epsilon=True)

    @with_options
    def __init__(
        self, learning_rate: Any = 1.0, rho: float = 0.95, epsilon: float | None = 1e-7, **options: Unpack[Options]
    ) -> None:
        super().__init__(learning_rate, **options)
        self.rho, self.epsilon = rho, epsilon

    def slots(self) -> list[Slots]:
        return [{"accumulated_grad": 0.0, "accumulated_delta_var": 0.0}]

    def update(
        self, gradient: Any, value: Any, rate: Any, accumulated_grad: Any, accumulated_delta_var: Any
    ) -> tuple[Any, Slots]:
        def mean(old: Any, new: Any) -> Any:
            return self.rho * old + self.one_minus("rho") * jnp.square(new)

        squares = mean(accumulated_grad, gradient)
        change = jnp.sqrt(accumulated_delta_var + self.epsilon) * gradient / jnp.sqrt(squares + self.epsilon)
        slots = {"accumulated_grad": squares, "accumulated_delta_var": mean(accumulated_delta_var, change)}
        return value - rate * change, slots


@registry.OPTIMIZERS.add()
class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of all their squares (Duchi, Hazan and Singer 2011).

    The sum starts at `initial_accumulator_value`, and `epsilon` is added under the root. The default learning rate is
    Keras 2's 0.01, with which published results come true (Keras 3 takes 0.001). The other arguments are `Optimizer`'s.
    Follows https://keras.io/api/optimizers/adagrad/
    """

    epsilon = Hyper(epsilon=True)

    @with_options
    def __init__(
        self,
        learning_rate: Any = 0.01,
        initial_accumulator_value: float = 0.1,
        epsilon: float | None = 1e-7,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def slots(self) -> list[Slots]:
        return [{"accumulator": self.initial_accumulator_value}]

    def update(self, gradient: Any, value: Any, rate: Any, accumulator: Any) -> tuple[Any, Slots]:
        accumulator = accumulator + jnp.square(gradient)
        return value - rate * gradient / jnp.sqrt(accumulator + self.epsilon), {"accumulator": accumulator}


@registry.OPTIMIZERS.add()
class Ftrl(Optimizer):
    """Follow the regularized leader, for sparse linear models (McMahan et al. 2013).

    `learning_rate_power` (at most 0) says how the rate falls with the sum of squares, which starts at
    `initial_accumulator_value`; `l1_regularization_strength` and `l2_regularization_strength` act on the weights,
    `l2_shrinkage_regularization_strength` on the gradient; `beta` is the paper's. Other arguments: see `Optimizer`.
    Follows https://keras.io/api/optimizers/ftrl/
    """

    learning_rate_power, l1_regularization_strength, l2_regularization_strength = Hyper(), Hyper(), Hyper()
    l2_shrinkage_regularization_strength, beta = Hyper(), Hyper()

    @with_options
    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.learning_rate_power, self.initial_accumulator_value = learning_rate_power, initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        if self.learning_rate_power > 0:
            raise ValueError(f"Ftrl takes a learning_rate_power of 0 or below; it got {learning_rate_power}.")
        for name in ("initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength"):
            if getattr(self, name) < 0:
                raise ValueError(f"Ftrl takes {name} of 0 or above; it got {getattr(self, name)}.")

    def slots(self) -> list[Slots]:
        return [{"accumulator": self.initial_accumulator_value, "linear": 0.0}]

    def update(self, gradient: Any, value: Any, rate: Any, accumulator: Any, linear: Any) -> tuple[Any, Slots]:
        squares = accumulator + jnp.square(gradient)
        new, old = jnp.power(squares, -self.learning_rate_power), jnp.power(accumulator, -self.learning_rate_power)
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * value
        linear = linear + (shrunk - (new - old) / rate * value)
        l1, l2 = self.l1_regularization_strength, self.l2_regularization_strength + self.beta / (2.0 * rate)
        value = (jnp.clip(linear, -l1, l1) - linear) / (new / rate + 2 * l2)
        return value, {"accumulator": squares, "linear": linear}


__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Ftrl",
    "RMSprop",
]
