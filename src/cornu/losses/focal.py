"""Crossentropies that care less about samples which are predicted well, or labelled wrongly."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from cornu.losses.base import LossFunctionWrapper, as_pair, loss_function
from cornu.losses.crossentropy import check_one_hot, class_numbers, smoothed
from cornu.ops.crossentropy import binary_log_likelihood, clipped, of_classes


@loss_function()
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Return the binary crossentropy times ``(1 - p)^gamma``, `p` the probability given to the label.

    With `apply_class_balancing`, labels 1 count `alpha` and labels 0 ``1 - alpha``; the other arguments are those of
    `binary_crossentropy`. From https://arxiv.org/abs/1708.02002
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 2)
    y_pred = jax.nn.sigmoid(y_pred) if from_logits else y_pred
    given = y_true * y_pred + (1 - y_true) * (1 - y_pred)
    values = -((1 - given) ** gamma) * binary_log_likelihood(y_true, y_pred, False)
    if apply_class_balancing:
        values = values * (y_true * alpha + (1 - y_true) * (1 - alpha))
    return jnp.mean(values, axis)


@loss_function()
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Return the crossentropy of each class times ``alpha * (1 - p)^gamma``, summed over the classes.

    `alpha` is a number or one per class; the other arguments are those of `categorical_crossentropy`.
    From https://arxiv.org/abs/1708.02002
    """
    check_one_hot(jnp.shape(y_true), jnp.shape(y_pred), "categorical_focal_crossentropy")
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, y_pred.shape[-1])
    if from_logits:
        y_pred = jax.nn.softmax(y_pred, axis)
    y_pred = clipped(y_pred / jnp.sum(y_pred, axis, keepdims=True))
    weights = jnp.asarray(alpha, y_pred.dtype) * (1 - y_pred) ** gamma
    return -jnp.sum(weights * y_true * jnp.log(y_pred), axis)


@loss_function()
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float = 0.5) -> Array:
    """Return ``(1 - p^q) / q``, `p` the probability given to the class numbered `y_true`.

    Between crossentropy (`q` near 0) and mean absolute error (`q` = 1), so wrong labels do less harm.
    From https://arxiv.org/abs/1805.07836
    """
    y_pred = jnp.asarray(y_pred)
    labels = class_numbers(y_true, y_pred.shape, "categorical_generalized_cross_entropy")
    return (1 - of_classes(y_pred, labels) ** q) / q


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """`binary_focal_crossentropy` as a loss: labels are 0 or 1, (rows,) or (rows, labels)."""

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        options = {"apply_class_balancing": apply_class_balancing, "alpha": alpha, "gamma": gamma}
        options |= {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(binary_focal_crossentropy, reduction, name, dtype, **options)


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """`categorical_focal_crossentropy` as a loss: labels are one-hot, (rows, classes)."""

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(categorical_focal_crossentropy, reduction, name, dtype, alpha=alpha, gamma=gamma, **options)


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """`categorical_generalized_cross_entropy` as a loss: labels are class numbers, `q` is between 0 and 1."""

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ValueError(f"CategoricalGeneralizedCrossEntropy needs a `q` between 0 and 1; it got {q}.")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)


__all__ = [
    "BinaryFocalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "binary_focal_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
]
