"""The module ``tf.distribute``: `fit` splits batches over devices; what a strategy runs itself, it runs once."""

import contextlib
import enum
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.distribution import DataParallel, Distribution, distribution, set_distribution
from cornu.core.layouts import list_devices
from cornu.core.variable import plain


class ReduceOp(enum.Enum):
    """How values of several devices are joined."""

    SUM, MEAN = "SUM", "MEAN"


class Strategy:
    """The strategy of one device.

    >>> Strategy().run(lambda x: x + 1, args=(1,)), Strategy().num_replicas_in_sync
    (2, 1)
    """

    def __init__(self, devices: Any = None, *_: Any, **__: Any) -> None:
        self.extended = self
        self.distribution = self._found(devices)
        names = [] if self.distribution is None else self.distribution.device_mesh.devices.tolist()
        self.worker_devices = tuple(f"/device:{name.upper()}" for name in names or ["cpu:0"])
        self._is_running = False

    def _found(self, devices: Any) -> Distribution | None:
        """Return what splits batches over `devices`; None for one device."""
        return None

    @property
    def num_replicas_in_sync(self) -> int:
        """The number of devices; inside `run`, whose function sees whole batches, 1.

        So sums over a batch that a program divides by this number, or by a batch size that it multiplied with it, are
        right in both places.
        """
        return 1 if self.distribution is None or self._is_running else self.distribution.num_model_replicas

    @contextlib.contextmanager
    def scope(self) -> Any:
        """Return a context in which this is the strategy that `get_strategy` returns.

        Models that are compiled inside are trained on its devices, also later.
        """
        _entered.append(self)
        before = distribution()
        set_distribution(self.distribution or before)
        try:
            yield self
        finally:
            _entered.remove(self)
            set_distribution(before)

    def run(self, fn: Callable, args: Any = (), kwargs: Any = None, options: Any = None) -> Any:
        """Return what a function gives for a whole batch."""
        before, self._is_running = self._is_running, True
        try:
            return fn(*args, **(kwargs or {}))
        finally:
            self._is_running = before

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


OneDeviceStrategy = Strategy


class MirroredStrategy(Strategy):
    """Data parallelism, as `cornu.distribution.DataParallel`, if there are several devices.

    Args:
        devices: List of names such as ``"GPU:0"``, of which those count that are there. By default, also for a
            cluster's resolver, the devices of the current distribution, or all.
    """

    def _found(self, devices: Any) -> Distribution | None:
        names = [str(one).lower().rpartition("/")[2].removeprefix("device:") for one in _listed(devices)]
        there = list_devices()
        if not names and distribution() is not None:
            return distribution()
        known = [name for name in names if name in there] or (there if not names else there[:1])
        return DataParallel(devices=known) if len(known) > 1 else None


def _listed(devices: Any) -> list:
    return list(devices) if isinstance(devices, (list, tuple)) else []


MultiWorkerMirroredStrategy = TPUStrategy = CentralStorageStrategy = MirroredStrategy
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
