"""Sequences of many lengths: padded to few, so that few programs are compiled."""

import functools
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from cornu.core import era
from cornu.core.graph import SymbolicTensor
from cornu.core.ownership import declares
from cornu.core.steps_apart import Plan
from cornu.data.batch import Batch
from cornu.losses.base import ROWS_APART
from cornu.metrics import MeanMetricWrapper
from cornu.training.objective import spread

#: How many lengths have a program of their own before others are padded.
UNPADDED = 2
#: Lengths are padded to a multiple of this.
LEAST = 8


class Padding:
    """Pads the time axis of batches, where their lengths vary and the model's plan allows it.

    The first two lengths are computed as they are. All later ones are padded to the next of few sizes (`padded_size`),
    and the program gets the real lengths with them. Losses, metrics, gradients and outputs are the same.

    Args:
        learner: Whose batches they are.
        kind: ``"train"``, ``"test"`` or ``"predict"``.
        off: Pad nothing.
    """

    def __init__(self, learner: Any, kind: str, off: bool = False) -> None:
        self.learner, self.kind, self.off = learner, kind, off
        self.unpadded: set[tuple[int, ...]] = set()
        self._lock = threading.Lock()
        self._places: dict[Any, list[int | None] | None] = {}

    @functools.cached_property
    def plan(self) -> Plan | None:
        """Where the model's sequences may be padded; None: nowhere."""
        if self.off:
            return None
        plan = self.learner.plan_to_train if self.kind == "train" else self.learner.plan
        if plan is None or self.kind == "predict" or set(plan.outputs) == {None}:
            return plan
        return plan if _leave_steps_out(self.learner.objective, plan) else None

    def __call__(self, batch: Batch) -> Batch:
        """Return a batch, padded if it has to be."""
        if self.plan is None:
            return batch
        lengths = self._lengths_of(batch.x)
        if lengths is None or lengths in self.unpadded:
            return batch
        with self._lock:
            if len(self.unpadded) < UNPADDED:
                self.unpadded.add(lengths)
                return batch
        return self._padded(self.plan, batch, lengths) or batch

    def _padded(self, plan: Plan, batch: Batch, lengths: tuple[int, ...]) -> Batch | None:
        """Return a batch with padded sequences; None if its targets or weights do not fit them."""
        sizes = tuple(padded_size(length, several=len(lengths) > 1) for length in lengths)
        numbers = self._numbers(plan)

        def to_size(array: Any, place: int | None, zeros: bool = False) -> Any:
            return array if place is None or array is None else _longer(array, sizes[place], zeros)

        places = iter(self._places_in(batch.x) or ())
        x = jax.tree.map(lambda leaf: to_size(leaf, next(places)), batch.x)
        y, weight = batch.y, batch.sample_weight
        if self.kind != "predict" and set(plan.outputs) != {None}:
            outputs = [None if number is None else numbers[number] for number in plan.outputs]
            names = self.learner.objective.names
            if weight is not None and era.holds("losses are divided by the fraction of non-zero weights"):
                return None
            if not all(_is_long(array, place, lengths) for array, place in _pairs(y, outputs, names)):
                return None
            if not all(_weighs(array, place, lengths) for array, place in _pairs(weight, outputs, names)):
                return None
            if len(set(outputs)) > 1 and len(getattr(weight, "shape", ())) > 1:
                return None  # the same weights of steps for outputs of different lengths
            y = _by_output(to_size, y, outputs, names)
            weight = _by_output(lambda array, place: _weights(array, place, to_size), weight, outputs, names)
        by_number = {number: lengths[place] for number, place in numbers.items()}
        values = tuple(np.int32(by_number.get(number, 0)) for number in range(len(plan.inputs)))
        return Batch(x, y, weight, values)

    def cut(self, outputs: Any, lengths: tuple) -> Any:
        """Return the outputs of a padded batch without the padded steps, as numpy arrays."""
        assert self.plan is not None
        numbers = iter(self.plan.outputs)

        def real(output: Any) -> np.ndarray:
            number = next(numbers)
            return np.asarray(output) if number is None else np.asarray(output)[:, : int(lengths[number])]

        return jax.tree.map(real, outputs)

    # ---- where lengths are

    @staticmethod
    def _numbers(plan: Plan) -> dict[int, int]:
        """Return the place of each length among those of a batch, by its number in the plan."""
        return {number: place for place, number in enumerate(one for one in plan.inputs if one is not None)}

    def _lengths_of(self, x: Any) -> tuple[int, ...] | None:
        """Return the lengths of a batch's sequences; None if they cannot be padded."""
        places = self._places_in(x)
        if places is None or self.plan is None:
            return None
        pairs = zip(jax.tree.leaves(x), places, strict=True)
        found = {place: leaf.shape[1] for leaf, place in pairs if place is not None}
        lengths = tuple(found[place] for place in range(len(found)))
        numbers = self._numbers(self.plan)
        differ = any(found[numbers[one]] != found[numbers[other]] for one, other in self.plan.equal)
        return None if differ or min(lengths) < 2 else lengths

    def _places_in(self, x: Any) -> list[int | None] | None:
        """Return, for each array of a batch's inputs, the place of its length among the lengths."""
        leaves, structure = jax.tree.flatten(x)
        key = structure, tuple(leaf.ndim for leaf in leaves)
        if key not in self._places:
            self._places[key] = self._found_places(leaves, structure)
        return self._places[key]

    def _found_places(self, leaves: list, structure: Any) -> list[int | None] | None:
        plan = self.plan
        assert plan is not None
        tensors = [SymbolicTensor((None, *leaf.shape[1:]), leaf.dtype) for leaf in leaves]
        try:
            given = self.learner.model._network.arrange(jax.tree.unflatten(structure, tensors))
        except ValueError:  # the step itself says what does not fit
            return None
        numbers, found = self._numbers(plan), dict[int, int]()
        for tensor, number in zip(given, plan.inputs, strict=True):
            if number is not None:
                source = tensor if tensor is None or tensor.node is None else tensor.node.inputs[0]  # of another rank
                if source is None:
                    return None
                found[id(source)] = numbers[number]
        places = [found.get(id(tensor)) for tensor in tensors]
        fits = all(place is None or leaf.ndim > 1 for leaf, place in zip(leaves, places, strict=True))
        return places if fits and len(found) == len(numbers) else None


def padded_size(length: int, several: bool = False) -> int:
    """Return the size that sequences of a length are padded to: one of four in each octave, or of two if `several`.

    Lengths up to 1000 have 24 sizes. They are at most a quarter longer, or by 7 steps.

    >>> [padded_size(length) for length in (3, 9, 64, 65, 100, 200)]
    [8, 16, 64, 80, 112, 224]
    >>> len({padded_size(length) for length in range(1, 1001)})
    24
    """
    octave = 1 << max(0, (length - 1).bit_length() - 1)
    step = max(LEAST, octave // (2 if several else 4))
    return math.ceil(length / step) * step


def _longer(array: Any, size: int, zeros: bool = False) -> np.ndarray:
    """Return an array ``(batch, time, ...)`` with `size` steps: the last one repeated, or zeros."""
    host = np.asarray(array)
    batch, length, *rest = host.shape
    longer = np.empty((batch, size, *rest), host.dtype)
    longer[:, :length] = host
    longer[:, length:] = 0 if zeros else host[:, -1:]
    return longer


# ---- targets and weights by output


def _pairs(given: Any, outputs: list, names: list[str]) -> Iterator[tuple[Any, int | None]]:
    """Yield what was given for each output, with the place of its length."""
    if given is not None:
        single = not isinstance(given, (dict, list, tuple))
        yield from zip([given] * len(names) if single else spread(given, names, "y"), outputs, strict=True)


def _by_output(function: Callable, given: Any, outputs: list, names: list[str]) -> Any:
    """Apply a function to what was given for each output and the place of its length."""
    if given is None or not isinstance(given, (dict, list, tuple)):
        return given if given is None else function(given, outputs[0])
    if isinstance(given, dict):
        places = outputs if len(names) == 1 else [dict(zip(names, outputs, strict=True))[key] for key in given]
        return {key: function(value, place) for (key, value), place in zip(given.items(), places, strict=True)}
    return type(given)(function(value, place) for value, place in zip(given, outputs, strict=True))


def _is_long(target: Any, place: int | None, lengths: tuple[int, ...]) -> bool:
    return place is None or target is None or (np.ndim(target) > 1 and target.shape[1] == lengths[place])


def _weighs(weight: Any, place: int | None, lengths: tuple[int, ...]) -> bool:
    return place is None or np.ndim(weight) < 2 or weight.shape[1] in (1, lengths[place])


def _weights(weight: Any, place: int | None, to_size: Callable) -> Any:
    return weight if np.ndim(weight) < 2 or weight.shape[1] == 1 else to_size(weight, place, zeros=True)


# ---- losses and metrics


def _leave_steps_out(objective: Any, plan: Plan) -> bool:
    """Return whether losses and metrics of padded outputs are sums over time steps, as the library's are."""
    return all(number is None or _sums_over_steps(objective, position) for position, number in enumerate(plan.outputs))


def _sums_over_steps(objective: Any, position: int) -> bool:
    loss = objective.losses[position]
    metrics = [*objective.metrics[position], *objective.weighted[position]]
    if loss is not None and not (
        declares(loss, "keeps_rows_apart", "__call__", "call")
        and loss.reduction not in (None, "none")
        and _is_by_step(getattr(loss, "fn", None), loss, getattr(loss, "_options", ()))
    ):
        return False
    return all(
        declares(metric, "keeps_rows_apart", "__call__", "update_state")
        and (not isinstance(metric, MeanMetricWrapper) or _is_by_step(metric._fn, metric, metric._options))
        for metric in metrics
    )


def _is_by_step(function: Any, owner: Any, options: tuple[str, ...]) -> bool:
    return function in ROWS_APART and all(getattr(owner, name) == -1 for name in options if name == "axis")
