"""Loops and branches whose bodies read and assign variables: weights, random keys, metrics.

JAX's loops are pure: a value that a body assigned to a variable would be lost, or leak from the trace. Here a body that
assigns to variables is traced again with their values as a part of the loop's state, and they hold the last values
afterwards. Bodies that assign to none are traced once, as JAX does.
"""

import contextlib
from collections import ChainMap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from cornu.core.scope import changed, scope
from cornu.core.variable import Variable, bound, plain, read, restored


class _NewlyAssignedError(Exception):
    """The way out of a trace: a body assigned to variables that the loop does not carry yet."""

    def __init__(self, variables: list[Variable]) -> None:
        super().__init__("variables were assigned to")
        self.variables = variables


class _Carried:
    """The variables that a loop or branch carries; `body` is a pure function of their values and its arguments."""

    def __init__(self) -> None:
        self.variables: list[Variable] = []

    def run(self, build: Callable[[], tuple[Any, Sequence[jax.Array]]]) -> Any:
        """Call `build` until all variables are carried; it returns a result and the variables' last values."""
        while True:
            try:
                result, values = build()
            except _NewlyAssignedError as found:
                self.variables += found.variables
                continue
            for variable, value in zip(self.variables, values, strict=True):
                if value is not variable._value:
                    variable._note_change()
                    variable._value = value
            return result

    def body(self, function: Callable, keeps: bool = True) -> Callable:
        """Return ``pure(values, *args)``, which gives the result of ``function(*args)`` and the variables' new values.

        Without `keeps` what the function assigns is dropped, and only its result is returned.
        """

        def pure(values: Sequence[jax.Array], *args: Any) -> Any:
            with bound(self.variables, values), _own_scope() as noted:
                result = plain(function(*args))
                if not keeps:
                    return result
                after = read(self.variables)
                known = {id(variable) for variable in self.variables}
                missing = [variable for key, (variable, _) in noted.items() if key not in known]
            if missing:
                raise _NewlyAssignedError(missing)
            return result, after

        return pure


@contextlib.contextmanager
def _own_scope() -> Iterator[dict[int, tuple[Variable, jax.Array]]]:
    """Note assignments and undo them; values of symbolic tensors that are found inside are forgotten as well."""
    values = None if scope.values is None else ChainMap({}, scope.values)
    with changed(values=values), restored() as noted:
        yield noted


def scan(
    step: Callable, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False, unroll: int | bool = 1
) -> tuple[Any, Any]:
    """Carry a value through ``carry, y = step(carry, x)`` over the first axis of `xs`; `step` may assign to variables.

    Args:
        step: A function of the carry and one entry of `xs` (None without `xs`).
        init: The first carry: an array or a structure of arrays.
        xs: An array or structure of arrays, all of the same length, or None with a `length`.
        reverse: Whether to begin with the last entry.
        unroll: How many steps to lay out in one turn of the compiled loop.

    Returns:
        The last carry, and all y stacked.

    >>> total = Variable(0.0)
    >>> def step(carry, x):
    ...     total.assign_add(x)
    ...     return carry + 1, total.value
    >>> carry, sums = scan(step, 0, jnp.arange(3.0))
    >>> print(carry, sums, total.numpy())
    3 [0. 1. 3.] 3.0
    """
    carried = _Carried()

    def build() -> tuple[Any, Any]:
        body = carried.body(step)

        def pure(state: tuple, x: Any) -> tuple:
            (carry, y), values = body(state[1], state[0], x)
            return (carry, values), y

        start = (plain(init), read(carried.variables))
        last: Any
        ys: Any
        last, ys = lax.scan(pure, start, plain(xs), length=length, reverse=reverse, unroll=unroll)
        return (last[0], ys), last[1]

    return carried.run(build)


def fori_loop(lower: Any, upper: Any, body: Callable, init: Any) -> Any:
    """Return the last of ``value = body(i, value)`` for i from `lower` to `upper` - 1; `body` may assign to variables.

    >>> count = Variable(0, dtype="int32")
    >>> print(fori_loop(0, 4, lambda i, total: count.assign_add(1) or total + i, 0), count.numpy())
    6 4
    """
    carried = _Carried()

    def build() -> tuple[Any, Any]:
        pure = carried.body(body)

        def turn(i: Any, state: tuple) -> tuple:
            return pure(state[1], i, state[0])

        return lax.fori_loop(lower, upper, turn, (plain(init), read(carried.variables)))

    return carried.run(build)


def while_loop(condition: Callable, body: Callable, init: Any) -> Any:
    """Return the first value that ``value = body(value)`` reaches for which ``condition(value)`` is false.

    Both may read variables, and `body` may assign to them; what `condition` assigns is dropped.

    >>> left = Variable(5, dtype="int32")
    >>> print(while_loop(lambda value: left > 0, lambda value: left.assign_sub(2) or value + 1, 0), left.numpy())
    3 -1
    """
    carried = _Carried()

    def build() -> tuple[Any, Any]:
        goes_on, pure = carried.body(condition, keeps=False), carried.body(body)
        start = (jax.tree.map(jnp.asarray, plain(init)), read(carried.variables))
        return lax.while_loop(lambda state: goes_on(state[1], state[0]), lambda state: pure(state[1], state[0]), start)

    return carried.run(build)


def cond(condition: Any, true_function: Callable, false_function: Callable, *operands: Any) -> Any:
    """Return what one of two functions gives for the `operands`; both may assign to variables.

    A condition that is known (no traced value) chooses at once: then only that function is called.

    >>> steps = Variable(0, dtype="int32")
    >>> cond(jnp.asarray(2.0) > 1, lambda: steps.assign_add(1), lambda: None); print(steps.numpy())
    1
    """
    condition = plain(condition)
    if not isinstance(condition, jax.core.Tracer):
        return plain((true_function if condition else false_function)(*operands))
    carried = _Carried()

    def build() -> tuple[Any, Any]:
        branches = carried.body(true_function), carried.body(false_function)
        chosen = condition.astype(bool).reshape(())
        return lax.cond(chosen, *branches, read(carried.variables), *plain(operands))

    return carried.run(build)


def switch(index: Any, branches: Sequence[Callable], *operands: Any) -> Any:
    """Return what the branch of number `index` gives for the `operands`; branches may assign to variables."""
    carried = _Carried()

    def build() -> tuple[Any, Any]:
        bodies = [carried.body(branch) for branch in branches]
        return lax.switch(plain(index), bodies, read(carried.variables), *plain(operands))

    return carried.run(build)


def when(condition: Any, action: Callable[[], Any]) -> None:
    """Run `action`, which may assign to variables and returns nothing, if `condition` holds (it may be traced)."""

    def updated() -> None:
        action()

    cond(condition, updated, lambda: None)
