"""Accuracies: the share of right predictions."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from cornu.core import registry
from cornu.losses.base import as_pair
from cornu.metrics.base import MeanMetricWrapper, metric_function
from cornu.ops.math import in_top_k


@metric_function
def accuracy(y_true: Any, y_pred: Any) -> Array:
    """Return 1 for each entry where both are equal, else 0, averaged over the last axis."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(y_true == y_pred, -1)


@metric_function
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Array:
    """Return 1 for each prediction on the right side of `threshold`, else 0.

    >>> print(binary_accuracy([[1.0, 1.0]], [[0.2, 0.8]]))
    [[0. 1.]]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return (y_true == (y_pred > threshold)).astype(y_pred.dtype)


@metric_function
def categorical_accuracy(y_true: Any, y_pred: Any) -> Array:
    """Return 1 where the likeliest class is that of the one-hot label, else 0.

    >>> print(categorical_accuracy([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]]))
    [1. 0.]
    """
    classes = jnp.argmax(jnp.asarray(y_true), -1)
    return sparse_categorical_accuracy(classes, y_pred)


@metric_function
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Array:
    """Return 1 where the likeliest class is the number in `y_true`, else 0.

    >>> print(sparse_categorical_accuracy([1, 0], [[0.2, 0.8], [0.3, 0.7]]))
    [1. 0.]
    """
    y_pred = jnp.asarray(y_pred)
    labels = _class_numbers(y_true, y_pred)
    found = jnp.argmax(y_pred, -1)
    return (labels.astype(found.dtype) == found).astype("float32")


def _class_numbers(y_true: Any, y_pred: Array) -> Array:
    """Return class numbers, one for each prediction; (rows, 1) becomes (rows,). ValueError where they do not fit."""
    labels = jnp.asarray(y_true)
    if labels.ndim == y_pred.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.shape != y_pred.shape[:-1]:
        raise ValueError(
            f"This accuracy takes one class number for each prediction, shape {y_pred.shape[:-1]}; "
            f"it got labels of shape {labels.shape}. One-hot labels need categorical_accuracy."
        )
    return labels


@metric_function
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Array:
    """Return 1 where the class of the one-hot label is among the `k` likeliest, else 0."""
    return sparse_top_k_categorical_accuracy(jnp.argmax(jnp.asarray(y_true), -1), y_pred, k)


@metric_function
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Array:
    """Return 1 where the number in `y_true` is among the `k` likeliest classes, else 0.

    With `from_sorted_ids`, `y_pred` holds class numbers, the likeliest first, instead of probabilities.
    """
    y_pred = jnp.asarray(y_pred)
    labels = _class_numbers(y_true, y_pred).astype("int32")
    if from_sorted_ids:
        found = jnp.any(y_pred[..., :k].astype("int32") == labels[..., None], -1)
    else:
        found = in_top_k(labels, y_pred, k)
    return found.astype("float32")


@registry.METRICS.add()
class Accuracy(MeanMetricWrapper):
    """The share of predictions that equal the labels.

    >>> print(Accuracy()([1, 2, 3, 4], [0, 2, 3, 4]))
    0.75
    """

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


@registry.METRICS.add()
class BinaryAccuracy(MeanMetricWrapper):
    """The share of predictions on the right side of `threshold` (0 for logits), for labels 0 or 1."""

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float | None = 0.5) -> None:
        threshold = 0.5 if threshold is None else threshold
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


@registry.METRICS.add()
class CategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose likeliest class is that of the one-hot label."""

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


@registry.METRICS.add()
class SparseCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose likeliest class is the label's number.

    >>> print(SparseCategoricalAccuracy()([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0.0]]))
    0.5
    """

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


@registry.METRICS.add()
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose one-hot label is among the `k` likeliest classes."""

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


@registry.METRICS.add()
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose label's number is among the `k` likeliest classes."""

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
