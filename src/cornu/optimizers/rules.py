"""The update rules: for each its arguments, what it keeps per weight, and its formula, numerically Keras's."""

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
class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba 2014, arXiv 1412.6980).

    `beta_1` keeps the mean of the gradients and `beta_2` that of their squares; `epsilon` is the paper's epsilon hat,
    added outside the root and before bias correction. `amsgrad` divides by the largest mean square so far
    (arXiv 1904.09237). The other arguments are `Optimizer`'s.
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
    """`Adam` with decoupled weight decay, on by default (Loshchilov and Hutter 2017, arXiv 1711.05101).

    Follows https://keras.io/api/optimizers/adamw/
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
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, **options)
        if weight_decay is None:
            raise ValueError("AdamW takes a number as weight_decay; it got None. Without weight decay, use Adam.")


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
