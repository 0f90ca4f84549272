"""Functions that read and assign variables, as compiled programs: their variables are found while they are traced."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax

from cornu.core.placement import compiled
from cornu.core.randomness import ambient_seed
from cornu.core.scope import changed, scope
from cornu.core.silence import silence
from cornu.core.variable import TracedValueError, Variable, bound, plain, read, write


class _Masks(dict):
    """Masks of tracers for as long as a function is traced: the end of a layer's call does not drop them."""

    def clear(self) -> None:
        """Do nothing."""


class Program:
    """A function of arrays that reads and assigns variables, compiled. The variables are its state.

    The first call traces the function to find its variables, and again with them as inputs. Variables that it makes
    are made once.

    Args:
        function: Takes a list of arrays; returns a structure of arrays, variables, and anything else, which stays as
            it was when the function was traced.

    >>> import jax.numpy as jnp
    >>> total = Variable(1.0)
    >>> add = Program(lambda arrays: total.assign(total.value + arrays[0]) or {"total": total})
    >>> float(add([jnp.asarray(2.0)])["total"]), float(total)
    (3.0, 3.0)
    """

    def __init__(self, function: Callable[[Sequence[Any]], Any]) -> None:
        self.function = function
        self.variables: list[Variable] = []
        self.assigned: list[int] = []  # positions among `variables`
        self._kept: list[Any] = []  # leaves of the result; None where an array belongs
        self._tree: Any = None
        self._ambient = ambient_seed()
        self._compiled: Any = None

    def __call__(self, arrays: Sequence[Any]) -> Any:
        """Run the program: returns what the function returns, and assigns what it assigns."""
        if scope.bound:  # inside another program, of which it becomes a part
            return self.function(arrays)
        if self._compiled is None:
            try:
                self.prepare(arrays)
            except TracedValueError:  # as it is, the first call makes the variables
                return self.function(arrays)
        values = self._values()
        found, new = self._compiled(values, arrays)
        write([self.variables[position] for position in self.assigned], new)
        given = iter(found)
        return jax.tree.unflatten(self._tree, [next(given) if leaf is _ARRAY else leaf for leaf in self._kept])

    def prepare(self, arrays: Sequence[Any]) -> None:
        """Trace the function for such arrays, without running it."""
        self._compiled = self._traced(arrays)

    def _values(self) -> Sequence[Any]:
        if scope.reader is None:
            return read(self.variables)
        return [
            scope.reader(variable, value) for variable, value in zip(self.variables, read(self.variables), strict=True)
        ]

    def _traced(self, arrays: Sequence[Any]) -> Callable:
        """Find the variables by tracing, until no trace finds another; return the compiled function."""
        while True:
            known = len(self.variables)
            with silence():  # it prints once, in the trace that is compiled
                jax.eval_shape(self._pure, read(self.variables), arrays)
            if known and self._made:
                raise ValueError(
                    f"A compiled function made the variable {self._made[0].name!r} again.\n"
                    "Make variables outside of it, or only in the first call: if self.v is None: self.v = Variable(...)"
                )
            if len(self.variables) == known:
                return compiled()(self._pure)

    def _pure(self, values: Sequence[Any], arrays: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        given = list(values)
        with _state(self.variables, given, self._ambient) as found:
            result = plain(self.function(arrays))
            leaves, self._tree = jax.tree.flatten(result, is_leaf=lambda leaf: leaf is None)
            self._kept = [_ARRAY if isinstance(leaf, jax.Array) else leaf for leaf in leaves]
            new = [variable._value for variable in found]
            self._made = [variable for variable, _ in scope.created or ()]
        self.variables = found
        self.assigned = [at for at, value in enumerate(new) if at >= len(given) or value is not given[at]]
        results = [leaf for leaf, kept in zip(leaves, self._kept, strict=True) if kept is _ARRAY]
        return results, [new[position] for position in self.assigned]


_ARRAY = object()  # stands for an array of the result


@contextlib.contextmanager
def _state(variables: Sequence[Variable], values: Sequence[Any], ambient: Variable) -> Iterator[list[Variable]]:
    """Bind variables to the values of a trace; gives the list of them, to which those that it meets are added."""
    created: list[tuple[Variable, Any]] = []
    found = list(variables)
    with bound(variables, values), bound([_NONE], [0]):
        own: dict[int, Any] = scope.bound  # type: ignore[assignment]

        def meet(variable: Variable) -> Any:
            if "_held" not in vars(variable):  # it is being made
                return None
            found.append(variable)
            with changed(bound=None, meet=None):
                value = variable._value
            own[id(variable)] = value
            return value

        apart: dict[str, Any] = {"values": {}, "losses": {}, "masks": _Masks(), "assigned": {}, "reader": None}
        try:
            with changed(created=created, meet=meet, ambient=ambient, **apart):
                yield found
        finally:
            for variable in found[len(variables) :]:
                own.pop(id(variable), None)
            for variable, value in created:
                variable._held = value


_NONE: Any = object()  # bound, so that there is something bound
