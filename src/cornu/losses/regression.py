"""Regression losses: the error of each prediction, averaged over the last axis."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from cornu.core import settings
from cornu.losses.base import LossFunctionWrapper, PlainLoss, as_pair, loss_function


@loss_function("mse", "MSE")
def mean_squared_error(y_true: Any, y_pred: Any) -> Array:
    """Return the mean of ``(y_true - y_pred)^2`` over the last axis.

    Args:
        y_true: targets, ``(batch, ...)``.
        y_pred: predictions, ``(batch, ...)``.

    Returns:
        One value per sample: the shape without its last axis.

    Raises:
        ValueError: if the shapes cannot be broadcast.

    Follows https://keras.io/api/losses/regression_losses/

    >>> print(mean_squared_error([[0.0, 2.0]], [[0.0, 0.0]]))
    [2.]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(jnp.square(y_true - y_pred), -1)


@loss_function("mae", "MAE")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Array:
    """Return the mean of ``abs(y_true - y_pred)`` over the last axis.

    Args:
        y_true: targets, ``(batch, ...)``.
        y_pred: predictions, ``(batch, ...)``.

    Returns:
        One value per sample.

    Follows https://keras.io/api/losses/regression_losses/

    >>> print(mean_absolute_error([[0.0, 2.0]], [[0.0, 0.0]]))
    [1.]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(jnp.abs(y_true - y_pred), -1)


@loss_function("mape", "MAPE")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Array:
    """Return 100 times the mean of ``abs((y_true - y_pred) / y_true)`` over the last axis.

    Args:
        y_true: targets, ``(batch, ...)``; ``epsilon()`` replaces zeros in the division.
        y_pred: predictions, ``(batch, ...)``.

    Returns:
        One value per sample, in percent.

    Follows https://keras.io/api/losses/regression_losses/

    >>> print(mean_absolute_percentage_error([[4.0, 2.0]], [[3.0, 2.0]]))
    [12.5]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return 100 * jnp.mean(jnp.abs((y_true - y_pred) / jnp.maximum(jnp.abs(y_true), settings.epsilon())), -1)


@loss_function("msle", "MSLE")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Array:
    """Return the mean of ``(log(y_true + 1) - log(y_pred + 1))^2`` over the last axis.

    Args:
        y_true: targets, ``(batch, ...)``; negative values count as 0.
        y_pred: predictions, ``(batch, ...)``; negative values count as 0.

    Returns:
        One value per sample.

    Follows https://keras.io/api/losses/regression_losses/

    >>> round(float(mean_squared_logarithmic_error([[0.0, 1.0]], [[0.0, 0.0]])[0]), 4)
    0.2402
    """
    logs = [jnp.log(jnp.maximum(y, settings.epsilon()) + 1) for y in as_pair(y_true, y_pred)]
    return jnp.mean(jnp.square(logs[0] - logs[1]), -1)


@loss_function()
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Array:
    """Return the mean of a loss that is quadratic for small errors and linear for large ones, over the last axis.

    Args:
        y_true: targets, ``(batch, ...)``.
        y_pred: predictions, ``(batch, ...)``.
        delta: the error at which ``error^2 / 2`` becomes ``delta * error - delta^2 / 2``.

    Returns:
        One value per sample.

    Follows https://keras.io/api/losses/regression_losses/

    >>> print(huber([[0.0, 0.0]], [[1.0, 3.0]]))
    [1.5]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    error = jnp.abs(y_true - y_pred)
    return jnp.mean(jnp.where(error <= delta, error**2 / 2, delta * error - delta**2 / 2), -1)


@loss_function()
def log_cosh(y_true: Any, y_pred: Any) -> Array:
    """Return the mean of ``log(cosh(y_pred - y_true))`` over the last axis.

    Args:
        y_true: targets, ``(batch, ...)``.
        y_pred: predictions, ``(batch, ...)``.

    Returns:
        One value per sample.

    Follows https://keras.io/api/losses/regression_losses/

    >>> round(float(log_cosh([[0.0, 0.0]], [[0.0, 1.0]])[0]), 2)
    0.22
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    error = y_pred - y_true
    return jnp.mean(error + jax.nn.softplus(-2 * error) - jnp.log(jnp.asarray(2, error.dtype)), -1)


class MeanSquaredError(PlainLoss):
    """`mean_squared_error` as a loss.

    Args:
        reduction, name, dtype: see `Loss`.

    Follows https://keras.io/api/losses/regression_losses/

    >>> print(MeanSquaredError()([[0.0], [2.0]], [[0.0], [0.0]]))
    2.0
    """

    function = staticmethod(mean_squared_error)


class MeanAbsoluteError(PlainLoss):
    """`mean_absolute_error` as a loss.

    Args:
        reduction, name, dtype: see `Loss`.

    Follows https://keras.io/api/losses/regression_losses/

    >>> print(MeanAbsoluteError()([[0.0], [2.0]], [[0.0], [0.0]]))
    1.0
    """

    function = staticmethod(mean_absolute_error)


class MeanAbsolutePercentageError(PlainLoss):
    """`mean_absolute_percentage_error` as a loss, in percent.

    Args:
        reduction, name, dtype: see `Loss`.

    Follows https://keras.io/api/losses/regression_losses/

    >>> print(MeanAbsolutePercentageError()([[4.0], [2.0]], [[3.0], [2.0]]))
    12.5
    """

    function = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(PlainLoss):
    """`mean_squared_logarithmic_error` as a loss; negative values count as 0.

    Args:
        reduction, name, dtype: see `Loss`.

    Follows https://keras.io/api/losses/regression_losses/

    >>> round(float(MeanSquaredLogarithmicError()([[0.0], [1.0]], [[0.0], [0.0]])), 4)
    0.2402
    """

    function = staticmethod(mean_squared_logarithmic_error)


class LogCosh(PlainLoss):
    """`log_cosh` as a loss.

    Args:
        reduction, name, dtype: see `Loss`.

    Follows https://keras.io/api/losses/regression_losses/

    >>> round(float(LogCosh()([[0.0], [0.0]], [[0.0], [1.0]])), 2)
    0.22
    """

    function = staticmethod(log_cosh)


class Huber(LossFunctionWrapper):
    """`huber` as a loss: quadratic for small errors, linear for those above `delta`.

    Args:
        delta: the error at which the loss becomes linear.
        reduction, name, dtype: see `Loss`.

    Follows https://keras.io/api/losses/regression_losses/

    >>> print(Huber(delta=1.0)([[0.0], [0.0]], [[1.0], [3.0]]))
    1.5
    """

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
