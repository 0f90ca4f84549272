"""Losses of regression: how far a prediction is from the truth, averaged over the last axis."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from cornu.core import settings
from cornu.losses.base import LossFunctionWrapper, PlainLoss, as_pair, loss_function


@loss_function("mse", "MSE")
def mean_squared_error(y_true: Any, y_pred: Any) -> Array:
    """Return the mean of ``(y_true - y_pred)^2``.

    >>> print(mean_squared_error([[0.0, 2.0]], [[0.0, 0.0]]))
    [2.]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(jnp.square(y_true - y_pred), -1)


@loss_function("mae", "MAE")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Array:
    """Return the mean of ``abs(y_true - y_pred)``."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(jnp.abs(y_true - y_pred), -1)


@loss_function("mape", "MAPE")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Array:
    """Return 100 times the mean of ``abs((y_true - y_pred) / y_true)``."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return 100 * jnp.mean(jnp.abs((y_true - y_pred) / jnp.maximum(jnp.abs(y_true), settings.epsilon())), -1)


@loss_function("msle", "MSLE")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Array:
    """Return the mean of ``(log(y_true + 1) - log(y_pred + 1))^2``; negative values count as 0."""
    logs = [jnp.log(jnp.maximum(y, settings.epsilon()) + 1) for y in as_pair(y_true, y_pred)]
    return jnp.mean(jnp.square(logs[0] - logs[1]), -1)


@loss_function()
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Array:
    """Return the mean of ``error^2 / 2`` for errors up to `delta`, and of a straight line beyond it."""
    y_true, y_pred = as_pair(y_true, y_pred)
    error = jnp.abs(y_true - y_pred)
    return jnp.mean(jnp.where(error <= delta, error**2 / 2, delta * error - delta**2 / 2), -1)


@loss_function()
def log_cosh(y_true: Any, y_pred: Any) -> Array:
    """Return the mean of ``log(cosh(y_pred - y_true))``."""
    y_true, y_pred = as_pair(y_true, y_pred)
    error = y_pred - y_true
    return jnp.mean(error + jax.nn.softplus(-2 * error) - jnp.log(jnp.asarray(2, error.dtype)), -1)


class MeanSquaredError(PlainLoss):
    """`mean_squared_error` as a loss."""

    function = staticmethod(mean_squared_error)


class MeanAbsoluteError(PlainLoss):
    """`mean_absolute_error` as a loss."""

    function = staticmethod(mean_absolute_error)


class MeanAbsolutePercentageError(PlainLoss):
    """`mean_absolute_percentage_error` as a loss."""

    function = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(PlainLoss):
    """`mean_squared_logarithmic_error` as a loss."""

    function = staticmethod(mean_squared_logarithmic_error)


class LogCosh(PlainLoss):
    """`log_cosh` as a loss."""

    function = staticmethod(log_cosh)


class Huber(LossFunctionWrapper):
    """`huber` as a loss: squares for small errors, a straight line for those above `delta`."""

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)


__all__ = [
    "Huber",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "huber",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
]
