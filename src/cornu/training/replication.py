"""Several trainings at once: the same steps on stacked state, each replica with random numbers of its own.

A variable holds its value in one of the replicas, so that whoever reads it sees a whole model; its values in all of
them are beside it (`Copies`), in an array for each group of replicas that one operation computes.
"""

import concurrent.futures
import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax import lax

from cornu.core.distribution import Distribution
from cornu.core.donation import exchange
from cornu.core.placement import compiled, to_device
from cornu.core.processor import threads
from cornu.core.seeds import (
    drawing_from,
    program_seed,
    seeds_drawn,
    seeds_drawn_before,
    skip_seeds,
    state_of,
    uncounted,
)
from cornu.core.variable import Origin, Variable
from cornu.training.replica_files import replica_path
from cornu.training.replica_programs import Group, GroupProgram, groups_of
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


def as_program_says(count: int) -> "Replication":
    """Return the replication of a model whose program knows nothing of it: the first replica is the program's own."""
    begin = None if program_seed() is None else seeds_drawn_before()
    return Replication(seeds_of(count, None), begin=begin)


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
        together: Whether one operation computes several replicas; else each has its own. None lets the model decide.
        begin: How many seeds had been drawn (`core.seeds`) where the model began to be made, from its seed on. None:
            before its first variable.
    """

    def __init__(
        self,
        seeds: Sequence[int | None],
        numbers: dict[str, Sequence[Any]] | None = None,
        together: bool | None = None,
        begin: int | None = None,
    ) -> None:
        self.seeds, self.numbers, self._together = list(seeds), numbers or {}, together
        self._generators: list[Any] = [None if seed is None else state_of(seed) for seed in seeds]
        #: How many seeds had been drawn where the generator of a replica is now; None: where the model's first one was.
        self._positions: list[int | None] = [begin] * len(seeds)
        self.follows_program = begin is not None and seeds[0] is None  # also in what it draws beside this model
        self.active = np.ones(len(self.seeds), bool)  # those that are trained; the others keep their state
        self.shown = 0  # the replica whose values the variables hold
        self.single = False  # whether it is the only one that is asked for, inside `as_one`
        self.groups: list[Group] = []
        self.saved: set[str] = set()  # files that hold one replica
        self.optimizer: Any = None  # the one whose numbers differ by replica

    @property
    def count(self) -> int:
        """The number of replicas."""
        return len(self.seeds)

    def prepare(self, model: Any, distribution: Distribution | None) -> None:
        """Decide how replicas are computed, and where, at the first step of a model."""
        if not self.groups:
            devices = () if distribution is None else distribution.device_mesh.backend_mesh.devices.flat
            numbers = sum(variable.size for variable in model.variables)
            self.groups = groups_of(self.count, numbers, list(devices), self._together)

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
        orders, now = [], seeds_drawn()
        for replica in range(self.count):
            with self.drawing(replica), uncounted():
                if self.follows_program:
                    self._skip_to(replica, now)
                orders.append(batches.order())
        return None if orders[0] is None else tuple(self._parts(orders))

    def _parts(self, values: Sequence[Any]) -> list[jax.Array]:
        """Return the arrays of all groups, of an array for each replica; nobody else holds them."""
        parts = [values[one.start] if one.alone else np.stack(values[one.start : one.stop]) for one in self.groups]
        return [group.place(to_device(part, copy=True)) for group, part in zip(self.groups, parts, strict=True)]

    def _drawn(self, variables: Sequence[Variable]) -> dict[int, list]:
        """Return the first values in all replicas, by id, of variables that still have the value that was drawn.

        As many numbers are drawn as when the model was made: also for variables that have been assigned to since, and
        for what was drawn between them and not kept, such as seeds of layers that others were copied from.
        """
        origins = {id(one): one._origin for one in variables if one._origin is not None}
        made = sorted((one for one in variables if id(one) in origins), key=lambda one: origins[id(one)].number)
        found: dict[int, list] = {id(one): [] for one in made if origins[id(one)].first() is one._held}
        for replica, seed in enumerate(self.seeds):
            with self.drawing(replica), uncounted():
                for variable in made:
                    if seed is None:
                        value = variable._held
                    else:
                        value = self._drawn_again(replica, origins[id(variable)])
                    if id(variable) in found:
                        found[id(variable)].append(np.asarray(value).astype(variable._held.dtype))
        return found

    def _drawn_again(self, replica: int, origin: Origin) -> Any:
        if origin.stop > origin.start:
            self._skip_to(replica, origin.start)
            self._note_position(replica, origin.stop)
        return origin.draw()

    def _skip_to(self, replica: int, drawn: int) -> None:
        """Draw what the program drew until then, and what no variable has."""
        position = self._positions[replica]
        if self._generators[replica] is not None and position is not None:
            skip_seeds(drawn - position)
            self._note_position(replica, drawn)

    def _note_position(self, replica: int, drawn: int) -> None:
        position = self._positions[replica]
        self._positions[replica] = drawn if position is None else max(drawn, position)

    # ---- the state

    def settle(self, variables: Sequence[Variable]) -> None:
        """Give variables their values in all replicas: first values are drawn, assigned ones are the same for all."""
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
        at = self._place_of(self.shown)
        values = [variable._copies.parts[at] for variable in variables]
        if not self.groups[at].alone:
            values = _taking()(values, np.int32(self.shown - self.groups[at].start))
        for variable, value in zip(variables, values, strict=True):
            variable._held = variable._copies.shown = value

    def _place_of(self, replica: int) -> int:
        """Return which group a replica is in."""
        return next(at for at, group in enumerate(self.groups) if group.start <= replica < group.stop)

    @contextlib.contextmanager
    def as_one(self, replica: int, variables: Sequence[Variable]) -> Iterator[None]:
        """Inside a ``with`` block the variables hold the values of a replica; assigning to them changes it alone."""
        self.settle(variables)
        outer, self.shown, was_single, self.single = self.shown, replica, self.single, True
        if replica != outer:
            self._show(variables)
        try:
            yield
        finally:
            at = self._place_of(replica)
            group = self.groups[at]
            for variable in variables:
                copies = variable._copies
                if variable._held is not copies.shown:
                    value = group.place(variable._held)
                    copies.parts[at] = value if group.alone else _with(copies.parts[at], value, replica - group.start)
                    copies.shown = variable._held
            self.shown, self.single = outer, was_single
            if replica != outer:
                self._show(variables)

    # ---- files

    def note_saved(self, path: Any) -> None:
        """Note that a file holds the replica that is shown: of it alone, if that is the only one that is asked for."""
        if isinstance(path, (str, os.PathLike)):
            (self.saved.add if self.single else self.saved.discard)(os.path.abspath(path))

    def files_of(self, path: Any) -> dict[int, str]:
        """Return the files of all replicas that callbacks have saved, the first as `path`; nothing without them."""
        if not isinstance(path, (str, os.PathLike)):
            return {}
        found = {replica: replica_path(path, replica) for replica in range(self.count)}
        return found if all(os.path.abspath(one) in self.saved for one in found.values()) else {}

    # ---- programs

    def over(self, run: Callable, compile: Callable) -> Callable:
        """Return a program for one training as one for all replicas; see `GroupProgram`."""
        return GroupProgram(self.groups, run, compile, self._pool)

    @functools.cached_property
    def _pool(self) -> concurrent.futures.Executor:
        return concurrent.futures.ThreadPoolExecutor(self._at_once, "replicas")

    @property
    def _at_once(self) -> int:
        devices = {group.device for group in self.groups}
        return max(len(devices), threads() if jax.default_backend() == "cpu" else 1)

    @property
    def rounds(self) -> int:
        """How many times as long all replicas take as those that run at the same time."""
        return -(-len(self.groups) // self._at_once)


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
