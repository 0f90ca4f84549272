"""Small array functions: one-hot rows and scaled rows."""

from typing import Any

import numpy as np

from cornu.core import settings


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Return integer classes as one-hot rows of ``floatx``.

    `x` holds classes from 0 to ``num_classes - 1`` (an axis of size 1 at the end is dropped); without `num_classes` there
    are as many as the largest class needs. Raises ValueError for classes outside.
    Follows https://keras.io/api/utils/python_utils/#to_categorical-function

    >>> to_categorical([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    classes = np.asarray(x)
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    if classes.dtype.kind not in "iub" and (classes.dtype.kind != "f" or (classes != np.floor(classes)).any()):
        raise ValueError(f"to_categorical takes whole numbers, one class per row; it got {classes.dtype} values.")
    classes = classes.astype(np.int64)
    count = int(classes.max(initial=-1)) + 1 if num_classes is None else int(num_classes)
    if classes.size and (classes.min() < 0 or classes.max() >= count):
        raise ValueError(
            f"to_categorical with {count} classes takes labels from 0 to {count - 1}; "
            f"it got labels from {classes.min()} to {classes.max()}."
        )
    rows = np.zeros((*classes.shape, count), settings.floatx())
    np.put_along_axis(rows, classes[..., None], 1, axis=-1)
    return rows


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """Return `x` divided by its norm of `order` along `axis`; rows of zeros stay zeros.

    >>> normalize([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    array = np.asarray(x)
    norms = np.atleast_1d(np.linalg.norm(array, order, axis))
    norms[norms == 0] = 1
    return array / np.expand_dims(norms, axis)
