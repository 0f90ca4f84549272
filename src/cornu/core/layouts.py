"""How arrays are laid out over devices: meshes of devices, layouts on a mesh, and layouts by the names of variables."""

import math
import re
from collections.abc import Iterator, MutableMapping, Sequence
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from cornu.core.jax_internals import check_device


def list_devices(device_type: str | None = None) -> list[str]:
    """Return the names of all devices, such as ``"cpu:0"``, also those of other processes.

    Args:
        device_type: ``"cpu"``, ``"gpu"`` or ``"tpu"``; by default the kind that JAX uses.

    Returns:
        A list of strings ``"kind:number"``.

    Raises:
        RuntimeError: There is no device of this kind.

    Follows https://keras.io/api/distribution/distribution_utils/

    >>> list_devices("cpu")[0]
    'cpu:0'
    """
    check_device()
    return [f"{device.platform}:{device.id}" for device in jax.devices(device_type and device_type.lower())]


def get_device_count(device_type: str | None = None) -> int:
    """Return the number of devices of a kind; see `list_devices`.

    >>> get_device_count("cpu") == len(list_devices("cpu"))
    True
    """
    check_device()
    return jax.device_count(device_type and device_type.lower())


def device_named(name: Any) -> jax.Device:
    """Return the device of JAX with a name such as ``"cpu:0"``; ValueError if there is none."""
    if isinstance(name, jax.Device):
        return name
    kind, _, number = str(name).partition(":")
    check_device()
    found = [one for one in jax.devices(kind.lower()) if str(one.id) == (number or "0")]
    if not found:
        raise ValueError(
            f"There is no device {str(name)!r}; this process sees {', '.join(list_devices(kind.lower()))}."
        )
    return found[0]


class DeviceMesh:
    """Devices in a grid, whose axes have names.

    Args:
        shape: Sizes of the grid, such as ``(8,)``, or ``(4, 2)`` to split the batch over 4 and the model over 2.
        axis_names: A name for each axis.
        devices: Names of devices, as many as the grid has places; all by default.

    Raises:
        ValueError: The arguments do not fit each other, or the number of devices.

    Follows https://keras.io/api/distribution/layout_map/#devicemesh-class

    >>> DeviceMesh((1,), ["batch"], ["cpu:0"])
    <DeviceMesh shape=(1,), axis_names=['batch']>
    """

    def __init__(self, shape: Sequence[int], axis_names: Sequence[str], devices: Any = None) -> None:
        if not shape or not axis_names:
            raise ValueError(f"A mesh needs a shape and a name for each axis; got {shape=}, {axis_names=}.")
        if len(shape) != len(axis_names):
            raise ValueError(f"A mesh needs a name for each axis of its shape; got {shape=}, {axis_names=}.")
        grid = np.array(list_devices() if devices is None else devices)
        if math.prod(shape) != grid.size:
            raise ValueError(
                f"A mesh of shape {tuple(shape)} needs {math.prod(shape)} devices; there are {grid.size}. "
                "Choose another shape, or pass devices=[...]."
            )
        self._shape, self._axis_names = shape, axis_names
        self._devices = grid.reshape(shape)

    @property
    def shape(self) -> Sequence[int]:
        """The sizes of the grid."""
        return self._shape

    @property
    def axis_names(self) -> Sequence[str]:
        """The names of its axes."""
        return self._axis_names

    @property
    def devices(self) -> np.ndarray:
        """The names of the devices, in the grid."""
        return self._devices

    @cached_property
    def backend_mesh(self) -> Mesh:
        """The mesh as one of JAX."""
        grid = np.empty(self._devices.size, object)
        grid[:] = [device_named(name) for name in self._devices.flat]
        return Mesh(grid.reshape(self._devices.shape), tuple(self._axis_names))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "backend_mesh"}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} shape={self.shape}, axis_names={self.axis_names}>"


class TensorLayout:
    """How an array is laid out on a mesh.

    Args:
        axes: For each axis of the array, the name of the mesh's axis that splits it, or None.
        device_mesh: The mesh; it may be set later.

    Raises:
        ValueError: A name is not one of the mesh.

    Follows https://keras.io/api/distribution/layout_map/#tensorlayout-class

    >>> TensorLayout((None, "model")).axes
    (None, 'model')
    """

    def __init__(self, axes: Sequence[str | None], device_mesh: DeviceMesh | None = None) -> None:
        self._axes, self._device_mesh = tuple(axes), device_mesh
        self._check()

    @property
    def axes(self) -> tuple[str | None, ...]:
        """For each axis of the array, the name of the mesh's axis that splits it, or None."""
        return self._axes

    @property
    def device_mesh(self) -> DeviceMesh | None:
        """The mesh, which can be set once."""
        return self._device_mesh

    @device_mesh.setter
    def device_mesh(self, mesh: DeviceMesh) -> None:
        if self._device_mesh is not None:
            raise ValueError(f"The layout has the mesh {self._device_mesh} already: make another layout.")
        self._device_mesh = mesh
        self._check()

    @cached_property
    def backend_layout(self) -> NamedSharding:
        """The layout as a sharding of JAX."""
        if self._device_mesh is None:
            raise ValueError("The layout has no mesh yet: pass device_mesh=..., or put it in a LayoutMap.")
        return NamedSharding(self._device_mesh.backend_mesh, PartitionSpec(*self._axes))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "backend_layout"}

    def _check(self) -> None:
        if self._device_mesh is None:
            return
        unknown = {name for name in self._axes if name is not None} - set(self._device_mesh.axis_names)
        if unknown:
            raise ValueError(
                f"The layout {self._axes} has axes that the mesh has not: {', '.join(sorted(unknown))}. "
                f"Its axes are {', '.join(self._device_mesh.axis_names)}."
            )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} axes={self.axes}, device_mesh={self.device_mesh}>"


class LayoutMap(MutableMapping):
    """Layouts by patterns of the paths of variables, such as ``".*dense.*kernel"``.

    A path finds the layout of the pattern that it matches as a whole, None if there is none. A tuple of names is taken
    as a `TensorLayout`.

    Args:
        device_mesh: The mesh of all layouts.

    Raises:
        ValueError: A path matches several patterns, a pattern is set twice, or a value is not a layout.

    Follows https://keras.io/api/distribution/layout_map/

    >>> layouts = LayoutMap(DeviceMesh((1,), ["model"], ["cpu:0"]))
    >>> layouts[".*dense.*kernel"] = (None, "model")
    >>> layouts["sequential/dense_1/kernel"].axes, layouts["sequential/dense_1/bias"]
    ((None, 'model'), None)
    """

    def __init__(self, device_mesh: DeviceMesh) -> None:
        self._layouts: dict[str, TensorLayout] = {}
        self._device_mesh = device_mesh

    @property
    def device_mesh(self) -> DeviceMesh:
        """The mesh of all layouts."""
        return self._device_mesh

    def __getitem__(self, key: str) -> Any:
        if key in self._layouts:
            return self._layouts[key]
        found = [pattern for pattern in self._layouts if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"The path {key!r} matches several patterns of the layout map: {', '.join(found)}.")
        return self._layouts[found[0]] if found else None

    def __setitem__(self, key: str, layout: Any) -> None:
        if key in self._layouts:
            raise ValueError(f"The layout map has {key!r} already, with the layout {self._layouts[key]}.")
        if isinstance(layout, tuple):
            layout = TensorLayout(layout)
        if not isinstance(layout, TensorLayout):
            raise ValueError(f"A layout map holds TensorLayout or tuples of names; got {layout!r} for {key!r}.")
        if layout.device_mesh is None and self._device_mesh is not None:
            layout.device_mesh = self._device_mesh
        self._layouts[key] = layout

    def __delitem__(self, key: str) -> None:
        del self._layouts[key]

    def __len__(self) -> int:
        return len(self._layouts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)
