"""Labels and numbers as networks need them: `to_categorical` and `normalize`."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import spellings


@spellings.old_keywords("to_categorical")
def to_categorical(x: Any, num_classes: int | None = None, dtype: str = "float32") -> Any:
    """Convert integer classes to one-hot vectors.

    Args:
        x: Classes from 0, of any shape; a last axis of size 1 is dropped.
        num_classes: Number of classes, by default the largest class plus one.
        dtype: Dtype of the result.

    Returns:
        An array ``(..., num_classes)``.

    Raises:
        ValueError: A label is not an integer, is negative, or is not below `num_classes`.

    Follows https://keras.io/api/utils/python_utils/#to_categorical-function

    >>> to_categorical([0, 2], num_classes=3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if isinstance(x, jax.core.Tracer):
        return jax.nn.one_hot(x, num_classes, dtype=dtype)  # type: ignore[arg-type]
    labels = class_numbers(x)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    classes = int(labels.max()) + 1 if num_classes is None else int(num_classes)
    if labels.size and labels.max() >= classes:
        raise ValueError(
            f"to_categorical: labels go up to {labels.max()}, but num_classes={classes} means 0 to {classes - 1}.\n"
            f"Use num_classes={labels.max() + 1}, or subtract the smallest label ({labels.min()})."
        )
    result = np.zeros((labels.size, classes), dtype)
    result[np.arange(labels.size), labels.ravel()] = 1
    result = result.reshape(*labels.shape, classes)
    return jnp.asarray(result) if isinstance(x, jax.Array) else result


def class_numbers(x: Any) -> np.ndarray:
    """Return labels as integers from 0; ValueError if they are not."""
    labels = np.asarray(x)
    if labels.dtype.kind not in "biuf":
        kinds = sorted({str(label) for label in labels.ravel()[:1000]})[:4]
        raise ValueError(
            f"to_categorical takes integers from 0; got {labels.dtype} values such as {', '.join(kinds)}.\n"
            "Number the classes first, for example: names, y = np.unique(y, return_inverse=True)."
        )
    if labels.size == 0:
        raise ValueError("to_categorical got no labels: the array is empty.")
    if labels.dtype.kind == "f" and not np.all(labels == np.floor(labels)):
        odd = labels[~(labels == np.floor(labels))].ravel()[0]
        raise ValueError(f"to_categorical takes integers from 0; got {odd}.")
    if labels.min() < 0:
        raise ValueError(
            f"to_categorical takes labels from 0; the smallest is {labels.min()}.\n"
            f"Subtract it from the labels, for example: y = y - y.min()."
        )
    return labels.astype("int64")


def normalize(x: Any, axis: int = -1, order: Any = 2) -> Any:
    """Divide `x` by its norm along an axis; vectors of norm 0 stay unchanged.

    Args:
        x: The array.
        axis: The axis to take the norm along.
        order: Order of the norm, as in `numpy.linalg.norm`.

    Follows https://keras.io/api/utils/python_utils/#normalize-function

    >>> normalize([[3.0, 4.0]]).tolist()
    [[0.6, 0.8]]
    """
    x = x if isinstance(x, jax.Array) else np.asarray(x)
    library = jnp if isinstance(x, jax.Array) else np
    norm = library.atleast_1d(library.linalg.norm(x, order, axis))
    norm = library.where(norm == 0, 1, norm)
    return x / library.expand_dims(norm, axis)
