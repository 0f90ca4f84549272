"""Crossentropies: how unlikely a prediction finds the truth."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from cornu.core.scope import set_mask
from cornu.losses.base import LossFunctionWrapper, as_pair, loss_function
from cornu.ops.crossentropy import binary_log_likelihood, float_array, log_probabilities, of_classes


def smoothed(y_true: Array, label_smoothing: float, classes: int, share: float = 1.0) -> Array:
    """Return labels moved from 0 and 1 towards an equal share of each class."""
    return y_true * (1 - label_smoothing) + share * label_smoothing / classes if label_smoothing else y_true


def check_one_hot(y_true: tuple[int, ...], y_pred: tuple[int, ...], loss: str) -> None:
    """Raise ValueError in words where targets are not as wide as the predictions of a categorical loss."""
    if y_true == y_pred:
        return
    advice = "Compare the units of the last layer with the number of classes."
    if y_true[: len(y_pred) - 1] == y_pred[:-1] and (len(y_true) < len(y_pred) or y_true[-1] == 1):
        advice = (
            f"Class numbers? Then use loss='sparse_{loss}' or keras.utils.to_categorical(y, {y_pred[-1]})."
            if loss == "categorical_crossentropy"
            else f"Class numbers? Then use keras.utils.to_categorical(y, {y_pred[-1]})."
        )
    raise ValueError(
        f"{loss} takes targets of the predictions' shape {y_pred} (one-hot labels); it got {y_true}.\n{advice}"
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
        y_true: (..., classes), one-hot labels or probabilities.
        y_pred: (..., classes), probabilities, or any numbers where `from_logits` is true.
        label_smoothing: from 0 to 1; the share of each label that is spread over all classes.
        axis: the axis of the classes.

    Follows https://keras.io/api/losses/probabilistic_losses/#categoricalcrossentropy-class

    >>> print(categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]))
    [0.6931472]
    """
    y_true, y_pred = _categorical_pair(y_true, y_pred, "categorical_crossentropy")
    y_true = smoothed(y_true, label_smoothing, y_pred.shape[-1])
    return -jnp.sum(y_true * log_probabilities(y_pred, from_logits, axis), axis)


@loss_function()
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Array:
    """Return ``-log`` of the probability that `y_pred` gives to the class numbered `y_true`.

    Args:
        y_true: (...) or (..., 1), class numbers.
        y_pred: (..., classes), probabilities, or any numbers where `from_logits` is true.
        ignore_class: entries with this number count neither in the sum nor in its divisor.
        axis: the axis of the classes.

    Follows https://keras.io/api/losses/probabilistic_losses/#sparsecategoricalcrossentropy-class

    >>> print(sparse_categorical_crossentropy([1], [[0.5, 0.5]]))
    [0.6931472]
    """
    y_pred = jnp.moveaxis(float_array(y_pred), axis, -1)
    labels = class_numbers(y_true, y_pred.shape)
    values = -of_classes(log_probabilities(y_pred, from_logits), labels)
    if ignore_class is None:
        return values
    counts = labels != ignore_class
    values = jnp.where(counts, values, 0)
    set_mask(values, counts)
    return values


def class_numbers(y_true: Any, y_pred_shape: tuple[int, ...], loss: str = "sparse_categorical_crossentropy") -> Array:
    """Return class numbers as integers without a last axis of size 1; ValueError where they do not fit predictions."""
    labels = jnp.asarray(y_true)
    if labels.ndim == len(y_pred_shape) and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.shape != tuple(y_pred_shape[:-1]):
        advice = "Compare the targets with the output of the last layer."
        if labels.shape == tuple(y_pred_shape):
            advice = "One-hot labels? Then use loss='categorical_crossentropy', or give y.argmax(-1)."
        raise ValueError(
            f"{loss} takes one class number for each prediction, shape {y_pred_shape[:-1]}; "
            f"it got targets of shape {labels.shape}.\n{advice}"
        )
    return labels.astype("int32")


@loss_function("bce", "BCE")
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Array:
    """Return the mean over `axis` of ``-log`` of the probability given to each yes-or-no label.

    Args:
        y_true: (rows, labels), 0 or 1.
        y_pred: (rows, labels), probabilities of 1, or any numbers where `from_logits` is true.
        label_smoothing: from 0 to 1; labels move that far towards 0.5.
        axis: the axis to average over.

    Follows https://keras.io/api/losses/probabilistic_losses/#binarycrossentropy-class

    >>> print(binary_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]))
    [0.6931472]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 2)
    return -jnp.mean(binary_log_likelihood(y_true, y_pred, from_logits), axis)


class CategoricalCrossentropy(LossFunctionWrapper):
    """`categorical_crossentropy` as a loss: labels are one-hot, (rows, classes)."""

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
    """`sparse_categorical_crossentropy` as a loss: labels are class numbers, (rows,) or (rows, 1)."""

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
    """`binary_crossentropy` as a loss: labels are 0 or 1, (rows,) or (rows, labels)."""

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
