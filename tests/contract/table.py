"""The one table of every layer: how to make it, and what to call it on. Promises about all layers go through it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Entry(NamedTuple):
    """A layer with arguments, made from a module of layers (ours or Keras's), and the inputs that it takes.

    `shapes` is the shape of its input with the batch, or a list of several; `highest` makes the inputs whole numbers
    below it; `random` marks layers whose outputs while training are a matter of chance.
    """

    make: Callable[[Any], Any]
    shapes: Any
    highest: int | None = None
    random: bool = False

    def inputs(self) -> Any:
        """Return the array, or list of arrays, to call the layer on: the same each time."""
        several = isinstance(self.shapes, list)
        arrays = [self._array(np.random.default_rng(i), shape) for i, shape in enumerate(self._shapes())]
        return arrays if several else arrays[0]

    def _shapes(self) -> list[tuple[int, ...]]:
        return self.shapes if isinstance(self.shapes, list) else [self.shapes]

    def _array(self, random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        if self.highest is not None:
            return random.integers(0, self.highest, shape).astype("int32")
        return random.standard_normal(shape).astype("float32")


SPATIAL: dict[str, Entry] = {
    "conv1d": Entry(lambda layers: layers.Conv1D(4, 3, activation="relu"), (2, 7, 3)),
    "conv1d causal": Entry(lambda layers: layers.Conv1D(4, 3, padding="causal", dilation_rate=2), (2, 7, 3)),
    "conv2d": Entry(lambda layers: layers.Conv2D(4, (3, 2), strides=2, padding="same"), (2, 6, 5, 3)),
    "conv2d groups": Entry(lambda layers: layers.Conv2D(4, 3, groups=2, kernel_regularizer="l2"), (2, 6, 5, 4)),
    "conv2d first": Entry(lambda layers: layers.Conv2D(4, 3, data_format="channels_first"), (2, 3, 6, 5)),
    "conv3d": Entry(lambda layers: layers.Conv3D(2, 2, padding="same", use_bias=False), (2, 4, 3, 3, 2)),
}

LAYERS: dict[str, Entry] = {**SPATIAL}
