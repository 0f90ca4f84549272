"""Finding a metric: by name, by config, or for ``"accuracy"`` by the shapes of targets and predictions."""

from collections.abc import Sequence
from typing import Any

from cornu.core import registry, serialization
from cornu.metrics.accuracy import BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from cornu.metrics.base import MeanMetricWrapper, Metric
from cornu.metrics.named import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy


def get(identifier: Any) -> Any:
    """Return the metric for an identifier.

    Args:
        identifier: a name, a config, a class or a callable; None stays None.

    Raises:
        ValueError: if the name is unknown.

    Follows https://keras.io/api/metrics/

    >>> get("mean").name
    'mean'
    """
    return serialization.get(identifier, registry.METRICS)


def serialize(metric: Any) -> Any:
    """Return the config of a metric.

    >>> from cornu.metrics import Mean
    >>> serialize(Mean())["class_name"]
    'Mean'
    """
    return serialization.serialize(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the metric for a config, or the class for a name.

    Args:
        config: a name or a config.
        custom_objects: names of custom classes and functions.

    Raises:
        ValueError: if the class or name is unknown.

    >>> from cornu.metrics import Mean
    >>> deserialize(serialize(Mean())).name
    'mean'
    """
    return serialization.deserialize(config, custom_objects, registry.METRICS)


_BY_SHAPE = {
    "accuracy": (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy),
    "crossentropy": (BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy),
}
_SHORT = {"acc": "accuracy", "ce": "crossentropy"}
NAMES_BY_SHAPE = sorted({*_BY_SHAPE, *_SHORT})


def resolve(
    identifier: Any, y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None], y_true_dtype: Any = None
) -> Metric:
    """Return the `Metric` for one entry of ``compile(metrics=[...])``.

    ``"accuracy"`` (``"acc"``) and ``"crossentropy"`` (``"ce"``) in any case become the binary, sparse or categorical
    kind, as the shapes require. A function is averaged over samples. The metric keeps the name that the program used.

    Args:
        identifier: anything that `get` takes.
        y_true_shape: shape of the targets.
        y_pred_shape: shape of the predictions.
        y_true_dtype: not used.

    >>> type(resolve("acc", (None,), (None, 10))).__name__
    'SparseCategoricalAccuracy'
    """
    kind = kind_by_shape(identifier)
    if kind is not None:
        return _BY_SHAPE[kind][kind_of_labels(y_true_shape, y_pred_shape)](name=identifier)
    metric = get(identifier)
    if isinstance(metric, Metric):
        if isinstance(identifier, str) and identifier not in registry.METRICS.things:  # an old name: logs keep it
            metric.name = identifier
        return metric
    name = identifier if isinstance(identifier, str) else getattr(metric, "name", getattr(metric, "__name__", None))
    return MeanMetricWrapper(metric, name=name)


def kind_by_shape(identifier: Any) -> str | None:
    """Return ``"accuracy"`` or ``"crossentropy"`` for a name that stands for one metric or loss per kind of labels.

    >>> kind_by_shape("Acc"), kind_by_shape("ce"), kind_by_shape("mse")
    ('accuracy', 'crossentropy', None)
    """
    if not isinstance(identifier, str) or registry.custom_object(identifier) is not None:
        return None
    name = _SHORT.get(identifier.lower(), identifier.lower())
    return name if name in _BY_SHAPE else None


def kind_of_labels(y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None]) -> int:
    """Return 0 for binary labels, 1 for integer classes, 2 for one-hot labels."""
    if len(y_pred_shape) < 2 or y_pred_shape[-1] == 1:
        return 0
    return 1 if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1 else 2


__all__ = [
    "deserialize",
    "get",
    "resolve",
    "serialize",
]
