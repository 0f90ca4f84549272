"""Several trainings at once: the same steps on stacked state, each replica with random numbers of its own.

The state of a program has one more axis in front, of the replicas; a program over it is the program for one, made to
run over that axis. A variable holds its value in one of them, so that whoever reads it sees a whole model.
"""

import contextlib
import functools
import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from cornu.core.donation import exchange
from cornu.core.placement import compiled, to_device
from cornu.core.seeds import drawing_from, program_seed, state_of
from cornu.core.variable import Variable
from cornu.layers.convolution import Convolving
from cornu.layers.locally_connected import LocallyConnected1D, LocallyConnected2D
from cornu.training.state import TrainState


def seeds_of(count: int, first: int | None) -> list[int | None]:
    """Return the seeds of so many replicas, one after the other.

    Args:
        count: How many.
        first: The first seed. None: the first replica has none; the others follow the seed that the program has set, or
            the state of numpy's generator.
    """
    if first is not None:
        return [first + replica for replica in range(count)]
    base = program_seed()
    if base is None:
        state: Any = np.random.get_state()
        base = int(np.random.SeedSequence([*map(int, state[1][:4]), int(state[2])]).generate_state(1)[0])
    return [None, *(base + replica for replica in range(1, count))]


def fits_together(model: Any) -> bool:
    """Return whether one operation for all replicas is faster than one replica after the other.

    A convolution whose kernels differ is one by groups, which takes twice as long on a CPU.
    """
    if jax.default_backend() != "cpu":
        return True
    slow = Convolving, LocallyConnected1D, LocallyConnected2D
    return not any(isinstance(layer, slow) for layer in model._flatten_layers())


def replica_path(path: Any, replica: int) -> str:
    """Return the name of a replica's file: that of the first is `path`.

    >>> replica_path("model.keras", 0), replica_path("best.weights.h5", 2)
    ('model.keras', 'best.replica-2.weights.h5')
    """
    folder, name = os.path.split(os.fspath(path))
    if replica == 0:
        return os.fspath(path)
    stem, suffix = os.path.splitext(name)
    if stem.endswith(".weights"):
        stem, suffix = stem.removesuffix(".weights"), f".weights{suffix}"
    return os.path.join(folder, f"{stem}.replica-{replica}{suffix}")


def replication_files(path: Any, count: int) -> dict[int, str]:
    """Return the files of all replicas beside `path`, by replica; nothing if one of them is missing."""
    if not isinstance(path, (str, os.PathLike)):
        return {}
    found = {replica: replica_path(path, replica) for replica in range(count)}
    return found if all(map(os.path.exists, found.values())) else {}


class Copies:
    """The values of a variable in all replicas, ``(replicas, ...)``; `shown` is the one that the variable holds."""

    def __init__(self, owner: "Replication", values: jax.Array, shown: jax.Array) -> None:
        self.owner, self.values, self.shown = owner, values, shown


class Replication:
    """How many replicas a model has, and where each of them gets its random numbers.

    Args:
        seeds: The seed of each. None is for the first alone: it keeps the values that its variables have, and draws
            from numpy's global generator.
        numbers: What differs between them, by name, with a value for each (`training.varied`).
        together: Whether one operation computes all replicas; else one replica follows the other inside the program.
            None lets the model decide.
    """

    def __init__(
        self,
        seeds: Sequence[int | None],
        numbers: dict[str, Sequence[Any]] | None = None,
        together: bool | None = None,
    ) -> None:
        self.seeds, self.numbers, self.together = list(seeds), numbers or {}, together
        self.shown = 0  # the replica whose values the variables hold
        self._generators: list[Any] = [None if seed is None else state_of(seed) for seed in seeds]
        self.active = np.ones(len(self.seeds), bool)  # those that are trained; the others keep their state

    @property
    def count(self) -> int:
        """The number of replicas."""
        return len(self.seeds)

    # ---- random numbers

    @contextlib.contextmanager
    def drawing(self, replica: int) -> Iterator[None]:
        """Inside a ``with`` block, numpy's global generator is that of a replica."""
        state = self._generators[replica]
        if state is None:
            yield
            return
        with drawing_from(state) as after:
            yield
        self._generators[replica] = after[0]

    def orders(self, batches: Any) -> jax.Array | None:
        """Return the row indices of a new epoch for each replica, ``(replicas, rows)``; None for rows in order."""
        orders = []
        for replica in range(self.count):
            with self.drawing(replica):
                orders.append(batches.order())
        return None if orders[0] is None else to_device(np.stack(orders))

    def _drawn(self, variables: Sequence[Variable]) -> dict[int, np.ndarray]:
        """Return the first values in all replicas, by id, of variables that still have the value that was drawn.

        As many numbers are drawn as when the model was made, also for variables that have been assigned to since.
        """
        made = sorted(
            (variable for variable in variables if variable._origin is not None),
            key=lambda variable: variable._origin.number,  # type: ignore[union-attr]
        )
        initial = {id(variable) for variable in made if variable._origin.first() is variable._held}  # type: ignore[union-attr]
        found: dict[int, list] = {key: [] for key in initial}
        for replica, seed in enumerate(self.seeds):
            with self.drawing(replica):
                for variable in made:
                    value = variable._held if seed is None else variable._origin.draw()  # type: ignore[union-attr]
                    if id(variable) in initial:
                        found[id(variable)].append(np.asarray(value).astype(variable._held.dtype))
        return {key: np.stack(values) for key, values in found.items()}

    # ---- the state

    def settle(self, variables: Sequence[Variable]) -> None:
        """Give each variable its values in all replicas, where it has none, or has been assigned to: then all the same."""
        unknown = [one for one in variables if one._copies is None or one._copies.owner is not self]
        with exchange:
            drawn = self._drawn(unknown) if unknown else {}
            changed = [one for one in variables if one._copies is not None and one._copies.shown is not one._held]
            for variable in {id(one): one for one in (*unknown, *changed)}.values():
                held, own = variable._held, drawn.get(id(variable))
                values = _repeated(held, self.count) if own is None else to_device(own, copy=True)
                variable._copies = Copies(self, values, held)
            first = [one for one in unknown if id(one) in drawn and self.seeds[0] is not None]
            self._show(first, _taken([one._copies.values for one in first], 0) if first else [])

    def take(self, groups: Sequence[Sequence[Variable]]) -> TrainState:
        """Return the state of all replicas for a step, which may take it over."""
        self.settle([variable for group in groups for variable in group])
        return TrainState(*(tuple(variable._copies.values for variable in group) for group in groups))

    def keep(self, groups: Sequence[Sequence[Variable]], state: TrainState) -> None:
        """Keep the state after a step; variables hold that of the first replica."""
        variables = [variable for group in groups for variable in group]
        values = [value for group in state for value in group]
        for variable, value in zip(variables, values, strict=True):
            variable._copies.values = value
        self._show(variables, _taken(values, self.shown))

    def assign(self, variable: Variable, values: np.ndarray) -> None:
        """Give a variable another value in each replica."""
        variable._copies = Copies(self, to_device(values, copy=True), variable._held)

    def _show(self, variables: Sequence[Variable], values: Sequence[jax.Array]) -> None:
        for variable, value in zip(variables, values, strict=True):
            variable._held = variable._copies.shown = value

    @contextlib.contextmanager
    def as_one(self, replica: int, variables: Sequence[Variable]) -> Iterator[None]:
        """Inside a ``with`` block the variables hold the values of a replica; what is assigned to them changes it alone."""
        self.settle(variables)
        outer, self.shown = self.shown, replica
        if replica != outer:
            self._show(variables, _taken([variable._copies.values for variable in variables], replica))
        try:
            yield
        finally:
            for variable in variables:
                if variable._held is not variable._copies.shown:
                    variable._copies.values = _with(variable._copies.values, variable._held, replica)
                    variable._copies.shown = variable._held
            self.shown = outer
            if replica != outer:
                self._show(variables, _taken([variable._copies.values for variable in variables], outer))

    # ---- programs

    def stops(self, start: int, stop: int) -> Any:
        """Return up to which step each replica runs: those that are not active run none."""
        if self.active.all():
            return np.int32(stop)
        return np.where(self.active, stop, start).astype(np.int32)

    @property
    def mask(self) -> np.ndarray | None:
        """Which replicas run, for programs of one step; None for all of them."""
        return None if self.active.all() else self.active.copy()

    def over(self, run: Callable, *each: str) -> Callable:
        """Return a program for one training as one for all replicas.

        Args:
            run: The program; its result has one more axis in front.
            each: Names of arguments that may have one: the state has, others where they have one for each replica.
        """
        names = tuple(inspect.signature(run).parameters)

        @functools.wraps(run)
        def every(*args: Any, **static: Any) -> Any:
            given = dict(zip(names, args, strict=False))
            own = {name: given.pop(name) for name in each if self._is_own(name, given.get(name))}

            def one(own: dict) -> Any:
                return run(**given, **own, **static)

            return jax.vmap(one)(own) if self.together else lax.map(one, own)

        return every

    @staticmethod
    def _is_own(name: str, value: Any) -> bool:
        single = {"order": 1, "stop": 0, "active": 0}
        return name == "state" or (value is not None and np.ndim(value) > single[name])


@functools.cache
def _taking() -> Callable:
    def take(values: Sequence[jax.Array], replica: Any) -> list[jax.Array]:
        return [lax.dynamic_index_in_dim(value, replica, keepdims=False) for value in values]

    return compiled()(take)


def _taken(values: Sequence[jax.Array], replica: int) -> list[jax.Array]:
    """Return the values of one replica."""
    return _taking()(list(values), np.int32(replica))


@functools.cache
def _putting() -> Callable:
    def put(values: jax.Array, value: jax.Array, replica: Any) -> jax.Array:
        return lax.dynamic_update_index_in_dim(values, value, replica, 0)

    return compiled(donates="values")(put)


def _with(values: jax.Array, value: jax.Array, replica: int) -> jax.Array:
    """Return the values with that of one replica replaced."""
    return _putting()(values, value, np.int32(replica))


@functools.cache
def _repeating() -> Callable:
    return compiled(static="count")(lambda value, count: jnp.broadcast_to(value, (count, *value.shape)))


def _repeated(value: jax.Array, count: int) -> jax.Array:
    return _repeating()(value, count=count)
