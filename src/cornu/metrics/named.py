"""Metrics that are the mean of a loss function, and those of regression that need a little more."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from cornu import losses
from cornu.core import registry
from cornu.losses.base import as_pair
from cornu.losses.similarity import Axes
from cornu.metrics.base import Mean, MeanMetricWrapper, metric_function


class PlainMetric(MeanMetricWrapper):
    """The mean of a function that takes no arguments beside `y_true` and `y_pred`."""

    function: Any
    default_name: str | None = None

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        cls = type(self)
        super().__init__(cls.function, name or cls.default_name or cls.function.__name__, dtype)


@registry.METRICS.add("mse", "MSE")
class MeanSquaredError(PlainMetric):
    """The mean of `mean_squared_error`.

    >>> print(MeanSquaredError()([[0.0], [2.0]], [[0.0], [0.0]]))
    2.0
    """

    function = staticmethod(losses.mean_squared_error)


@registry.METRICS.add("mae", "MAE")
class MeanAbsoluteError(PlainMetric):
    """The mean of `mean_absolute_error`."""

    function = staticmethod(losses.mean_absolute_error)


@registry.METRICS.add("mape", "MAPE")
class MeanAbsolutePercentageError(PlainMetric):
    """The mean of `mean_absolute_percentage_error`."""

    function = staticmethod(losses.mean_absolute_percentage_error)


@registry.METRICS.add("msle", "MSLE")
class MeanSquaredLogarithmicError(PlainMetric):
    """The mean of `mean_squared_logarithmic_error`."""

    function = staticmethod(losses.mean_squared_logarithmic_error)


@registry.METRICS.add()
class LogCoshError(PlainMetric):
    """The mean of `log_cosh`."""

    function = staticmethod(losses.log_cosh)
    default_name = "logcosh"


@registry.METRICS.add()
class Hinge(PlainMetric):
    """The mean of `hinge`."""

    function = staticmethod(losses.hinge)


@registry.METRICS.add()
class SquaredHinge(PlainMetric):
    """The mean of `squared_hinge`."""

    function = staticmethod(losses.squared_hinge)


@registry.METRICS.add()
class CategoricalHinge(PlainMetric):
    """The mean of `categorical_hinge`."""

    function = staticmethod(losses.categorical_hinge)


@registry.METRICS.add("kld", "KLD")
class KLDivergence(PlainMetric):
    """The mean of `kl_divergence`."""

    function = staticmethod(losses.kl_divergence)


@registry.METRICS.add()
class Poisson(PlainMetric):
    """The mean of `poisson`."""

    function = staticmethod(losses.poisson)


@registry.METRICS.add("bce", "BCE")
class BinaryCrossentropy(MeanMetricWrapper):
    """The mean of `binary_crossentropy`; labels are 0 or 1."""

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing}
        super().__init__(losses.binary_crossentropy, name, dtype, **options)


@registry.METRICS.add()
class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `categorical_crossentropy`; labels are one-hot."""

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(losses.categorical_crossentropy, name, dtype, **options)


@registry.METRICS.add()
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `sparse_categorical_crossentropy`; labels are class numbers."""

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, **options)


@metric_function
def cosine(y_true: Any, y_pred: Any, axis: Axes = -1) -> Array:
    """Return the cosine between both along `axis`: 1 for equal directions."""
    return -losses.cosine_similarity(y_true, y_pred, axis)


@registry.METRICS.add()
class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine between labels and predictions along `axis`: 1 is best."""

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: Axes = -1) -> None:
        super().__init__(cosine, name, dtype, axis=axis)


@registry.METRICS.add("rmse", "RMSE")
class RootMeanSquaredError(Mean):
    """The square root of the mean squared error over all entries.

    >>> print(RootMeanSquaredError()([0.0, 0.0], [3.0, 3.0]))
    3.0
    """

    keeps_rows_apart = True

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = as_pair(y_true, y_pred)
        super().update_state(jnp.square(y_pred - y_true), sample_weight)

    def result(self) -> Array:
        return jnp.sqrt(super().result())


def _centred(y: Array, axis: Axes) -> tuple[Array, Array, Array]:
    """Return the mean of `y`, its distance from it, and the variance, over `axis`."""
    mean = jnp.mean(y, axis, keepdims=True)
    return mean, y - mean, jnp.mean(jnp.square(y - mean), axis)


@metric_function
def pearson_correlation(y_true: Any, y_pred: Any, axis: Axes = -1) -> Array:
    """Return the correlation of both along `axis`, from -1 to 1.

    >>> print(pearson_correlation([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]]).round(3))
    [1.]
    """
    (_, a, a_variance), (_, b, b_variance) = (_centred(y, axis) for y in as_pair(y_true, y_pred))
    return jnp.mean(a * b, axis) / jnp.sqrt(a_variance * b_variance)


@metric_function
def concordance_correlation(y_true: Any, y_pred: Any, axis: Axes = -1) -> Array:
    """Return the concordance of both along `axis`: a correlation that also wants equal means and scales (Lin 1989)."""
    (a_mean, a, a_variance), (b_mean, b, b_variance) = (_centred(y, axis) for y in as_pair(y_true, y_pred))
    shift = jnp.squeeze(jnp.square(a_mean - b_mean), axis)
    return 2 * jnp.mean(a * b, axis) / (a_variance + b_variance + shift)


@registry.METRICS.add()
class PearsonCorrelation(MeanMetricWrapper):
    """The mean of `pearson_correlation` along `axis`."""

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: Axes = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


@registry.METRICS.add()
class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of `concordance_correlation` along `axis`."""

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: Axes = -1) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)


__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "PearsonCorrelation",
    "Poisson",
    "RootMeanSquaredError",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "concordance_correlation",
    "pearson_correlation",
]
