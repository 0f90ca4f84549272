"""What a model's steps compute of their outputs: the loss and the metrics."""

import inspect
from typing import Any

import numpy as np

from cornu.core.graph import SymbolicTensor, resolve
from cornu.core.signature import any_signature
from cornu.data.batch import Batch
from cornu.metrics import Metric
from cornu.models.parts import ModelPart
from cornu.training.objective import free_name, results_by_name


class LossMethods(ModelPart):
    """The methods of a model that compute losses and metrics with its `objective`; a subclass may override each."""

    def total_loss(self, batch: Batch, y_pred: Any, training: bool) -> tuple[Any, list[Any]]:
        """Return the loss with all penalties, and each output's own loss."""
        if type(self).compute_loss is not LossMethods.compute_loss:
            args = {"x": batch.x, "y": batch.y, "y_pred": y_pred, "sample_weight": batch.sample_weight}
            return self.compute_loss(**args, **_training_argument(self.compute_loss, training)), []
        total, each = self.objective.loss_of(batch.y, y_pred, batch.sample_weight)
        extra = self._extra_losses()
        if training and not extra and all(one is None for one in each):
            raise ValueError("There is nothing to minimize: compile got no loss, and no layer adds one.")
        for tensor, metric in getattr(self, "_graph_metrics", ()):
            metric.update_state(resolve(tensor))
        return sum(extra, total), each

    def _extra_losses(self) -> list[Any]:
        """Return what layers, regularizers and `add_loss` add, as scalars."""
        values = list(self.losses)
        for tensor in getattr(self, "_graph_losses", ()):
            value = resolve(tensor)
            if value is None:
                raise ValueError(f"add_loss was given {tensor.name!r}, which does not depend on this model's inputs.")
            values.append(value)
        return [value.mean() if np.ndim(value) else value for value in map(_as_value, values)]

    @any_signature
    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Return the total loss of a batch; override it to compute it otherwise."""
        total, _ = self.objective.loss_of(y, y_pred, sample_weight) if self.objective.built else (0.0, [])
        return sum(self._extra_losses(), total)

    @any_signature
    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Add a batch to the metrics and return their results; override it for metrics of one's own."""
        self.objective.update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the results of all metrics by name."""
        return results_by_name(self.named_metrics(self.metrics))

    def reset_metrics(self) -> None:
        """Forget the running sums of all metrics."""
        for metric in self.metrics:
            metric.reset_state()

    @property
    def metrics(self) -> list[Metric]:
        """All metrics: the mean loss, those given to `compile`, and those that the model and its layers hold."""
        compiled = self.objective.all_metrics if self.objective is not None else []
        return list({id(metric): metric for metric in [*compiled, *self.own_metrics]}.values())

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, in order: loss, each output's loss, metrics.

        They are known once the model is compiled, as in Keras 2, if it knows its outputs.
        """
        if self.objective is not None and not self.objective.built:
            planned = self.objective.planned_names(self.output_names or [self.name])
            return [*planned, *(metric.name for metric in self.own_metrics)]
        names: list[str] = []
        for name, _ in self.named_metrics(self.metrics):
            names.append(free_name(name, names))
        return names

    def named_metrics(self, metrics: list[Metric]) -> list[tuple[str, Metric]]:
        """Return metrics with their names in logs, which for those given to `compile` may have prefix and number."""
        names = self.objective.names_in_logs if self.objective is not None else {}
        return [(name, metric) for metric in metrics for name in names.get(id(metric), [metric.name])]

    @property
    def metrics_variables(self) -> list[Any]:
        """The variables of all metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]


def _training_argument(function: Any, training: bool) -> dict[str, bool]:
    return {"training": training} if "training" in inspect.signature(function).parameters else {}


def _as_value(value: Any) -> Any:
    known = resolve(value) if isinstance(value, SymbolicTensor) else value
    return value if known is None else known


def as_scores(logs: dict[str, Any]) -> Any:
    """Return what Keras returns for logs: the values in order, or the only one."""
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
