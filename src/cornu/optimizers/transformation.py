"""Any optax transformation as an optimizer."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu.core.variable import Variable
from cornu.optimizers.base import Optimizer
from cornu.optimizers.options import Options, with_options


class OptaxOptimizer(Optimizer):
    """An optax transformation as an optimizer.

    It serves one set of weights, and has no config.

    Args:
        transformation: a pair of ``init(params)`` and ``update(grads, state, params)``; parameters are a list of
            arrays, in the order of the model's trainable weights.
        learning_rate: a factor on the updates, which callbacks can change; the learning rate itself is usually part of
            the transformation.
        **options: the other arguments are those of `Optimizer`.

    Raises:
        ValueError: when built for a second set of weights.
        TypeError: from `get_config`.

    Follows https://optax.readthedocs.io/

    >>> import optax, cornu
    >>> weight = cornu.Variable([1.0])
    >>> OptaxOptimizer(optax.sgd(0.5)).apply([jnp.array([1.0])], [weight]); print(weight.numpy())
    [0.5]
    """

    @with_options
    def __init__(self, transformation: Any, learning_rate: Any = 1.0, **options: Unpack[Options]) -> None:
        super().__init__(learning_rate, **options)
        self.transformation = transformation

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            raise ValueError(
                f"{self.name} holds an optax state for other weights: make a new optimizer for new weights."
            )
        super().build(variables)
        with jax.ensure_compile_time_eval():
            # Copies: a state may hold the weights themselves, whose arrays a step donates.
            state = self.transformation.init([jnp.array(variable._value, copy=True) for variable in variables])
        leaves, self._structure = jax.tree_util.tree_flatten_with_path(state)
        self._state = [
            self._named(Variable(leaf, trainable=False, autocast=False), f"state{jax.tree_util.keystr(path)}")
            for path, leaf in leaves
        ]
        self._variables.extend(self._state)

    def update_all(self, gradients: list, variables: list[Variable], rate: Any) -> None:
        """Update all weights at once; a weight without a gradient is passed a zero gradient, and stays unchanged."""
        given = {id(variable): gradient for gradient, variable in zip(gradients, variables, strict=True)}
        weights = self._trainable_variables
        whole = [given.get(id(weight), jnp.zeros(weight.shape, weight.dtype)) for weight in weights]
        state = jax.tree_util.tree_unflatten(self._structure, [variable.value for variable in self._state])
        updates, state = self.transformation.update(whole, state, [weight.value for weight in weights])
        for weight, update in zip(weights, updates, strict=True):
            if id(weight) in given:
                weight.assign(weight.value + (rate * update).astype(weight.dtype))
        for variable, leaf in zip(self._state, jax.tree_util.tree_leaves(state), strict=True):
            variable.assign(leaf)

    def get_config(self) -> dict[str, Any]:
        raise TypeError(
            f"{self.name} is an optax transformation, which is made of functions and has no config.\n"
            "Save the weights, and pass the transformation to compile() again after loading."
        )


def is_transformation(thing: Any) -> bool:
    """Return whether `thing` is an optax transformation, without importing optax."""
    return isinstance(thing, tuple) and hasattr(thing, "init") and hasattr(thing, "update")


__all__ = [
    "OptaxOptimizer",
]
