"""Scores that are computed per class or output and then averaged: F1, F-beta, R2."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array

from cornu.core import registry
from cornu.core.errors import unknown
from cornu.losses.base import as_pair
from cornu.metrics.base import Metric
from cornu.metrics.confusion import weights_like
from cornu.ops.numpy import divide_no_nan

AVERAGES = (None, "micro", "macro", "weighted")
AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


def _matrix(y_true: Any, y_pred: Any, dtype: str, metric: str) -> tuple[Array, Array]:
    y_true, y_pred = as_pair(y_true, jnp.asarray(y_pred, dtype))
    if y_pred.ndim != 2 or y_true.shape != y_pred.shape:
        raise ValueError(
            f"{metric} expects labels and predictions of the same shape (batch, classes); "
            f"got {y_true.shape} and {y_pred.shape}."
        )
    return y_true, y_pred


@registry.METRICS.add()
class FBetaScore(Metric):
    """``(1 + beta^2) * precision * recall / (beta^2 * precision + recall)`` of each class.

    Args:
        average: None (a score per class), ``"micro"`` (counts of all classes pooled), ``"macro"`` (the mean) or
            ``"weighted"`` (the mean weighted by the number of true labels of each class).
        beta: weight of recall relative to precision, above 0.
        threshold: predictions above it count as positive; None takes the highest of each row.
        name: name of the metric in logs.
        dtype: dtype of the counts; None takes ``floatx()``.

    Raises:
        ValueError: if an argument is out of range, or if the shapes differ or are not ``(batch, classes)``.

    Labels are 0 or 1, ``(batch, classes)``.
    Follows https://keras.io/api/metrics/classification_metrics/#fbetascore-class

    >>> print(FBetaScore(beta=2.0, average="micro")([[0, 1], [1, 0]], [[0.2, 0.8], [0.6, 0.4]]))
    1.0
    """

    keeps_rows_apart = True

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if average not in AVERAGES:
            raise unknown(f"average of {type(self).__name__}", average, AVERAGES)
        if not isinstance(beta, (int, float)) or beta <= 0:
            raise ValueError(f"{type(self).__name__} expects a `beta` above 0; got {beta!r}.")
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(f"{type(self).__name__} expects a `threshold` above 0 and at most 1; got {threshold!r}.")
        self.average, self.beta, self.threshold = average, beta, threshold

    def build(self, y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None]) -> None:
        """Create the variables, one entry per class (a scalar for ``"micro"``)."""
        if self.variables:
            return
        shape: tuple[Any, ...] = () if self.average == "micro" else (y_pred_shape[-1],)
        self.true_positives = self.add_variable(shape, dtype=self.dtype, name="true_positives")
        self.false_positives = self.add_variable(shape, dtype=self.dtype, name="false_positives")
        self.false_negatives = self.add_variable(shape, dtype=self.dtype, name="false_negatives")
        self.intermediate_weights = self.add_variable(shape, dtype=self.dtype, name="intermediate_weights")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = _matrix(y_true, y_pred, self.dtype, type(self).__name__)
        self.build(y_true.shape, y_pred.shape)
        if self.threshold is None:
            highest = jnp.max(y_pred, -1, keepdims=True)  # (batch, 1)
            y_pred = ((y_pred >= highest) & (jnp.abs(y_pred) > 1e-9)).astype(self.dtype)
        else:
            y_pred = (y_pred > self.threshold).astype(self.dtype)
        weights = weights_like(sample_weight, y_pred)
        axis = None if self.average == "micro" else 0  # (batch, classes) -> () or (classes,)

        def total(values: Array) -> Array:
            return jnp.sum(values if weights is None else values * weights, axis)

        self.true_positives.assign_add(total(y_true * y_pred))
        self.false_positives.assign_add(total((1 - y_true) * y_pred))
        self.false_negatives.assign_add(total(y_true * (1 - y_pred)))
        self.intermediate_weights.assign_add(total(y_true))

    def result(self) -> Array:
        if not self.variables:
            return jnp.zeros((), self.dtype)
        right = self.true_positives.value
        precision = divide_no_nan(right, right + self.false_positives.value)
        recall = divide_no_nan(right, right + self.false_negatives.value)
        squared = self.beta**2
        score = divide_no_nan((1 + squared) * precision * recall, squared * precision + recall)
        if self.average == "weighted":
            labelled = self.intermediate_weights.value
            return jnp.sum(score * divide_no_nan(labelled, jnp.sum(labelled)))
        return jnp.mean(score) if self.average == "macro" else score


@registry.METRICS.add()
class F1Score(FBetaScore):
    """``2 * precision * recall / (precision + recall)`` of each class, for labels 0 or 1, ``(batch, classes)``.

    Args:
        average, threshold: see `FBetaScore`.
        name: name of the metric in logs.
        dtype: dtype of the counts; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/classification_metrics/#f1score-class

    >>> print(F1Score()([[0, 1], [1, 0]], [[0.2, 0.8], [0.6, 0.4]]))
    [1. 1.]
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)


@registry.METRICS.add()
class R2Score(Metric):
    """The coefficient of determination: 1 minus squared error over the variance of the targets.

    1 is best; 0 is as good as predicting the mean. Targets and predictions are ``(batch, outputs)``.

    Args:
        class_aggregation: ``"uniform_average"``, ``"variance_weighted_average"`` or None (a score per output).
        num_regressors: number of independent variables, for the adjusted score; 0 for the plain score.
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.

    Raises:
        ValueError: if an argument is out of range, or if the shapes differ or are not ``(batch, outputs)``.

    Follows https://keras.io/api/metrics/regression_metrics/#r2score-class

    >>> print(R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [3.0]]))
    1.0
    """

    keeps_rows_apart = True

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if class_aggregation not in AGGREGATIONS:
            raise unknown("class_aggregation of R2Score", class_aggregation, AGGREGATIONS)
        if num_regressors < 0:
            raise ValueError(f"R2Score expects `num_regressors` of at least 0; got {num_regressors!r}.")
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable(name="num_samples")

    def build(self, y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None]) -> None:
        """Create the variables, one entry per output."""
        if len(self.variables) > 1:
            return
        shape: tuple[Any, ...] = (y_pred_shape[-1],)
        self.squared_sum = self.add_variable(shape, name="squared_sum")
        self.sum = self.add_variable(shape, name="sum")
        self.total_mse = self.add_variable(shape, name="total_mse")
        self.count = self.add_variable(shape, name="count")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = _matrix(y_true, y_pred, self.num_samples.dtype, "R2Score")
        self.build(y_true.shape, y_pred.shape)
        weights = weights_like(sample_weight, y_pred)
        weights = jnp.broadcast_to(1.0 if weights is None else weights, y_true.shape)
        self.sum.assign_add(jnp.sum(weights * y_true, 0))  # (batch, outputs) -> (outputs,)
        self.squared_sum.assign_add(jnp.sum(weights * y_true**2, 0))
        self.total_mse.assign_add(jnp.sum(weights * (y_true - y_pred) ** 2, 0))
        self.count.assign_add(jnp.sum(weights, 0))
        self.num_samples.assign_add(y_true.size)

    def result(self) -> Array:
        if len(self.variables) == 1:
            return jnp.zeros(())
        mean = self.sum.value / self.count.value
        total = self.squared_sum.value - self.sum.value * mean
        score = 1 - self.total_mse.value / total
        score = jnp.where(jnp.isinf(score), 0, score)
        if self.class_aggregation == "uniform_average":
            score = jnp.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            score = jnp.sum(score * total) / jnp.sum(total)
        return self._adjusted(score) if self.num_regressors else score

    def _adjusted(self, score: Array) -> Array:
        """Return the adjusted score, which corrects for the number of regressors."""
        samples = self.num_samples.value
        freedom = samples - self.num_regressors - 1
        adjusted = 1 - divide_no_nan((1 - score) * (samples - 1), freedom)
        return jnp.where(freedom > 0, adjusted, score)


__all__ = [
    "F1Score",
    "FBetaScore",
    "R2Score",
]
