"""Pictures changed at random while a model trains, inside the compiled step: mirrored, turned, moved, brightened."""

from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.variable import Seed
from cornu.layers import Layer

TURN, MOVE, ZOOM, BRIGHTNESS, CONTRAST = 0.2, 0.08, 0.12, 25.0, 0.2  # radians, sides, factors, of 255, factor


class PictureVariation(Layer):
    """Pictures ``(batch, height, width, channels)`` as float32; in training, each is changed in another way.

    Args:
        mirrored: Whether left and right may be exchanged.
        varied: Whether to change pictures at all.
        seed: Seed of the changes.
    """

    def __init__(self, mirrored: bool = True, varied: bool = True, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mirrored, self.varied, self.seed = mirrored, varied, seed
        self.seed_generator = Seed(seed)

    def call(self, pictures: Any, training: bool = False) -> Any:
        pictures = jnp.asarray(pictures).astype("float32")
        if not training or not self.varied:
            return pictures
        keys = jax.random.split(self.seed_generator.next(), 6)
        rows = len(pictures)
        between = lambda key, most, shape=(): jax.random.uniform(key, (rows, *shape), minval=-most, maxval=most)  # noqa: E731
        sides = jnp.where(jax.random.bernoulli(keys[0], 0.5, (rows,)) & self.mirrored, -1.0, 1.0)
        turned = warped(pictures, between(keys[1], TURN), between(keys[2], MOVE, (2,)), between(keys[3], ZOOM), sides)
        light = between(keys[4], BRIGHTNESS)[:, None, None, None]
        contrast = 1 + between(keys[5], CONTRAST)[:, None, None, None]
        mean = turned.mean((1, 2, 3), keepdims=True)
        return jnp.clip((turned - mean) * contrast + mean + light, 0, 255)


def warped(pictures: Any, angles: Any, moves: Any, zooms: Any, sides: Any) -> jax.Array:
    """Return pictures turned by radians, moved by fractions of their size, enlarged, and mirrored where a side is -1.

    What comes in from outside is the picture itself, mirrored at its edge.
    """
    rows, height, width, channels = pictures.shape
    y, x = jnp.meshgrid(jnp.arange(height) - (height - 1) / 2, jnp.arange(width) - (width - 1) / 2, indexing="ij")
    sine, cosine = (turn(angles)[:, None, None] / (1 + zooms)[:, None, None] for turn in (jnp.sin, jnp.cos))
    from_y = cosine * y + sine * x + (height - 1) / 2 + (moves[:, 0] * height)[:, None, None]  # (rows, height, width)
    from_x = (cosine * x - sine * y) * sides[:, None, None] + (width - 1) / 2 + (moves[:, 1] * width)[:, None, None]
    upper, left = jnp.floor(from_y), jnp.floor(from_x)
    down, right = (from_y - upper)[..., None], (from_x - left)[..., None]
    flat = pictures.reshape(rows, height * width, channels)

    def at(line: jax.Array, column: jax.Array) -> jax.Array:
        numbers = _reflected(line, height) * width + _reflected(column, width)
        taken = jax.vmap(lambda picture, place: picture[place])(flat, numbers.reshape(rows, -1))
        return taken.reshape(rows, height, width, channels)

    above = at(upper, left) * (1 - right) + at(upper, left + 1) * right
    below = at(upper + 1, left) * (1 - right) + at(upper + 1, left + 1) * right
    return above * (1 - down) + below * down


def _reflected(places: jax.Array, size: int) -> jax.Array:
    """Return the indices of pixels for places that may be outside: counted back from the edge."""
    period = max(2 * size - 2, 1)
    places = jnp.abs(places.astype("int32")) % period
    return jnp.minimum(places, period - places).clip(0, size - 1)
