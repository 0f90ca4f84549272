"""Intersection over union: how well predicted regions match the labelled ones."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array

from cornu.core import registry
from cornu.metrics.base import Metric
from cornu.ops.numpy import divide_no_nan


def confusion_matrix(y_true: Array, y_pred: Array, weights: Array | None, classes: int, dtype: Any) -> Array:
    """Return the number of entries per true class (row) and predicted class (column).

    Args:
        y_true: integer classes, ``(entries,)``; entries outside ``range(classes)`` are ignored.
        y_pred: integer classes, ``(entries,)``.
        weights: ``(entries,)``, or None.
        classes: number of classes.
        dtype: dtype of the counts.

    Returns:
        ``(classes, classes)``.

    >>> print(confusion_matrix(jnp.array([0, 1, 1]), jnp.array([0, 1, 0]), None, 2, "int32"))
    [[1 0]
     [1 1]]
    """
    known = (y_true >= 0) & (y_true < classes) & (y_pred >= 0) & (y_pred < classes)
    cells = jnp.where(known, y_true * classes + y_pred, classes * classes)  # (entries,)
    amounts = jnp.ones(cells.shape, dtype) if weights is None else weights.astype(dtype)
    return jnp.zeros(classes * classes, dtype).at[cells].add(amounts, mode="drop").reshape(classes, classes)


class _Overlap(Metric):
    """A confusion matrix, and the mean intersection over union of some of its classes.

    Counts are float32 unless `dtype` says otherwise, so that fractional sample weights are kept.
    """

    keeps_rows_apart = True

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype, name)
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        strange = [number for number in self.target_class_ids if not 0 <= number < num_classes]
        if strange:
            raise ValueError(
                f"target_class_ids must be from 0 to {num_classes - 1} (num_classes - 1); got {strange[0]}."
            )
        self.total_confusion_matrix = self.add_variable(
            (num_classes, num_classes), dtype=self.dtype, name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
        y_true = y_true if self.sparse_y_true else jnp.argmax(y_true, self.axis)
        y_pred = y_pred if self.sparse_y_pred else jnp.argmax(y_pred, self.axis)
        y_true, y_pred = y_true.astype("int32").ravel(), y_pred.astype("int32").ravel()  # (entries,)
        weights = _entry_weights(sample_weight, y_true.size, self.dtype)
        if self.ignore_class is not None:
            y_true = jnp.where(y_true == self.ignore_class, -1, y_true)
        matrix = confusion_matrix(y_true, y_pred, weights, self.num_classes, self.dtype)
        self.total_confusion_matrix.assign_add(matrix)

    def result(self) -> Array:
        matrix = self.total_confusion_matrix.value.astype("float32")
        targets = jnp.asarray(self.target_class_ids, "int32")
        overlap = jnp.diagonal(matrix)[targets]  # (classes, classes) -> (targets,)
        union = (jnp.sum(matrix, 0) + jnp.sum(matrix, 1))[targets] - overlap
        return divide_no_nan(jnp.sum(divide_no_nan(overlap, union)), jnp.sum(union != 0))


def _entry_weights(sample_weight: Any, entries: int, dtype: Any) -> Array | None:
    """Return one weight per entry; a weight per sample is repeated for each of its entries."""
    if sample_weight is None:
        return None
    weights = jnp.asarray(sample_weight, dtype).ravel()
    if weights.size == 0 or entries % weights.size:
        raise ValueError(
            f"Expected one sample weight per label or per sample; got {weights.size} weights for {entries} labels."
        )
    return jnp.repeat(weights, entries // weights.size)


@registry.METRICS.add()
class IoU(_Overlap):
    """The mean intersection over union of the classes `target_class_ids`.

    Args:
        num_classes: number of classes.
        target_class_ids: the classes to average over.
        name: name of the metric in logs.
        dtype: dtype of the counts; None takes ``floatx()``.
        ignore_class: entries with this label are left out.
        sparse_y_true: labels are integer classes; if False, one-hot along `axis`.
        sparse_y_pred: predictions are integer classes; if False, scores along `axis`.
        axis: the class axis.

    Raises:
        ValueError: if a class is not in ``range(num_classes)``.

    Follows https://keras.io/api/metrics/segmentation_metrics/#iou-class

    >>> print(IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 0, 1, 1]))
    1.0
    """


@registry.METRICS.add()
class BinaryIoU(_Overlap):
    """`IoU` of the classes 0 and 1, for predicted probabilities.

    Args:
        target_class_ids: the classes to average over.
        threshold: a prediction of at least this counts as class 1.
        name: name of the metric in logs.
        dtype: dtype of the counts; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/segmentation_metrics/#binaryiou-class

    >>> print(BinaryIoU()([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]))
    1.0
    """

    keeps_rows_apart = True

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        super().update_state(y_true, jnp.asarray(y_pred) >= self.threshold, sample_weight)


@registry.METRICS.add()
class MeanIoU(_Overlap):
    """The mean intersection over union of all classes.

    Args:
        num_classes: number of classes.
        name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis: see `IoU`.

    Follows https://keras.io/api/metrics/segmentation_metrics/#meaniou-class

    >>> print(MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 0, 1, 1]))
    1.0
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        classes = range(num_classes)
        super().__init__(num_classes, classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


@registry.METRICS.add()
class OneHotIoU(_Overlap):
    """`IoU` for one-hot labels ``(..., classes)`` and predicted scores of the same shape.

    Args:
        num_classes: number of classes.
        target_class_ids: the classes to average over.
        name, dtype, ignore_class: see `IoU`.
        sparse_y_pred: predictions are integer classes ``(...)`` instead of scores.
        axis: the class axis.

    Follows https://keras.io/api/metrics/segmentation_metrics/#onehotiou-class

    >>> print(OneHotIoU(num_classes=2, target_class_ids=[0])([[1, 0], [0, 1]], [[0.8, 0.2], [0.4, 0.6]]))
    1.0
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


@registry.METRICS.add()
class OneHotMeanIoU(_Overlap):
    """`MeanIoU` for one-hot labels ``(..., classes)`` and predicted scores of the same shape.

    Args:
        num_classes: number of classes.
        name, dtype, ignore_class: see `IoU`.
        sparse_y_pred: predictions are integer classes ``(...)`` instead of scores.
        axis: the class axis.

    Follows https://keras.io/api/metrics/segmentation_metrics/#onehotmeaniou-class

    >>> print(OneHotMeanIoU(num_classes=2)([[1, 0], [0, 1]], [[0.8, 0.2], [0.4, 0.6]]))
    1.0
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        classes = range(num_classes)
        super().__init__(num_classes, classes, name, dtype, ignore_class, False, sparse_y_pred, axis)


__all__ = [
    "BinaryIoU",
    "IoU",
    "MeanIoU",
    "OneHotIoU",
    "OneHotMeanIoU",
]
