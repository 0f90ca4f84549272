"""Metrics that average a loss function, and regression metrics."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from cornu import losses
from cornu.core import registry
from cornu.losses.base import as_pair
from cornu.losses.similarity import Axes
from cornu.metrics.base import Mean, MeanMetricWrapper, metric_function


class PlainMetric(MeanMetricWrapper):
    """The mean of a function that takes no arguments other than `y_true` and `y_pred`."""

    function: Any
    default_name: str | None = None

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        cls = type(self)
        super().__init__(cls.function, name or cls.default_name or cls.function.__name__, dtype)


@registry.METRICS.add("mse", "MSE")
class MeanSquaredError(PlainMetric):
    """The mean of `mean_squared_error`.

    Args:
        name: name of the metric in logs; None takes ``"mean_squared_error"``.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/regression_metrics/#meansquarederror-class

    >>> print(MeanSquaredError()([[0.0], [2.0]], [[0.0], [0.0]]))
    2.0
    """

    function = staticmethod(losses.mean_squared_error)


@registry.METRICS.add("mae", "MAE")
class MeanAbsoluteError(PlainMetric):
    """The mean of `mean_absolute_error`.

    Args:
        name: name of the metric in logs; None takes ``"mean_absolute_error"``.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/regression_metrics/#meanabsoluteerror-class

    >>> print(MeanAbsoluteError()([[0.0], [2.0]], [[0.0], [0.0]]))
    1.0
    """

    function = staticmethod(losses.mean_absolute_error)


@registry.METRICS.add("mape", "MAPE")
class MeanAbsolutePercentageError(PlainMetric):
    """The mean of `mean_absolute_percentage_error`, in percent.

    Args:
        name: name of the metric in logs; None takes ``"mean_absolute_percentage_error"``.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/regression_metrics/#meanabsolutepercentageerror-class

    >>> print(MeanAbsolutePercentageError()([[4.0], [2.0]], [[3.0], [2.0]]))
    12.5
    """

    function = staticmethod(losses.mean_absolute_percentage_error)


@registry.METRICS.add("msle", "MSLE")
class MeanSquaredLogarithmicError(PlainMetric):
    """The mean of `mean_squared_logarithmic_error`.

    Args:
        name: name of the metric in logs; None takes ``"mean_squared_logarithmic_error"``.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/regression_metrics/

    >>> round(float(MeanSquaredLogarithmicError()([[0.0], [1.0]], [[0.0], [0.0]])), 4)
    0.2402
    """

    function = staticmethod(losses.mean_squared_logarithmic_error)


@registry.METRICS.add()
class LogCoshError(PlainMetric):
    """The mean of `log_cosh`.

    Args:
        name: name of the metric in logs; None takes ``"logcosh"``.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/regression_metrics/#logcosherror-class

    >>> round(float(LogCoshError()([[0.0], [0.0]], [[0.0], [1.0]])), 2)
    0.22
    """

    function = staticmethod(losses.log_cosh)
    default_name = "logcosh"


@registry.METRICS.add()
class Hinge(PlainMetric):
    """The mean of `hinge`, for labels -1 or 1 (or 0 or 1).

    Args:
        name: name of the metric in logs; None takes ``"hinge"``.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/hinge_metrics/#hinge-class

    >>> print(Hinge()([[-1.0, 1.0]], [[-0.5, 2.0]]))
    0.25
    """

    function = staticmethod(losses.hinge)


@registry.METRICS.add()
class SquaredHinge(PlainMetric):
    """The mean of `squared_hinge`, for labels -1 or 1 (or 0 or 1).

    Args:
        name: name of the metric in logs; None takes ``"squared_hinge"``.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/hinge_metrics/#squaredhinge-class

    >>> print(SquaredHinge()([[-1.0, 1.0]], [[0.0, 2.0]]))
    0.5
    """

    function = staticmethod(losses.squared_hinge)


@registry.METRICS.add()
class CategoricalHinge(PlainMetric):
    """The mean of `categorical_hinge`, for one-hot labels.

    Args:
        name: name of the metric in logs; None takes ``"categorical_hinge"``.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/hinge_metrics/#categoricalhinge-class

    >>> print(CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]))
    0.75
    """

    function = staticmethod(losses.categorical_hinge)


@registry.METRICS.add("kld", "KLD")
class KLDivergence(PlainMetric):
    """The mean of `kl_divergence`, for probabilities ``(batch, classes)``.

    Args:
        name: name of the metric in logs; None takes ``"kl_divergence"``.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/probabilistic_metrics/#kldivergence-class

    >>> round(float(KLDivergence()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.6931
    """

    function = staticmethod(losses.kl_divergence)


@registry.METRICS.add()
class Poisson(PlainMetric):
    """The mean of `poisson`, for counts.

    Args:
        name: name of the metric in logs; None takes ``"poisson"``.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/probabilistic_metrics/#poisson-class

    >>> round(float(Poisson()([[2.0], [0.0]], [[1.0], [1.0]])), 4)
    1.0
    """

    function = staticmethod(losses.poisson)


@registry.METRICS.add("bce", "BCE")
class BinaryCrossentropy(MeanMetricWrapper):
    """The mean of `binary_crossentropy`, for labels 0 or 1.

    Args:
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.
        from_logits: whether predictions are logits rather than probabilities.
        label_smoothing: from 0 to 1: how far labels are moved towards 0.5.

    Follows https://keras.io/api/metrics/probabilistic_metrics/#binarycrossentropy-class

    >>> round(float(BinaryCrossentropy()([0, 1], [0.5, 1.0])), 4)
    0.3466
    """

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
    """The mean of `categorical_crossentropy`, for one-hot labels ``(batch, classes)``.

    Args:
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.
        from_logits: whether predictions are logits rather than probabilities.
        label_smoothing: from 0 to 1: the fraction of each label that is spread uniformly over all classes.
        axis: the class axis.

    Follows https://keras.io/api/metrics/probabilistic_metrics/#categoricalcrossentropy-class

    >>> round(float(CategoricalCrossentropy()([[0.0, 1.0], [1.0, 0.0]], [[0.5, 0.5], [1.0, 0.0]])), 4)
    0.3466
    """

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
    """The mean of `sparse_categorical_crossentropy`, for integer classes ``(batch,)`` or ``(batch, 1)``.

    Args:
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.
        from_logits: whether predictions are logits rather than probabilities.
        ignore_class: entries with this label are left out.
        axis: the class axis.

    Follows https://keras.io/api/metrics/probabilistic_metrics/#sparsecategoricalcrossentropy-class

    >>> round(float(SparseCategoricalCrossentropy(from_logits=True)([0, 1], [[0.0, 0.0], [0.0, 0.0]])), 4)
    0.6931
    """

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
    """Return the cosine similarity along `axis`: 1 for the same direction, -1 for opposite directions."""
    return -losses.cosine_similarity(y_true, y_pred, axis)


@registry.METRICS.add()
class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine similarity of targets and predictions; 1 is best.

    Args:
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.
        axis: the axis or axes of the vectors.

    Follows https://keras.io/api/metrics/regression_metrics/#cosinesimilarity-class

    >>> print(CosineSimilarity()([[0.0, 1.0], [0.0, 1.0]], [[0.0, 3.0], [2.0, 0.0]]))
    0.5
    """

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: Axes = -1) -> None:
        super().__init__(cosine, name, dtype, axis=axis)


@registry.METRICS.add("rmse", "RMSE")
class RootMeanSquaredError(Mean):
    """The square root of the mean squared error over all entries.

    Args:
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/regression_metrics/#rootmeansquarederror-class

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
    """Return the mean of `y`, its deviation from the mean, and its variance, over `axis`."""
    mean = jnp.mean(y, axis, keepdims=True)
    return mean, y - mean, jnp.mean(jnp.square(y - mean), axis)  # (..., 1), (..., n), (...)


@metric_function
def pearson_correlation(y_true: Any, y_pred: Any, axis: Axes = -1) -> Array:
    """Return the Pearson correlation along `axis`, from -1 to 1.

    Args:
        y_true: targets, ``(batch, outputs)``.
        y_pred: predictions, ``(batch, outputs)``.
        axis: the axis or axes to correlate over.

    Returns:
        One value per sample, ``(batch,)`` for the last axis.

    Follows https://keras.io/api/metrics/regression_metrics/

    >>> round(float(pearson_correlation([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]])[0]), 2)
    1.0
    """
    (_, a, a_variance), (_, b, b_variance) = (_centred(y, axis) for y in as_pair(y_true, y_pred))
    return jnp.mean(a * b, axis) / jnp.sqrt(a_variance * b_variance)


@metric_function
def concordance_correlation(y_true: Any, y_pred: Any, axis: Axes = -1) -> Array:
    """Return the concordance correlation along `axis`: 1 only if means and scales agree too (Lin 1989).

    Args:
        y_true: targets, ``(batch, outputs)``.
        y_pred: predictions, ``(batch, outputs)``.
        axis: the axis or axes to correlate over.

    Returns:
        One value per sample, ``(batch,)`` for the last axis.

    Follows https://keras.io/api/metrics/regression_metrics/

    >>> round(float(concordance_correlation([[0.0, 2.0]], [[1.0, 3.0]])[0]), 3)
    0.667
    """
    (a_mean, a, a_variance), (b_mean, b, b_variance) = (_centred(y, axis) for y in as_pair(y_true, y_pred))
    shift = jnp.squeeze(jnp.square(a_mean - b_mean), axis)
    return 2 * jnp.mean(a * b, axis) / (a_variance + b_variance + shift)


@registry.METRICS.add()
class PearsonCorrelation(MeanMetricWrapper):
    """The mean of `pearson_correlation`.

    Args:
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.
        axis: the axis or axes to correlate over.

    Follows https://keras.io/api/metrics/regression_metrics/

    >>> round(float(PearsonCorrelation()([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]])), 2)
    1.0
    """

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: Axes = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


@registry.METRICS.add()
class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of `concordance_correlation`.

    Args:
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.
        axis: the axis or axes to correlate over.

    Follows https://keras.io/api/metrics/regression_metrics/

    >>> round(float(ConcordanceCorrelation()([[0.0, 2.0]], [[1.0, 3.0]])), 3)
    0.667
    """

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
