"""Where arrays are put: the one place that decides it for variables, data and programs.

Host arrays become arrays of the device in `to_device`, or of several devices in `laid_out`, and `compiled` says which
arrays a program may take over.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec, Sharding

from cornu.core.jax_internals import check_device, compiler_options

ALIGNMENT = 64  # bytes: XLA's CPU programs read foreign memory only if it is aligned


def to_device(value: Any, dtype: Any = None, *, copy: bool | None = None) -> jax.Array:
    """Return `value` as an array on the device. Every array of a variable, a batch or a checkpoint passes here.

    Args:
        value: An array of any library, a number, a (nested) list of numbers, or a variable.
        dtype: The type of the result; by default that of `value`, in the precision that the device has.
        copy: None copies where that is needed: JAX may go on reading the memory of a host array. True makes an array
            that nobody else holds, whatever happens to `value` afterwards: what a program may take over. False reads
            the memory of a numpy array where it is, as far as the device can.

    Returns:
        An array of JAX; a tracer for a tracer.
    """
    check_device()
    if copy is None:
        return jnp.asarray(value, dtype=dtype)
    if not copy:
        return jax.device_put(value if dtype is None else np.asarray(value, dtype))
    value = value.__jax_array__() if hasattr(value, "__jax_array__") else value
    if _is_host_memory(value):
        host = np.asarray(value)
        known = None if dtype is None or np.dtype(dtype) == host.dtype else dtype  # saves JAX half of the time
        return jnp.array(host, dtype=known, copy=True).block_until_ready()  # until then `value` must not change
    array = jnp.asarray(value, dtype=dtype)
    is_given = array is value and not isinstance(array, jax.core.Tracer)
    return jnp.array(array, copy=True) if is_given else array


def laid_out(value: Any, sharding: Sharding) -> jax.Array:
    """Return a concrete array as `sharding` lays it out over devices; `value` itself if it is so already.

    Host memory that several CPU devices hold whole is read where it is, by all of them. If some of them are another
    process's, each process gives what is for its own.
    """
    if isinstance(value, jax.Array) and (
        value.sharding == sharding or value.sharding.is_equivalent_to(sharding, value.ndim)
    ):
        return value
    if sharding.is_fully_addressable and not (sharding.is_fully_replicated and isinstance(value, np.ndarray)):
        return jax.device_put(value, sharding)
    host = on_host(value)
    if sharding.is_fully_replicated:
        parts = [jax.device_put(host, device) for device in sharding.addressable_devices]
        return jax.make_array_from_single_device_arrays(host.shape, sharding, parts)
    host = host.astype(jax.dtypes.canonicalize_dtype(host.dtype), copy=False)
    return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index])


def on_host(value: Any) -> np.ndarray:
    """Return an array as one of numpy. If it is split over several processes, all of them call this together."""
    if isinstance(value, jax.Array) and not (value.is_fully_addressable or value.is_fully_replicated):
        whole = NamedSharding(value.sharding.mesh, PartitionSpec())  # type: ignore[attr-defined]
        value = jax.jit(lambda array: array, out_shardings=whole)(value)
    return np.asarray(value)


def is_even(shape: Sequence[int], sharding: Sharding) -> bool:
    """Return whether `sharding` gives each device as much of an array of this shape: only such arrays can be laid out.

    Inside a program any can: the compiler fills the last parts up, and leaves that out of sums.
    """
    try:
        sharding.shard_shape(tuple(shape))
    except ValueError:
        return False
    return True


def constrained(value: jax.Array, sharding: Sharding) -> jax.Array:
    """Return a value of a program that is being traced, laid out by `sharding`."""
    return jax.lax.with_sharding_constraint(value, sharding)


def concrete(value: Any, dtype: Any = None, *, copy: bool | None = None) -> jax.Array:
    """Return `value` on the device, not as a tracer, also while a function is being traced; a tracer stays one."""
    if isinstance(value, jax.core.Tracer):
        return value if dtype is None else value.astype(dtype)
    with jax.ensure_compile_time_eval():
        return to_device(value, dtype, copy=copy)


def aligned(shape: tuple[int, ...], dtype: Any, make: Callable[..., np.ndarray] = np.empty) -> np.ndarray:
    """Return an array of numpy that ``to_device(..., copy=False)`` reads where it is; `make` is numpy's function.

    >>> aligned((2, 3), "float32", np.zeros).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = make(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


def _is_host_memory(value: Any) -> bool:
    """Return whether `value` is, or gives numpy, memory that its owner may change."""
    return isinstance(value, np.ndarray) or (
        hasattr(value, "__array__") and not isinstance(value, (jax.Array, np.generic))
    )


def compiled(*, donates: str | Sequence[str] = (), static: str | Sequence[str] = ()) -> Callable[[Callable], Any]:
    """Decorate a function: it is compiled when it is first called.

    Args:
        donates: Names of arguments whose arrays the program takes over: their memory holds its results, and the
            arrays given are gone afterwards.
        static: Names of arguments that are part of the program; each of their values is compiled separately.

    Returns:
        A decorator.

    >>> add = compiled(donates="total")(lambda total, x: total + x)
    >>> int(add(to_device(1), 2))
    3
    """
    return lambda function: jax.jit(
        function, donate_argnames=donates, static_argnames=static, compiler_options=compiler_options()
    )
