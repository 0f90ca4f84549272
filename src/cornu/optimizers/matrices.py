"""Rules that treat a weight as a matrix: Adafactor and Muon, with Keras's arguments and numerics."""

import re
from collections.abc import Sequence
from typing import Any, Unpack

import jax.numpy as jnp
import numpy as np

from cornu.core import registry
from cornu.core.variable import Variable
from cornu.optimizers.base import Optimizer
from cornu.optimizers.hyper import Hyper
from cornu.optimizers.options import Options, OtherOptions, with_options

Slots = dict[str, Any]


def _root_mean_square(array: Any) -> Any:
    return jnp.sqrt(jnp.mean(jnp.square(array)))


@registry.OPTIMIZERS.add()
class Adafactor(Optimizer):
    """Adam-like steps from the mean squared gradients of rows and columns, which saves memory.

    Args:
        learning_rate: a number, a schedule or a function; scaled by the root mean square of the weight.
        beta_2_decay: exponent of the decay rate of the means, below 0.
        epsilon_1: added to the squared gradients.
        epsilon_2: the least scale of a weight.
        clip_threshold: the largest root mean square of a step.
        relative_step: keep the rate at or below ``1 / sqrt(step)``; Keras's formula does so in any case.
        **options: the other arguments are those of `Optimizer`.

    Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235
    Follows https://keras.io/api/optimizers/adafactor/

    >>> import cornu
    >>> weight = cornu.Variable([2.0])
    >>> Adafactor(0.25).apply([jnp.array([3.0])], [weight]); print(weight.numpy())
    [1.5]
    """

    beta_2_decay, epsilon_1, epsilon_2, clip_threshold = Hyper(), Hyper(), Hyper(), Hyper()

    @with_options
    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step

    def slots(self) -> list[Slots]:
        def rows(variable: Variable) -> np.ndarray:
            return np.zeros(variable.shape[:-1] if variable.ndim > 1 else (), dtype=np.float32)

        def columns(variable: Variable) -> np.ndarray:
            shape = (*variable.shape[:-2], variable.shape[-1]) if variable.ndim > 1 else ()
            return np.zeros(shape, dtype=np.float32)

        return [{"rows": rows, "columns": columns, "velocity": 0.0}]

    def slot_name(self, variable: Variable, name: str) -> str:
        return variable.name if name in ("rows", "columns") else super().slot_name(variable, name)

    def update(self, gradient: Any, value: Any, rate: Any, rows: Any, columns: Any, velocity: Any) -> tuple[Any, Slots]:
        beta = 1 - jnp.power(self.step, self.beta_2_decay)
        squares = jnp.square(gradient) + self.epsilon_1

        def mean(old: Any, new: Any) -> Any:
            return beta * old + (1 - beta) * new

        if value.ndim > 1:
            # (..., n, m) -> (..., n) and (..., m)
            rows, columns = mean(rows, jnp.mean(squares, axis=-1)), mean(columns, jnp.mean(squares, axis=-2))
            share = rows / jnp.mean(rows, axis=-1, keepdims=True)
            velocity = share[..., None] * columns[..., None, :]  # (..., n, m)
        else:
            velocity = mean(velocity, squares)
        change = gradient / jnp.sqrt(velocity)
        change = change / jnp.maximum(1.0, _root_mean_square(change) / self.clip_threshold)
        rate = jnp.maximum(self.epsilon_2, _root_mean_square(value)) * jnp.minimum(rate, 1 / jnp.sqrt(self.step))
        return value - rate * change, {"rows": rows, "columns": columns, "velocity": velocity}


@registry.OPTIMIZERS.add()
class Muon(Optimizer):
    """Momentum orthogonalized by Newton-Schulz iterations, for matrices; AdamW for all other weights.

    Args:
        learning_rate, weight_decay: for matrices: weights with two axes.
        adam_beta_1, adam_beta_2, adam_weight_decay, epsilon: for AdamW.
        exclude_layers: regular expressions; weights whose path matches one use AdamW.
        exclude_embeddings: whether embeddings use AdamW.
        muon_a, muon_b, muon_c: coefficients of the Newton-Schulz iteration.
        adam_lr_ratio: AdamW's learning rate, as a fraction of `learning_rate`.
        momentum: decay rate of the momentum, from 0 to 1.
        ns_steps: number of Newton-Schulz iterations.
        nesterov: whether to use Nesterov momentum.
        rms_rate: scales steps to the size of Adam's (https://arxiv.org/abs/2502.16982); None: no scaling.
        **options: the other arguments are those of `Optimizer`.

    Jordan et al. 2024. Follows https://keras.io/api/optimizers/muon/

    >>> import cornu
    >>> bias = cornu.Variable([1.0])  # one axis, so AdamW updates it
    >>> Muon(0.5, adam_weight_decay=0).apply([jnp.array([3.0])], [bias]); print(bias.numpy().round(4))
    [0.5]
    """

    adam_beta_1, adam_beta_2, epsilon = Hyper(complement=True), Hyper(complement=True), Hyper(epsilon=True)
    adam_weight_decay, adam_lr_ratio, rms_rate = Hyper(), Hyper(), Hyper()
    muon_a, muon_b, muon_c, momentum = Hyper(), Hyper(), Hyper(), Hyper(complement=True)

    @with_options
    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float | None = 1e-7,
        weight_decay: float | None = 0.004,
        *,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **options: Unpack[OtherOptions],
    ) -> None:
        super().__init__(learning_rate, weight_decay, **options)
        self.adam_beta_1, self.adam_beta_2, self.epsilon = adam_beta_1, adam_beta_2, epsilon
        self.adam_weight_decay, self.adam_lr_ratio = adam_weight_decay, adam_lr_ratio
        self.exclude_layers, self.exclude_embeddings = list(exclude_layers or ()), exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c, self.momentum = muon_a, muon_b, muon_c, momentum
        self.ns_steps, self.nesterov, self.rms_rate = ns_steps, nesterov, rms_rate

    def uses_adam(self, variable: Variable) -> bool:
        """Return whether a weight is updated by AdamW."""
        if variable.ndim != 2 or (self.exclude_embeddings and "embedding" in variable.path.lower()):
            return True
        return any(re.search(keyword, variable.path) for keyword in self.exclude_layers)

    def slots(self) -> list[Slots]:
        def velocity(variable: Variable) -> np.ndarray | None:
            return np.zeros(variable.shape, dtype=np.float32) if self.uses_adam(variable) else None

        return [{"momentum": 0.0, "velocity": velocity}]

    def weight_decay_of(self, variable: Variable) -> Any:
        name = "adam_weight_decay" if self.uses_adam(variable) else "weight_decay"
        return getattr(self, name) if self.has(name) and self.may_decay(variable) else None

    def update(self, gradient: Any, value: Any, rate: Any, momentum: Any, velocity: Any = None) -> tuple[Any, Slots]:
        if velocity is not None:
            return self._adam(gradient, value, rate * self.adam_lr_ratio, momentum, velocity)
        momentum = momentum + (gradient - momentum * self.one_minus("momentum"))
        change = rate * self._orthogonal(gradient + self.momentum * momentum if self.nesterov else momentum)
        if self.rms_rate is not None:
            change = change * np.sqrt(max(value.shape), dtype=np.float32) * self.rms_rate
        return value - change, {"momentum": momentum}

    def _adam(self, gradient: Any, value: Any, rate: Any, momentum: Any, velocity: Any) -> tuple[Any, Slots]:
        powers = jnp.power(self.adam_beta_1, self.step), jnp.power(self.adam_beta_2, self.step)
        rate = rate * jnp.sqrt(1 - powers[1]) / (1 - powers[0])
        momentum = momentum + (gradient - momentum) * self.one_minus("adam_beta_1")
        velocity = velocity + (jnp.square(gradient) - velocity) * self.one_minus("adam_beta_2")
        new = value - momentum * rate / (jnp.sqrt(velocity) + self.epsilon)
        return new, {"momentum": momentum, "velocity": velocity}

    def _orthogonal(self, matrix: Any) -> Any:
        """Return a matrix with nearly the same singular vectors, and singular values near 1."""
        tall = matrix.shape[0] > matrix.shape[1]
        x = matrix.T if tall else matrix  # (n, m), n <= m
        x = x / (jnp.linalg.norm(x, keepdims=True) + 1e-7)
        for _ in range(self.ns_steps):
            square = x @ x.T  # (n, n)
            x = self.muon_a * x + (self.muon_b * square + self.muon_c * square @ square) @ x
        return x.T if tall else x


__all__ = [
    "Adafactor",
    "Muon",
]
