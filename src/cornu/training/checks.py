"""Mistakes that can be detected before training starts, reported with a clear error."""

import warnings
from collections.abc import Collection
from typing import Any

import jax
import numpy as np

from cornu import losses
from cornu.activations import softmax
from cornu.core import processes, registry
from cornu.core.errors import foreign, unknown
from cornu.core.graph import leaves
from cornu.core.ownership import is_library
from cornu.data.batch import Batch
from cornu.layers import Embedding, Softmax
from cornu.metrics.lookup import NAMES_BY_SHAPE, kind_by_shape
from cornu.training.objective import Objective, spread
from cornu.training.output_checks import loss_name
from cornu.training.step import custom_step

BINARY = ("binary_crossentropy", "binary_focal_crossentropy")
ROWS_LOOKED_AT = 1024
SPARSE = ("sparse_categorical_crossentropy",)
ONE_HOT = ("categorical_crossentropy", "categorical_focal_crossentropy", "kl_divergence")


def check_epochs(epochs: Any, initial_epoch: Any, steps: Any) -> None:
    """Raise ValueError if the numbers of epochs or steps are not valid."""
    for name, value, least in (
        ("epochs", epochs, 0),
        ("initial_epoch", initial_epoch, 0),
        ("steps_per_epoch", steps, 1),
    ):
        if name == "steps_per_epoch" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(f"{name} must be an integer, {least} or more; got {value!r}.")


def check_frequency(frequency: Any) -> None:
    """Raise ValueError if `validation_freq` is neither a positive integer nor a collection of epochs."""
    if isinstance(frequency, Collection) and not isinstance(frequency, str):
        return
    if isinstance(frequency, bool) or not isinstance(frequency, (int, np.integer)) or frequency < 1:
        raise ValueError(f"validation_freq must be a number of epochs, or a list of epochs; got {frequency!r}.")


def validation_parts(data: Any) -> tuple:
    """Return x, y and sample weights of ``validation_data``; ValueError if it is not (x, y) or (x, y, weights)."""
    if isinstance(data, (tuple, list)) and 1 <= len(data) <= 3:
        return tuple(data)
    raise ValueError(
        f"validation_data must be (x_val, y_val), (x_val, y_val, sample_weights), or a stream of batches; "
        f"got a {type(data).__name__}{f' of {len(data)} parts' if hasattr(data, '__len__') else ''}."
    )


def check_names(loss: Any, metrics: Any, weighted_metrics: Any) -> None:
    """Raise ValueError for an unknown name of a loss or metric, in `compile` rather than later.

    Raises TypeError for an object of another Keras.
    """
    for what, given in (("losses", loss), ("metrics", [metrics, weighted_metrics])):
        for thing in _objects(given):
            if said := foreign(thing):
                name = getattr(thing, "__name__", type(thing).__name__)
                raise TypeError(f"Expected Cornu's own {what}; got {name}.{said}")
    for name in _strings(loss):
        if kind_by_shape(name) != "crossentropy":
            registry.LOSSES.find(name)
    for name in [*_strings(metrics), *_strings(weighted_metrics)]:
        known = kind_by_shape(name) or name in registry.METRICS or name in registry.LOSSES
        if not known and registry.custom_object(name) is None:
            raise unknown("metric", name, [*registry.METRICS, *registry.LOSSES, *NAMES_BY_SHAPE])


def _strings(given: Any) -> list[str]:
    if isinstance(given, str):
        return [given]
    if isinstance(given, dict) and not {"class_name", "config"} <= set(given):
        return [name for value in given.values() for name in _strings(value)]
    return [name for value in given for name in _strings(value)] if isinstance(given, (list, tuple)) else []


def _objects(given: Any) -> list[Any]:
    if isinstance(given, (list, tuple, dict)):
        return [one for value in (given.values() if isinstance(given, dict) else given) for one in _objects(value)]
    return [given]


def check_targets(objective: Objective, y: Any, y_pred: Any) -> None:
    """Raise ValueError if the shape of `y` does not fit the model's outputs."""
    predictions = leaves(y_pred)
    if y is None:
        if any(loss is not None for loss in objective.losses):
            raise ValueError(
                "The model has a loss that compares outputs with y, but y is missing: pass it as fit(x, y)."
            )
        return
    targets = spread(y, objective.names, "y")
    for name, loss, target, prediction in zip(objective.names, objective.losses, targets, predictions, strict=True):
        if isinstance(loss, losses.Loss) and target is not None:
            _check_shape(name, loss_name(loss), tuple(target.shape), tuple(prediction.shape))


def _check_shape(output: str, loss: str, y: tuple, prediction: tuple) -> None:
    expected, given = (None, *prediction[1:]), (None, *y[1:])
    if loss in SPARSE:
        if not any(_fits_all(given, fitting) for fitting in (expected[:-1], (*expected[:-1], 1))):
            raise ValueError(
                f"The loss {loss!r} expects integer classes of shape {expected[:-1]} for the output {output!r} "
                f"of shape {expected}; y has shape {given}.{_one_hot_advice(given, expected)}"
            )
    elif loss in ONE_HOT and given != expected and _fits_all(given, expected) is False:
        advice = "\nIf y holds integer classes, use sparse_categorical_crossentropy, or to_categorical(y)."
        raise ValueError(
            f"The loss {loss!r} expects y of shape {expected}, like the output {output!r}; y has shape {given}.{advice}"
        )


def _fits_all(given: tuple, expected: tuple) -> bool:
    """Return whether the shapes agree on all axes that are known in both."""
    return len(given) == len(expected) and all(
        a is None or b is None or a == b for a, b in zip(given, expected, strict=True)
    )


def _one_hot_advice(given: tuple, expected: tuple) -> str:
    return "\ny looks one-hot: use categorical_crossentropy." if given == expected else ""


def check_labels(objective: Objective, y: Any) -> None:
    """Raise ValueError for integer labels in host arrays that are out of range for the model's output."""
    if y is None or not objective.built:
        return
    targets = spread(y, objective.names, "y")
    for name, loss, shape, target in zip(objective.names, objective.losses, objective.shapes, targets, strict=True):
        classes = shape[-1] if shape else None
        if not isinstance(target, np.ndarray) or loss_name(loss) not in SPARSE or classes is None:
            continue
        low, high = int(target.min()), int(target.max())
        if (low < 0 or high >= classes) and _ignored_class(loss) is None:
            raise ValueError(
                f"The output {name!r} has {classes} classes, 0 to {classes - 1}; y contains labels "
                f"from {low} to {high}.\n"
                "The last layer needs as many units as there are classes, and labels must count from 0."
            )


def check_probabilities(model: Any, y: Any) -> None:
    """Warn if one unit has a softmax, or if labels in host arrays are not from 0 to 1 for a binary crossentropy."""
    objective = model.objective
    if not objective.built:
        return
    for position, (name, shape) in enumerate(zip(objective.names, objective.shapes, strict=True)):
        if shape and shape[-1] == 1 and objective.losses[position] is not None and _is_softmax(model, position):
            warnings.warn(
                f"The output {name!r} is a softmax over one unit, which is always 1: nothing can be learned. "
                "Use activation='sigmoid' for two classes, or one unit per class.",
                stacklevel=5,
            )
    if y is None:
        return
    for name, loss, target in zip(objective.names, objective.losses, spread(y, objective.names, "y"), strict=True):
        if not isinstance(target, np.ndarray) or loss_name(loss) not in BINARY or not target.size:
            continue
        first = target[:ROWS_LOOKED_AT]
        low, high = first.min(), first.max()
        if low < 0 or high > 1:
            warnings.warn(
                f"The loss {loss_name(loss)!r} of the output {name!r} expects labels from 0 to 1; y contains values "
                f"from {low:g} to {high:g}. For classes -1 and 1, use hinge or (y + 1) / 2; for more than two classes, "
                "a categorical crossentropy.",
                stacklevel=5,
            )


def _is_softmax(model: Any, position: int) -> bool:
    """Return whether the layer of an output of a functional or sequential model computes a softmax."""
    if model._network is None or position >= len(model._network.flat_outputs):
        return False
    node = model._network.flat_outputs[position].node
    layer = None if node is None else node.operation
    return isinstance(layer, Softmax) or getattr(layer, "activation", None) is softmax


def check_replicas(model: Any, backup: Any) -> None:
    """Raise NotImplementedError for what cannot be done with several replicas of a model."""
    if model.run_eagerly:
        raise NotImplementedError("Replicas train in a compiled program: compile without run_eagerly=True.")
    if processes.count() > 1:
        raise NotImplementedError("Replicas train in one process; several processes train one model together.")
    if backup.saves:
        raise NotImplementedError(
            "A backup keeps one training, not that of several replicas: leave out BackupAndRestore or --resume."
        )


def warn_of_nan(logs: dict[str, Any], epoch: int) -> bool:
    """Warn if the loss of an epoch is NaN; return whether it is. `epoch` counts from 0."""
    loss = logs.get("loss")
    if loss is None or not np.isnan(np.asarray(loss)).any():
        return False
    warnings.warn(
        f"The loss became NaN in epoch {epoch + 1}. Try a smaller learning rate, clipnorm=1.0 in the optimizer, or "
        "inputs scaled to about -1 to 1. The callback TerminateOnNaN() stops the training.",
        stacklevel=5,
    )
    return True


def _ignored_class(loss: Any) -> Any:
    given = getattr(loss, "_fn_kwargs", None) or getattr(loss, "arguments", None) or {}
    return getattr(loss, "ignore_class", given.get("ignore_class"))


def check_indices(network: Any, x: Any) -> None:
    """Raise ValueError for indices in host arrays that are out of range for the embedding they are passed to."""
    if network is None or isinstance(x, dict):
        return
    arrays = {id(tensor): array for tensor, array in zip(network.tensors_for(x), leaves(x), strict=False)}
    for node in network.nodes:
        array = arrays.get(id(node.argument))
        if not isinstance(node.operation, Embedding) or not isinstance(array, np.ndarray):
            continue
        rows, low, high = node.operation.input_dim, array.min(), array.max()
        if low < 0 or high >= rows:
            raise ValueError(
                f"Layer {node.operation.name!r} has {rows} rows, for indices from 0 to {rows - 1}; "
                f"x contains indices from {low} to {high}.\nUse input_dim={int(high) + 1}, or renumber the data."
            )


def check_values(model: Any, batches: Any) -> None:
    """Check values in host arrays before training.

    Raises ValueError for labels and indices out of range, and for NaN that makes the loss NaN for certain. Warns if a
    custom loss may leave NaN out, or if only metrics become NaN.
    """
    batch: Batch | None = getattr(batches, "batch", None)
    if batch is None or not batches.resident:
        return
    check_labels(model.objective, batch.y)
    check_probabilities(model, batch.y)
    check_indices(model._network, batch.x)
    for name, array in zip(("x", "y", "sample_weight"), batch[:3], strict=True):
        for path, leaf in jax.tree_util.tree_flatten_with_path(array)[0]:
            if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f" and not np.isfinite(leaf.sum(dtype=leaf.dtype)):
                _report_nan(model, batch, f"{name}{jax.tree_util.keystr(path)}", leaf)


def _report_nan(model: Any, batch: Batch, name: str, array: np.ndarray) -> None:
    bad = np.isnan(array) | np.isinf(array)
    rows = np.flatnonzero(bad.reshape(len(array), -1).any(axis=1))
    if rows.size == 0:  # the sum overflowed; every value is finite
        return
    row = slice(int(rows[0]), int(rows[0]) + 1)
    logs = model.test_on_batch(*jax.tree.map(lambda a: a[row], batch[:3]), return_dict=True)
    strange = [key for key, value in logs.items() if not np.isfinite(np.asarray(value)).all()]
    if not strange:
        return  # the model's masks or losses ignore these values
    found = f"{name} contains {int(bad.sum())} values that are NaN or infinite, the first in row {rows[0]}"
    advice = "Drop those rows or replace the values, for example with numpy.nan_to_num."
    if "loss" in strange and not _may_leave_out_nan(model):
        raise ValueError(f"{found}; the loss would be NaN.\n{advice}")
    effect = "the loss is NaN unless the model leaves them out" if "loss" in strange else f"NaN in {strange[0]!r}"
    warnings.warn(f"{found}: {effect}. {advice}", stacklevel=5)


def _may_leave_out_nan(model: Any) -> bool:
    """Return whether the program's code computes the loss: it may leave out rows, which only a whole batch shows."""
    steps = [custom_step(model, name) for name in ("train_step", "test_step", "compute_loss")]
    given = [getattr(loss, "fn", loss) for loss in model.objective.losses if loss is not None]
    return any(step is not None for step in steps) or not all(is_library(loss) for loss in given)
