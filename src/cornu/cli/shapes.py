"""Drawn circles, squares and triangles: pictures to try ``cornu train --images`` on."""

from pathlib import Path
from typing import Any

import numpy as np

from cornu.preprocessing.pictures import pillow

CLASSES = ("circle", "square", "triangle")
SIDE = 64


def draw_shapes(folder: Any, each: int = 60, seed: int = 0) -> None:
    """Write `each` PNG files of every shape into a subfolder of its name.

    The shapes have random colours, sizes, places and angles, on grounds with stripes and noise.
    """
    generator = np.random.default_rng(seed)
    for name in CLASSES:
        place = Path(folder, name)
        place.mkdir(parents=True, exist_ok=True)
        for number in range(1, each + 1):
            pillow().fromarray(_drawn(name, generator)).save(place / f"{name}-{number:03d}.png")


def _drawn(name: str, generator: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    ground, ink = _colours(generator)
    angle = generator.uniform(0, 2 * np.pi)
    stripes = np.sin((x * np.cos(angle) + y * np.sin(angle)) / generator.uniform(2, 6)) * generator.uniform(0, 15)
    picture = ground + stripes[..., None]
    radius = generator.uniform(12, 24)
    center = generator.uniform(radius + 1, SIDE - radius - 1, 2)
    picture[_inside(name, x - center[0], y - center[1], radius, angle)] = ink
    picture += generator.normal(0, 8, picture.shape)
    return picture.clip(0, 255).astype("uint8")


def _colours(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return two colours that can be told apart."""
    while True:
        ground, ink = generator.uniform(20, 235, (2, 3))
        if np.abs(ground - ink).max() > 70:
            return ground, ink


def _inside(name: str, x: np.ndarray, y: np.ndarray, radius: float, angle: float) -> np.ndarray:
    """Return which points are in a shape around the origin whose corners are at a distance of `radius`."""
    if name == "circle":
        return x**2 + y**2 < (0.85 * radius) ** 2
    corners = 4 if name == "square" else 3
    sides = angle + np.arange(corners) * 2 * np.pi / corners
    distances = x[..., None] * np.cos(sides) + y[..., None] * np.sin(sides)
    return distances.max(-1) < radius * np.cos(np.pi / corners)
