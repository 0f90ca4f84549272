"""Images whose values are spread by their histograms."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu.core import registry
from cornu.layers.argument_checks import check_integer, number_in
from cornu.layers.image_preprocessing.base import BoxOptions, ImagePreprocessingLayer
from cornu.layers.image_preprocessing.ranges import pixel_range
from cornu.layers.image_preprocessing.tones import BYTES, rescaled
from cornu.ops.image.layout import channel_axis, is_last


def _counts(values: jax.Array, bins: int) -> jax.Array:
    """Return how often each integer below `bins` is in each row: ``(rows, values)`` to ``(rows, bins)``.

    The values are sorted and the borders searched: on CPU, XLA adds to a histogram one value at a time.
    """
    ordered = jnp.sort(values, -1)
    ends = jax.vmap(lambda row: jnp.searchsorted(row, jnp.arange(bins, dtype=row.dtype), side="right"))(ordered)
    return jnp.diff(ends, prepend=0, axis=-1)


@registry.LAYERS.add()
class Equalization(ImagePreprocessingLayer):
    """In training, spread the values of each channel so that all are about equally frequent in the batch.

    Args:
        value_range: The least and the greatest value of a pixel.
        bins: The number of bins of the histogram.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `value_range` is not two numbers, or `bins` is not an integer of at least 1.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/equalization/ and
    https://en.wikipedia.org/wiki/Histogram_equalization

    >>> import numpy as np
    >>> Equalization()(np.array([[[[1.0], [2.0], [3.0]]]])).ravel().tolist()
    [0.0, 128.0, 255.0]
    """

    def __init__(
        self,
        value_range: Sequence[float] = BYTES,
        bins: int = 256,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.bins = check_integer(self, "bins", bins)
        self.value_range = pixel_range(self, value_range)

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        axis = channel_axis(self.data_format)
        pixels = jnp.moveaxis(rescaled(images, self.value_range, BYTES).astype("float32"), axis, 0)
        flat = pixels.reshape(pixels.shape[0], -1)  # (channels, pixels of the batch)
        places = jnp.clip(flat * (self.bins - 1) / 255, 0, self.bins - 1).astype("int32")
        counts = _counts(places, self.bins)
        below = jnp.cumsum(counts, -1)  # (channels, bins)
        first = jnp.take_along_axis(below, jnp.argmax(below > 0, -1)[:, None], -1)
        spread = below[:, -1:] - first
        places = jnp.clip(flat / 255 * (self.bins - 1), 0, self.bins - 1).astype("int32")  # rounded as in Keras
        table = jnp.round(jnp.clip((below - first) * 255 / jnp.where(spread == 0, 1, spread), 0, 255))
        equalized = jnp.take_along_axis(table, places, -1)
        flat = jnp.where(jnp.count_nonzero(counts, axis=-1, keepdims=True) <= 1, flat, equalized)
        pixels = rescaled(flat.reshape(pixels.shape), BYTES, self.value_range)
        return jnp.moveaxis(pixels, 0, axis).astype(images.dtype)


def _neighbours(size: int, count: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return for each pixel along a side the tiles whose centers are before and after it, and the weight of the second.

    There are `count` tiles of `size` pixels; beyond the first and the last center both are the same tile.
    """
    position = (jnp.arange(size * count, dtype="float32") - size / 2) / size
    before = jnp.floor(position)
    tiles = before.astype("int32")
    return jnp.clip(tiles, 0, count - 1), jnp.clip(tiles + 1, 0, count - 1), position - before


@registry.LAYERS.add()
class ContrastLimitedAdaptiveHistogramEqualization(ImagePreprocessingLayer):
    """Spread the values of each channel in each tile of an image, but not noise: CLAHE.

    Args:
        value_range: The least and the greatest value of a pixel.
        clip_limit: How many times the mean a bin of a tile's histogram may be; what is above is spread over all bins. 0
            is no limit.
        tile_grid_size: Numbers of tiles along height and width.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes and dtype.

    Raises:
        ValueError: `value_range` is not two numbers, or the other arguments are not positive.

    Follows Zuiderveld 1994, https://doi.org/10.1016/B978-0-12-336156-1.50061-6

    >>> import numpy as np
    >>> ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2))(np.ones((1, 8, 8, 1))).shape
    (1, 8, 8, 1)
    """

    def __init__(
        self,
        value_range: Sequence[float] = BYTES,
        clip_limit: float = 4.0,
        tile_grid_size: Sequence[int] = (8, 8),
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = pixel_range(self, value_range)
        self.clip_limit = number_in(self, "clip_limit", clip_limit, 0)
        if not isinstance(tile_grid_size, (tuple, list)) or len(tile_grid_size) != 2:
            raise ValueError(f"CLAHE: `tile_grid_size` must be two integers, such as (8, 8); got {tile_grid_size!r}.")
        self.tile_grid_size = tuple(check_integer(self, "tile_grid_size", size) for size in tile_grid_size)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> jax.Array:
        images = jnp.asarray(images)
        last = is_last(self.data_format)
        pixels = images if last else jnp.moveaxis(images, -3, -1)
        pixels = rescaled(pixels.astype("float32"), self.value_range, BYTES)
        pixels = rescaled(self._spread(pixels), BYTES, self.value_range).astype(images.dtype)
        return pixels if last else jnp.moveaxis(pixels, -1, -3)

    def _spread(self, pixels: jax.Array) -> jax.Array:
        """Return ``(batch, height, width, channels)`` from 0 to 255: each pixel between the tables of four tiles."""
        batch, height, width, channels = pixels.shape
        down, across = self.tile_grid_size
        tile = -(-height // down), -(-width // across)
        margins = tile[0] * down - height, tile[1] * across - width
        pixels = jnp.pad(pixels, ((0, 0), (0, margins[0]), (0, margins[1]), (0, 0)), mode="symmetric")
        levels = jnp.clip(pixels, 0, 255).astype("int32")
        tiles = levels.reshape(batch, down, tile[0], across, tile[1], channels).transpose(0, 1, 3, 5, 2, 4)
        tables = self._tables(tiles.reshape(-1, tile[0] * tile[1])).reshape(batch, down, across, channels, 256)
        top, lower, weight_down = _neighbours(tile[0], down)
        left, right, weight_across = _neighbours(tile[1], across)

        def at(rows: Any, columns: Any) -> jax.Array:
            """Return what the tables of these tiles have for each pixel."""
            image = jnp.arange(batch)[:, None, None, None]
            return tables[image, rows[:, None, None], columns[None, :, None], jnp.arange(channels), levels]

        weight_down, weight_across = weight_down[:, None, None], weight_across[None, :, None]
        upper_row = at(top, left) * (1 - weight_across) + at(top, right) * weight_across
        lower_row = at(lower, left) * (1 - weight_across) + at(lower, right) * weight_across
        return (upper_row * (1 - weight_down) + lower_row * weight_down)[:, :height, :width]

    def _tables(self, tiles: jax.Array) -> jax.Array:
        """Return new values for 256 levels in each tile: ``(tiles, pixels)`` to ``(tiles, 256)``."""
        pixels = tiles.shape[1]
        counts = _counts(tiles, 256).astype("float32")
        if self.clip_limit > 0:
            kept = jnp.minimum(counts, self.clip_limit * pixels / 256)
            counts = kept + (counts - kept).sum(-1, keepdims=True) / 256
        below = jnp.cumsum(counts, -1)
        first = below.min(-1, keepdims=True)
        span = pixels - first
        return jnp.clip((below - first) * 255 / jnp.where(span == 0, 1, span), 0, 255)


__all__ = ["ContrastLimitedAdaptiveHistogramEqualization", "Equalization"]
