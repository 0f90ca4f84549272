"""Crossentropies: the negative log-likelihood of the targets under the predictions."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from cornu.core.scope import set_mask
from cornu.losses.base import LossFunctionWrapper, as_pair, loss_function
from cornu.ops.crossentropy import binary_log_likelihood, float_array, log_probabilities, of_classes


def smoothed(y_true: Array, label_smoothing: float, classes: int, share: float = 1.0) -> Array:
    """Return labels moved from 0 and 1 towards a uniform distribution over the classes."""
    if not isinstance(label_smoothing, Array) and not label_smoothing:
        return y_true
    return y_true * (1 - label_smoothing) + share * label_smoothing / classes


def check_one_hot(y_true: tuple[int, ...], y_pred: tuple[int, ...], loss: str) -> None:
    """Raise ValueError, with advice, if the targets of a categorical loss differ in shape from the predictions."""
    if y_true == y_pred:
        return
    advice = "The units of the last layer must match the number of classes."
    if y_true[: len(y_pred) - 1] == y_pred[:-1] and (len(y_true) < len(y_pred) or y_true[-1] == 1):
        advice = (
            f"For integer classes, use loss='sparse_{loss}' or keras.utils.to_categorical(y, {y_pred[-1]})."
            if loss == "categorical_crossentropy"
            else f"For integer classes, use keras.utils.to_categorical(y, {y_pred[-1]})."
        )
    raise ValueError(
        f"{loss} expects one-hot targets of the same shape as the predictions, {y_pred}; got {y_true}.\n{advice}"
    )


def _categorical_pair(y_true: Any, y_pred: Any, loss: str) -> tuple[Array, Array]:
    check_one_hot(jnp.shape(y_true), jnp.shape(y_pred), loss)
    return as_pair(y_true, y_pred)


@loss_function()
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Array:
    """Return ``-sum(y_true * log(y_pred))`` over the classes.

    Args:
        y_true: one-hot labels or probabilities, ``(..., classes)``.
        y_pred: probabilities, or logits if `from_logits`, ``(..., classes)``.
        from_logits: whether `y_pred` holds logits.
        label_smoothing: from 0 to 1: the fraction of each label that is spread uniformly over all classes.
        axis: the class axis.

    Returns:
        One value per sample, ``(...)``.

    Raises:
        ValueError: if the shapes of `y_true` and `y_pred` differ.

    Follows https://keras.io/api/losses/probabilistic_losses/#categoricalcrossentropy-class

    >>> print(categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]))
    [0.6931472]
    """
    y_true, y_pred = _categorical_pair(y_true, y_pred, "categorical_crossentropy")
    y_true = smoothed(y_true, label_smoothing, y_pred.shape[-1])
    return -jnp.sum(y_true * log_probabilities(y_pred, from_logits, axis), axis)  # (..., classes) -> (...)


@loss_function()
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Array:
    """Return the negative log-probability that `y_pred` assigns to the class `y_true`.

    Args:
        y_true: integer classes, ``(...)`` or ``(..., 1)``.
        y_pred: probabilities, or logits if `from_logits`, ``(..., classes)``.
        from_logits: whether `y_pred` holds logits.
        ignore_class: entries with this label are left out of the sum and of the mean's divisor.
        axis: the class axis.

    Returns:
        One value per label, ``(...)``.

    Raises:
        ValueError: if the shape of `y_true` does not fit that of `y_pred`.

    Follows https://keras.io/api/losses/probabilistic_losses/#sparsecategoricalcrossentropy-class

    >>> print(sparse_categorical_crossentropy([1], [[0.5, 0.5]]))
    [0.6931472]
    """
    y_pred = jnp.moveaxis(float_array(y_pred), axis, -1)  # (..., classes)
    labels = class_numbers(y_true, y_pred.shape)  # (...)
    values = -of_classes(log_probabilities(y_pred, from_logits), labels)
    if ignore_class is None:
        return values
    counts = labels != ignore_class
    values = jnp.where(counts, values, 0)
    set_mask(values, counts)
    return values


def class_numbers(y_true: Any, y_pred_shape: tuple[int, ...], loss: str = "sparse_categorical_crossentropy") -> Array:
    """Return integer classes without a last axis of size 1; ValueError if their shape does not fit the predictions."""
    labels = jnp.asarray(y_true)
    if labels.ndim == len(y_pred_shape) and labels.shape[-1] == 1:
        labels = labels[..., 0]  # (..., 1) -> (...)
    if labels.shape != tuple(y_pred_shape[:-1]):
        advice = "The output of the last layer must match the targets."
        if labels.shape == tuple(y_pred_shape):
            advice = "For one-hot labels, use loss='categorical_crossentropy', or pass y.argmax(-1)."
        raise ValueError(
            f"{loss} expects one integer class per prediction, shape {y_pred_shape[:-1]}; "
            f"got targets of shape {labels.shape}.\n{advice}"
        )
    return labels.astype("int32")


@loss_function("bce", "BCE")
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Array:
    """Return the negative log-likelihood of binary labels, averaged over `axis`.

    Args:
        y_true: labels, 0 or 1, ``(batch, labels)``.
        y_pred: probabilities of 1, or logits if `from_logits`, ``(batch, labels)``.
        from_logits: whether `y_pred` holds logits.
        label_smoothing: from 0 to 1: how far labels are moved towards 0.5.
        axis: the axis to average over.

    Returns:
        One value per sample, ``(batch,)``.

    Raises:
        ValueError: if the shapes of `y_true` and `y_pred` differ by more than a last axis of size 1.

    Follows https://keras.io/api/losses/probabilistic_losses/#binarycrossentropy-class

    >>> print(binary_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]))
    [0.6931472]
    """
    y_true, y_pred = as_pair(y_true, y_pred, broadcast=False)
    y_true = smoothed(y_true, label_smoothing, 2)
    return -jnp.mean(binary_log_likelihood(y_true, y_pred, from_logits), axis)  # (batch, labels) -> (batch,)


class CategoricalCrossentropy(LossFunctionWrapper):
    """`categorical_crossentropy` as a loss, for one-hot labels ``(batch, classes)``.

    Args:
        from_logits: whether predictions are logits rather than probabilities.
        label_smoothing: from 0 to 1: the fraction of each label that is spread uniformly over all classes.
        axis: the class axis.
        reduction, name, dtype: see `Loss`.

    Follows https://keras.io/api/losses/probabilistic_losses/#categoricalcrossentropy-class

    >>> round(float(CategoricalCrossentropy()([[0.0, 1.0], [1.0, 0.0]], [[0.5, 0.5], [1.0, 0.0]])), 4)
    0.3466
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(categorical_crossentropy, reduction, name, dtype, **options)


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """`sparse_categorical_crossentropy` as a loss, for integer classes ``(batch,)`` or ``(batch, 1)``.

    Args:
        from_logits: whether predictions are logits rather than probabilities.
        ignore_class: entries with this label are left out.
        reduction, name, dtype: see `Loss`.
        axis: the class axis.

    Follows https://keras.io/api/losses/probabilistic_losses/#sparsecategoricalcrossentropy-class

    >>> round(float(SparseCategoricalCrossentropy(from_logits=True)([0, 1], [[0.0, 0.0], [0.0, 0.0]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(sparse_categorical_crossentropy, reduction, name, dtype, **options)


class BinaryCrossentropy(LossFunctionWrapper):
    """`binary_crossentropy` as a loss, for labels 0 or 1, ``(batch,)`` or ``(batch, labels)``.

    Args:
        from_logits: whether predictions are logits rather than probabilities.
        label_smoothing: from 0 to 1: how far labels are moved towards 0.5.
        axis: the axis to average over.
        reduction, name, dtype: see `Loss`.

    Follows https://keras.io/api/losses/probabilistic_losses/#binarycrossentropy-class

    >>> round(float(BinaryCrossentropy()([0, 1], [0.5, 1.0])), 4)
    0.3466
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(binary_crossentropy, reduction, name, dtype, **options)


__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
]
