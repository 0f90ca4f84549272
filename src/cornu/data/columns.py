"""Which columns of a data set are a model's inputs, its targets and the weights of samples."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import jax

from cornu.core.errors import did_you_mean, listed
from cornu.core.tables import called_labels
from cornu.data.batch import Batch

_OR_RENAME = ", or rename it to 'label'."


class ModelNames(NamedTuple):
    """What a model says about the columns that it takes.

    Attributes:
        inputs: Names of its inputs; None if only its own code knows them, empty if it takes one that has no name yet.
        outputs: Names of its outputs; empty if they are not known yet.
        several: Whether it takes a dictionary of inputs, or several inputs.
        needs_targets: Whether it is to be compared with targets.
    """

    inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] = ()
    several: bool = False
    needs_targets: bool = False


class Columns(NamedTuple):
    """Names of columns: of inputs and targets, each one name or a list or dictionary of them, and of sample weights."""

    inputs: Any
    targets: Any = None
    weights: str | None = None

    @property
    def names(self) -> list[str]:
        """The names of all columns, each once."""
        return list(dict.fromkeys(jax.tree.leaves(tuple(self))))

    def batch(self, table: Mapping[str, Any]) -> Batch:
        """Return these columns of a table as a batch."""
        return Batch(*jax.tree.map(table.__getitem__, tuple(self)))


class ColumnRule:
    """Chooses columns for a model, and remembers what it chose last.

    A column with the name of an input is that input; without such names, a model with one input takes the only column
    that is not a target, and custom code all of them, as a dictionary if there are several. The target is the column
    with the name of the output, or else the only one that is called label, labels, target, targets or y, or else the
    only one that is left besides inputs that are found by name. What `fit` chose counts for what comes after it.

    Args:
        model: What the model says.
        only_inputs: Whether targets are of no interest.
        known: What was chosen before, to be chosen again if all its inputs are there.
    """

    def __init__(self, model: ModelNames, only_inputs: bool = False, known: Columns | None = None) -> None:
        self.model, self.only_inputs, self.known = model, only_inputs, known
        self.found: Columns | None = None

    def columns(self, names: Iterable[str], y: Any = None, weights: Any = None) -> Columns:
        """Return the columns to take of those with these names.

        Args:
            names: The names of all columns.
            y: Name of the target, or a list or dictionary of names for several outputs; None finds it.
            weights: Name of the column of sample weights.

        Raises:
            ValueError: A column is missing, or the names do not say which columns are meant.
        """
        names = list(names)
        for name in jax.tree.leaves((y, weights)):
            if name not in names:
                raise ValueError(
                    f"There is no column {name!r}: the columns are {listed(names)}.{did_you_mean(name, names)}"
                )
        self.found = self._known(names, y, weights) or self._chosen(names, y, weights)
        return self.found

    def _known(self, names: list[str], y: Any, weights: Any) -> Columns | None:
        known = self.known
        if known is None or y is not None or not set(jax.tree.leaves(known.inputs)) <= set(names):
            return None
        if self.only_inputs:
            return Columns(known.inputs)
        return known._replace(weights=weights) if set(jax.tree.leaves(known.targets)) <= set(names) else None

    def _chosen(self, names: list[str], y: Any, weights: Any) -> Columns:
        by_name = self._inputs_by_name(names)
        taken = {weights, *(by_name or ())}
        rest = [name for name in names if name not in taken]
        targets = self._targets(rest, by_name is not None) if y is None else y
        if by_name is None:
            inputs = self._other_inputs(names, rest, targets)
        else:
            inputs = {name: name for name in by_name} if self.model.several else by_name[0]
        if self.only_inputs:
            return Columns(inputs)
        if targets is None and self.model.needs_targets:
            raise self._no_targets(names, rest)
        return Columns(inputs, targets, weights)

    def _inputs_by_name(self, names: list[str]) -> tuple[str, ...] | None:
        """Return the names of the model's inputs if they are columns; None if they need not be."""
        inputs = self.model.inputs
        if not inputs:
            return None
        missing = [name for name in inputs if name not in names]
        if missing and self.model.several:
            raise ValueError(
                f"The model has the inputs {listed(inputs)}; there is no column {missing[0]!r}: the columns are "
                f"{listed(names)}.{did_you_mean(missing[0], names)}"
            )
        return None if missing else inputs

    def _targets(self, rest: list[str], inputs_found: bool) -> Any:
        """Return the targets among the columns that are not inputs by name; None if they are not to be told."""
        outputs = self.model.outputs
        if outputs and set(outputs) <= set(rest):
            return outputs[0] if len(outputs) == 1 else {name: name for name in outputs}
        if len(outputs) > 1:
            return None
        called = called_labels(rest)
        if len(called) == 1:
            return called[0]
        return rest[0] if inputs_found and len(rest) == 1 else None

    def _other_inputs(self, names: list[str], rest: list[str], targets: Any) -> Any:
        """Return the inputs of a model none of whose names are columns: what is not a target."""
        no_inputs = set(jax.tree.leaves(targets))
        if self.only_inputs:
            no_inputs |= set(called_labels(rest))
        left = [name for name in rest if name not in no_inputs] or (rest if len(rest) == 1 else [])
        if len(left) == 1:
            return left[0]
        if left and self.model.inputs is None and not self.model.several:
            if targets is None and self.model.needs_targets and not self.only_inputs:
                raise self._no_targets(names, rest)
            return {name: name for name in left}
        if targets is None and len(left) == 2 and not self.only_inputs:  # one of them is the target
            raise self._no_targets(names, rest)
        which = f"could be any of {listed(left)}" if left else f"is not among {listed(names)}"
        raise ValueError(
            f"The model has one input, which {which}.\nName the input after its column, as in keras.Input(shape, "
            f"name={(left or names)[0]!r}), or pass the columns alone: {self._pair(left or names, targets)}."
        )

    def _pair(self, left: list[str], targets: Any) -> str:
        """Return how the data would be passed column by column."""
        target = next(iter(jax.tree.leaves(targets)), None)
        second = "" if target is None or self.only_inputs else f", data[{target!r}]"
        return f"data[{left[0]!r}]{second}"

    def _no_targets(self, names: list[str], rest: list[str]) -> ValueError:
        outputs = self.model.outputs
        if len(rest) < 2:
            return ValueError(
                f"The model needs targets, but the data have only its inputs: {listed(names)}.\nIf one of them is the "
                f"target as well, name it: fit(data, y={names[0]!r})."
            )
        several = len(outputs) > 1
        example = str(dict(zip(outputs, rest, strict=False))) if several else repr(rest[-1])
        return ValueError(
            f"The columns are {listed(names)}: their names do not say which is the target"
            f"{' of each output' * several}.\n"
            f"Name {'them' if several else 'it'}, as in fit(data, y={example}){'.' if several else _OR_RENAME}"
        )

    # ---- dictionaries of columns

    def apply(self, x: Any, y: Any = None, weights: Any = None) -> tuple[Any, Any, Any]:
        """Return x, y and sample weights of a dictionary of columns, targets among them; other data unchanged."""
        if isinstance(y, str) and not isinstance(x, dict):
            raise ValueError(
                f"y={y!r} names a column, which only data sets and dictionaries of columns have; x is a "
                f"{type(x).__name__}.\nPass the targets themselves, as in fit(x, y)."
            )
        has_names = isinstance(x, dict) and bool(x) and all(isinstance(name, str) for name in x)
        if not has_names or not self._chooses(x, y):
            return x, y, weights
        by_name = weights if isinstance(weights, str) else None
        chosen = self.columns(x, y, by_name).batch(x)
        return chosen.x, chosen.y, chosen.sample_weight if by_name else weights

    def in_batches(self, y: Any, weights: Any) -> Callable[[Batch], Batch]:
        """Return a function of a stream's batches: it applies the rule to those that are dictionaries.

        `y` and `weights` are names of columns, or None. ValueError if there are names, and batches without any.
        """

        def choose(batch: Batch) -> Batch:
            given = (y, weights) if batch.y is None else (batch.y, batch.sample_weight)
            if isinstance(batch.x, dict) and batch.y is None:
                return Batch(*self.apply(batch.x, *given))
            if y is not None or weights is not None:
                raise ValueError(
                    f"{y if weights is None else weights!r} is to be the name of a column; the batches are not "
                    "dictionaries of columns.\nYield (x, y) or (x, y, sample_weight), and pass x alone."
                )
            return batch

        return choose

    def _chooses(self, x: dict, y: Any) -> bool:
        if y is not None:
            return is_named(y, x)
        if self.only_inputs:
            takes_one = self.model.inputs is not None and not self.model.several
            return len(x) > 1 and (takes_one or self.known is not None)
        return self.model.needs_targets


def is_named(y: Any, columns: Iterable[str] | None = None) -> bool:
    """Return whether `y` is the name of a column, or a list or dictionary of such names, rather than data."""
    names = jax.tree.leaves(y)
    if isinstance(y, str):
        return True
    return bool(names) and all(isinstance(one, str) and (columns is None or one in columns) for one in names)
