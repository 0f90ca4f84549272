"""How many rows `predict` and `evaluate` may compute together where nobody said how many."""

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
MOST_BYTES = 2**26  # of the largest output of a layer: stays near the processor's cache


def rows_together(model: Any, size: int) -> int:
    """Return `size`, or a power of two times it where each row's outputs are known to hang on that row alone.

    Small products of matrices leave a processor idle: 10,000 rows through a perceptron take a third of the time in
    batches of 1024 that they take in batches of 32. Layers of the library keep rows apart at inference; of functions
    and classes of the user's own it is not known.
    """
    most = _most_rows(model) if keeps_rows_apart(model) else 0
    while size * 2 <= most:
        size *= 2
    return size


def keeps_rows_apart(model: Any) -> bool:
    """Tell whether it is known that each row's outputs depend on that row alone, and that no state depends on any."""
    network = getattr(model, "_network", None)
    if network is None or custom_step(model, "call") is not None or custom_step(model, "predict_step") is not None:
        return False
    return all(_keeps_rows_apart(node.operation) and not node.kwargs.get("training") for node in network.nodes)


def evaluate_together(model: Any, batches: Batches) -> None:
    """Let `batches` be evaluated many at a time, where losses and metrics are known to be sums over rows.

    What it gives is the same but for rounding. The library's own losses and metrics are such sums, without masks
    (a masked batch is divided by the rows that count), penalties for activity, and reductions other than the mean.
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
    """Yield what a model runs, and what models inside of it run; nothing of those without a network."""
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
    except (TypeError, ValueError):  # said in words when it is evaluated
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
        if getattr(node.operation, "_network", None) is not None:
            most = min(most, _most_rows(node.operation))
    return most


def _keeps_rows_apart(operation: Any) -> bool:
    module = type(operation).__module__
    if getattr(operation, "_network", None) is not None:  # a model inside the model
        return module.startswith("cornu.models.") and keeps_rows_apart(operation)
    inner = getattr(operation, "layer", None)
    function = getattr(operation, "activation", None)
    return (
        module.startswith("cornu.layers.")
        and not isinstance(operation, Lambda)
        and not getattr(operation, "stateful", False)
        and (inner is None or _keeps_rows_apart(inner))
        and (function is None or getattr(function, "__module__", "").startswith("cornu."))
    )
