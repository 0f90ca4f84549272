"""How operations are compiled: as one program, in the forms that suit the CPU, or in those that every device knows."""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax
from jax import Array, lax

_plain = contextvars.ContextVar("plain", default=False)


def takes_cpu_forms() -> bool:
    """Tell whether operations take the forms that are fast on CPU: on CPU, and not for another program to read."""
    return jax.default_backend() == "cpu" and not _plain.get()


@contextlib.contextmanager
def plain_forms() -> Iterator[None]:
    """Inside a ``with`` block, let operations be traced in the forms that every device and every other program knows.

    >>> with plain_forms():
    ...     takes_cpu_forms()
    False
    """
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


def as_one_program(*static: str) -> Callable[[Callable], Callable]:
    """Decorate a function of arrays: called on arrays, and not inside a trace, it runs as one compiled program.

    Computed one after the other, each operation goes through JAX's dispatch by itself, and one with a derivative of its
    own is traced anew each time. Arguments named in `static` are no arrays. Where one of them is a list, and where an
    argument is traced already, the function runs as it is.

    >>> @as_one_program("axis")
    ... def spread(x, axis): return x.max(axis) - x.min(axis)
    >>> spread(jax.numpy.array([1.0, 4.0]), axis=0).item()
    3.0
    """

    def decorate(function: Callable) -> Callable:
        program = jax.jit(function, static_argnames=static)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            given = (*args, *kwargs.values())
            if _plain.get() or any(isinstance(one, (jax.core.Tracer, list)) for one in given):
                return function(*args, **kwargs)
            return program(*args, **kwargs)

        return call

    return decorate


@jax.custom_vjp
@functools.partial(jax.jit, inline=True)
def written_down(*arrays: Array) -> tuple[Array, ...]:
    """The arrays as they are, the first of them of floats, each computed once and written to memory.

    On CPU, XLA's fusions compute again for every use what is cheap in itself, such as a sum over a small window, and an
    optimization barrier does not stop them. What enters a loop is written down, so here is a loop that never runs.

    >>> written_down(jax.numpy.ones(2))[0].tolist()
    [1.0, 1.0]
    """
    first = arrays[0]
    if first.size == 0:
        return arrays
    start = (0,) * first.ndim

    def goes_on(carry: tuple[Array, ...]) -> Array:  # no square is negative, which the compiler does not see
        return carry[0][start] * carry[0][start] < -1

    return lax.while_loop(goes_on, lambda carry: tuple(-each for each in carry), arrays)


written_down.defvjp(lambda *arrays: (written_down(*arrays), None), lambda _, upstream: upstream)
