"""What XLA is told when it compiles whole programs (a block of training steps, a prediction)."""

from __future__ import annotations

import functools

import jax

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
