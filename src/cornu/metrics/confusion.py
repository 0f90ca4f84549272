"""Metrics that count true and false positives and negatives at one or more thresholds."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from cornu.core import registry
from cornu.core.variable import Variable
from cornu.losses.base import as_pair, check_weights
from cornu.metrics.base import Metric
from cornu.ops.numpy import divide_no_nan

Thresholds = float | Sequence[float] | None


class Counts(NamedTuple):
    """The four counts of a confusion matrix, ``(thresholds,)`` or ``(thresholds, labels)`` each."""

    true_positives: Array
    false_positives: Array
    true_negatives: Array
    false_negatives: Array


def count(y_true: Array, y_pred: Array, weights: Array | None, thresholds: Any, keep_labels: bool = False) -> Counts:
    """Return the counts at each threshold, over all entries or per entry of the last axis.

    Args:
        y_true: labels, 0 or 1, ``(batch, ..., labels)``.
        y_pred: predictions of the same shape.
        weights: weights that broadcast to `y_pred`, or None.
        thresholds: ``(thresholds,)``.
        keep_labels: return ``(thresholds, labels)`` instead of ``(thresholds,)``.
    """
    axes = tuple(range(1, y_pred.ndim + (0 if keep_labels else 1)))
    is_yes = y_true != 0
    # (thresholds, batch, ..., labels)
    says_yes = y_pred > jnp.asarray(thresholds, y_pred.dtype).reshape((-1,) + (1,) * y_pred.ndim)
    weights = jnp.ones((), y_pred.dtype) if weights is None else weights
    weights = jnp.broadcast_to(weights, y_pred.shape)

    def total(where: Array) -> Array:
        return jnp.sum(jnp.where(where, weights, 0), axes)

    return Counts(
        total(is_yes & says_yes), total(~is_yes & says_yes), total(~is_yes & ~says_yes), total(is_yes & ~says_yes)
    )


def weights_like(sample_weight: Any, y_pred: Array) -> Array | None:
    """Return sample weights, one per sample or per entry, with axes appended so that they broadcast to `y_pred`."""
    if sample_weight is None:
        return None
    weights = jnp.asarray(sample_weight, y_pred.dtype)
    if weights.ndim == y_pred.ndim + 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    check_weights(weights.shape, y_pred.shape)
    return weights.reshape(weights.shape + (1,) * (y_pred.ndim - weights.ndim))


def checked_thresholds(thresholds: Thresholds, default: float = 0.5) -> list[float]:
    """Return thresholds as a list; ValueError if one is not between 0 and 1."""
    if thresholds is None:
        return [default]
    found = [float(value) for value in np.ravel(np.asarray(thresholds, dtype=object)) if value is not None]
    if not found or len(found) < np.size(thresholds) or not all(0 <= value <= 1 for value in found):
        raise ValueError(f"Thresholds must be numbers from 0 to 1; got {thresholds!r}.")
    return found


def only_top(y_pred: Array, k: int) -> Array:
    """Replace all but the `k` highest predictions of the last axis with -infinity."""
    _, places = lax.top_k(y_pred, k)  # (..., k)
    is_top = jnp.any(places[..., None] == jnp.arange(y_pred.shape[-1]), -2)  # (..., k, labels) -> (..., labels)
    return jnp.where(is_top, y_pred, -jnp.inf)


def _scalar_if_single(values: Array) -> Array:
    return values[0] if values.shape[0] == 1 else values


class _OneCount(Metric):
    """The sum of one of the four counts."""

    field: str
    keeps_rows_apart = True

    def __init__(self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self._thresholds = checked_thresholds(thresholds)
        self.accumulator = self.add_variable((len(self._thresholds),), name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = as_pair(y_true, jnp.asarray(y_pred, self.accumulator.dtype))
        counts = count(y_true, y_pred, weights_like(sample_weight, y_pred), self._thresholds)
        self.accumulator.assign_add(getattr(counts, self.field))

    def result(self) -> Array:
        return _scalar_if_single(self.accumulator.value)


@registry.METRICS.add()
class TruePositives(_OneCount):
    """The number of positive labels predicted above the threshold.

    Args:
        thresholds: from 0 to 1: one number, or several (the result then has one entry per threshold); None means 0.5.
        name: name of the metric in logs.
        dtype: dtype of the count; None takes ``floatx()``.

    Raises:
        ValueError: if a threshold is out of range.

    Follows https://keras.io/api/metrics/classification_metrics/#truepositives-class

    >>> print(TruePositives()([0, 1, 1], [0.9, 0.9, 0.2]))
    1.0
    """

    field = "true_positives"


@registry.METRICS.add()
class FalsePositives(_OneCount):
    """The number of negative labels predicted above the threshold.

    Args:
        thresholds: from 0 to 1: one number, or several (the result then has one entry per threshold); None means 0.5.
        name: name of the metric in logs.
        dtype: dtype of the count; None takes ``floatx()``.

    Raises:
        ValueError: if a threshold is out of range.

    Follows https://keras.io/api/metrics/classification_metrics/#falsepositives-class

    >>> print(FalsePositives()([0, 1, 1], [0.9, 0.9, 0.2]))
    1.0
    """

    field = "false_positives"


@registry.METRICS.add()
class TrueNegatives(_OneCount):
    """The number of negative labels predicted at or below the threshold.

    Args:
        thresholds: from 0 to 1: one number, or several (the result then has one entry per threshold); None means 0.5.
        name: name of the metric in logs.
        dtype: dtype of the count; None takes ``floatx()``.

    Raises:
        ValueError: if a threshold is out of range.

    Follows https://keras.io/api/metrics/classification_metrics/#truenegatives-class

    >>> print(TrueNegatives()([0, 0, 1], [0.1, 0.2, 0.9]))
    2.0
    """

    field = "true_negatives"


@registry.METRICS.add()
class FalseNegatives(_OneCount):
    """The number of positive labels predicted at or below the threshold.

    Args:
        thresholds: from 0 to 1: one number, or several (the result then has one entry per threshold); None means 0.5.
        name: name of the metric in logs.
        dtype: dtype of the count; None takes ``floatx()``.

    Raises:
        ValueError: if a threshold is out of range.

    Follows https://keras.io/api/metrics/classification_metrics/#falsenegatives-class

    >>> print(FalseNegatives(thresholds=[0.5, 0.95])([0, 1, 1], [0.9, 0.9, 0.2]))
    [1. 2.]
    """

    field = "false_negatives"


class _Share(Metric):
    """True positives divided by the sum of true positives and one kind of error."""

    errors: str
    keeps_rows_apart = True

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self._thresholds = checked_thresholds(thresholds, 0.5 if top_k is None else -np.inf)
        self.top_k, self.class_id = top_k, class_id
        self.true_positives = self.add_variable((len(self._thresholds),), name="true_positives")
        setattr(self, self.errors, self.add_variable((len(self._thresholds),), name=self.errors))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = as_pair(y_true, jnp.asarray(y_pred, self.true_positives.dtype))
        y_pred = y_pred if self.top_k is None else only_top(y_pred, self.top_k)
        weights = weights_like(sample_weight, y_pred)
        if self.class_id is not None:
            y_true, y_pred = y_true[..., self.class_id], y_pred[..., self.class_id]
            weights = weights if weights is None else weights[..., -1 if weights.shape[-1] == 1 else self.class_id]
        counts = count(y_true, y_pred, weights, self._thresholds)
        self.true_positives.assign_add(counts.true_positives)
        getattr(self, self.errors).assign_add(getattr(counts, self.errors))

    def result(self) -> Array:
        right, wrong = self.true_positives.value, getattr(self, self.errors).value
        return _scalar_if_single(divide_no_nan(right, right + wrong))


@registry.METRICS.add()
class Precision(_Share):
    """The fraction of predicted positives that are positive.

    Args:
        thresholds: from 0 to 1: one number, or several (the result then has one entry per threshold); None means 0.5.
        top_k: count only the `top_k` highest predictions of each sample as positive.
        class_id: evaluate only this column.
        name: name of the metric in logs.
        dtype: dtype of the counts; None takes ``floatx()``.

    Raises:
        ValueError: if a threshold is out of range.

    Follows https://keras.io/api/metrics/classification_metrics/#precision-class

    >>> print(Precision()([0, 1, 1, 1, 1], [1, 0, 1, 1, 1]))
    0.75
    """

    errors = "false_positives"


@registry.METRICS.add()
class Recall(_Share):
    """The fraction of positives that are predicted as positive.

    Args:
        thresholds: from 0 to 1: one number, or several (the result then has one entry per threshold); None means 0.5.
        top_k: count only the `top_k` highest predictions of each sample as positive.
        class_id: evaluate only this column.
        name: name of the metric in logs.
        dtype: dtype of the counts; None takes ``floatx()``.

    Raises:
        ValueError: if a threshold is out of range.

    Follows https://keras.io/api/metrics/classification_metrics/#recall-class

    >>> print(Recall()([0, 1, 1, 1, 1], [1, 0, 0, 1, 1]))
    0.5
    """

    errors = "false_negatives"


def spread_thresholds(number: int, low: float = 0.0, high: float = 1.0) -> list[float]:
    """Return `number` equally spaced thresholds from 0 to 1, the outermost replaced by `low` and `high`."""
    if number == 1:
        return [0.5]
    return [low, *(step / (number - 1) for step in range(1, number - 1)), high]


def add_counts(metric: Metric, shape: tuple[Any, ...]) -> list[Variable]:
    """Create a variable for each of the four counts, which are attributes of the metric: ``true_positives``, ..."""
    for field in Counts._fields:
        setattr(metric, field, metric.add_variable(shape, name=field))
    return [getattr(metric, field) for field in Counts._fields]


class _AtConstraint(Metric):
    """The best value of one rate over the thresholds at which another rate is at least a given value."""

    keeps_rows_apart = True

    def __init__(
        self, value: float, argument: str, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any
    ) -> None:
        super().__init__(dtype, name)
        if not 0 <= value <= 1:
            raise ValueError(f"{type(self).__name__} expects a `{argument}` from 0 to 1; got {value!r}.")
        if num_thresholds <= 0:
            raise ValueError(f"{type(self).__name__} expects `num_thresholds` of at least 1; got {num_thresholds!r}.")
        self.num_thresholds, self.class_id, self._value = num_thresholds, class_id, value
        self._thresholds = spread_thresholds(num_thresholds)
        self._counts = add_counts(self, (num_thresholds,))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = as_pair(y_true, jnp.clip(jnp.asarray(y_pred, self._counts[0].dtype), 0, 1))
        weights = weights_like(sample_weight, y_pred)
        if self.class_id is not None:
            y_true, y_pred = y_true[..., self.class_id], y_pred[..., self.class_id]
            weights = weights if weights is None else weights[..., -1 if weights.shape[-1] == 1 else self.class_id]
        for variable, value in zip(self._counts, count(y_true, y_pred, weights, self._thresholds), strict=True):
            variable.assign_add(value)

    def shares(self, counts: Counts) -> tuple[Array, Array]:
        """Return, for each threshold, the rate that is constrained and the rate to maximize."""
        raise NotImplementedError

    def result(self) -> Array:
        held, wanted = self.shares(Counts(*(variable.value for variable in self._counts)))
        return jnp.max(jnp.where(held >= self._value, wanted, 0))


def sensitivities(counts: Counts) -> Array:
    """Return the fraction of positives that are predicted as positive (also called recall)."""
    return divide_no_nan(counts.true_positives, counts.true_positives + counts.false_negatives)


def specificities(counts: Counts) -> Array:
    """Return the fraction of negatives that are predicted as negative."""
    return divide_no_nan(counts.true_negatives, counts.true_negatives + counts.false_positives)


def precisions(counts: Counts) -> Array:
    """Return the fraction of predicted positives that are positive."""
    return divide_no_nan(counts.true_positives, counts.true_positives + counts.false_positives)


@registry.METRICS.add()
class SensitivityAtSpecificity(_AtConstraint):
    """The best sensitivity over the thresholds at which the specificity is at least `specificity`.

    Args:
        specificity: from 0 to 1: the least specificity.
        num_thresholds: number of equally spaced thresholds to try.
        class_id: evaluate only this column.
        name: name of the metric in logs.
        dtype: dtype of the counts; None takes ``floatx()``.

    Raises:
        ValueError: if `specificity` or `num_thresholds` is out of range.

    Follows https://keras.io/api/metrics/classification_metrics/#sensitivityatspecificity-class

    >>> print(SensitivityAtSpecificity(0.5)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
    1.0
    """

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, "specificity", num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def shares(self, counts: Counts) -> tuple[Array, Array]:
        return specificities(counts), sensitivities(counts)


@registry.METRICS.add()
class SpecificityAtSensitivity(_AtConstraint):
    """The best specificity over the thresholds at which the sensitivity is at least `sensitivity`.

    Args:
        sensitivity: from 0 to 1: the least sensitivity.
        num_thresholds: number of equally spaced thresholds to try.
        class_id: evaluate only this column.
        name: name of the metric in logs.
        dtype: dtype of the counts; None takes ``floatx()``.

    Raises:
        ValueError: if `sensitivity` or `num_thresholds` is out of range.

    Follows https://keras.io/api/metrics/classification_metrics/#specificityatsensitivity-class

    >>> print(SpecificityAtSensitivity(0.5)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
    1.0
    """

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, "sensitivity", num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def shares(self, counts: Counts) -> tuple[Array, Array]:
        return sensitivities(counts), specificities(counts)


@registry.METRICS.add()
class PrecisionAtRecall(_AtConstraint):
    """The best precision over the thresholds at which the recall is at least `recall`.

    Args:
        recall: from 0 to 1: the least recall.
        num_thresholds: number of equally spaced thresholds to try.
        class_id: evaluate only this column.
        name: name of the metric in logs.
        dtype: dtype of the counts; None takes ``floatx()``.

    Raises:
        ValueError: if `recall` or `num_thresholds` is out of range.

    Follows https://keras.io/api/metrics/classification_metrics/#precisionatrecall-class

    >>> print(PrecisionAtRecall(0.5)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
    1.0
    """

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, "recall", num_thresholds, class_id, name, dtype)
        self.recall = recall

    def shares(self, counts: Counts) -> tuple[Array, Array]:
        return sensitivities(counts), precisions(counts)


@registry.METRICS.add()
class RecallAtPrecision(_AtConstraint):
    """The best recall over the thresholds at which the precision is at least `precision`.

    Args:
        precision: from 0 to 1: the least precision.
        num_thresholds: number of equally spaced thresholds to try.
        class_id: evaluate only this column.
        name: name of the metric in logs.
        dtype: dtype of the counts; None takes ``floatx()``.

    Raises:
        ValueError: if `precision` or `num_thresholds` is out of range.

    Follows https://keras.io/api/metrics/classification_metrics/#recallatprecision-class

    >>> print(RecallAtPrecision(0.8)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
    0.5
    """

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, "precision", num_thresholds, class_id, name, dtype)
        self.precision = precision

    def shares(self, counts: Counts) -> tuple[Array, Array]:
        return precisions(counts), sensitivities(counts)


__all__ = [
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "PrecisionAtRecall",
    "Recall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
    "TrueNegatives",
    "TruePositives",
]
