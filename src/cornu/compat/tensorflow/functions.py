"""The functions of the `tensorflow` stand-in: array functions, and set-up calls.

Array functions work on arrays, variables and symbolic tensors (in Lambda layers, losses, custom layers); those that
`cornu.ops` also has are made from the table in `rows.py`. Set-up calls that have no
meaning here (device memory, threads, eager mode) are accepted and do nothing; graphs that compute are not.
"""

import contextlib
import itertools
import logging
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import tensor_function
from cornu.compat.backend.from_rows import functions_of
from cornu.compat.tensorflow import loops
from cornu.compat.tensorflow.rows import OLD_KEYWORDS, ROWS
from cornu.compat.tensorflow.strings import on_text_too
from cornu.core import graph, seeds
from cornu.core.randomness import random_key
from cornu.core.variable import plain


class DType(str):
    """The name of a dtype, with the attributes of TensorFlow's dtypes."""

    name = property(str)
    as_numpy_dtype = property(lambda self: jnp.dtype(str(self)).type)
    is_floating = property(lambda self: jnp.issubdtype(str(self), jnp.floating))


float16, float32, float64, bfloat16 = map(DType, ("float16", "float32", "float64", "bfloat16"))
int8, int16, int32, int64, uint8, uint16, uint32 = map(
    DType, ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
)
bool, string = DType("bool"), DType("string")
Tensor = jax.Array | graph.SymbolicTensor


# Functions that are functions of `cornu.ops` with other names.
globals().update(functions_of(ROWS, __name__, OLD_KEYWORDS))


@tensor_function
def reshape(tensor: Any, shape: Any, name: str | None = None) -> jax.Array:
    """Return the same values in another shape; -1 is the remaining size."""
    return jnp.reshape(jnp.asarray(tensor), tuple(int(size) for size in shape))


@tensor_function
def transpose(a: Any, perm: Any = None, conjugate: Any = False, name: str | None = None) -> jax.Array:
    """Return `a` with its axes in the order `perm`, or in reverse order."""
    a = jnp.asarray(a)
    return jnp.transpose(jnp.conj(a) if conjugate else a, perm)


@tensor_function
def matmul(a: Any, b: Any, transpose_a: Any = False, transpose_b: Any = False, name: str | None = None) -> jax.Array:
    """Return the matrix product; the last two axes of `a` or `b` may be swapped first."""
    a, b = jnp.asarray(a), jnp.asarray(b)
    return jnp.matmul(a.swapaxes(-1, -2) if transpose_a else a, b.swapaxes(-1, -2) if transpose_b else b)


@tensor_function
def one_hot(
    indices: Any, depth: int, on_value: Any = 1, off_value: Any = 0, axis: int | None = None, dtype: Any = "float32",
    name: str | None = None,
) -> jax.Array:  # fmt: skip
    """Return rows with `on_value` at the index and `off_value` elsewhere, along `axis` (the last by default)."""
    hot = jax.nn.one_hot(jnp.asarray(indices), depth, axis=-1 if axis is None else axis, dtype=str(dtype))
    return hot * on_value + (1 - hot) * off_value


@tensor_function
def split(
    value: Any, num_or_size_splits: Any, axis: int = 0, num: int | None = None, name: str | None = None
) -> list[jax.Array]:
    """Return parts along an axis: a number of equal parts, or parts of the given sizes, one of which may be -1."""
    value, sizes = jnp.asarray(value), num_or_size_splits
    if np.ndim(sizes):
        sizes = [int(size) for size in sizes]
        rest = value.shape[axis] - sum(size for size in sizes if size >= 0)
        sizes = [rest if size < 0 else size for size in sizes]
        if sum(sizes) != value.shape[axis] or min(sizes) < 0:
            raise ValueError(f"split: sizes {num_or_size_splits} do not fit axis {axis} of shape {value.shape}.")
        return jnp.split(value, list(itertools.accumulate(sizes))[:-1], axis)
    return jnp.split(value, int(sizes), axis)


@tensor_function
def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: str | None = None
) -> jax.Array:
    """Return `tensor` with a pair (before, after) of values added on each axis; `mode` as numpy's, in any case."""
    pairs = [tuple(int(size) for size in pair) for pair in paddings]
    more = {"constant_values": constant_values} if mode.lower() == "constant" else {}
    return jnp.pad(jnp.asarray(tensor), pairs, mode.lower(), **more)


@tensor_function
def squared_difference(x: Any, y: Any, name: str | None = None) -> jax.Array:
    """Return ``(x - y) ** 2``."""
    return jnp.square(jnp.asarray(x) - jnp.asarray(y))


@tensor_function
def cumsum(x: Any, axis: int = 0, exclusive: Any = False, reverse: Any = False, name: str | None = None) -> jax.Array:
    """Return running sums; `exclusive` leaves each entry out of its own sum, `reverse` starts from the end."""
    return _running(jnp.cumsum, 0, x, axis, exclusive, reverse)


@tensor_function
def cumprod(x: Any, axis: int = 0, exclusive: Any = False, reverse: Any = False, name: str | None = None) -> jax.Array:
    """Return running products; `exclusive` leaves each entry out of its own product, `reverse` starts from the end."""
    return _running(jnp.cumprod, 1, x, axis, exclusive, reverse)


def _running(function: Callable, start: int, x: Any, axis: int, exclusive: Any, reverse: Any) -> jax.Array:
    x = jnp.flip(x, axis) if reverse else jnp.asarray(x)
    if exclusive:
        first: list[Any] = [slice(None)] * x.ndim
        first[axis] = 0
        x = jnp.roll(x, 1, axis).at[tuple(first)].set(start)
    result = function(x, axis)
    return jnp.flip(result, axis) if reverse else result


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> jax.Array:
    """Return an array; Python numbers with a point become float32."""
    array = jnp.asarray(value, dtype=None if dtype is None else str(dtype))
    if shape is None:
        return array
    return jnp.broadcast_to(array, tuple(shape)) if array.size == 1 else jnp.reshape(array, tuple(shape))


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Any:
    """Return an array; a symbolic tensor stays one."""
    return value if graph.is_symbolic(value) else constant(value, dtype)


def _sizes(shape: Any) -> tuple:
    """Return a shape as a tuple; a number is a vector's."""
    return (int(shape),) if np.ndim(shape) == 0 else tuple(int(size) for size in shape)


def zeros(shape: Any, dtype: Any = "float32", name: str | None = None) -> jax.Array:
    """Return an array of zeros."""
    return jnp.zeros(_sizes(shape), str(dtype))


def ones(shape: Any, dtype: Any = "float32", name: str | None = None) -> jax.Array:
    """Return an array of ones."""
    return jnp.ones(_sizes(shape), str(dtype))


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None) -> Any:
    """Return the numbers from `start` (or 0) to `limit`, as ``numpy.arange`` does.

    With a limit that a compiled function computes, they are for a ``for`` loop alone.
    """
    low, high = plain((0, start) if limit is None else (start, limit))
    if any(isinstance(one, jax.core.Tracer) for one in (low, high, delta)):
        return loops.Range(low, high, delta)
    return jnp.asarray(np.arange(low, high, plain(delta), dtype=None if dtype is None else str(dtype)))


def shape(input: Any, out_type: Any = None, name: str | None = None) -> tuple:
    """Return the sizes of the axes, in a tuple; an unknown one is None."""
    return tuple(input.shape)


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> jax.Array:
    """Return normally distributed numbers."""
    return mean + stddev * jax.random.normal(_key(seed), _sizes(shape), str(dtype))


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = 1, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> jax.Array:
    """Return uniform random numbers."""
    return jax.random.uniform(_key(seed), _sizes(shape), str(dtype), minval, maxval)


def _key(seed: Any) -> jax.Array:
    return random_key(seed, moves_on=True)


def set_seed(seed: int) -> None:
    """Seed all random numbers from here on."""
    seeds.set_random_seed(seed)


set_random_seed = set_seed

# Set-up of graphs, sessions and devices.


class _Settings:
    """Settings under any name; nothing reads them."""

    def __init__(self, *_: Any, **settings: Any) -> None:
        self.__dict__.update(settings)

    def __getattr__(self, name: str) -> "_Settings":
        if name.startswith("__"):
            raise AttributeError(name)
        setting = self.__dict__[name] = _Settings()
        return setting


ConfigProto = GPUOptions = _Settings


class Session:
    """A session that does nothing: Cornu computes eagerly, and its variables have values when they are made."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.graph = Graph()

    def run(self, fetches: Any = None, feed_dict: Any = None, **_: Any) -> Any:
        """Return None for an initializer, an array for an array; a placeholder cannot be fed (NotImplementedError)."""
        if feed_dict or graph.is_symbolic(fetches):
            raise NotImplementedError(
                "Session.run got a graph to compute, but Cornu has no TensorFlow graphs.\n"
                "Use model.predict, or keras.backend.function."
            )
        return fetches

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


InteractiveSession = Session


class Graph:
    """A graph that does nothing."""

    def as_default(self) -> contextlib.AbstractContextManager:
        """Return a context that does nothing."""
        return contextlib.nullcontext(self)

    def finalize(self) -> None:
        """Do nothing."""


def set_session(session: Any) -> None:
    """Do nothing, for ``K.set_session(tf.Session(config=config))``."""


def get_session() -> Session:
    """Return a session that does nothing."""
    return Session()


def get_default_graph() -> Graph:
    """Return a graph that does nothing."""
    return Graph()


def _nothing(*_: Any, **__: Any) -> None:
    """Do nothing: this setting of TensorFlow has no meaning here."""


reset_default_graph = global_variables_initializer = initialize_all_variables = _nothing
disable_eager_execution = enable_eager_execution = disable_v2_behavior = enable_v2_behavior = _nothing
set_memory_growth = set_visible_devices = set_soft_device_placement = enable_op_determinism = _nothing
set_inter_op_parallelism_threads = set_intra_op_parallelism_threads = set_verbosity = _nothing
DEBUG, INFO, WARN, ERROR, FATAL = 10, 20, 30, 40, 50


def executing_eagerly() -> Any:
    """Return True: values are available at once."""
    return True


@contextlib.contextmanager
def device(name: Any) -> Iterator[None]:
    """Do nothing: JAX chooses the device."""
    yield


def list_physical_devices(device_type: str | None = None) -> list[Any]:
    """Return JAX's devices of a kind (``"CPU"``, ``"GPU"``, ``"TPU"``), or all."""
    kinds = {"CPU": "cpu", "GPU": "gpu", "TPU": "tpu"}
    return [
        one
        for one in jax.devices()
        if device_type is None or one.platform == kinds.get(device_type.upper(), device_type)
    ]


list_logical_devices = get_visible_devices = list_physical_devices


def list_local_devices() -> list[Any]:
    """Return JAX's devices, with the names that TensorFlow gives them."""
    return [
        _Settings(name=f"/device:{one.platform.upper()}:{one.id}", device_type=one.platform.upper())
        for one in jax.local_devices()
    ]


def is_gpu_available(*_: Any, **__: Any) -> Any:
    """Return whether JAX has a GPU."""
    return len(list_physical_devices("GPU")) > 0


def available_gpus() -> list[str]:
    """Return the names of JAX's GPUs (``K.tensorflow_backend._get_available_gpus``)."""
    return [f"/device:GPU:{one.id}" for one in list_physical_devices("GPU")]


def gpu_device_name() -> str:
    """Return the name of the first GPU, or an empty string."""
    return "/device:GPU:0" if is_gpu_available() else ""


is_built_with_cuda = is_gpu_available


def get_logger() -> logging.Logger:
    """Return a logger with the name of TensorFlow's."""
    return logging.getLogger("tensorflow")


on_text_too(globals())
