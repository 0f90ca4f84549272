"""Settings of TensorFlow that Cornu accepts: devices, threads, eager mode, sessions and graphs that compute nothing.

Those without a meaning here do nothing, and questions get true answers.
"""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from cornu.core import graph
from cornu.core.scope import scope
from cornu.core.variable import Variable


class Settings:
    """Settings under any name; nothing reads them."""

    def __init__(self, *_: Any, **settings: Any) -> None:
        self.__dict__.update(settings)

    def __getattr__(self, name: str) -> "Settings":
        if name.startswith("__"):
            raise AttributeError(name)
        setting = self.__dict__[name] = Settings()
        return setting


class AutoShardPolicy:
    """How hosts share a data set; nothing reads it: each gets its rows of a batch."""

    AUTO, FILE, DATA, HINT, OFF = 0, 1, 2, 3, -1


ConfigProto = GPUOptions = LogicalDeviceConfiguration = VirtualDeviceConfiguration = Settings


class Session:
    """A session that does nothing: Cornu computes eagerly, and its variables have values when they are made."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.graph = Graph()

    def run(self, fetches: Any = None, feed_dict: Any = None, **_: Any) -> Any:
        """Return values as numpy: of arrays and variables, also in lists and dictionaries; None for an initializer.

        NotImplementedError for a placeholder, which cannot be fed.
        """
        if feed_dict or graph.holds_symbolic((fetches,), {}):
            raise NotImplementedError(
                "Session.run got a graph to compute, but Cornu has no TensorFlow graphs.\n"
                "Use model.predict, or keras.backend.function."
            )
        return jax.tree.map(_value, fetches, is_leaf=lambda one: isinstance(one, Variable))

    def close(self) -> None:
        """Do nothing."""

    def as_default(self) -> "Session":
        """Return the session, as a context."""
        return self

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


def _value(fetched: Any) -> Any:
    is_tensor = isinstance(fetched, (jax.Array, Variable))
    return np.array(fetched._value if isinstance(fetched, Variable) else fetched)[()] if is_tensor else fetched


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


get_default_session = get_session


def get_default_graph() -> Graph:
    """Return a graph that does nothing."""
    return Graph()


def placeholder(dtype: Any, shape: Any = None, name: Any = None) -> Any:
    """Raise NotImplementedError: there are no graphs that could be fed."""
    raise NotImplementedError(
        "tf.placeholder is a part of TensorFlow 1's graphs, which Cornu does not have.\n"
        "Use keras.Input for a model's data, or write a function of arrays: def f(x): ..., with @tf.function."
    )


placeholder_with_default = placeholder


def gradients(ys: Any, xs: Any, *_: Any, **__: Any) -> Any:
    """Raise RuntimeError, as TensorFlow does where values are computed at once."""
    raise RuntimeError(
        "tf.gradients is not supported when eager execution is enabled.\n"
        "Use tf.GradientTape: with tf.GradientTape() as tape: tape.watch(x); y = ...; then tape.gradient(y, x)."
    )


hessians = gradients


def _nothing(*_: Any, **__: Any) -> None:
    """Do nothing: this setting of TensorFlow has no meaning here."""


def _no(*_: Any, **__: Any) -> Any:
    """Return False."""
    return False


def _yes(*_: Any, **__: Any) -> Any:
    """Return True."""
    return True


def _zero(*_: Any, **__: Any) -> int:
    """Return 0: JAX chooses."""
    return 0


reset_default_graph = global_variables_initializer = local_variables_initializer = _nothing
initialize_all_variables = variables_initializer = tables_initializer = _nothing
disable_eager_execution = enable_eager_execution = disable_v2_behavior = enable_v2_behavior = _nothing
enable_resource_variables = disable_resource_variables = enable_v2_tensorshape = _nothing
set_memory_growth = set_visible_devices = set_soft_device_placement = enable_op_determinism = _nothing
set_inter_op_parallelism_threads = set_intra_op_parallelism_threads = set_verbosity = _nothing
set_virtual_device_configuration = set_logical_device_configuration = set_jit = set_experimental_options = _nothing
set_synchronous_execution = enable_tensor_float_32_execution = set_log_device_placement = set_lms_enabled = _nothing
set_device_policy = enable_check_numerics = disable_check_numerics = enable_traceback_filtering = _nothing
disable_traceback_filtering = experimental_enable_numpy_behavior = experimental_connect_to_cluster = _nothing
initialize_tpu_system = start = stop = trace_on = trace_off = trace_export = set_lms_defrag_enabled = _nothing
get_memory_growth = is_built_with_rocm = tensor_float_32_execution_enabled = _no
get_soft_device_placement = get_synchronous_execution = is_built_with_xla = executing_eagerly_outside_functions = _yes
get_inter_op_parallelism_threads = get_intra_op_parallelism_threads = get_verbosity = _zero
DEBUG, INFO, WARN, ERROR, FATAL = 10, 20, 30, 40, 50


def get_jit() -> str:
    """Return an empty string, as TensorFlow does unless it is asked to compile."""
    return ""


def get_experimental_options() -> dict:
    """Return no options."""
    return {}


def executing_eagerly() -> Any:
    """Return whether values are available at once: not inside a ``tf.function``."""
    return not scope.bound


def inside_function() -> Any:
    """Return whether a ``tf.function`` is being traced."""
    return bool(scope.bound)


@contextlib.contextmanager
def device(name: Any = None, *_: Any, **__: Any) -> Iterator[None]:
    """Do nothing: JAX chooses the device."""
    yield


name_scope = variable_scope = init_scope = device


class PhysicalDevice(NamedTuple):
    """A device of JAX, as TensorFlow describes it."""

    name: str
    device_type: str


def _devices(form: str, device_type: str | None) -> list[PhysicalDevice]:
    found = [PhysicalDevice(form.format(one.platform.upper(), one.id), one.platform.upper()) for one in jax.devices()]
    if not any(one.device_type == "CPU" for one in found):
        found.insert(0, PhysicalDevice(form.format("CPU", 0), "CPU"))
    return [one for one in found if device_type is None or one.device_type == device_type.upper()]


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Return JAX's devices of a kind (``"CPU"``, ``"GPU"``, ``"TPU"``), or all.

    >>> list_physical_devices("CPU")
    [PhysicalDevice(name='/physical_device:CPU:0', device_type='CPU')]
    """
    return _devices("/physical_device:{}:{}", device_type)


def list_logical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Return JAX's devices of a kind, or all."""
    return _devices("/device:{}:{}", device_type)


get_visible_devices = list_physical_devices


def get_device_details(device: Any) -> dict[str, Any]:
    """Return what JAX says of a device that is not the CPU."""
    return {} if device.device_type == "CPU" else {"device_name": jax.devices()[0].device_kind}


def get_memory_info(device: Any) -> dict[str, int]:
    """Return how many bytes JAX's first device uses now, and used at most."""
    stats = jax.devices()[0].memory_stats() or {}
    return {"current": stats.get("bytes_in_use", 0), "peak": stats.get("peak_bytes_in_use", 0)}


reset_memory_stats = _nothing


def list_local_devices() -> list[Any]:
    """Return JAX's devices, with the names that TensorFlow gives them."""
    return [Settings(name=one.name, device_type=one.device_type) for one in list_logical_devices()]


def is_gpu_available(*_: Any, **__: Any) -> Any:
    """Return whether JAX has a GPU."""
    return len(list_physical_devices("GPU")) > 0


is_built_with_cuda = is_built_with_gpu_support = is_gpu_available


def available_gpus() -> list[str]:
    """Return the names of JAX's GPUs (``K.tensorflow_backend._get_available_gpus``)."""
    return [one.name for one in list_logical_devices("GPU")]


def gpu_device_name() -> str:
    """Return the name of the first GPU, or an empty string."""
    return next(iter(available_gpus()), "")


def get_build_info() -> dict[str, Any]:
    """Return how the library was built."""
    return {"is_cuda_build": is_gpu_available(), "is_rocm_build": False, "is_tensorrt_build": False}


def get_logger() -> logging.Logger:
    """Return a logger with the name of TensorFlow's."""
    return logging.getLogger("tensorflow")


def log(level: int, message: Any, *args: Any) -> None:
    """Write a message to the logger."""
    get_logger().log(level, message, *args)


def info(message: Any, *args: Any) -> None:
    """Write a message to the logger."""
    get_logger().info(message, *args)


def warning(message: Any, *args: Any) -> None:
    """Write a warning to the logger."""
    get_logger().warning(message, *args)


warn = warning


def error(message: Any, *args: Any) -> None:
    """Write an error to the logger."""
    get_logger().error(message, *args)


GIT_VERSION = COMPILER_VERSION = "unknown"


class VariableSynchronization:
    """When variables on several devices agree: there is one device."""

    AUTO, NONE, ON_WRITE, ON_READ = range(4)


class VariableAggregation:
    """How values for variables on several devices are joined: there is one device."""

    NONE, SUM, MEAN, ONLY_FIRST_REPLICA = range(4)
