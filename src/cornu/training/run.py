"""The ways to run a step: many steps in one compiled loop over resident arrays, or one streamed batch at a time."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from cornu.core.placement import compiled, to_device
from cornu.data.batch import Batch
from cornu.data.zero_copy import Shared
from cornu.training.state import TrainState


def rows_of(arrays: Batch, order: jax.Array | None, start: Any, size: int) -> Batch:
    """Return `size` rows from `start` on, through the shuffled indices `order` if it is not None."""
    numbers = start + jnp.arange(size) if order is None else lax.dynamic_slice_in_dim(order, start, size)

    def rows(array: Any) -> jax.Array:
        if isinstance(array, Shared):
            return array.rows(numbers)
        if order is None:
            return lax.dynamic_slice_in_dim(array, start, size)
        return array.at[numbers].get(mode="promise_in_bounds")

    lengths, arrays = arrays.lengths, arrays._replace(lengths=None)
    return jax.tree.map(rows, arrays, is_leaf=lambda leaf: isinstance(leaf, Shared))._replace(lengths=lengths)


def _program(run: Callable, over: Callable | None) -> Callable:
    """Compile a program that takes over its state; `over` makes it one for all replicas."""
    compile = compiled(donates="state", static="size" if "size" in inspect.signature(run).parameters else ())
    return compile(run) if over is None else over(run, compile)


def resident(step: Callable, results: Callable, until_nan: bool = False, over: Callable | None = None) -> Callable:
    """Compile ``run(state, logs, arrays, order, start, stop, size)``: steps `start` to `stop` of `size` rows each.

    The bounds are traced, so that one compilation serves any number of steps; the state is donated. With `until_nan`
    the loop ends after the first step with a loss that is not finite, and returns the number of the next step too.
    `over` makes it a program for all replicas, as `Replication.over` does.
    """

    def run_until_nan(
        state: TrainState, logs: dict, arrays: Batch, order: Any, start: Any, stop: Any, *, size: int
    ) -> tuple[TrainState, dict, dict, Any]:
        def goes_on(carry: tuple) -> Any:
            index, state, logs = carry
            loss = (logs or results(state)).get("loss", 0.0)
            return (index < stop) & ((index == start) | jnp.all(jnp.isfinite(loss)))

        def body(carry: tuple) -> tuple:
            index, state, _ = carry
            return (index + 1, *step(state, rows_of(arrays, order, index * size, size)))

        reached, state, logs = lax.while_loop(goes_on, body, (start, state, logs))
        return state, logs, results(state), reached

    def run(
        state: TrainState, logs: dict, arrays: Batch, order: Any, start: Any, stop: Any, *, size: int
    ) -> tuple[TrainState, dict, dict]:
        def body(index: Any, carry: tuple) -> tuple:
            return step(carry[0], rows_of(arrays, order, index * size, size))

        state, logs = lax.fori_loop(start, stop, body, (state, logs))
        return state, logs, results(state)

    return _program(run_until_nan if until_nan else run, over)


def resident_rest(step: Callable, results: Callable, over: Callable | None = None) -> Callable:
    """Compile ``run(state, arrays, order, start, size)``: the short last batch, as one step with its own shape."""

    def run(state: TrainState, arrays: Batch, order: Any, start: Any, *, size: int) -> tuple[TrainState, dict, dict]:
        state, logs = step(state, rows_of(arrays, order, start, size))
        return state, logs, results(state)

    return _program(run, over)


def streamed(step: Callable, results: Callable, over: Callable | None = None) -> Callable:
    """Compile ``run(state, batch)``: one step on one batch."""

    def run(state: TrainState, batch: Batch) -> tuple[TrainState, dict, dict]:
        state, logs = step(state, batch)
        return state, logs, results(state)

    return _program(run, over)


def eager(step: Callable, results: Callable) -> Callable:
    """Return ``run(state, batch)`` without compiling it, for ``run_eagerly=True``."""

    def run(state: TrainState, batch: Batch) -> tuple[TrainState, dict, dict]:
        state, logs = step(state, jax.tree.map(to_device, batch))
        return state, logs, results(state)

    return run


def predicting(step: Callable, run_eagerly: bool = False) -> Callable:
    """Compile ``run(state, x, lengths)``: the outputs for one batch, and what it changed."""

    def run(state: TrainState, x: Any, lengths: Any = None) -> tuple[Any, dict]:
        return step(state, Batch(jax.tree.map(to_device, x), lengths=lengths))

    return run if run_eagerly else compiled()(run)


def predicting_many(step: Callable) -> Callable:
    """Compile ``run(state, x, lengths, steps, size)``: the outputs of `steps` whole batches, in one loop.

    Each batch finds what the one before it changed, as in training.
    """

    @compiled(static=("steps", "size"))
    def run(state: TrainState, x: Any, lengths: Any = None, *, steps: int, size: int) -> tuple[Any, dict]:
        x = jax.tree.map(lambda array: array.reshape(steps, size, *array.shape[1:]), x)

        positions: set[int] = set()

        def body(state: TrainState, rows: Any) -> tuple[TrainState, Any]:
            outputs, changes = step(state, Batch(rows, lengths=lengths))
            positions.update(changes)
            others = tuple(changes.get(position, value) for position, value in enumerate(state.others))
            return state._replace(others=others), outputs

        state, outputs = lax.scan(body, state, x)
        outputs = jax.tree.map(lambda array: array.reshape(-1, *array.shape[2:]), outputs)
        return outputs, {position: state.others[position] for position in sorted(positions)}

    return run
