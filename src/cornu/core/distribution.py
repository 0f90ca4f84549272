"""Distributions: what says how the batch and the variables of a model are split over devices."""

import contextlib
import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from cornu.core import settings
from cornu.core.jax_internals import check_device
from cornu.core.layouts import DeviceMesh, LayoutMap, TensorLayout, list_devices
from cornu.core.placement import is_even
from cornu.core.seeds import fresh_seed

BATCH = "batch"
#: Numbers in a variable from which `shard_state` splits it: a smaller one takes longer to send than it saves.
LEAST_SPLIT = 1 << 10


class Distribution:
    """Base class of distributions.

    A custom one overrides `get_data_layout`, `get_variable_layout` and `get_tensor_layout`.

    Args:
        device_mesh: The devices.
        batch_dim_name: The axis of the mesh that splits batches.
        auto_shard_dataset: Whether each of several processes computes its rows of the batches that all of them read.
            With False, each gives its own rows: the batch is those of all processes, which give as many.
    """

    def __init__(
        self, device_mesh: DeviceMesh, batch_dim_name: str | None = None, auto_shard_dataset: bool = True
    ) -> None:
        self._device_mesh, self._batch_dim_name = device_mesh, batch_dim_name
        self._auto_shard_dataset = auto_shard_dataset

    @property
    def device_mesh(self) -> DeviceMesh:
        """The devices."""
        return self._device_mesh

    @property
    def batch_dim_name(self) -> Any:
        """The axis of the mesh that splits batches."""
        return self._batch_dim_name

    @property
    def auto_shard_dataset(self) -> bool:
        """Whether each of several processes computes its rows of the batches that all read, or gives its own."""
        return self._auto_shard_dataset

    @auto_shard_dataset.setter
    def auto_shard_dataset(self, value: bool) -> None:
        self._auto_shard_dataset = value

    @property
    def num_processes(self) -> int:
        """The number of processes."""
        check_device()
        return jax.process_count()

    @property
    def num_model_replicas(self) -> int:
        """The number of copies of the model."""
        raise NotImplementedError

    @property
    def data_shard_id(self) -> int:
        """Which part of the data this process reads, counted from 0."""
        processes, replicas = self.num_processes, self.num_model_replicas
        return jax.process_index() // (1 if replicas >= processes else processes // replicas)

    def get_data_layout(self, data_shape: Sequence[int]) -> TensorLayout:
        """Return the layout of a batch of this shape: its first axis is split."""
        return TensorLayout([self._batch_dim_name, *[None] * (len(data_shape) - 1)], self._device_mesh)

    def get_variable_layout(self, variable: Any) -> TensorLayout:
        """Return the layout of a variable."""
        raise NotImplementedError

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """Return the layout of a layer's outputs, by a path such as ``"model/dense/output"``; None leaves it open."""
        raise NotImplementedError

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Make this the current distribution inside a ``with`` block."""
        before = distribution()
        set_distribution(self)
        try:
            yield
        finally:
            set_distribution(before)

    def distribute_dataset(self, dataset: Any) -> Any:
        """Return a data set as it is: one process reads all of it."""
        return dataset

    def _given_layout(self, variable: Any) -> TensorLayout | None:
        return getattr(variable, "_layout", None)

    def _whole(self, variable: Any) -> TensorLayout:
        return TensorLayout([None] * len(variable.shape), self._device_mesh)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} device_mesh={self.device_mesh}>"


class DataParallel(Distribution):
    """Each device computes a part of the batch, and has a copy of all variables.

    The results are those of one device with the same batches, but for rounding.

    Args:
        device_mesh: The devices; the first axis splits the batch.
        devices: Or their names; all devices by default.
        auto_shard_dataset: Whether each of several processes computes its rows of the batches that all of them read.
            With False, each gives its own rows: the batch is those of all processes, which give as many.
        shard_state: Whether large trainable variables and the optimizer's state for them are split as well, not
            copied: each device holds a part, where an axis can be split evenly. Less memory for more communication.
            Keras has no such argument.

    Raises:
        ValueError: `device_mesh` is not a mesh.

    Follows https://keras.io/api/distribution/data_parallel/

    >>> DataParallel(devices=["cpu:0"])
    <DataParallel device_mesh=<DeviceMesh shape=(1,), axis_names=['batch']>>
    """

    def __init__(
        self,
        device_mesh: DeviceMesh | None = None,
        devices: Sequence[Any] | None = None,
        auto_shard_dataset: bool = True,
        shard_state: bool = False,
    ) -> None:
        self.shard_state = shard_state
        if device_mesh:
            if not isinstance(device_mesh, DeviceMesh):
                raise ValueError(f"device_mesh must be a DeviceMesh; got {device_mesh!r}, a {type(device_mesh)}.")
            super().__init__(device_mesh, device_mesh.axis_names[0], auto_shard_dataset)
            if device_mesh.devices.ndim != 1:
                warnings.warn(
                    f"DataParallel takes a mesh with one axis; got {device_mesh}. Its first axis splits the batch.",
                    stacklevel=2,
                )
            return
        devices = list(devices) if devices is not None and len(devices) else list_devices()
        super().__init__(DeviceMesh((len(devices),), [BATCH], devices), BATCH, auto_shard_dataset)

    @property
    def num_model_replicas(self) -> int:
        """The number of devices."""
        return self.device_mesh.devices.size

    def get_variable_layout(self, variable: Any) -> TensorLayout:
        """Return the layout of a variable: its own, or a copy on each device, or a part with `shard_state`."""
        found = self._given_layout(variable) or self._whole(variable)
        if not self.shard_state or any(found.axes) or not variable.trainable or variable.size < LEAST_SPLIT:
            return found
        # The longest axis that can be split: long rows are read and sent at once.
        for axis in sorted(range(len(found.axes)), key=lambda axis: -variable.shape[axis]):
            split = TensorLayout([self.batch_dim_name if a == axis else None for a in range(len(found.axes))])
            split.device_mesh = self.device_mesh
            if is_even(variable.shape, split.backend_layout):
                return split
        return found

    def get_tensor_layout(self, path: str) -> None:
        """Return None: the compiler chooses."""


class ModelParallel(Distribution):
    """Variables are split over devices as a `LayoutMap` says, batches along another axis of the mesh.

    Args:
        layout_map: The layouts of variables by their paths; the others are copied to all devices.
        batch_dim_name: The axis of the mesh that splits batches; its first by default.
        auto_shard_dataset: Whether each of several processes computes its rows of the batches that all of them read.
            With False, each gives its own rows: the batch is those of all processes, which give as many.
        device_mesh: Accepted for compatibility: the mesh is that of `layout_map`.

    Raises:
        ValueError: `layout_map` is missing, or is not a `LayoutMap`.

    Follows https://keras.io/api/distribution/model_parallel/

    >>> layouts = LayoutMap(DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"]))
    >>> ModelParallel(layout_map=layouts).batch_dim_name
    'batch'
    """

    def __init__(
        self,
        *,
        layout_map: LayoutMap | None = None,
        batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
        device_mesh: Any = None,
    ) -> None:
        if not isinstance(layout_map, LayoutMap):
            raise ValueError(f"ModelParallel needs layout_map=LayoutMap(device_mesh); got {layout_map!r}.")
        mesh = layout_map.device_mesh
        super().__init__(mesh, batch_dim_name or mesh.axis_names[0], auto_shard_dataset)
        self._layout_map = layout_map
        processes, replicas = self.num_processes, self.num_model_replicas
        if processes > replicas and processes % replicas:
            raise ValueError(f"{processes} processes cannot share {replicas} copies of the model evenly.")

    @property
    def num_model_replicas(self) -> int:
        """The size of the mesh along the axis that splits batches."""
        return dict(zip(self.device_mesh.axis_names, self.device_mesh.shape, strict=True))[self.batch_dim_name]

    def get_variable_layout(self, variable: Any) -> TensorLayout:
        """Return the layout of a variable: its own, that of its path, or a copy on each device."""
        return self._given_layout(variable) or self._layout_map[variable.path] or self._whole(variable)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """Return the layout of a layer's outputs by their path, or None."""
        return self._layout_map[path]


_current: Distribution | None = None


def distribution() -> Distribution | None:
    """Return the current distribution, or None.

    >>> distribution()
    """
    global _current
    make = settings.first_distribution()
    if make is not None:
        settings.set_first_distribution(None)
        _current = make()
    return _current


def set_distribution(value: Distribution | None) -> None:
    """Make a distribution the current one, for all threads; None trains on one device again.

    Raises TypeError for anything else.

    >>> set_distribution(None)
    """
    global _current
    settings.set_first_distribution(None)
    if value is not None and not isinstance(value, Distribution):
        raise TypeError(f"set_distribution takes a distribution such as DataParallel(), or None; got {value!r}.")
    _current = value


def initialize(
    job_addresses: str | None = None, num_processes: int | None = None, process_id: int | None = None
) -> None:
    """Join several processes before anything is computed.

    Args:
        job_addresses: ``"host:port"`` of the first process, or of all, separated by commas.
        num_processes: The number of processes.
        process_id: The number of this one, from 0.

    Each may be an environment variable instead: ``KERAS_DISTRIBUTION_JOB_ADDRESSES``, ``..._NUM_PROCESSES`` and
    ``..._PROCESS_ID``.

    Raises:
        ValueError: The number of addresses is not that of the processes.
        RuntimeError: JAX has computed already, or the first process cannot be reached.

    Follows https://keras.io/api/distribution/distribution_utils/
    """
    prefix = "KERAS_DISTRIBUTION_"
    addresses = job_addresses if job_addresses is not None else os.environ.get(f"{prefix}JOB_ADDRESSES")
    counts = [
        int(os.environ[prefix + name]) if given is None and prefix + name in os.environ else given
        for name, given in (("NUM_PROCESSES", num_processes), ("PROCESS_ID", process_id))
    ]
    known = addresses.split(",") if addresses else []
    if len(known) > 1 and counts[0] is not None and counts[0] != len(known):
        raise ValueError(f"There are {len(known)} addresses for {counts[0]} processes: {addresses!r}.")
    from cornu.core import jax_processes

    job = jax_processes.detected(known[0] if known else addresses, *counts)
    if job is None:
        raise ValueError(
            "initialize() finds no SLURM, Open MPI or Kubernetes job around this process: pass job_addresses, "
            "num_processes and process_id, or set the environment variables."
        )
    group = jax_processes.join(job)
    np.random.seed(group.agreed(fresh_seed() % 2**32))
