"""Hinge losses: predictions shall be on the right side by a margin."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from cornu.losses.base import PlainLoss, as_pair, loss_function


def _signed(y_true: Array) -> Array:
    """Return labels as -1 and 1; where all of them are 0 or 1, 0 becomes -1."""
    is_binary = jnp.all((y_true == 0) | (y_true == 1))
    return jnp.where(is_binary, 2 * y_true - 1, y_true)


@loss_function()
def hinge(y_true: Any, y_pred: Any) -> Array:
    """Return the mean of ``max(1 - y_true * y_pred, 0)``; labels are -1 or 1 (or 0 or 1).

    >>> print(hinge([[-1.0, 1.0]], [[-0.5, 2.0]]))
    [0.25]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(jnp.maximum(1 - _signed(y_true) * y_pred, 0), -1)


@loss_function()
def squared_hinge(y_true: Any, y_pred: Any) -> Array:
    """Return the mean of ``max(1 - y_true * y_pred, 0)^2``; labels are -1 or 1 (or 0 or 1)."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(jnp.square(jnp.maximum(1 - _signed(y_true) * y_pred, 0)), -1)


@loss_function()
def categorical_hinge(y_true: Any, y_pred: Any) -> Array:
    """Return ``max(wrong - right + 1, 0)``: `right` the labelled class's score, `wrong` the best of the others."""
    y_true, y_pred = as_pair(y_true, y_pred)
    right = jnp.sum(y_true * y_pred, -1)
    wrong = jnp.max((1 - y_true) * y_pred, -1)
    return jnp.maximum(wrong - right + 1, 0)


class Hinge(PlainLoss):
    """`hinge` as a loss."""

    function = staticmethod(hinge)


class SquaredHinge(PlainLoss):
    """`squared_hinge` as a loss."""

    function = staticmethod(squared_hinge)


class CategoricalHinge(PlainLoss):
    """`categorical_hinge` as a loss."""

    function = staticmethod(categorical_hinge)


__all__ = [
    "CategoricalHinge",
    "Hinge",
    "SquaredHinge",
    "categorical_hinge",
    "hinge",
    "squared_hinge",
]
