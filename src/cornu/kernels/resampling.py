"""Pixels between pixels: images read at any positions, by the nearest pixel or linearly between four.

One gather per neighbour fetches all channels of a pixel at once. On CPU that is much faster than
``jax.scipy.ndimage.map_coordinates``, which goes through the channels too, as a third coordinate.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

#: What is outside of an image, by name: a function from indices and the size of an axis to indices in the image.
#: Outside is ``fill_value`` for ``"constant"``.
FILL_MODES: dict[str, Callable[[jax.Array, int], jax.Array]] = {
    "constant": lambda index, size: jnp.clip(index, 0, size - 1),
    "nearest": lambda index, size: jnp.clip(index, 0, size - 1),
    "wrap": lambda index, size: index % size,
    "reflect": lambda index, size: _folded(index % (2 * size), 2 * size - 1),  # the edge pixels are repeated
    "mirror": lambda index, size: _folded(index % max(2 * size - 2, 1), 2 * size - 2),  # they are not
}
INTERPOLATIONS = ("nearest", "bilinear")


def _folded(index: jax.Array, last: int) -> jax.Array:
    return jnp.minimum(index, last - index)


def sampled(
    images: jax.Array, rows: jax.Array, columns: jax.Array, interpolation: str, fill_mode: str, fill_value: float
) -> jax.Array:
    """Return the values of images at positions that may lie between pixels or outside.

    Args:
        images: ``(batch, height, width, channels)``.
        rows, columns: The positions in pixels, ``(batch or 1, new_height, new_width)``.
        interpolation: One of `INTERPOLATIONS`.
        fill_mode: One of `FILL_MODES`.
        fill_value: The value outside, for ``"constant"``.

    Returns:
        ``(batch, new_height, new_width, channels)`` in the dtype of `images`; integers are rounded.

    >>> image = jnp.arange(4.0).reshape(1, 2, 2, 1)
    >>> sampled(image, jnp.full((1, 1, 1), 0.5), jnp.full((1, 1, 1), 0.5), "bilinear", "nearest", 0.0).item()
    1.5
    """
    read = _reader(images, fill_mode, fill_value)
    if interpolation == "nearest":
        return read(_integers(lax.round(rows)), _integers(lax.round(columns)))
    top, left = jnp.floor(rows), jnp.floor(columns)
    down, right = (rows - top)[..., None], (columns - left)[..., None]  # the weights of the next row and column
    row, column = _integers(top), _integers(left)
    upper = (1 - right) * read(row, column) + right * read(row, column + 1)
    lower = (1 - right) * read(row + 1, column) + right * read(row + 1, column + 1)
    result = (1 - down) * upper + down * lower
    return (result if jnp.issubdtype(images.dtype, jnp.floating) else lax.round(result)).astype(images.dtype)


def _integers(positions: jax.Array) -> jax.Array:
    return positions.astype(jnp.int32)


def _reader(images: jax.Array, fill_mode: str, fill_value: float) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """Return a function from rows and columns (integers) to pixels with all of their channels."""
    batch, height, width, channels = images.shape
    pixels = images.reshape(-1, channels)
    first = (jnp.arange(batch) * (height * width))[:, None, None]  # of each image
    within = FILL_MODES[fill_mode]
    outside = jnp.asarray(fill_value, images.dtype)

    def read(rows: jax.Array, columns: jax.Array) -> jax.Array:
        index = first + within(rows, height) * width + within(columns, width)
        found = pixels.at[index].get(mode="promise_in_bounds")
        if fill_mode != "constant":
            return found
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        return jnp.where(inside[..., None], found, outside)

    return read
