"""What JAX ran while a gradient tape was open, and the gradients of it.

A `Recorder` is the current trace of JAX: it sees each primitive operation, with its arrays, and lets it run. So values
are ordinary arrays (or tracers, inside a compiled function), and a program may do with them what it likes. Each tape
keeps the operations that depend on what it watches. Gradients run those between sources and target again as one pure
function, which is compiled once for each structure.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from cornu.core.jax_internals import Operation, Watching, copied, current_watching
from cornu.core.placement import compiled
from cornu.core.scope import scope
from cornu.core.variable import Variable


class Record(NamedTuple):
    """An operation that ran, with what it took and gave. It keeps the arrays, so their ids stay theirs."""

    operation: Operation
    inputs: Sequence[Any]
    outputs: Sequence[Any]
    pull: Callable | None = None  # from gradients of the outputs that are floats to those of the inputs


class Log:
    """What one tape keeps: operations that depend on what it watches, and the arrays of variables that it has seen."""

    def __init__(self, watches_accessed: bool) -> None:
        self.watches_accessed = watches_accessed
        self.records: list[Record] = []
        self.watched: dict[int, Any] = {}  # id of an array -> the array
        self.asked: set[int] = set()  # ids of variables that `watch` was called with
        self.variables: dict[int, tuple[Variable, list[Any]]] = {}  # watched ones, with the arrays that were read

    def without_records(self) -> "Log":
        """Return a log that knows the variables alone."""
        log = Log(self.watches_accessed)
        log.variables = {key: (variable, []) for key, (variable, _) in self.variables.items()}
        return log

    def add(self, record: Record) -> None:
        """Keep an operation if it depends on what is watched."""
        watched = self.watched
        for one in record.inputs:
            if id(one) in watched:
                self.records.append(record)
                for output in record.outputs:
                    watched[id(output)] = output
                return

    def see(self, variable: Variable, value: Any) -> None:
        """Watch the array of a variable that is read, if the tape watches such variables."""
        if id(value) in self.watched:
            return
        if (self.watches_accessed and variable.trainable) or id(variable) in self.asked:
            self.watched[id(value)] = value
            self.variables.setdefault(id(variable), (variable, []))[1].append(value)


class Recorder(Watching):
    """Writes what runs in this thread to the logs of the open tapes."""

    def __init__(self) -> None:
        super().__init__()
        self.logs: list[Log] = []
        self._owners: dict[int, tuple[Any, Variable]] = {}  # id of an array -> the array and the variable that holds it
        self._apart: dict[tuple[int, int], tuple[Any, Any]] = {}  # the array, and a copy
        self._reader: Any = None

    def run(self, operation: Operation, inputs: Sequence[Any], params: dict[str, Any]) -> Sequence[Any]:
        """Run an operation. Inside a program that is being traced it is differentiated at once.

        So the program computes it once: XLA merges most of what is computed twice, but no loops.
        """
        if not self.is_inside or not any(id(one) in log.watched for log in self.logs for one in inputs):
            return super().run(operation, inputs, params)
        found, pull = self.unseen(differentiated, operation, inputs)
        outputs = self.renewed(inputs, found)
        self.note(operation, inputs, outputs, pull)
        return outputs

    def note(
        self, operation: Operation, inputs: Sequence[Any], outputs: Sequence[Any], pull: Callable | None = None
    ) -> None:
        """Offer an operation to the logs."""
        record = Record(operation, inputs, outputs, pull)
        for log in self.logs:
            log.add(record)

    def read(self, variable: Variable, value: Any) -> Any:
        """Return the array of a variable, known as this variable's alone, and as computed from nothing."""
        key = id(variable), id(value)
        owner = self._owners.get(id(value))
        if key in self._apart:
            value = self._apart[key][1]
        elif owner is None and not any(id(value) in log.watched for log in self.logs):
            self._owners[id(value)] = value, variable
        elif owner is None or owner[1] is not variable:
            # It was computed and then assigned, or two variables hold it, as after `a.assign(b)` in a program.
            self._apart[key] = value, self.unseen(copied, value)
            value = self._apart[key][1]
        for log in self.logs:
            log.see(variable, value)
        return value

    def open(self, log: Log) -> None:
        """Begin to write to a log."""
        if not self.logs:
            self._reader, scope.reader = scope.reader, self.read
            self.install()
        self.logs.append(log)

    def close(self, log: Log) -> None:
        """Stop writing to a log."""
        self.logs = [one for one in self.logs if one is not log]
        if not self.logs:
            scope.reader = self._reader
            self.remove()


def current_recorder() -> Recorder:
    """Return the recorder of this thread's trace, or a new one."""
    found = current_watching()
    return found if isinstance(found, Recorder) else Recorder()


# ---- gradients


class Path(NamedTuple):
    """The operations between sources and targets, by positions instead of arrays.

    Values are numbered: first the sources, then `outer` ones (what the operations take from elsewhere), then results.
    """

    steps: list[tuple[Operation, tuple[int, ...], tuple[int, ...]]]
    outer: list[Any]
    moves: tuple[int, ...]  # of the sources that the operations compute themselves: their positions
    targets: tuple[int, ...]
    connected: tuple[bool, ...]

    @property
    def key(self) -> tuple:
        """What the compiled gradient depends on besides shapes."""
        steps = tuple((operation.key, inputs, outputs) for operation, inputs, outputs in self.steps)
        return steps, self.moves, self.targets, self.connected


def differentiated(operation: Operation, inputs: Sequence[Any]) -> tuple[list[Any], Callable]:
    """Return the results of an operation, and the function that pulls gradients back through it."""
    floats = [number for number, one in enumerate(inputs) if _is_float(one)]

    def compute(values: list[Any]) -> tuple[list[Any], list[Any]]:
        given = list(inputs)
        for number, value in zip(floats, values, strict=True):
            given[number] = value
        outputs = list(operation(*given))
        kinds = [_is_float(one) for one in outputs]
        pairs = list(zip(outputs, kinds, strict=True))
        return [one for one, is_float in pairs if is_float], [None if is_float else one for one, is_float in pairs]

    found, pull, rest = jax.vjp(compute, [jnp.asarray(inputs[number]) for number in floats], has_aux=True)
    given = iter(found)
    return [next(given) if one is None else one for one in rest], pull


def pulled_back(
    records: Sequence[Record], sources: Sequence[Any], targets: Sequence[Any], upstream: Sequence[Any]
) -> list[Any]:
    """Return the gradients of the sources from what is known of each record: its `pull`."""
    known: dict[int, Any] = {}

    def add(one: Any, gradient: Any) -> None:
        known[id(one)] = known[id(one)] + gradient if id(one) in known else gradient

    for target, weight in zip(targets, upstream, strict=True):
        add(target, jnp.ones_like(target) if weight is None else _like(weight, target))
    for record in reversed(records):
        outputs = [one for one in record.outputs if _is_float(one)]
        if any(id(one) in known for one in outputs):
            pull = record.pull or differentiated(record.operation, record.inputs)[1]
            (found,) = pull([known.get(id(one), jnp.zeros_like(one)) for one in outputs])
            floats = [one for one in record.inputs if _is_float(one)]
            for one, gradient in zip(floats, found, strict=True):
                add(one, gradient)
    return [known.get(id(one)) for one in sources]


def _like(weight: Any, target: Any) -> Any:
    return jnp.broadcast_to(weight, target.shape).astype(target.dtype)


def between(records: Sequence[Record], sources: Sequence[Any], targets: Sequence[Any]) -> list[Record]:
    """Return the records that lead from sources to targets."""
    needed, backward = {id(one) for one in targets}, []
    for record in reversed(records):
        if any(id(one) in needed for one in record.outputs):
            backward.append(record)
            needed.update(map(id, record.inputs))
    reached = {id(one) for one in sources}
    chosen = []
    for record in reversed(backward):
        if any(id(one) in reached for one in record.inputs) and any(map(_is_float, record.outputs)):
            chosen.append(record)
            reached.update(id(one) for one in record.outputs if _is_float(one))
    return chosen


def connections(chosen: Sequence[Record], sources: Sequence[Any], targets: Sequence[Any]) -> tuple[bool, ...]:
    """Return for each source whether the targets depend on it, given the records between them."""
    used = {id(one) for record in chosen for one in record.inputs} | {id(one) for one in targets}
    return tuple(id(one) in used for one in sources)


def path_of(chosen: Sequence[Record], sources: Sequence[Any], targets: Sequence[Any]) -> Path:
    """Return the operations that lead from sources to targets, by positions."""
    numbers = {id(one): number for number, one in enumerate(sources)}
    made = {id(one) for record in chosen for one in record.outputs}
    outer = []
    for one in (*(one for record in chosen for one in record.inputs), *targets):
        if id(one) not in numbers and id(one) not in made:
            numbers[id(one)] = len(numbers)
            outer.append(one)
    steps = []
    for record in chosen:
        inputs = tuple(numbers[id(one)] for one in record.inputs)
        outputs = tuple(numbers.setdefault(id(one), len(numbers)) for one in record.outputs)
        steps.append((record.operation, inputs, outputs))
    moves = tuple(number for number, one in enumerate(sources) if id(one) in made)
    return Path(steps, outer, moves, tuple(numbers[id(one)] for one in targets), connections(chosen, sources, targets))


def _is_float(value: Any) -> bool:
    return jnp.issubdtype(jnp.result_type(value), jnp.inexact)  # JAX before 0.10 leaves numbers of Python as they are


def replayed(path: Path, sources: Sequence[Any], outer: Sequence[Any], moves: Sequence[Any]) -> list[Any]:
    """Run the operations of a path on other values; returns the targets.

    A source that an operation computes is that result plus its move, which is zero: so its gradient is found without
    cutting it off from the sources before it.
    """
    values: dict[int, Any] = dict(enumerate((*sources, *outer)))
    moved = dict(zip(path.moves, moves, strict=True))
    for operation, inputs, outputs in path.steps:
        found = operation(*[values[number] for number in inputs])
        for number, one in zip(outputs, found, strict=True):
            values[number] = one + moved[number] if number in moved else one
    return [values[number] for number in path.targets]


class Gradients(NamedTuple):
    """The compiled functions of a path: gradients, and Jacobians."""

    vjp: Callable
    jacobian: Callable


def _functions(path: Path) -> Gradients:
    path = path._replace(outer=[])
    wanted = [number for number, connected in enumerate(path.connected) if connected]

    def pulled(sources: Sequence[Any], outer: Sequence[Any]) -> tuple[list[Any], Callable]:
        moves = [jnp.zeros_like(sources[number]) for number in path.moves]
        free = [sources[number] for number in wanted if number not in path.moves]

        def targets(free: list[Any], moves: list[Any]) -> list[Any]:
            given = iter(free)
            fixed = [
                next(given) if number in wanted and number not in path.moves else one
                for number, one in enumerate(sources)
            ]
            return replayed(path, fixed, outer, moves)

        found, pull = jax.vjp(targets, free, moves)

        def pull_back(upstream: list[Any]) -> list[Any]:
            by_free, by_move = pull(upstream)
            by_number = dict(zip(path.moves, by_move, strict=True))
            rest = iter(by_free)
            return [by_number[number] if number in by_number else next(rest) for number in wanted]

        return found, pull_back

    def vjp(sources: Sequence[Any], outer: Sequence[Any], upstream: Sequence[Any]) -> list[Any]:
        found, pull_back = pulled(sources, outer)
        weights = [
            jnp.ones_like(one) if weight is None else _like(weight, one)
            for one, weight in zip(found, upstream, strict=True)
        ]
        return pull_back(weights)

    def jacobian(sources: Sequence[Any], outer: Sequence[Any], rows: int = 0) -> list[Any]:
        """Return the gradient of each entry of the target; with `rows`, of each entry of a row, summed over rows."""
        (found, *_), pull_back = pulled(sources, outer)
        entry = found.shape[rows:]
        size = int(jnp.size(found) // max(1, found.shape[0] if rows else 1))
        basis = jnp.eye(size, dtype=found.dtype).reshape(size, *(1,) * rows, *entry)
        basis = jnp.broadcast_to(basis, (size, *found.shape))
        return [one.reshape(*entry, *one.shape[1:]) for one in jax.vmap(lambda row: pull_back([row]))(basis)]

    return Gradients(vjp, jacobian)


_FUNCTIONS: dict[tuple, Gradients] = {}
_MOST = 512


def functions_of(path: Path, sources: Sequence[Any]) -> Gradients:
    """Return the functions of a path: compiled ones, the same for an equal path; inside a program as they are."""
    if any(isinstance(one, jax.core.Tracer) for one in (*sources, *path.outer)):
        return _functions(path)
    key = path.key
    found = _FUNCTIONS.get(key)
    if found is None:
        if len(_FUNCTIONS) >= _MOST:
            del _FUNCTIONS[next(iter(_FUNCTIONS))]
        vjp, jacobian = _functions(path)
        found = _FUNCTIONS[key] = Gradients(compiled()(vjp), compiled(static="rows")(jacobian))
    return found


def spread(path: Path, found: Sequence[Any]) -> list[Any]:
    """Return the results for all sources: None for those that are not connected."""
    given = iter(found)
    return [next(given) if connected else None for connected in path.connected]


def arrays_of(log: Log, sources: Iterable[Any]) -> list[list[Any]]:
    """Return for each source the arrays that gradients are taken with respect to: those of a variable, or itself."""
    found = []
    for one in sources:
        if isinstance(one, Variable):
            found.append(log.variables.get(id(one), (one, []))[1])
        else:
            found.append([one] if id(one) in log.watched else [])
    return found
