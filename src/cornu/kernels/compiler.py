"""How operations are compiled: as one program, in forms that are fast on CPU or in standard forms."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.sharding import PartitionSpec

_plain = contextvars.ContextVar("plain", default=False)


class Split(NamedTuple):
    """How the program that is being traced is split over devices.

    Args:
        mesh: The devices.
        axis: The mesh's axis that splits batches, if it splits nothing else; else None.
        by_hand: Whether what is traced is one device's part, rather than the whole, which the compiler splits.
    """

    mesh: jax.sharding.Mesh
    axis: str | None
    by_hand: bool = False


_split: contextvars.ContextVar[Split | None] = contextvars.ContextVar("split", default=None)


def takes_cpu_forms() -> bool:
    """Return whether to use the forms that are fast on CPU: on CPU, and not for export.

    With several devices, they are for what one device computes of its rows: the compiler cannot split them well.
    """
    split = _split.get()
    return jax.default_backend() == "cpu" and not _plain.get() and (split is None or split.by_hand)


def takes_native_calls() -> bool:
    """Return whether programs may call native libraries: the compiler cannot split a call over devices."""
    split = _split.get()
    return jax.device_count() == 1 or (split is not None and split.by_hand)


def keeps_order() -> bool:
    """Return whether calls of Python in the program that is being traced can keep their order: on one device."""
    return _split.get() is None


@contextlib.contextmanager
def split_over_devices(split: Split | None) -> Iterator[None]:
    """Inside a ``with`` block, trace operations in forms that are split over devices along the batch; None: do not."""
    token = _split.set(split)
    try:
        yield
    finally:
        _split.reset(token)


def takes_plain_forms() -> bool:
    """Return whether operations are traced for another program, inside `plain_forms`."""
    return _plain.get()


@contextlib.contextmanager
def plain_forms() -> Iterator[None]:
    """Inside a ``with`` block, trace operations in standard forms, which every device and other program supports.

    >>> with plain_forms():
    ...     takes_cpu_forms()
    False
    """
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


def as_named_call(name: str | None, function: Callable, *arrays: Any) -> Any:
    """Return ``function(*arrays)``; in the trace of an export it is one call of this name, if there is one.

    Each result is copied there in a scope named ``result_N``, which is how to tell those that are used.

    >>> as_named_call("twice", lambda x: 2 * x, 3)
    6
    """
    if name is None or not _plain.get():
        return function(*arrays)

    def call(*arrays: Any) -> Any:
        leaves, tree = jax.tree.flatten(function(*arrays))
        for number, leaf in enumerate(leaves):
            with jax.named_scope(f"result_{number}"):
                leaves[number] = jnp.copy(leaf)
        return jax.tree.unflatten(tree, leaves)

    call.__name__ = name
    return jax.jit(call)(*arrays)


def as_one_program(*static: str, rows: dict[str, int] | None = None) -> Callable[[Callable], Callable]:
    """Decorate a function of arrays: called outside a trace, it runs as one compiled program.

    Without it, each operation goes through JAX's dispatch, and one with a custom derivative is traced again each time.
    Inside a trace, its operations become part of the trace; those for the same shapes are found once. The function runs
    as it is for an export, or if an argument is a list.

    Args:
        static: Names of the arguments that are not arrays.
        rows: The batch's axis in arguments by name, of a function that computes each row by itself and returns arrays
            of rows. With several devices, each runs it on its rows, with the other arguments as they are.

    >>> @as_one_program("axis")
    ... def spread(x, axis): return x.max(axis) - x.min(axis)
    >>> spread(jax.numpy.array([1.0, 4.0]), axis=0).item()
    3.0
    """

    def decorate(function: Callable) -> Callable:
        program = jax.jit(function, static_argnames=static)
        parameters = tuple(inspect.signature(function).parameters)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            given = (*args, *kwargs.values())
            if _plain.get() or any(isinstance(one, list) for one in given):
                return function(*args, **kwargs)
            if any(isinstance(one, jax.core.Tracer) for one in given):
                axes = None if rows is None else _axes_by_hand(rows, (*parameters[: len(args)], *kwargs), given)
                return _traced_once(function, given, tuple(kwargs), axes)
            return program(*args, **kwargs)

        return call

    return decorate


def _axes_by_hand(rows: dict[str, int], names: Sequence[str], given: tuple) -> tuple[int | None, ...] | None:
    """Return the batch's axis in each array that is given, if each device computes its rows; else None."""
    split = _split.get()
    if split is None or split.axis is None or split.by_hand:
        return None
    arrays = [(rows.get(name), one) for name, one in zip(names, given, strict=True) if isinstance(one, Array)]
    sizes = {one.shape[axis] for axis, one in arrays if axis is not None}
    return tuple(axis for axis, _ in arrays) if len(sizes) == 1 and sizes != {1} else None


def _traced_once(
    function: Callable, given: tuple, names: tuple[str, ...], axes: tuple[int | None, ...] | None = None
) -> Any:
    """Return what `function` does inside a trace: the operations of the first call with arguments like these.

    Tracing is most of the time to the first step of a network whose compiled program is kept, and its layers are alike.

    Args:
        function: The function.
        given: Its arguments.
        names: Names of the last of them, which are given by keyword.
        axes: The batch's axis in each array, if each device computes its rows.
    """
    arrays = [one for one in given if isinstance(one, Array)]
    others = tuple(_HOLE if isinstance(one, Array) else one for one in given)
    try:
        hash(others)
    except TypeError:  # arrays of numpy, structures of arrays
        return _called(function, given, names)
    return _filled(function, names, others, tuple(map(type, others)), _split.get(), axes)(*arrays)


def _called(function: Callable, given: Sequence[Any], names: tuple[str, ...]) -> Any:
    by_place = len(given) - len(names)
    return function(*given[:by_place], **dict(zip(names, given[by_place:], strict=True)))


_HOLE = object()


@functools.lru_cache(maxsize=1024)
def _filled(
    function: Callable, names: tuple[str, ...], others: tuple, kinds: tuple, split: Split | None, axes: tuple | None
) -> Callable:
    """Return a function of the arrays alone, whose trace JAX keeps; `kinds` tells 1 from 1.0 and True."""

    def call(*arrays: Any) -> Any:
        left = iter(arrays)
        return _called(function, [next(left) if one is _HOLE else one for one in others], names)

    return jax.jit(call if axes is None or split is None else _by_hand(call, split, axes), inline=True)


def _by_hand(function: Callable, split: Split, axes: tuple[int | None, ...]) -> Callable:
    """Return a function that each device runs on its rows, which are along the `axes` of the arrays.

    The gradient with respect to an array without rows is added up once, after all that the function does. Rows of zeros
    are added where there are not as many for each device.
    """

    def call(*arrays: Any) -> Any:
        with split_over_devices(split._replace(by_hand=True)):
            return function(*arrays)

    specs = tuple(PartitionSpec() if one is None else PartitionSpec(*[None] * one, split.axis) for one in axes)
    program = jax.shard_map(call, mesh=split.mesh, in_specs=specs, out_specs=PartitionSpec(split.axis), check_vma=False)

    def evenly(*arrays: Any) -> Any:
        rows = next(one.shape[axis] for one, axis in zip(arrays, axes, strict=True) if axis is not None)
        more = -rows % split.mesh.shape[split.axis]
        if not more:
            return program(*arrays)
        filled = [
            one if axis is None else jnp.pad(one, [(0, more * (at == axis)) for at in range(one.ndim)])
            for one, axis in zip(arrays, axes, strict=True)
        ]
        return jax.tree.map(lambda one: one[:rows], program(*filled))

    return evenly


@jax.custom_vjp
@functools.partial(jax.jit, inline=True)
def materialized(*arrays: Array) -> tuple[Array, ...]:
    """Return the arrays unchanged, but materialized: each computed once and stored in memory.

    On CPU, XLA's fusions recompute for every use what is cheap in itself, such as a sum over a small window, and an
    optimization barrier does not stop them. The inputs of a loop are materialized, so this is a loop that never runs.

    Args:
        arrays: The arrays; the first must be of floats.

    >>> materialized(jax.numpy.ones(2))[0].tolist()
    [1.0, 1.0]
    """
    first = arrays[0]
    if first.size == 0:
        return arrays
    start = (0,) * first.ndim

    def goes_on(carry: tuple[Array, ...]) -> Array:  # a square is never negative, which the compiler does not know
        return carry[0][start] * carry[0][start] < -1

    return lax.while_loop(goes_on, lambda carry: tuple(-each for each in carry), arrays)


materialized.defvjp(lambda *arrays: (materialized(*arrays), None), lambda _, upstream: upstream)
