"""Larger batches for `predict` and `evaluate` when the caller set no batch size."""

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
from jax.dtypes import canonicalize_dtype

from cornu.core import era
from cornu.core.graph import leaves
from cornu.core.ownership import declares
from cornu.core.rows_apart import CALLING, call_keeps_rows_apart
from cornu.data.arrays import ArrayBatches
from cornu.data.batches import Batches
from cornu.layers import Embedding, Masking
from cornu.losses.base import ROWS_APART
from cornu.metrics import MeanMetricWrapper
from cornu.training.step import custom_step

MOST_ROWS = 1024
MOST_BYTES = 2**23  # of the largest layer output, to stay in the cache: 2**26 takes 1.8 to 3 times as long for images

EVALUATING = (*CALLING, "test_step", "total_loss", "compute_loss", "compute_metrics", "get_metrics_result", "metrics")


def rows_together(model: Any, size: int) -> int:
    """Return a batch size for prediction: `size`, or a larger power of two times it if rows are independent.

    Small products of matrices leave a processor idle: 10,000 rows through a perceptron take a third of the time in
    batches of 1024 that they take in batches of 32. Layers declare that they keep rows apart (``keeps_rows_apart``); of
    custom layers and functions it is not known.
    """
    most = _most_rows(model) if keeps_rows_apart(model) else 0
    while size * 2 <= most:
        size *= 2
    return size


def keeps_rows_apart(model: Any) -> bool:
    """Return whether it is known that each row's outputs depend on that row alone, and that no state depends on any."""
    network = getattr(model, "_network", None)
    if network is None or not declares(model, "keeps_rows_apart", *CALLING):
        return False
    return custom_step(model, "predict_step") is None and all(
        call_keeps_rows_apart(node) and all(map(keeps_rows_apart, _models_in(node.operation))) for node in network.nodes
    )


def evaluate_together(model: Any, batches: Batches) -> None:
    """Evaluate several batches at once, if losses and metrics are known to be sums over rows.

    The result is the same up to rounding. The library's losses and metrics are such sums, unless there are masks (a
    masked batch is divided by the number of unmasked rows), activity penalties, or reductions other than the mean.
    """
    if not isinstance(batches, ArrayBatches) or not batches.resident or batches.rows <= batches.batch_size:
        return
    if not declares(model, "keeps_rows_apart", *EVALUATING):
        return
    objective = model.objective
    weighted = batches.example.sample_weight is not None
    if weighted and era.holds("losses are divided by the fraction of non-zero weights"):
        return
    if objective.is_sum is None:
        objective.is_sum = _is_sum(objective, batches.example.y)
    if objective.is_sum and custom_step(model, "test_step") is None and _no_masks_or_penalties(model):
        batches.together = rows_together(model, batches.batch_size) // batches.batch_size


def _no_masks_or_penalties(model: Any) -> bool:
    return not getattr(model, "_graph_losses", None) and not any(
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
    if None in objective.shapes[0][1:]:  # such a model predicts and evaluates batch by batch: see `_most_rows`
        return False
    loss, metrics = objective.losses[0], [*objective.metrics[0], *objective.weighted[0]]
    functions: list[Any] = [
        (metric._fn, metric._options, metric) for metric in metrics if isinstance(metric, MeanMetricWrapper)
    ]
    functions.append((getattr(loss, "fn", None), getattr(loss, "_options", ()), loss))
    shapes = (ROWS, *y.shape[1:]), (ROWS, *objective.shapes[0][1:])
    pair = [jax.ShapeDtypeStruct(*one) for one in zip(shapes, (canonicalize_dtype(y.dtype), "float32"), strict=True)]
    return (
        declares(loss, "keeps_rows_apart", "__call__", "call")
        and loss.reduction in ("sum_over_batch_size", "mean", "auto")
        and all(declares(metric, "keeps_rows_apart", "__call__", "update_state") for metric in metrics)
        and all(function in ROWS_APART for function, _, _ in functions)
        and all(
            _gives_rows(functools.partial(function, **{name: getattr(owner, name) for name in options}), pair)
            for function, options, owner in functions
        )
    )


#: A number of rows that no other axis has.
ROWS = 8191


def _gives_rows(function: Callable, pair: list) -> bool:
    try:
        return jax.eval_shape(function, *pair).shape[:1] == (ROWS,)
    except (TypeError, ValueError):  # the evaluation itself raises it with a clear message
        return False


def _most_rows(model: Any) -> int:
    network = getattr(model, "_network", None)
    if network is None:
        return 0
    most = MOST_ROWS
    for node in network.nodes:
        for tensor in leaves(node.outputs):
            if tensor.shape[:1] != (None,) or None in tensor.shape[1:]:
                return 0
            most = min(most, MOST_BYTES // (4 * math.prod(tensor.shape[1:]) or 1))
        for inner in _models_in(node.operation):
            most = min(most, _most_rows(inner))
    return most


def _models_in(operation: Any) -> list[Any]:
    """Return the models that a layer is or holds: each has a network of its own to look at."""
    return [layer for layer in operation._flatten_layers() if hasattr(type(layer), "_network")]
