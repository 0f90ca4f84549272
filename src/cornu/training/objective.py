"""The losses, loss weights and metrics passed to `compile`, for one output or several."""

import contextlib
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu import losses, metrics
from cornu.core.engine_errors import NEEDS_NUMBER, NUMBER_ADVICE, EngineError, from_engine, plain_message
from cornu.core.errors import did_you_mean
from cornu.core.scope import changed, get_mask, scope
from cornu.core.variable import Variable
from cornu.metrics import Mean, Metric


class Objective:
    """Loss and metrics of a compiled model; `build` binds them to the outputs once their shapes are known.

    Args:
        loss, loss_weights, metrics, weighted_metrics: as passed to `compile`.
    """

    def __init__(self, loss: Any, loss_weights: Any, metrics: Any, weighted_metrics: Any) -> None:
        self.loss, self.loss_weights = loss, loss_weights
        self.given_metrics, self.given_weighted_metrics = metrics, weighted_metrics
        self.built = False
        self.total = Mean(name="loss")
        self.names: list[str] = []
        self.shapes: list[tuple] = []  # of the outputs
        self.losses: list[Callable | None] = []
        self.weights: list[float] = []
        self.loss_means: list[Mean] = []
        self.metrics: list[list[Metric]] = []
        self.weighted: list[list[Metric]] = []
        self.is_sum: bool | None = None  # over rows, so that batches may be merged; None: unknown yet

    # ---- binding to outputs

    def build(self, names: Sequence[str], y: Any, y_pred: Any) -> None:
        """Bind to the outputs.

        Args:
            names: names of the outputs.
            y, y_pred: arrays or shapes of one batch.
        """
        self.names = list(names)
        predictions = flat_outputs(y_pred)
        self.shapes = [tuple(prediction.shape) for prediction in predictions]
        targets = spread(y, self.names, "y") if y is not None else [None] * len(predictions)
        given = spread(self.loss, self.names, "loss", broadcast=True)
        self.losses = [
            None if one is None else as_loss(one, getattr(target, "shape", ()), prediction.shape)
            for one, target, prediction in zip(given, targets, predictions, strict=True)
        ]
        weights = spread(self.loss_weights, self.names, "loss_weights")
        self.weights = [1.0 if weight is None else weight for weight in weights]
        self.metrics = self._resolve(self.given_metrics, targets, predictions)
        self.weighted = self._resolve(self.given_weighted_metrics, targets, predictions)
        several = len(self.names) > 1
        self.loss_means = [Mean(name=f"{name}_loss") for name in self.names] if several else []
        self.built = True

    def _resolve(self, given: Any, targets: list, predictions: list) -> list[list[Metric]]:
        wanted = spread_metrics(given, self.names)
        return [
            [_metric(one, target, prediction) for one in each]
            for each, target, prediction in zip(wanted, targets, predictions, strict=True)
        ]

    @property
    def all_metrics(self) -> list[Metric]:
        """All metrics in the order of the logs, starting with the mean loss."""
        flat = [metric for group in (*self.metrics, *self.weighted) for metric in group]
        means = [mean for mean, loss in zip(self.loss_means, self.losses, strict=False) if loss is not None]
        return [self.total, *means, *flat]

    @property
    def names_in_logs(self) -> dict[int, list[str]]:
        """The names in logs of each metric, by its id: metrics keep the names that the program gave them."""
        found: dict[int, list[str]] = {}
        names = self._log_names(self.names, self.losses, self.metrics, self.weighted)
        for metric, name in zip(self.all_metrics, names, strict=True):
            found.setdefault(id(metric), []).append(name)
        return found

    def planned_names(self, outputs: Sequence[str]) -> list[str]:
        """Return the names of the logs before the first batch is seen, for a model with these outputs."""
        given = self.loss, self.given_metrics, self.given_weighted_metrics
        try:
            losses = spread(given[0], outputs, "loss", broadcast=True)
            return self._log_names(outputs, losses, *(spread_metrics(one, outputs) for one in given[1:]))
        except ValueError:  # what was given does not fit these outputs: training says so
            return [self.total.name]

    def _log_names(self, outputs: Sequence[str], losses: list, metrics: list[list], weighted: list[list]) -> list[str]:
        """Return a name for each of `all_metrics`: with the output's name if there are several, without repetition."""
        several = len(outputs) > 1
        names = [self.total.name]
        names += [
            f"{output}_loss" for output, loss in zip(outputs, losses, strict=False) if several and loss is not None
        ]
        for groups, is_weighted in ((metrics, False), (weighted, True)):
            for output, group in zip(outputs, groups, strict=False):
                prefix = f"{output}_" if several else ""
                for metric in group:
                    name = _name(metric)
                    again = is_weighted and prefix + name in names
                    names.append(free_name(f"{prefix}weighted_{name}" if again else prefix + name, names))
        return names

    @property
    def variables(self) -> list[Variable]:
        return [variable for metric in self.all_metrics for variable in metric.variables]

    def reset(self) -> None:
        """Reset all running sums."""
        for metric in self.all_metrics:
            metric.reset_state()

    # ---- computing

    def loss_of(self, y: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, list[Any]]:
        """Return the weighted sum of the losses, and the loss of each output."""
        predictions = flat_outputs(y_pred)
        targets = spread(y, self.names, "y") if y is not None else [None] * len(predictions)
        weights = spread_weights(sample_weight, self.names)
        each = []
        for name, loss, target, prediction, weight in zip(
            self.names, self.losses, targets, predictions, weights, strict=True
        ):
            each.append(None if loss is None or target is None else _evaluate(loss, name, target, prediction, weight))
        total = sum((w * one for w, one in zip(self.weights, each, strict=True) if one is not None), jnp.zeros(()))
        return total, each

    def update_loss(self, total: Any, each: Sequence[Any], batch: Any) -> None:
        """Add one batch to the mean losses, weighted by its number of rows."""
        rows = jax.tree.leaves(batch.x)[0].shape[0] if jax.tree.leaves(batch.x) else 1
        self.total.update_state(total, sample_weight=float(rows))
        for mean, one in zip(self.loss_means, each, strict=False):
            if one is not None:
                mean.update_state(one, sample_weight=float(rows))

    def update_metrics(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        """Add one batch to the metrics other than the loss."""
        predictions = flat_outputs(y_pred)
        targets = spread(y, self.names, "y") if y is not None else [None] * len(predictions)
        weights = spread_weights(sample_weight, self.names)
        lengths = scope.lengths  # of padded outputs
        for position, (target, prediction) in enumerate(zip(targets, predictions, strict=True)):
            mask = get_mask(prediction)
            mask = None if mask is None else mask.astype(jnp.float32)
            with changed(length=lengths and lengths.of_output(position)):
                for metric in self.metrics[position]:
                    self._update(metric, position, target, prediction, mask)
                for metric in self.weighted[position]:
                    weight = weights[position]
                    both = weight if mask is None else mask if weight is None else _times(weight, mask)
                    self._update(metric, position, target, prediction, both)

    def _update(self, metric: Metric, position: int, target: Any, prediction: Any, weight: Any) -> None:
        if target is None:
            raise ValueError(f"The metric {metric.name!r} compares outputs with y, but y is missing for its output.")
        with comparing(f"The metric {metric.name!r}", self.names[position], target, prediction):
            metric.update_state(target, prediction, sample_weight=weight)


def _metric(wanted: Any, target: Any, prediction: Any) -> Metric:
    """Return a metric for one output, with all variables: a traced step cannot add those that depend on the data."""
    shape = getattr(target, "shape", ())
    metric = metrics.resolve(wanted, shape, prediction.shape, getattr(target, "dtype", None))
    if isinstance(wanted, str):
        metric.name = wanted
    if target is not None:
        metric.build(tuple(shape), tuple(prediction.shape))
    return metric


def _times(weight: Any, mask: Any) -> Any:
    extra = mask.ndim - weight.ndim
    # (batch,) and (batch, time) give (batch, time)
    return weight.reshape(*weight.shape, *([1] * extra)) * mask if extra > 0 else weight * mask


def _evaluate(loss: Any, name: str, target: Any, prediction: Any, weight: Any) -> Any:
    with comparing(f"The loss {getattr(loss, 'name', type(loss).__name__)!r}", name, target, prediction):
        return loss(target, prediction, sample_weight=weight)


@contextlib.contextmanager
def comparing(what: str, output: str, target: Any, prediction: Any) -> Iterator[None]:
    """Explain errors of a loss or metric: which one, for which output, with which shapes."""
    try:
        yield
    except EngineError:
        raise
    except (TypeError, ValueError, IndexError) as error:
        text = str(error)
        if isinstance(error, NEEDS_NUMBER):
            raise EngineError(f"{what} cannot be compiled. {NUMBER_ADVICE}") from None
        if "None is not a valid value" in text:
            raise EngineError(f"{what} returned None instead of a number: is a `return` missing?") from None
        if "sample_weight" in text or not (from_engine(error) or "shape" in text.lower()):
            raise
        raise EngineError(
            f"{what} cannot compare y of shape {tuple(target.shape)} with the model's output {output!r} of "
            f"shape {tuple(prediction.shape)}.\nEither the last layer has the wrong size, or y needs another format "
            f"(to_categorical for classes, a sparse_... loss or metric for integers).\n({plain_message(error)})"
        ) from None


def as_loss(identifier: Any, y_true_shape: Sequence[int | None] = (), y_pred_shape: Sequence[int | None] = ()) -> Any:
    """Return a loss object ``(y_true, y_pred, sample_weight)`` for a name, a function or a loss.

    ``"crossentropy"`` (``"ce"``) becomes the binary, sparse or categorical kind, as the shapes require.
    """
    if metrics.lookup.kind_by_shape(identifier) == "crossentropy":
        kinds = losses.binary_crossentropy, losses.sparse_categorical_crossentropy, losses.categorical_crossentropy
        found: Any = kinds[metrics.lookup.kind_of_labels(y_true_shape, y_pred_shape)]
    else:
        found = losses.get(identifier)
    return found if isinstance(found, losses.Loss) else losses.LossFunctionWrapper(found, name=_name(found))


def _name(thing: Any) -> str:
    """Return the name of a metric, a function or a class; a string is a name."""
    if isinstance(thing, str):
        return thing
    return str(getattr(thing, "name", None) or getattr(thing, "__name__", type(thing).__name__))


def free_name(name: str, taken: Collection[str]) -> str:
    """Return `name`, with the first number that makes it one that is not taken.

    >>> free_name("auc", []), free_name("auc", ["auc", "auc_1"])
    ('auc', 'auc_2')
    """
    numbered = (f"{name}_{number}" for number in itertools.count(1))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def results_by_name(named: Iterable[tuple[str, Metric]]) -> dict[str, Any]:
    """Return the results of metrics by name; a metric whose result is a dictionary has the names of its keys.

    Of several results of one name all but the first get a number. Only ``loss`` is replaced by a later metric of this
    name, as in Keras: that is how a model logs a loss of its own.
    """
    found: dict[str, Any] = {}
    for name, metric in named:
        result = metric.result()
        for key, value in (result if isinstance(result, dict) else {name: result}).items():
            found[key if key == "loss" else free_name(key, found)] = value
    return found


def flat_outputs(y_pred: Any) -> list[Any]:
    """Return the outputs of a model as a flat list."""
    return jax.tree.leaves(y_pred)


def _check_keys(given: dict, names: Sequence[str], what: str) -> None:
    strange = [key for key in given if key not in names]
    if strange:
        raise ValueError(
            f"{what} has the key {strange[0]!r}, but the model's outputs are {list(names)}."
            f"{did_you_mean(strange[0], names)}"
        )


def spread(given: Any, names: Sequence[str], what: str, broadcast: bool = False) -> list[Any]:
    """Return one item per output from a single item, a list, or a dictionary by output name.

    Args:
        given: the items.
        names: names of the outputs.
        what: name of the argument, for messages.
        broadcast: a single item applies to all outputs.

    Raises:
        ValueError: if the number of items or a key does not fit.
    """
    if isinstance(given, dict) and not hasattr(given, "get_config"):
        if len(names) == 1 and len(given) == 1 and what == "y":
            return list(given.values())
        if not ({"class_name", "config"} <= set(given)):
            _check_keys(given, names, what)
            return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ValueError(f"The model has {len(names)} outputs {list(names)}, but {what} has {len(given)} entries.")
        return list(given)
    if len(names) == 1 or broadcast or given is None:
        return [given] * len(names)
    raise ValueError(
        f"The model has {len(names)} outputs {list(names)}: {what} needs one entry for each, "
        f"as a list or a dictionary; got a single {'array' if hasattr(given, 'shape') else type(given).__name__}."
    )


def spread_weights(given: Any, names: Sequence[str]) -> list[Any]:
    """Return one array of sample weights (or None) per output; a single array applies to all."""
    if given is None or not isinstance(given, (dict, list, tuple)):
        return [given] * len(names)
    return spread(given, names, "sample_weight")


def spread_metrics(given: Any, names: Sequence[str]) -> list[list[Any]]:
    """Return the list of metrics of each output.

    A flat list applies to every output, as in Keras 1 and 2, unless it has exactly one entry per output, as in Keras 3.
    """
    if given is None:
        return [[] for _ in names]
    if isinstance(given, dict):
        _check_keys(given, names, "metrics")
        return [_as_list(given.get(name)) for name in names]
    given = _as_list(given)
    nested = any(isinstance(one, (list, tuple)) for one in given)
    per_output = len(names) > 1 and len(given) == len(names)
    if nested and len(given) == 1 and len(names) == 1:
        return [_as_list(given[0])]
    if nested or per_output:
        if len(given) != len(names):
            raise ValueError(f"metrics has {len(given)} lists; the model has {len(names)} outputs {list(names)}.")
        return [_as_list(one) for one in given]
    return [[_fresh(one, position) for one in given] for position in range(len(names))]


def _fresh(metric: Any, position: int) -> Any:
    """Return a separate metric for each output that shares the list."""
    return type(metric).from_config(metric.get_config()) if position and isinstance(metric, Metric) else metric


def _as_list(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]
