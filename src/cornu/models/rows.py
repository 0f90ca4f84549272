"""How many rows `predict` may compute together where nobody said how many."""

import math
from typing import Any

from cornu.core.graph import leaves
from cornu.layers import Lambda
from cornu.training.step import custom_step

MOST_ROWS = 1024
MOST_BYTES = 2**26  # of the largest output of a layer: stays near the processor's cache


def rows_together(model: Any, size: int) -> int:
    """Return `size`, or a power of two times it where each row's outputs are known to hang on that row alone.

    Small products of matrices leave a processor idle: 10,000 rows through a perceptron take a third of the time in
    batches of 1024 that they take in batches of 32. Layers of the library keep rows apart at inference; of functions
    and classes of the user's own it is not known.
    """
    if custom_step(model, "predict_step") is not None:
        return size
    most = _most_rows(model)
    while size * 2 <= most:
        size *= 2
    return size


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
