"""Arrays of Python objects: texts, bytes, lists of different lengths."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def object_array(values: Sequence[Any], shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return an array that holds each value as it is, in one axis or of a given shape.

    ``np.array(values, object)`` makes further axes of lists of one length.

    >>> object_array([[1, 2], [3, 4]]).tolist(), object_array(["a"], ()).shape
    ([[1, 2], [3, 4]], ())
    """
    found = np.empty(len(values) if shape is None else math.prod(shape), object)
    found[:] = values
    return found if shape is None else found.reshape(shape)
