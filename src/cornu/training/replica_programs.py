"""The programs of several replicas of a model, made of the program for one.

On a CPU each replica runs the program of a single model, several at a time in threads: small models leave most of a
core's time unused, and large ones stay in its cache. Elsewhere one operation computes all replicas of a device
(``jax.vmap``).
"""

import concurrent.futures
import functools
import inspect
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import SingleDeviceSharding

from cornu.core.placement import laid_out
from cornu.core.processor import threads
from cornu.core.scope import changed
from cornu.training.state import TrainState

#: Models with less numbers are computed together on a CPU too: there an operation takes longer to begin than to end.
SMALL = 4096


class Group(NamedTuple):
    """Replicas that one operation computes: their numbers, from `start` to before `stop`.

    The arrays of several have one more axis in front; a replica that is alone has the program of a single model.
    `device` is where they are; None is the default.
    """

    start: int
    stop: int
    device: Any = None

    @property
    def alone(self) -> bool:
        """Whether it is one replica, whose arrays have no axis of replicas."""
        return self.size == 1

    @property
    def size(self) -> int:
        """How many they are."""
        return self.stop - self.start

    def place(self, arrays: Any) -> Any:
        """Return arrays on the device of this group."""
        if self.device is None:
            return arrays
        return jax.tree.map(functools.partial(laid_out, sharding=SingleDeviceSharding(self.device)), arrays)


def groups_of(count: int, numbers: int, devices: Sequence[Any] = (), together: bool | None = None) -> list[Group]:
    """Return the groups of `count` replicas of a model.

    Args:
        count: How many replicas.
        numbers: How many numbers the model has.
        devices: The devices to spread them over; the default one if there are none.
        together: Whether one operation computes all replicas of a device; None decides it.

    >>> [(group.start, group.stop) for group in groups_of(3, 1_000_000, together=False)]
    [(0, 1), (1, 2), (2, 3)]
    """
    parts = max(1, len(devices))
    if jax.default_backend() == "cpu":
        parts = max(parts, threads())
        together = numbers < SMALL if together is None else together
    size = 1 if together is False else -(-count // parts)
    starts = range(0, count, size)
    return [
        Group(start, min(start + size, count), devices[at % len(devices)] if len(devices) > 1 else None)
        for at, start in enumerate(starts)
    ]


class GroupProgram:
    """A program for groups of replicas, as a function of their states.

    Args:
        groups: The groups.
        run: The program for one training: it takes the state and returns it first. Its other arguments are the same for
            all replicas, but for ``order``, which is one for each group.
        compile: What compiles it.
        pool: Runs programs at the same time.
    """

    def __init__(
        self, groups: Sequence[Group], run: Callable, compile: Callable, pool: concurrent.futures.Executor
    ) -> None:
        self.groups, self.pool = groups, pool
        self.names = tuple(inspect.signature(run).parameters)[1:]
        self.alone, self.several = compile(run), compile(of_several(run))
        self._compiled: dict[Any, Any] = {}
        self._placed: dict[int, list] = {}  # group -> the arrays that it got last, each with its copy on the device

    def __call__(self, states: Sequence[TrainState], *args: Any, active: Any = None, **static: Any) -> tuple:
        """Return the states after the program, and its other results: a list for each, with an item for each group.

        Args:
            states: The state of each group.
            args: The other arguments of the program.
            active: Which replicas to train; the others keep their state. None: all.
            static: What the program is compiled for.
        """
        calls: list[Any] = []
        for at, (group, state) in enumerate(zip(self.groups, states, strict=True)):
            trained = None if active is None else active[group.start : group.stop]
            if trained is not None and not trained.any():
                calls.append(lambda state=state: (state,))
                continue
            given = self._given(at, dict(zip(self.names, args, strict=False)))
            options = {} if group.alone or trained is None else {"active": trained}
            calls.append(self._call(group, (state, *given), options, static))
        if len(calls) == 1:
            found = [calls[0]()]
        else:  # those that this thread runs are ready when it looks at the results
            found = [*self.pool.map(lambda call: jax.block_until_ready(call()), calls)]
        after, *rest = itertools.zip_longest(*found)
        return list(after), *(rest or [(None,) * len(found)] * 2)  # no logs and results, if none is trained

    def _given(self, at: int, given: dict[str, Any]) -> Sequence[Any]:
        """Return the arguments for a group, on its device."""
        if given.get("order") is not None:
            given["order"] = given["order"][at]
        values, group = list(given.values()), self.groups[at]
        if group.device is None:
            return values
        leaves, tree = jax.tree.flatten(values)
        known = self._placed.get(at, [])
        placed = [
            (leaf, pair[1] if pair is not None and pair[0] is leaf else group.place(leaf))
            for leaf, pair in zip(leaves, [*known, *[None] * (len(leaves) - len(known))], strict=False)
        ]
        self._placed[at] = placed
        return jax.tree.unflatten(tree, [there for _, there in placed])

    def _call(self, group: Group, args: tuple, options: dict[str, Any], static: dict[str, Any]) -> Callable[[], tuple]:
        """Return the call of a compiled program: compiled here, since a thread of the pool could not trace it."""
        program = self.alone if group.alone else self.several
        if len(self.groups) == 1:
            return lambda: program(*args, **options, **static)
        leaves, tree = jax.tree.flatten((args[1:], options))
        shapes = tuple((np.shape(leaf), getattr(leaf, "dtype", type(leaf))) for leaf in leaves)
        key = group.size, group.device, tree, shapes, *static.items()
        if key not in self._compiled:
            self._compiled[key] = program.lower(*args, **options, **static).compile()
        compiled = self._compiled[key]
        return lambda: compiled(*args, **options)


def of_several(run: Callable) -> Callable:
    """Return a program whose state has an axis of replicas in front, and ``order`` if it is given.

    Its last argument ``active`` says which of them are trained: the others keep their state.
    """
    signature = inspect.signature(run)
    names = tuple(signature.parameters)

    def several(*args: Any, active: Any = None, **static: Any) -> tuple:
        given = dict(zip(names, args, strict=False))
        own = {name: given.pop(name) for name in ("state", "order") if given.get(name) is not None}
        with changed(several=True):
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
