"""The area under a ROC or precision-recall curve."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from cornu.core import registry, settings
from cornu.core.errors import unknown
from cornu.losses.base import as_pair
from cornu.metrics.base import Metric
from cornu.metrics.confusion import (
    Counts,
    add_counts,
    checked_thresholds,
    count,
    precisions,
    sensitivities,
    spread_thresholds,
    weights_like,
)
from cornu.ops.numpy import divide_no_nan

CURVES = ("ROC", "PR", "PRGAIN")
SUMMATIONS = ("interpolation", "minoring", "majoring")


@registry.METRICS.add()
class AUC(Metric):
    """The area under the ROC curve, the precision-recall curve (PR), or the precision-recall-gain curve (PRGAIN).

    Args:
        num_thresholds: number of equally spaced thresholds from 0 to 1.
        curve: ``"ROC"``, ``"PR"`` or ``"PRGAIN"``.
        summation_method: ``"interpolation"`` (trapezoids; for PR the interpolation of Davis and Goadrich 2006),
            ``"minoring"`` or ``"majoring"`` (the lower or upper end of each interval).
        name, dtype: see `Metric`.
        thresholds: explicit thresholds between 0 and 1, instead of `num_thresholds`.
        multi_label: average the areas of the columns instead of pooling all entries.
        num_labels: number of columns; None takes that of the first batch.
        label_weights: weight of each column in the average, or of its entries if columns are pooled.
        from_logits: whether predictions are logits rather than probabilities.

    Predictions below 0 count as 0, those above 1 as 1.

    Raises:
        ValueError: if an argument is unknown or out of range, or if the columns do not match `num_labels`.

    Follows https://keras.io/api/metrics/classification_metrics/#auc-class

    >>> print(AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
    0.75
    """

    keeps_rows_apart = True

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        _check_options(curve, summation_method, num_thresholds, thresholds)
        self.curve, self.summation_method = str(curve).upper(), str(summation_method).lower()
        self.multi_label, self.num_labels, self.from_logits = multi_label, num_labels, from_logits
        self.label_weights = None if label_weights is None else [float(weight) for weight in label_weights]
        inner = (
            spread_thresholds(num_thresholds)[1:-1] if thresholds is None else sorted(checked_thresholds(thresholds))
        )
        self._thresholds = [-settings.epsilon(), *inner, 1 + settings.epsilon()]
        self.num_thresholds = len(self._thresholds)
        self._counts: list = []
        if not multi_label:
            self.build((), ())
        elif num_labels:
            self.build((None, num_labels), (None, num_labels))

    @property
    def thresholds(self) -> list[float]:
        """The thresholds; the outermost are slightly outside 0 and 1."""
        return self._thresholds

    def build(self, y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None]) -> None:
        """Create the variables, with one column per label for multi-label curves."""
        if self._counts:
            return
        shape: tuple[Any, ...] = (self.num_thresholds, y_pred_shape[-1]) if self.multi_label else (self.num_thresholds,)
        self._counts = add_counts(self, shape)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = jnp.asarray(y_pred, settings.floatx())
        y_true, y_pred = as_pair(y_true, jax.nn.sigmoid(y_pred) if self.from_logits else jnp.clip(y_pred, 0, 1))
        self.build(y_true.shape, y_pred.shape)
        labels = self._counts[0].shape[-1]
        if self.multi_label and (y_pred.ndim != 2 or y_pred.shape[-1] != labels):
            raise ValueError(f"AUC {self.name!r} expects {labels} labels; got predictions of shape {y_pred.shape}.")
        weights = self._weights(sample_weight, y_pred)
        counts = count(y_true, y_pred, weights, self._thresholds, self.multi_label)
        for variable, value in zip(self._counts, counts, strict=True):
            variable.assign_add(value)

    def _weights(self, sample_weight: Any, y_pred: Array) -> Array | None:
        """Return the weights of the entries; pooled columns (`multi_label` False) count by their `label_weights`."""
        weights = weights_like(sample_weight, y_pred)
        if self.label_weights is None or self.multi_label:
            return weights
        if y_pred.ndim < 2 or y_pred.shape[-1] != len(self.label_weights):
            raise ValueError(
                f"AUC {self.name!r} has {len(self.label_weights)} label_weights; "
                f"got predictions of shape {y_pred.shape}."
            )
        columns = jnp.asarray(self.label_weights, y_pred.dtype)
        return columns if weights is None else columns * weights

    def result(self) -> Array:
        if not self._counts:
            return jnp.zeros(())
        counts = Counts(*(variable.value for variable in self._counts))
        area = area_under(counts, self.curve, self.summation_method)
        if not self.multi_label:
            return area
        if self.label_weights is None:
            return jnp.mean(area)
        weights = jnp.asarray(self.label_weights, area.dtype)
        return divide_no_nan(jnp.sum(area * weights), jnp.sum(weights))


def _check_options(curve: str, summation_method: str, num_thresholds: int, thresholds: Any) -> None:
    if str(curve).upper() not in CURVES:
        raise unknown("curve of AUC", curve, CURVES)
    if str(summation_method).lower() not in SUMMATIONS:
        raise unknown("summation_method of AUC", summation_method, SUMMATIONS)
    if thresholds is None and (not isinstance(num_thresholds, int) or num_thresholds < 2):
        raise ValueError(f"AUC expects `num_thresholds` of at least 2; got {num_thresholds!r}.")


def area_under(counts: Counts, curve: str, summation_method: str) -> Array:
    """Return the area under a curve from counts at increasing thresholds (first axis)."""
    if curve == "PR" and summation_method == "interpolation":
        return _interpolated_precision_area(counts)
    if curve == "ROC":
        x, y = _false_alarms(counts), sensitivities(counts)
    elif curve == "PR":
        x, y = sensitivities(counts), precisions(counts)
    else:
        x, y = _gain(counts, counts.false_negatives), _gain(counts, counts.false_positives)
        x = jnp.where(counts.true_positives == 0, 0, jnp.maximum(x, 0))
    left, right = y[:-1], y[1:]  # (thresholds - 1, ...)
    heights = {
        "interpolation": (left + right) / 2,
        "minoring": jnp.minimum(left, right),
        "majoring": jnp.maximum(left, right),
    }[summation_method]
    return jnp.sum((x[:-1] - x[1:]) * heights, 0)


def _false_alarms(counts: Counts) -> Array:
    """Return the false positive rate: the fraction of negatives that are predicted as positive."""
    return divide_no_nan(counts.false_positives, counts.false_positives + counts.true_negatives)


def _gain(counts: Counts, errors: Array) -> Array:
    """Return the gain of recall (`errors`: false negatives) or precision (false positives); Flach and Kull 2015."""
    yes = counts.true_positives + counts.false_negatives
    no = counts.true_negatives + counts.false_positives
    return 1 - divide_no_nan(yes, no) * divide_no_nan(errors, counts.true_positives)


def _interpolated_precision_area(counts: Counts) -> Array:
    """Return the area under the precision-recall curve, with counts interpolated linearly between thresholds."""
    right = counts.true_positives  # (thresholds, ...)
    said = right + counts.false_positives
    # (thresholds - 1, ...)
    slope = divide_no_nan(right[:-1] - right[1:], jnp.maximum(said[:-1] - said[1:], 0))
    start = right[1:] - slope * said[1:]
    both = (said[:-1] > 0) & (said[1:] > 0)
    ratio = jnp.where(both, said[:-1] / jnp.where(both, said[1:], 1), 1)
    pieces = slope * (right[:-1] - right[1:] + start * jnp.log(ratio))
    return jnp.sum(divide_no_nan(pieces, jnp.maximum(right[1:] + counts.false_negatives[1:], 0)), 0)


__all__ = [
    "AUC",
]
