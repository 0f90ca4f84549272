"""Larger batches for `predict` and `evaluate` when the caller set no batch size."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import jax

from cornu.core.graph import leaves
from cornu.data.arrays import ArrayBatches
from cornu.data.batches import Batches
from cornu.layers import Embedding, Lambda, Masking
from cornu.metrics import MeanMetricWrapper
from cornu.training.step import custom_step

MOST_ROWS = 1024
MOST_BYTES = 2**26  # of the largest layer output, to stay near the processor's cache


def rows_together(model: Any, size: int) -> int:
    """Return a batch size for prediction: `size`, or a larger power of two times it if rows are independent.

    Small matrix products leave a processor idle: 10,000 rows through a perceptron take a third of the time in batches
    of 1024 that they take in batches of 32. This needs each output row to depend only on its input row. Layers of the
    library do that at inference; custom functions and classes may not.
    """
    if custom_step(model, "predict_step") is not None:
        return size
    most = _most_rows(model)
    while size * 2 <= most:
        size *= 2
    return size


def evaluate_together(model: Any, batches: Batches) -> None:
    """Evaluate several batches at once, if losses and metrics are known to be sums over rows.

    The result is the same up to rounding. The library's losses and metrics are such sums, unless there are masks (a
    masked batch is divided by the number of unmasked rows), activity penalties, or reductions other than the mean.
    """
    if not isinstance(batches, ArrayBatches) or not batches.resident or not type(model).__module__.startswith("cornu."):
        return
    if batches.rows <= batches.batch_size:
        return
    objective = model.objective
    if objective.is_sum is None:
        objective.is_sum = _is_sum(objective, batches.example.y)
    if objective.is_sum and custom_step(model, "test_step") is None and _no_masks_or_penalties(model):
        batches.together = rows_together(model, batches.batch_size) // batches.batch_size


def _no_masks_or_penalties(model: Any) -> bool:
    return not any(
        isinstance(operation, (Embedding, Masking)) or getattr(operation, "activity_regularizer", None) is not None
        for operation in _operations(model)
    )


def _operations(model: Any) -> Iterator[Any]:
    """Yield the operations of a model and of its inner models; none for models without a graph."""
    network = getattr(model, "_network", None)
    for node in network.nodes if network is not None else ():
        yield node.operation
        yield from _operations(node.operation)


def _is_sum(objective: Any, y: Any) -> bool:
    if len(objective.names) != 1 or objective.losses[0] is None or not hasattr(y, "shape"):
        return False
    pair = y, jax.ShapeDtypeStruct((y.shape[0], *objective.shapes[0][1:]), "float32")
    loss, metrics = objective.losses[0], [*objective.metrics[0], *objective.weighted[0]]
    wrapped = [metric for metric in metrics if isinstance(metric, MeanMetricWrapper)]
    return (
        all(type(one).__module__.startswith(("cornu.losses", "cornu.metrics")) for one in (loss, *metrics))
        and loss.reduction in ("sum_over_batch_size", "mean", "auto")
        and all(_gives_rows(one, pair) for one in (loss.call, *(metric._fn for metric in wrapped)))
        and all(_is_ours(function) for function in (getattr(loss, "fn", None), *(metric._fn for metric in wrapped)))
    )


def _is_ours(function: Any) -> bool:
    module = str(getattr(function, "__module__", "cornu.losses"))
    return module.startswith(("cornu.losses", "cornu.metrics"))


def _gives_rows(function: Callable, pair: tuple) -> bool:
    try:
        return jax.eval_shape(function, *pair).shape[:1] == pair[0].shape[:1]
    except (TypeError, ValueError):  # evaluate reports it with a clear error
        return False


def _most_rows(model: Any) -> int:
    network = getattr(model, "_network", None)
    if network is None:
        return 0
    most = MOST_ROWS
    for node in network.nodes:
        if not _keeps_rows_apart(node.operation) or node.kwargs.get("training"):
            return 0
        for tensor in leaves(node.outputs):
            if tensor.shape[:1] != (None,) or None in tensor.shape[1:]:
                return 0
            most = min(most, MOST_BYTES // (4 * math.prod(tensor.shape[1:]) or 1))
        if getattr(node.operation, "_network", None) is not None:
            most = min(most, _most_rows(node.operation))
    return most


def _keeps_rows_apart(operation: Any) -> bool:
    module = type(operation).__module__
    if getattr(operation, "_network", None) is not None:  # a model inside the model
        return module.startswith("cornu.models.")
    inner = getattr(operation, "layer", None)
    function = getattr(operation, "activation", None)
    return (
        module.startswith("cornu.layers.")
        and not isinstance(operation, Lambda)
        and (inner is None or _keeps_rows_apart(inner))
        and (function is None or getattr(function, "__module__", "").startswith("cornu."))
    )
