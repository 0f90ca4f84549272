"""Several optimizers for one model: a path pattern or a function selects the optimizer of each weight."""

import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from cornu.core import registry, serialization
from cornu.core.variable import Variable
from cornu.optimizers.base import Optimizer


@registry.OPTIMIZERS.add()
class OptimizerMap(MutableMapping):
    """Maps regular expressions to optimizers; an expression must match the whole path of a weight.

    Args:
        default_optimizer: for weights that no expression matches.
        optimizer_map: optimizers by regular expression.

    Raises:
        ValueError: if two expressions match a weight, or if an expression is set twice.
        TypeError: if a value is not a plain optimizer.

    Follows https://keras.io/api/optimizers/multi_optimizer/

    >>> from cornu.optimizers import SGD, Adam
    >>> OptimizerMap(SGD(), {".*/bias": Adam()})["dense/bias"].__class__.__name__
    'Adam'
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None) -> None:
        self.default_optimizer = _single(default_optimizer)
        self._map: dict[str, Optimizer] = {}
        for expression, optimizer in (optimizer_map or {}).items():
            self[expression] = optimizer

    def __getitem__(self, path: str) -> Optimizer:
        if path in self._map:
            return self._map[path]
        matching = [expression for expression in self._map if re.fullmatch(expression, path)]
        if len(matching) > 1:
            raise ValueError(f"Several expressions match the weight {path!r}: {matching}.")
        return self._map[matching[0]] if matching else self.default_optimizer

    def __setitem__(self, expression: str, optimizer: Optimizer) -> None:
        if not isinstance(expression, str):
            raise ValueError(f"The key of an optimizer must be a regular expression, a string; got {expression!r}.")
        if expression in self._map:
            raise ValueError(f"There is already an optimizer for {expression!r}: delete it first.")
        self._map[expression] = _single(optimizer)

    def __delitem__(self, expression: str) -> None:
        del self._map[expression]

    def __len__(self) -> int:
        return len(self._map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __call__(self, variable: Variable) -> Optimizer:
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        optimizers = {expression: serialization.serialize(optimizer) for expression, optimizer in self._map.items()}
        return {"default_optimizer": serialization.serialize(self.default_optimizer), "optimizer_map": optimizers}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "OptimizerMap":
        """Return the map for a config."""
        return cls(**{key: serialization.deserialize(value, custom_objects) for key, value in config.items()})


@registry.OPTIMIZERS.add()
class MultiOptimizer(Optimizer):
    """Several optimizers as one; each has its own learning rate, in `optimizers`.

    Args:
        optimizer_map: an `OptimizerMap`, or a function from a weight to its optimizer.
        loss_scale_factor: multiplies the loss and divides the gradients.
        name: name of the optimizer.

    Follows https://keras.io/api/optimizers/multi_optimizer/

    >>> import cornu, jax.numpy as jnp
    >>> slow, fast = cornu.optimizers.SGD(0.25), cornu.optimizers.SGD(0.5)
    >>> optimizer = MultiOptimizer(lambda weight: fast if weight.ndim == 1 else slow)
    >>> weight = cornu.Variable([1.0])
    >>> optimizer.apply([jnp.array([1.0])], [weight]); print(weight.numpy())
    [0.5]
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = optimizer_map
        self.optimizers: list[Optimizer] = []
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map._map.values(), optimizer_map.default_optimizer):
                self._take(optimizer)

    def _take(self, optimizer: Optimizer) -> Optimizer:
        if not any(optimizer is known for known in self.optimizers):
            self.optimizers.append(_single(optimizer))
            optimizer.loss_scale_factor = self.loss_scale_factor
        return optimizer

    def _missing_attribute(self, name: str) -> Any:
        if name in ("learning_rate", "lr"):
            raise AttributeError(
                "A MultiOptimizer has no learning rate of its own: see optimizer.optimizers[0].learning_rate."
            )
        return super()._missing_attribute(name)

    if not TYPE_CHECKING:
        __getattr__ = _missing_attribute

    @property
    def learning_rate(self) -> Any:
        """Raises AttributeError: each of `optimizers` has its own."""
        return self._missing_attribute("learning_rate")

    @learning_rate.setter
    def learning_rate(self, _: Any) -> None:
        self._missing_attribute("learning_rate")

    lr = learning_rate

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        for optimizer, group in self._grouped(variables, variables):
            optimizer.prepare([variable for _, variable in group])

    def _grouped(
        self, things: Sequence[Any], variables: Sequence[Variable]
    ) -> list[tuple[Optimizer, list[tuple[Any, Variable]]]]:
        """Return each optimizer with its weights, paired with the corresponding `things`."""
        chosen = [(self._take(self.optimizer_map(variable)), variable) for variable in variables]
        groups = []
        for optimizer in self.optimizers:
            mine = [
                (thing, variable) for thing, (its, variable) in zip(things, chosen, strict=True) if its is optimizer
            ]
            if mine:
                groups.append((optimizer, mine))
        return groups

    @property
    def variables(self) -> list[Variable]:
        return [*self._variables, *(variable for optimizer in self.optimizers for variable in optimizer.variables)]

    @property
    def hyper_variables(self) -> list[Variable]:
        inner = (variable for optimizer in self.optimizers for variable in optimizer.hyper_variables)
        return [*super().hyper_variables, *inner]

    @property
    def revision(self) -> int:
        return self._revision + sum(optimizer.revision for optimizer in self.optimizers)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Update each weight with its optimizer."""
        if len(grads) == 0:
            return
        for optimizer, pairs in self._grouped(grads, self._weights_of(grads, trainable_variables)):
            optimizer.apply_gradients(pairs)
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        for optimizer, group in self._grouped(var_list, var_list):
            optimizer.finalize_variable_values([variable for _, variable in group])

    def get_config(self) -> dict[str, Any]:
        return {
            "optimizer_map": serialization.serialize(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }


def _single(optimizer: Any) -> Optimizer:
    """Return an optimizer that may be one of several; TypeError for anything else."""
    refused = isinstance(optimizer, MultiOptimizer) or type(optimizer).__name__ == "LossScaleOptimizer"
    if not isinstance(optimizer, Optimizer) or refused:
        raise TypeError(f"Expected a plain optimizer such as Adam() for each weight; got {optimizer!r}.")
    return optimizer


__all__ = [
    "MultiOptimizer",
    "OptimizerMap",
]
