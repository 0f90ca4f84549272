"""What XLA is told when it compiles whole programs (a block of training steps, a prediction), and for which device
operations take a form of their own."""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Iterator

import jax

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


NO_LIBRARY_KERNELS = {"xla_cpu_experimental_ynn_fusion_type": ""}
"""On CPU, jaxlib 0.10 hands unpadded 2D convolutions to a kernel library that runs them on one core at a quarter of the
speed of XLA's own kernel: five times slower on two cores. Matrix products measured the same with and without it."""


@functools.cache
def compiler_options() -> dict[str, str]:
    """The options for `jax.jit(program, compiler_options=...)` here: those that this jaxlib knows, on CPU; else none.

    >>> isinstance(compiler_options(), dict)
    True
    """
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda x: x, compiler_options=NO_LIBRARY_KERNELS).lower(0.0).compile()
    except RuntimeError:  # an older or newer jaxlib has no such option, nor the library
        return {}
    return NO_LIBRARY_KERNELS
