"""Weights per row: ``class_weight`` and ``sample_weight`` combined."""

from typing import Any

import numpy as np


def with_class_weight(y: Any, sample_weight: Any, class_weight: dict[int, float] | None) -> Any:
    """Return sample weights multiplied by the weight of each row's class.

    Args:
        y: integer classes, ``(batch,)`` or ``(batch, 1)``, or one-hot labels, ``(batch, classes)``.
        sample_weight: ``(batch, ...)``, or None.
        class_weight: weights by class; other classes have weight 1. None returns `sample_weight`.

    Raises:
        ValueError: if `y` does not hold one class per row.
        TypeError: if `class_weight` is not a dictionary.
    """
    if class_weight is None:
        return sample_weight
    if not hasattr(class_weight, "items"):
        raise TypeError(f"class_weight must be a dictionary such as {{0: 1.0, 1: 5.0}}; got {class_weight!r}.")
    if y is None or isinstance(y, (dict, list, tuple)):
        raise ValueError("class_weight needs a model with a single output, and y; use sample_weight instead.")
    y = np.asarray(y)
    if y.ndim > 2:
        raise ValueError(
            f"class_weight needs y of one class per row; y has shape {y.shape}. Use sample_weight instead."
        )
    classes = y.argmax(axis=-1) if y.ndim == 2 and y.shape[-1] > 1 else y.reshape(-1)  # (batch,)
    classes = np.round(classes).astype(np.int64)
    weights = np.ones(classes.shape, np.float32)
    for label, weight in class_weight.items():
        weights[classes == int(label)] = weight
    if sample_weight is None:
        return weights
    sample_weight = np.asarray(sample_weight, np.float32)
    return sample_weight * weights.reshape(-1, *([1] * (sample_weight.ndim - 1)))
