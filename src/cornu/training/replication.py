"""Several trainings at once: the same steps on stacked state, each replica with random numbers of its own.

The state of a program has one more axis in front, of the replicas; a program over it is the program for one, made to
run over that axis. A variable holds its value in one of them, so that whoever reads it sees a whole model.
"""

import contextlib
import functools
import inspect
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

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


class Group(NamedTuple):
    """Replicas that one operation computes: their numbers, from `start` to before `stop`.

    The arrays of several have one more axis in front; a replica that is alone has the program of a single model.
    """

    start: int
    stop: int

    @property
    def alone(self) -> bool:
        """Whether it is one replica, whose arrays have no axis of replicas."""
        return self.stop - self.start == 1


class Copies:
    """The values of a variable in all replicas, an array for each group; `shown` is the one that the variable holds."""

    def __init__(self, owner: "Replication", parts: list[jax.Array], shown: jax.Array) -> None:
        self.owner, self.parts, self.shown = owner, parts, shown


class Replication:
    """How many replicas a model has, where each of them gets its random numbers, and its state.

    Args:
        seeds: The seed of each. None is for the first alone: it keeps the values that its variables have, and draws
            from numpy's global generator.
        numbers: What differs between them, by name, with a value for each (`training.varied`).
        together: Whether one operation computes all replicas; else one replica follows the other. None lets the model
            decide.
    """

    def __init__(
        self,
        seeds: Sequence[int | None],
        numbers: dict[str, Sequence[Any]] | None = None,
        together: bool | None = None,
    ) -> None:
        self.seeds, self.numbers, self._together = list(seeds), numbers or {}, together
        self._generators: list[Any] = [None if seed is None else state_of(seed) for seed in seeds]
        self.active = np.ones(len(self.seeds), bool)  # those that are trained; the others keep their state
        self.shown = 0  # the replica whose values the variables hold
        self.groups: list[Group] = []

    @property
    def count(self) -> int:
        """The number of replicas."""
        return len(self.seeds)

    def prepare(self, model: Any) -> None:
        """Decide which replicas are computed together, at the first step of a model."""
        if not self.groups:
            together = fits_together(model) if self._together is None else self._together
            size = self.count if together else 1
            self.groups = [Group(start, start + size) for start in range(0, self.count, size)]

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

    def orders(self, batches: Any) -> tuple[jax.Array, ...] | None:
        """Return the row indices of a new epoch for each group, with an axis of replicas; None for rows in order."""
        orders = []
        for replica in range(self.count):
            with self.drawing(replica):
                orders.append(batches.order())
        return None if orders[0] is None else tuple(self._parts(orders))

    def _parts(self, values: Sequence[Any]) -> list[jax.Array]:
        """Return the arrays of all groups, of an array for each replica; nobody else holds them."""
        parts = [values[one.start] if one.alone else np.stack(values[one.start : one.stop]) for one in self.groups]
        return [to_device(part, copy=True) for part in parts]

    def _drawn(self, variables: Sequence[Variable]) -> dict[int, list]:
        """Return the first values in all replicas, by id, of variables that still have the value that was drawn.

        As many numbers are drawn as when the model was made, also for variables that have been assigned to since.
        """
        origins = {id(one): one._origin for one in variables if one._origin is not None}
        made = sorted((one for one in variables if id(one) in origins), key=lambda one: origins[id(one)].number)
        found: dict[int, list] = {id(one): [] for one in made if origins[id(one)].first() is one._held}
        for replica, seed in enumerate(self.seeds):
            with self.drawing(replica):
                for variable in made:
                    value = variable._held if seed is None else origins[id(variable)].draw()
                    if id(variable) in found:
                        found[id(variable)].append(np.asarray(value).astype(variable._held.dtype))
        return found

    # ---- the state

    def settle(self, variables: Sequence[Variable]) -> None:
        """Give each variable its values in all replicas, where it has none, or has been assigned to: then all the same."""
        unknown = [one for one in variables if one._copies is None or one._copies.owner is not self]
        with exchange:
            drawn = self._drawn(unknown) if unknown else {}
            changed = [one for one in variables if one._copies is not None and one._copies.shown is not one._held]
            for variable in {id(one): one for one in (*unknown, *changed)}.values():
                if id(variable) in drawn:
                    self.assign(variable, drawn[id(variable)])
                else:
                    self.assign(variable, [np.asarray(variable._held)] * self.count)

    def assign(self, variable: Variable, values: Sequence[Any]) -> None:
        """Give a variable another value in each replica."""
        variable._copies = Copies(self, self._parts(values), variable._held)
        self._show([variable])

    def take(self, groups: Sequence[Sequence[Variable]]) -> list[TrainState]:
        """Return the states of the groups of replicas for a step, which may take them over."""
        self.settle([variable for group in groups for variable in group])
        return [
            TrainState(*(tuple(variable._copies.parts[at] for variable in group) for group in groups))
            for at in range(len(self.groups))
        ]

    def keep(self, groups: Sequence[Sequence[Variable]], states: Sequence[TrainState]) -> None:
        """Keep the states after a step."""
        variables = [variable for group in groups for variable in group]
        values = [[value for group in state for value in group] for state in states]
        for variable, *parts in zip(variables, *values, strict=True):
            variable._copies.parts = parts
        self._show(variables)

    def _show(self, variables: Sequence[Variable]) -> None:
        """Let variables hold their values in the replica that is shown."""
        at = next(at for at, group in enumerate(self.groups) if group.start <= self.shown < group.stop)
        values = [variable._copies.parts[at] for variable in variables]
        if not self.groups[at].alone:
            values = _taking()(values, np.int32(self.shown - self.groups[at].start))
        for variable, value in zip(variables, values, strict=True):
            variable._held = variable._copies.shown = value

    @contextlib.contextmanager
    def as_one(self, replica: int, variables: Sequence[Variable]) -> Iterator[None]:
        """Inside a ``with`` block the variables hold the values of a replica; what is assigned to them changes it alone."""
        self.settle(variables)
        outer, self.shown = self.shown, replica
        if replica != outer:
            self._show(variables)
        try:
            yield
        finally:
            at = next(at for at, group in enumerate(self.groups) if group.start <= replica < group.stop)
            group = self.groups[at]
            for variable in variables:
                copies = variable._copies
                if variable._held is not copies.shown:
                    value = variable._held if group.alone else _with(copies.parts[at], variable._held, replica - group.start)
                    copies.parts[at] = value
                    copies.shown = variable._held
            self.shown = outer
            if replica != outer:
                self._show(variables)

    # ---- programs

    def over(self, run: Callable, compile: Callable) -> Callable:
        """Return a program for one training as one for all replicas.

        Args:
            run: A program that takes the state and returns it first. Its arguments are the same for all replicas, but
                for the state, and for ``order``, which is one for each group.
            compile: What compiles it.

        Returns:
            A function that takes and returns a state for each group, and a list of each of the other results. With an
            argument ``active``, it trains those replicas alone.
        """
        names = tuple(inspect.signature(run).parameters)
        alone, several = compile(run), compile(_of_several(run))

        def every(states: Sequence[TrainState], *args: Any, active: Any = None, **static: Any) -> tuple:
            given = dict(zip(names[1:], args, strict=False))
            order, found = given.get("order"), []
            for at, (group, state) in enumerate(zip(self.groups, states, strict=True)):
                trained = None if active is None else active[group.start : group.stop]
                if trained is not None and not trained.any():
                    found.append((state,))
                    continue
                if order is not None:
                    given["order"] = order[at]
                if group.alone:
                    found.append(alone(state, *given.values(), **static))
                else:
                    found.append(several(state, *given.values(), active=trained, **static))
            after, *rest = itertools.zip_longest(*found)
            return list(after), *rest

        return every


def _of_several(run: Callable) -> Callable:
    """Return a program whose state has an axis of replicas in front, and ``order`` if it has one more axis.

    Its last argument ``active`` says which of them are trained: the others keep their state.
    """
    signature = inspect.signature(run)
    names = tuple(signature.parameters)

    def several(*args: Any, active: Any = None, **static: Any) -> tuple:
        given = dict(zip(names, args, strict=False))
        own = {"state": given.pop("state")}
        if np.ndim(given.get("order")) > 1:
            own["order"] = given.pop("order")
        state, *rest = jax.vmap(lambda own: run(**given, **own, **static))(own)
        return (state if active is None else _selected(active, state, own["state"]), *rest)

    extra = inspect.Parameter("active", inspect.Parameter.KEYWORD_ONLY, default=None)
    several.__signature__ = signature.replace(parameters=[*signature.parameters.values(), extra])  # type: ignore[attr-defined]
    return several


def _selected(active: jax.Array, after: TrainState, before: TrainState) -> TrainState:
    """Return the state of replicas that are trained, and that before of the others."""

    def select(new: jax.Array, old: jax.Array) -> jax.Array:
        return jnp.where(active.reshape(-1, *[1] * (new.ndim - 1)), new, old)

    return jax.tree.map(select, after, before)


@functools.cache
def _taking() -> Callable:
    def take(values: Sequence[jax.Array], replica: Any) -> list[jax.Array]:
        return [lax.dynamic_index_in_dim(value, replica, keepdims=False) for value in values]

    return compiled()(take)


@functools.cache
def _putting() -> Callable:
    def put(values: jax.Array, value: jax.Array, replica: Any) -> jax.Array:
        return lax.dynamic_update_index_in_dim(values, value, replica, 0)

    return compiled(donates="values")(put)


def _with(values: jax.Array, value: jax.Array, replica: int) -> jax.Array:
    """Return the values of replicas, with that of one replaced."""
    return _putting()(values, value, np.int32(replica))
