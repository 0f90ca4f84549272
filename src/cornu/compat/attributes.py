"""Old methods and attributes of models and layers, and what they mean today."""

import itertools
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from cornu.compat.compiled import CompiledLoss, CompiledMetrics
from cornu.core.errors import did_you_mean
from cornu.core.graph import SymbolicTensor
from cornu.metrics import Mean

#: Old attribute of a layer or an optimizer -> today's.
RENAMED = {
    "W": "kernel",
    "b": "bias",
    "output_dim": "units",
    "nb_filter": "filters",
    "subsample": "strides",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "p": "rate",
    "sigma": "stddev",
    "gamma_init": "gamma_initializer",
    "init": "kernel_initializer",
    "inbound_nodes": "_inbound_nodes",
    "regularizers": "losses",
    "params": "trainable_weights",
    "trainable_params": "trainable_weights",
    "running_mean": "moving_mean",
    "running_std": "moving_variance",
    # tokenizers, iterators over image files
    "nb_words": "num_words",
    "nb_sample": "samples",
    "nb_class": "num_classes",
    "num_class": "num_classes",
    "principal_components": "zca_whitening_matrix",
    # lookups of categories
    "vocab_size": "vocabulary_size",
    # optimizers
    "weights": "variables",
}

#: Old attribute that no longer has any effect -> its value.
VALUES: dict[str, Any] = {"uses_learning_phase": False, "_uses_learning_phase": False, "dynamic": False}
LISTS = ("updates", "state_updates")
#: Old methods that set something up; calling them does nothing.
DO_NOTHING = ("_make_predict_function", "_make_test_function", "_make_train_function", "make_predict_function")

#: Attribute of a compiled model -> its replacement.
COMPILED = {"compiled_loss": CompiledLoss, "compiled_metrics": CompiledMetrics}

#: Attribute -> why it is gone, and what to do.
GONE = {
    "to_yaml": "reading YAML configs could run code: use to_json()",
    "total_loss": "the loss is not a graph tensor: for gradients use K.gradients on the model's output, or jax.grad",
    "targets": "targets are not graph tensors: pass them to fit(x, y)",
    "sample_weights": "they are not graph tensors: pass them to fit(..., sample_weight=)",
    "train_function": "write a train_step method in a subclass of Model instead",
    "get_output": "use the `output` attribute",
    "add_input": "Graph models are gone since Keras 1: use Model(inputs, outputs)",
    "add_node": "Graph models are gone since Keras 1: use Model(inputs, outputs)",
    "add_output": "Graph models are gone since Keras 1: use Model(inputs, outputs)",
}


class MissingAttributeError(AttributeError):
    """An error for a missing attribute; its message is made only when it is read."""

    def __init__(self, instance: Any, name: str) -> None:
        super().__init__(name)
        self.instance, self.missing = instance, name

    def __str__(self) -> str:
        kind = type(self.instance).__name__
        if self.missing in GONE:
            return f"{kind} has no {self.missing!r} any more: {GONE[self.missing]}."
        known = [name for name in {*dir(type(self.instance)), *vars(self.instance)} if not name.startswith("_")]
        return f"{kind!r} object has no attribute {self.missing!r}.{did_you_mean(self.missing, known)}"


def old_attribute(instance: Any, name: str) -> Any:
    """Return what an old attribute or method of a layer, model or other object means today.

    Raises AttributeError, with the nearest name, for one that never existed or was removed.
    """
    if name in METHODS and hasattr(type(instance), "predict"):
        return METHODS[name].__get__(instance)
    if name in LAYER_METHODS and hasattr(type(instance), "add_weight"):
        return LAYER_METHODS[name].__get__(instance)
    today = RENAMED.get(name)
    if today is not None and (today in vars(instance) or hasattr(type(instance), today)):
        return getattr(instance, today)
    if name in VALUES:
        return VALUES[name]
    if name in LISTS:
        return []
    if name in COMPILED and getattr(instance, "objective", None) is not None:
        return COMPILED[name](instance)
    if name in DO_NOTHING and hasattr(type(instance), "predict"):
        return lambda *_, **__: None
    raise MissingAttributeError(instance, name)


# ---- methods of models


def predict_classes(self: Any, x: Any, batch_size: int | None = None, verbose: Any = 0, **kwargs: Any) -> np.ndarray:
    """Return the most likely class of each row; for one sigmoid output 0 or 1, of shape (rows, 1) as in Keras 2."""
    probabilities = np.asarray(self.predict(x, batch_size=batch_size, verbose=verbose, **kwargs))
    if probabilities.shape[-1] > 1:
        return probabilities.argmax(axis=-1)
    return (probabilities > 0.5).astype("int32")


def predict_proba(self: Any, x: Any, batch_size: int | None = None, verbose: Any = 0, **kwargs: Any) -> np.ndarray:
    """Return what `predict` returns; a warning if it cannot be a probability, as in Keras 2."""
    probabilities = self.predict(x, batch_size=batch_size, verbose=verbose, **kwargs)
    if np.min(probabilities) < 0 or np.max(probabilities) > 1:
        warnings.warn(
            "predict_proba: the last layer does not return probabilities (is it softmax or sigmoid?).", stacklevel=2
        )
    return probabilities


def fit_generator(
    self: Any, generator: Any, steps_per_epoch: int | None = None, epochs: int | None = None, *args: Any, **kwargs: Any
) -> Any:
    """Train on batches of a generator: `fit`, with the keywords of Keras 1 (which counted samples) and 2."""
    given, names = args, ("verbose", "callbacks", "validation_data", "validation_steps")
    kwargs |= dict(zip(names, given, strict=False))
    if steps_per_epoch is not None:
        counts_samples = not {"nb_epoch", "nb_val_samples", "nb_worker", "max_q_size"}.isdisjoint(kwargs)
        kwargs["samples_per_epoch" if counts_samples else "steps_per_epoch"] = steps_per_epoch
    if epochs is not None:
        kwargs["epochs"] = epochs
    generator, kwargs = _counted(generator, kwargs, "samples_per_epoch", "steps_per_epoch")
    validation, kwargs = _counted(kwargs.get("validation_data"), kwargs, "nb_val_samples", "validation_steps")
    kwargs = _current(kwargs, "nb_epoch", "epochs")
    return self.fit(generator, **kwargs if validation is None else {**kwargs, "validation_data": validation})


def evaluate_generator(self: Any, generator: Any, steps: int | None = None, *args: Any, **kwargs: Any) -> Any:
    """Evaluate on batches of a generator (`evaluate`); Keras 1 counted samples in `val_samples`."""
    generator, kwargs = _counted(generator, _bind_old_order(steps, args, kwargs), "val_samples", "steps")
    return self.evaluate(generator, **({"verbose": 0} | kwargs))


def predict_generator(self: Any, generator: Any, steps: int | None = None, *args: Any, **kwargs: Any) -> Any:
    """Predict on batches of a generator (`predict`); Keras 1 counted samples in `val_samples`."""
    generator, kwargs = _counted(generator, _bind_old_order(steps, args, kwargs), "val_samples", "steps")
    return self.predict(generator, **({"verbose": 0} | kwargs))


def _bind_old_order(steps: int | None, args: tuple, kwargs: dict) -> dict:
    """Name positional arguments as Keras 2 ordered them."""
    named = {"steps": steps} | dict(
        zip(("callbacks", "max_queue_size", "workers", "use_multiprocessing", "verbose"), args, strict=False)
    )
    return {name: value for name, value in named.items() if value is not None} | kwargs


def _current(kwargs: dict, old: str, new: str) -> dict:
    return {new if key == old else key: value for key, value in kwargs.items()}


def _counted(batches: Any, kwargs: dict, old: str, new: str) -> tuple[Any, dict]:
    """Convert a number of samples to a number of steps, by the size of the generator's batches."""
    if kwargs.get(old) is None or isinstance(batches, (tuple, list)) or batches is None:
        return batches, {key: value for key, value in kwargs.items() if key != old}
    batches, size = _batch_size(batches)
    steps = max(1, -(-int(kwargs[old]) // size))
    return batches, {key: value for key, value in kwargs.items() if key != old} | {new: steps}


def _batch_size(batches: Any) -> tuple[Any, int]:
    """Return all the batches, and the number of rows of the first."""
    size = getattr(batches, "batch_size", None)
    if size:
        return batches, int(size)
    if hasattr(batches, "__getitem__"):
        return batches, _rows(batches[0])
    iterator = iter(batches)
    first = next(iterator)
    return _chained(first, iterator), _rows(first)


def _chained(first: Any, rest: Iterable) -> Iterable:
    yield from itertools.chain([first], rest)


def _rows(batch: Any) -> int:
    while isinstance(batch, (tuple, list, dict)):
        batch = next(iter(batch.values())) if isinstance(batch, dict) else batch[0]
    return len(batch)


METHODS: dict[str, Callable] = {
    function.__name__: function
    for function in (predict_classes, predict_proba, fit_generator, evaluate_generator, predict_generator)
}


# ---- methods of layers


def add_update(self: Any, updates: Any, inputs: Any = None) -> None:
    """Apply updates ``(variable, new value)``; those made by functions of K are already applied."""
    for update in updates if isinstance(updates, list) else [updates]:
        if isinstance(update, tuple) and len(update) == 2 and hasattr(update[0], "assign"):
            update[0].assign(update[1])


def add_metric(self: Any, value: Any, aggregation: str | None = None, name: str | None = None) -> None:
    """Show the mean of a value in the logs: one computed in ``call``, or a symbolic tensor of a functional model."""
    kept = vars(self).setdefault("_added_metrics", {})
    name = name or f"{self.name}_metric"
    if isinstance(value, SymbolicTensor):
        kept[name] = Mean(name=name)
        vars(self).setdefault("_graph_metrics", []).append((value, kept[name]))
        return
    if name not in kept:
        kept[name] = Mean(name=name)
    kept[name].update_state(value)


def get_input_shape_at(self: Any, node_index: int) -> Any:
    """Return the shape of the symbolic input of a given call."""
    return _shapes(self.get_input_at(node_index))


def get_output_shape_at(self: Any, node_index: int) -> Any:
    """Return the shape of the symbolic output of a given call."""
    return _shapes(self.get_output_at(node_index))


def _shapes(tensors: Any) -> Any:
    return [tuple(tensor.shape) for tensor in tensors] if isinstance(tensors, (list, tuple)) else tuple(tensors.shape)


LAYER_METHODS: dict[str, Callable] = {
    function.__name__: function for function in (add_metric, add_update, get_input_shape_at, get_output_shape_at)
}
