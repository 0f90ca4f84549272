"""Where height, width and channels of images are, and images as batches with the channels last."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core import settings
from cornu.core.dtype_policies import is_float


def is_last(data_format: str | None) -> bool:
    """Return whether the channels are the last axis."""
    return settings.standardize_data_format(data_format) == "channels_last"


def space_axes(data_format: str | None) -> tuple[int, int]:
    """Return the axes of height and width, counted from the end.

    >>> space_axes("channels_last"), space_axes("channels_first")
    ((-3, -2), (-2, -1))
    """
    return (-3, -2) if is_last(data_format) else (-2, -1)


def channel_axis(data_format: str | None) -> int:
    """Return the axis of the channels, counted from the end."""
    return -1 if is_last(data_format) else -3


def check_images(images: Any, ranks: tuple[int, ...] = (3, 4), name: str = "images") -> None:
    """Raise ValueError if images do not have one of these numbers of axes."""
    if images.ndim not in ranks:
        expected = " or ".join({3: "3 axes (one image)", 4: "4 axes (a batch of images)"}[rank] for rank in ranks)
        raise ValueError(f"`{name}` must have {expected}; got the shape {tuple(images.shape)}.")


def check_floats(images: Any) -> None:
    """Raise ValueError if images are not floats."""
    if not is_float(images.dtype):
        raise ValueError(
            f"`images` must be floats; got {images.dtype}. Cast them first, for example to float32 between 0 and 1."
        )


def with_channels_last(images: Any, data_format: str | None, function: Callable[[jax.Array], jax.Array]) -> jax.Array:
    """Return `function` of images as a batch with channels last, in the layout that the images came in."""
    check_images(images)
    batch = jnp.asarray(images).reshape(-1, *images.shape[-3:])
    last = is_last(data_format)
    result = function(batch if last else batch.transpose(0, 2, 3, 1))
    result = result if last else result.transpose(0, 3, 1, 2)
    return result if images.ndim == 4 else result[0]
