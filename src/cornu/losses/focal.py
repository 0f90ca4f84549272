"""Crossentropies that give less weight to samples that are easy, or wrongly labelled."""

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
    """Return the binary crossentropy times ``(1 - p)^gamma``, where `p` is the probability of the true label.

    Args:
        y_true: labels, 0 or 1, ``(batch, labels)``.
        y_pred: probabilities of 1, or logits if `from_logits`, ``(batch, labels)``.
        apply_class_balancing: weight label 1 by `alpha` and label 0 by ``1 - alpha``.
        alpha: weight of label 1, from 0 to 1.
        gamma: the focusing exponent; 0 gives plain crossentropy.
        from_logits, label_smoothing, axis: see `binary_crossentropy`.

    Returns:
        One value per sample, ``(batch,)``.

    Raises:
        ValueError: if the shapes of `y_true` and `y_pred` differ by more than a last axis of size 1.

    Lin et al. 2017, https://arxiv.org/abs/1708.02002

    >>> round(float(binary_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
    0.1733
    """
    y_true, y_pred = as_pair(y_true, y_pred, broadcast=False)
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

    Args:
        y_true: one-hot labels, ``(..., classes)``.
        y_pred: probabilities, or logits if `from_logits`, ``(..., classes)``.
        alpha: weight of the classes: a number, or one per class, ``(classes,)``.
        gamma: the focusing exponent; 0 gives plain crossentropy.
        from_logits, label_smoothing, axis: see `categorical_crossentropy`.

    Returns:
        One value per sample, ``(...)``.

    Raises:
        ValueError: if the shapes of `y_true` and `y_pred` differ.

    Lin et al. 2017, https://arxiv.org/abs/1708.02002

    >>> round(float(categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
    0.0433
    """
    check_one_hot(jnp.shape(y_true), jnp.shape(y_pred), "categorical_focal_crossentropy")
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, y_pred.shape[-1])
    if from_logits:
        y_pred = jax.nn.softmax(y_pred, axis)
    y_pred = clipped(y_pred / jnp.sum(y_pred, axis, keepdims=True))
    weights = jnp.asarray(alpha, y_pred.dtype) * (1 - y_pred) ** gamma
    return -jnp.sum(weights * y_true * jnp.log(y_pred), axis)  # (..., classes) -> (...)


@loss_function()
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float = 0.5) -> Array:
    """Return ``(1 - p^q) / q``, where `p` is the probability of the class `y_true`.

    It lies between crossentropy (`q` near 0) and mean absolute error (`q` = 1), and is robust to wrong labels.

    Args:
        y_true: integer classes, ``(...)`` or ``(..., 1)``.
        y_pred: probabilities, ``(..., classes)``.
        q: from 0 to 1, both excluded.

    Returns:
        One value per sample, ``(...)``.

    Raises:
        ValueError: if the shape of `y_true` does not fit that of `y_pred`.

    Zhang and Sabuncu 2018, https://arxiv.org/abs/1805.07836

    >>> print(categorical_generalized_cross_entropy([1], [[0.75, 0.25]]))
    [1.]
    """
    y_pred = jnp.asarray(y_pred)
    labels = class_numbers(y_true, y_pred.shape, "categorical_generalized_cross_entropy")
    return (1 - of_classes(y_pred, labels) ** q) / q  # (..., classes) -> (...)


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """`binary_focal_crossentropy` as a loss, for labels 0 or 1, ``(batch,)`` or ``(batch, labels)``.

    Args:
        apply_class_balancing: weight label 1 by `alpha` and label 0 by ``1 - alpha``.
        alpha: weight of label 1, from 0 to 1.
        gamma: the focusing exponent; 0 gives plain crossentropy.
        from_logits, label_smoothing, axis: see `binary_crossentropy`.
        reduction, name, dtype: see `Loss`.

    Lin et al. 2017, https://arxiv.org/abs/1708.02002

    >>> round(float(BinaryFocalCrossentropy()([0, 1], [0.5, 0.5])), 4)
    0.1733
    """

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
    """`categorical_focal_crossentropy` as a loss, for one-hot labels ``(batch, classes)``.

    Args:
        alpha: weight of the classes: a number, or one per class.
        gamma: the focusing exponent; 0 gives plain crossentropy.
        from_logits, label_smoothing, axis: see `categorical_crossentropy`.
        reduction, name, dtype: see `Loss`.

    Lin et al. 2017, https://arxiv.org/abs/1708.02002

    >>> round(float(CategoricalFocalCrossentropy(alpha=1.0)([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.1733
    """

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
    """`categorical_generalized_cross_entropy` as a loss, for integer classes ``(batch,)`` or ``(batch, 1)``.

    Args:
        q: from 0 (crossentropy) to 1 (mean absolute error), both excluded.
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: if `q` is out of range.

    Zhang and Sabuncu 2018, https://arxiv.org/abs/1805.07836

    >>> print(CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]]))
    1.0
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ValueError(f"CategoricalGeneralizedCrossEntropy expects 0 < q < 1; got q={q}.")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)


__all__ = [
    "BinaryFocalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "binary_focal_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
]
