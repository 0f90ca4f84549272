"""What rewritten control flow calls: Python decides where values are known, else the compiled program.

The functions get the values of the names that a statement assigns, its state, and return their new values.
"""

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow.control import TensorArray, is_traced, like_result
from cornu.core import control
from cornu.core.scope import NeedsPythonError, scope
from cornu.core.variable import Variable, plain
from cornu.data.dataset import Dataset, OwnedIterator

_UNROLLED = 4


class Unknown:
    """Stands for the value of a name that has none yet; one object for each name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name!r} has no value yet>"


def known(value: Callable[[], Any], name: str) -> Any:
    """Return the value of a name, or `Unknown`."""
    try:
        return value()
    except NameError:
        return _unknown(name)


_unknown = functools.cache(Unknown)


def _is_number(value: Any) -> bool:
    return isinstance(value, (jax.Array, np.ndarray, np.generic, Variable)) or (
        isinstance(value, (int, float, complex)) and not isinstance(value, bool)
    )


class _Parts:
    """A state taken apart: the arrays and numbers in it, and the rest, which stays as it is."""

    def __init__(self, state: Any) -> None:
        self.tree: Any
        leaves, self.tree = jax.tree.flatten(state, is_leaf=lambda one: one is None or isinstance(one, Variable))
        self.moving = [_is_number(leaf) or isinstance(leaf, bool) for leaf in leaves]
        self.fixed = [None if moves else leaf for moves, leaf in zip(self.moving, leaves, strict=True)]
        self.arrays = [jnp.asarray(plain(leaf)) for moves, leaf in zip(self.moving, leaves, strict=True) if moves]

    def whole(self, arrays: Sequence[Any]) -> Any:
        """Return the state with these arrays in their places."""
        given = iter(arrays)
        leaves = [next(given) if moves else leaf for moves, leaf in zip(self.moving, self.fixed, strict=True)]
        return jax.tree.unflatten(self.tree, leaves)


def if_(test: Any, body: Callable, orelse: Callable, state: tuple, names: tuple[str, ...] | None) -> Any:
    """Run one of two functions of the state; inside a program both are compiled."""
    if not is_traced(test):
        return body(*state) if bool(plain(test)) else orelse(*state)
    parts: list[_Parts] = []

    def branch(function: Callable) -> Callable:
        def run() -> list[Any]:
            parts.append(_Parts(function(*state)))
            return parts[-1].arrays

        return run

    try:
        found = control.cond(jnp.asarray(plain(test)), branch(body), branch(orelse))
    except (TypeError, ValueError) as error:
        if len(parts) < 2 or not _differ(parts[-2], parts[-1]):
            raise
        raise ValueError(_difference(parts[-2], parts[-1], names)) from error
    one, other = parts[-2:]
    if one.tree != other.tree or any(
        not moves and a is not b for moves, a, b in zip(one.moving, one.fixed, other.fixed, strict=True)
    ):
        merged = _merged(one, other, names)
        return merged.whole(found)
    return one.whole(found)


def _merged(one: _Parts, other: _Parts, names: tuple[str, ...] | None) -> _Parts:
    """Return the parts if all that differs are names without a value in both branches, or equal objects."""
    for a, b in zip(one.fixed, other.fixed, strict=True):
        if a is not b and not (isinstance(a, Unknown) and isinstance(b, Unknown)) and a != b:
            raise ValueError(_difference(one, other, names))
    return one


def _differ(one: _Parts, other: _Parts) -> bool:
    forms = [[(array.shape, array.dtype) for array in parts.arrays] for parts in (one, other)]
    return one.tree != other.tree or one.moving != other.moving or forms[0] != forms[1]


def _difference(one: _Parts, other: _Parts, names: tuple[str, ...] | None) -> str:
    about = "what they return"
    if names is not None and one.moving != other.moving and one.tree == other.tree:
        first, second = one.whole(one.arrays), other.whole(other.arrays)
        odd = [
            n for n, a, b in zip(names, first, second, strict=True) if isinstance(a, Unknown) != isinstance(b, Unknown)
        ]
        about = ", ".join(odd) or about
    elif names:
        about = ", ".join(names)
    return (
        f"The branches of an `if` on a tensor must give the same structure, shapes and dtypes. "
        f"They differ in: {about}.\n"
        "Give the name a value before the `if`, or in both branches, and return tensors of one form from both."
    )


def while_(test: Callable, turn: Callable, state: tuple, names: tuple[str, ...], stop: str) -> tuple:
    """Run a loop for as long as its test holds."""
    place = names.index(stop) if stop else -1
    goes_on = test(*state)
    while not is_traced(goes_on) and not (stop and is_traced(state[place])):
        if not bool(plain(goes_on)):
            return state
        state = turn(*state)
        if stop and not is_traced(state[place]) and bool(plain(state[place])):
            return state
        goes_on = test(*state)

    def still(values: tuple) -> Any:
        more = jnp.asarray(plain(test(*values))).astype(bool).reshape(())
        return jnp.logical_and(more, jnp.logical_not(values[place])) if stop else more

    return _compiled(lambda step, start: control.while_loop(still_of(step, still), step, start), turn, state, names)


def still_of(step: Any, still: Callable) -> Callable:
    """Return the test of a loop for its arrays alone."""
    return lambda arrays: still(step.parts.whole(arrays))


class _Step:
    """One turn of a loop as a function of the arrays in its state."""

    def __init__(self, turn: Callable, state: tuple, names: tuple[str, ...]) -> None:
        self.turn, self.names, self.parts = turn, names, _Parts(state)

    def __call__(self, arrays: Sequence[Any], *item: Any) -> list[Any]:
        after = _Parts(self.turn(*item, *self.parts.whole(arrays)))
        if after.tree != self.parts.tree or after.moving != self.parts.moving:
            raise _UnlikeError(self.parts.whole(arrays), after.whole(after.arrays), self.names)
        return after.arrays


class _UnlikeError(ValueError):
    """A turn of a loop gives names that had no value before, or values of another form."""

    def __init__(self, before: tuple, after: tuple, names: tuple[str, ...]) -> None:
        self.after = after
        fresh = [
            name for name, value, new in zip(names, before, after, strict=True)
            if isinstance(value, Unknown) != isinstance(new, Unknown)
        ]  # fmt: skip
        super().__init__(
            "A loop over tensors must keep the structure of its variables; it changes: "
            f"{', '.join(fresh or names)}.\nGive each a value of the same form before the loop."
        )


def _compiled(run: Callable, turn: Callable, state: tuple, names: tuple[str, ...], *item: Any) -> tuple:
    """Run a loop as a part of the program; names without a value begin as zeros of the form that a turn gives them."""
    step = _Step(turn, state, names)
    try:
        start = like_result(lambda arrays: step(arrays, *item), step.parts.arrays)
    except _UnlikeError as error:
        filled = tuple(
            jax.tree.map(lambda one: jnp.zeros(one.shape, one.dtype) if hasattr(one, "shape") else one, new)
            if isinstance(value, Unknown) or _is_empty(value) else value
            for value, new in zip(state, error.after, strict=True)
        )  # fmt: skip
        step = _Step(turn, filled, names)
        start = like_result(lambda arrays: step(arrays, *item), step.parts.arrays)
    return step.parts.whole(run(step, start))


def _is_empty(value: Any) -> bool:
    return isinstance(value, TensorArray) and value._rows is None


def for_(iterated: Any, turn: Callable, state: tuple, reads: tuple, names: tuple[str, ...], stop: str) -> tuple:
    """Run a turn for each item: of a tensor inside a program, of a data set with compiled turns, of anything else."""
    place = names.index(stop) if stop else -1
    if isinstance(iterated, Range):
        return _for_range(iterated, turn, state, reads, names, place)
    if isinstance(iterated, (jax.Array, Variable)):
        rows = jnp.asarray(plain(iterated))
        if scope.bound and len(rows) > _UNROLLED:
            return _for_rows(rows, turn, state, reads, names, place)
        with contextlib.nullcontext() if is_traced(rows) else jax.ensure_compile_time_eval():
            iterated = list(rows)
    compiled = turn
    if isinstance(iterated, (Dataset, OwnedIterator)):
        if scope.bound:
            raise NeedsPythonError
        compiled = compile_turn(turn)
        state = tuple(
            jnp.asarray(value) if _is_number(value) and not isinstance(value, Variable) else value for value in state
        )
    for item in iterated:
        state = compiled(item, *state, *reads)
        if stop:
            if is_traced(state[place]):
                raise ValueError(
                    "`break` on a tensor inside a loop over Python objects is not supported.\n"
                    "Loop over a tensor: for i in tf.range(n)."
                )
            if bool(plain(state[place])):
                break
    return state


def _for_rows(rows: Any, turn: Callable, state: tuple, reads: tuple, names: tuple[str, ...], place: int) -> tuple:
    def guarded(item: Any, *values: Any) -> tuple:
        run = lambda: turn(item, *values, *reads)  # noqa: E731
        if place < 0:
            return run()
        return if_(values[place], lambda *same: same, lambda *_: run(), values, names)

    def run(step: Callable, start: Any) -> Any:
        return control.scan(lambda arrays, row: (step(arrays, row), None), start, rows)[0]

    return _compiled(run, guarded, state, names, rows[0])


class Range:
    """The numbers of ``tf.range`` with a limit that is known only when the program runs."""

    def __init__(self, start: Any, limit: Any, delta: Any) -> None:
        self.start, self.limit, self.delta = jnp.asarray(start), jnp.asarray(limit), jnp.asarray(delta)

    def _needed(self, *_: Any) -> Any:
        limit: Any = self.limit
        raise jax.errors.ConcretizationTypeError(limit, "tf.range with a limit that the program computes")

    __iter__ = __len__ = __getitem__ = __array__ = __jax_array__ = _needed
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __floordiv__ = __mod__ = _needed
    __lt__ = __le__ = __gt__ = __ge__ = _needed
    shape = dtype = property(_needed)


def _for_range(numbers: Range, turn: Callable, state: tuple, reads: tuple, names: tuple, place: int) -> tuple:
    names = (*names, "the loop's number")

    def next_turn(*values: Any) -> tuple:
        return (*turn(values[-1], *values[:-1], *reads), values[-1] + numbers.delta)

    def goes_on(*values: Any) -> Any:
        more = jnp.where(numbers.delta > 0, values[-1] < numbers.limit, values[-1] > numbers.limit)
        return more if place < 0 else jnp.logical_and(more, jnp.logical_not(values[place]))

    return while_(goes_on, next_turn, (*state, numbers.start), names, "")[:-1]


#: Compiles a turn of a loop over a data set; `function.py` sets it.
compile_turn: Callable[[Callable], Callable] = lambda turn: turn  # noqa: E731


def and_(*values: Callable[[], Any]) -> Any:
    """Return ``a and b``."""
    result = values[0]()
    for value in values[1:]:
        if is_traced(result):
            result = jnp.logical_and(plain(result), plain(value()))
        elif result:
            result = value()
        else:
            return result
    return result


def or_(*values: Callable[[], Any]) -> Any:
    """Return ``a or b``."""
    result = values[0]()
    for value in values[1:]:
        if is_traced(result):
            result = jnp.logical_or(plain(result), plain(value()))
        elif not result:
            result = value()
        else:
            return result
    return result


def not_(value: Any) -> Any:
    """Return ``not value``."""
    return jnp.logical_not(plain(value)) if is_traced(value) else not value


def if_expression(test: Any, body: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
    """Return ``body if test else orelse``."""
    return if_(test, body, orelse, (), None)


def _range(*limits: Any) -> Any:
    if not any(map(is_traced, limits)):
        return range(*[int(one) if _is_number(one) else one for one in limits])
    start, limit, delta = (0, *limits, 1)[-3:] if len(limits) == 1 else (*limits, 1)[:3]
    return Range(start, limit, delta)


def _number_of(kind: type, dtype: str) -> Callable:
    return lambda value=0: plain(value).astype(dtype) if is_traced(value) else kind(value)


def _zip(*several: Any, strict: bool = False) -> Any:
    return Dataset.zip(tuple(several)) if several and isinstance(several[0], Dataset) else zip(*several, strict=strict)


#: Builtin -> what takes its place in rewritten code.
BUILTINS: dict[Any, Callable] = {
    range: _range,
    int: _number_of(int, "int32"),
    float: _number_of(float, "float32"),
    len: lambda value: value.shape[0] if is_traced(value) else len(value),
    enumerate: lambda one, start=0: one.enumerate(start) if isinstance(one, Dataset) else enumerate(one, start),
    zip: _zip,
}
