"""Hinge losses: predictions should be on the right side of the boundary by a margin."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from cornu.core import era
from cornu.losses.base import PlainLoss, as_pair, loss_function


def _signed(y_true: Array) -> Array:
    """Return labels as -1 and 1; if all of them are 0 or 1, 0 becomes -1 (not so in Keras 1 and 2)."""
    if era.holds("hinge takes labels as they are"):
        return y_true
    is_binary = jnp.all((y_true == 0) | (y_true == 1))
    return jnp.where(is_binary, 2 * y_true - 1, y_true)


@loss_function()
def hinge(y_true: Any, y_pred: Any) -> Array:
    """Return the mean of ``max(1 - y_true * y_pred, 0)`` over the last axis.

    Args:
        y_true: labels, -1 or 1 (or 0 or 1), ``(batch, ...)``.
        y_pred: scores, ``(batch, ...)``.

    Returns:
        One value per sample.

    Follows https://keras.io/api/losses/hinge_losses/

    >>> print(hinge([[-1.0, 1.0]], [[-0.5, 2.0]]))
    [0.25]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(jnp.maximum(1 - _signed(y_true) * y_pred, 0), -1)


@loss_function()
def squared_hinge(y_true: Any, y_pred: Any) -> Array:
    """Return the mean of ``max(1 - y_true * y_pred, 0)^2`` over the last axis.

    Args:
        y_true: labels, -1 or 1 (or 0 or 1), ``(batch, ...)``.
        y_pred: scores, ``(batch, ...)``.

    Returns:
        One value per sample.

    Follows https://keras.io/api/losses/hinge_losses/

    >>> print(squared_hinge([[-1.0, 1.0]], [[0.0, 2.0]]))
    [0.5]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(jnp.square(jnp.maximum(1 - _signed(y_true) * y_pred, 0)), -1)


@loss_function()
def categorical_hinge(y_true: Any, y_pred: Any) -> Array:
    """Return ``max(wrong - right + 1, 0)``: `right` is the score of the true class, `wrong` the best of the others.

    Args:
        y_true: one-hot labels, ``(..., classes)``.
        y_pred: scores, ``(..., classes)``.

    Returns:
        One value per sample, ``(...)``.

    Follows https://keras.io/api/losses/hinge_losses/

    >>> print(categorical_hinge([[0.0, 1.0]], [[0.5, 0.75]]))
    [0.75]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    right = jnp.sum(y_true * y_pred, -1)  # (..., classes) -> (...)
    wrong = jnp.max((1 - y_true) * y_pred, -1)
    return jnp.maximum(wrong - right + 1, 0)


class Hinge(PlainLoss):
    """`hinge` as a loss, for labels -1 or 1 (or 0 or 1).

    Args:
        reduction, name, dtype: see `Loss`.

    Follows https://keras.io/api/losses/hinge_losses/

    >>> print(Hinge()([[-1.0, 1.0]], [[-0.5, 2.0]]))
    0.25
    """

    function = staticmethod(hinge)


class SquaredHinge(PlainLoss):
    """`squared_hinge` as a loss, for labels -1 or 1 (or 0 or 1).

    Args:
        reduction, name, dtype: see `Loss`.

    Follows https://keras.io/api/losses/hinge_losses/

    >>> print(SquaredHinge()([[-1.0, 1.0]], [[0.0, 2.0]]))
    0.5
    """

    function = staticmethod(squared_hinge)


class CategoricalHinge(PlainLoss):
    """`categorical_hinge` as a loss, for one-hot labels ``(batch, classes)``.

    Args:
        reduction, name, dtype: see `Loss`.

    Follows https://keras.io/api/losses/hinge_losses/

    >>> print(CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]))
    0.75
    """

    function = staticmethod(categorical_hinge)


__all__ = [
    "CategoricalHinge",
    "Hinge",
    "SquaredHinge",
    "categorical_hinge",
    "hinge",
    "squared_hinge",
]
