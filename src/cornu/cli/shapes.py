"""Drawn circles, squares and triangles: pictures to try ``cornu train --images`` on."""

from pathlib import Path
from typing import Any

import numpy as np

from cornu.preprocessing.pictures import pillow

CLASSES = ("circle", "square", "triangle")
SIDE = 64


def draw_shapes(folder: Any, each: int = 60, seed: int = 0) -> None:
    """Write `each` PNG files of every shape into a subfolder of its name.

    The shapes are dark on light ground, and have random colours, sizes, places and angles, with some noise.
    """
    generator = np.random.default_rng(seed)
    for name in CLASSES:
        place = Path(folder, name)
        place.mkdir(parents=True, exist_ok=True)
        for number in range(1, each + 1):
            pillow().fromarray(_drawn(name, generator)).save(place / f"{name}-{number:03d}.png")


def _drawn(name: str, generator: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    ground, ink = generator.uniform(150, 250, 3), generator.uniform(0, 110, 3)
    picture = np.broadcast_to(ground, (SIDE, SIDE, 3)).copy()
    radius = generator.uniform(14, 26)
    center = generator.uniform(radius + 1, SIDE - radius - 1, 2)
    picture[_inside(name, x - center[0], y - center[1], radius, generator.uniform(0, 2 * np.pi))] = ink
    picture += generator.normal(0, 6, picture.shape)
    return picture.clip(0, 255).astype("uint8")


def _inside(name: str, x: np.ndarray, y: np.ndarray, radius: float, angle: float) -> np.ndarray:
    """Return which points are in a shape around the origin whose corners are at a distance of `radius`."""
    if name == "circle":
        return x**2 + y**2 < (0.85 * radius) ** 2
    corners = 4 if name == "square" else 3
    sides = angle + np.arange(corners) * 2 * np.pi / corners
    distances = x[..., None] * np.cos(sides) + y[..., None] * np.sin(sides)
    return distances.max(-1) < radius * np.cos(np.pi / corners)
