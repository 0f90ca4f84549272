"""Accuracies: the fraction of correct predictions."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from cornu.core import registry, settings
from cornu.losses.base import as_pair
from cornu.metrics.base import MeanMetricWrapper, metric_function
from cornu.ops.math import in_top_k


@metric_function
def accuracy(y_true: Any, y_pred: Any) -> Array:
    """Return 1 for each entry that equals its label, else 0.

    Args:
        y_true: labels, ``(batch, ...)``.
        y_pred: predicted labels, ``(batch, ...)``.

    Returns:
        0 or 1 per entry, ``(batch, ...)``.

    Follows https://keras.io/api/metrics/accuracy_metrics/

    >>> print(accuracy([[1, 2]], [[1, 3]]))
    [[1. 0.]]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return (y_true == y_pred).astype(settings.floatx())


@metric_function
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Array:
    """Return 1 for each prediction on the right side of `threshold`, else 0.

    Args:
        y_true: labels, 0 or 1, ``(batch, ...)``.
        y_pred: probabilities, ``(batch, ...)``.
        threshold: predictions above it count as 1.

    Returns:
        0 or 1 per entry, ``(batch, ...)``.

    Follows https://keras.io/api/metrics/accuracy_metrics/

    >>> print(binary_accuracy([[1.0, 1.0]], [[0.2, 0.8]]))
    [[0. 1.]]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return (y_true == (y_pred > threshold)).astype(y_pred.dtype)


@metric_function
def categorical_accuracy(y_true: Any, y_pred: Any) -> Array:
    """Return 1 if the highest-scoring class is that of the one-hot label, else 0.

    Args:
        y_true: one-hot labels, ``(..., classes)``.
        y_pred: probabilities or logits, ``(..., classes)``.

    Returns:
        0 or 1 per sample, ``(...)``.

    Follows https://keras.io/api/metrics/accuracy_metrics/

    >>> print(categorical_accuracy([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]]))
    [1. 0.]
    """
    classes = jnp.argmax(jnp.asarray(y_true), -1)
    return sparse_categorical_accuracy(classes, y_pred)


@metric_function
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Array:
    """Return 1 if the highest-scoring class equals the integer label, else 0.

    Args:
        y_true: integer classes, ``(...)`` or ``(..., 1)``.
        y_pred: probabilities or logits, ``(..., classes)``.

    Returns:
        0 or 1 per sample, ``(...)``.

    Raises:
        ValueError: if the shapes do not fit.

    Follows https://keras.io/api/metrics/accuracy_metrics/

    >>> print(sparse_categorical_accuracy([1, 0], [[0.2, 0.8], [0.3, 0.7]]))
    [1. 0.]
    """
    y_pred = jnp.asarray(y_pred)
    labels = _class_numbers(y_true, y_pred)
    found = jnp.argmax(y_pred, -1)  # (..., classes) -> (...)
    return (labels.astype(found.dtype) == found).astype("float32")


def _class_numbers(y_true: Any, y_pred: Array) -> Array:
    """Return integer classes ``(...)`` for predictions ``(..., classes)``; ValueError if their shape does not fit."""
    labels = jnp.asarray(y_true)
    if _without_ones(labels.shape) != _without_ones(y_pred.shape[:-1]):
        raise ValueError(
            f"This accuracy expects one integer class per prediction, shape {y_pred.shape[:-1]}; "
            f"got labels of shape {labels.shape}. For one-hot labels, use categorical_accuracy."
        )
    return labels.reshape(y_pred.shape[:-1])  # (..., 1) -> (...)


def _without_ones(shape: tuple[int, ...]) -> list[int]:
    return [size for size in shape if size != 1]


@metric_function
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Array:
    """Return 1 if the class of the one-hot label is among the `k` highest-scoring classes, else 0.

    Args:
        y_true: one-hot labels, ``(..., classes)``.
        y_pred: probabilities or logits, ``(..., classes)``.
        k: how many classes count as predicted.

    Returns:
        0 or 1 per sample, ``(...)``.

    Follows https://keras.io/api/metrics/accuracy_metrics/

    >>> print(top_k_categorical_accuracy([[0, 0, 1], [1, 0, 0]], [[0.1, 0.7, 0.2], [0.1, 0.7, 0.2]], k=2))
    [1. 0.]
    """
    return sparse_top_k_categorical_accuracy(jnp.argmax(jnp.asarray(y_true), -1), y_pred, k)


@metric_function
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Array:
    """Return 1 if the integer label is among the `k` highest-scoring classes, else 0.

    Args:
        y_true: integer classes, ``(...)`` or ``(..., 1)``.
        y_pred: probabilities or logits, ``(..., classes)``.
        k: how many classes count as predicted.
        from_sorted_ids: `y_pred` holds integer classes, best first, instead of scores.

    Returns:
        0 or 1 per sample, ``(...)``.

    Follows https://keras.io/api/metrics/accuracy_metrics/

    >>> print(sparse_top_k_categorical_accuracy([2, 0], [[0.1, 0.7, 0.2], [0.1, 0.7, 0.2]], k=2))
    [1. 0.]
    """
    y_pred = jnp.asarray(y_pred)
    labels = _class_numbers(y_true, y_pred).astype("int32")
    if from_sorted_ids:
        found = jnp.any(y_pred[..., :k].astype("int32") == labels[..., None], -1)  # (..., k) -> (...)
    else:
        found = in_top_k(labels, y_pred, k)
    return found.astype("float32")


@registry.METRICS.add()
class Accuracy(MeanMetricWrapper):
    """The fraction of predictions that equal the labels.

    Args:
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/accuracy_metrics/#accuracy-class

    >>> print(Accuracy()([1, 2, 3, 4], [0, 2, 3, 4]))
    0.75
    """

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


@registry.METRICS.add()
class BinaryAccuracy(MeanMetricWrapper):
    """The fraction of predictions on the right side of a threshold, for labels 0 or 1.

    Args:
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.
        threshold: predictions above it count as 1; use 0 for logits.

    Follows https://keras.io/api/metrics/accuracy_metrics/#binaryaccuracy-class

    >>> print(BinaryAccuracy()([1, 1, 0, 0], [0.9, 0.2, 0.1, 0.3]))
    0.75
    """

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float | None = 0.5) -> None:
        threshold = 0.5 if threshold is None else threshold
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


@registry.METRICS.add()
class CategoricalAccuracy(MeanMetricWrapper):
    """The fraction of samples whose highest-scoring class is that of the one-hot label ``(batch, classes)``.

    Args:
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/accuracy_metrics/#categoricalaccuracy-class

    >>> print(CategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]]))
    0.5
    """

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


@registry.METRICS.add()
class SparseCategoricalAccuracy(MeanMetricWrapper):
    """The fraction of samples whose highest-scoring class equals the integer label, ``(batch,)`` or ``(batch, 1)``.

    Args:
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/accuracy_metrics/#sparsecategoricalaccuracy-class

    >>> print(SparseCategoricalAccuracy()([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0.0]]))
    0.5
    """

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


@registry.METRICS.add()
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """The fraction of samples whose one-hot label is among the `k` highest-scoring classes.

    Args:
        k: how many classes count as predicted.
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/accuracy_metrics/#topkcategoricalaccuracy-class

    >>> print(TopKCategoricalAccuracy(k=2)([[0, 0, 1], [1, 0, 0]], [[0.1, 0.7, 0.2], [0.1, 0.7, 0.2]]))
    0.5
    """

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


@registry.METRICS.add()
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The fraction of samples whose integer label is among the `k` highest-scoring classes.

    Args:
        k: how many classes count as predicted.
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.
        from_sorted_ids: predictions are integer classes, best first, instead of scores.

    Follows https://keras.io/api/metrics/accuracy_metrics/#sparsetopkcategoricalaccuracy-class

    >>> print(SparseTopKCategoricalAccuracy(k=2)([2, 0], [[0.1, 0.7, 0.2], [0.1, 0.7, 0.2]]))
    0.5
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)


__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]
