"""``tf.GradientTape``: gradients of what a ``with`` block computed, found by running the block's lines again.

JAX differentiates functions, so the block becomes one: its lines are read from the source and run again with the
names, variables and random numbers as they were at its beginning, while JAX traces what depends on the sources.
"""

import contextlib
import functools
import io
import random
import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FrameType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow.with_blocks import MOVE, Block, block_at
from cornu.core.layer import Layer
from cornu.core.variable import Variable, bound, noting_changes, read

_MISSING = object()


class GradientTape:
    """Stand-in for ``tf.GradientTape``: ``gradient(target, sources)`` after, or at the end of, its ``with`` block.

    The lines of the block run again for each call of `gradient`, so they should only compute:
    assigning to names, variables and metrics is undone, printing is silent. The block must assign
    `target` to a name. Sources are variables, or arrays that have a name (``watch`` is not needed and does nothing).
    Raises ValueError if the source of the block cannot be read, or a target or source is not found.
    Follows https://www.tensorflow.org/api_docs/python/tf/GradientTape

    >>> w = Variable(3.0)
    >>> with GradientTape() as tape:
    ...     z = w * w + 2 * w
    >>> print(tape.gradient(z, w))
    8.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._block: Any = None  # a Block, from __enter__ on
        self._after: dict[str, Any] | None = None

    def __enter__(self) -> "GradientTape":
        frame = sys._getframe(1)
        self._code, self._after = frame.f_code, None
        self._block = block_at(frame.f_code, frame.f_lineno)
        self._given = _names(frame, self._block.names)
        self._before = {name: _copied(value) for name, value in self._given.items()}
        self._random = np.random.get_state(), random.getstate()
        self._noting = noting_changes()
        self._changes = self._noting.__enter__()
        return self

    def __exit__(self, *problem: Any) -> None:
        self._noting.__exit__(*problem)
        self._after = _names(sys._getframe(1), self._block.names)

    def watch(self, tensor: Any) -> None:
        """Do nothing: gradients with respect to any variable or named array are available."""

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: Any = None
    ) -> Any:
        """Return the gradients of `target` (entries are summed) in the structure of `sources`.

        For a source that the target does not depend on: zeros for a variable, None for an array. None for integers.
        `output_gradients` weights the target's entries.
        """
        block, after = self._finished(sys._getframe(1))
        wanted = [_place_of(one, after, block.assigned) for one in _flat(target)]
        weights = [1.0] * len(wanted) if output_gradients is None else _flat(output_gradients)
        flat = [one for one in _flat(sources) if jnp.issubdtype(one.dtype, jnp.inexact)]
        variables = [one for one in flat if isinstance(one, Variable)]
        arrays = [one for one in flat if not isinstance(one, Variable)]
        names = [self._names_of(one, block, after) for one in arrays]
        code = block.compiled(tuple(name for several in names for name in several))

        def value(values: list, moves: list) -> Any:
            by_name = {name: move for several, move in zip(names, moves, strict=True) for name in several}
            found = self._replayed(code, variables, values, by_name)
            pairs = zip(wanted, weights, strict=True)
            return sum(jnp.sum(_value_at(found, place) * _plain(weight)) for place, weight in pairs)

        moves = [jnp.zeros_like(array) for array in arrays]
        gradients = _differentiated(value, list(read(variables)), moves)
        given = {id(one): gradient for one, gradient in zip([*variables, *arrays], gradients, strict=True)}
        if arrays:
            connected = _connected(functools.partial(value, list(read(variables))), moves)
            for array, several, is_connected in zip(arrays, names, connected, strict=True):
                if not is_connected:
                    _refuse_inner(several[0], block)
                    given[id(array)] = None
        return jax.tree.map(lambda one: given.get(id(one)), sources, is_leaf=lambda one: isinstance(one, Variable))

    def _names_of(self, source: Any, block: Block, after: dict[str, Any]) -> list[str]:
        """Return the names under which the block has an array: those from before it, else the one it assigns."""
        given = [name for name, value in self._given.items() if value is source and name not in block.assigned]
        made = [name for name in block.assigned if after.get(name, _MISSING) is source]
        if not given and made and not block.computes(made[0]):
            _refuse_inner(made[0], block)
        if not given and not made:
            raise ValueError(
                "GradientTape.gradient got a source array that has no name in its `with` block.\n"
                "Assign the array to a name before or inside the block, and use that name in the block."
            )
        return given or made[:1]

    def _finished(self, caller: FrameType) -> tuple[Block, dict[str, Any]]:
        """Return the lines that ran, and the values of the names after them."""
        if self._block is None:
            raise ValueError("GradientTape.gradient needs a block: with tf.GradientTape() as tape: loss = ...")
        if self._after is not None:
            return self._block, self._after
        while caller.f_code is not self._code and caller.f_back is not None:
            caller = caller.f_back
        return self._block.until(caller.f_lineno), _names(caller, self._block.names)

    def _replayed(self, code: CodeType, variables: list, values: list, moves: dict[str, Any]) -> dict[str, Any]:
        """Run the block with `values` in place of `variables` and `moves` added to arrays; returns the names."""
        names = {name: _copied(value) for name, value in self._before.items()}
        names |= dict.fromkeys(self._block.tapes, self)
        names[MOVE] = lambda name, value: _plain(value) + moves[name]
        changed = [variable for variable, _ in self._changes.values()]
        at_beginning = [value for _, value in self._changes.values()]
        quiet = contextlib.redirect_stdout(io.StringIO())
        undone = self._randomness(), self._penalties()
        with quiet, undone[0], undone[1], bound(changed, at_beginning), bound(variables, values):
            exec(code, names)
        return names

    @contextlib.contextmanager
    def _penalties(self) -> Iterator[None]:
        """Restore the losses that layers added when the block ran."""
        models = [value for value in self._before.values() if isinstance(value, Layer)]
        kept = [(layer, layer._losses) for model in models for layer in model._flatten_layers()]
        for layer, losses in kept:
            layer._losses = list(losses)
        try:
            yield
        finally:
            for layer, losses in kept:
                layer._losses = losses

    @contextlib.contextmanager
    def _randomness(self) -> Iterator[None]:
        """Let numpy and Python draw the same random numbers as the block did."""
        now = np.random.get_state(), random.getstate()
        np.random.set_state(self._random[0])
        random.setstate(self._random[1])
        try:
            yield
        finally:
            np.random.set_state(now[0])
            random.setstate(now[1])


def _differentiated(value: Any, values: list, moves: list) -> list:
    try:
        by_variable, by_move = jax.grad(value, argnums=(0, 1))(values, moves)
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError) as error:
        raise ValueError(
            "GradientTape runs the lines of its block a second time to differentiate them, and one of them needs a "
            "plain number: float(), int(), .numpy(), numpy functions, or `if` on a computed value.\n"
            "Move that line out of the `with` block, or use the functions of tf or keras.ops."
        ) from error
    return [*by_variable, *by_move]


def _flat(structure: Any) -> list:
    return jax.tree.leaves(structure, is_leaf=lambda one: isinstance(one, Variable))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Variable) else value


def _names(frame: FrameType, wanted: frozenset[str]) -> dict[str, Any]:
    """Return the values of names in a frame. Tapes are left out: each would keep the previous step's alive."""
    found = {name: scope[name] for scope in (frame.f_globals, frame.f_locals) for name in wanted if name in scope}
    return {name: value for name, value in found.items() if not isinstance(value, GradientTape)}


def _copied(value: Any) -> Any:
    """Return a copy of a collection, because the block may add to it; anything else as it is."""
    return value.copy() if type(value) in (list, dict, set) else value


def _place_of(target: Any, after: dict[str, Any], assigned: Iterable[str]) -> tuple[str, int]:
    """Return the name that holds `target` after the block, and which leaf of its value it is."""
    for name in assigned:
        value = after.get(name, _MISSING)
        if value is target:
            return name, 0
        if isinstance(value, (list, tuple, dict)):
            for number, leaf in enumerate(_flat(value)):
                if leaf is target:
                    return name, number
    raise ValueError(
        "GradientTape.gradient got a target that its `with` block does not assign to a "
        f"name (it assigns {', '.join(sorted(assigned)) or 'nothing'}).\n"
        "Compute the whole loss inside the block and assign it to a name: loss = ..."
    )


def _value_at(names: dict[str, Any], place: tuple[str, int]) -> Any:
    name, number = place
    return jnp.asarray(_plain(_flat(names[name])[number]))


def _connected(value: Any, moves: list) -> list[bool]:
    """Return for each of the `moves` whether `value` depends on it."""
    jaxpr = jax.make_jaxpr(value)(moves).jaxpr
    needed = {id(variable) for variable in jaxpr.outvars}
    for equation in reversed(jaxpr.eqns):
        if any(id(variable) in needed for variable in equation.outvars):
            needed.update(map(id, equation.invars))
    return [id(variable) in needed for variable in jaxpr.invars]


def _refuse_inner(name: str, block: Block) -> None:
    """Raise ValueError for an array that the block got together with others, as in ``features, scores = model(x)``."""
    if name in block.assigned:
        raise ValueError(
            f"GradientTape.gradient got the source {name!r}, which the `with` block computes "
            "alongside the target, not on the way to it.\n"
            f"Compute it separately, and the target from it: {name} = first_part(x), then second_part({name})."
        )
