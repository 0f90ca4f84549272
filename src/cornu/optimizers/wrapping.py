"""What optimizers that wrap another one share: its state and learning rate are theirs."""

from collections.abc import Sequence
from typing import Any

from cornu.core import registry, serialization
from cornu.core.variable import Variable
from cornu.optimizers.base import Optimizer


class WrappingOptimizer(Optimizer):
    """Base class of optimizers around an `inner_optimizer`, whose steps and learning rate they count as their own.

    Args:
        inner_optimizer: the optimizer to wrap, its name or its config.
        name: name of the optimizer.

    A subclass overrides `apply`, which calls ``self.inner_optimizer.apply``.
    """

    def __init__(self, inner_optimizer: Any, name: str | None = None) -> None:
        super().__init__(0.0, name=name)
        self.inner_optimizer = serialization.get(inner_optimizer, registry.OPTIMIZERS)

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self.inner_optimizer.prepare(variables)

    @property
    def variables(self) -> list[Variable]:
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def hyper_variables(self) -> list[Variable]:
        return [*super().hyper_variables, *self.inner_optimizer.hyper_variables]

    @property
    def revision(self) -> int:
        return self._revision + self.inner_optimizer.revision

    @property
    def iterations(self) -> Any:
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's learning rate."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    lr = learning_rate

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss as the inner optimizer scales it."""
        return self.inner_optimizer.scale_loss(loss)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)


__all__: list[str] = []
