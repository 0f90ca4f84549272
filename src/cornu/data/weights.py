"""Weights of rows: ``class_weight`` and ``sample_weight`` made one."""

from typing import Any

import numpy as np


def with_class_weight(y: Any, sample_weight: Any, class_weight: dict[int, float] | None) -> Any:
    """Return sample weights that include the weight of each row's class.

    `y` holds integer classes (rows,) or (rows, 1), or one-hot rows (rows, classes). Classes that `class_weight` does
    not name weigh 1. Raises ValueError where `y` has no classes to look up.
    """
    if class_weight is None:
        return sample_weight
    if not hasattr(class_weight, "items"):
        raise TypeError(
            f"class_weight is a dictionary from classes to weights, such as {{0: 1.0, 1: 5.0}}; it is {class_weight!r}."
        )
    if y is None or isinstance(y, (dict, list, tuple)):
        raise ValueError("class_weight works for models with a single output and y given; use sample_weight instead.")
    y = np.asarray(y)
    if y.ndim > 2:
        raise ValueError(
            f"class_weight needs y of one class per row; y has shape {y.shape}. Use sample_weight instead."
        )
    classes = y.argmax(axis=-1) if y.ndim == 2 and y.shape[-1] > 1 else y.reshape(-1)
    classes = np.round(classes).astype(np.int64)
    weights = np.ones(classes.shape, np.float32)
    for label, weight in class_weight.items():
        weights[classes == int(label)] = weight
    if sample_weight is None:
        return weights
    sample_weight = np.asarray(sample_weight, np.float32)
    return sample_weight * weights.reshape(-1, *([1] * (sample_weight.ndim - 1)))
