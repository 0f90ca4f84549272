"""``tf.GradientTape``: gradients of what ran while the tape was open."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow.recording import (
    Log,
    Record,
    Recorder,
    arrays_of,
    between,
    connections,
    current_recorder,
    functions_of,
    path_of,
    pulled_back,
    spread,
)
from cornu.core.dtype_policies import is_float
from cornu.core.jax_internals import current_watching
from cornu.core.variable import Variable

#: What `unconnected_gradients` may be.
NONE, ZERO = "none", "zero"


class GradientTape:
    """Records what is computed in its ``with`` block, for `gradient`. Stand-in for ``tf.GradientTape``.

    Trainable variables are watched when they are read, other arrays after `watch`. What is computed from something
    watched is recorded, by any function: layers, losses, ``tf``, ``keras.ops``, JAX.

    Args:
        persistent: Whether `gradient` and its relatives may be called more than once.
        watch_accessed_variables: Whether trainable variables are watched when they are read.

    Follows https://www.tensorflow.org/api_docs/python/tf/GradientTape

    >>> w = Variable(3.0)
    >>> with GradientTape() as tape:
    ...     z = w * w + 2 * w
    >>> print(tape.gradient(z, w))
    8.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent, self._watches_accessed = persistent, watch_accessed_variables
        self._log = Log(watch_accessed_variables)
        self._is_used = False
        self._recorder: Recorder | None = None  # while it records

    def __enter__(self) -> "GradientTape":
        if self._recorder is not None:
            raise ValueError("Tape is already recording.")
        if self._is_used:
            self._log, self._is_used = Log(self._watches_accessed), False
        self._start()
        return self

    def __exit__(self, *problem: Any) -> None:
        self._stop()

    def _start(self) -> None:
        self._recorder = current_recorder()
        self._recorder.open(self._kept)

    def _stop(self) -> None:
        if self._recorder is not None:
            self._recorder.close(self._kept)
            self._recorder = None

    @property
    def _kept(self) -> Log:
        if self._is_used:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians).\n"
                "Make it with tf.GradientTape(persistent=True)."
            )
        return self._log

    def watch(self, tensor: Any) -> None:
        """Watch an array, a variable, or a structure of them. ValueError for anything else."""
        log = self._kept
        for one in _flat(tensor):
            if not isinstance(one, jax.Array | Variable):
                raise ValueError(
                    f"GradientTape.watch needs a tensor or a variable; got a {type(one).__name__}.\n"
                    "Convert it first: x = tf.convert_to_tensor(x)."
                )
            if isinstance(one, Variable):
                log.asked.add(id(one))
                log.see(one, one._value if self._recorder is None else self._recorder.read(one, one._value))
            elif jnp.issubdtype(one.dtype, jnp.inexact):
                log.watched[id(one)] = one

    @contextlib.contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Record nothing inside a ``with`` block."""
        if self._recorder is None:
            raise ValueError("Tape is not recording.")
        self._stop()
        try:
            yield
        finally:
            self._start()

    def reset(self) -> None:
        """Forget what is recorded and watched."""
        recording = self._recorder is not None
        if recording:
            self._stop()
        self._log, self._is_used = Log(self._watches_accessed), False
        if recording:
            self._start()

    def watched_variables(self) -> tuple[Variable, ...]:
        """Return the variables that are watched, in the order in which they were first read."""
        return tuple(variable for variable, _ in self._log.variables.values())

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: Any = NONE
    ) -> Any:
        """Return the gradients of `target` (entries, and several targets, are summed) in the structure of `sources`.

        Args:
            target: An array or variable, or a structure of them.
            sources: Variables and arrays, in any structure.
            output_gradients: Weights of the target's entries, in the structure of `target`.
            unconnected_gradients: ``"none"`` or ``"zero"``: what a source gets that the target does not depend on.
        """
        log = self._log_to_use()
        targets = [_current(log, one) for one in _flat(target)]
        weights = [None] * len(targets) if output_gradients is None else _flat(output_gradients, none=True)
        pairs = [(one, weight) for one, weight in zip(targets, weights, strict=True) if _is_float(one)]

        def compute(chosen: list[Record], arrays: list[Any], targets: list[Any]) -> list[Any]:
            upstream = [None if weight is None else jnp.asarray(_plain(weight)) for _, weight in pairs]
            if current_watching() is None and any(record.pull for record in chosen):
                return pulled_back(chosen, arrays, targets, upstream)
            path = path_of(chosen, arrays, targets)
            return spread(path, functions_of(path, arrays).vjp(arrays, path.outer, upstream))

        return self._by_source(log, [one for one, _ in pairs], sources, compute, unconnected_gradients)

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = NONE,
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Return the derivatives of each entry of `target`: (shape of target, shape of source), for each source."""
        log = self._log_to_use()

        def compute(chosen: list[Record], arrays: list[Any], targets: list[Any]) -> list[Any]:
            path = path_of(chosen, arrays, targets)
            return spread(path, functions_of(path, arrays).jacobian(arrays, path.outer))

        return self._by_source(log, [_current(log, target)], sources, compute, unconnected_gradients)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Any = NONE,
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Return for each row the derivatives of its target: (rows, rest of target, rest of source).

        Row *i* of `target` must depend on row *i* of `source` alone. ValueError if they have other numbers of rows.
        """
        log = self._log_to_use()
        target = _current(log, target)
        if not target.ndim or not source.ndim or target.shape[0] != source.shape[0]:
            raise ValueError(
                "batch_jacobian needs a target and a source with the same number of rows; got the shapes "
                f"{tuple(target.shape)} and {tuple(source.shape)}."
            )

        def compute(chosen: list[Record], arrays: list[Any], targets: list[Any]) -> list[Any]:
            path, entries = path_of(chosen, arrays, targets), target.ndim - 1
            found = functions_of(path, arrays).jacobian(arrays, path.outer, rows=1)
            return spread(path, [jnp.moveaxis(one, entries, 0) for one in found])

        found = self._by_source(log, [target], source, compute, unconnected_gradients)
        return jnp.zeros((*target.shape, *source.shape[1:]), source.dtype) if found is None else found

    def _log_to_use(self) -> Log:
        """Return the log; a tape that is not persistent gives it once, and stops recording."""
        log = self._kept
        if not self._persistent:
            self._stop()
            self._log, self._is_used = log.without_records(), True
        return log

    def _by_source(self, log: Log, targets: list[Any], sources: Any, compute: Any, unconnected: Any) -> Any:
        """Return what `compute` gives for the arrays of each source, in the structure of `sources`."""
        flat = _flat(sources)
        arrays = [[one for one in several if _is_float(one)] for several in arrays_of(log, flat)]
        distinct = list({id(one): one for several in arrays for one in several}.values())
        by_id: dict[int, Any] = {}
        if distinct and targets:
            chosen = between(log.records, distinct, targets)
            connected = connections(chosen, distinct, targets)
            if any(connected):
                with _explained():
                    found = compute(chosen, distinct, targets)
                for one, is_connected, gradient in zip(distinct, connected, found, strict=True):
                    if is_connected:
                        by_id[id(one)] = gradient
        found = [_sum([by_id[id(one)] for one in several if id(one) in by_id]) for several in arrays]
        if str(getattr(unconnected, "value", unconnected)).lower() == ZERO:
            found = [
                jnp.zeros(one.shape, one.dtype) if gradient is None else gradient
                for one, gradient in zip(flat, found, strict=True)
            ]
        given = iter(found)
        return jax.tree.map(lambda _: next(given), sources, is_leaf=_is_leaf)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Explain why there is no gradient through a compiled loop."""
    try:
        yield
    except ValueError as error:
        if "Reverse-mode differentiation" not in str(error):
            raise
        raise ValueError(
            "GradientTape cannot go back through a compiled loop whose number of turns the program computes.\n"
            "Pass tf.while_loop a number as maximum_iterations, or loop over a tensor of known length."
        ) from None


def _current(log: Log, target: Any) -> Any:
    """Return the array of a target."""
    if isinstance(target, Variable):
        seen = log.variables.get(id(target))
        return seen[1][-1] if seen else target.value
    return target if isinstance(target, jax.Array) else jnp.asarray(target)


def _sum(parts: list[Any]) -> Any:
    return sum(parts[1:], parts[0]) if parts else None


def _is_leaf(one: Any) -> bool:
    return isinstance(one, Variable)


def _flat(structure: Any, none: bool = False) -> list[Any]:
    return jax.tree.leaves(structure, is_leaf=lambda one: _is_leaf(one) or (none and one is None))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Variable) else value


def _is_float(value: Any) -> bool:
    return is_float(np.dtype(value.dtype)) if hasattr(value, "dtype") else False


class UnconnectedGradients:
    """What `gradient` gives for a source that the target does not depend on."""

    NONE, ZERO = NONE, ZERO


def custom_gradient(f: Any) -> Any:
    """Decorate a function that returns its result and a function of the upstream gradients: ``return y, grad``.

    >>> @custom_gradient
    ... def half(x):
    ...     return x, lambda upstream: upstream * 0.5
    >>> x = Variable(3.0)
    >>> with GradientTape() as tape:
    ...     y = half(x)
    >>> print(tape.gradient(y, x))
    0.5
    """

    @jax.custom_vjp
    def call(*args: Any) -> Any:
        return _plain_structure(f(*args)[0])

    def forward(*args: Any) -> tuple[Any, Any]:
        return call(*args), args

    def backward(args: Any, upstream: Any) -> tuple:
        several = tuple(upstream) if isinstance(upstream, (list, tuple)) else (upstream,)
        found = f(*args)[1](*several)
        gradients = tuple(found) if isinstance(found, (list, tuple)) else (found,)
        return tuple(
            jnp.zeros_like(one) if gradient is None else jnp.asarray(gradient)
            for one, gradient in zip(args, gradients, strict=True)
        )

    call.defvjp(forward, backward)

    @functools.wraps(f)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            return custom_gradient(functools.partial(f, **kwargs))(*args)
        return call(*[jnp.asarray(_plain(one)) for one in args])

    return decorated


def _plain_structure(structure: Any) -> Any:
    return jax.tree.map(_plain, structure, is_leaf=_is_leaf)


def grad_pass_through(f: Any) -> Any:
    """Return a function with the same results whose gradient is that of the identity."""

    @functools.wraps(f)
    def call(x: Any) -> Any:
        value = jnp.asarray(_plain(x))
        return value + jax.lax.stop_gradient(jnp.asarray(_plain(f(value))) - value)

    return call


def recompute_grad(f: Any) -> Any:
    """Return the function itself: XLA decides what is kept for gradients."""
    return f
