"""Weights per row: ``class_weight`` and ``sample_weight`` combined."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

BALANCED = ("balanced", "auto")


def with_class_weight(y: Any, sample_weight: Any, class_weight: Any, whole: bool = True) -> Any:
    """Return sample weights multiplied by the weight of each row's class.

    Args:
        y: integer classes, ``(batch,)`` or ``(batch, 1)``, or one-hot labels, ``(batch, classes)``.
        sample_weight: ``(batch, ...)``, or None.
        class_weight: weights by class, a dictionary (other classes have weight 1) or an array with one weight for each
            class; ``"balanced"`` (or ``"auto"``) gives all classes the same total weight. None returns `sample_weight`.
        whole: whether `y` holds all rows, so that classes can be counted.

    Raises:
        ValueError: if `y` does not hold one class per row, or classes without a weight in an array.
        TypeError: if `class_weight` is something else.
    """
    if class_weight is None:
        return sample_weight
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
    for label, weight in _by_class(class_weight, classes, whole).items():
        weights[classes == int(label)] = weight
    if sample_weight is None:
        return weights
    sample_weight = np.asarray(sample_weight, np.float32)
    return sample_weight * weights.reshape(-1, *([1] * (sample_weight.ndim - 1)))


def _by_class(class_weight: Any, classes: np.ndarray, whole: bool) -> Mapping[Any, float]:
    """Return the weights by class."""
    if hasattr(class_weight, "items"):  # also a pandas Series
        return dict(class_weight.items())
    if isinstance(class_weight, str) and class_weight in BALANCED:
        return _balanced(class_weight, classes, whole)
    given = np.asarray(class_weight) if isinstance(class_weight, (list, tuple)) else class_weight
    if not hasattr(given, "shape") or len(given.shape) != 1 or np.asarray(given).dtype.kind not in "fiu":
        raise TypeError(
            "class_weight must be a dictionary such as {0: 1.0, 1: 5.0}, an array with a weight for each class, "
            f"or 'balanced'; got {class_weight!r}."
        )
    if classes.size and (classes.min() < 0 or classes.max() >= len(given)):
        raise ValueError(
            f"class_weight has weights for the classes 0 to {len(given) - 1}; "
            f"y contains classes from {classes.min()} to {classes.max()}."
        )
    return dict(enumerate(np.asarray(given).tolist()))


def _balanced(word: str, classes: np.ndarray, whole: bool) -> dict[int, float]:
    """Return weights by which each class counts as much as any other; the mean weight of a row is 1."""
    if not whole:
        raise ValueError(
            f"class_weight={word!r} counts the classes in y, which needs arrays rather than batches.\n"
            "Pass a dictionary such as {0: 1.0, 1: 5.0}."
        )
    labels, counts = np.unique(classes, return_counts=True)
    weights = {
        int(label): float(classes.size / (len(labels) * count)) for label, count in zip(labels, counts, strict=True)
    }
    shown = ", ".join(f"{label}: {weight:.3g}" for label, weight in list(weights.items())[:10])
    warnings.warn(
        f"class_weight={word!r}: the classes are weighted {{{shown}}}. Keras 1 and 2 accepted the word and ignored it.",
        stacklevel=9,  # who called fit
    )
    return weights
