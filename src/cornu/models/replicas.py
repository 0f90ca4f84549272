"""Several copies of a model, trained at once: results with error bars."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from cornu.callbacks.history import History
from cornu.callbacks.monitor import comparison
from cornu.core.error_bars import value_in
from cornu.core.errors import did_you_mean
from cornu.core.seeds import drawing_from, seeds_drawn, state_of
from cornu.core.variable import Variable
from cornu.models.model import Model
from cornu.training.replica_files import replica_path
from cornu.training.replication import Replication, seeds_of


class Replicas:
    """Several copies of a model that differ in their random numbers, trained at once in one compiled program.

    Replica `i` has the initial weights, the order of rows in each epoch, and the dropout of a single run that begins
    with ``keras.utils.set_random_seed(seed + i)``, and gets its results, within rounding.

    Args:
        model: A model, or a function without arguments that returns one.
        n: How many copies.
        seed: The seed of the first. None: the first keeps the weights that the model has, and draws from numpy's global
            generator; the others have seeds that follow from that generator's state.
        dropout: Rate of all dropout layers, one for each replica.
        label_smoothing: That of the losses, one for each replica.
        loss_weights: Those of `compile`, one list for each replica.
        **numbers: Numbers of the optimizer, one for each replica: ``learning_rate=[0.1, 0.01]``, ``weight_decay``, ...

    Raises:
        ValueError: There are not `n` values, or the model does not have what they are for.
        TypeError: `model` is neither a model nor a function.

    Attributes:
        model: The model, which holds the first replica.
        seeds: The seed of each.

    >>> import cornu
    >>> def build():
    ...     return cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(1)])
    >>> replicas = Replicas(build, 3, seed=1, learning_rate=[0.1, 0.01, 0.001])
    >>> replicas.compile("sgd", "mse")
    >>> history = replicas.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=2, verbose=0)
    >>> len(history.replicas), history.history["loss"][1].deviation > 0
    (3, True)
    """

    def __init__(
        self,
        model: Model | Callable[[], Model],
        n: int,
        seed: int | None = None,
        dropout: Sequence[float] | None = None,
        label_smoothing: Sequence[float] | None = None,
        loss_weights: Sequence[Any] | None = None,
        **numbers: Sequence[float],
    ) -> None:
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise ValueError(f"Replicas: n must be a number of copies, 1 or more; got {n!r}.")
        self.seeds = seeds_of(int(n), seed)
        begin = None if isinstance(model, Model) else seeds_drawn()
        self.model = self._made(model)
        options = {"dropout": dropout, "label_smoothing": label_smoothing, "loss_weights": loss_weights}
        varied = {name: values for name, values in options.items() if values is not None}
        for name, values in (varied | numbers).items():
            if not isinstance(values, (Sequence, np.ndarray)) or isinstance(values, str) or len(values) != n:
                raise ValueError(f"Replicas: {name} needs {n} values, one for each replica; got {values!r}.")
        self._numbers = numbers
        self._replication = Replication(self.seeds, varied | numbers, begin=begin)
        self.model._programs.replicate(self._replication)
        for name in numbers if self.model.compiled else ():
            self._check_number(name)

    def _made(self, model: Any) -> Model:
        if isinstance(model, Model):
            return model
        if not callable(model):
            raise TypeError(f"Replicas expects a model, or a function that returns one; got {model!r}.")
        if self.seeds[0] is None:
            made = model()
        else:
            with drawing_from(state_of(self.seeds[0])):
                made = model()
        if not isinstance(made, Model):
            raise TypeError(f"Replicas expects a function that returns a model; it returned {made!r}.")
        return made

    def __len__(self) -> int:
        return len(self.seeds)

    # ---- as a model

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Choose optimizer, loss and metrics for all, as ``Model.compile`` does."""
        self.model.compile(*args, **kwargs)
        for name in self._numbers:
            self._check_number(name)

    def _check_number(self, name: str) -> None:
        optimizer = self.model.optimizer
        known = ["learning_rate", *optimizer._numbers]
        if name not in known:
            raise ValueError(
                f"Replicas: {type(optimizer).__name__} has no number {name!r}.{did_you_mean(name, known)} "
                f"It has {', '.join(sorted(set(known)))}."
            )
        if name == "learning_rate" and not isinstance(optimizer.learning_rate, Variable):
            raise ValueError(
                "Replicas: the optimizer follows a schedule, so learning_rate cannot differ by replica: leave it out, "
                "or compile with a number."
            )

    def fit(self, *args: Any, **kwargs: Any) -> History:
        """Train all replicas; arguments are those of ``Model.fit``.

        Each replica shuffles arrays in its own order; a generator's batches are the same for all. `EarlyStopping`,
        `ReduceLROnPlateau`, `LearningRateScheduler`, `ModelCheckpoint` and other callbacks that say ``per_replica`` act
        on each replica: one that is stopped keeps its weights and its numbers. The others are called once, with means.

        Returns:
            A `History`: ``history`` has means with their ``deviation``, ``replicas`` the history of each replica.
        """
        return self.model.fit(*args, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Return loss and metrics as ``Model.evaluate`` does: means, with ``deviation`` and the ``values`` of each."""
        return self.model.evaluate(*args, **kwargs)

    def predict(self, x: Any, *args: Any, replicas: str = "mean", **kwargs: Any) -> Any:
        """Return the outputs for data, as ``Model.predict`` does.

        Args:
            x: Inputs.
            *args, **kwargs: Further arguments of ``Model.predict``.
            replicas: ``"mean"`` for the mean over the replicas; ``"all"`` for ``(replicas, samples, ...)``.
        """
        if replicas not in ("mean", "all"):
            raise ValueError(f"replicas must be 'mean' or 'all'; got {replicas!r}.")
        outputs = []
        for number in range(len(self)):
            with self.replica(number) as model:
                outputs.append(model.predict(x, *args, **kwargs))
        join = np.stack if replicas == "all" else lambda each: np.mean(each, axis=0, dtype=each[0].dtype)
        return jax.tree.map(lambda *each: join(each), *outputs)

    # ---- one of them

    @contextlib.contextmanager
    def replica(self, number: int) -> Iterator[Model]:
        """Inside a ``with`` block, the model holds the weights of one replica: to save it, to predict, to change them.

        >>> import cornu
        >>> model = cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(1)])
        >>> replicas = Replicas(model, 2, seed=1)
        >>> with replicas.replica(1) as second:
        ...     [weight.shape for weight in second.get_weights()]
        [(2, 1), (1,)]
        """
        if not -len(self) <= number < len(self):
            raise IndexError(f"There are {len(self)} replicas, numbered from 0; got {number}.")
        number %= len(self)
        if not self.model.built:
            raise RuntimeError("The model has no weights yet: give it an Input, or fit it first.")
        with self._replication.as_one(number, self._variables()):
            yield self.model

    def _variables(self) -> list[Variable]:
        self.model._programs.get("predict")  # forgets what the programs no longer fit
        learner = self.model.learner
        slots = [] if learner.optimizer is None else learner.optimizer.all_variables
        return list({id(one): one for one in (*learner.variables, *slots)}.values())

    def best(self, monitor: str | None = None, mode: str = "auto") -> int:
        """Return the number of the replica whose last value of `monitor` is best.

        Args:
            monitor: Name of a value in the history; None is ``val_loss``, or ``loss`` without validation.
            mode: ``"min"``, ``"max"`` or ``"auto"``: by the name.
        """
        histories = [] if self.model.history is None else self.model.history.replicas
        if not histories:
            raise RuntimeError("There is no best replica before fit.")
        name = monitor or ("val_loss" if "val_loss" in histories[0] else "loss")
        if name not in histories[0]:
            raise ValueError(
                f"{name!r} is not in the history: it has {', '.join(histories[0])}.{did_you_mean(name, histories[0])}"
            )
        lasts = [history[name][-1] for history in histories]
        pick = np.nanargmax if comparison(name, mode, "best") is np.greater else np.nanargmin
        return int(pick(lasts))

    def save(self, filepath: Any, replica: int | str = "first", **options: Any) -> None:
        """Save one replica as a model, as ``Model.save`` does, or all.

        Args:
            filepath: The file.
            replica: Its number, ``"first"``, ``"best"`` (see `best`), or ``"all"``: a file for each, the first as
                ``model.keras``, the second as ``model.replica-1.keras``, and so on.
            **options: Further arguments of ``Model.save``.
        """
        named: dict[Any, list[int]] = {"first": [0], "all": [*range(len(self))]}
        if isinstance(replica, str) and replica not in (*named, "best"):
            raise ValueError(f"replica must be a number, 'first', 'best' or 'all'; got {replica!r}.")
        numbers = [self.best()] if replica == "best" else named.get(replica) or [int(replica)]
        for number in numbers:
            with self.replica(number) as model:
                model.save(replica_path(filepath, number) if replica == "all" else filepath, **options)

    def get_weights(self) -> list[list[np.ndarray]]:
        """Return the weights of each replica."""
        found = []
        for number in range(len(self)):
            with self.replica(number) as model:
                found.append(model.get_weights())
        return found

    def values_of(self, result: Any) -> list[Any]:
        """Return what `evaluate` found for each replica, of what it returned."""
        return [jax.tree.map(lambda one, at=at: value_in(one, at), result) for at in range(len(self))]


__all__ = [
    "Replicas",
]
