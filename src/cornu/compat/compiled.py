"""``model.compiled_loss`` and ``model.compiled_metrics``, which a ``train_step`` of Keras 2 calls."""

from typing import Any

import jax

from cornu.core.scope import scope
from cornu.core.variable import bound
from cornu.data.batch import Batch


class CompiledLoss:
    """The loss given to `compile`: a call with targets and outputs returns the total and adds it to the mean."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None) -> Any:
        """Return the loss of a batch with the `regularization_losses`, and add it to the running mean."""
        objective = self._model.objective
        total, each = objective.loss_of(y_true, y_pred, sample_weight)
        total = sum(regularization_losses or [], total)
        objective.update_loss(total, each, Batch(jax.tree.leaves(y_pred)[0]))
        self._model.counted_loss = True
        return total

    @property
    def metrics(self) -> list[Any]:
        """The running means: of the total, and of each output's loss."""
        return [self._model.objective.total, *self._model.objective.loss_means]


class CompiledMetrics:
    """The metrics given to `compile`; `update_state` adds a batch to all."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch to the metrics and to the mean loss, as `compute_loss` did in Keras 2."""
        model = self._model
        if not vars(model).pop("counted_loss", False):
            CompiledLoss(model)(y_true, y_pred, sample_weight, self._penalties())
            del model.counted_loss
        model.objective.update_metrics(y_true, y_pred, sample_weight)

    def _penalties(self) -> list[Any]:
        """Return regularization and other losses as they were before this step changed the weights."""
        changed = [*(scope.assigned or {}).values()]
        with bound([variable for variable, _ in changed], [before for _, before in changed]):
            return self._model._extra_losses()

    @property
    def metrics(self) -> list[Any]:
        """The metrics other than the loss."""
        loss = CompiledLoss(self._model).metrics
        return [metric for metric in self._model.objective.all_metrics if metric not in loss]

    def reset_state(self) -> None:
        """Reset all running sums."""
        for metric in self.metrics:
            metric.reset_state()

    reset_states = reset_state
