"""Many devices: `keras.distribution`. Follows https://keras.io/api/distribution/"""

from typing import Any

import jax

from cornu.core.distribution import (
    DataParallel,
    Distribution,
    ModelParallel,
    distribution,
    initialize,
    set_distribution,
)
from cornu.core.graph import SymbolicTensor
from cornu.core.layouts import DeviceMesh, LayoutMap, TensorLayout, get_device_count, list_devices
from cornu.core.placement import constrained, laid_out
from cornu.core.public import offer

__all__ = [
    "DataParallel",
    "DeviceMesh",
    "Distribution",
    "LayoutMap",
    "ModelParallel",
    "TensorLayout",
    "distribute_tensor",
    "distribution",
    "get_device_count",
    "initialize",
    "list_devices",
    "set_distribution",
]


def distribute_tensor(tensor: Any, layout: Any) -> Any:
    """Return an array laid out over devices, eagerly or inside a compiled function.

    Args:
        tensor: An array. A symbolic tensor is returned as it is.
        layout: A `TensorLayout`, or a sharding of JAX.

    Returns:
        An array of JAX.

    Raises:
        ValueError: An axis that is to be split does not divide evenly.

    Follows https://keras.io/api/distribution/distribution_utils/

    >>> layout = TensorLayout((None,), DeviceMesh((1,), ["batch"], ["cpu:0"]))
    >>> distribute_tensor([1.0, 2.0], layout).tolist()
    [1.0, 2.0]
    """
    if isinstance(tensor, SymbolicTensor):
        return tensor
    sharding = layout.backend_layout if isinstance(layout, TensorLayout) else layout
    if isinstance(tensor, jax.core.Tracer):
        return constrained(tensor, sharding)
    return laid_out(jax.numpy.asarray(tensor), sharding)


offer(globals())
