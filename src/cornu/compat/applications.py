"""What Keras 1 and 2, and the package keras_applications, had in `applications` and today's Keras lacks."""

from collections.abc import Callable, Sequence
from typing import Any

from cornu import backend, layers, models, utils
from cornu.applications import imagenet_utils
from cornu.compat.keywords import DATA_FORMATS


def obtain_input_shape(
    input_shape: Sequence[int | None] | None,
    default_size: int,
    min_size: int,
    data_format: str | None = None,
    require_flatten: bool = True,
    weights: str | None = None,
    include_top: bool | None = None,
    dim_ordering: str | None = None,
) -> tuple[int | None, ...]:
    """Return the shape of images that a network takes (``imagenet_utils._obtain_input_shape``).

    Args:
        input_shape, default_size, min_size, weights: as in `cornu.applications.imagenet_utils.obtain_input_shape`.
        data_format: ``"channels_last"`` (also ``"tf"``) or ``"channels_first"`` (``"th"``).
        require_flatten: whether dense layers follow, so that height and width must be known (once `include_top`).
        include_top, dim_ordering: older names of `require_flatten` and `data_format`.

    Raises:
        ValueError: for a shape that the network cannot take.

    >>> obtain_input_shape(None, 224, 48, dim_ordering="th")
    (3, 224, 224)
    """
    order = dim_ordering or data_format or ""
    flattens = require_flatten if include_top is None else include_top
    return imagenet_utils.obtain_input_shape(
        input_shape, default_size, min_size, DATA_FORMATS.get(order, order) or None, flattens, weights
    )


def correct_pad(backend: Any, inputs: Any, kernel_size: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the padding before a convolution with strides of 2 (``keras_applications.correct_pad``).

    >>> from cornu.layers import Input
    >>> correct_pad(None, Input((224, 224, 3)), 3)
    ((0, 1), (0, 1))
    """
    return imagenet_utils.correct_pad(inputs, kernel_size)


def get_submodules_from_kwargs(kwargs: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """Return the modules backend, layers, models and utils (``keras_applications.get_submodules_from_kwargs``)."""
    ours = {"backend": backend, "layers": layers, "models": models, "utils": utils}
    return tuple(kwargs.get(name, module) for name, module in ours.items())


def keras_modules_injection(base_fun: Callable) -> Callable:
    """Return a function as it is (``keras.applications.keras_modules_injection``): models know their modules."""
    return base_fun
