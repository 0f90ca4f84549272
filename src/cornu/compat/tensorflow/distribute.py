"""The module ``tf.distribute`` of one machine: a strategy runs everything once."""

import contextlib
import enum
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.variable import plain


class ReduceOp(enum.Enum):
    """How values of several devices are joined."""

    SUM, MEAN = "SUM", "MEAN"


class Strategy:
    """A distribution strategy: JAX chooses the devices, and there is one copy of everything.

    >>> Strategy().run(lambda x: x + 1, args=(1,)), Strategy().num_replicas_in_sync
    (2, 1)
    """

    num_replicas_in_sync = 1

    def __init__(self, *_: Any, **__: Any) -> None:
        self.extended = self
        self.worker_devices = ("/device:CPU:0",)

    @contextlib.contextmanager
    def scope(self) -> Any:
        """Return a context in which this is the strategy that `get_strategy` returns."""
        _entered.append(self)
        try:
            yield self
        finally:
            _entered.remove(self)

    def run(self, fn: Callable, args: Any = (), kwargs: Any = None, options: Any = None) -> Any:
        """Return what a function gives."""
        return fn(*args, **(kwargs or {}))

    experimental_run_v2 = run

    def reduce(self, reduce_op: Any, value: Any, axis: Any = None) -> Any:
        """Return a value as it is, or its sum or mean along an axis."""
        how = jnp.mean if str(getattr(reduce_op, "value", reduce_op)).upper() == "MEAN" else jnp.sum
        return value if axis is None else jax.tree.map(lambda one: how(jnp.asarray(plain(one)), axis), value)

    def gather(self, value: Any, axis: int) -> Any:
        """Return a value as it is."""
        return value

    def experimental_local_results(self, value: Any) -> tuple:
        """Return the value of the one copy."""
        return (value,)

    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        """Return a data set as it is."""
        return dataset

    def distribute_datasets_from_function(self, dataset_fn: Callable, options: Any = None) -> Any:
        """Return the data set that a function of a context makes."""
        return dataset_fn(InputContext())

    experimental_distribute_datasets_from_function = distribute_datasets_from_function


MirroredStrategy = OneDeviceStrategy = MultiWorkerMirroredStrategy = TPUStrategy = CentralStorageStrategy = Strategy
_entered: list[Strategy] = []
_default = Strategy()


class InputContext:
    """Which part of the data the one worker reads: all."""

    num_input_pipelines, input_pipeline_id, num_replicas_in_sync = 1, 0, 1

    def get_per_replica_batch_size(self, global_batch_size: int) -> int:
        """Return the size of a batch."""
        return global_batch_size


class ReplicaContext:
    """What code that runs in the one copy may ask."""

    num_replicas_in_sync, replica_id_in_sync_group = 1, 0

    def all_reduce(self, reduce_op: Any, value: Any, options: Any = None) -> Any:
        """Return a value as it is."""
        return value

    def merge_call(self, merge_fn: Callable, args: Any = (), kwargs: Any = None) -> Any:
        """Return what a function of the strategy gives."""
        return merge_fn(get_strategy(), *args, **(kwargs or {}))


def get_strategy() -> Strategy:
    """Return the strategy whose scope is open, or the default one."""
    return _entered[-1] if _entered else _default


def has_strategy() -> bool:
    """Return whether a strategy's scope is open."""
    return bool(_entered)


def in_cross_replica_context() -> bool:
    """Return whether a strategy's scope is open."""
    return bool(_entered)


def get_replica_context() -> ReplicaContext | None:
    """Return what code in the one copy may ask; None in a strategy's scope."""
    return None if _entered else ReplicaContext()
