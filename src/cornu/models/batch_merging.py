"""How many rows `predict` and `evaluate` may compute together where nobody said how many."""

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
from jax.dtypes import canonicalize_dtype

from cornu.core import registry
from cornu.core.graph import Node, leaves
from cornu.core.layer import Layer
from cornu.core.ownership import declares
from cornu.core.signature import call_signature
from cornu.data.arrays import ArrayBatches
from cornu.data.batches import Batches
from cornu.layers import Embedding, Masking
from cornu.losses.base import ROWS_APART
from cornu.metrics import MeanMetricWrapper
from cornu.training.step import custom_step

MOST_ROWS = 1024
MOST_BYTES = 2**26  # of the largest output of a layer: stays near the processor's cache

#: Methods whose meaning ``keeps_rows_apart`` declares: a class that overrides one of them declares it again.
CALLING = ("__call__", "call", "merge", "compute_mask")
EVALUATING = (*CALLING, "test_step", "total_loss", "compute_loss", "compute_metrics", "get_metrics_result", "metrics")


def rows_together(model: Any, size: int) -> int:
    """Return `size`, or a power of two times it where each row's outputs are known to hang on that row alone.

    Small products of matrices leave a processor idle: 10,000 rows through a perceptron take a third of the time in
    batches of 1024 that they take in batches of 32. Layers declare that they keep rows apart (``keeps_rows_apart``); of
    custom layers and functions it is not known.
    """
    if custom_step(model, "predict_step") is not None:
        return size
    most = _most_rows(model)
    while size * 2 <= most:
        size *= 2
    return size


def evaluate_together(model: Any, batches: Batches) -> None:
    """Let `batches` be evaluated many at a time, where losses and metrics are known to be sums over rows.

    What it gives is the same but for rounding. The library's own losses and metrics are such sums, without masks
    (a masked batch is divided by the rows that count), penalties for activity, and reductions other than the mean.
    """
    if not isinstance(batches, ArrayBatches) or not batches.resident or batches.rows <= batches.batch_size:
        return
    if not declares(model, "keeps_rows_apart", *EVALUATING):
        return
    objective = model.objective
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
    """Yield what a model runs, and what models inside of it run; nothing of those without a network."""
    network = getattr(model, "_network", None)
    for node in network.nodes if network is not None else ():
        yield node.operation
        yield from _operations(node.operation)


def _is_sum(objective: Any, y: Any) -> bool:
    if len(objective.names) != 1 or objective.losses[0] is None or not hasattr(y, "shape"):
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
    except (TypeError, ValueError):  # said in words when it is evaluated
        return False


def _most_rows(model: Any) -> int:
    network = getattr(model, "_network", None)
    if network is None or not declares(model, "keeps_rows_apart", *CALLING):
        return 0
    most = MOST_ROWS
    for node in network.nodes:
        if not _keeps_rows_apart(node):
            return 0
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


def _keeps_rows_apart(node: Node) -> bool:
    """Tell whether a call of a layer, with all layers inside it, gives each row what depends on this row alone."""
    operation = node.operation
    if not isinstance(operation, Layer) or _trains(node):
        return False
    ranks = {len(tensor.shape) for tensor in node.inputs}
    inside = ranks | {rank - 1 for rank in ranks if rank > 2}  # TimeDistributed takes an axis away
    layers: list[Any] = [operation] if hasattr(type(operation), "_network") else operation._flatten_layers()
    return all(
        declares(layer, "keeps_rows_apart", *CALLING)
        and not layer.stateful
        and _is_known(vars(layer).get("activation"))
        and not any(axis in (0, -rank) for axis in _axes(layer) for rank in (ranks if layer is operation else inside))
        for layer in layers
    )


def _trains(node: Node) -> bool:
    """Tell whether a call was made with ``training``, by keyword or by position."""
    named = dict(zip(call_signature(type(node.operation)).names, node.args, strict=False)) | node.kwargs
    return bool(named.get("training"))


def _is_known(activation: Any) -> bool:
    """Tell whether an activation is one of the library's functions, none, or a layer (which is looked at itself)."""
    return activation is None or isinstance(activation, Layer) or registry.table_of(activation) is registry.ACTIVATIONS


def _axes(layer: Any) -> list[int]:
    """Return the axes along which a layer works, and those along which its activation may."""
    axis = vars(layer).get("axis", -1 if "activation" in vars(layer) else None)
    return [one for one in (axis if isinstance(axis, (list, tuple)) else [axis]) if isinstance(one, int)]
