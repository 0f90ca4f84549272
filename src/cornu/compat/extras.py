"""Functions of old `keras.utils` that today's Keras lacks."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from cornu.compat.imports import KERAS_VERSION
from cornu.core.distribution import DataParallel
from cornu.core.layouts import list_devices


def multi_gpu_model(model: Any, gpus: int | Sequence[int] | None = None, **_: Any) -> Any:
    """Return `model` itself, whose batches are from now on split over several devices, if there are.

    Args:
        model: The model.
        gpus: How many devices, or their numbers; all by default.
    """
    found = list_devices()
    numbers = range(len(found) if gpus is None else gpus) if not isinstance(gpus, Sequence) else gpus
    chosen = [found[number] for number in numbers if number < len(found)]
    if len(chosen) > 1:
        model._programs.given_distribution = DataParallel(devices=chosen)
    return model


def count_params(weights: Iterable[Any]) -> int:
    """Return the number of values in a list of weights (``keras.utils.layer_utils.count_params``).

    >>> import numpy as np
    >>> count_params([np.zeros((784, 10)), np.zeros(10)])
    7850
    """
    return sum(int(weight.size) for weight in {id(weight): weight for weight in weights}.values())


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """Return one integer `n` times, or a sequence of `n` as it is (``keras.utils.conv_utils.normalize_tuple``).

    Raises ValueError for anything else; the message names the argument `name`.
    """
    values = (value,) * n if isinstance(value, int) else tuple(value)
    if len(values) != n or not all(isinstance(one, int) for one in values):
        raise ValueError(f"{name} must be an integer or {n} of them; got {value!r}.")
    return values


def conv_output_length(
    length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """Return how long an axis is after a convolution (``keras.utils.conv_utils.conv_output_length``).

    `padding` is ``valid``, ``same``, ``causal`` or ``full``; None (unknown) stays None.

    >>> conv_output_length(28, 3, "valid", 1), conv_output_length(28, 3, "same", 2)
    (26, 14)
    """
    if length is None:
        return None
    reach = (filter_size - 1) * dilation
    changes = {"valid": -reach, "same": 0, "causal": 0, "full": reach}
    if padding not in changes:
        raise ValueError(f"padding must be one of {', '.join(changes)}; got {padding!r}.")
    return (length + changes[padding] + stride - 1) // stride


def deconv_length(length: int | None, stride: int, filter_size: int, padding: str) -> int | None:
    """Return how long an axis is after a transposed convolution (``keras.utils.conv_utils.deconv_length``)."""
    if length is None:
        return None
    extra = {"valid": max(filter_size - stride, 0), "same": 0, "full": -(stride + filter_size - 2)}
    if padding not in extra:
        raise ValueError(f"padding must be one of {', '.join(extra)}; got {padding!r}.")
    return length * stride + extra[padding]


def probas_to_classes(y_pred: Any) -> np.ndarray:
    """Return the most likely class of each row; for one probability per row, 0 or 1 (``keras.utils.np_utils``).

    >>> probas_to_classes([[0.2, 0.8], [0.9, 0.1]]).tolist()
    [1, 0]
    """
    y_pred = np.asarray(y_pred)
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return y_pred.argmax(axis=1)
    return np.array([1 if probability > 0.5 else 0 for probability in y_pred.ravel()])


categorical_probas_to_classes = probas_to_classes


def to_list(x: Any, allow_tuple: bool = False) -> list:
    """Return a list as it is, anything else in a list (``keras.utils.generic_utils``)."""
    if allow_tuple and isinstance(x, tuple):
        return list(x)
    return x if isinstance(x, list) else [x]


def unpack_singleton(x: Any) -> Any:
    """Return the only entry of a sequence of one, anything else as it is (``keras.utils.generic_utils``)."""
    return x[0] if isinstance(x, (list, tuple)) and len(x) == 1 else x


class Reduction:
    """The values of ``reduction=`` of losses (``tf.keras.losses.Reduction``)."""

    AUTO, NONE, SUM, SUM_OVER_BATCH_SIZE = "auto", "none", "sum", "sum_over_batch_size"


def version() -> str:
    """Return the version of Keras whose behaviour Cornu follows (``keras.version()``)."""
    return KERAS_VERSION
