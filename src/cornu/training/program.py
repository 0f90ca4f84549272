"""A program: one use of a model (train, test, predict), compiled once and kept until the next `compile`."""

import contextlib
import dataclasses
import functools
import itertools
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from cornu.core import processes
from cornu.core.error_bars import joined
from cornu.core.placement import to_device
from cornu.core.variable import Seed, advance
from cornu.data.batch import Batch, OwnBatch
from cornu.data.convert import LEAST_IN_PLACE, map_arrays, owned
from cornu.data.prefetch import Stream
from cornu.data.zero_copy import on_device
from cornu.training import run
from cornu.training.interrupt import uninterrupted
from cornu.training.pace import Pace
from cornu.training.padding import Padding
from cornu.training.replication import Replication
from cornu.training.step import Learner, Turn

_NO_TURNS = contextlib.nullcontext()


class Ran(NamedTuple):
    """What a compiled call leaves: a function that returns the logs, and the next step if it may have ended early."""

    read_logs: Callable[[], dict]
    reached: Any = None


@dataclasses.dataclass
class Block:
    """Some steps of an epoch, from `start` to before `stop`, which the caller of `run` lowers if they ended early."""

    start: int
    stop: int
    run: Callable[[], Ran]


class Program:
    """Training (``"train"``) or evaluation (``"test"``) of batches: reads the variables, runs, writes them back."""

    def __init__(self, learner: Learner, kind: str, run_eagerly: bool = False) -> None:
        self.learner, self.kind = learner, kind
        self.training = kind == "train"
        self.step = learner.train_step if self.training else learner.test_step
        self._results = learner.results
        place = learner.placement
        if place is not None and not run_eagerly:
            self.step = place.training(self.step, learner)
            self._results = lambda state: place.results(learner.results(state))
        self._over = None if learner.replication is None else learner.replication.over
        self.custom = (learner.custom_train if self.training else learner.custom_test) is not None
        self.run_eagerly = run_eagerly
        self.pad = Padding(learner, kind, run_eagerly)
        self.text_calls: Any = None  # the calls on texts that its step makes, if they are known
        self._first_logs: dict | None = None

    @functools.cached_property
    def _resident(self) -> Any:
        return run.resident(self.step, self._results, over=self._over)

    @functools.cached_property
    def _until_nan(self) -> Any:
        return run.resident(self.step, self._results, until_nan=True, over=self._over)

    @functools.cached_property
    def _rest(self) -> Any:
        return run.resident_rest(self.step, self._results, over=self._over)

    @functools.cached_property
    def _streamed(self) -> Any:
        if self.run_eagerly:
            return run.eager(self.step, self._results)
        return run.streamed(self.step, self._results, over=self._over)

    def epoch(
        self, batches: Any, pace: Pace, steps: int | None = None, start: int = 0, until_nan: bool = False
    ) -> Iterator[Block]:
        """Yield the blocks of an epoch, to be run by the caller; the variables are current after each.

        Args:
            batches: the data.
            pace: chooses the block lengths.
            steps: number of batches; None runs all.
            start: step to resume at; the order and the streams of the epoch must already be restored.
            until_nan: end a block after the first step with a loss that is not finite.
        """
        self.serve(batches)
        if batches.resident and not self.run_eagerly and steps is None:
            return self._resident_epoch(batches, pace, start, until_nan)
        return self._streamed_epoch(batches, steps, start)

    def serve(self, batches: Any) -> None:
        """Let batches be as this program wants them: padded, and where its devices find them."""
        batches.pad, batches.placement = self.pad, self.learner.placement

    def trace(self, example: Batch) -> None:
        """Trace a step on a batch like `example`, without running it."""
        learner = self.learner
        if self.custom:
            learner.trace_once(self.step, self.training, lambda batch: batch, example)
        else:
            jax.eval_shape(self.step, learner.read(self.training), example)

    def prepare_for(self, batches: Any) -> None:
        """Find all variables that a custom step changes, before the first batch runs."""
        self._prepare(lambda batch: batch, batches.example)

    def _resident_epoch(self, batches: Any, pace: Pace, start: int, until_nan: bool) -> Iterator[Block]:
        arrays, order = batches.device_arrays, batches.last_order if start else self._order(batches)
        if order is not None and self.learner.replication is None:
            order = self._placed_order(order)
        together = 1 if self.training or pace.every_batch else batches.together
        size = min(batches.batch_size * together, batches.rows)
        whole, last = batches.rows // size, -(-batches.rows // size)
        self._prepare(lambda arrays: run.rows_of(arrays, None, 0, size), arrays)
        many = self._until_nan if until_nan else self._resident
        while start < last:
            pace.begin(start)
            if start < whole:
                stop = min(start + self.agreed(pace.block()), whole)
                bounds = np.int32(start), np.int32(stop)
                call = functools.partial(self._call, many, self._first_logs, arrays, order, *bounds, size=size)
            else:
                stop, rest = last, batches.rows - whole * size
                call = functools.partial(self._call, self._rest, arrays, order, np.int32(start * size), size=rest)
            block = Block(start * together, min(stop * together, batches.steps), call)
            yield block
            start = block.stop if until_nan else stop

    def _order(self, batches: Any) -> Any:
        """Return the row indices of a new epoch, of each replica if there are several."""
        replicas = self.learner.replication
        if replicas is None:
            return batches.order()
        replicas.settle(self.learner.variables)  # initial weights are drawn before the first epoch's order
        return replicas.orders(batches)

    @property
    def rounds(self) -> int:
        """How many times as long as for one model a block of steps takes, of replicas that follow each other."""
        replicas = self.learner.replication
        return 1 if replicas is None else replicas.rounds

    @property
    def _active(self) -> dict[str, Any]:
        """Which replicas train, an argument of programs for several."""
        replicas = self.learner.replication
        return {} if replicas is None or not self.training else {"active": replicas.active.copy()}

    def _placed_order(self, order: np.ndarray) -> Any:
        place = self.learner.placement
        return on_device(order) if place is None else place.order(order)

    @property
    def spans_processes(self) -> bool:
        """Whether several processes run each step together."""
        return spans_processes(self.learner)

    def agreed(self, value: Any) -> Any:
        """Return a value that depends on time or on chance: the first process's, if several run this program."""
        return processes.agreed(value) if self.spans_processes else value

    def compiled_for(self, state: Any, batches: Any) -> Any:
        """Return the compiled loop over whole batches of arrays, as XLA has it; it is not run."""
        arrays, order = batches.device_arrays, self._placed_order(batches.order())
        bounds, size = (np.int32(0), np.int32(1)), min(batches.batch_size, batches.rows)
        return self._resident.lower(state, self._first_logs, arrays, order, *bounds, size=size).compile()

    def _prepare(self, batch_of: Callable[..., Batch], arrays: Batch) -> None:
        """Create zeros shaped like the logs of a custom step, for the compiled loop to carry; other steps have none."""
        if self._first_logs is None:
            learner = self.learner
            shapes = learner.trace_once(self.step, self.training, batch_of, arrays) if self.custom else {}
            zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
            place = learner.placement
            self._first_logs = zeros if place is None else jax.tree.map(place.everywhere, zeros)

    def _streamed_epoch(self, batches: Any, steps: int | None, start: int) -> Iterator[Block]:
        # Validation uses the same first steps each time, if the data can restart.
        keep = steps is not None and (self.training or not batches.restarts)
        stream = _open(batches, keep)
        try:
            for step in itertools.count(start) if steps is None else range(start, steps):
                batch = next(stream, None)
                if batch is None and steps is not None and batches.restarts:
                    stream = _open(batches, keep, fresh=True)
                    batch = next(stream, None)
                if batch is None:
                    if steps is not None:
                        _warn_missing_data(step, steps)
                    return
                self._prepare(lambda batch: batch, batch)
                yield Block(step, step + 1, functools.partial(self._call, self._streamed, batch))
        finally:
            if not keep:
                batches.leave(stream)

    def run_batch(self, batch: Batch) -> Any:
        """Run one batch; return the function that returns the logs."""
        batch = self.pad(batch)
        if self.learner.placement is not None:
            batch = map_arrays(self.learner.placement.copied, batch)
        self._prepare(lambda batch: batch, batch)
        return self._call(self._streamed, batch).read_logs

    def _call(self, compiled: Any, *args: Any, **kwargs: Any) -> Ran:
        """Read, run, write: the variables are consistent again before anything else happens."""
        turn = Turn(self.learner, self.training, donates=not self.run_eagerly)
        with with_others(self.learner), uninterrupted(), turn:
            turn.state, own_logs, results, *reached = compiled(turn.state, *args, **self._active, **kwargs)
        names = self.learner.custom_log_names if self.custom else self.learner.log_names
        replicas, logs = self.learner.replication, own_logs if self.custom else results
        read = _on_host if replicas is None else functools.partial(_joined, replicas)
        return Ran(functools.partial(self._read, read, logs, names), *reached)

    def _read(self, read: Callable, logs: Any, names: list[str]) -> dict:
        with with_others(self.learner):
            return read(logs, names)


def spans_processes(learner: Learner) -> bool:
    """Return whether several processes run a learner's steps together."""
    return learner.placement is not None and learner.placement.spans_processes


def with_others(learner: Learner) -> contextlib.AbstractContextManager:
    """Return a context for what several processes compute together, or wait for."""
    return processes.together(waits=True) if spans_processes(learner) else _NO_TURNS


def _open(batches: Any, keep: bool, fresh: bool = False) -> Any:
    """Return the stream of an epoch, prepared by a thread; a kept stream continues in the next epoch."""
    if keep and not fresh and batches.running is not None:
        return batches.running
    stream, batches.reopened = batches.reopened, None
    if stream is None:
        origin = batches.remember() if batches.remember is not None else None
        batches.openings += 1
        stream = opened(batches, origin, ahead=origin is None or not batches.draws)
    batches.current = stream
    if keep:
        batches.running = stream
    return stream


def opened(batches: Any, origin: Any = None, skipped: int = 0, ahead: bool = True) -> Stream:
    """Return the stream of `batches` after the `skipped` ones, whose arrays are moved to the device (`ahead` of time).

    They are copies: a generator may fill the same arrays again for its next batch.
    """
    items = batches.stream()
    place, pad = batches.placement, batches.pad
    batches.part = place.part if place is not None and (pad is None or pad.plan is None) else None
    for _ in itertools.islice(items, skipped):
        pass

    def prepare(batch: Batch) -> Batch:
        if place is None:
            put = functools.partial(to_device, copy=True)
        else:
            put = functools.partial(place.copied, own_rows=isinstance(batch, OwnBatch))
        return map_arrays(put, batches.padded(Batch(*batch)))

    return Stream(items, prepare, origin, skipped, ahead)


def _warn_missing_data(step: int, steps: int) -> None:
    warnings.warn(
        f"The data ended after {step} steps of {steps}: training continues with those. "
        "A generator must yield at least steps_per_epoch * epochs batches; make it loop with `while True`.",
        stacklevel=2,
    )


def _on_host(logs: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Return logs as Python numbers (arrays if a metric returns one), in the order of `names`."""
    found = jax.device_get(logs)
    return {name: float(found[name]) if np.ndim(found[name]) == 0 else found[name] for name in names}


def _joined(replicas: Replication, logs: Sequence[dict | None], names: list[str]) -> dict[str, Any]:
    """Return the logs of groups of replicas as means with deviations; those that did not run have NaN.

    While the model is a single replica, the logs are those of this one.
    """
    found = [
        None
        if own is None
        else [own]
        if group.alone
        else [{name: one[at] for name, one in own.items()} for at in range(group.size)]
        for group, own in zip(replicas.groups, jax.device_get(logs), strict=True)
    ]
    example = next((one[0] for one in found if one is not None), {})
    missing = {name: np.full_like(value, np.nan) for name, value in example.items()}
    each = [one for own, group in zip(found, replicas.groups, strict=True) for one in own or [missing] * group.size]
    wanted = [each[replicas.shown]] if replicas.single else each
    return {name: joined([one[name] for one in wanted]) for name in names if example}


class Predictor:
    """Prediction: whole batches in one compiled loop, a short last batch padded to a power of two.

    What layers assign to (counts, moving averages, random keys) is carried from batch to batch and kept. Rows are only
    added where each row's outputs depend on that row alone: `apart` says so, or is None where it is to be found out.
    """

    def __init__(self, learner: Learner, run_eagerly: bool = False, apart: bool | None = None) -> None:
        self.learner, self.apart = learner, False if run_eagerly else apart
        self.pad = Padding(learner, "predict", run_eagerly)
        self.text_calls: Any = None  # as of a `Program`
        step = learner.predict_step
        if learner.placement is not None and not run_eagerly:
            step = learner.placement.predicting(step, learner)
        self.one = run.predicting(step, run_eagerly)
        self.many = run.predicting_many(step)
        self._lock = threading.RLock()
        self._turn: Any = self._lock  # until it is known that predictions change nothing
        self.together: dict[int, int] = {}  # batch size -> how many rows may be computed together

    def trace(self, example: Batch) -> None:
        """Trace the prediction of a batch like `example`, without running it."""
        jax.eval_shape(self.learner.predict_step, self.learner.state_for_prediction(), Batch(example.x))

    def on_batch(self, x: Any) -> Any:
        """Return the outputs (device arrays) for one batch of rows, exactly as given."""
        return self._run(self.one, x)

    def _run(self, program: Callable, x: Any, **sizes: int) -> Any:
        """Return the outputs, and keep what changed; threads take turns if anything does."""
        padded = self.pad(Batch(x)) if self.pad.plan is not None else None
        lengths = None if padded is None else padded.lengths
        x = x if padded is None else padded.x
        if self.learner.placement is not None:
            x = map_arrays(self.learner.placement.everywhere if sizes else self.learner.placement.on_devices, x)
        with self._turn:
            state = self.learner.state_for_prediction()
            outputs, changes = program(state, x, lengths, **sizes)
            if changes:
                variables = [self.learner.others[position] for position in changes]
                advance(variables, [state.others[position] for position in changes], list(changes.values()))
        self._turn = self._lock if changes else _NO_TURNS
        return outputs if lengths is None else self.pad.cut(outputs, lengths)

    def on_padded(self, x: Any) -> Any:
        """Return the outputs as numpy arrays; rows may be padded to a power of two, so that few shapes compile."""
        rows = jax.tree.leaves(x)[0].shape[0]
        padded = 1 << (rows - 1).bit_length()
        if padded != rows:
            if self.apart is None:
                self.apart = self._rows_are_apart(x, rows, padded)
            if self.apart:
                x = map_arrays(lambda array: _padded(np.asarray(array), padded), x)
        return jax.tree.map(lambda array: np.asarray(array)[:rows], self._run(self.one, x))

    def owned(self, outputs: Any, x: Any) -> Any:
        """Return outputs for `x` as numpy arrays that the caller may write to."""
        if isinstance(outputs, np.ndarray | jax.Array) and outputs.nbytes < LEAST_IN_PLACE:  # fast path for few rows
            return np.array(outputs)
        flat = jax.tree.leaves(outputs)
        large = any(array.nbytes >= LEAST_IN_PLACE for array in flat)
        kept = [*jax.tree.leaves(x), *(variable._form for variable in self.learner.variables)] if large else []
        own = (owned(array, [*kept, *flat[:at]]) for at, array in enumerate(flat))
        return jax.tree.map(lambda _: next(own), outputs)

    def _rows_are_apart(self, x: Any, rows: int, padded: int) -> bool:
        """Try what custom layers do: whether rows that are added change the outputs of the others, or any state."""
        state = self.learner.state_for_prediction()
        try:
            first, changes = self.one(state, map_arrays(lambda array: _padded(np.asarray(array), padded), x), None)
            second, _ = self.one(
                state, map_arrays(lambda array: _padded(np.asarray(array), padded, other=True), x), None
            )
        except (TypeError, ValueError):  # a layer may fit this number of rows only
            return False
        same = jax.tree.map(lambda *arrays: _same(*(np.asarray(array)[:rows] for array in arrays)), first, second)
        only_keys = all(isinstance(self.learner.others[position], Seed) for position in changes)
        return only_keys and all(jax.tree.leaves(same))

    def on_many(self, x: Any, steps: int, size: int) -> Any:
        """Return the outputs as numpy arrays for `steps` whole batches of `size` rows."""
        if steps == 1:  # the program for one batch, shared with other calls
            return jax.tree.map(np.asarray, self._run(self.one, x))
        return jax.tree.map(np.asarray, self._run(self.many, x, steps=steps, size=size))


def _padded(array: np.ndarray, rows: int, other: bool = False) -> np.ndarray:
    """Repeat the last row until there are `rows`, or an `other` row: the first one, of floats another one than that."""
    row = array[-1:]
    if other:
        row = 1 - array[:1] if array.dtype.kind == "f" else array[:1]
    return np.concatenate([array, np.broadcast_to(row, (rows - array.shape[0], *array.shape[1:]))])


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    return bool(((first == second) | ((first != first) & (second != second))).all())
