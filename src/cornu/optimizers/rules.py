"""Elementwise rules: gradient descent and scaling by past squared gradients, with Keras's arguments and numerics."""

from typing import Any, Unpack

import jax.numpy as jnp

from cornu.core import era, registry
from cornu.optimizers.base import Optimizer
from cornu.optimizers.hyper import Hyper
from cornu.optimizers.options import Options, with_options

Slots = dict[str, Any]


def _root(squares: Any, epsilon: Any, inside: bool = False) -> Any:
    """Return the root of a mean or sum of squares: epsilon is added to `squares`, before Keras 3 to their root."""
    if era.holds("epsilon is added to the root") and not inside:
        return jnp.sqrt(squares) + epsilon
    return jnp.sqrt(squares + epsilon)


@registry.OPTIMIZERS.add()
class SGD(Optimizer):
    """Gradient descent, ``weight -= learning_rate * gradient``, with optional momentum.

    Args:
        learning_rate: a number, a schedule or a function.
        momentum: from 0 to 1: ``m = momentum * m - learning_rate * gradient; weight += m``.
        nesterov: use Nesterov momentum: ``weight += momentum * m - learning_rate * gradient``.
        **options: the other arguments are those of `Optimizer`.

    Raises:
        ValueError: if `momentum` is out of range.

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
            raise ValueError(f"SGD takes a momentum between 0 and 1; got {momentum}.")

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
    """Gradients divided by the root of their moving mean square.

    Args:
        learning_rate: a number, a schedule or a function.
        rho: decay rate of the mean square.
        momentum: from 0 to 1: apply a running sum of the steps, which decays by this.
        epsilon: added under the root; None takes ``epsilon()``.
        centered: subtract the squared mean gradient, so that the variance is used.
        **options: the other arguments are those of `Optimizer`.

    Tieleman and Hinton 2012, Lecture 6.5.
    Follows https://keras.io/api/optimizers/rmsprop/

    >>> import cornu
    >>> weight = cornu.Variable([2.0])
    >>> RMSprop(0.5, rho=0.75).apply([jnp.array([1.0])], [weight]); print(weight.numpy().round(4))
    [1.]
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
        change = rate * gradient / _root(variance, self.epsilon, inside=momentum is not None)
        if momentum is not None:
            change = momentum = self.momentum * momentum + change
        return value - change, {"velocity": velocity, "momentum": momentum, "average_gradient": average_gradient}


@registry.OPTIMIZERS.add()
class Adadelta(Optimizer):
    """Steps scaled by the ratio of recent steps to recent gradients.

    Args:
        learning_rate: a number, a schedule or a function. The default is that of the paper and of Keras 1 and 2, which
            reproduces results published for ``Adadelta()`` (Keras 3 takes 0.001).
        rho: decay rate of both mean squares.
        epsilon: added under both roots; None takes ``epsilon()``.
        **options: the other arguments are those of `Optimizer`.

    Zeiler 2012, https://arxiv.org/abs/1212.5701
    Follows https://keras.io/api/optimizers/adadelta/

    >>> import cornu
    >>> weight = cornu.Variable([1.0])
    >>> Adadelta(epsilon=0.05).apply([jnp.array([1.0])], [weight]); print(weight.numpy().round(3))
    [0.293]
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
    """Gradients divided by the root of the sum of all past squares.

    Args:
        learning_rate: a number, a schedule or a function. The default is that of Keras 2, which reproduces published
            results (Keras 3 takes 0.001).
        initial_accumulator_value: initial value of the sum.
        epsilon: added under the root; None takes ``epsilon()``.
        **options: the other arguments are those of `Optimizer`.

    Duchi, Hazan and Singer 2011, Adaptive subgradient methods.
    Follows https://keras.io/api/optimizers/adagrad/

    >>> import cornu
    >>> weight = cornu.Variable([1.0])
    >>> Adagrad(0.5, initial_accumulator_value=0).apply([jnp.array([3.0])], [weight]); print(weight.numpy().round(4))
    [0.5]
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
        return value - rate * gradient / _root(accumulator, self.epsilon), {"accumulator": accumulator}


@registry.OPTIMIZERS.add()
class Ftrl(Optimizer):
    """Follow the regularized leader, for sparse linear models.

    Args:
        learning_rate: a number, a schedule or a function.
        learning_rate_power: at most 0: exponent of the sum of squares in the rate.
        initial_accumulator_value: initial value of the sum, 0 or more.
        l1_regularization_strength, l2_regularization_strength: penalties on the weights, 0 or more.
        l2_shrinkage_regularization_strength: penalty on the weights that is added to the gradient.
        beta: the paper's beta.
        **options: the other arguments are those of `Optimizer`.

    Raises:
        ValueError: if an argument is out of range.

    McMahan et al. 2013, Ad click prediction. Follows https://keras.io/api/optimizers/ftrl/

    >>> import cornu
    >>> weight = cornu.Variable([0.0])
    >>> Ftrl(0.5, initial_accumulator_value=0).apply([jnp.array([2.0])], [weight]); print(weight.numpy())
    [-0.5]
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
            raise ValueError(f"Ftrl takes a learning_rate_power of at most 0; got {learning_rate_power}.")
        for name in ("initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength"):
            if getattr(self, name) < 0:
                raise ValueError(f"Ftrl takes {name} of at least 0; got {getattr(self, name)}.")

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
